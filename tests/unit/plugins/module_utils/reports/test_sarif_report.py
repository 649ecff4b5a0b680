# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF: rules that its golden file and its readers do not show."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import sarif
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.tests.support.cases_run import write_cases_run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    rendered,
    write_run,
)

CONTROLS = [make_control(f"c-{index}", "failed", impact=0.7) for index in range(10)]


def runs(folder: pathlib.Path, number: int, **fields: Any) -> list[dict[str, Any]]:
    targets = [make_target(f"api-{index}") for index in range(number)]
    path = write_run(folder, "run-1", [(one, make_document(one, *CONTROLS)) for one in targets], **fields)
    found: list[dict[str, Any]] = json.loads(rendered(sarif.REPORT, open_run(str(path))))["runs"]
    return found


def test_a_run_of_sarif_has_no_more_results_than_a_reader_takes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 25)
    found = runs(tmp_path, 5)
    assert [len(one["results"]) for one in found] == [20, 20, 10]
    ids = [one["automationDetails"]["id"] for one in found]
    assert ids == [f"securescan.kubernetes/demo/{number}/run-1" for number in (1, 2, 3)]
    for one in found:
        rules = one["tool"]["driver"]["rules"]
        assert len(rules) == 10, "each run has its rules"
        assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in one["results"])


def test_a_cluster_whose_name_has_slashes_stays_before_the_last_one(tmp_path: pathlib.Path) -> None:
    (one,) = runs(tmp_path, 1, cluster="arn:aws:eks/a/b")
    assert one["automationDetails"]["id"] == "securescan.kubernetes/arn%3Aaws%3Aeks%2Fa%2Fb/1/run-1"


def test_replicas_have_the_same_fingerprints_and_places(tmp_path: pathlib.Path) -> None:
    (one,) = runs(tmp_path, 2)
    marks = [result["partialFingerprints"]["placeAndControl/v1"] for result in one["results"]]
    assert marks[:10] == marks[10:] and len(set(marks)) == 10
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in one["results"]
    }
    assert places == {"demo/shop/Deployment/api/app"}


def test_what_is_not_known_makes_the_execution_unsuccessful(tmp_path: pathlib.Path) -> None:
    (good,) = runs(tmp_path / "good", 1)
    assert good["invocations"][0]["executionSuccessful"] is True
    run = write_cases_run(tmp_path / "cases")
    for report in (sarif.REPORT, sarif.REPORT_OF_PROBLEMS):
        (bad,) = json.loads(rendered(report, run))["runs"]
        (invocation,) = bad["invocations"]
        assert invocation["executionSuccessful"] is False
        notes = [note["descriptor"]["id"] for note in invocation["toolExecutionNotifications"]]
        assert sorted(notes) == ["not_judged", "not_scanned", "not_scanned", "profile_error", "unread"]


def test_a_run_without_targets_is_valid(tmp_path: pathlib.Path) -> None:
    (one,) = runs(tmp_path, 0)
    assert one["results"] == [] and one["tool"]["driver"]["rules"] == []
