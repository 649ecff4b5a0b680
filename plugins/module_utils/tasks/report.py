# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_report`: a run's folder in, its reports out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..reports.registry import REPORTS
from ..reports.report import Report, write_report
from ..results.run import open_run
from ..results.whole_file import FOLDER_MODE, write_failed
from .context import TaskContext


@dataclass(frozen=True)
class ReportOptions:
    """The options of the task. `output_dir` is where the reports are written."""

    run_dir: Path
    reports: tuple[Report, ...]
    output_dir: Path

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ReportOptions:
        """:raises ScanError: `bad_option` for a format that there is not, or none at all"""
        run_dir = Path(params["run_dir"])
        output_dir = run_dir if params["output_dir"] is None else Path(params["output_dir"])
        return cls(run_dir, _reports(params["formats"]), output_dir)


def run_scan_report(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), files. In check mode the files are those that would be written."""
    options = ReportOptions.from_params(params)
    run = open_run(str(options.run_dir))
    folder = options.output_dir.resolve()
    files = [str(folder / report.file_name) for report in options.reports]
    if context.check_mode:
        for path in files:
            context.say(f"would write {path}")
    else:
        _make_folder(folder)
        for report in options.reports:
            write_report(report, run, folder)
    return {"changed": False, "files": files}


def _reports(formats: Sequence[str]) -> tuple[Report, ...]:
    """The reports of these formats, each once."""
    for name in formats:
        if name not in REPORTS:
            near = difflib.get_close_matches(name, REPORTS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(REPORTS)}"
            raise ScanError(
                "bad_option", f"unknown format {name[:100]}; {hint}", tried="reading the option formats"
            )
    if not formats:
        raise ScanError("bad_option", "no format is named", tried="reading the option formats")
    return tuple(REPORTS[name] for name in dict.fromkeys(formats))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as reason:
        raise write_failed(folder, reason) from None
