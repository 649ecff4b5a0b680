# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_threshold`: a run's folder in, the gate's decision out, also in the run's summary."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ..errors import ScanError
from ..options.spec import Params
from ..options.threshold import ThresholdOptions
from ..reports.table import render_table
from ..reports.wording import reason_lines
from ..results.decision import Decision, Reason
from ..results.folder_owners import check_folder
from ..results.gate import decide
from ..results.limits import NEW_FAILURES_KEY
from ..results.run import Run, open_run
from ..results.run_check import RunCheck, age_text, check_cluster, seconds_since
from ..results.run_folder import RunFolder, summary_sha256
from ..results.status import PROFILE_ERROR
from ..safe_text import one_line
from .baseline import read_baseline
from .context import TaskContext

_LISTED_IN_RESULT = 10


def run_scan_threshold(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), failed, msg, run_id, age, summary_sha256, gate, files, table (lines for a
    terminal), error."""
    options = ThresholdOptions.from_params(params)
    context.warnings += check_folder(options.run_dir, options.allow_shared_folder)
    run, now = open_run(options.run_dir), datetime.now(timezone.utc)
    check_cluster(run, options.cluster_name)
    baseline = read_baseline(options.baseline, run, options.allow_shared_folder)
    context.warnings += baseline.warnings
    check = RunCheck(run, now, sha256=options.summary_sha256, max_age=options.max_age)
    decision = decide(
        options.threshold.without(NEW_FAILURES_KEY) if baseline.is_first else options.threshold,
        check.documents(),
        run.expected_targets(),
        baseline.failures,
        check.reasons,
        is_empty=run.is_empty,
    )
    run, sha256 = run.with_gate(decision), run.sha256
    files: list[str] = []
    if not context.check_mode:
        run_dir = pathlib.Path(options.run_dir).resolve()
        files = [str(RunFolder(str(run_dir.parent), run_dir.name).write_summary(run))]
        sha256 = summary_sha256(run)
    age = seconds_since(run, now)
    result: dict[str, Any] = {
        "changed": False,
        "run_id": run.run_id,
        "age": None if age is None else int(age),
        "summary_sha256": sha256,
        "gate": _as_result(decision, run),
        "files": files,
        "table": [
            *render_table(run, context.columns, options.table).splitlines(),
            *_origin(run, age, sha256),
            *filter(None, [baseline.line]),
        ],
    }
    failure = _failure(options.fail_on, decision, run, check.reasons)
    if failure:
        result.update(
            failed=True, msg=str(failure), error={"code": failure.kind.code, "reason": failure.reason}
        )
    return result


def _origin(run: Run, age: float | None, sha256: str) -> list[str]:
    """Which run was judged and where it is, for whoever reads the job's output."""
    seen = "at a time that is not known" if age is None else f"{age_text(max(age, 0))} ago"
    return [
        f"Run {one_line(run.run_id, 63)}, scanned {seen}. SHA-256 of its summary:",
        sha256,
        f"Results: {pathlib.Path(run.folder).resolve()}",
    ]


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


def _failure(fail_on: str, decision: Decision, run: Run, of_check: Sequence[Reason]) -> ScanError | None:
    """The error that the task ends with, or None.

    :param of_check: why the run is not the one that was to be judged; then its numbers say nothing
    """
    if fail_on == "gate" and not decision.passed:
        return ScanError(
            "gate_failed",
            f"{len(decision.reasons)} reasons, the first: {reason_lines(run)[0]}",
            tried="judging the run",
        )
    if fail_on == "error" and of_check:
        return ScanError("gate_failed", of_check[0].text, tried="judging the run")
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
