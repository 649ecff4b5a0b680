# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
    LASTING_LIMITS,
    load_threshold,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

NESTED = """
compliance: {min: 80, max: 100}
passed: {total: {min: 1, max: 9}, critical: {min: 0, max: 9, controls: [b, a]}}
failed: {total: {max: 0}, none: {max: 0}}
skipped: {total: {max: 3}}
error: {total: 0}
no_impact: {total: {max: 9}, none: {max: 9}}
coverage: {min: 99.5}
"""


def test_the_nested_form_sets_every_limit() -> None:
    threshold = load_threshold(NESTED, "t.yml")
    assert threshold.to_json() == {
        "source": "t.yml",
        "limits": {
            "compliance.min": 80,
            "compliance.max": 100,
            "passed.total.min": 1,
            "passed.total.max": 9,
            "passed.critical.min": 0,
            "passed.critical.max": 9,
            "passed.critical.controls": ["a", "b"],
            "failed.total.max": 0,
            "failed.none.max": 0,
            "skipped.total.max": 3,
            "error.total": 0,
            "no_impact.total.max": 9,
            "no_impact.none.max": 9,
            "coverage.min": 99.5,
        },
        "added": [],
    }
    assert threshold.coverage_min == 99.5


@pytest.mark.parametrize(
    "content",
    [
        "failed.total.max: 2\nfailed.total.min: 1\ncompliance.min: 80",
        "failed: {total.max: 2, total: {min: 1}}\ncompliance.min: 80",
        '{"compliance": {"min": 80}, "failed.total": {"max": 2, "min": 1}}',
        {"failed": {"total": {"max": 2, "min": 1}}, "compliance.min": 80},
    ],
)
def test_dotted_nested_and_mixed_keys_all_count(content: Any) -> None:
    assert load_threshold(content, "t.yml").to_json()["limits"] == {
        "compliance.min": 80,
        "failed.total.max": 2,
        "failed.total.min": 1,
    }


