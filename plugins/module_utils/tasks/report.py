# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_report`: the folder of a run or of a fleet run in, or a store; its reports out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..options.report import ReportOptions
from ..options.spec import Params
from ..reports.fleet_report import write_fleet_report
from ..reports.html import FILE_NAME, write_page_file
from ..reports.page_source import PageSource
from ..reports.report import write_report
from ..reports.servicenow import FILE_NAME as SERVICENOW_FILE
from ..reports.servicenow import write_servicenow_file
from ..results.checked_json import bad_results
from ..results.decisions import open_decision
from ..results.fleet_run import FLEET_JSON, open_fleet_run
from ..results.run import Run, open_run
from ..results.run_check import check_cluster, check_summary_sha256
from ..results.whole_file import FOLDER_MODE, write_failed
from ..store.history import StoreHistory
from ..text_layout import number_of
from .context import TaskContext
from .store import opened_store
from .store_page import source_of_store

Writer = Callable[[], Path]


def run_scan_report(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), files, reports (of each: path, files, bytes), table (lines for a terminal). In check
    mode `files` are those that would be written, and `reports` is empty."""
    options = ReportOptions.from_params(params, context.environ)
    run_dir = options.run_dir
    if run_dir is None:
        return _report_store(options, context)
    if (run_dir / FLEET_JSON).is_file():
        return _report_fleet(options, run_dir, context)
    run = open_run(str(run_dir))
    check_cluster(run, options.cluster_name)
    check_summary_sha256(run, options.summary_sha256)
    # a gate in check mode names a decision that it did not write
    run, place = (
        (run, _folder_of(options, run_dir)) if context.check_mode else _with_decision(run, options, run_dir)
    )
    folder = (options.output_dir or place).resolve()
    history = _history(options, context)
    writers: dict[str, Writer] = {
        report.file_name: partial(write_report, report, run, folder) for report in options.reports
    }
    if history and FILE_NAME in writers:
        writers[FILE_NAME] = partial(write_page_file, PageSource.of_run(run, history), folder)
    if SERVICENOW_FILE in writers:
        writers[SERVICENOW_FILE] = partial(write_servicenow_file, run, options.items, folder)
    return _written(context, folder, writers)


def _report_fleet(options: ReportOptions, run_dir: Path, context: TaskContext) -> dict[str, Any]:
    fleet_run = open_fleet_run(str(run_dir))
    if options.summary_sha256 not in ("", fleet_run.sha256):
        raise bad_results(
            str(run_dir / FLEET_JSON),
            f"is not the file that was named: its SHA-256 is {fleet_run.sha256}",
        )
    reports = options.fleet_reports
    folder = (options.output_dir or run_dir).resolve()
    history = _history(options, context)
    writers: dict[str, Writer] = {
        report.file_name: partial(write_fleet_report, report, fleet_run, folder) for report in reports
    }
    if folder == run_dir.resolve():
        writers.pop(FLEET_JSON, None)  # it is the fleet run itself
    if history and FILE_NAME in writers:
        writers[FILE_NAME] = partial(write_page_file, PageSource.of_fleet_run(fleet_run, history), folder)
    return _written(context, folder, writers)


def _report_store(options: ReportOptions, context: TaskContext) -> dict[str, Any]:
    """The page of a store alone."""
    access, folder = options.page_of_store
    store, folder = opened_store(access, context), folder.resolve()
    return _written(context, folder, {FILE_NAME: lambda: write_page_file(source_of_store(store), folder)})


def _history(options: ReportOptions, context: TaskContext) -> StoreHistory | None:
    return StoreHistory(opened_store(options.store, context)) if options.store else None


def _written(context: TaskContext, folder: Path, writers: Mapping[str, Writer]) -> dict[str, Any]:
    """Writes the files of these names, or says that it would."""
    files = [str(folder / name) for name in writers]
    reports = []
    if context.check_mode:
        for path in files:
            context.say(f"would write {path}")
    else:
        _make_folder(folder)
        reports = [_size_of(write()) for write in writers.values()]
    shown = [f"Report: {_shown(report)}" for report in reports]
    return {"changed": False, "files": files, "reports": reports, "table": shown}


def _size_of(path: Path) -> dict[str, Any]:
    """What was written: one file, or those of a folder."""
    parts = [part for part in path.iterdir() if part.is_file()] if path.is_dir() else [path]
    return {
        "path": str(path),
        "files": len(parts),
        "bytes": sum(part.stat().st_size for part in parts),
    }


def _shown(report: Mapping[str, Any]) -> str:
    files = f"{number_of(report['files'], 'file')}, " if report["files"] != 1 else ""
    return f"{report['path']} ({files}{report['bytes']} bytes)"


def _folder_of(options: ReportOptions, run_dir: Path) -> Path:
    """Where reports of the decision belong, whether it is there or not."""
    path = Path(options.decision or run_dir)
    return path.parent if options.decision and path.suffix == ".json" else path


def _with_decision(run: Run, options: ReportOptions, run_dir: Path) -> tuple[Run, Path]:
    """The run with the decision that is to be shown, and the folder where reports of it belong."""
    if not options.decision:
        return run, run_dir
    kept = open_decision(run, options.decision)
    if options.decision_sha256 and options.decision_sha256 != kept.sha256:
        raise bad_results(str(kept.file), f"is not the decision that was named: its SHA-256 is {kept.sha256}")
    if kept.is_first:
        return run, kept.folder
    decided = run.with_gate(kept.decision)
    return decided if options.output_dir else decided.seen_from(kept.folder), kept.folder


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as reason:
        raise write_failed(folder, reason) from None
