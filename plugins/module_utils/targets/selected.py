# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target together with what selection saw of it."""

from __future__ import annotations

from dataclasses import dataclass

from .identity import Target
from .pod import PodSnapshot


@dataclass(frozen=True)
class SelectedTarget:
    """A target and the pod it was seen in. `replicas` is the number of containers it stands for, itself included:
    more than 1 only where a selection takes one of those that are alike."""

    target: Target
    pod: PodSnapshot
    operating_system: str = "linux"
    replicas: int = 1
