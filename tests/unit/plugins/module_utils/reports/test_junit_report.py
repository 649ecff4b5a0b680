# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import io
import pathlib
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.junit import REPORT
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.plugins.module_utils.strict_json import dump_json
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_run,
    make_target,
    rendered,
)

ONE, TWO = make_target("api-1"), make_target("api-2")
PASSING = make_control("good", "passed")
CRITICAL = make_control("worst", "failed", impact=1.0)
GOOD_PASSED = ("control: good (medium) Title of good", "passed")
LOW = make_control("least", "failed", impact=0.2)
NO_SHELL = ScanError("no_such_program", 'exec: "sh": not found', advice="Use approach debug.")


@pytest.fixture(autouse=True)
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `run_of` keeps documents."""
    monkeypatch.chdir(tmp_path)


def run_of(documents: Sequence[tuple[Target, dict[str, Any]]], *others: Any, **fields: Any) -> Run:
    """As `make_run`, with documents that are there."""
    run = make_run(documents, *others, **fields)
    pathlib.Path("hdf").mkdir(exist_ok=True)
    targets = []
    for index, (target, (_unused, document)) in enumerate(
        zip([one for one in run.targets if one.is_scanned], documents)
    ):
        path = pathlib.Path("hdf", f"{index}.json")
        path.write_bytes(dump_json(document))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        targets.append(replace(target, hdf=str(path), hdf_sha256=sha256))
    targets += [target for target in run.targets if not target.is_scanned]
    return replace(run, folder=".", targets=tuple(targets))


def suites(summary: Run) -> dict[str, ElementTree.Element]:
    root = ElementTree.fromstring(rendered(REPORT, summary).encode("utf-8"))
    assert root.tag == "testsuites"
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name, "-1")) == sum(int(suite.get(name, "-1")) for suite in root)
    for suite in root:
        assert int(suite.get("tests", "-1")) == len(suite.findall("testcase"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name, "-1")) == len(suite.findall(f"testcase/{tag}"))
    return {str(suite.get("name")): suite for suite in root}


def cases(suite: ElementTree.Element) -> list[tuple[str, str]]:
    """(name of the case, its outcome)"""
    return [
        (str(case.get("name")), case[0].tag if len(case) else "passed") for case in suite.findall("testcase")
    ]


def test_limits_and_failed_controls() -> None:
    found = suites(
        run_of([(ONE, make_document(ONE, PASSING)), (TWO, make_document(TWO, PASSING, CRITICAL, LOW))])
    )
    assert list(found) == ["run", ONE.target_id, TWO.target_id]
    assert cases(found["run"]) == [("gate: coverage.min = 100", "passed")]
    assert cases(found[ONE.target_id]) == [
        ("gate: failed.critical.max = 0", "passed"),
        ("gate: failed.high.max = 0", "passed"),
        ("gate: error.total.max = 0", "passed"),
        ("gate: reviewed.critical.min = 100", "passed"),
        ("gate: reviewed.high.min = 100", "passed"),
        GOOD_PASSED,
    ]
    assert cases(found[TWO.target_id]) == [
        ("gate: failed.critical.max = 0", "failure"),
        ("gate: failed.high.max = 0", "passed"),
        ("gate: error.total.max = 0", "passed"),
        ("gate: reviewed.critical.min = 100", "passed"),
        ("gate: reviewed.high.min = 100", "passed"),
        GOOD_PASSED,
        ("control: worst (critical) Title of worst", "failure"),
        ("control: least (low) Title of least", "skipped"),
    ]
    failure = found[TWO.target_id].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "failed.critical.max: found 1 (worst), must be at most 0"
    assert failure.get("type") == "failed.critical.max"
    case = found[TWO.target_id].find("testcase")
    assert case is not None
    assert case.get("classname") == "shop/api-2/app.baseline"


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"failed.total.max": 0}, "failure"),
        ({"failed.low.max": 0}, "failure"),
        ({"failed.total": 0}, "failure"),
        ({"compliance.min": 100}, "failure"),
        ({"failed.low.controls": []}, "failure"),
        ({"failed.critical.max": 0}, "skipped"),
        ({"passed.total.min": 9}, "skipped"),
    ],
)
def test_a_failed_control_fails_where_an_unmet_limit_counts_it(limits: dict[str, Any], outcome: str) -> None:
    summary = run_of([(ONE, make_document(ONE, PASSING, LOW))], threshold=load_threshold(limits, "t.yml"))
    assert cases(suites(summary)[ONE.target_id])[-1] == ("control: least (low) Title of least", outcome)


def test_without_a_gate_every_failed_control_fails() -> None:
    found = suites(run_of([(ONE, make_document(ONE, PASSING, LOW))], threshold=None))
    assert list(found) == [ONE.target_id]
    assert cases(found[ONE.target_id]) == [GOOD_PASSED, ("control: least (low) Title of least", "failure")]


def test_a_target_that_was_not_scanned_is_an_error() -> None:
    found = suites(run_of([(ONE, make_document(ONE, PASSING))], [(TWO, NO_SHELL)]))
    assert cases(found["run"]) == [("gate: coverage.min = 100", "failure")]
    assert cases(found[TWO.target_id]) == [("scanned", "error")]
    error = found[TWO.target_id].find("testcase/error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("no_such_program", 'exec: "sh": not found')
    assert "Use approach debug." in str(error.text)


def test_a_target_that_was_not_judged_is_an_error_and_so_is_the_limit_that_says_it() -> None:
    withheld = make_control("withheld", "skipped", impact=1.0)
    documents = [(ONE, make_document(ONE, PASSING, withheld))]
    found = cases(suites(run_of(documents))[ONE.target_id])
    assert [case for case in found if case[1] != "passed"] == [
        ("judged", "error"),
        ("gate: reviewed.critical.min = 100", "error"),
        ("control: withheld (critical) Title of withheld", "skipped"),
    ]
    without_gate = suites(run_of(documents, threshold=None))[ONE.target_id]
    assert [case for case in cases(without_gate) if case[1] == "error"] == [("judged", "error")]


def test_evidence_is_a_case_of_the_target_and_an_error_where_it_is_too_weak() -> None:
    threshold = load_threshold({"evidence": {"min": "beside"}}, "t.yml")
    weak, strong = make_document(ONE, PASSING), make_document(TWO, PASSING)
    for document, grade in ((weak, "target"), (strong, "image")):
        document["passthrough"]["securescan_kubernetes"]["scan"]["evidence"] = {"grade": grade, "reasons": []}
    found = suites(run_of([(ONE, weak), (TWO, strong)], threshold=threshold))
    assert cases(found[ONE.target_id]) == [
        ("gate: evidence.min = beside", "error"),
        ("judged", "error"),
        GOOD_PASSED,
    ]
    assert cases(found[TWO.target_id]) == [("gate: evidence.min = beside", "passed"), GOOD_PASSED]


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        (None, "error"),
        ({"error.total.max": 0}, "error"),
        ({"error.medium.max": 0}, "error"),
        ({"error.total.max": 1, "failed.total.max": 1}, "skipped"),
    ],
)
def test_a_profile_error_is_an_error_where_it_counts_and_never_passes(
    limits: dict[str, Any] | None, outcome: str
) -> None:
    threshold = load_threshold(limits, "t.yml") if limits else None
    broken = make_control("broken", "error")
    summary = run_of([(ONE, make_document(ONE, PASSING, broken))], threshold=threshold)
    assert cases(suites(summary)[ONE.target_id])[-1] == ("control: broken (medium) Title of broken", outcome)


def test_what_was_not_seen_or_does_not_apply_is_skipped() -> None:
    document = make_document(
        ONE, PASSING, make_control("unread", "skipped"), make_control("none", "passed", impact=0.0)
    )
    suite = suites(run_of([(ONE, document)], threshold=None))[ONE.target_id]
    assert [(skipped.get("message")) for skipped in suite.iter("skipped")] == [
        "Not Reviewed: unreadable",
        "Not Applicable",
    ]


def test_a_document_that_is_not_the_runs_is_an_error() -> None:
    run = run_of([(ONE, make_document(ONE, PASSING))], threshold=None)
    pathlib.Path("hdf/0.json").write_text("{}", encoding="utf-8")
    assert cases(suites(run)[ONE.target_id]) == [("document", "error")]


def test_every_profile_has_its_cases() -> None:
    document = hdf_document(
        make_judgement(ONE, make_profile("first", CRITICAL), make_profile("second", CRITICAL))
    )
    threshold = load_threshold({"failed.total.max": 0}, "t.yml")
    suite = suites(run_of([(ONE, document)], threshold=threshold))[ONE.target_id]
    assert [case.get("classname") for case in suite.findall("testcase")] == (
        ["shop/api-1/app.first"] * 2 + ["shop/api-1/app.second"] * 2
    )


def test_rules_of_the_gate_itself() -> None:
    assert cases(suites(run_of([]))["run"]) == [
        ("gate: coverage.min = 100", "failure"),
        ("gate: documents", "failure"),
    ]
    twice = run_of([(ONE, make_document(ONE, PASSING)), (ONE, make_document(ONE, PASSING))])
    assert ("gate: documents", "failure") in cases(suites(twice)[ONE.target_id])


def test_hostile_text_is_well_formed_and_escaped() -> None:
    hostile = "</testcase>]]><x a='\"&\x00\x0b\x1b\ufffe\ud800\n"
    target = make_target(hostile, hostile, namespace=hostile, image=hostile, cluster=hostile)
    control = make_control(hostile, "failed", impact=1.0, title=hostile)
    document = make_document(target, control, profile=hostile)
    error = ScanError("exec_failed", hostile, cause=hostile, advice=hostile)
    summary = run_of(
        [(target, document)],
        [(make_target(hostile), error)],
        cluster=hostile,
        run_id=hostile,
        threshold=load_threshold({"failed.total.max": 0}, hostile),
    )
    found = suites(summary)
    assert [len(suite.findall("testcase")) for suite in found.values()] == [2, 1]
    assert not [element for suite in found.values() for element in suite.iter("x")]
    text = rendered(REPORT, summary)
    text.encode("utf-8")
    for char in "\x00\x0b\x1b\ufffe\ud800":
        assert char not in text
    assert "\\x1b" in text, "what was removed stays visible"
    attack_ends_as("H-01-junit", outcome="well-formed, escaped")


def test_it_is_the_same_document_as_one_made_as_a_whole() -> None:
    """It is written suite by suite; a serializer that holds all of it gives the same bytes."""
    for documents in ([(ONE, make_document(ONE, PASSING)), (TWO, make_document(TWO, CRITICAL, LOW))], []):
        for threshold in (None, load_threshold({"failed.total.max": 0}, "t.yml")):
            text = rendered(
                REPORT, run_of(documents, [(make_target("gone"), NO_SHELL)] if documents else (), threshold)
            )
            head, _newline, body = text.partition("\n")
            root = ElementTree.fromstring(body)
            ElementTree.indent(root)
            assert head == '<?xml version="1.0" encoding="utf-8"?>'
            assert ElementTree.tostring(root, encoding="unicode") + "\n" == body


class Discarded(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def test_memory_does_not_grow_with_the_run() -> None:
    def peaks(number: int) -> Iterator[int]:
        targets = [make_target(f"pod-{index}") for index in range(number)]
        document = make_document(ONE, PASSING, *(make_control(f"c-{index}", "failed") for index in range(50)))
        record = run_of([(ONE, document)], (), None).targets[0]
        run = replace(
            run_of([(ONE, document)], (), None),
            targets=tuple(replace(record, target_id=target.target_id, pod=target.pod) for target in targets),
        )
        for _measure in range(3):
            tracemalloc.start()
            try:
                REPORT.write(run, Discarded())  # type: ignore[arg-type]
                yield tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    # What else the process does, and what earlier tests have left to be closed, can only add: the least is the report's own.
    few, many = min(peaks(400)), min(peaks(1200))  # enough for the garbage collector to come by
    assert many < few * 1.5