def test_without_a_file_no_critical_high_or_error_is_allowed_and_all_is_scanned_and_reviewed() -> None:
    assert DEFAULT_THRESHOLD.to_json()["limits"] == {
        "failed.critical.max": 0,
        "failed.high.max": 0,
        "error.total.max": 0,
        "coverage.min": 100,
        "reviewed.critical.min": 100,
        "reviewed.high.min": 100,
    }
    assert DEFAULT_THRESHOLD.added == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.yml: has no limits"),
        ("# nothing", "has no limits"),
        ({}, "has no limits"),
        ("[]", "has no limits"),
        ("text", "must be keys with limits"),
        ("- failed", "must be keys with limits"),
        ("failed: {total: {max: 0", "line 1: not valid YAML"),
        ("failed: {total: {max: 0}}\nfailed: {total: {max: 9}}", "line 2: the key failed stands twice"),
        ("failed: {total: {max: 0}}\nfailed.total.max: 9", "failed.total.max is given twice"),
        ("fail: {total: {max: 0}}", "unknown key 'fail.total.max', did you mean 'failed.total.max'?"),
        ("failed: {hihg: {max: 0}}", "unknown key 'failed.hihg.max', did you mean 'failed.high.max'?"),
        (
            "failed: {Critical: {max: 0}}",
            "unknown key 'failed.Critical.max', did you mean 'failed.critical.max'?",
        ),
        (
            "failed: {total: {maximum: 0}}",
            "unknown key 'failed.total.maximum', did you mean 'failed.total.max'?",
        ),
        ("failed: {high: 0}", "unknown key 'failed.high', did you mean"),
        ("failed: {total: {controls: [a]}}", "unknown key 'failed.total.controls"),
        ("failed: {total: {max: {is: 0}}}", "unknown key 'failed.total.max.is"),
        ("failed: {total: {max: {is: {so: {deep: 0}}}}}", "unknown key 'failed.total.max.is"),
        ("compliance: 80", "unknown key 'compliance', did you mean 'compliance.min'?"),
        ("compliance: {total: {min: 1}}", "unknown key 'compliance.total.min"),
        ("coverage: {max: 1}", "unknown key 'coverage.max'; expected"),
        ("reviewed: 100", "unknown key 'reviewed', did you mean 'reviewed.min'?"),
        ("reviewed: {max: 1}", "unknown key 'reviewed.max'; expected"),
        ("reviewed: {total: {min: 1}}", "unknown key 'reviewed.total.min'"),
        ("reviewed: {min: 101}", "reviewed.min is a percentage and must not be above 100"),
        ("evidence: {min: exec}", "evidence.min must be one of target, beside, image, found 'exec'"),
        ("evidence: {min: 1}", "evidence.min must be one of target, beside, image, found 1"),
        ("evidence: image", "unknown key 'evidence', did you mean 'evidence.min'?"),
        ("entirely: unknown", "unknown key 'entirely'; expected"),
        ("'': 1", "unknown key '';"),
        ("1: {max: 0}", "unknown key 1: keys are text"),
        ("failed:", "unknown key 'failed"),
        ("failed: {}", "failed holds no limit"),
        ("failed: {total: {}}", "failed.total holds no limit"),
        ("failed: {total: {max:}}", "failed.total.max must be a number, found None"),
        ("failed: {total: {max: zero}}", "failed.total.max must be a number, found 'zero'"),
        ("failed: {total: {max: '0'}}", "failed.total.max must be a number, found '0'"),
        ("failed: {total: {max: no}}", "failed.total.max must be a number, found False"),
        ("failed: {total: {max: [0]}}", "failed.total.max must be a number, found [0]"),
        ("failed: {total: {max: .nan}}", "failed.total.max must be a number, found nan"),
        ("failed: {total: {max: .inf}}", "failed.total.max must be a number, found inf"),
        ("failed: {total: {max: -1}}", "failed.total.max must not be negative"),
        ("failed: {total: {max: 0.5}}", "failed.total.max counts controls and must be a whole number"),
        ("compliance: {min: 101}", "compliance.min is a percentage and must not be above 100"),
        ("failed: {high: {controls: a}}", "failed.high.controls must be a list of control ids"),
        ("failed: {high: {controls: [1]}}", "failed.high.controls must be a list of control ids"),
        ("failed: {high: {controls: [a, a]}}", "failed.high.controls names a control id twice"),
    ],
)
def test_a_threshold_that_is_wrong_is_refused_with_what_is_wrong(content: Any, message: str) -> None:
    with pytest.raises(ScanError) as caught:
        load_threshold(content, "t.yml")
    assert caught.value.reason == "bad_threshold"
    assert message in caught.value.message
    assert "t.yml" in caught.value.message
    attack_ends_as("H-07-thresholds", outcome="bad_threshold")


def test_a_mapping_that_holds_itself() -> None:
    content: dict[str, Any] = {}
    content["failed"] = content
    with pytest.raises(ScanError, match=r"unknown key 'failed\.failed"):
        load_threshold(content, "t.yml")


@pytest.mark.parametrize(
    ("content", "added"),
    [
        (
            "failed.total.max: 0",
            ["error.total.max", "coverage.min", "reviewed.critical.min", "reviewed.high.min"],
        ),
        ("coverage.min: 0", ["error.total.max", "reviewed.critical.min", "reviewed.high.min"]),
        ("error: {low: {max: 1}}", ["coverage.min", "reviewed.critical.min", "reviewed.high.min"]),
        ("reviewed: {low: {min: 1}}", ["error.total.max", "coverage.min"]),
        ("{error.total: 0, coverage.min: 1, reviewed: {min: 0}}", []),
    ],
)
def test_some_limits_hold_unless_the_threshold_names_their_keys(content: str, added: list[str]) -> None:
    own = load_threshold(content, "t.yml")
    lasting = own.with_limits(LASTING_LIMITS)
    assert [limit.key for limit in lasting.added_limits] == added
    assert lasting.to_json()["limits"].items() >= own.to_json()["limits"].items()
    assert lasting.with_limits(LASTING_LIMITS) == lasting
