#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_store
short_description: Keep runs in a store that remembers
version_added: 0.1.0
description:
  - Takes finished runs and fleet runs into a store in SQLite or PostgreSQL, and makes, migrates, backs up, restores and prunes the store.
  - A run that is in the store already changes nothing. Runs can come in any order, and several tasks can write at once. All containers of
    a place are taken together or not at all; a run of which places are missing is half there, and the same task again takes the rest.
  - Only documents whose SHA-256 is that of the run's summary are taken.
  - The store needs more Python packages than a scan; C(requirements-store.txt) of the collection has them.
options:
  state:
    description:
      - V(present) makes a store where there is none, and takes the runs of O(run_dirs) into it.
      - V(migrated) lifts an older store to the schema of this version of the collection. Make a backup before.
      - V(backed_up) copies the store into the file O(path), which must not be there. The copy is a store in SQLite, whatever the original is.
      - V(restored) copies such a file into an empty place, a file or a database. So a store also goes from SQLite to PostgreSQL.
      - V(pruned) forgets what ended before O(keep_days). What is open stays, however old it is.
    type: str
    choices: [present, migrated, backed_up, restored, pruned]
    default: present
  run_dirs:
    description: Folders of runs or of fleet runs. The runs of a fleet run are taken as well. For O(state=present).
    type: list
    elements: path
    default: []
  evidence:
    description:
      - Which HDF documents of the runs are kept, so that they can be written out again to the byte.
      - V(failed) keeps those of places with a failed control or an error, V(latest) those of the newest run of each place.
    type: str
    choices: [all, failed, latest, none]
    default: all
  deadlines:
    description:
      - A policy of deadlines (path on the controller), or its content. The store keeps it, and its answers and views say what is overdue by
        it. Without this option the store's policy stays. For O(state=present).
    type: raw
  team_roles:
    description:
      - Roles of a PostgreSQL server, each with the team whose places it reads. It sees these and nothing else, by tables and views alike.
      - A role that does not exist is made, without the right to log in; grant it to logins. A role that is not among them any more sees
        nothing. For O(state=present), with PostgreSQL 15 or newer.
    type: dict
  path:
    description: The file of the backup, for O(state=backed_up) and O(state=restored).
    type: path
  keep_days:
    description: O(state=pruned) forgets what ended more days ago, from 1 to 36500. Older runs are not taken any more.
    type: int
  keep_documents_days:
    description:
      - The same for HDF documents alone, from 1 to 36500 and at most O(keep_days), which it is by default. The newest document of each
        place stays.
    type: int
attributes:
  check_mode:
    support: full
    details: Says what would be taken, migrated, copied or forgotten, and changes nothing.
  diff_mode:
    support: none
    details: The content of a store is too long for a diff.
  idempotent:
    support: full
    details: A backup needs a new file each time.
seealso:
  - module: securescan.kubernetes.scan_store_info
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.store
  - securescan.kubernetes.trust
"""

EXAMPLES = r"""
- name: Take last night's run into a file
  securescan.kubernetes.scan_store:
    store: /var/lib/scans/store.db
    run_dirs: ["{{ scan.run_dir }}"]
    deadlines: deadlines.yml

- name: Take a fleet run into the store of a team
  securescan.kubernetes.scan_store:
    store: postgresql://scanner@db.example.com/findings?sslmode=verify-full
    password: "{{ vault_store_password }}"
    run_dirs: [/var/lib/scans/_fleet/latest]
    team_roles: {shop_reader: shop, billing_reader: billing}

- name: Back the store up before an upgrade
  securescan.kubernetes.scan_store:
    store: /var/lib/scans/store.db
    state: backed_up
    path: /var/backups/scans-{{ ansible_date_time.date }}.db

- name: Forget what is older than two years, and documents after 90 days
  securescan.kubernetes.scan_store:
    store: /var/lib/scans/store.db
    state: pruned
    keep_days: 730
    keep_documents_days: 90
"""

RETURN = r"""
store:
  description: The store's address, without a password.
  returned: success
  type: str
  sample: postgresql://scanner@db.example.com:5432/findings
schema_version:
  description: The version of the store's schema before and after; 0 where there was no store.
  returned: O(state=present) and O(state=migrated)
  type: dict
  sample: {before: 0, after: 1}
runs:
  description:
    - The first 50 runs that were named. C(state) is C(whole) or C(half), C(places) the number of places that are new, C(known) that of
      those that were there.
  returned: O(state=present)
  type: list
  elements: dict
  sample: [{cluster: prod-eu, run_id: 20261123t130000-1f9a2c, state: whole, places: 412, known: 0, changed: true}]
run_count:
  description: Number of runs that were named.
  returned: O(state=present)
  type: int
  sample: 1
path:
  description: The file of the backup.
  returned: O(state=backed_up) and O(state=restored)
  type: str
  sample: /var/backups/scans.db
rows:
  description: Number of rows that were copied.
  returned: O(state=backed_up) and O(state=restored)
  type: int
  sample: 183221
removed:
  description: Number of rows that were removed (in check mode would be), by table.
  returned: O(state=pruned)
  type: dict
  sample: {scans: 12000, findings: 310}
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-832, reason: store_locked, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.store import scan_store_spec
from ..module_utils.tasks.store import run_scan_store


def main() -> None:
    run_as_module(scan_store_spec(), run_scan_store)


if __name__ == "__main__":
    main()
