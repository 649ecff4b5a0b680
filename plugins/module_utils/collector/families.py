# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of facts by name. FAMILIES is in the order in which the script works."""

from __future__ import annotations

from .accounts import GROUP, PASSWD, SHADOW
from .commands import COMMAND
from .contents import CONTENT, SHA256
from .environment import ENVIRONMENT, ENVIRONMENT_VALUE, PROCESS_STATUS
from .family import Family
from .file_status import FILE
from .kernel_parameters import SYSCTL
from .language_packages import PYTHON_PACKAGES
from .listings import LISTING
from .mounts import MOUNTS
from .operating_system import OS
from .packages import PACKAGES
from .processes import PROCESSES
from .readable import READABLE
from .sockets import SOCKETS
from .walks import WALK

# Quick kinds first: where the time runs out, the long ones are what is missing.
FAMILIES: dict[str, Family] = {
    "os": OS,
    "file": FILE,
    "readable": READABLE,
    "sysctl": SYSCTL,
    "passwd": PASSWD,
    "shadow": SHADOW,
    "group": GROUP,
    "process_status": PROCESS_STATUS,
    "environment": ENVIRONMENT,
    "environment_value": ENVIRONMENT_VALUE,
    "mounts": MOUNTS,
    "sockets": SOCKETS,
    "processes": PROCESSES,
    "content": CONTENT,
    "sha256": SHA256,
    "python_packages": PYTHON_PACKAGES,
    "packages": PACKAGES,
    "walk": WALK,
    "listing": LISTING,
    "command": COMMAND,
}

# What can be asked for: also what is asked of the target's image alone, by the rules of the kind that it
# belongs to.
KINDS: dict[str, Family] = {
    **FAMILIES,
    **{family.image_kind: family for family in FAMILIES.values() if family.image_kind},
}
