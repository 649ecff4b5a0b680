# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import (
    MANUAL as MANUAL_TEXT,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decision import (
    Decision,
    ExpectedTarget,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Segment
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
    LASTING_LIMITS,
    load_threshold,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
)

ONE, TWO = make_target("api-1"), make_target("api-2")
GOOD = make_control("good", "passed")
BAD = make_control("bad", "failed", impact=1.0)
NO_FAILURES = load_threshold({"failed": {"total": {"max": 0}}}, "t.yml")
ANY_COVERAGE = load_threshold({"failed": {"total": {"max": 0}}, "coverage": {"min": 0}}, "t.yml")
NOT_THERE = {"reason": "no_such_program"}


def expect(*targets: tuple[Any, str]) -> list[ExpectedTarget]:
    return [ExpectedTarget(target.target_id, outcome) for target, outcome in targets]


def keys(decision: Decision) -> list[tuple[str, str, str]]:
    return [(reason.target_id, reason.profile, reason.key) for reason in decision.reasons]


def test_every_target_meets_the_limits() -> None:
    decision = decide(
        DEFAULT_THRESHOLD,
        [("1.json", make_document(ONE, GOOD)), ("2.json", make_document(TWO, GOOD))],
        expect((ONE, "scanned"), (TWO, "scanned")),
    )
    assert decision.passed
    assert decision.reasons == ()
    assert [(target.target_id, target.passed, target.outcome) for target in decision.targets] == [
        (ONE.target_id, True, "scanned"),
        (TWO.target_id, True, "scanned"),
    ]
    assert decision.coverage == 100


def test_one_target_does_not_meet_them() -> None:
    decision = decide(
        DEFAULT_THRESHOLD,
        [("1.json", make_document(ONE, GOOD)), ("2.json", make_document(TWO, GOOD, BAD))],
        expect((ONE, "scanned"), (TWO, "scanned")),
    )
    assert not decision.passed
    assert keys(decision) == [(TWO.target_id, "baseline", "failed.critical.max")]
    reason = decision.reasons[0]
    assert (reason.limit, reason.found) == (0, 1)
    assert reason.text == "failed.critical.max: found 1 (bad), must be at most 0"
    assert [target.passed for target in decision.targets] == [True, False]


def test_every_profile_is_judged_on_its_own() -> None:
    """A failure in the second profile counts, and a second profile does not dilute the first."""
    document = hdf_document(make_judgement(ONE, make_profile("first", GOOD), make_profile("second", BAD)))
    assert keys(decide(NO_FAILURES, [("1.json", document)], [])) == [
        (ONE.target_id, "second", "failed.total.max")
    ]
    half = load_threshold({"compliance": {"min": 50}}, "t.yml")
    assert keys(decide(half, [("1.json", document)], [])) == [(ONE.target_id, "second", "compliance.min")]


def test_all_unmet_limits_are_reasons_and_not_the_first_alone() -> None:
    threshold = load_threshold(
        {
            "failed": {"total": {"max": 0}, "critical": {"max": 0}},
            "compliance": {"min": 80},
            "passed": {"total": {"min": 5}},
        },
        "t.yml",
    )
    decision = decide(threshold, [("1.json", make_document(ONE, GOOD, BAD))], [])
    assert [reason.text for reason in decision.reasons] == [
        "failed.total.max: found 1 (bad), must be at most 0",
        "failed.critical.max: found 1 (bad), must be at most 0",
        "compliance.min: found 50 %, must be at least 80 %",
        "passed.total.min: found 1, must be at least 5",
    ]


MIXED = (
    make_control("p-1", "passed", impact=1.0),
    make_control("p-2", "passed", impact=0.5),
    make_control("f-1", "failed", impact=0.7),
    make_control("f-2", "failed", impact=0.3),
    make_control("f-3", "failed", impact=0.05),
    make_control("s-1", "skipped", impact=0.5),
    make_control("n-1", "passed", impact=0),
    make_control("e-1", "error", impact=0.9),
)


