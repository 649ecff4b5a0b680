# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_threshold`: a run's folder in, the gate's decision and the reports out."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

from ..errors import ScanError
from ..reports.junit import render_junit
from ..reports.markdown import render_markdown
from ..reports.table import render_table
from ..reports.wording import reason_lines
from ..results.comparison import Failures, failures_of_summary
from ..results.decision import Decision
from ..results.run_folder import GATE_JUNIT, SUMMARY_MARKDOWN, RunFolder, read_run, read_summary_of
from ..results.run_summary import expected_targets, with_gate
from ..results.status import PROFILE_ERROR
from ..results.threshold import DEFAULT_THRESHOLD, Threshold, decide, load_threshold
from .context import TaskContext

_LISTED_IN_RESULT = 10


def run_scan_threshold(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), failed, msg, gate, files, table (lines for a terminal), error."""
    threshold = _threshold(params)
    summary, documents = read_run(params["run_dir"])
    decision = decide(threshold, documents, expected_targets(summary), _baseline(params["baseline"], summary))
    summary = with_gate(summary, decision)
    files: list[str] = []
    if not context.check_mode:
        run_dir = pathlib.Path(params["run_dir"]).resolve()
        folder = RunFolder(str(run_dir.parent), run_dir.name)
        files = [
            str(folder.write_summary(summary)),
            str(folder.write_report(SUMMARY_MARKDOWN, render_markdown(summary))),
            str(folder.write_report(GATE_JUNIT, render_junit(summary))),
        ]
    result: dict[str, Any] = {
        "changed": False,
        "gate": _shown(decision, summary),
        "files": files,
        "table": render_table(summary).splitlines(),
    }
    failure = _failure(params["fail_on"], decision, summary)
    if failure:
        result.update(
            failed=True, msg=str(failure), error={"code": failure.kind.code, "reason": failure.reason}
        )
    return result


def _threshold(params: Mapping[str, Any]) -> Threshold:
    """None means the default; anything else that is no limits at all is a mistake that must not open the
    gate."""
    if params["threshold"] is None:
        return DEFAULT_THRESHOLD
    if not isinstance(params["threshold"], Mapping):
        raise ScanError(
            "bad_threshold",
            "the threshold is {}, not keys with limits".format(type(params["threshold"]).__name__),
            tried="reading the options",
        )
    return load_threshold(params["threshold"], params["threshold_source"])


def _baseline(path: str | None, summary: Mapping[str, Any]) -> Failures | None:
    """What failed in the baseline run. A run compared with itself would have no new failure, whatever
    failed."""
    if path is None:
        return None
    baseline = read_summary_of(path)
    if baseline["run_id"] == summary["run_id"]:
        raise ScanError(
            "bad_option",
            f"{path} is the run that is judged; the link `latest` points to it since it was scanned",
            tried="reading the option baseline",
            advice="Name the folder of an earlier run.",
        )
    return failures_of_summary(baseline)


def _shown(decision: Decision, summary: Mapping[str, Any]) -> dict[str, Any]:
    """The decision as a task's result holds it: short, whatever the size of the run."""
    return {
        "passed": decision.passed,
        "coverage": decision.coverage,
        "baseline": decision.baseline,
        "new_failures": len(decision.new_failures),
        "reason_count": len(decision.reasons),
        "reasons": reason_lines(summary)[:_LISTED_IN_RESULT],
    }


def _failure(fail_on: str, decision: Decision, summary: Mapping[str, Any]) -> ScanError | None:
    """The error that the task ends with, or None."""
    if fail_on == "gate" and not decision.passed:
        return ScanError(
            "gate_failed",
            f"{len(decision.reasons)} reasons, the first: {reason_lines(summary)[0]}",
            tried="judging the run",
        )
    if fail_on == "error":
        not_scanned = summary["target_counts"]["not_scanned"]
        errors = summary["controls"][PROFILE_ERROR]["total"]
        if not_scanned or errors:
            return ScanError(
                "gate_failed",
                f"{not_scanned} containers were not scanned, {errors} controls ended in a profile error",
                tried="judging the run",
            )
    return None
