# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # for the modules that open a store
    DOCUMENTATION = r"""
options:
  store:
    description:
      - The path of a file (SQLite), or C(postgresql://user@host:5432/database). A file is made with mode 0600.
      - A URL can have the parameters C(sslmode), C(sslrootcert), C(sslcert), C(sslkey), C(connect_timeout) and C(application_name).
    type: str
    required: true
  password:
    description:
      - The password for PostgreSQL. Without it, C(PGPASSWORD) of the task's environment is taken, or the file that libpq knows
        (C(PGPASSFILE), C(~/.pgpass)).
      - One in the URL works, too, but Ansible shows the options of a task in more places than this one.
    type: str
  allow_shared_folder:
    description: >-
      Accept a file of SQLite, or a folder for it, that others are allowed to write to, and a schema of PostgreSQL in which every role can
      make functions. They could then change what was found.
    type: bool
    default: false
"""
