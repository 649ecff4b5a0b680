# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run as Markdown, for people: the verdict, who must act, what changed, what has no results and why, all clusters.

Each list is bounded and says where the rest is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO
from urllib.parse import quote

from ..results.cluster_entry import STATE_WORDS, ClusterEntry
from ..results.decision import FailedControl
from ..results.fleet_comparison import FIXED, NEW, REOPENED, FleetComparison
from ..results.fleet_run import FleetRun
from ..results.status import FAILED
from ..text_layout import number_of
from .fleet_report import FleetReport
from .fleet_wording import (
    SHOWN_GATE,
    by_urgency,
    changes_line,
    counted_line,
    oldest_line,
    shown_state,
    verdict_line,
    why_no_results,
)
from .markdown import escape

_MOST_CLUSTERS = 1_000
_MOST_CHANGES = 50
_MOST_NAMED = 50
_HEADS = (
    "Cluster",
    "State",
    "Gate",
    "Scanned",
    "Judged",
    "Failed",
    "%",
    "Worst",
    "Evidence",
    "Groups",
    "Run",
)
_CHANGE_HEADS = {REOPENED: "Failed again", NEW: "New failures", FIXED: "Fixed"}


def _write(fleet_run: FleetRun, stream: TextIO) -> None:
    for line in _lines(fleet_run):
        stream.write(line + "\n")


def _lines(fleet_run: FleetRun) -> Iterator[str]:
    yield f"# Fleet run {escape(fleet_run.fleet_run_id)}: {escape(verdict_line(fleet_run))}"
    yield ""
    yield (
        f"Begun {escape(fleet_run.started)}, ended {escape(fleet_run.finished)}. {counted_line(fleet_run)}. "
        f"{escape(oldest_line(fleet_run))}"
    ).rstrip()
    if fleet_run.slice:
        yield f"This is slice {fleet_run.slice.offset} of {fleet_run.slice.count} of the inventory."
    yield from _merged(fleet_run)
    yield from _without_results(fleet_run.clusters)
    if fleet_run.comparison:
        yield from _comparison(fleet_run.comparison)
    yield from _clusters(fleet_run)
    yield ""
    found = {entry.state for entry in fleet_run.clusters}
    yield from (
        f"- {shown_state(state)}: {meaning}." for state, meaning in STATE_WORDS.items() if state in found
    )


def _merged(fleet_run: FleetRun) -> Iterator[str]:
    if not fleet_run.merged_from:
        return
    yield ""
    yield f"Made of {number_of(len(fleet_run.merged_from), 'fleet run')}: {_named(fleet_run.merged_from)}."
    for one in fleet_run.superseded[:_MOST_NAMED]:
        what = (
            f"run {escape(one.run_id)}"
            if one.run_id
            else f"an entry without a run ({shown_state(one.state)})"
        )
        yield f"- {escape(one.cluster)}: {what} does not count, because there is something newer or more whole."
    if len(fleet_run.superseded) > _MOST_NAMED:
        yield f"- {len(fleet_run.superseded) - _MOST_NAMED} more, in fleet.json"


def _without_results(entries: Sequence[ClusterEntry]) -> Iterator[str]:
    unseen = [entry for entry in by_urgency(entries) if not entry.has_run]
    if not unseen:
        return
    yield from (
        "",
        "## Clusters without results",
        "",
        "| Cluster | State | Why | What to do |",
        "| --- | --- | --- | --- |",
    )
    for entry in unseen[:_MOST_CLUSTERS]:
        advice = entry.error.advice if entry.error else "Nothing: it comes first in the next fleet run."
        yield _row((entry.cluster, shown_state(entry.state), why_no_results(entry), advice))
    yield from _more(len(unseen) - _MOST_CLUSTERS, "fleet.csv")


def _comparison(comparison: FleetComparison) -> Iterator[str]:
    yield from ("", f"## Since {escape(comparison.previous)}", "", f"{changes_line(comparison)}.")
    for word, names in (("New clusters", comparison.came), ("Clusters that went", comparison.went)):
        if names:
            yield from ("", f"{word}: {_named(names)}.")
    for change, head in _CHANGE_HEADS.items():
        if comparison.counts[change]:
            yield from ("", f"### {head}", "", "| Place | Profile | Control |", "| --- | --- | --- |")
            yield from map(_change, comparison.of(change)[:_MOST_CHANGES])
            listed = min(len(comparison.of(change)), _MOST_CHANGES)
            yield from _more(comparison.counts[change] - listed, "fleet.json")


def _change(failed: FailedControl) -> str:
    return _row((failed.place, failed.profile, failed.control))


def _clusters(fleet_run: FleetRun) -> Iterator[str]:
    seen = [entry for entry in by_urgency(fleet_run.clusters) if entry.has_run]
    if not seen:
        return
    yield from ("", "## Clusters", "", "| " + " | ".join(_HEADS) + " |", "|" + " --- |" * len(_HEADS))
    for entry in seen[:_MOST_CLUSTERS]:
        numbers = entry.targets
        cells = (
            entry.cluster,
            shown_state(entry.state),
            SHOWN_GATE[entry.gate],
            f"{numbers.scanned}/{numbers.selected}",
            f"{numbers.judged}/{numbers.selected}",
            str(entry.controls[FAILED]),
            "-" if entry.compliance is None else str(entry.compliance),
            entry.worst_failed or "-",
            entry.evidence or "-",
            ", ".join(f"{name} {value}" for name, value in sorted(entry.groups.items())) or "-",
        )
        yield f"{_row(cells)[:-2]} | [{escape(entry.run_id)}](../../{quote(entry.run_dir)}/summary.md) |"
    yield from _more(len(seen) - _MOST_CLUSTERS, "fleet.csv")


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _named(names: Sequence[str]) -> str:
    text = ", ".join(escape(name) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{text} and {more} more" if more > 0 else text


def _more(number: int, where: str) -> Iterator[str]:
    if number > 0:
        yield from ("", f"{number} more, in {where}")


REPORT = FleetReport("markdown", "summary.md", _write)
