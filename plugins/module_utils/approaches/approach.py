# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every approach offers: the facts of one target, or the reason why there are none."""

from __future__ import annotations

from typing import Protocol

from ..collector.facts import Facts
from ..collector.request import CollectionRequest
from ..targets.selection import SelectedTarget


class Approach(Protocol):
    """`name` is the approach's word in options and results."""

    name: str

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Facts:
        """The facts of one target; ScanError where it could not be reached or its reply is not whole."""
        ...
