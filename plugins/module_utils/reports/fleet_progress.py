# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a fleet run is, while it runs: read from its folder and from what the scans of its clusters write.

Whoever may read these files can watch, also from another process. They hold numbers, times and names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import ScanError
from ..results.cluster_entry import ClusterEntry
from ..results.fleet_folder import FleetFolder
from ..results.progress import Progress, read_progress
from ..results.run_folder import cluster_folder
from ..safe_text import one_line
from ..text_layout import columns, fit, number_of
from ..times import parse_rfc3339
from .fleet_wording import is_fine, shown_state

WAITING = "waiting"
RUNNING = "running"
_UNFINISHED = "scan_unfinished"
_HEADS = ("CLUSTER", "DONE", "FAILING", "RATE", "LEFT", "STATE")
_WIDEST_NAME = 40
_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True)
class ClusterProgress:
    """How far a cluster is. `state` is waiting, running, or that of its entry. `rate` is in containers per second, `left` in
    seconds; None where they are not known, as the number of `failing` containers of one that has ended: its gate has decided
    since. `is_fine`: it has ended, and nobody has to do anything about it."""

    cluster: str
    state: str
    selected: int = 0
    done: int = 0
    failing: int | None = None
    rate: float | None = None
    left: float | None = None
    is_fine: bool = False

    @property
    def has_ended(self) -> bool:
        return self.state not in (WAITING, RUNNING)


class FleetWatch:
    """Reads the progress of one fleet run again and again. What has ended is read once.

    :raises ScanError: bad_results, where there is no fleet run in the folder
    """

    def __init__(self, fleet_dir: Path) -> None:
        self._folder = FleetFolder(fleet_dir.parent.parent, fleet_dir.name)
        self._expected = self._folder.open().expected
        self._ended: dict[str, ClusterProgress] = {}

    def look(self) -> list[ClusterProgress]:
        """One for each cluster that is expected. What cannot be read at this moment counts as running or waiting."""
        found = []
        for name in self._expected:
            progress = self._ended.get(name) or self._of(name)
            if progress.has_ended:
                self._ended[name] = progress
            found.append(progress)
        return found

    def _of(self, name: str) -> ClusterProgress:
        try:
            entry = self._folder.entry(name)
        except ScanError:
            return ClusterProgress(name, RUNNING)
        if entry is None:
            return ClusterProgress(name, WAITING)
        if entry.error is None or entry.error.reason != _UNFINISHED or entry.finished:
            return _ended(entry)
        try:
            progress = read_progress(cluster_folder(str(self._folder.output_dir), name))
        except ScanError:
            progress = None
        return _running(name, entry.started, progress)


def _ended(entry: ClusterEntry) -> ClusterProgress:
    numbers = entry.targets
    return ClusterProgress(
        entry.cluster,
        entry.state,
        numbers.selected,
        numbers.selected,
        is_fine=is_fine(entry),
    )


def _running(name: str, since: str, progress: Progress | None) -> ClusterProgress:
    """:param since: when the cluster's turn came: the progress of an earlier scan counts for nothing"""
    try:
        if progress is None or parse_rfc3339(progress.started) < parse_rfc3339(since):
            return ClusterProgress(name, RUNNING)
        seconds = (_moment(progress.updated) - _moment(progress.started)).total_seconds()
        scanned = progress.done - progress.carried
        rate = scanned / seconds if seconds > 0 and scanned > 0 else None
        left = (progress.selected - progress.done) / rate if rate else None
    # times with a zone and without, numbers that no fraction holds
    except (ValueError, TypeError, ArithmeticError):
        return ClusterProgress(name, RUNNING)
    return ClusterProgress(name, RUNNING, progress.selected, progress.done, progress.failing, rate, left)


def _moment(text: str) -> datetime:
    """With its fraction of a second."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parse_rfc3339(text)


def plain_line(clusters: Sequence[ClusterProgress]) -> str:
    """All of it in one line, for the log of a job."""
    ended = [one for one in clusters if one.has_ended]
    running = [one for one in clusters if one.state == RUNNING]
    parts = [
        f"{len(ended)} of {number_of(len(clusters), 'cluster')} done",
        f"{sum(not one.is_fine for one in ended)} of them not fine",
        f"{len(running)} running",
        f"{number_of(sum(one.done for one in clusters), 'container')} done",
    ]
    rate = sum(one.rate for one in running if one.rate)
    if rate:
        parts.append(f"{rate:.1f} per second")
    return ", ".join(parts)


def live_lines(clusters: Sequence[ClusterProgress], rows: int, width: int) -> list[str]:
    """At most so many lines of at most `width` columns: the sum, then the clusters that run, then those that are not fine.

    Names are escaped: nothing in them steers the terminal.
    """
    lines = [plain_line(clusters)]
    listed = sorted((one for one in clusters if one.state != WAITING), key=_interest)[: max(rows - 2, 0)]
    if listed:
        cells = [_HEADS, *map(_cells, listed)]
        widths = [max(columns(row[column]) for row in cells) for column in range(len(_HEADS))]
        lines += [_line(row, widths) for row in cells]
    return [fit(line, width).rstrip() if columns(line) > width else line for line in lines[:rows]]


def _interest(one: ClusterProgress) -> tuple[int, float, str]:
    if one.state == RUNNING:
        return 0, -(one.left or 0.0), one.cluster
    return (2 if one.is_fine else 1), 0.0, one.cluster


def _cells(one: ClusterProgress) -> tuple[str, ...]:
    return (
        one_line(one.cluster, _WIDEST_NAME),
        f"{one.done}/{one.selected}" if one.selected else "-",
        "-" if one.failing is None else str(one.failing),
        "-" if one.rate is None else f"{one.rate:.1f}/s",
        "-" if one.left is None else _duration(one.left),
        shown_state(one.state),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(_fitted(row, widths)).rstrip()


def _fitted(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for cell, width, head in zip(row, widths, _HEADS):
        yield fit(cell, width) if head in ("CLUSTER", "STATE") else cell.rjust(width)


def _duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"
