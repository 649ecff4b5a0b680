# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    STATUS_WORDS,
    control_severity,
    control_status,
)

PASSED, FAILED, SKIPPED, ERROR = ({"status": status} for status in ("passed", "failed", "skipped", "error"))


def control(*results: dict[str, Any], impact: float = 0.5, **fields: Any) -> dict[str, Any]:
    return dict({"impact": impact, "results": list(results), "tags": {}}, **fields)


WAIVED = {"waiver_data": {"skipped_due_to_waiver": True}}


@pytest.mark.parametrize(
    ("made", "status"),
    [
        # rule by rule, each with the one that it beats
        (control(PASSED), "passed"),
        (control(PASSED, SKIPPED), "passed"),
        (control(SKIPPED), "not_reviewed"),
        (control(PASSED, FAILED, SKIPPED), "failed"),
        (control(PASSED, impact=0), "not_applicable"),
        (control(FAILED, impact=0.0), "not_applicable"),
        (control(impact=0), "not_applicable"),
        (control(FAILED, **WAIVED), "not_applicable"),
        (control(**WAIVED), "not_applicable"),
        (control(ERROR, PASSED, FAILED), "profile_error"),
        (control(ERROR, impact=0), "profile_error"),
        (control(ERROR, **WAIVED), "profile_error"),
        (control(), "profile_error"),
        (control({}), "profile_error"),
        (control({"status": None}), "profile_error"),
        (control({"status": None}, PASSED), "passed"),
        # an error is what has a backtrace, an empty one too
        (control({"status": "failed", "backtrace": ["a.rb:1"]}), "profile_error"),
        (control({"status": "passed", "backtrace": []}), "profile_error"),
        (control({"status": "failed", "backtrace": None}), "failed"),
        (control({"status": "failed", "exception": "RuntimeError"}), "failed"),
        # a waiver counts by the truth of JavaScript
        (control(FAILED, waiver_data=None), "failed"),
        (control(FAILED, waiver_data={}), "failed"),
        (control(FAILED, waiver_data={"skipped_due_to_waiver": False}), "failed"),
        (control(FAILED, waiver_data={"skipped_due_to_waiver": ""}), "failed"),
        (control(FAILED, waiver_data={"skipped_due_to_waiver": "false"}), "not_applicable"),
        (control(FAILED, waiver_data={"run": False, "justification": "x"}), "failed"),
        # neither attestation data nor InSpec's own enhanced outcome change anything
        (control(SKIPPED, attestation_data={"status": "passed"}), "not_reviewed"),
        (control(FAILED, status="passed"), "failed"),
    ],
)
def test_status_of_a_control(made: dict[str, Any], status: str) -> None:
    assert control_status(made) == status
    assert status in STATUS_WORDS


@pytest.mark.parametrize(
    ("impact", "severity"),
    [
        (0, "none"),
        (0.09, "none"),
        (0.1, "low"),
        (0.39, "low"),
        (0.4, "medium"),
        (0.69, "medium"),
        (0.7, "high"),
        (0.89, "high"),
        (0.9, "critical"),
        (1, "critical"),
    ],
)
def test_severity_by_impact(impact: float, severity: str) -> None:
    assert control_severity(control(impact=impact)) == severity


@pytest.mark.parametrize(
    ("tags", "severity"),
    [
        ({"severity": "low"}, "low"),
        ({"severity": "Critical"}, "critical"),
        ({"severity": "low", "severityoverride": "HIGH"}, "high"),
        ({"severity": "low", "severityoverride": "severe"}, "low"),
        ({"severity": "severe"}, "medium"),
        ({"severity": None, "severityoverride": None}, "medium"),
        ({"severity": ["low"]}, "medium"),
    ],
)
def test_severity_by_tag(tags: dict[str, Any], severity: str) -> None:
    assert control_severity(control(tags=tags)) == severity


def test_words_are_those_of_hdf() -> None:
    words: list[str] = list(STATUS_WORDS.values())
    assert words == ["Passed", "Failed", "Not Reviewed", "Not Applicable", "Profile Error"]
