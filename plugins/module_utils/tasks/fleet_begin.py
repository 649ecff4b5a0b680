# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run begins: its manifest is written before any cluster is touched, or an interrupted one is gone on with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import ScanError
from ..options.fleet_run import BegunOptions, ExpectedCluster
from ..options.spec import bad_option
from ..results.cluster_entry import NOT_REACHED, OUT_OF_TIME, ClusterEntry
from ..results.fleet_folder import FleetFolder, fleet_folder, fleet_runs_of, new_fleet_run_id
from ..results.fleet_run import FleetRun
from ..results.output_folder import check_output_folder
from ..results.producer import COLLECTION, VERSION
from ..results.run import Producer
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import api_time
from .context import TaskContext

# As many of them are looked at for one that was interrupted, and for what comes first.
_MOST_EARLIER = 30


def begin_fleet_run(options: BegunOptions, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, fleet_run_id, fleet_dir, resumed, expected, first (hosts that come first), deadline_at (RFC 3339 or
    empty), table."""
    context.warnings += check_output_folder(
        str(fleet_folder(options.output_dir)), options.allow_shared_folder
    )
    now = datetime.now(timezone.utc)
    wanted = _of_slice(options)
    folder, fleet_run = _interrupted(options, wanted, now, context) or (None, None)
    resumed = fleet_run is not None
    if folder is not None:
        context.warnings += folder.check(options.allow_shared_folder)
    if folder is None or fleet_run is None:
        folder = FleetFolder(options.output_dir, options.fleet_run_id or new_fleet_run_id(now))
        if folder.exists:
            raise bad_option(
                "fleet_run_id",
                f"there is a fleet run {folder.fleet_run_id} in {options.output_dir} already",
                advice="Give another id, or resume it (fleet_resume).",
            )
        fleet_run = _manifest(folder.fleet_run_id, options, wanted, now)
        if not context.check_mode:
            folder.create()
    if not context.check_mode:
        folder.write(fleet_run)
        # the task runs in a worker of the process that runs the playbook
        folder.mark_running(os.getppid())
    deadline = now + timedelta(seconds=options.deadline) if options.deadline else None
    return {
        "changed": True,
        "fleet_run_id": folder.fleet_run_id,
        "fleet_dir": str(folder.path),
        "resumed": resumed,
        "expected": len(fleet_run.expected),
        "first": _first(options, fleet_run, wanted),
        "deadline_at": api_time(deadline) if deadline else "",
        "table": [
            f"Fleet run {folder.fleet_run_id}{' goes on' if resumed else ''}: "
            f"{number_of(len(fleet_run.expected), 'cluster')} expected"
            + (f", at most {options.deadline} seconds" if options.deadline else "")
        ],
    }


def _of_slice(options: BegunOptions) -> tuple[ExpectedCluster, ...]:
    part = options.part
    return options.clusters[part.offset :: part.count] if part else options.clusters


def _manifest(
    fleet_run_id: str, options: BegunOptions, wanted: Sequence[ExpectedCluster], now: datetime
) -> FleetRun:
    entries = sorted(
        (ClusterEntry(one.cluster, one.host, one.groups, NOT_REACHED) for one in wanted),
        key=lambda entry: entry.cluster,
    )
    return FleetRun(
        fleet_run_id=fleet_run_id,
        started=api_time(now),
        finished="",
        duration=0.0,
        deadline=options.deadline,
        collection=Producer(COLLECTION, VERSION),
        fail_on=options.fail_on,
        expected=tuple(entry.cluster for entry in entries),
        slice=options.part,
        merged_from=(),
        superseded=(),
        clusters=tuple(entries),
        comparison=None,
        gate=None,
    )


def _interrupted(
    options: BegunOptions, wanted: Sequence[ExpectedCluster], now: datetime, context: TaskContext
) -> tuple[FleetFolder, FleetRun] | None:
    """The fleet run to go on with: the one that is named, else the last one of the same clusters, where it is not finished,
    nobody runs it, and it is young enough. None for a new one."""
    if not options.resume:
        return None
    names = tuple(sorted(one.cluster for one in wanted))
    if options.fleet_run_id:
        folder = FleetFolder(options.output_dir, options.fleet_run_id)
        if not folder.exists:
            return None
        return folder, _named_one(folder, names)
    oldest = now - timedelta(seconds=options.resume_within)
    for known in fleet_runs_of(options.output_dir)[:_MOST_EARLIER]:
        if known.started < oldest:
            return None
        try:
            fleet_run = known.folder.open()
        except ScanError as error:
            context.warnings.append(f"a fleet run is passed over: {error.message}")
            continue
        if fleet_run.merged_from or fleet_run.expected != names or fleet_run.slice != options.part:
            continue
        if fleet_run.is_finished:
            return None
        if known.folder.is_running:
            context.warnings.append(
                f"the fleet run {fleet_run.fleet_run_id} of the same clusters is still running: this is another one"
            )
            return None
        return known.folder, replace(fleet_run, fail_on=options.fail_on, deadline=options.deadline)
    return None


def _named_one(folder: FleetFolder, names: Sequence[str]) -> FleetRun:
    """The fleet run in a folder that was named, as one that is not finished."""
    fleet_run = folder.open()
    unknown = sorted(set(names) - set(fleet_run.expected))
    if unknown or fleet_run.merged_from:
        raise bad_option(
            "fleet_run_id",
            f"the fleet run {folder.fleet_run_id} "
            + (
                "was merged from others, which scanned"
                if fleet_run.merged_from
                else f"does not expect {one_line(', '.join(unknown), 200)}"
            ),
            advice="Resume a fleet run with the clusters that it expects, or some of them, or begin a new one.",
        )
    if folder.is_running:
        raise bad_option(
            "fleet_run_id",
            f"the fleet run {folder.fleet_run_id} is still running",
            advice="Wait for its end, or end it.",
        )
    return replace(fleet_run, finished="", duration=0.0, comparison=None, gate=None)


def _first(options: BegunOptions, fleet_run: FleetRun, wanted: Sequence[ExpectedCluster]) -> list[str]:
    """Hosts whose turn comes first: those that the last fleet run did not reach, those that had too little time in it, and
    those that no fleet run knows. In a first fleet run nobody comes first."""
    waiting: dict[str, int] = {}
    known: set[str] = set()
    names = {one.cluster for one in wanted}
    seen = 0
    for earlier in fleet_runs_of(options.output_dir)[:_MOST_EARLIER]:
        if earlier.folder.fleet_run_id == fleet_run.fleet_run_id:
            continue
        try:
            entries = earlier.folder.open().clusters
        except ScanError:
            continue
        # of each cluster what the last fleet run says that had it
        for entry in entries:
            if entry.cluster in names and entry.cluster not in known:
                known.add(entry.cluster)
                if entry.state in (NOT_REACHED, OUT_OF_TIME):
                    waiting[entry.cluster] = entry.state == OUT_OF_TIME
        seen += 1
        if names <= known:
            break
    if not seen or not known:
        return []
    rank = {**dict.fromkeys(names - known, 2), **waiting}
    first = [one for one in wanted if one.cluster in rank]
    return [one.host for one in sorted(first, key=lambda one: rank[one.cluster])]
