# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's own keys: new failures against a baseline run, and controls that must pass."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.junit import REPORT as JUNIT
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import REPORT as MARKDOWN
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.comparison import (
    Failures,
    failures_of_documents,
    failures_of_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decision import (
    ExpectedTarget,
    FailedControl,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decisions import decisions_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
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
from ansible_collections.securescan.kubernetes.tests.support.sample_results import write_run as write_sample

OLD_POD, NEW_POD, OTHER = make_target("api-old"), make_target("api-new"), make_target("db-0", workload="db")
GONE = ScanError("pod_gone", "gone")


def document(
    target: Any, *failed: str, passed: Sequence[str] = ("fine",), profile: str = "baseline"
) -> dict[str, Any]:
    return make_document(
        target,
        *(make_control(one, "failed") for one in failed),
        *(make_control(one, "passed") for one in passed),
        profile=profile,
    )


def run(
    *documents: tuple[Any, dict[str, Any]], not_scanned: Sequence[Any] = (), run_id: str = "run-1"
) -> Run:
    return make_run(documents, [(target, GONE) for target in not_scanned], None, run_id=run_id)


def judge(
    limits: dict[str, Any],
    documents: Sequence[tuple[Any, dict[str, Any]]],
    baseline: Run | None = None,
) -> Any:
    named = [(f"{number}.json", made) for number, (_target, made) in enumerate(documents)]
    expected = [ExpectedTarget(target.target_id, "scanned") for target, _made in documents]
    return decide(
        load_threshold(limits, "t.yml"), named, expected, failures_of_run(baseline) if baseline else None
    )


ANY = {"coverage": {"min": 0}}
NONE_NEW = {"new_failures": {"max": 0}}


@pytest.mark.parametrize("limits", [NONE_NEW, {"new_failures.max": 0}, ANY])
def test_a_failure_that_was_there_on_the_workload_is_not_new(limits: dict[str, Any]) -> None:
    decision = judge(
        limits, [(NEW_POD, document(NEW_POD, "c-1"))], run((OLD_POD, document(OLD_POD, "c-1", "c-2")))
    )
    assert decision.passed
    assert decision.new_failures == ()
    assert decision.baseline == "run run-1"
    assert decision.to_json()["threshold"]["limits"]["new_failures.max"] == 0


def test_a_failure_that_was_not_there_fails_and_is_named() -> None:
    decision = judge(
        NONE_NEW,
        [(NEW_POD, document(NEW_POD, "c-1", "c-2")), (OTHER, document(OTHER))],
        run((OLD_POD, document(OLD_POD, "c-1", passed=["c-2"])), (OTHER, document(OTHER))),
    )
    assert not decision.passed
    (reason,) = decision.reasons
    assert (reason.target_id, reason.profile, reason.key, reason.limit, reason.found) == (
        NEW_POD.target_id,
        "baseline",
        "new_failures.max",
        0,
        ["c-2"],
    )
    assert (
        reason.text == "new_failures.max: found 1 in all, must be at most 0; did not fail in run run-1: c-2"
    )
    assert decision.to_json()["new_failures"] == [
        {"place": "demo/shop/Deployment/api/app", "profile": "baseline", "control": "c-2"}
    ]
    assert [target.passed for target in decision.targets] == [False, True]


def test_replicas_count_once_and_each_of_them_fails() -> None:
    pods = [make_target(f"api-{number}") for number in range(3)]
    documents = [(pod, document(pod, "c-1")) for pod in pods]
    decision = judge(NONE_NEW, documents, run((OLD_POD, document(OLD_POD))))
    assert len(decision.new_failures) == 1
    assert [reason.target_id for reason in decision.reasons] == [pod.target_id for pod in pods]
    assert judge({"new_failures": {"max": 1}}, documents, run((OLD_POD, document(OLD_POD)))).passed


@pytest.mark.parametrize(
    "baseline",
    [
        run((OTHER, document(OTHER))),
        run((OTHER, document(OTHER)), not_scanned=[OLD_POD]),
        run((make_target(container="side"), document(make_target(container="side"), "c-1"))),
        run((make_target(cluster="else"), document(make_target(cluster="else"), "c-1"))),
        run((make_target(namespace="else"), document(make_target(namespace="else"), "c-1"))),
        run(
            (make_target(workload_kind="DaemonSet"), document(make_target(workload_kind="DaemonSet"), "c-1"))
        ),
        run((OLD_POD, document(OLD_POD, "c-1", profile="another"))),
    ],
)
def test_all_is_new_where_the_same_container_of_the_workload_was_not_scanned(
    baseline: Run,
) -> None:
    decision = judge(NONE_NEW, [(NEW_POD, document(NEW_POD, "c-1"))], baseline)
    assert not decision.passed
    assert [new.control for new in decision.new_failures] == ["c-1"]


def test_a_threshold_that_asks_for_new_failures_fails_without_a_baseline() -> None:
    decision = judge(NONE_NEW, [(NEW_POD, document(NEW_POD))])
    assert [(reason.key, reason.text) for reason in decision.reasons] == [
        ("new_failures.max", "new_failures.max: there is no baseline run to compare with")
    ]


def test_failures_of_documents_and_of_their_summary_are_the_same() -> None:
    made = document(OLD_POD, "c-1", "c-2")
    assert (
        failures_of_documents([("1.json", made)]).by_place == failures_of_run(run((OLD_POD, made))).by_place
    )
    foreign = {name: value for name, value in made.items() if name != "passthrough"}
    assert list(failures_of_documents([("1.json", foreign)]).by_place) == [(OLD_POD.target_id,)]
    both = Failures("x", {("a",): frozenset({("p", "1")})})
    assert both.also_in(both) == [FailedControl(place="a", profile="p", control="1")]
    assert both.not_in(both) == []


TWO = hdf_document(
    make_judgement(
        NEW_POD,
        make_profile("first", make_control("c-1", "passed"), make_control("c-2", "failed")),
        make_profile(
            "second",
            make_control("c-1", "skipped"),
            make_control("c-3", "passed"),
            make_control("c-4", "passed", impact=0.0),
            make_control("c-5", "error"),
        ),
    )
)


@pytest.mark.parametrize(
    ("must_pass", "reasons"),
    [
        (["c-3"], []),
        ({"first": ["c-1"], "second": ["c-3"]}, []),
        (["c-1"], [("second", "must_pass", "must_pass: must be Passed: c-1 is Not Reviewed")]),
        (["c-2"], [("first", "must_pass", "must_pass: must be Passed: c-2 is Failed")]),
        (
            ["c-4", "c-5"],
            [
                (
                    "second",
                    "must_pass",
                    "must_pass: must be Passed: c-4 is Not Applicable, c-5 is Profile Error",
                )
            ],
        ),
        (
            {"second": ["c-1", "c-3"]},
            [("second", "must_pass.second", "must_pass.second: must be Passed: c-1 is Not Reviewed")],
        ),
        (["c-3", "c-9"], [("", "must_pass", "must_pass: on no target there is c-9")]),
        ({"first": ["c-3"]}, [("", "must_pass.first", "must_pass.first: on no target there is c-3")]),
        ({"third": ["c-1"]}, [("", "must_pass.third", "must_pass.third: on no target there is c-1")]),
    ],
)
def test_controls_that_must_pass(must_pass: Any, reasons: list[tuple[str, str, str]]) -> None:
    decision = judge({"must_pass": must_pass}, [(NEW_POD, TWO)])
    assert [(reason.profile, reason.key, reason.text) for reason in decision.reasons] == reasons
    assert decision.passed is not bool(reasons)


def test_a_control_must_pass_on_every_target_that_has_it() -> None:
    documents = [
        (OLD_POD, document(OLD_POD, passed=["c-1"])),
        (NEW_POD, document(NEW_POD, "c-1")),
        (OTHER, document(OTHER)),
    ]
    decision = judge({"must_pass": ["c-1"]}, documents)
    assert [reason.target_id for reason in decision.reasons] == [NEW_POD.target_id]
    assert [target.passed for target in decision.targets] == [True, False, True]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("must_pass: []", "must_pass names no control"),
        ("must_pass: c-1", "must_pass must be a list of control ids"),
        ("must_pass: {baseline: []}", "must_pass.baseline names no control"),
        ("must_pass: {}", "must_pass holds no limit"),
        ("must_pass: [a, a]", "must_pass names a control id twice"),
        ("must_pass: {baseline: a}", "must be a list of control ids"),
        ("mustpass: [a]", "unknown key 'mustpass', did you mean 'must_pass'?"),
        ("must_pass: {'': [a]}", "unknown key 'must_pass."),
        ("new_failures: 0", "unknown key 'new_failures', did you mean 'new_failures.max'?"),
        ("new_failures: {min: 0}", "unknown key 'new_failures.min"),
        ("new_failures: {max: none}", "must be a number"),
        ("new_failures: {max: -1}", "must not be negative"),
        ("new_failures: {max: 0.5}", "whole number"),
    ],
)
def test_our_own_keys_are_refused_with_what_is_wrong(content: str, message: str) -> None:
    with pytest.raises(ScanError) as caught:
        load_threshold(content, "t.yml")
    assert caught.value.reason == "bad_threshold"
    assert message in caught.value.message


