# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of many clusters together: one line for each, those that need somebody first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR, SEVERITIES
from ..safe_text import one_line

_HEADS = ("HOST", "CLUSTER", "GATE", "SCANNED", "P", "F", "NR", "NA", "PE", "%", "WORST", "SECONDS")
_STATUSES = (PASSED, FAILED, NOT_REVIEWED, NOT_APPLICABLE, PROFILE_ERROR)
_LEFT = frozenset({"HOST", "CLUSTER", "GATE", "WORST"})
_WIDEST_LABEL = 40
_WIDEST_ERROR = 300
# So many clusters whose gate passed are listed; of the others all are.
_MOST_PASSED = 50


@dataclass(frozen=True)
class ClusterRun:
    """What became of one host of a play: a run's summary, or the error that kept it from having one. `passed` is what the
    gate said, None where none decided."""

    host: str
    summary: Mapping[str, Any] | None = None
    error: str = ""
    passed: bool | None = None


def render_fleet(runs: Sequence[ClusterRun]) -> str:
    """A table of plain text with a line feed at its end; empty where nothing was scanned."""
    if not runs:
        return ""
    ordered = sorted(runs, key=_urgency)
    passed = [run for run in ordered if run.summary and run.passed]
    listed = [run for run in ordered if not (run.summary and run.passed)] + passed[:_MOST_PASSED]
    rows = [_HEADS, *(_row(run, run.summary) for run in listed if run.summary), _total(ordered)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(len(lines) - 1, "-" * len(lines[0]))
    if len(passed) > _MOST_PASSED:
        lines.append("%d more clusters passed" % (len(passed) - _MOST_PASSED))
    lines += [
        f"{one_line(run.host, _WIDEST_LABEL)}: not scanned: {one_line(run.error, _WIDEST_ERROR)}"
        for run in listed
        if not run.summary
    ]
    return "\n".join(lines) + "\n"


def _urgency(run: ClusterRun) -> tuple[int, int, str]:
    """Clusters without a run first, then those that failed by their worst failure, then the others, by name."""
    if run.summary is None:
        return 0, 0, run.host
    failed = run.summary["failed_controls"]
    worst = SEVERITIES.index(failed[0]["severity"]) if failed else len(SEVERITIES)
    return (2 if run.passed else 1), worst, run.host


def _row(run: ClusterRun, summary: Mapping[str, Any]) -> tuple[str, ...]:
    counts, controls, failed = summary["target_counts"], summary["controls"], summary["failed_controls"]
    gate = "-" if run.passed is None else "passed" if run.passed else "FAILED"
    return (
        one_line(run.host, _WIDEST_LABEL),
        one_line(summary["cluster"], _WIDEST_LABEL),
        gate,
        "{}/{}".format(counts["scanned"], counts["selected"]),
        *(str(controls[status]["total"]) for status in _STATUSES),
        "{}".format(controls["compliance"]),
        failed[0]["severity"] if failed else "-",
        "{:.1f}".format(summary["duration"]),
    )


def _total(runs: Sequence[ClusterRun]) -> tuple[str, ...]:
    summaries: list[Mapping[str, Any]] = [run.summary for run in runs if run.summary is not None]
    scanned, selected = (
        sum(summary["target_counts"][key] for summary in summaries) for key in ("scanned", "selected")
    )
    totals: dict[str, int] = {
        status: sum(summary["controls"][status]["total"] for summary in summaries) for status in _STATUSES
    }
    passed = sum(run.passed is True for run in runs)
    return (
        f"{len(summaries)} of {len(runs)}",
        "clusters scanned",
        f"{passed} passed",
        f"{scanned}/{selected}",
        *(str(totals[status]) for status in _STATUSES),
        "",
        "",
        "",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if head in _LEFT else cell.rjust(width)
        for cell, width, head in zip(row, widths, _HEADS)
    ]
    return "  ".join(cells).rstrip()
