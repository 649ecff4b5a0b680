# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run ends: what became of each cluster, what changed since the fleet runs before, the decision, the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..options.fleet_run import EndedOptions
from ..reports.fleet_report import FleetReport, write_fleet_report
from ..reports.fleet_terminal import render_fleet_run
from ..reports.fleet_wording import verdict_line
from ..results.cluster_entry import BROKEN, STATES, ClusterEntry
from ..results.fleet_comparer import FleetComparer, earlier_fleet_runs
from ..results.fleet_folder import FleetFolder
from ..results.fleet_gate import COVERAGE, GATE, NO_RUN, FleetGate, decide_fleet, lacks_coverage
from ..results.fleet_run import FleetRun, open_run_of
from ..results.progress import read_progress
from ..results.run_folder import cluster_folder
from ..results.target_record import ErrorRecord
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import api_time, parse_rfc3339
from .context import TaskContext

_FAILURES = {GATE: "fleet_gate_failed", COVERAGE: "fleet_not_covered", NO_RUN: "fleet_unreachable"}
_MOST_NOTES = 10
_MOST_NAMED = 5


def end_fleet_run(options: EndedOptions, context: TaskContext) -> dict[str, Any]:
    """Result keys: as `finish_fleet_run`, and in check mode without a fleet run changed and an empty table."""
    folder = FleetFolder(options.output_dir, options.fleet_run_id)
    if context.check_mode and not folder.exists:
        return {"changed": False, "table": []}
    context.warnings += folder.check(options.allow_shared_folder)
    begun = folder.open()
    if begun.merged_from:
        raise ScanError(
            "bad_option",
            f"the fleet run {begun.fleet_run_id} was merged from others, and has no clusters of its own to end",
            tried="reading the option fleet_run_id",
        )
    now = datetime.now(timezone.utc)
    seen = replace(
        begun,
        clusters=kept_entries(folder, begun),
        finished=api_time(now),
        duration=max((now - parse_rfc3339(begun.started)).total_seconds(), 0.0),
        fail_on=options.fail_on,
    )
    return finish_fleet_run(seen, folder, options.reports, options.elsewhere, context)


def finish_fleet_run(
    seen: FleetRun,
    folder: FleetFolder,
    reports: Sequence[FleetReport],
    elsewhere: Sequence[str],
    context: TaskContext,
) -> dict[str, Any]:
    """Looks at each run, compares, decides, and writes fleet.json and the reports.

    Result keys: changed, failed, msg, fleet_run_id, fleet_dir, gate ({passed, failed_by, reasons: numbers}), clusters ({state:
    number}), changes ({new, fixed, reopened} or empty), not_reached (hosts), files, table (lines for a terminal), error.

    :param seen: with an entry for each cluster, before anything was decided
    """
    earlier = earlier_fleet_runs(seen, folder.output_dir)
    comparer = FleetComparer(earlier, folder.output_dir)
    uncovered: set[str] = set()
    entries = tuple(_looked_at(entry, folder.output_dir, comparer, uncovered) for entry in seen.clusters)
    comparison = comparer.result(seen.expected, elsewhere)
    gate = decide_fleet(entries, seen.fail_on, uncovered)
    fleet_run = replace(seen, clusters=entries, comparison=comparison, gate=gate, folder=str(folder.path))
    context.warnings += [*earlier.notes[:_MOST_NOTES], *_under_two_names(entries)]
    files = [] if context.check_mode else _write(fleet_run, folder, reports)
    result: dict[str, Any] = {
        "changed": not context.check_mode,
        "fleet_run_id": fleet_run.fleet_run_id,
        "fleet_dir": str(folder.path),
        "gate": {
            "passed": gate.passed,
            "failed_by": list(gate.failed_by),
            "reasons": gate.numbers,
        },
        "clusters": {state: sum(entry.state == state for entry in entries) for state in STATES},
        "changes": dict(comparison.counts) if comparison else {},
        "files": files,
        "table": [*render_fleet_run(fleet_run), *(f"Results: {path}" for path in files)],
    }
    failure = _failure(fleet_run, gate)
    if failure:
        result.update(failed=True, msg=str(failure), error=failure.record())
    return result


