# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of many clusters together: one line for each, those that need somebody first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..results.checked_json import JsonObject, JsonRecord
from ..results.run import Run
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_JUDGED,
    NOT_REVIEWED,
    NOT_SCANNED,
    PASSED,
    PROFILE_ERROR,
    SEVERITIES,
)
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of
from .wording import causes, worst_evidence

HEADS = (
    "HOST",
    "CLUSTER",
    "GATE",
    "SCANNED",
    "JUDGED",
    "P",
    "F",
    "NR",
    "NA",
    "PE",
    "%",
    "WORST",
    "EVIDENCE",
    "SECONDS",
)
_STATUSES = (PASSED, FAILED, NOT_REVIEWED, NOT_APPLICABLE, PROFILE_ERROR)
_GATE_PASSED, _GATE_FAILED = "passed", "failed"
_GATE_WORDS = {
    _GATE_PASSED: "passed",
    _GATE_FAILED: "FAILED",
    NOT_SCANNED: "NOT SCANNED",
    NOT_JUDGED: "NOT JUDGED",
    "": "-",
}
_LEFT = frozenset({"HOST", "CLUSTER", "GATE", "WORST", "EVIDENCE"})
_WIDEST_LABEL = 40
_WIDEST_ERROR = 300
_MOST_PASSED = 50


@dataclass(frozen=True)
class ClusterRun:
    """What became of one host of a play: a run, or the error that kept it from having one.

    `passed` is what the gate said, None where none decided. `reason` is the reason of the error with which the scan or the
    gate ended, empty without one. `is_planned`: nothing was to be scanned, as in check mode.
    `requests` is the number of requests to the API server by who made them, `left` what the run has left in the cluster, by kind.
    """

    host: str
    run: Run | None = None
    error: str = ""
    passed: bool | None = None
    reason: str = ""
    is_planned: bool = False
    requests: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_scanned(self) -> bool:
        """Whether a container of it was scanned, or none was to be."""
        counts = self.run.target_counts if self.run else None
        return counts is not None and (counts.scanned > 0 or counts.selected == 0)


@dataclass(frozen=True)
class ClusterRow(JsonRecord):
    """A host's line: `ClusterRun` in plain values. Without a run all of it is empty, and `targets` and `controls` are 0.

    `seen` is when its play ended, `started` and `finished` are those of the run (RFC 3339), `duration` is in seconds. `gate` is
    passed, failed, not_scanned, not_judged, or empty where none decided. `targets` is {selected, scanned, judged}, `controls`
    a number by status, `compliance` a percentage or null.
    """

    host: str
    cluster: str
    cluster_uid: str | None
    seen: str
    scanned: bool
    gate: str
    reason: str
    error: str
    run_id: str
    run_dir: str
    started: str
    finished: str
    duration: float
    targets: Mapping[str, int]
    controls: Mapping[str, int]
    compliance: int | None
    worst_failed: str
    evidence: str

    @classmethod
    def of(cls, one: ClusterRun, seen: str = "") -> ClusterRow:
        run = one.run
        if run is None:
            nothing = dict.fromkeys(("selected", "scanned", "judged"), 0)
            none = dict.fromkeys(_STATUSES, 0)
            head = (one.host, "", None, seen, False, "", one.reason, one.error)
            return cls(*head, "", "", "", "", 0.0, nothing, none, None, "", "")
        counts, failed = run.target_counts, run.failed_controls
        return cls(
            host=one.host,
            cluster=run.cluster,
            cluster_uid=run.cluster_uid,
            seen=seen,
            scanned=one.is_scanned,
            gate=_gate(one),
            reason=one.reason,
            error=one.error or ("" if one.is_scanned else _why_nothing(run)),
            run_id=run.run_id,
            run_dir=run.folder,
            started=run.started,
            finished=run.finished,
            duration=run.duration,
            targets={
                "selected": counts.selected,
                "scanned": counts.scanned,
                "judged": counts.scanned - counts.not_judged,
            },
            controls={status: run.controls.of(status) for status in _STATUSES},
            compliance=run.controls.compliance,
            worst_failed=failed[0].severity if failed else "",
            evidence=worst_evidence(run),
        )

    @classmethod
    def from_json(cls, given: JsonObject) -> ClusterRow:
        """:raises ScanError: bad_results, where it is no such row"""
        compliance = given.values.get("compliance")
        texts = (
            "host",
            "cluster",
            "seen",
            "reason",
            "error",
            "run_id",
            "run_dir",
            "started",
            "finished",
            "evidence",
        )
        targets, controls = given.object("targets"), given.object("controls")
        return cls(
            cluster_uid=given.text_or_none("cluster_uid"),
            scanned=given.truth("scanned"),
            gate=given.one_of("gate", tuple(_GATE_WORDS)),
            duration=given.number("duration"),
            targets={name: targets.whole_number(name) for name in ("selected", "scanned", "judged")},
            controls={status: controls.whole_number(status) for status in _STATUSES},
            compliance=None if compliance is None else given.whole_number("compliance"),
            worst_failed=given.one_of("worst_failed", (*SEVERITIES, "")),
            **{name: given.text(name) for name in texts},
        )

    @property
    def passed(self) -> bool:
        return self.gate == _GATE_PASSED

    @property
    def urgency(self) -> tuple[int, int, str]:
        """What was not scanned first, then what failed by its worst failure, then the others, by name."""
        if not self.scanned:
            return 0, bool(self.run_id), self.host
        worst = SEVERITIES.index(self.worst_failed) if self.worst_failed else len(SEVERITIES)
        return (2 if self.passed else 1), worst, self.host

    def cells(self) -> tuple[str, ...]:
        """One text for each of HEADS."""
        selected = self.targets["selected"]
        return (
            one_line(self.host, _WIDEST_LABEL),
            one_line(self.cluster, _WIDEST_LABEL),
            _GATE_WORDS[self.gate],
            f"{self.targets['scanned']}/{selected}",
            f"{self.targets['judged']}/{selected}",
            *(str(self.controls[status]) for status in _STATUSES),
            "-" if self.compliance is None else str(self.compliance),
            self.worst_failed or "-",
            self.evidence or "-",
            f"{self.duration:.1f}",
        )

    def not_scanned_line(self) -> str:
        """Why a host has no run, or none of its containers was scanned."""
        why = self.error or self.reason
        return f"{one_line(self.host, _WIDEST_LABEL)}: not scanned: {one_line(why, _WIDEST_ERROR)}"


