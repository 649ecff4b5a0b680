# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a judged control as the readers of HDF compute it."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_control
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import ControlResult
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    STATUS_WORDS,
    control_status,
)


def status_of(control: ControlResult) -> str:
    """One of the values of STATUS_WORDS, for example "Passed"."""
    return STATUS_WORDS[control_status(hdf_control(control))]
