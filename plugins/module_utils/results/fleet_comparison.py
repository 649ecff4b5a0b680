# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between a fleet run and the ones before it, by place and control; and which clusters came and went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .checked_json import JsonObject, JsonRecord
from .decision import FailedControl

NEW = "new"
FIXED = "fixed"
REOPENED = "reopened"
CHANGES: tuple[str, ...] = (NEW, FIXED, REOPENED)


@dataclass(frozen=True)
class FleetComparison(JsonRecord):
    """`previous` is the id of the fleet run that was compared with. `counts` are the numbers of `new`, `fixed` and `reopened`,
    which are lists of the first of them, in their order. What is reopened failed, then did not, and fails again; it is not among
    the new ones. `came` and `went` are names of clusters."""

    previous: str
    counts: Mapping[str, int]
    new: tuple[FailedControl, ...]
    fixed: tuple[FailedControl, ...]
    reopened: tuple[FailedControl, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]

    @classmethod
    def from_json(cls, given: JsonObject) -> FleetComparison:
        counts = given.object("counts")
        comparison = cls(
            previous=given.text("previous"),
            counts={change: counts.whole_number(change) for change in CHANGES},
            new=_failed(given, NEW),
            fixed=_failed(given, FIXED),
            reopened=_failed(given, REOPENED),
            came=given.texts("came"),
            went=given.texts("went"),
        )
        if any(len(comparison.of(change)) > comparison.counts[change] for change in CHANGES):
            raise given.bad(f"{given.place}: its lists are longer than their numbers")
        return comparison

    def of(self, change: str) -> tuple[FailedControl, ...]:
        """The list of one of CHANGES."""
        listed: tuple[FailedControl, ...] = getattr(self, change)
        return listed


def _failed(given: JsonObject, name: str) -> tuple[FailedControl, ...]:
    return tuple(FailedControl.from_json(one) for one in given.objects(name))
