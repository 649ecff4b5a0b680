# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows a run: its gate, the reports beside it, the output, the exit status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from ..errors import ScanError
from ..options.report import ReportOptions, scan_report_spec
from ..options.threshold import scan_threshold_spec
from ..results.decisions import open_decision
from ..results.run import Run, open_run
from ..tasks.context import TaskContext
from ..tasks.judging_input import read_threshold_file
from ..tasks.named_files import NamedFiles
from ..tasks.report import run_scan_report
from ..tasks.threshold import run_scan_threshold
from .arguments import Arguments
from .exit_status import PASSED, exit_status
from .outputs import TABLE, write_output
from .own_flags import output_of
from .subcommand import Surroundings


def threshold_params(arguments: Arguments, **more: Any) -> dict[str, Any]:
    """:raises ScanError: bad_file, bad_threshold"""
    params = arguments.params(scan_threshold_spec(), run_dir="", **more)
    return {**params, **read_threshold_file(params, NamedFiles())}


def check_formats(arguments: Arguments, context: TaskContext) -> None:
    """:raises ScanError: bad_option, for a report that there is not"""
    params = arguments.params(scan_report_spec(), run_dir="", output_dir="")
    _known = ReportOptions.from_params(params, context.environ).reports


def conclude(
    arguments: Arguments,
    surroundings: Surroundings,
    context: TaskContext,
    gate_params: Mapping[str, Any],
    run_dir: str,
    *,
    sha256: str | None,
    has_reports: bool,
    is_kept: bool = True,
) -> int:
    """:param gate_params: of scan_threshold, without the run
    :param has_reports: whether reports are written into the run's folder
    :param is_kept: whether the results stay
    :raises ScanError: bad_results, write_failed
    """
    gate = run_scan_threshold({**gate_params, "run_dir": run_dir, "summary_sha256": sha256}, context)
    if has_reports:
        run_scan_report(
            arguments.params(
                scan_report_spec(),
                run_dir=run_dir,
                output_dir="",
                summary_sha256=gate["summary_sha256"],
                decision=gate["decision"],
                decision_sha256=gate["decision_sha256"],
            ),
            context,
        )
    run = open_run(run_dir)
    run = run.with_gate(open_decision(run, gate["decision"]).decision)
    screen, output = surroundings.screen, output_of(arguments)
    screen.end_progress()
    write_output(output, run, _shown(gate["table"], run, is_kept), screen.out)
    screen.out.flush()
    error = ScanError.from_record(gate["error"]) if gate.get("failed") else None
    if error and output != TABLE:
        # the table has the gate's reasons
        screen.say(str(error))
    return exit_status(error.kind.code, error.reason) if error else PASSED


def _shown(table: Sequence[str], run: Run, is_kept: bool) -> Iterator[str]:
    """The lines of the table; a run that goes away is not named."""
    if is_kept:
        yield from table
        return
    yield from takewhile(lambda line: not line.startswith(f"Run {run.run_id}"), table)
    yield "Results: not kept (--output-dir keeps them)"
