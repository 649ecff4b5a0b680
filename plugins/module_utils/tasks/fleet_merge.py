# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet runs of shards become one, with the runs of all in one output folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..options.fleet_run import MergedOptions
from ..options.spec import bad_option
from ..results.cluster_entry import NOT_REACHED, ClusterEntry
from ..results.fleet_folder import FleetFolder, fleet_folder
from ..results.fleet_merge import merge_fleet_runs
from ..results.fleet_run import FleetRun, open_fleet_run
from ..results.folder_owners import check_folder
from ..results.output_folder import check_output_folder
from ..results.run_import import bring_run
from ..results.target_record import ErrorRecord
from ..text_layout import number_of
from .context import TaskContext
from .fleet_end import finish_fleet_run, kept_entries


def merge_into_one(options: MergedOptions, context: TaskContext) -> dict[str, Any]:
    """Result keys: as `finish_fleet_run`, and superseded (how many entries do not count)."""
    context.warnings += check_output_folder(
        str(fleet_folder(options.output_dir)), options.allow_shared_folder
    )
    parts = []
    for path in options.fleet_dirs:
        context.warnings += check_folder(str(path), options.allow_shared_folder)
        parts.append(_part(path.resolve(), context))
    merged = merge_fleet_runs(parts, options.fail_on, options.fleet_run_id, _missing(options))
    folder = FleetFolder(options.output_dir, merged.fleet_run_id)
    if folder.exists and not folder.open().merged_from:
        raise bad_option(
            "fleet_run_id", f"{folder.fleet_run_id} is a fleet run that scanned: give another id"
        )
    if context.check_mode:
        what = f"would merge {number_of(len(merged.merged_from), 'fleet run')} into {folder.path}"
        return {
            "changed": True,
            "fleet_run_id": folder.fleet_run_id,
            "fleet_dir": str(folder.path),
            "table": [what],
        }
    _bring_runs(merged, parts, folder.output_dir)
    if not folder.exists:
        folder.create()
    result = finish_fleet_run(merged, folder, options.reports, (), context)
    told = [
        f"Made of {number_of(len(merged.merged_from), 'fleet run')}; "
        f"{number_of(len(merged.superseded), 'entry', 'entries')} of them do not count, because there is something newer or "
        "more whole"
    ]
    return {**result, "superseded": len(merged.superseded), "table": [*result["table"], *told]}


def _missing(options: MergedOptions) -> list[ClusterEntry]:
    """An entry of each cluster that is expected, for the case that no part has one."""
    error = ErrorRecord(
        **ScanError("no_shard", "none of the merged fleet runs has it", tried="merge fleet runs").record()
    )
    return [
        ClusterEntry(one.cluster, one.host, one.groups, NOT_REACHED).with_error(NOT_REACHED, error)
        for one in options.clusters
    ]


def _part(path: Path, context: TaskContext) -> FleetRun:
    """A fleet run, as far as it came: of one that was killed, what the turn of each cluster wrote."""
    fleet_run = open_fleet_run(str(path))
    if fleet_run.is_finished:
        return fleet_run
    context.warnings.append(
        f"the fleet run {fleet_run.fleet_run_id} is not finished: it counts as far as it came"
    )
    entries = kept_entries(FleetFolder(fleet_run.output_dir, fleet_run.fleet_run_id), fleet_run)
    ended = max((entry.finished or entry.started for entry in entries), default="")
    return replace(fleet_run, clusters=entries, finished=max(ended, fleet_run.started))


def _bring_runs(merged: FleetRun, parts: list[FleetRun], output_dir: Path) -> None:
    """Brings the run of each entry from the part that has it."""
    wanted = {entry.cluster: entry for entry in merged.clusters}
    for part in parts:
        for entry in part.clusters:
            if wanted.get(entry.cluster) == entry:
                bring_run(entry, part.output_dir, output_dir)
