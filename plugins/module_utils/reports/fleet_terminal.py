# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a fleet run for a terminal: the verdict, a line for each cluster that needs somebody, why others have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..results.cluster_entry import NOT_REACHED, ClusterEntry
from ..results.fleet_run import FleetRun
from ..results.status import FAILED
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of, wrap
from .fleet_wording import (
    SHOWN_GATE,
    by_urgency,
    changes_line,
    is_fine,
    oldest_line,
    shown_state,
    verdict_line,
    why_no_results,
)

_HEADS = ("CLUSTER", "STATE", "GATE", "SCANNED", "JUDGED", "F", "%", "WORST", "SECONDS")
_LEFT = frozenset({"CLUSTER", "STATE", "GATE", "WORST"})
_WIDEST_LABEL = 40
_WIDEST_LINE = 100
_WIDEST_ERROR = 300
_MOST_PASSED = 20
_MOST_OTHERS = 100
_MOST_NAMED = 10


def render_fleet_run(fleet_run: FleetRun) -> list[str]:
    """Lines of plain text."""
    ordered = by_urgency(fleet_run.clusters)
    # one that was not reached has no cause of its own: they share a line
    unseen = [entry for entry in ordered if not entry.has_run]
    others = [entry for entry in ordered if entry.has_run and not is_fine(entry)]
    passed = [entry for entry in ordered if is_fine(entry)]
    shown = [*others[:_MOST_OTHERS], *passed[:_MOST_PASSED]]
    return [
        *wrap(f"FLEET {fleet_run.fleet_run_id}: {verdict_line(fleet_run)}", _WIDEST_LINE, rest="  "),
        *_table(shown, fleet_run.clusters),
        *_left_out(len(others) - _MOST_OTHERS, len(passed) - _MOST_PASSED),
        *_changes(fleet_run),
        *_unseen(unseen),
        *filter(None, [one_line(oldest_line(fleet_run))]),
    ]


def _table(shown: Sequence[ClusterEntry], entries: Sequence[ClusterEntry]) -> Iterator[str]:
    if not shown:
        return
    rows = [_HEADS, *map(_cells, shown), _total(entries)]
    widths = [max(columns(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = [_line(row, widths) for row in rows]
    yield from lines[:-1]
    yield "-" * max(map(columns, lines))
    yield lines[-1]


def _cells(entry: ClusterEntry) -> tuple[str, ...]:
    numbers = entry.targets
    return (
        one_line(entry.cluster, _WIDEST_LABEL),
        shown_state(entry.state),
        SHOWN_GATE[entry.gate],
        f"{numbers.scanned}/{numbers.selected}",
        f"{numbers.judged}/{numbers.selected}",
        str(entry.controls[FAILED]),
        "-" if entry.compliance is None else str(entry.compliance),
        entry.worst_failed or "-",
        f"{entry.duration:.1f}",
    )


def _total(entries: Sequence[ClusterEntry]) -> tuple[str, ...]:
    selected = sum(entry.targets.selected for entry in entries)
    return (
        f"{sum(entry.is_scanned for entry in entries)} of {len(entries)}",
        "scanned",
        f"{sum(entry.passed for entry in entries)} passed",
        f"{sum(entry.targets.scanned for entry in entries)}/{selected}",
        f"{sum(entry.targets.judged for entry in entries)}/{selected}",
        str(sum(entry.controls[FAILED] for entry in entries)),
        "",
        "",
        "",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        fit(cell, width) if head in _LEFT else cell.rjust(width)
        for cell, width, head in zip(row, widths, _HEADS)
    )
    return "  ".join(cells).rstrip()


def _left_out(others: int, passed: int) -> Iterator[str]:
    if others > 0:
        yield f"{number_of(others, 'more cluster')} did not pass: fleet.csv and summary.md list all"
    if passed > 0:
        yield f"{number_of(passed, 'more cluster')} passed: fleet.csv lists all"


def _changes(fleet_run: FleetRun) -> Iterator[str]:
    comparison = fleet_run.comparison
    if comparison is None:
        yield "No earlier fleet run to compare with."
        return
    yield f"Since {comparison.previous}: {changes_line(comparison)}"
    for word, names in (("Came", comparison.came), ("Went", comparison.went)):
        if names:
            yield from wrap(f"{word}: {_named(names)}", _WIDEST_LINE, rest="  ")


def _unseen(entries: Sequence[ClusterEntry]) -> Iterator[str]:
    """Why clusters have no results: a line for each, but those whose turn did not come share one."""
    told = [entry for entry in entries if entry.state != NOT_REACHED]
    waiting = [entry for entry in entries if entry.state == NOT_REACHED]
    for entry in told[:_MOST_OTHERS]:
        yield from wrap(
            f"{one_line(entry.cluster, _WIDEST_LABEL)}: {shown_state(entry.state)}: "
            f"{one_line(why_no_results(entry), _WIDEST_ERROR)}",
            _WIDEST_LINE,
            rest="  ",
        )
    if len(told) > _MOST_OTHERS:
        yield f"{number_of(len(told) - _MOST_OTHERS, 'more cluster')} without results: summary.md has the cause of each"
    if waiting:
        names = _named([entry.cluster for entry in waiting])
        yield from wrap(f"Not reached, first in the next fleet run: {names}", _WIDEST_LINE, rest="  ")


def _named(names: Sequence[str]) -> str:
    text = ", ".join(one_line(name, _WIDEST_LABEL) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{text} and {more} more" if more > 0 else text