@pytest.mark.parametrize(
    ("limits", "passed"),
    [
        ({"compliance.min": 28.57}, True),
        ({"compliance.min": 29}, False),
        ({"compliance.min": 30}, False),
        ({"compliance.max": 29}, True),
        ({"compliance.max": 28}, False),
        ({"compliance.max": 0}, False),
        ({"passed.total": 2}, True),
        ({"passed.total": 1}, False),
        ({"passed.total": 3}, False),
        ({"passed.total.min": 2}, True),
        ({"passed.total.min": 3}, False),
        ({"passed.total.max": 2}, True),
        ({"passed.total.max": 1}, False),
        ({"passed.critical.min": 1}, True),
        ({"passed.critical.min": 2}, False),
        ({"failed.total.max": 3}, True),
        ({"failed.total.max": 2}, False),
        ({"failed.high.max": 1}, True),
        ({"failed.high.max": 0}, False),
        ({"failed.none.max": 1}, True),
        ({"failed.none.max": 0}, False),
        ({"failed.medium.max": 0}, True),
        ({"skipped.total.max": 1}, True),
        ({"skipped.total.max": 0}, False),
        ({"error.total.max": 1}, True),
        ({"error.total.max": 0}, False),
        ({"error.critical.max": 0}, False),
        ({"no_impact.total.max": 1}, True),
        ({"no_impact.total.max": 0}, False),
        ({"no_impact.total.min": 2}, False),
        ({"no_impact.none.min": 1}, True),
        ({"no_impact.none.max": 0}, False),
        ({"failed.high.controls": ["f-1"]}, True),
        ({"failed.high.controls": ["f-2"]}, False),
        ({"failed.high.controls": []}, False),
        ({"failed.high.controls": ["f-1", "f-2"]}, False),
        ({"failed.critical.controls": []}, True),
    ],
)
def test_a_limit_decides_by_the_counts_of_a_document(limits: dict[str, Any], passed: bool) -> None:
    decision = decide(load_threshold(limits, "t.yml"), [("1.json", make_document(ONE, *MIXED))], [])
    assert decision.passed is passed
    assert [reason.key for reason in decision.reasons] == ([] if passed else list(limits))


def test_ids_that_are_missing_and_that_are_too_many_are_named() -> None:
    threshold = load_threshold({"failed": {"high": {"controls": ["x", "y"]}}}, "t.yml")
    reason = decide(threshold, [("1.json", make_document(ONE, *MIXED))], []).reasons[0]
    assert reason.text == "failed.high.controls: must be exactly those listed: missing x, y; not listed f-1"
    assert (reason.limit, reason.found) == (["x", "y"], ["f-1"])


def test_many_controls_are_named_in_part() -> None:
    document = make_document(ONE, *(make_control(f"c-{index}", "failed") for index in range(8)))
    assert decide(NO_FAILURES, [("1.json", document)], []).reasons[0].text == (
        "failed.total.max: found 8 (c-0, c-1, c-2, c-3, c-4 and 3 more), must be at most 0"
    )


def ended_with_an_error(document: dict[str, Any]) -> dict[str, Any]:
    document["passthrough"]["securescan_kubernetes"]["error"] = {"reason": "timed_out"}
    return document


