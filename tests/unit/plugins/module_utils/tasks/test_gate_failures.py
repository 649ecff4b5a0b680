# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Could not scan, could not judge, and found something: a gate that fails says which, and what to do about it."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS, ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import Unmatched
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

ONE, TWO, THREE = (make_target(f"{name}-1", workload=name) for name in ("one", "two", "three"))
GOOD = make_control("c-good", "passed", impact=1.0)
BAD = make_control("c-bad", "failed", impact=1.0)
UNREAD = make_control("c-unread", "skipped", impact=1.0)
BROKEN = make_control("c-broken", "error", impact=1.0)
NO_EXEC = ScanError(
    "not_permitted",
    'the grantor is not allowed to create "pods/exec" in the namespace shop',
    cause="The grantor lacks a right that it grants.",
    advice="Grant create on pods/exec to the grantor.",
)
GONE = ScanError("container_not_running", "the container is waiting (CrashLoopBackOff)")


def decided(
    folder: pathlib.Path,
    documents: Sequence[tuple[Any, Sequence[Any]]] = (),
    not_scanned: Sequence[tuple[Any, ScanError]] = (),
    unmatched: Sequence[Unmatched] = (),
    **params: Any,
) -> dict[str, Any]:
    made = [(target, make_document(target, *controls)) for target, controls in documents]
    run_dir = write_run(folder, "run-7", made, not_scanned, unmatched=tuple(unmatched))
    given = {name: rule.get("default") for name, rule in scan_threshold_spec().items()}
    given.update(run_dir=str(run_dir), **params)
    return run_scan_threshold(given, TaskContext(check_mode=False, environ={}))


def test_a_run_that_could_not_scan_says_so_with_the_cause_and_its_own_advice(tmp_path: pathlib.Path) -> None:
    result = decided(tmp_path, [], [(ONE, NO_EXEC), (TWO, NO_EXEC)])
    assert (result["error"]["code"], result["error"]["reason"]) == ("SCAN-808", "not_scanned")
    assert result["error"]["message"] == (
        "0 of 2 containers were scanned; the cause of 2: SCAN-205 not_permitted: the grantor is not allowed to create "
        '"pods/exec" in the namespace shop'
    )
    assert (result["error"]["cause"], result["error"]["advice"]) == (NO_EXEC.cause, NO_EXEC.advice)
    assert "waiver" not in result["msg"] and "findings" not in result["msg"]
    assert result["gate"]["reason_counts"] == {
        "bad_results": 0,
        "gate_failed": 0,
        "not_scanned": 2,
        "not_judged": 0,
    }


def test_the_most_frequent_cause_is_the_headline_and_the_others_are_named(tmp_path: pathlib.Path) -> None:
    result = decided(tmp_path, [], [(ONE, GONE), (TWO, NO_EXEC), (THREE, NO_EXEC)])
    assert "the cause of 2: SCAN-205 not_permitted" in result["msg"]
    assert "Of the others: SCAN-404 container_not_running (1)" in result["msg"]
    assert result["error"]["advice"] == NO_EXEC.advice


def test_a_name_that_gave_nothing_is_a_cause_like_another(tmp_path: pathlib.Path) -> None:
    gone = ScanError("not_found", "namespace billingg does not exist").record()
    gap = Unmatched.of("namespace", "billingg", "", gone)
    result = decided(tmp_path, [(ONE, [GOOD])], unmatched=[gap])
    assert result["error"]["reason"] == "not_scanned"
    assert (
        "1 of 2 targets were scanned; the cause of 1: SCAN-206 not_found: namespace billingg does not exist"
        in result["msg"]
    )
    assert result["error"]["advice"] == KINDS["not_found"].advice


Case = tuple[Sequence[tuple[Any, Sequence[Any]]], Sequence[tuple[Any, ScanError]], Any, str, str]
MIXTURES: list[Case] = [
    (
        [(ONE, [BAD])],
        [],
        None,
        "gate_failed",
        "1 reason: baseline on shop/one-1/app: failed.critical.max: found 1",
    ),
    ([(ONE, [BAD]), (TWO, [BAD])], [], None, "gate_failed", "2 reasons, the first: baseline on 2 targets"),
    ([(ONE, [BAD])], [(TWO, GONE)], None, "gate_failed", "1 container was not scanned"),
    ([(ONE, [BAD, UNREAD])], [], None, "gate_failed", "1 reason for what could not be judged"),
    (
        [(ONE, [GOOD])],
        [(TWO, GONE)],
        None,
        "not_scanned",
        "1 of 2 containers were scanned; the cause of 1: SCAN-404",
    ),
    ([], [(TWO, GONE)], None, "not_scanned", "0 of 1 container was scanned"),
    ([(ONE, [GOOD, UNREAD])], [(TWO, GONE)], None, "not_scanned", "1 reason for what could not be judged"),
    (
        [(ONE, [GOOD, UNREAD])],
        [],
        None,
        "not_judged",
        "1 reason: baseline on shop/one-1/app: reviewed.critical.min",
    ),
    ([(ONE, [GOOD, BROKEN])], [], None, "not_judged", "error.total.max: found 1 (c-broken)"),
    ([(ONE, [UNREAD])], [], {"reviewed": {"min": 0}}, "not_judged", "coverage.min"),
    ([(ONE, [GOOD])], [], {"evidence": {"min": "beside"}}, "not_judged", "evidence.min: found no grade"),
    (
        [(ONE, [GOOD, UNREAD])],
        [],
        {"skipped": {"total": {"max": 0}}, "reviewed.min": 0},
        "not_judged",
        "skipped.total",
    ),
    ([(ONE, [GOOD, UNREAD])], [], {"must_pass": ["c-unread"], "reviewed.min": 0}, "not_judged", "must_pass"),
    ([(ONE, [GOOD, BAD])], [], {"must_pass": ["c-bad"], "failed.total.max": 9}, "gate_failed", "must_pass"),
    ([(ONE, [GOOD])], [], {"must_pass": ["c-none"]}, "not_judged", "on no target there is c-none"),
    ([(ONE, [GOOD])], [], {"new_failures.max": 0}, "not_judged", "there is no baseline run"),
    ([(ONE, [GOOD, BAD])], [], {"compliance": {"min": 80}}, "gate_failed", "compliance.min: found 50 %"),
]


