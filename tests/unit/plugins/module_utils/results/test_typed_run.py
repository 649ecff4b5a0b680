# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as typed values: what comes back is what was written, what does not fit is named, older versions can be read."""

from __future__ import annotations

import json
import pathlib
import tracemalloc
from dataclasses import fields, replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import run as run_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.evidence import Evidence
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    SCHEMA_VERSION,
    NamespaceOwner,
    Run,
    TargetCounts,
    open_earlier_run,
    open_run,
    parse_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import (
    IDENTITY,
    Carried,
    ErrorRecord,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import (
    Unmatched,
    UnmatchedError,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    START,
    make_control,
    make_document,
    make_run,
    make_target,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import (
    write_sample_run,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """It has every status, every outcome, notes, a gate with reasons of each kind, and hostile text."""
    return write_sample_run(tmp_path_factory.mktemp("results"))


def summary_of(run: Run) -> dict[str, Any]:
    """A copy that a test may change."""
    summary: dict[str, Any] = json.loads(json.dumps(run.to_json()))
    return summary


def at(summary: Any, *keys: Any) -> Any:
    for key in keys:
        summary = summary[key]
    return summary


def test_what_is_written_is_what_was_read(run: Run) -> None:
    data = (pathlib.Path(run.folder) / "summary.json").read_bytes()
    assert run.to_json() == json.loads(data)
    again = RunFolder(str(pathlib.Path(run.folder).parent), "again")
    again.create()
    assert again.write_summary(run).read_bytes() == data, "to the byte, keys in their order"


def test_a_run_that_is_built_is_the_one_that_is_read_back() -> None:
    target = make_target()
    built = make_run(
        [(target, make_document(target, make_control("c-1", "failed"), make_control("c-2", "skipped")))]
    )
    assert parse_run(json.dumps(built.to_json()).encode(), "summary.json") == built


def test_a_target_record_has_the_fields_of_an_identity_in_their_order() -> None:
    assert tuple(make_target().identity()) == IDENTITY
    target = make_target()
    (record,) = make_run([(target, make_document(target, make_control("c-1", "passed")))]).targets
    assert record.identity() == target.identity()


def test_an_error_record_has_the_fields_of_an_error() -> None:
    assert [field.name for field in fields(ErrorRecord)] == list(ScanError("pod_gone", "gone").record())


def test_a_run_is_opened_by_its_folder_and_an_earlier_one_also_by_its_summary(run: Run) -> None:
    assert (
        open_run(run.folder)
        == open_earlier_run(run.folder)
        == open_earlier_run(f"{run.folder}/summary.json")
        == run
    )
    with pytest.raises(ScanError, match=r"summary\.json: cannot be read"):
        open_run(f"{run.folder}/summary.json")


BROKEN: list[tuple[tuple[Any, ...], Any, str]] = [
    (("targets", 1), [], "targets[1] is missing or of another type"),
    (("targets", 0, "counts", "failed"), "1", "targets[0].counts.failed is missing or of another type"),
    (("targets", 0, "compliance"), None, "targets[0].compliance is missing or of another type"),
    (("targets", 0, "result"), "not_scanned", "targets[0].result does not fit the outcome"),
    (("targets", 0, "hdf_sha256"), None, "targets[0].hdf_sha256 is missing or of another type"),
    (("left_out",), [], "left_out is missing or of another type"),
    (("targets", 0, "image"), 7, "targets[0].image is missing or of another type"),
    (("targets", 0, "facts", "sha256"), None, "targets[0].facts.sha256 is missing or of another type"),
    (("targets", 0, "failed"), {"p": "c-1"}, "targets[0].failed.p is missing or of another type"),
    (
        ("targets", 0, "profiles", 1, "name"),
        None,
        "targets[0].profiles[1].name is missing or of another type",
    ),
    (("targets", 1, "error", "cause"), None, "targets[1].error.cause is missing or of another type"),
    (("targets", 3, "drift", "complete"), 1, "targets[3].drift.complete is missing or of another type"),
    (("profiles", 0, "sha256"), None, "profiles[0].sha256 is missing or of another type"),
    (("controls", "failed", "high"), True, "controls.failed.high is missing or of another type"),
    (("controls", "failed", "total"), 0, "the numbers of controls do not add up"),
    (("controls", "compliance"), 100, "the numbers of controls do not add up"),
    (
        ("failed_controls", 0, "severity"),
        "worst",
        "failed_controls[0].severity must be one of critical, high",
    ),
    (("not_reviewed", 0, "cause"), None, "not_reviewed[0].cause is missing or of another type"),
    (("gate", "passed"), "yes", "gate.passed is missing or of another type"),
    (
        ("gate", "threshold", "limits"),
        {"failed.tootal.max": 0},
        "gate.threshold.limits: unknown key 'failed.tootal.max",
    ),
    (("gate", "reasons", 0, "text"), None, "gate.reasons[0].text is missing or of another type"),
    (("gate", "targets", 0, "outcome"), "maybe", "gate.targets[0].outcome must be scanned or not_scanned"),
    (
        ("gate", "counts", "targets", "scanned"),
        1.5,
        "gate.counts.targets.scanned is missing or of another type",
    ),
    (("gate", "new_failures", 0, "place"), None, "gate.new_failures[0].place is missing or of another type"),
    (("waiver_notes", 0, "text"), None, "waiver_notes[0].text is missing or of another type"),
    (("collection",), None, "collection is missing or of another type"),
    (("schema_version",), [], "is not a run summary of schema version 4"),
    (("targets", 0, "replicas"), 0, "targets[0].replicas must be at least 1"),
    (("targets", 0, "seen"), None, "targets[0].seen is missing or of another type"),
    (
        ("targets", 0, "carried"),
        {"run_id": "r", "why": "lazy", "age_seconds": 1},
        "targets[0].carried.why must be resumed or fresh",
    ),
    (("amendments_sha256",), None, "amendments_sha256 is missing or of another type"),
    (("deadline",), "soon", "deadline is missing or of another type"),
    (("namespaces",), [{"name": "shop"}], "namespaces[0].team is missing or of another type"),
]


def as_version_3(run: Run) -> dict[str, Any]:
    """The run's summary as version 3 of the schema had it."""
    old = summary_of(run)
    old["schema_version"] = 3
    for name in ("amendments_sha256", "inputs_sha256", "deadline", "namespaces"):
        del old[name]
    del old["target_counts"]["carried"], old["gate"]["counts"]["targets"]["carried"]
    for target in old["targets"]:
        for name in ("seen", "spec_sha256", "replicas", "carried"):
            del target[name]
    return old


def as_version_2(run: Run) -> dict[str, Any]:
    """The run's summary as version 2 of the schema had it."""
    old = as_version_3(run)
    old["schema_version"] = 2
    del old["cluster_uid"], old["unmatched"], old["allow_empty"], old["gate"]["no_longer_failed"]
    return old


def as_version_1(run: Run) -> dict[str, Any]:
    """The run's summary as version 1 of the schema had it."""
    old = as_version_2(run)
    old["schema_version"] = 1
    del old["left_out"], old["target_counts"]["not_judged"]
    for target in old["targets"]:
        del target["hdf_sha256"], target["evidence"]
        target["result"] = {"not_judged": "fail"}.get(target["result"], target["result"])
    gate = old["gate"]
    del gate["threshold"]["added"], gate["counts"]["targets"]["judged"]
    gate["targets"] = [
        {
            "target_id": target["target_id"],
            "outcome": target["outcome"],
            "passed": target["result"] == "pass",
            "reasons": target["reasons"],
        }
        for target in gate["targets"]
    ]
    return old


def without_what_is_new(run: Run) -> Run:
    """What a summary of version 1 says of the run: a target had passed or not."""
    targets = tuple(
        replace(
            target,
            hdf_sha256="",
            evidence=None,
            result="fail" if target.result == "not_judged" else target.result,
        )
        for target in run.targets
    )
    gate = run.gate
    assert gate is not None
    decided = tuple(
        replace(target, result="fail" if target.result == "not_judged" else target.result)
        for target in gate.targets
    )
    gate = replace(gate, targets=decided, judged=gate.scanned, threshold=replace(gate.threshold, added=()))
    return replace(run, targets=targets, target_counts=TargetCounts.of(targets), gate=gate)


def test_a_summary_of_version_2_knows_neither_the_servers_id_nor_names_without_a_target(run: Run) -> None:
    old = as_version_2(run)
    assert Run.from_json(old, "summary.json", run.folder) == run
    assert old == as_version_2(run), "what was given is not changed"
    error = UnmatchedError("SCAN-401", "no_targets", "namespace billingg does not exist")
    unmatched = (Unmatched("namespace", "billingg", "", error),)
    counts = TargetCounts.of(run.targets, unmatched)
    more = replace(run, cluster_uid="1-2-3", unmatched=unmatched, target_counts=counts)
    assert Run.from_json(more.to_json(), "summary.json", run.folder) == more
    assert more.unmatched[0].target_id == "namespace//billingg"


def test_a_summary_of_version_1_is_read_without_digests_and_evidence(run: Run) -> None:
    old = as_version_1(run)
    read = Run.from_json(old, "summary.json", run.folder)
    assert read == without_what_is_new(run)
    assert old == as_version_1(run), "what was given is not changed"
    for keys in (("targets",), ("target_counts",), ("targets", 0)):
        broken = as_version_1(run)
        at(broken, *keys[:-1])[keys[-1]] = "x"
        with pytest.raises(ScanError, match="is missing or of another type"):
            Run.from_json(broken, "summary.json")


def test_a_summary_of_version_3_says_that_its_targets_are_as_old_as_the_run(run: Run) -> None:
    old = as_version_3(run)
    assert Run.from_json(old, "summary.json", run.folder) == run, "whose documents begin with the run"
    assert old == as_version_3(run), "what was given is not changed"
    old["judged_from"] = {"run_id": "run-0", "started": "2026-11-20T10:00:00Z"}
    read = Run.from_json(old, "summary.json")
    assert {target.seen for target in read.targets} == {"2026-11-20T10:00:00Z", ""}
    assert {target.seen for target in read.targets if not target.is_scanned} == {""}


def test_what_was_taken_over_is_read_back_with_its_age() -> None:
    target = make_target()
    built = make_run(
        [(target, make_document(target, make_control("c-1", "passed")))],
        deadline=600.0,
        amendments_sha256="ab" * 32,
        inputs_sha256="cd" * 32,
        namespaces=[NamespaceOwner("shop", "web", "")],
    )
    (record,) = built.targets
    assert (record.place_id, record.seen) == ("demo/shop/Deployment/api/app", START)
    carried = replace(record, replicas=3, spec_sha256="ef" * 32, carried=Carried("run-0", "fresh", 90))
    run = replace(built, targets=(carried,), target_counts=TargetCounts.of((carried,)))
    assert Run.from_json(json.loads(json.dumps(run.to_json())), "summary.json") == run


def test_evidence_and_what_was_left_out_are_read_back() -> None:
    target = make_target()
    document = make_document(target, make_control("c-1", "passed"))
    document["passthrough"]["securescan_kubernetes"]["scan"]["evidence"] = {
        "grade": "target",
        "reasons": ["its own shell answered"],
    }
    built = make_run([(target, document)], left_out={"own_sidecar": 2})
    assert built.targets[0].evidence == Evidence("target", ("its own shell answered",))
    summary = json.loads(json.dumps(built.to_json()))
    assert (summary["left_out"], summary["targets"][0]["evidence"]["grade"]) == ({"own_sidecar": 2}, "target")
    assert Run.from_json(summary, "summary.json") == built
    summary["targets"][0]["evidence"]["grade"] = "best"
    with pytest.raises(ScanError, match=r"targets\[0\].evidence.grade must be one of target, beside, image"):
        Run.from_json(summary, "summary.json")


def test_a_target_that_was_not_judged_counts_as_scanned_and_is_counted_by_itself(run: Run) -> None:
    summary = summary_of(run)
    assert summary["target_counts"]["not_judged"] == 1
    index = next(i for i, target in enumerate(summary["targets"]) if target["result"] == "pass")
    summary["targets"][index]["result"] = "not_judged"
    with pytest.raises(ScanError, match="its targets are not those that it counts"):
        Run.from_json(summary, "summary.json")
    summary["target_counts"]["not_judged"] = 2
    assert Run.from_json(summary, "summary.json").target_counts.scanned == run.target_counts.scanned


@pytest.mark.parametrize(("keys", "value", "problem"), BROKEN)
def test_what_does_not_fit_is_an_error_that_names_its_place(
    run: Run, keys: tuple[Any, ...], value: Any, problem: str
) -> None:
    summary = summary_of(run)
    at(summary, *keys[:-1])[keys[-1]] = value
    with pytest.raises(ScanError) as caught:
        Run.from_json(summary, "summary.json")
    assert caught.value.reason == "bad_results"
    assert caught.value.message.startswith(f"summary.json: {problem}")


def test_what_was_not_there_from_the_beginning_may_be_missing(run: Run) -> None:
    summary = summary_of(run)
    del summary["judged_from"], summary["gate"], summary["collector_version"]
    for target in summary["targets"]:
        for name in ("facts", "drift", "image", "state_reason"):
            target.pop(name)
    read = Run.from_json(summary, "summary.json")
    assert (read.judged_from, read.gate, read.collector_version) == (None, None, "")
    assert {(target.facts, target.drift, target.image, target.state_reason) for target in read.targets} == {
        (None, None, "", "")
    }


def test_a_summary_of_an_older_version_is_lifted_step_by_step(
    run: Run, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if versions -1 and 0 had existed: in -1 the run was called `scan`, in 0 seconds were milliseconds."""
    monkeypatch.setitem(
        run_module.MIGRATIONS,
        -1,
        lambda old: {**{k: v for k, v in old.items() if k != "scan"}, "run_id": old["scan"]},
    )
    monkeypatch.setitem(run_module.MIGRATIONS, 0, lambda old: {**old, "duration": old["duration"] / 1000})
    old = as_version_1(run)
    old.update(schema_version=-1, scan=old.pop("run_id"), duration=2000)
    (tmp_path / "summary.json").write_text(json.dumps(old))
    read = open_run(str(tmp_path))
    assert (read.run_id, read.duration) == ("run-1", 2.0)
    assert replace(read, folder=run.folder) == without_what_is_new(run)
    assert read.to_json()["schema_version"] == SCHEMA_VERSION, "it is written in today's version"
    with pytest.raises(ScanError, match="is not a run summary of schema version 4"):
        Run.from_json(dict(old, schema_version=-2), "summary.json")


def test_documents_can_be_read_as_often_as_wanted(run: Run) -> None:
    first, second = list(run.documents()), list(run.documents())
    assert first == second
    assert len(first) == run.target_counts.scanned
    both = zip(run.documents(), run.documents())
    assert all(one == other for one, other in both), "also at the same time"


def test_a_run_that_was_not_opened_from_a_folder_has_no_documents() -> None:
    target = make_target()
    built = make_run([(target, make_document(target, make_control("c-1", "passed")))])
    with pytest.raises(ScanError, match="was not opened from its folder"):
        next(built.documents())


def test_one_document_is_held_at_a_time(tmp_path: pathlib.Path) -> None:
    """Memory for documents of 10 targets is not that for documents of 40."""

    def peak(number: int) -> int:
        folder = RunFolder(str(tmp_path), f"run-{number}")
        folder.create()
        targets = [make_target(f"pod-{index}") for index in range(number)]
        document = {}
        records = []
        for target in targets:
            document = make_document(
                target, *(make_control(f"c-{index}", "passed", desc="x" * 500) for index in range(200))
            )
            hdf, _sha256 = folder.write_hdf(document, target.identity())
            (record,) = make_run([(target, document)], (), None).targets
            records.append(replace(record, hdf=hdf))
        made = make_run([(target, document) for target in targets[:1]], (), None)
        run = replace(made, targets=tuple(records), folder=str(folder.path))
        tracemalloc.start()
        try:
            assert sum(1 for _document in run.documents()) == number
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(10), peak(40)
    assert many < few * 1.3
