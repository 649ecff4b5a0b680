# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local connection under another name, so that tests can show what happens where a play's tasks run elsewhere."""

from __future__ import annotations

DOCUMENTATION = """
name: bastion
short_description: The local connection under another name
description: For tests only.
author: securescan.kubernetes contributors
"""

from ansible.plugins.connection.local import Connection as LocalConnection


class Connection(LocalConnection):
    transport = "bastion"
