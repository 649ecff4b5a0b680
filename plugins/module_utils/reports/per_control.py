# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a format makes of the texts of a control, which are the same on every target: made once, and kept."""

from __future__ import annotations

from typing import Callable, Generic, TypeVar

from ..results.verdicts import ControlText

Made = TypeVar("Made")


class PerControl(Generic[Made]):
    """Calls `make` for each control once."""

    def __init__(self, make: Callable[[ControlText], Made]) -> None:
        self._make = make
        self._made: dict[int, tuple[ControlText, Made]] = {}

    def of(self, about: ControlText) -> Made:
        """By identity: the reader of verdicts gives the same object for the same control."""
        kept = self._made.get(id(about))
        if kept is None:
            kept = self._made[id(about)] = (about, self._make(about))
        return kept[1]