def _why_nothing(run: Run) -> str:
    """Why none of its containers was scanned: how many there are, and the most frequent cause."""
    said = f"none of {number_of(run.target_counts.selected, 'container')} could be scanned"
    found = [(error, len(targets)) for error, targets in causes(run)]
    if not found:
        return said
    error, number = max(found, key=lambda one: one[1])
    return f"{said}; the cause of {number}: {error.code} {error.reason}: {error.message}"


def _gate(one: ClusterRun) -> str:
    if one.passed is None:
        return ""
    if one.passed:
        return _GATE_PASSED
    if one.reason in (NOT_SCANNED, NOT_JUDGED):
        return one.reason
    return _GATE_FAILED if one.is_scanned else NOT_SCANNED


def render_fleet(runs: Sequence[ClusterRun]) -> str:
    """A table of plain text with a line feed at its end; empty where nothing was scanned."""
    if not runs:
        return ""
    ordered = sorted(map(ClusterRow.of, runs), key=lambda row: row.urgency)
    passed = [row for row in ordered if row.run_id and row.passed]
    listed = [row for row in ordered if not (row.run_id and row.passed)] + passed[:_MOST_PASSED]
    rows = [HEADS, *(row.cells() for row in listed if row.run_id), total_cells(ordered)]
    widths = [max(columns(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(len(lines) - 1, "-" * len(lines[0]))
    if len(passed) > _MOST_PASSED:
        more = number_of(len(passed) - _MOST_PASSED, "more cluster")
        lines.append(f"{more} passed; the file of the option table_path lists all")
    lines += [row.not_scanned_line() for row in listed if not row.scanned]
    return "\n".join(lines) + "\n"


def total_cells(rows: Sequence[ClusterRow]) -> tuple[str, ...]:
    """The last line of a table: one text for each of HEADS."""
    totals = fleet_totals(rows)
    selected = totals["selected"]
    return (
        f"{totals['scanned_clusters']} of {totals['clusters']}",
        "clusters scanned",
        f"{totals['passed_clusters']} passed",
        f"{totals['scanned']}/{selected}",
        f"{totals['judged']}/{selected}",
        *(str(totals[status]) for status in _STATUSES),
        "",
        "",
        "",
        "",
    )


def fleet_totals(rows: Sequence[ClusterRow]) -> dict[str, int]:
    """clusters, scanned_clusters, passed_clusters; selected, scanned and judged containers; controls by status."""
    return {
        "clusters": len(rows),
        "scanned_clusters": sum(row.scanned for row in rows),
        "passed_clusters": sum(row.passed for row in rows),
        **{name: sum(row.targets[name] for row in rows) for name in ("selected", "scanned", "judged")},
        **{status: sum(row.controls[status] for row in rows) for status in _STATUSES},
    }


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        fit(cell, width) if head in _LEFT else cell.rjust(width)
        for cell, width, head in zip(row, widths, HEADS)
    ]
    return "  ".join(cells).rstrip()