# How it fails closed: documents, expected targets, (target of the reason, key, part of the text).
FAIL_CLOSED: dict[str, tuple[Sequence[tuple[str, Any]], list[ExpectedTarget], list[tuple[str, str, str]]]] = {
    "nothing at all": ([], [], [("", "documents", "no results to judge")]),
    "only targets that were not scanned": (
        [],
        expect((ONE, "not_scanned")),
        [("", "documents", "no results")],
    ),
    "a document that is not one": (
        [("1.json", {})],
        [],
        [("", "documents", "1.json: the document lacks platform")],
    ),
    "a document that is null": (
        [("1.json", None)],
        [],
        [("", "documents", "1.json: the document must be an object")],
    ),
    "a profile that was not loaded": (
        [
            (
                "1.json",
                hdf_document(
                    make_judgement(ONE, make_profile("p", status="failed", status_message="syntax"))
                ),
            )
        ],
        [],
        [("", "documents", "was not loaded but failed: syntax")],
    ),
    "no profile": (
        [("1.json", hdf_document(make_judgement(ONE)))],
        [],
        [("", "documents", "profiles is empty")],
    ),
    "a scan that ended with an error": (
        [
            (
                "1.json",
                ended_with_an_error(make_document(ONE, GOOD, profile="p")),
            )
        ],
        expect((ONE, "scanned")),
        [
            ("", "documents", "ended with an error"),
            (ONE.target_id, "documents", "no document of it can be used"),
        ],
    ),
    "scanned, but without a document": (
        [("1.json", make_document(ONE, GOOD))],
        expect((ONE, "scanned"), (TWO, "scanned")),
        [(TWO.target_id, "documents", "no document of it can be used")],
    ),
    "not scanned, but with a document": (
        [("1.json", make_document(ONE, GOOD))],
        expect((ONE, "not_scanned")),
        [(ONE.target_id, "expected", "counts as not scanned, but 1.json holds results of it")],
    ),
    "a document of a target that was not expected": (
        [("1.json", make_document(ONE, GOOD)), ("2.json", make_document(TWO, GOOD))],
        expect((ONE, "scanned")),
        [(TWO.target_id, "expected", "was not expected, but 2.json")],
    ),
    "two documents of one target": (
        [("1.json", make_document(ONE, GOOD)), ("again.json", make_document(ONE, GOOD))],
        expect((ONE, "scanned")),
        [(ONE.target_id, "documents", "has two documents, 1.json and again.json")],
    ),
    "a target that is expected twice": (
        [("1.json", make_document(ONE, GOOD))],
        expect((ONE, "scanned"), (ONE, "scanned")),
        [(ONE.target_id, "expected", "is expected twice")],
    ),
    "an outcome that does not exist": (
        [("1.json", make_document(ONE, GOOD))],
        expect((ONE, "Scanned")),
        [(ONE.target_id, "expected", "counts as not scanned")],
    ),
}


@pytest.mark.parametrize("name", FAIL_CLOSED)
def test_fails_closed_whatever_the_threshold_says(name: str) -> None:
    documents, expected, reasons = FAIL_CLOSED[name]
    decision = decide(ANY_COVERAGE, documents, expected)
    assert not decision.passed
    assert [(reason.target_id, reason.key) for reason in decision.reasons] == [
        reason[:2] for reason in reasons
    ]
    for reason, (_unused, _unused, text) in zip(decision.reasons, reasons):
        assert text in reason.text


@pytest.mark.parametrize(
    ("demanded", "scanned", "passed", "coverage"),
    [
        (100, 3, True, 100),
        (100, 2, False, 66.66),
        (66.66, 2, True, 66.66),
        (67, 2, False, 66.66),
        (1, 1, True, 33.33),
    ],
)
def test_coverage_counts_the_targets_that_were_scanned(
    demanded: float, scanned: int, passed: bool, coverage: float
) -> None:
    targets = [make_target(f"pod-{index}") for index in range(3)]
    documents = [
        (f"{index}.json", make_document(target, GOOD)) for index, target in enumerate(targets[:scanned])
    ]
    expected = expect(
        *((target, "scanned" if index < scanned else "not_scanned") for index, target in enumerate(targets))
    )
    decision = decide(load_threshold({"coverage": {"min": demanded}}, "t.yml"), documents, expected)
    assert decision.passed is passed
    assert decision.coverage == coverage
    assert [target.passed for target in decision.targets] == [index < scanned for index in range(3)]
    if not passed:
        assert keys(decision) == [("", "", "coverage.min")]
        assert decision.reasons[0].text == (
            f"coverage.min: at least {demanded} % of the expected targets must be scanned, but "
            f"{3 - scanned} of 3 were not"
        )