def test_junit_and_table_show_the_reasons() -> None:
    made = [(NEW_POD, document(NEW_POD, "c-1", "c-2", passed=["c-3"])), (OTHER, document(OTHER, "c-2"))]
    decision = judge(
        {"new_failures": {"max": 0}, "must_pass": {"baseline": ["c-1", "c-9"], "else": ["x"]}},
        made,
        run((OLD_POD, document(OLD_POD, "c-1")), (OTHER, document(OTHER, "c-2"))),
    )
    summary = run(*made).with_gate(decision)
    root = ElementTree.fromstring(rendered(JUNIT, summary))
    cases = {
        (suite.get("name"), case.get("name")): case.find("failure") is not None
        for suite in root.iter("testsuite")
        for case in suite.iter("testcase")
    }
    new, other = NEW_POD.target_id, OTHER.target_id
    assert cases[new, "gate: new_failures.max = 0"] and not cases[other, "gate: new_failures.max = 0"]
    assert cases[new, "gate: must_pass.baseline = ['c-1', 'c-9']"]
    assert not cases[other, "gate: must_pass.baseline = ['c-1', 'c-9']"]
    assert (
        cases["run", "gate: must_pass.baseline = ['c-1', 'c-9']"]
        and cases["run", "gate: must_pass.else = ['x']"]
    )
    assert (new, "gate: must_pass.else = ['x']") not in cases, "the profile is not there"
    failed = {
        name for (suite, name), is_failure in cases.items() if name.startswith("control: ") and is_failure
    }
    assert {name.split()[1] for name in failed} == {"c-1", "c-2"}
    assert not cases[other, "control: c-2 (medium) Title of c-2"], "it is not new there"
    assert "did not fail in run run-1: c-2" in " ".join(render_table(summary).split())


