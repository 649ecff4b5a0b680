# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a fleet run is good enough, and every reason against it.

Each reason is of one of three kinds, which are also the words of `fail_on`; a fourth word, never, stands for none of them:

    gate          a cluster's gate found something that its threshold does not allow, or none decided on its run
    coverage      of a cluster fewer containers were scanned or judged than its threshold asks for, or its time ended; or no
                  cluster was expected at all
    unreachable   a cluster has no run: it did not answer, refused, broke, or its turn did not come
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from .checked_json import JsonObject, JsonRecord
from .cluster_entry import GATE_PASSED, STATE_WORDS, ClusterEntry
from .decision import Decision
from .status import NOT_JUDGED, NOT_SCANNED

GATE = "gate"
COVERAGE = "coverage"
NO_RUN = "unreachable"
NEVER = "never"
KINDS: tuple[str, ...] = (GATE, COVERAGE, NO_RUN)
FAIL_ON_WORDS: tuple[str, ...] = (*KINDS, NEVER)

_WHY_COVERAGE = {
    NOT_SCANNED: "fewer containers were scanned than its threshold asks for",
    NOT_JUDGED: "fewer containers were judged than its threshold asks for",
}
_WHY_COVERAGE_TOO = "besides, fewer containers were scanned or judged than its threshold asks for"


@dataclass(frozen=True)
class FleetReason(JsonRecord):
    """Why a fleet is not good enough; `cluster` is empty where it is about the fleet as a whole."""

    cluster: str
    kind: str
    text: str

    @classmethod
    def from_json(cls, given: JsonObject) -> FleetReason:
        return cls(given.text("cluster"), given.one_of("kind", KINDS), given.text("text"))


@dataclass(frozen=True)
class FleetGate(JsonRecord):
    """The decision on a fleet run. `failed_by` are the kinds of `fail_on` that there is a reason of, in the order of KINDS;
    it passed without one. `reasons` are all, also those of kinds that were not asked for."""

    passed: bool
    failed_by: tuple[str, ...]
    reasons: tuple[FleetReason, ...]

    @classmethod
    def from_json(cls, given: JsonObject) -> FleetGate:
        gate = cls(
            given.truth("passed"),
            given.texts("failed_by"),
            tuple(FleetReason.from_json(reason) for reason in given.objects("reasons")),
        )
        if gate.passed == bool(gate.failed_by) or not {reason.kind for reason in gate.reasons}.issuperset(
            gate.failed_by
        ):
            raise given.bad(f"{given.place}: passed, failed_by and reasons do not fit together")
        return gate

    @property
    def numbers(self) -> dict[str, int]:
        """{kind: number of reasons}, of all KINDS."""
        return {kind: sum(reason.kind == kind for reason in self.reasons) for kind in KINDS}


def lacks_coverage(gate: Decision) -> bool:
    """Whether the gate of a cluster's run asks for more containers that were scanned or judged, whatever else it found."""
    return bool(gate.reason_counts[NOT_SCANNED] or gate.reason_counts[NOT_JUDGED])


def decide_fleet(
    entries: Sequence[ClusterEntry], fail_on: Iterable[str], uncovered: Container[str] = ()
) -> FleetGate:
    """:param fail_on: words of FAIL_ON_WORDS
    :param uncovered: names of clusters whose gates lack coverage; an entry has only the first kind of its gate's reasons
    """
    reasons = [reason for entry in entries for reason in _reasons(entry, entry.cluster in uncovered)]
    if not entries:
        reasons.append(FleetReason("", COVERAGE, "no cluster was expected"))
    kinds = {reason.kind for reason in reasons}
    asked = set(fail_on)
    failed_by = tuple(kind for kind in KINDS if kind in kinds and kind in asked)
    return FleetGate(not failed_by, failed_by, tuple(reasons))


def _reasons(entry: ClusterEntry, is_uncovered: bool) -> Iterable[FleetReason]:
    why = STATE_WORDS[entry.state] + (f" ({entry.error.code} {entry.error.reason})" if entry.error else "")
    if not entry.has_run:
        yield FleetReason(entry.cluster, NO_RUN, why)
        return
    if entry.gate != GATE_PASSED and entry.gate not in _WHY_COVERAGE:
        yield FleetReason(
            entry.cluster,
            GATE,
            f"its gate failed{_worst(entry)}" if entry.gate else "no gate decided on its run",
        )
    if not entry.is_whole:
        yield FleetReason(entry.cluster, COVERAGE, why)
    elif entry.gate in _WHY_COVERAGE:
        yield FleetReason(entry.cluster, COVERAGE, _WHY_COVERAGE[entry.gate])
    elif is_uncovered:
        yield FleetReason(entry.cluster, COVERAGE, _WHY_COVERAGE_TOO)


def _worst(entry: ClusterEntry) -> str:
    return f"; its worst failed control is {entry.worst_failed}" if entry.worst_failed else ""
