# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's turn in a fleet run: whether it is to be scanned now, and what became of it.

What is written when its turn comes says that its scan did not end. So a process that is killed leaves the truth behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..options.fleet_run import ClusterBegunOptions, ClusterEndedOptions
from ..results.cluster_entry import (
    BROKEN,
    NOT_REACHED,
    OUT_OF_TIME,
    REFUSED,
    UNREACHABLE,
    ClusterEntry,
)
from ..results.decision import KINDS_OF_REASONS
from ..results.fleet_folder import FleetFolder
from ..results.fleet_run import FleetRun, open_run_of
from ..results.run import Run, open_run
from ..results.run_folder import cluster_folder
from ..results.target_record import ErrorRecord
from ..safe_text import one_line
from ..secret_texts import without_secret
from ..times import api_time
from .context import TaskContext

_LONGEST_MESSAGE = 2_000
_REFUSALS = frozenset({"not_authenticated", "not_permitted", "tls_failed", "access_incomplete"})
_OUT_OF_TIME = "cluster_out_of_time"
# of a scan that had no time left to find out what there is to scan
_NO_TIME = "out_of_time"
# of a container that its scan did not come to before its deadline
_NOT_REACHED = "not_reached"
_KEYS = ("code", "reason", "message", "tried", "cause", "advice")


