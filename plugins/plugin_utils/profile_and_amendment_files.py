# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task judges by, read on the controller, with the shipped profiles compiled before that."""

from __future__ import annotations

from ..module_utils.tasks.judging_input import (
    compiled_profiles,
    found_profiles,
    read_amendment_files,
    read_judging_input,
    read_ownership_files,
    read_teams_file,
    read_threshold_file,
)
from ..module_utils.tasks.profile import compile_shipped_profiles

__all__ = [
    "compiled_profiles",
    "found_profiles",
    "read_amendment_files",
    "read_judging_input",
    "read_ownership_files",
    "read_teams_file",
    "read_threshold_file",
]

# Ansible loads action plugins before it forks a worker for each host.
compile_shipped_profiles()
