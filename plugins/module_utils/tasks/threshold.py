# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_threshold`: a run's folder in, the gate's decision out, also in the run's summary."""

from __future__ import annotations

import pathlib
from typing import Any

from ..errors import ScanError
from ..options.spec import Params
from ..options.threshold import ThresholdOptions
from ..reports.table import render_table
from ..reports.wording import reason_lines
from ..results.comparison import Failures, failures_of_run
from ..results.decision import Decision
from ..results.gate import decide
from ..results.run import Run, open_earlier_run, open_run
from ..results.run_folder import RunFolder
from ..results.status import PROFILE_ERROR
from .context import TaskContext

_LISTED_IN_RESULT = 10


def run_scan_threshold(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), failed, msg, gate, files, table (lines for a terminal), error."""
    options = ThresholdOptions.from_params(params)
    run = open_run(options.run_dir)
    decision = decide(
        options.threshold, run.documents(), run.expected_targets(), _baseline(options.baseline, run)
    )
    run = run.with_gate(decision)
    files: list[str] = []
    if not context.check_mode:
        run_dir = pathlib.Path(options.run_dir).resolve()
        files = [str(RunFolder(str(run_dir.parent), run_dir.name).write_summary(run))]
    result: dict[str, Any] = {
        "changed": False,
        "gate": _as_result(decision, run),
        "files": files,
        "table": render_table(run).splitlines(),
    }
    failure = _failure(options.fail_on, decision, run)
    if failure:
        result.update(
            failed=True, msg=str(failure), error={"code": failure.kind.code, "reason": failure.reason}
        )
    return result


def _baseline(path: str | None, run: Run) -> Failures | None:
    """What failed in the baseline run. A run compared with itself never has new failures."""
    if path is None:
        return None
    baseline = open_earlier_run(path)
    if baseline.run_id == run.run_id:
        raise ScanError(
            "bad_option",
            f"{path} is the run that is judged; the link `latest` points to it since it was scanned",
            tried="reading the option baseline",
            advice="Name the folder of an earlier run.",
        )
    return failures_of_run(baseline)


def _as_result(decision: Decision, run: Run) -> dict[str, Any]:
    """The decision as a task's result holds it: short, whatever the size of the run."""
    return {
        "passed": decision.passed,
        "coverage": decision.coverage,
        "baseline": decision.baseline,
        "new_failures": len(decision.new_failures),
        "added_limits": {limit.key: limit.value for limit in decision.threshold.added_limits},
        "reason_count": len(decision.reasons),
        "reasons": reason_lines(run)[:_LISTED_IN_RESULT],
    }


def _failure(fail_on: str, decision: Decision, run: Run) -> ScanError | None:
    """The error that the task ends with, or None."""
    if fail_on == "gate" and not decision.passed:
        return ScanError(
            "gate_failed",
            f"{len(decision.reasons)} reasons, the first: {reason_lines(run)[0]}",
            tried="judging the run",
        )
    if fail_on == "error":
        counts = run.target_counts
        errors = run.controls.of(PROFILE_ERROR)
        if counts.not_scanned or counts.not_judged or errors:
            return ScanError(
                "gate_failed",
                f"{counts.not_scanned} containers were not scanned, {counts.not_judged} were not judged, "
                f"{errors} controls ended in a profile error",
                tried="judging the run",
            )
    return None
