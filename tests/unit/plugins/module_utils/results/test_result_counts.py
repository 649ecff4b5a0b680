# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import (
    Counts,
    merge_counts,
    summarize,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
)


@pytest.mark.parametrize(
    ("passed", "failed", "not_reviewed", "not_applicable", "compliance"),
    [
        (0, 0, 0, 0, 0),
        (0, 0, 0, 5, 0),
        (5, 0, 0, 0, 100),
        (1, 1, 0, 9, 50),
        (1, 7, 0, 0, 13),  # 12.5: half up
        (3, 5, 0, 0, 38),  # 37.5: half up, where rounding to even would say 38 too
        (5, 3, 0, 0, 63),  # 62.5: half up, where rounding to even would say 62
        (1, 0, 2, 0, 33),  # what was not reviewed counts against compliance
        (199, 1, 0, 0, 100),  # 99.5 becomes 100, as SAF has it
        (999, 6, 0, 0, 99),
    ],
)
def test_compliance_is_that_of_saf(
    passed: int, failed: int, not_reviewed: int, not_applicable: int, compliance: int
) -> None:
    counts = Counts()
    for status, number in (
        ("passed", passed),
        ("failed", failed),
        ("not_reviewed", not_reviewed),
        ("not_applicable", not_applicable),
    ):
        for _number in range(number):
            counts.add(status, "high")
    assert counts.compliance == compliance


def test_an_error_counts_against_compliance() -> None:
    counts = Counts()
    counts.add("passed", "low")
    counts.add("profile_error", "low")
    assert counts.compliance == 50


def test_summary_of_a_document_with_two_profiles() -> None:
    document = hdf_document(
        make_judgement(
            make_target(),
            make_profile(
                "one", make_control("a", "passed", impact=0.5), make_control("b", "failed", impact=1.0)
            ),
            make_profile(
                "two", make_control("a", "failed", impact=0.3), make_control("c", "skipped", impact=0.05)
            ),
        )
    )
    summary = summarize(document)
    assert [profile.name for profile in summary.profiles] == ["one", "two"]
    assert summary.profiles[0].version == "1.2.0"
    assert summary.profiles[0].ids("failed") == ["b"]
    assert summary.profiles[0].ids("failed", "high") == []
    assert summary.profiles[0].ids("failed", "critical") == ["b"]
    assert summary.counts.by_status() == {
        "passed": 1,
        "failed": 2,
        "not_reviewed": 1,
        "not_applicable": 0,
        "profile_error": 0,
    }
    assert summary.counts.worst_failed == "critical"
    assert summary.profiles[1].counts.worst_failed == "low"
    as_dict = summary.as_dict()
    assert as_dict["failed"] == {"total": 2, "critical": 1, "high": 0, "medium": 0, "low": 1, "none": 0}
    assert as_dict["not_reviewed"]["none"] == 1
    assert (as_dict["controls"], as_dict["compliance"]) == (4, 25)
    assert [profile["name"] for profile in as_dict["profiles"]] == ["one", "two"]
    assert [profile["compliance"] for profile in as_dict["profiles"]] == [50, 0]


def test_a_target_that_no_profile_fits_is_not_judged() -> None:
    """By what a container says of its platform it could choose not to be judged."""
    skipped = make_profile("one", status="skipped", status_message="the platform x is not supported")
    judged = make_profile("two", make_control("a", "passed"))
    for profiles, result in (
        ([skipped], "not_judged"),
        ([skipped, judged], "pass"),
        ([judged], "pass"),
        ([skipped, make_profile("two", make_control("a", "failed"))], "fail"),
    ):
        assert summarize(hdf_document(make_judgement(make_target(), *profiles))).result == result


def test_merging_weighs_every_control_alike() -> None:
    small = summarize(make_document(make_target(), make_control("a", "failed"))).counts
    passed = [make_control(f"c-{index}", "passed") for index in range(9)]
    big = summarize(make_document(make_target(), *passed)).counts
    merged = merge_counts([small, big])
    assert merged.controls == 10
    assert merged.compliance == 90
    assert small.controls == 1, "what is merged is left as it was"
    assert merge_counts([]).controls == 0


def test_nothing_failed() -> None:
    assert Counts().worst_failed == ""
