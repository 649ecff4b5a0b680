# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last run of a cluster before another: the folders beside it are looked through, and no link is followed."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ..errors import ScanError
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import parse_rfc3339
from .checked_json import bad_results
from .run import SUMMARY_JSON, Run, open_run
from .run_check import evidence_time
from .whole_file import read_own_file

_HEAD_BYTES = 4096  # a summary begins with the run's id and its start
_STARTED = re.compile(rb'"started": ?"([^"\\]{1,64})"')
_MOST_OPENED = 30
_MOST_NAMED = 20


def previous_run(run: Run, notes: list[str], others: list[str]) -> Run | None:
    """The last run of the same cluster that began before the containers of `run` were seen; None without one.

    One with the same selection comes first: over another selection, most failures would be new for no other reason. A
    folder without a summary, a link, and a run of another cluster are passed over; so is a broken run, and `notes` gets a
    sentence for each: without any, the run is the first where None comes back. `others` gets one for runs of another API
    server, which are passed over, too.

    :param run: opened from its folder
    """
    same, other_server = None, 0
    fallback: Run | None = None
    opened = 0  # but for those of other clusters: behind them can be one of this
    for folder in earlier_folders(run, notes):
        if opened == _MOST_OPENED:
            break
        try:
            earlier = open_run(str(folder))
        except ScanError as error:
            notes.append(f"passed over as an earlier run: {error.message}")
            opened += 1
            continue
        if earlier.run_id != folder.name or earlier.cluster != run.cluster:
            continue
        if is_of_other_server(earlier, run):
            other_server += 1
            continue
        if earlier.selection == run.selection:
            same = earlier
            break
        fallback = fallback or earlier
        opened += 1
    if other_server:
        others.append(
            f"passed over {number_of(other_server, 'earlier run')} of another API server: its kube-system has another uid than "
            f"{run.cluster_uid}. A cluster that was set up anew has no earlier run; else two "
            f"clusters are called {one_line(run.cluster, 100)}"
        )
    return same or fallback


def is_of_other_server(one: Run, other: Run) -> bool:
    """Whether the runs are of two API servers, as far as the uids of both are known."""
    return bool(one.cluster_uid and other.cluster_uid and one.cluster_uid != other.cluster_uid)


def earlier_folders(run: Run, notes: list[str]) -> Iterator[Path]:
    """The folders beside that of `run` whose runs began before its containers were seen, the latest first. `notes` gets
    those of which that cannot be told."""
    own = Path(run.folder).resolve()
    before = _moment(evidence_time(run))
    if before is None:
        return
    found: list[tuple[datetime, str]] = []
    unknown: list[str] = []
    try:
        with os.scandir(own.parent) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as reason:
        raise ScanError(
            "bad_file", f"{own.parent}: {reason.strerror or reason}", tried="looking for the previous run"
        ) from None
    for name in sorted(set(names) - {own.name}):
        try:
            started = started_of(own.parent / name)
        except ScanError as error:
            unknown.append(f"passed over as an earlier run: {error.message}")
            continue
        if started is not None and started < before:
            found.append((started, name))
    notes += unknown[:_MOST_NAMED]
    if len(unknown) > _MOST_NAMED:
        notes.append(f"{len(unknown) - _MOST_NAMED} more were passed over as earlier runs")
    yield from (own.parent / name for _started, name in sorted(found, reverse=True))


def started_of(folder: Path) -> datetime | None:
    """When the run in a folder began, by the head of its summary; None without a summary, and where that is a link.

    :raises ScanError: bad_results, where it does not say so
    """
    path = folder / SUMMARY_JSON
    try:
        head = read_own_file(path, _HEAD_BYTES)
    except OSError as reason:
        if reason.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise bad_results(str(path), f"cannot be read: {reason.strerror or reason}") from None
    match = _STARTED.search(head)
    started = _moment(match.group(1).decode("ascii", "replace")) if match else None
    if started is None:
        raise bad_results(str(path), "does not say when its run began")
    return started


def _moment(text: str) -> datetime | None:
    """A time of ours to the millisecond, of others to the second."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else None
    except ValueError:
        pass
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None
