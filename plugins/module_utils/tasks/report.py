# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_report`: a run's folder in, its reports out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..options.report import ReportOptions
from ..options.spec import Params
from ..reports.report import write_report
from ..results.run import open_run
from ..results.run_check import check_cluster, check_summary_sha256
from ..results.whole_file import FOLDER_MODE, write_failed
from .context import TaskContext


def run_scan_report(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), files, table (lines for a terminal). In check mode the files are those that would
    be written."""
    options = ReportOptions.from_params(params)
    run = open_run(str(options.run_dir))
    check_cluster(run, options.cluster_name)
    check_summary_sha256(run, options.summary_sha256)
    folder = options.output_dir.resolve()
    files = [str(folder / report.file_name) for report in options.reports]
    if context.check_mode:
        for path in files:
            context.say(f"would write {path}")
    else:
        _make_folder(folder)
        for report in options.reports:
            write_report(report, run, folder)
    shown = [] if context.check_mode else [f"Report: {path}" for path in files]
    return {"changed": False, "files": files, "table": shown}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as reason:
        raise write_failed(folder, reason) from None