def test_coverage_is_never_rounded_up() -> None:
    targets = [make_target(f"pod-{index}") for index in range(20_001)]
    document = make_document(targets[0], GOOD)
    documents = []
    for index, target in enumerate(targets[:-1]):
        copy = dict(
            document, passthrough=None, platform=dict(document["platform"], target_id=target.target_id)
        )
        documents.append((f"{index}.json", copy))
    expected = expect(*((target, "scanned") for target in targets[:-1]), (targets[-1], "not_scanned"))
    decision = decide(load_threshold({"coverage": {"min": 100}}, "t.yml"), documents, expected)
    assert not decision.passed
    assert decision.coverage == 99.99


def test_unscanned_targets_are_tolerated_where_coverage_is_not_asked_for() -> None:
    decision = decide(
        NO_FAILURES, [("1.json", make_document(ONE, GOOD))], expect((ONE, "scanned"), (TWO, "not_scanned"))
    )
    assert decision.passed
    assert decision.coverage == 50
    assert [(target.outcome, target.passed) for target in decision.targets] == [
        ("scanned", True),
        ("not_scanned", False),
    ]


def test_coverage_that_cannot_be_known_fails() -> None:
    decision = decide(DEFAULT_THRESHOLD, [("1.json", make_document(ONE, GOOD))], [])
    assert [reason.text for reason in decision.reasons] == [
        "coverage.min: it is not known which targets were expected"
    ]
    assert decision.coverage is None


def test_documents_of_others_are_told_apart_by_their_source() -> None:
    first, second = (make_document(ONE, GOOD) for _number in range(2))
    for document in (first, second):
        del document["passthrough"]
        del document["platform"]["target_id"]
    decision = decide(NO_FAILURES, [("1.json", first), ("2.json", second)], [])
    assert decision.passed
    assert [target.target_id for target in decision.targets] == ["1.json", "2.json"]


@pytest.mark.parametrize(
    ("passed", "failed", "bound", "limit", "met"),
    [
        (199, 1, "min", 100, False),
        (199, 1, "min", 99.5, True),
        (995, 5, "min", 100, False),
        (995, 5, "min", 99.6, False),
        (999, 1, "min", 99.9, True),
        (2, 1, "min", 66.67, False),
        (1, 249, "max", 0, False),
        (1, 249, "max", 0.4, True),
        (200, 0, "min", 100, True),
    ],
)
def test_compliance_is_compared_exactly(
    passed: int, failed: int, bound: str, limit: float, met: bool
) -> None:
    controls = [make_control(f"p-{number}", "passed") for number in range(passed)]
    controls += [make_control(f"f-{number}", "failed") for number in range(failed)]
    threshold = load_threshold({"compliance": {bound: limit}}, "t.yml")
    decision = decide(threshold, [("1.json", make_document(ONE, *controls))], [])
    assert decision.passed is met
    if (passed, bound, limit) == (199, "min", 100):
        attack_ends_as("20-rounded-up", outcome=" ".join(reason.key for reason in decision.reasons))
    if not met:
        assert decision.reasons[0].found != limit, "what is shown does not seem to meet the limit"