@pytest.mark.parametrize(("documents", "not_scanned", "threshold", "reason", "told"), MIXTURES)
def test_what_was_found_comes_before_what_was_not_scanned_and_that_before_what_was_not_judged(
    tmp_path: pathlib.Path, documents: Any, not_scanned: Any, threshold: Any, reason: str, told: str
) -> None:
    result = decided(tmp_path, documents, not_scanned, threshold=threshold)
    assert result["error"]["reason"] == result["gate"]["kind"] == reason, result["msg"]
    assert told in result["msg"]
    assert result["msg"].endswith(f"({KINDS[reason].code} {reason})")
    assert "?." not in result["msg"] and "1 reasons" not in result["msg"]


def test_a_run_that_is_not_as_its_scan_wrote_it_is_bad_results_whatever_was_found(
    tmp_path: pathlib.Path,
) -> None:
    run_dir = write_run(tmp_path, "run-7", [(ONE, make_document(ONE, BAD)), (TWO, make_document(TWO, GOOD))])
    (run_dir / "hdf" / "demo_shop_two-1_app.json").unlink()
    given = {name: rule.get("default") for name, rule in scan_threshold_spec().items()}
    result = run_scan_threshold(dict(given, run_dir=str(run_dir)), TaskContext(check_mode=False, environ={}))
    assert result["error"]["reason"] == "bad_results"
    assert "hdf/demo_shop_two-1_app.json: cannot be read" in result["msg"]
    assert "1 reason for what was found" in result["msg"]
    assert "not scanned" not in result["msg"], "the run says that it was"


@pytest.mark.parametrize(
    ("documents", "not_scanned", "reason", "told"),
    [
        ([(ONE, [BAD])], [], "", ""),
        (
            [(ONE, [BAD])],
            [(TWO, NO_EXEC)],
            "not_scanned",
            "1 of 2 containers were scanned; the cause of 1: SCAN-205",
        ),
        ([(ONE, [GOOD, UNREAD])], [], "not_judged", "1 container was not judged"),
        ([(ONE, [GOOD, BROKEN])], [], "not_judged", "1 control ended in a profile error"),
        (
            [(ONE, [GOOD, UNREAD, BROKEN])],
            [(TWO, GONE)],
            "not_scanned",
            "1 container was not judged. 1 control ended in a profile error",
        ),
    ],
)
def test_fail_on_error_has_the_same_words(
    tmp_path: pathlib.Path, documents: Any, not_scanned: Any, reason: str, told: str
) -> None:
    result = decided(tmp_path, documents, not_scanned, fail_on="error")
    assert result.get("error", {}).get("reason", "") == reason
    assert told in result.get("msg", "")
    assert "waiver with" not in result.get("msg", "")


def test_counts_and_lines_agree(tmp_path: pathlib.Path) -> None:
    pods = [make_target(f"api-{number}") for number in range(4)]
    result = decided(tmp_path, [(pod, [BAD]) for pod in pods])
    head = next(line for line in result["table"] if line.startswith("Gate:"))
    assert head == "Gate: FAILED by the default threshold, 4 reasons in 1 line:"
    assert sum(line.startswith("- ") for line in result["table"]) == 1
    assert (result["gate"]["reason_count"], len(result["gate"]["reasons"])) == (4, 1)


def test_compliance_is_said_to_be_of_each_profile_on_each_container(tmp_path: pathlib.Path) -> None:
    more = [make_control(f"c-{number}", "passed") for number in range(9)]
    result = decided(
        tmp_path, [(ONE, [GOOD, BAD]), (TWO, [GOOD, *more])], threshold={"compliance": {"min": 80}}
    )
    told = " ".join(" ".join(result["table"]).split())
    assert "- baseline on shop/one-1/app: compliance.min: found 50 %, must be at least 80 %" in told
    assert (
        "compliance.min is asked of each profile on each container; the total is of all controls together."
        in told
    )


def test_a_container_of_which_much_was_not_reviewed_does_not_pass_by_default(tmp_path: pathlib.Path) -> None:
    """As of a crashed one that only its image could show: 30 of 116 Not Reviewed, critical ones among them."""
    read = [make_control(f"c-{number}", "passed") for number in range(86)]
    unread = [
        make_control(f"u-{number}", "skipped", impact=0.9 if number < 3 else 0.5) for number in range(30)
    ]
    result = decided(tmp_path, [(ONE, [*read, *unread])])
    assert result["error"]["reason"] == "not_judged"
    assert "NOT JUDGED" in "\n".join(result["table"]) and " PASS " not in "\n".join(result["table"])
