# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows an earlier run, decides its gate, and writes reports beside it."""

from __future__ import annotations

from ..options.report import scan_report_spec
from ..options.threshold import scan_threshold_spec
from .arguments import Arguments, CommandLine, bad_usage
from .conclusion import check_formats, conclude, threshold_params
from .flags import GATE, HISTORY, REPORTS
from .own_flags import add_output
from .subcommand import Subcommand, Surroundings

_SAID = "Show an earlier run, decide its gate; no cluster is needed."


def _line() -> CommandLine:
    spec = {**scan_report_spec(), **scan_threshold_spec()}
    del spec["output_dir"]  # reports stand beside the run
    line = CommandLine("report", _SAID, spec, (GATE, REPORTS, HISTORY), "RUN_FOLDER")
    add_output(line)
    return line


def run_folder(arguments: Arguments) -> str:
    """The one word, which names a run's folder. :raises ScanError: bad_option"""
    if len(arguments.words) != 1:
        raise bad_usage("the folder of one run is needed", "Such as scan-results/mycluster/latest")
    return arguments.words[0]


def _run(arguments: Arguments, surroundings: Surroundings) -> int:
    run_dir, context = run_folder(arguments), surroundings.context()
    gate_params = threshold_params(arguments)
    check_formats(arguments, context)
    try:
        return conclude(
            arguments,
            surroundings,
            context,
            gate_params,
            run_dir,
            sha256=arguments.values.get("summary_sha256"),
            has_reports=bool(arguments.values.get("formats")),
        )
    finally:
        surroundings.screen.warn(context.warnings)


SUBCOMMAND = Subcommand("report", _SAID, _line, _run)