# What a gate makes of a target's controls: threshold (None: the default one), controls, the target's result, keys.
UNREAD = make_control("unread", "skipped", impact=1.0)
UNREAD_HIGH = make_control("unread-high", "skipped", impact=0.7)
UNREAD_LOW = make_control("unread-low", "skipped", impact=0.3)
MANUAL = make_control("manual", "skipped", impact=1.0, manual=True)
WAIVED = make_control("waived", "skipped", impact=1.0, waiver_data={"skipped_due_to_waiver": True})
NO_IMPACT = make_control("no-impact", "passed", impact=0)
ALL_REVIEWED = {"reviewed": {"min": 100}}
REVIEWED: list[tuple[dict[str, Any] | None, Sequence[Any], str, list[str]]] = [
    (None, [GOOD, UNREAD], "not_judged", ["reviewed.critical.min"]),
    (None, [GOOD, UNREAD, UNREAD_HIGH], "not_judged", ["reviewed.critical.min", "reviewed.high.min"]),
    (None, [GOOD, UNREAD, BAD], "fail", ["failed.critical.max", "reviewed.critical.min"]),
    (None, [GOOD, UNREAD_LOW], "pass", []),
    (None, [GOOD, MANUAL], "pass", []),
    (None, [GOOD, WAIVED], "pass", []),
    (None, [WAIVED], "pass", []),
    (None, [NO_IMPACT], "pass", []),
    (None, [MANUAL], "pass", []),
    (None, [UNREAD_LOW], "not_judged", ["coverage.min"]),
    (None, [UNREAD_LOW, MANUAL, WAIVED], "not_judged", ["coverage.min"]),
    (None, [UNREAD_LOW, NO_IMPACT], "pass", []),
    (ALL_REVIEWED, [GOOD, UNREAD_LOW], "not_judged", ["reviewed.min"]),
    ({"reviewed": {"min": 50}}, [GOOD, UNREAD], "pass", []),
    ({"reviewed": {"min": 50.1}}, [GOOD, UNREAD], "not_judged", ["reviewed.min"]),
    ({"reviewed": {"low": {"min": 100}}}, [GOOD, UNREAD], "pass", []),
    ({"reviewed": {"min": 0}}, [UNREAD], "not_judged", ["coverage.min"]),
    ({"reviewed": {"min": 0}, "coverage": {"min": 0}}, [UNREAD], "not_judged", []),
    ({"failed": {"total": {"max": 0}}}, [GOOD, UNREAD], "not_judged", ["reviewed.critical.min"]),
    ({"skipped": {"total": {"max": 9}}}, [GOOD, UNREAD], "not_judged", ["reviewed.critical.min"]),
    (
        {"skipped": {"total": {"max": 0}}},
        [GOOD, UNREAD],
        "not_judged",
        ["skipped.total.max", "reviewed.critical.min"],
    ),
]


@pytest.mark.parametrize(("limits", "controls", "result", "keys_of_reasons"), REVIEWED)
def test_what_was_not_reviewed_does_not_pass(
    limits: dict[str, Any] | None, controls: Sequence[Any], result: str, keys_of_reasons: list[str]
) -> None:
    own = load_threshold(limits, "t.yml").with_limits(LASTING_LIMITS) if limits else DEFAULT_THRESHOLD
    decision = decide(own, [("1.json", make_document(ONE, *controls))], expect((ONE, "scanned")))
    # what a profile judged nothing of counts as not scanned beside what was not reviewed
    found = [
        reason.key for reason in decision.reasons if reason.key != "coverage.min" or reason.target_id == ""
    ]
    assert found == keys_of_reasons
    assert decision.passed is not bool(keys_of_reasons)
    assert [(target.result, target.passed) for target in decision.targets] == [(result, result == "pass")]


def test_a_profile_that_judged_nothing_is_seen_beside_one_that_did() -> None:
    """A target of which one profile could judge nothing was not scanned for it."""
    document = hdf_document(make_judgement(ONE, make_profile("a", GOOD), make_profile("b", UNREAD_LOW)))
    decision = decide(DEFAULT_THRESHOLD, [("1.json", document)], expect((ONE, "scanned")))
    assert [reason.text for reason in decision.reasons] == [
        "coverage.min: at least 100 % of the expected targets must be scanned, but on 1 of 1 a profile judged no control"
    ]
    assert (decision.coverage, decision.scanned, decision.judged) == (0, 1, 0)


def test_what_people_decided_is_no_judgement_of_a_program() -> None:
    """One waiver or attestation among controls that could not be read does not make a profile a judged one."""
    attested = make_control("attested", "skipped", "passed", attestation_data=ATTESTED)
    document = make_document(ONE, attested, WAIVED, UNREAD_LOW)
    decision = decide(DEFAULT_THRESHOLD, [("1.json", document)], expect((ONE, "scanned")))
    attack_ends_as("01-one-decision-beside", outcome=decision.targets[0].result)
    alone = decide(DEFAULT_THRESHOLD, [("1.json", make_document(ONE, attested))], expect((ONE, "scanned")))
    assert alone.passed


