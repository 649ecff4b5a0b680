# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's options are made of, and the error for a value that cannot be used.

Each file of this room holds a group of options: the argument specification, said once and composed by the
modules that have it, and the frozen class that the engine works with. `from_params` of that class takes what
Ansible has validated against the specification. It is called at a task's start; nothing below a task sees the
parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ScanError

# Ansible's argument_spec: by option, its type, default, choices and so on.
Spec = dict[str, dict[str, Any]]
# What Ansible's validation returns: a value for every option of the specification.
Params = Mapping[str, Any]


def bad_option(option: str, why: str, advice: str = "") -> ScanError:
    """The error for a value of that option that cannot be used."""
    return ScanError("bad_option", why, tried=f"reading the option {option}", advice=advice)
