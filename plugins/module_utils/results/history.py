# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of the clusters: the points of a trend, the lives of findings. Who keeps it is somebody else's matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class TrendPoint:
    """The counts of one cluster at one moment, `at` in RFC 3339. `cluster` is empty for a sum over the fleet.

    `expected`, `scanned` and `judged` are numbers of targets. `controls` is a number of controls by status, `open_findings` one
    by severity, over places. `overdue` is a number of findings.
    """

    at: str
    cluster: str
    expected: int
    scanned: int
    judged: int
    controls: Mapping[str, int]
    open_findings: Mapping[str, int]
    overdue: int = 0

    @property
    def compliance(self) -> float | None:
        """Passed controls as a percentage of all but those that are not applicable; None where nothing applies."""
        asked = sum(number for status, number in self.controls.items() if status != "not_applicable")
        return 100 * self.controls.get("passed", 0) / asked if asked else None


@dataclass(frozen=True)
class FindingLife:
    """One control on one place, and when its status changed.

    `place_id` is cluster/namespace/workload_kind/workload/container. `changes` are (RFC 3339, status) with the oldest first; a
    status is one of HDF's (`passed`, `failed`, `not_reviewed`, ...). `opened` is when it began to fail without a break, `closed`
    when it ended to, empty where it has not. `due` is the time by which a policy wants it fixed, empty without one.
    """

    place_id: str
    profile: str
    control_id: str
    severity: str
    opened: str
    closed: str = ""
    due: str = ""
    overdue: bool = False
    reopened: int = 0
    changes: tuple[tuple[str, str], ...] = ()


class History(Protocol):
    """What a store remembers of the clusters that a page shows."""

    def trend(self, clusters: Iterable[str]) -> Iterable[TrendPoint]:
        """Points of these clusters, and those of the fleet (with an empty cluster), in the order of time."""

    def lives(self, clusters: Iterable[str]) -> Iterable[FindingLife]:
        """What is open on places of these clusters, and what was closed since `since`."""

    @property
    def since(self) -> str:
        """The time (RFC 3339) since which something counts as new or as fixed; empty where it is not known."""
