# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
    is_overdue,
    load_deadlines,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
POLICY = """
default:
  scan_every_hours: 168
  fix_within_days: {critical: 7, high: 30, medium: 90}
environments:
  production:
    scan_every_hours: 24
    fix_within_days: {critical: 0.5, medium: never}
  sandbox: {scan_every_hours: never}
"""


def test_an_environment_goes_before_the_default_key_by_key() -> None:
    policy = load_deadlines(POLICY, "deadlines.yml")
    assert [policy.scan_every(name) for name in ("production", "sandbox", "", "other")] == [
        86400,
        None,
        604800,
        604800,
    ]
    assert [
        policy.fix_within(severity, "production") for severity in ("critical", "high", "medium", "low")
    ] == [
        0.5,
        30,
        None,
        None,
    ]
    assert policy.fix_within("critical", "sandbox") == 7


def test_the_moment_that_something_is_due_at() -> None:
    policy = load_deadlines(POLICY, "deadlines.yml")
    assert policy.scan_due("production", NOW) == NOW + timedelta(hours=24)
    assert policy.fix_due("critical", "production", NOW) == NOW + timedelta(hours=12)
    assert policy.scan_due("sandbox", NOW) is None and policy.fix_due("none", "", NOW) is None
    latest = datetime.max.replace(tzinfo=timezone.utc)
    assert policy.scan_due("", latest) == latest
    assert [is_overdue(due, NOW) for due in (None, NOW, NOW - timedelta(seconds=1))] == [False, False, True]


def test_a_policy_can_be_made_again_of_what_it_was_given() -> None:
    policy = load_deadlines(POLICY, "deadlines.yml")
    assert DeadlinePolicy.of_mapping(policy.as_given) == policy


def test_slips_are_named() -> None:
    for text, said in {
        "": "must hold default or environments",
        "defaults: {scan_every_hours: 1}": "unknown key 'defaults', did you mean 'default'?",
        "default: {}": "default must hold scan_every_hours or fix_within_days",
        "default: {scan_every_hour: 1}": "default: unknown key 'scan_every_hour', did you mean 'scan_every_hours'?",
        "default: {scan_every_hours: 0}": "default.scan_every_hours must be above 0",
        "default: {scan_every_hours: -1}": "must be above 0",
        "default: {scan_every_hours: true}": "must be a number or never, found True",
        "default: {scan_every_hours: .nan}": "must be a number or never",
        "default: {scan_every_hours: 87841}": "at most 87840",
        "default: {scan_every_hours: 1 day}": "must be a number or never, found '1 day'",
        "default: {fix_within_days: {}}": "must be severities with days",
        "default: {fix_within_days: 3}": "must be severities with days",
        "default: {fix_within_days: {hgih: 3}}": "unknown severity 'hgih', did you mean 'high'?",
        "environments: {production: {fix_within_days: {high: null}}}": "environments.production.fix_within_days.high",
        "environments: {' prod': {scan_every_hours: 1}}": "' prod' is no name",
        "environments: [production]": "environments must be at most",
    }.items():
        with pytest.raises(ScanError) as caught:
            load_deadlines(text, "deadlines.yml")
        assert caught.value.reason == "bad_deadlines"
        assert caught.value.message.startswith("deadlines.yml") and said in caught.value.message, caught.value
