# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the reports of a fleet run name clusters, states and reasons: the same words in each, and the order of clusters.

The texts hold what inventories and clusters said: each report escapes them for its own format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..results.cluster_entry import STATES, ClusterEntry
from ..results.fleet_comparison import FIXED, NEW, REOPENED, FleetComparison
from ..results.fleet_gate import COVERAGE, GATE, KINDS, NO_RUN, FleetGate
from ..results.fleet_run import FleetRun
from ..results.status import NOT_JUDGED, NOT_SCANNED, SEVERITIES
from ..text_layout import number_of
from ..times import shown_time

SHOWN_GATE: dict[str, str] = {
    "passed": "passed",
    "failed": "FAILED",
    NOT_SCANNED: "NOT SCANNED",
    NOT_JUDGED: "NOT JUDGED",
    "": "-",
}
_KIND_WORDS: dict[str, tuple[str, str]] = {
    GATE: ("cluster failed its gate", "clusters failed their gates"),
    COVERAGE: (
        "cluster was not scanned or judged as far as asked",
        "clusters were not scanned or judged as far as asked",
    ),
    NO_RUN: ("cluster has no results", "clusters have no results"),
}


def shown_state(state: str) -> str:
    return state.replace("_", " ")


def is_fine(entry: ClusterEntry) -> bool:
    """Whether nobody has to do anything about it."""
    return entry.passed and entry.is_whole


def by_urgency(entries: Sequence[ClusterEntry]) -> list[ClusterEntry]:
    """What was not scanned, or not in its time, first, then what failed by its worst failure, then the others, by name."""
    return sorted(entries, key=_urgency)


def _urgency(entry: ClusterEntry) -> tuple[int, int, str]:
    if not entry.is_whole or entry.state == NOT_SCANNED:
        return 0, STATES.index(entry.state), entry.cluster
    worst = SEVERITIES.index(entry.worst_failed) if entry.worst_failed else len(SEVERITIES)
    return (2 if is_fine(entry) else 1), worst, entry.cluster


def verdict_line(fleet_run: FleetRun) -> str:
    """For example: FAILED by gate, unreachable: 2 clusters failed their gates; 1 cluster has no results"""
    gate = fleet_run.gate
    if gate is None:
        return "NOT FINISHED"
    word = "PASSED" if gate.passed else f"FAILED by {', '.join(gate.failed_by)}"
    told = "; ".join(_kind_lines(gate))
    return f"{word}: {told}" if told else word


def _kind_lines(gate: FleetGate) -> Iterator[str]:
    for kind in KINDS:
        number = len({reason.cluster for reason in gate.reasons if reason.kind == kind})
        if number:
            yield f"{number} {_KIND_WORDS[kind][number != 1]}"


def counted_line(fleet_run: FleetRun) -> str:
    """How many clusters were expected, scanned, and passed."""
    entries = fleet_run.clusters
    scanned = sum(entry.is_scanned for entry in entries)
    passed = sum(entry.passed for entry in entries)
    return f"{scanned} of {number_of(len(entries), 'cluster')} scanned, {passed} passed"


def changes_line(comparison: FleetComparison) -> str:
    """For example: 3 new failures, 2 fixed, 1 reopened"""
    counts = comparison.counts
    return f"{number_of(counts[NEW], 'new failure')}, {counts[FIXED]} fixed, {counts[REOPENED]} reopened"


def why_no_results(entry: ClusterEntry) -> str:
    """The error, or what its state means."""
    if entry.error:
        return f"{entry.error.message} ({entry.error.code} {entry.error.reason})"
    return "its turn did not come before the deadline, or before the process ended"


def oldest_line(fleet_run: FleetRun) -> str:
    """When the oldest result was collected; empty where nothing was scanned."""
    seen = [shown_time(entry.oldest_seen) for entry in fleet_run.clusters if entry.oldest_seen]
    return f"The oldest result is of {min(seen)}" if seen else ""