def begin_cluster(options: ClusterBegunOptions, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, wanted, why (empty where it is wanted)."""
    now = datetime.now(timezone.utc)
    result = {"changed": False, "wanted": True, "why": ""}
    folder = FleetFolder(options.output_dir, options.fleet_run_id)
    if context.check_mode and not folder.exists:
        return result
    fleet_run = folder.open()
    expected = fleet_run.entry(options.cluster_name)
    why = _why_not(fleet_run, expected, folder, options, now)
    if why or expected is None:
        return {**result, "wanted": False, "why": why}
    if not context.check_mode:
        unfinished = ScanError(
            "scan_unfinished", f"its scan began at {api_time(now)}", tried="scan the cluster"
        )
        folder.write_entry(
            ClusterEntry(
                expected.cluster, expected.host, expected.groups, BROKEN, started=api_time(now)
            ).with_error(BROKEN, ErrorRecord(**unfinished.record())),
            options.terms,
        )
    return {**result, "changed": True}


def _why_not(
    fleet_run: FleetRun,
    expected: ClusterEntry | None,
    folder: FleetFolder,
    options: ClusterBegunOptions,
    now: datetime,
) -> str:
    """Why a cluster is not to be scanned now; empty where it is."""
    if expected is None:
        return f"the fleet run {fleet_run.fleet_run_id} does not expect it: it is of another slice"
    if _is_done(folder, options):
        return "it has been scanned in this fleet run"
    if options.deadline_at and now >= options.deadline_at:
        return "the time of the fleet run has ended"
    return ""


def _is_done(folder: FleetFolder, options: ClusterBegunOptions) -> bool:
    """Whether it has been scanned, and would be scanned and judged the same way now."""
    try:
        entry, terms = folder.entry_and_terms(options.cluster_name)
        if entry is None or not entry.is_whole or terms != options.terms:
            return False
        return open_run_of(entry, folder.output_dir) is not None
    except ScanError:
        return False


def end_cluster(options: ClusterEndedOptions, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, entry ({state, gate, reason}), file (empty in check mode)."""
    folder = FleetFolder(options.output_dir, options.fleet_run_id)
    if context.check_mode and not folder.exists:
        return {"changed": False, "entry": {}, "file": ""}
    expected = folder.open().entry(options.cluster_name)
    if expected is None:
        raise ScanError(
            "bad_option",
            f"the fleet run {options.fleet_run_id} does not expect the cluster {one_line(options.cluster_name, 80)}",
            tried="reading the option cluster_name",
        )
    began, terms = _begun(folder, options.cluster_name)
    entry = _entry(options, expected, began)
    said = {"state": entry.state, "gate": entry.gate, "reason": entry.reason}
    if context.check_mode:
        return {"changed": False, "entry": said, "file": ""}
    return {"changed": True, "entry": said, "file": str(folder.write_entry(entry, terms))}


def _begun(folder: FleetFolder, cluster: str) -> tuple[str, str]:
    """When its turn came, and its terms; empty where that is not known."""
    try:
        entry, terms = folder.entry_and_terms(cluster)
    except ScanError:
        return "", ""
    return (entry.started, terms) if entry else ("", "")


def _entry(options: ClusterEndedOptions, expected: ClusterEntry, began: str) -> ClusterEntry:
    error = _error(options)
    run_dir = options.scan.get("run_dir")
    who = (expected.cluster, expected.host, expected.groups)
    if run_dir:
        try:
            run = _own_run(str(run_dir), options)
        except ScanError as broken:
            error = error or ErrorRecord(**broken.record())
        else:
            place = f"{cluster_folder('', options.cluster_name).name}/{Path(run.folder).name}"
            entry = ClusterEntry.of_run(*who, run, place)
            if error is None and _ran_out(run):
                error = _out_of_time("its deadline came before all of its containers were scanned")
            return entry.with_error(_state(error), error) if error else entry
    ended = api_time(datetime.now(timezone.utc))
    error = error or ErrorRecord(
        **ScanError(
            "scan_unfinished", "no task of it said what became of it", tried="scan the cluster"
        ).record()
    )
    return ClusterEntry(*who, BROKEN, started=began, finished=ended).with_error(_state(error), error)


def _own_run(run_dir: str, options: ClusterEndedOptions) -> Run:
    """The run that the scan has made, in the cluster's folder below the output folder."""
    folder, above = (
        Path(run_dir).resolve(),
        cluster_folder(options.output_dir, options.cluster_name).resolve(),
    )
    if folder.parent != above:
        raise ScanError(
            "bad_results",
            f"the run is in {one_line(str(folder), 200)}, not in the cluster's folder {above}",
            tried="reading the option scan",
            advice="Give scan_output_dir the same folder as fleet_output_dir, or leave it to the role fleet.",
        )
    return open_run(str(folder))


def _ran_out(run: Run) -> bool:
    return any(target.error is not None and target.error.reason == _NOT_REACHED for target in run.targets)


def _state(error: ErrorRecord) -> str:
    """Of a cluster without a run, or whose scan ended with the error all the same."""
    if error.reason == _NO_TIME:
        return NOT_REACHED
    if error.reason == _OUT_OF_TIME:
        return OUT_OF_TIME
    if error.reason == "unreachable":
        return UNREACHABLE
    return REFUSED if error.reason in _REFUSALS else BROKEN


def _error(options: ClusterEndedOptions) -> ErrorRecord | None:
    """Why the scan ended early; None where it did not. A gate that did not open is no such error: the run holds it."""
    for result in (options.failure, options.scan):
        if result.get("timedout"):
            return _out_of_time(_said(result))
        record = result.get("error")
        if isinstance(record, Mapping) and all(isinstance(record.get(key), str) for key in _KEYS):
            if record["reason"] in KINDS_OF_REASONS and options.scan.get("run_dir"):
                continue
            return ErrorRecord(
                **{key: without_secret(one_line(record[key], _LONGEST_MESSAGE)) for key in _KEYS}
            )
        if result.get("unreachable"):
            return _record("unreachable", _said(result))
        if result.get("failed") or (result is options.failure and result):
            return _record("cluster_broken", _said(result))
    return None


def _out_of_time(message: str) -> ErrorRecord:
    return _record("cluster_out_of_time", message)


def _record(reason: str, message: str) -> ErrorRecord:
    return ErrorRecord(**ScanError(reason, message, tried="scan the cluster").record())


def _said(result: Mapping[str, Any]) -> str:
    """What a task that failed said: it is kept in files and shown, also where Ansible itself would hide it."""
    if result.get("_ansible_no_log"):
        return "the words of the task are hidden (no_log)"
    return without_secret(one_line(str(result.get("msg") or "no task said why"), _LONGEST_MESSAGE))
