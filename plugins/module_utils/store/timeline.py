# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of the findings of one place: what changes when a scan sees it in a state.

What was not seen closes nothing: a control whose profile judged nothing stays as it was; what is open stays open where the
control could not be reviewed, and where some containers of the place were not scanned and none of the others fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .state import LASTING_STATUSES, OPEN_STATUSES, SeenControl, StoredState

OPENED, CHANGED, REOPENED = "opened", "changed", "reopened"
# What becomes of a control that its profile no longer has.
ABSENT = "absent"


@dataclass
class FindingRow:
    """A row of `findings`, without its place. `is_new`: the store does not have it yet."""

    control_id: int
    since: int
    status: str
    severity: str
    waived: bool
    opened: int | None
    began: str
    containers: int
    said: str
    until: int | None = None
    became: str | None = None
    is_new: bool = True

    @property
    def is_open(self) -> bool:
        return self.opened is not None


@dataclass
class StateRow:
    """A row of `place_states`, without its place."""

    since: int
    state_id: int
    until: int | None = None
    is_new: bool = True


@dataclass
class Timeline:
    """What lasts of a place, and what has been changed of it. `opened_before`: controls that were open once and no longer are."""

    state: StateRow | None = None
    lasting: dict[int, FindingRow] = field(default_factory=dict)
    opened_before: set[int] = field(default_factory=set)
    states: list[StateRow] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    state_before: StateRow | None = None  # the one of the store that was ended

    def see(self, at: int, state_id: int, state: StoredState, profiles: Mapping[int, str]) -> None:
        """A scan at that time, which is later than all before.

        :param profiles: the name of each control's profile
        """
        if self.state is not None and self.state.state_id == state_id:
            return
        if self.state is not None:
            self.state.until = at
            if not self.state.is_new:
                self.state_before = self.state
        self.state = StateRow(at, state_id)
        self.states.append(self.state)
        for row in list(self.lasting.values()):
            if state.is_partial and row.is_open:
                continue
            if row.control_id in state.passed:
                self._end(row, at, "passed")
            elif row.control_id not in state.others and profiles[row.control_id] in state.judged:
                self._end(row, at, ABSENT)
        for control_id, seen in state.others.items():
            self._take(at, control_id, seen, state.is_partial)

    def _take(self, at: int, control_id: int, seen: SeenControl, is_partial: bool) -> None:
        before = self.lasting.get(control_id)
        if before and (before.status, before.severity, before.waived) == (
            seen.status,
            seen.severity,
            seen.waived,
        ):
            return
        was_open = before is not None and before.is_open
        if is_partial and was_open and seen.status not in OPEN_STATUSES:
            return
        is_open = seen.status in (LASTING_STATUSES if was_open else OPEN_STATUSES)
        opened, began = (at, OPENED) if is_open else (None, "")
        if before is not None and was_open and is_open:
            opened, began = before.opened, CHANGED
        elif is_open and control_id in self.opened_before:
            began = REOPENED
        if before is not None:
            self._end(before, at, seen.status, lasts=is_open)
        row = FindingRow(
            control_id, at, seen.status, seen.severity, seen.waived, opened, began, seen.containers, seen.said
        )
        self.lasting[control_id] = row
        self.findings.append(row)

    def _end(self, row: FindingRow, at: int, became: str, lasts: bool = False) -> None:
        """:param lasts: whether it stays open all the same"""
        row.until, row.became = at, became
        if not row.is_new:
            self.findings.append(row)
        if row.is_open and not lasts:
            self.opened_before.add(row.control_id)
        del self.lasting[row.control_id]