def write_run(folder: pathlib.Path, run_id: str, *failed: str, **fields: Any) -> str:
    return str(write_sample(folder, run_id, [(NEW_POD, document(NEW_POD, *failed))], **fields))


def decide_run(run_dir: str, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    given = dict(
        {
            "threshold": {"new_failures": {"max": 0}},
            "threshold_source": "t.yml",
            "baseline": None,
            "fail_on": "gate",
            "table": "full",
            "summary_sha256": None,
            "max_age": None,
            "allow_shared_folder": False,
            "trusted_keys": None,
            "require_signature": False,
        },
        run_dir=run_dir,
        **params,
    )
    return run_scan_threshold(given, TaskContext(check_mode=check_mode, environ={}))


def test_the_task_compares_with_a_folder_or_a_summary_file(tmp_path: pathlib.Path) -> None:
    old, new = write_run(tmp_path, "old", "c-1"), write_run(tmp_path, "new", "c-1", "c-2")
    for baseline in (old, old + "/summary.json"):
        result = decide_run(new, baseline=baseline)
        assert result["failed"] is True
        assert (result["error"]["code"], result["error"]["reason"]) == ("SCAN-804", "gate_failed")
        assert "did not fail in run old: c-2" in result["msg"]
    gate = json.loads((pathlib.Path(new) / "summary.json").read_text())["gate"]
    assert gate["baseline"] == "run old"
    assert [entry["control"] for entry in gate["new_failures"]] == ["c-2"]
    assert "FAILED by t.yml. 1 new failure since run old." in rendered(MARKDOWN, open_run(new))
    assert (result["gate"]["baseline"], result["gate"]["new_failures"]) == ("run old", 1)
    assert result["files"] == [str(pathlib.Path(new) / "summary.json")], "reports are not its business"
    assert {path.name for path in pathlib.Path(new).iterdir()} == {"hdf", "summary.json"}
    assert "failed" not in decide_run(new, baseline=old, threshold={"new_failures": {"max": 1}})
    assert "failed" not in decide_run(old, baseline=new)
    assert decide_run(new, baseline=old, threshold={"coverage": {"min": 1}})["failed"] is True, (
        "none may be new by default"
    )


def test_the_task_adds_limits_and_fails_for_what_was_not_judged(tmp_path: pathlib.Path) -> None:
    withheld = make_control("withheld", "skipped", impact=1.0)
    made = make_document(NEW_POD, make_control("fine", "passed", impact=1.0), withheld)
    silent = write_sample(tmp_path, "silent", [(NEW_POD, made)])
    assert open_run(str(silent)).target_counts.not_judged == 1
    of_saf = {"failed": {"total": {"max": 0}}}
    lasting = {
        "error.total.max": 0,
        "coverage.min": 100,
        "reviewed.critical.min": 100,
        "reviewed.high.min": 100,
    }
    result = decide_run(str(silent), threshold=of_saf)
    assert result["failed"] is True and result["gate"]["added_limits"] == lasting
    assert "reviewed.critical.min: found 50 % (not reviewed: withheld)" in result["msg"]
    result = decide_run(str(silent), threshold=of_saf, fail_on="error")
    assert "1 container was not judged" in result["msg"]
    assert (result["error"]["code"], result["error"]["reason"]) == ("SCAN-809", "not_judged")
    tolerant = {**of_saf, "reviewed": {"min": 50}}
    result = decide_run(str(silent), threshold=tolerant, fail_on="error")
    assert "failed" not in result and "reviewed.high.min" not in result["gate"]["added_limits"]
    assert open_run(str(silent)).targets[0].result == "not_judged", "the first decision stands"
    later = decisions_of(open_run(str(silent)))[-1].decision
    assert later.targets[0].result == "pass" and later.passed


def test_a_baseline_over_another_cluster_is_refused(tmp_path: pathlib.Path) -> None:
    old, new = write_run(tmp_path, "old", cluster="edge"), write_run(tmp_path, "new", "c-2")
    with pytest.raises(ScanError, match="is a run over the cluster edge, this one is over demo") as caught:
        decide_run(new, baseline=old)
    assert caught.value.reason == "bad_option"
    attack_ends_as("27-baseline-of-another-cluster", outcome="bad_option")


def test_the_task_in_check_mode_decides_and_writes_nothing(tmp_path: pathlib.Path) -> None:
    old, new = write_run(tmp_path, "old"), write_run(tmp_path, "new", "c-2")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = decide_run(new, check_mode=True, baseline=old)
    assert result["failed"] is True and result["files"] == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_run_is_never_its_own_baseline(tmp_path: pathlib.Path) -> None:
    new = write_run(tmp_path, "new", "c-2")
    for baseline in (new, str(tmp_path / "latest"), new + "/summary.json"):
        with pytest.raises(ScanError, match="is the run that is judged") as caught:
            decide_run(new, baseline=baseline)
        assert caught.value.reason == "bad_option"


@pytest.mark.parametrize("data", [None, b"", b"{", b"{}", b'{"schema": "securescan.kubernetes/run-summary"}'])
def test_a_baseline_that_is_not_whole_fails_the_task(data: Any, tmp_path: pathlib.Path) -> None:
    new, broken = write_run(tmp_path, "new"), tmp_path / "broken"
    broken.mkdir()
    if data is not None:
        (broken / "summary.json").write_bytes(data)
    for baseline in (str(broken), str(broken / "summary.json")):
        with pytest.raises(ScanError) as caught:
            decide_run(new, baseline=baseline)
        assert caught.value.reason == "bad_results"
