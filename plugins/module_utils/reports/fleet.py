# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of many clusters together: one line for each, those that need somebody first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, SEVERITIES
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of
from .wording import worst_evidence

_HEADS = (
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
_LEFT = frozenset({"HOST", "CLUSTER", "GATE", "WORST", "EVIDENCE"})
_WIDEST_LABEL = 40
_WIDEST_ERROR = 300
# So many clusters whose gate passed are listed; of the others all are.
_MOST_PASSED = 50


@dataclass(frozen=True)
class ClusterRun:
    """What became of one host of a play: a run, or the error that kept it from having one. `passed` is what the gate
    said, None where none decided."""

    host: str
    run: Run | None = None
    error: str = ""
    passed: bool | None = None


def render_fleet(runs: Sequence[ClusterRun]) -> str:
    """A table of plain text with a line feed at its end; empty where nothing was scanned."""
    if not runs:
        return ""
    ordered = sorted(runs, key=_urgency)
    passed = [one for one in ordered if one.run and one.passed]
    listed = [one for one in ordered if not (one.run and one.passed)] + passed[:_MOST_PASSED]
    rows = [_HEADS, *(_row(one, one.run) for one in listed if one.run), _total(ordered)]
    widths = [max(columns(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(len(lines) - 1, "-" * len(lines[0]))
    if len(passed) > _MOST_PASSED:
        lines.append(f"{number_of(len(passed) - _MOST_PASSED, 'more cluster')} passed")
    lines += [
        f"{one_line(one.host, _WIDEST_LABEL)}: not scanned: {one_line(one.error, _WIDEST_ERROR)}"
        for one in listed
        if not one.run
    ]
    return "\n".join(lines) + "\n"


def _urgency(one: ClusterRun) -> tuple[int, int, str]:
    """Clusters without a run first, then those that failed by their worst failure, then the others, by name."""
    if one.run is None:
        return 0, 0, one.host
    failed = one.run.failed_controls
    worst = SEVERITIES.index(failed[0].severity) if failed else len(SEVERITIES)
    return (2 if one.passed else 1), worst, one.host


def _row(one: ClusterRun, run: Run) -> tuple[str, ...]:
    counts, controls, failed = run.target_counts, run.controls, run.failed_controls
    gate = "-" if one.passed is None else "passed" if one.passed else "FAILED"
    return (
        one_line(one.host, _WIDEST_LABEL),
        one_line(run.cluster, _WIDEST_LABEL),
        gate,
        f"{counts.scanned}/{counts.selected}",
        f"{counts.scanned - counts.not_judged}/{counts.selected}",
        *(str(controls.of(status)) for status in _STATUSES),
        str(controls.compliance),
        failed[0].severity if failed else "-",
        worst_evidence(run) or "-",
        f"{run.duration:.1f}",
    )


def _total(all_runs: Sequence[ClusterRun]) -> tuple[str, ...]:
    runs = [one.run for one in all_runs if one.run is not None]
    scanned = sum(run.target_counts.scanned for run in runs)
    judged = scanned - sum(run.target_counts.not_judged for run in runs)
    selected = sum(run.target_counts.selected for run in runs)
    passed = sum(one.passed is True for one in all_runs)
    return (
        f"{len(runs)} of {len(all_runs)}",
        "clusters scanned",
        f"{passed} passed",
        f"{scanned}/{selected}",
        f"{judged}/{selected}",
        *(str(sum(run.controls.of(status) for run in runs)) for status in _STATUSES),
        "",
        "",
        "",
        "",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        fit(cell, width) if head in _LEFT else cell.rjust(width)
        for cell, width, head in zip(row, widths, _HEADS)
    ]
    return "  ".join(cells).rstrip()
