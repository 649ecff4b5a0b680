# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import run as run_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.notes import (
    ATTESTATION,
    WAIVER,
    Note,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, parse_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

GOOD, BAD = make_target("good-1", workload="good"), make_target("bad-1", workload="bad")
WORSE = make_target("bad-2", workload="bad")
BARE = make_target("bare-1", workload="bare")
NO_SHELL = ScanError("no_such_program", 'exec: "sh": not found', tried="exec into shop/bare-1/app")


def typed_run(threshold: Any = None) -> Run:
    passing = (make_control("c-1", "passed", impact=1.0), make_control("c-2", "passed"))
    failing = (
        make_control("c-1", "failed", impact=1.0),
        make_control("c-2", "failed"),
        make_control("c-3", "skipped"),
    )
    return make_run(
        [
            (GOOD, make_document(GOOD, *passing)),
            (BAD, make_document(BAD, *failing)),
            (WORSE, make_document(WORSE, *failing, make_control("c-0", "failed"))),
        ],
        [(BARE, NO_SHELL)],
        threshold,
    )


def run(threshold: Any = None) -> dict[str, Any]:
    return typed_run(threshold).to_json()


def test_counts_of_targets_and_controls() -> None:
    summary = run()
    assert summary["target_counts"] == {
        "selected": 4,
        "scanned": 3,
        "not_scanned": 1,
        "not_judged": 0,
        "carried": 0,
    }
    assert summary["controls"]["passed"]["total"] == 2
    assert summary["controls"]["failed"] == {
        "total": 5,
        "critical": 2,
        "high": 0,
        "medium": 3,
        "low": 0,
        "none": 0,
    }
    assert summary["controls"]["not_reviewed"]["total"] == 2
    assert summary["controls"]["compliance"] == 22  # 2 of 9


def test_targets_stand_in_the_order_of_their_ids_with_outcome_and_counts() -> None:
    bad, worse, bare, good = run()["targets"]  # in the order of their target ids, whichever was done first
    assert {name: good[name] for name in GOOD.identity()} == GOOD.identity()
    assert (good["outcome"], good["result"], good["compliance"], good["worst_failed"]) == (
        "scanned",
        "pass",
        100,
        "",
    )
    assert (bad["result"], bad["compliance"], bad["worst_failed"]) == ("fail", 0, "critical")
    assert bad["counts"] == {
        "passed": 0,
        "failed": 2,
        "not_reviewed": 1,
        "not_applicable": 0,
        "profile_error": 0,
    }
    assert worse["failed"] == {"baseline": ["c-1", "c-2", "c-0"]}
    assert bad["hdf"] == "hdf/bad-1.json"
    assert bad["profiles"] == [{"name": "baseline", "counts": bad["counts"], "compliance": 0}]
    assert (bare["outcome"], bare["result"], bare["counts"], bare["compliance"]) == (
        "not_scanned",
        "not_scanned",
        None,
        None,
    )
    assert bare["error"] == NO_SHELL.record()


def test_failed_controls_are_listed_worst_and_most_first() -> None:
    assert [
        (control["id"], control["severity"], control["targets"]) for control in run()["failed_controls"]
    ] == [("c-1", "critical", 2), ("c-2", "medium", 2), ("c-0", "medium", 1)]
    assert run()["failed_controls"][0]["title"] == "Title of c-1"


def test_controls_that_were_not_reviewed_are_listed_with_their_cause() -> None:
    (entry,) = run()["not_reviewed"]
    assert (entry["id"], entry["targets"], entry["severity"]) == ("c-3", 2, "medium")
    assert entry["cause"] == "unreadable"


def test_the_gate_decides_the_result_of_a_target() -> None:
    summary = run(load_threshold({"failed": {"total": {"max": 2}}}, "t.yml"))
    assert summary["gate"]["passed"] is False
    assert [target["result"] for target in summary["targets"]] == ["pass", "fail", "not_scanned", "pass"]
    assert run()["gate"] is None


def test_it_is_plain_json_without_test_results() -> None:
    summary = run(load_threshold({"failed": {"total": {"max": 2}}}, "t.yml"))
    text = json.dumps(summary)
    assert json.loads(text) == summary
    assert "File /etc/passwd mode" not in text
    assert (summary["schema"], summary["schema_version"]) == ("securescan.kubernetes/run-summary", 4)


def test_every_field_is_described() -> None:
    summary = run()
    described = run_module.__doc__ or ""
    for name in [*summary, *(name for name in summary["targets"][0] if name not in GOOD.identity())]:
        assert name in described, name


def test_it_stays_small() -> None:
    """300 controls that all fail cost their ids, not their results."""
    failing = [make_control(f"control-{index:03}", "failed", "failed", "failed") for index in range(300)]
    targets = [make_target(f"pod-{index}") for index in range(10)]
    documents = [(target, make_document(target, *failing)) for target in targets]
    size = len(json.dumps(make_run(documents, (), None).to_json()))
    assert size < len(json.dumps([document for _unused, document in documents])) / 15


def test_equal_notes_appear_once_and_where_they_belong() -> None:
    made = RunSummaryBuilder(run_id="r", started="s", cluster="c", selection={}, profiles=[])
    notes = [Note(about, "c-1", "expired", "c-1: expired") for about in (WAIVER, WAIVER, ATTESTATION)]
    summary = made.finish("f", 1.0, notes).to_json()
    assert (
        summary["waiver_notes"]
        == summary["attestation_notes"]
        == [{"control_id": "c-1", "kind": "expired", "text": "c-1: expired"}]
    )


def test_a_summary_read_back_says_what_was_expected() -> None:
    summary = typed_run()
    read = parse_run(json.dumps(summary.to_json()).encode(), "summary.json")
    assert read == summary
    assert [(one.target_id, one.outcome) for one in read.expected_targets()] == [
        (BAD.target_id, "scanned"),
        (WORSE.target_id, "scanned"),
        (BARE.target_id, "not_scanned"),
        (GOOD.target_id, "scanned"),
    ]
    errors = [target.error and target.error.to_json() for target in read.targets]
    assert errors == [None, None, NO_SHELL.record(), None]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[]", "is not a run summary"),
        (b"{}", "is not a run summary"),
        (json.dumps(dict(run(), schema_version=5)).encode(), "is not a run summary of schema version 4"),
        (json.dumps(dict(run(), targets=None)).encode(), "targets is missing or of another type"),
        (json.dumps(dict(run(), targets=[{}])).encode(), "targets[0].target_id is missing"),
        (
            json.dumps(dict(run(), targets=[dict(run()["targets"][0], outcome="maybe")])).encode(),
            "targets[0].outcome must be",
        ),
        (
            json.dumps(dict(run(), targets=[dict(run()["targets"][0], hdf="")])).encode(),
            "what was scanned has a document",
        ),
        (
            json.dumps(dict(run(), targets=[dict(run()["targets"][0], error={"reason": "x"})])).encode(),
            "has a document",
        ),
        (
            json.dumps(dict(run(), targets=run()["targets"][1:])).encode(),
            "its targets are not those that it counts",
        ),
        (
            json.dumps({name: value for name, value in run().items() if name != "profiles"}).encode(),
            "profiles is missing",
        ),
    ],
)
def test_what_is_not_a_summary(data: bytes, message: str) -> None:
    with pytest.raises(ScanError) as caught:
        parse_run(data, "summary.json")
    assert caught.value.reason == "bad_results"
    assert message in caught.value.message