def kept_entries(folder: FleetFolder, begun: FleetRun) -> tuple[ClusterEntry, ...]:
    """What the turn of each cluster wrote of it; as expected, where its turn did not come."""
    return tuple(_kept(folder, entry) for entry in begun.clusters)


def _kept(folder: FleetFolder, expected: ClusterEntry) -> ClusterEntry:
    try:
        entry = folder.entry(expected.cluster)
    except ScanError as error:
        return expected.with_error(BROKEN, ErrorRecord(**error.record()))
    if entry is None or (_is_unfinished(entry) and not _has_worked(folder, entry)):
        return expected
    return entry


def _is_unfinished(entry: ClusterEntry) -> bool:
    """Whether it is what was written when its turn came."""
    return not entry.finished and entry.error is not None and entry.error.reason == "scan_unfinished"


def _has_worked(folder: FleetFolder, entry: ClusterEntry) -> bool:
    """Whether its scan looked at the cluster after its turn came. In a play that is cut short, most turns came just before."""
    try:
        progress = read_progress(cluster_folder(str(folder.output_dir), entry.cluster))
        return progress is not None and parse_rfc3339(progress.started) >= parse_rfc3339(entry.started)
    except (ScanError, ValueError, OverflowError):
        return True


def _looked_at(
    entry: ClusterEntry, output_dir: Path, comparer: FleetComparer, uncovered: set[str]
) -> ClusterEntry:
    """The entry, after its run was read and compared. A run that is not the one that it names counts as none.

    :param uncovered: takes the cluster's name where the gate of its run lacks coverage
    """
    try:
        run = open_run_of(entry, output_dir)
    except ScanError as error:
        without = ClusterEntry(entry.cluster, entry.host, entry.groups, BROKEN, started=entry.started)
        return without.with_error(BROKEN, ErrorRecord(**error.record()))
    if run is None:
        return entry
    comparer.add(run)
    if run.gate and lacks_coverage(run.gate):
        uncovered.add(entry.cluster)
    return entry.as_of(run)


def _under_two_names(entries: Sequence[ClusterEntry]) -> list[str]:
    """A sentence for each API server that was scanned as several clusters: perhaps one of them was meant to be another."""
    names: dict[str, list[str]] = {}
    for entry in entries:
        if entry.cluster_uid is not None:
            names.setdefault(entry.cluster_uid, []).append(one_line(entry.cluster, 60))
    return [
        f"{', '.join(same[:_MOST_NAMED])}{', ...' if len(same) > _MOST_NAMED else ''} are one cluster: their API servers have "
        "the same id. Where they were meant to be several, not all of them were scanned"
        for same in names.values()
        if len(same) > 1
    ][:_MOST_NOTES]


def _write(fleet_run: FleetRun, folder: FleetFolder, reports: Sequence[FleetReport]) -> list[str]:
    file = folder.write(fleet_run)
    others = [report for report in reports if report.file_name != file.name]
    files = [str(file), *(str(write_fleet_report(report, fleet_run, folder.path)) for report in others)]
    folder.mark_ended()
    folder.mark_latest()
    return files


def _failure(fleet_run: FleetRun, gate: FleetGate) -> ScanError | None:
    """The error that the task ends with: of the first kind that it fails by."""
    if gate.passed:
        return None
    kind = gate.failed_by[0]
    names = sorted({reason.cluster for reason in gate.reasons if reason.kind == kind and reason.cluster})
    named = ", ".join(one_line(name, 60) for name in names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    what = f"{number_of(len(names), 'cluster')}: {named}{f' and {more} more' if more > 0 else ''}"
    message = what if names else "no cluster was expected"
    return ScanError(
        _FAILURES[kind],
        f"{message}. In all: {verdict_line(fleet_run)}",
        tried=f"judging the fleet run {fleet_run.fleet_run_id}",
    )
