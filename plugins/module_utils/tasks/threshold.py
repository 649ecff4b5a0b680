# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_threshold`: a run's folder in, the gate's decision out, which is also kept with the run."""

from __future__ import annotations

import os
import pathlib
import pwd
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ..errors import ScanError
from ..options.spec import Params
from ..options.threshold import ThresholdOptions
from ..reports.table import render_table
from ..reports.wording import reason_lines
from ..results.deadlines import Overdue
from ..results.decision import Decision, Reason
from ..results.decisions import KeptDecision, keep_decision
from ..results.folder_owners import check_folder
from ..results.gate import decide
from ..results.limits import NEW_FAILURES_KEY
from ..results.run import Run, open_run
from ..results.run_check import RunCheck, age_text, check_cluster, seconds_since
from ..safe_text import one_line
from ..text_layout import number_of
from ..times import api_time
from .baseline import read_baseline
from .context import TaskContext
from .gate_failure import error_failure, gate_failure

_LISTED_IN_RESULT = 10
_LISTED_DECISIONS = 20


def run_scan_threshold(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), failed, msg, run_id, age, summary_sha256, gate, decision, decision_sha256,
    decisions, files, table (lines for a terminal), error."""
    options = ThresholdOptions.from_params(params)
    context.warnings += check_folder(options.run_dir, options.allow_shared_folder)
    run = open_run(str(pathlib.Path(options.run_dir).resolve()))
    now = datetime.now(timezone.utc)
    check_cluster(run, options.cluster_name)
    signed = options.trust.check(run.folder, run.sha256)
    baseline = read_baseline(options.baseline, run, options.allow_shared_folder, options.trust)
    context.warnings += baseline.warnings
    check = RunCheck(run, now, sha256=options.summary_sha256, max_age=options.max_age)
    decision = decide(
        options.threshold.without(NEW_FAILURES_KEY) if baseline.is_first else options.threshold,
        check.documents(),
        run.expected_targets(),
        baseline.failures,
        check.reasons,
        is_empty=run.is_empty,
        not_compared=baseline.not_compared,
        overdue=_overdue(run, now),
    )
    decision = replace(decision, decided_at=api_time(now), decided_by=_user())
    kept = keep_decision(run, decision, context.check_mode)
    shown, run = kept[-1], run.with_gate(kept[-1].decision)
    age = seconds_since(run, now)
    sha256 = shown.sha256 if shown.is_first and not context.check_mode else run.sha256
    result: dict[str, Any] = {
        "changed": False,
        "run_id": run.run_id,
        "age": None if age is None else int(age),
        "summary_sha256": sha256,
        "gate": _as_result(shown.decision, run),
        "decision": str(shown.file),
        "decision_sha256": shown.sha256,
        "decisions": [_in_short(one) for one in kept[-_LISTED_DECISIONS:]],
        "files": [] if context.check_mode else [str(shown.file)],
        "table": [
            *render_table(run, context.columns, options.table).splitlines(),
            *_which(kept),
            *_origin(run, age, sha256),
            *([f"Signed by the key {signed.keyid}"] if signed else []),
            *filter(None, [baseline.line]),
        ],
    }
    failure = _failure(options.fail_on, shown.decision, run, check.reasons)
    if failure:
        result.update(failed=True, msg=str(failure), error=failure.record())
    return result


def _overdue(run: Run, now: datetime) -> Overdue | None:
    """What is late now; None for a run without deadlines, and for one whose file of them cannot be used, of which its check
    tells."""
    try:
        return run.deadlines.overdue(now) if run.deadlines else None
    except ScanError:
        return None


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
        "kind": decision.kind,
        "decided_at": decision.decided_at,
        "decided_by": decision.decided_by,
        "coverage": decision.coverage,
        "baseline": decision.baseline,
        "new_failures": len(decision.new_failures),
        "added_limits": {limit.key: limit.value for limit in decision.threshold.added_limits},
        "reason_count": len(decision.reasons),
        "reason_counts": decision.reason_counts,
        "reasons": reason_lines(run)[:_LISTED_IN_RESULT],
    }


def _in_short(kept: KeptDecision) -> dict[str, Any]:
    """One decision of the run, for whoever asks what was decided on it, when and by what."""
    decision = kept.decision
    return {
        "decided_at": decision.decided_at,
        "decided_by": decision.decided_by,
        "passed": decision.passed,
        "threshold": decision.threshold.source,
        "path": str(kept.file),
    }


def _which(kept: Sequence[KeptDecision]) -> list[str]:
    """Which of a run's decisions is shown, where there is more than one."""
    shown = kept[-1]
    if len(kept) == 1:
        return []
    at = shown.decision.decided_at or "an earlier release's time"
    first = next((one for one in kept if one.is_first), None)
    return [
        f"This is the decision of {one_line(at, 40)}, one of {number_of(len(kept), 'decision')} on the run: {shown.file}",
        *(
            [
                f"The first, {'PASSED' if first.decision.passed else 'FAILED'} by "
                f"{one_line(first.decision.threshold.source, 100)}, stays in {first.file}"
            ]
            if first is not None and first is not shown
            else []
        ),
    ]


def _user() -> str:
    """Who runs this, by the name on this machine."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _failure(fail_on: str, decision: Decision, run: Run, of_check: Sequence[Reason]) -> ScanError | None:
    """The error that the task ends with, or None."""
    if fail_on == "gate":
        return gate_failure(decision, run)
    return error_failure(run, of_check) if fail_on == "error" else None
