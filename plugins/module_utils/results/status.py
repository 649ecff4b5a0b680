# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words for what became of a control and of a target, and the rules for a control's status and severity.

The rules are those of InSpec's reports as Heimdall and the SAF CLI apply them, and stand only here. They work on a
control of an HDF document; the document must have been checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PASSED = "passed"
FAILED = "failed"
NOT_REVIEWED = "not_reviewed"
NOT_APPLICABLE = "not_applicable"
PROFILE_ERROR = "profile_error"

# The outcome of a target: whether there are results of it.
SCANNED = "scanned"
NOT_SCANNED = "not_scanned"

# The result of a target that was scanned; one that was not has NOT_SCANNED as its result too.
PASS = "pass"  # noqa: S105 - a result, not a password
FAIL = "fail"
# Nothing speaks against the target, but too little of it was reviewed to say that it passed.
NOT_JUDGED = "not_judged"
RESULTS: tuple[str, ...] = (PASS, FAIL, NOT_JUDGED, NOT_SCANNED)

# In the order in which reports show them.
STATUS_WORDS: dict[str, str] = {
    PASSED: "Passed",
    FAILED: "Failed",
    NOT_REVIEWED: "Not Reviewed",
    NOT_APPLICABLE: "Not Applicable",
    PROFILE_ERROR: "Profile Error",
}
STATUSES: tuple[str, ...] = tuple(STATUS_WORDS)

# Of several replicas of one place, the first of these counts.
WORST_FIRST: tuple[str, ...] = (FAILED, PROFILE_ERROR, NOT_REVIEWED, PASSED, NOT_APPLICABLE)

# Worst first.
SEVERITIES: tuple[str, ...] = ("critical", "high", "medium", "low", "none")

# Controls of these severities must have been reviewed, where nobody decides otherwise.
MUST_BE_REVIEWED: tuple[str, ...] = ("critical", "high")

# An impact below the number has the severity; 0.9 and above is critical.
_IMPACT_STEPS: tuple[tuple[float, str], ...] = ((0.1, "none"), (0.4, "low"), (0.7, "medium"), (0.9, "high"))


def _is_truthy(value: Any) -> bool:
    """Truth as JavaScript has it, for that is what the readers of HDF apply: an empty list counts as true."""
    return isinstance(value, (list, dict)) or bool(value)


def segment_status(segment: Mapping[str, Any]) -> str:
    """passed, failed, skipped or error: of one test of a control."""
    return "error" if _is_truthy(segment.get("backtrace")) else segment.get("status") or ""


def is_waived(control: Mapping[str, Any]) -> bool:
    """Whether a waiver in force sets the control aside."""
    return _is_truthy((control.get("waiver_data") or {}).get("skipped_due_to_waiver"))


def control_status(control: Mapping[str, Any]) -> str:
    """One of STATUSES. An error beats all; a waiver in force or impact 0 comes next; no segments is an error."""
    segments = {segment_status(segment) for segment in control["results"]}
    if "error" in segments:
        return PROFILE_ERROR
    if is_waived(control) or control["impact"] == 0:
        return NOT_APPLICABLE
    if "failed" in segments:
        return FAILED
    if "passed" in segments:
        return PASSED
    if "skipped" in segments:
        return NOT_REVIEWED
    return PROFILE_ERROR


def control_severity(control: Mapping[str, Any]) -> str:
    """One of SEVERITIES: the tag `severityoverride`, else the tag `severity`, else by impact.

    Tags count in any case. SAF recognises `Critical` too, but counts it in no bucket, so that a failed Critical
    control escapes `failed.critical.max`; here it is critical.
    """
    for name in ("severityoverride", "severity"):
        tag = control["tags"].get(name)
        if isinstance(tag, str) and tag.lower() in SEVERITIES:
            return tag.lower()
    for limit, severity in _IMPACT_STEPS:
        if control["impact"] < limit:
            return severity
    return "critical"
