# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import (
    EVIDENCE_BESIDE,
    EVIDENCE_IMAGE,
    EVIDENCE_TARGET,
    GRADES,
    Doubt,
    Evidence,
    document_evidence,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.producer import PASSTHROUGH
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
)

KEPT_SHELL = "The scanner's shell waited in the pod since an earlier scan."


def document_with(evidence: Any) -> dict[str, Any]:
    document = make_document(make_target(), make_control("c-1", "passed"))
    document["passthrough"][PASSTHROUGH]["scan"]["evidence"] = evidence
    return document


def test_the_grades_stand_from_the_worst_to_the_best() -> None:
    assert GRADES == (EVIDENCE_TARGET, EVIDENCE_BESIDE, EVIDENCE_IMAGE) == ("target", "beside", "image")


@pytest.mark.parametrize("asked", GRADES)
@pytest.mark.parametrize("grade", GRADES)
def test_evidence_is_as_good_as_its_own_grade_and_the_worse_ones(grade: str, asked: str) -> None:
    assert Evidence(grade).is_at_least(asked) == (GRADES.index(grade) >= GRADES.index(asked))


def test_a_doubt_lowers_to_a_worse_grade_and_never_raises() -> None:
    beside = Evidence(EVIDENCE_BESIDE)
    assert beside.lowered_by([Doubt(KEPT_SHELL)]) == Evidence(EVIDENCE_BESIDE, (KEPT_SHELL,))
    assert beside.lowered_by([Doubt("Open.", EVIDENCE_TARGET)]) == Evidence(EVIDENCE_TARGET, ("Open.",))
    assert Evidence(EVIDENCE_TARGET).lowered_by([Doubt(KEPT_SHELL, EVIDENCE_BESIDE)]).grade == EVIDENCE_TARGET
    assert beside.lowered_by([]) == beside


def test_each_reason_stands_once() -> None:
    twice = Evidence(EVIDENCE_BESIDE).lowered_by([Doubt(KEPT_SHELL), Doubt("Open."), Doubt(KEPT_SHELL)])
    assert twice.lowered_by([Doubt("Open.")]).reasons == (KEPT_SHELL, "Open.")


def test_a_document_says_what_evidence_it_rests_on() -> None:
    evidence = Evidence(EVIDENCE_BESIDE, (KEPT_SHELL,))
    document = document_with(evidence.to_json())
    assert evidence.to_json() == {"grade": "beside", "reasons": [KEPT_SHELL]}
    assert document_evidence(read_hdf(json.dumps(document).encode(), "x.json")) == evidence


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"passthrough": None},
        {"passthrough": {"other": 1}},
        {"passthrough": {PASSTHROUGH: {"scan": []}}},
        document_with(None),
        make_document(make_target(), make_control("c-1", "passed")),
    ],
    ids=["foreign", "null", "foreign passthrough", "scan is a list", "null evidence", "older"],
)
def test_a_document_that_says_nothing_of_it_has_no_evidence(document: dict[str, Any]) -> None:
    assert document_evidence(document) is None


@pytest.mark.parametrize(
    ("evidence", "problem"),
    [
        ("image", "scan.evidence is missing or of another type"),
        ({}, "scan.evidence.grade is missing or of another type"),
        ({"grade": "Image", "reasons": []}, "scan.evidence.grade must be one of target, beside, image"),
        ({"grade": "image"}, "scan.evidence.reasons is missing or of another type"),
        ({"grade": "image", "reasons": "none"}, "scan.evidence.reasons is missing or of another type"),
        ({"grade": "image", "reasons": [1]}, "scan.evidence.reasons is missing or of another type"),
    ],
)
def test_a_document_with_anything_else_in_its_place_is_refused(evidence: Any, problem: str) -> None:
    with pytest.raises(ScanError) as caught:
        read_hdf(json.dumps(document_with(evidence)).encode(), "x.json")
    assert (caught.value.reason, caught.value.message) == ("bad_results", f"x.json: {problem}")