ATTESTED = {
    "control_id": "attested",
    "explanation": "seen it",
    "frequency": "annually",
    "status": "passed",
    "updated": "2026-11-02",
    "updated_by": "someone",
}


def test_no_text_of_a_container_makes_a_control_manual() -> None:
    """Only the profile does: the reason of a skipped test, which may quote a container, has no say."""
    forged = make_control("forged", impact=1.0)
    forged.results = [Segment("skipped", MANUAL_TEXT, "2026-11-23T10:00:00Z", skip_message=MANUAL_TEXT)]
    forged.tags = {"manual": True}
    decision = decide(
        DEFAULT_THRESHOLD, [("1.json", make_document(ONE, GOOD, forged))], expect((ONE, "scanned"))
    )
    attack_ends_as("01-forged-manual", outcome=" ".join(reason.key for reason in decision.reasons))


def test_a_threshold_of_saf_does_not_let_errors_pass() -> None:
    own = load_threshold({"failed": {"critical": {"max": 0}, "high": {"max": 0}}}, "saf.yml")
    document = make_document(ONE, GOOD, make_control("broken", "error"))
    lasting = own.with_limits(LASTING_LIMITS)
    decision = decide(lasting, [("1.json", document)], expect((ONE, "scanned")))
    attack_ends_as("02-profile-error", outcome=" ".join(reason.key for reason in decision.reasons))
    assert decide(own, [("1.json", document)], expect((ONE, "scanned"))).passed, "as SAF decides by its keys"


@pytest.mark.parametrize("given", [[], "c-1", {"baseline": "good"}, {"baseline": [1]}])
def test_a_list_of_manual_controls_that_is_none_is_refused(given: Any) -> None:
    document = make_document(ONE, GOOD)
    document["passthrough"]["securescan_kubernetes"]["manual_controls"] = given
    decision = decide(DEFAULT_THRESHOLD, [("1.json", document)], expect((ONE, "scanned")))
    assert "manual_controls" in decision.reasons[0].text


@pytest.mark.parametrize(
    ("grade", "demanded", "met"),
    [
        ("image", "image", True),
        ("image", "beside", True),
        ("beside", "beside", True),
        ("beside", "image", False),
        ("target", "beside", False),
        (None, "beside", False),
        (None, "target", False),
        ("target", "target", True),
    ],
)
def test_evidence_must_be_as_good_as_demanded(grade: str | None, demanded: str, met: bool) -> None:
    document = make_document(ONE, GOOD)
    if grade is not None:
        evidence = {"grade": grade, "reasons": ["its own shell answered"]}
        document["passthrough"]["securescan_kubernetes"]["scan"]["evidence"] = evidence
    decision = decide(load_threshold({"evidence": {"min": demanded}}, "t.yml"), [("1.json", document)], [])
    assert decision.passed is met
    assert [target.result for target in decision.targets] == ["pass" if met else "not_judged"]
    if not met:
        found = f"{grade} (its own shell answered)" if grade else "no grade"
        assert decision.reasons[0].text == f"evidence.min: found {found}, must be at least {demanded}"


def test_to_json_is_plain_json() -> None:
    decision = decide(
        DEFAULT_THRESHOLD,
        [("1.json", make_document(ONE, GOOD, BAD))],
        expect((ONE, "scanned"), (TWO, "not_scanned")),
    )
    as_json = json.loads(json.dumps(decision.to_json()))
    assert as_json == decision.to_json()
    assert as_json["passed"] is False
    assert as_json["threshold"]["limits"]["coverage.min"] == 100
    assert as_json["counts"]["targets"] == {"expected": 2, "scanned": 1, "judged": 1, "carried": 0}
    assert as_json["counts"]["controls"]["failed"]["critical"] == 1
    assert set(as_json["reasons"][0]) == {"target_id", "profile", "key", "limit", "found", "text"}
    assert as_json["targets"][1] == {
        "target_id": TWO.target_id,
        "outcome": "not_scanned",
        "result": "not_scanned",
        "reasons": 0,
    }
