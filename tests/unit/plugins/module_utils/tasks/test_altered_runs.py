# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is not as its scan wrote it fails the gate, and the reason names the file."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decisions import decisions_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

GOOD, BAD = make_target("good-1", workload="good"), make_target("bad-1", workload="bad")
BAD_FILE, GOOD_FILE = "demo_shop_bad-1_app.json", "demo_shop_good-1_app.json"


def good_document(target: Any, profile: str = "baseline") -> dict[str, Any]:
    return make_document(
        target, make_control("c-1", "passed", impact=1.0), make_control("c-2", "passed"), profile=profile
    )


def bad_document() -> dict[str, Any]:
    return make_document(BAD, make_control("c-1", "failed", impact=1.0), make_control("c-2", "passed"))


@pytest.fixture
def run_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    """A run with one target that passes and one with a critical failure."""
    return write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD)), (BAD, bad_document())])


def decide(run_dir: pathlib.Path, sha256: str | None = None, **params: Any) -> dict[str, Any]:
    given = {
        "run_dir": str(run_dir),
        "threshold": None,
        "threshold_source": "the option threshold",
        "baseline": None,
        "fail_on": "gate",
        "table": "full",
        "summary_sha256": sha256,
        "max_age": None,
        "allow_shared_folder": False,
        "trusted_keys": None,
        "require_signature": False,
        **params,
    }
    return run_scan_threshold(given, TaskContext(check_mode=False, environ={}))


def reasons(run_dir: pathlib.Path) -> list[tuple[str, str, str]]:
    """Of the decision that was taken last."""
    gate = decisions_of(open_run(str(run_dir)))[-1].decision
    return [(reason.key, reason.target_id, reason.text) for reason in gate.reasons]


def sha256_of(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def change_json(path: pathlib.Path, change: Callable[[Any], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def bad_control(document: Any) -> Any:
    return document["profiles"][0]["controls"][0]


def edit_status(folder: pathlib.Path) -> None:
    path = folder / "hdf" / BAD_FILE
    path.write_bytes(path.read_bytes().replace(b'"status":"failed"', b'"status":"passed"'))


def waive(folder: pathlib.Path) -> None:
    change_json(
        folder / "hdf" / BAD_FILE,
        lambda document: bad_control(document).update(waiver_data={"skipped_due_to_waiver": True}),
    )


def take_the_impact(folder: pathlib.Path) -> None:
    change_json(folder / "hdf" / BAD_FILE, lambda document: bad_control(document).update(impact=0))


def take_controls_out(folder: pathlib.Path) -> None:
    change_json(folder / "hdf" / BAD_FILE, lambda document: document["profiles"][0]["controls"].pop(0))


def put_an_older_run(folder: pathlib.Path) -> None:
    older = write_run(folder.parent, "run-1", [(BAD, good_document(BAD))])
    shutil.copy(older / "hdf" / BAD_FILE, folder / "hdf" / BAD_FILE)


def take_our_part_out(folder: pathlib.Path) -> None:
    document = good_document(BAD)
    del document["passthrough"]
    document["platform"]["target_id"] = BAD.target_id
    (folder / "hdf" / BAD_FILE).write_text(json.dumps(document))


def write_a_key_twice(folder: pathlib.Path) -> None:
    path = folder / "hdf" / BAD_FILE
    path.write_bytes(path.read_bytes().replace(b'"status":"failed"', b'"status":"failed","status":"passed"'))


def put_a_link(folder: pathlib.Path) -> None:
    path = folder / "hdf" / BAD_FILE
    path.rename(folder / "elsewhere.json")
    path.symlink_to("../elsewhere.json")


def put_a_pipe(folder: pathlib.Path) -> None:
    (folder / "hdf" / BAD_FILE).unlink()
    os.mkfifo(folder / "hdf" / BAD_FILE)


def put_a_folder(folder: pathlib.Path) -> None:
    (folder / "hdf" / BAD_FILE).unlink()
    (folder / "hdf" / BAD_FILE).mkdir()


EDITED: dict[str, tuple[Callable[[pathlib.Path], None], str]] = {
    "11-status": (edit_status, "its SHA-256 differs"),
    "11-waiver": (waive, "its SHA-256 differs"),
    "11-impact": (take_the_impact, "its SHA-256 differs"),
    "11-controls-out": (take_controls_out, "its SHA-256 differs"),
    "11-older-document": (put_an_older_run, "its SHA-256 differs"),
    "11-without-our-part": (take_our_part_out, "its SHA-256 differs"),
    "11-key-twice": (write_a_key_twice, "its SHA-256 differs"),
    "11-link": (put_a_link, "it is a link"),
    "11-pipe": (put_a_pipe, "it is not a file"),
    "11-folder": (put_a_folder, "it is not a file"),
}


@pytest.mark.parametrize("attack", EDITED)
def test_a_document_that_the_scan_did_not_write_fails_the_gate(run_dir: pathlib.Path, attack: str) -> None:
    change, why = EDITED[attack]
    change(run_dir)
    result = decide(run_dir)
    assert result["failed"] is True and result["error"]["reason"] == "bad_results"
    assert any(
        key == "documents" and target == BAD.target_id and f"hdf/{BAD_FILE}: " in text and why in text
        for key, target, text in reasons(run_dir)
    ), reasons(run_dir)
    assert [
        target.result for target in open_run(str(run_dir)).targets if target.target_id == BAD.target_id
    ] == ["fail"]
    attack_ends_as(attack, outcome="documents")


def adapt_digest(folder: pathlib.Path) -> None:
    """The SHA-256 in the summary becomes that of the document."""

    def change(summary: Any) -> None:
        for target in summary["targets"]:
            target["hdf_sha256"] = sha256_of(folder / target["hdf"])

    change_json(folder / "summary.json", change)


HALF_ADAPTED: dict[str, tuple[Callable[[pathlib.Path], None], str]] = {
    "11-status": (
        edit_status,
        "does not fit what summary.json says of it: counts, compliance, worst_failed, failed",
    ),
    "11-waiver": (waive, "does not fit what summary.json says of it: counts"),
    "11-controls-out": (take_controls_out, "does not fit what summary.json says of it: counts"),
    "11-older-document": (put_an_older_run, "is of the run run-1, not of run-7"),
    "11-without-our-part": (take_our_part_out, "is of the run (none), not of run-7"),
    "11-key-twice": (write_a_key_twice, "the key 'status' stands twice in one object"),
}


@pytest.mark.parametrize("attack", HALF_ADAPTED)
def test_a_summary_with_the_digest_of_the_edited_document_does_not_fit_it_either(
    run_dir: pathlib.Path, attack: str
) -> None:
    change, why = HALF_ADAPTED[attack]
    change(run_dir)
    adapt_digest(run_dir)
    assert decide(run_dir)["failed"] is True
    assert any(f"hdf/{BAD_FILE}: " in text and why in text for _key, _target, text in reasons(run_dir)), (
        reasons(run_dir)
    )


def only_good(summary: Any) -> None:
    """The summary without the failing target, its numbers adapted."""
    targets = [target for target in summary["targets"] if target["target_id"] == GOOD.target_id]
    summary["targets"] = targets
    summary["target_counts"].update(selected=1, scanned=1)
    summary["failed_controls"] = []
    passing = copy.deepcopy(summary["controls"])
    passing["failed"].update(total=0, critical=0)
    passing["passed"].update(total=2, critical=1, medium=1)
    passing.update(controls=2, compliance=100)
    summary["controls"] = passing


def test_a_summary_without_the_failing_target_leaves_its_document_over(run_dir: pathlib.Path) -> None:
    change_json(run_dir / "summary.json", only_good)
    assert decide(run_dir)["failed"] is True
    assert [(key, text) for key, _target, text in reasons(run_dir)] == [
        ("documents", f"{run_dir}/hdf/{BAD_FILE} is not a document of the run")
    ]
    (junit,) = report(run_dir, None)
    assert 'failures="1"' in pathlib.Path(junit).read_text() and BAD_FILE in pathlib.Path(junit).read_text()
    attack_ends_as("11-target-cut-out", outcome="documents")


def test_a_run_that_was_rewritten_as_a_whole_is_told_by_the_digest_that_the_scan_returned(
    run_dir: pathlib.Path,
) -> None:
    """Without that digest nobody can tell: whoever may write all files can make them fit."""
    before = sha256_of(run_dir / "summary.json")
    change_json(run_dir / "summary.json", only_good)
    (run_dir / "hdf" / BAD_FILE).unlink()
    result = decide(run_dir, before)
    assert result["failed"] is True and "its SHA-256 is" in result["msg"]
    assert [key for key, _target, _text in reasons(run_dir)] == ["summary"]
    attack_ends_as("11-rewritten", outcome="summary")
    again = decide(run_dir)
    assert "failed" not in again
    attack_ends_as("11-rewritten-digest-not-given", outcome="passes")


def test_a_summary_without_profiles_and_a_document_of_a_foreign_one_fail(run_dir: pathlib.Path) -> None:
    change_json(run_dir / "summary.json", lambda summary: summary.update(profiles=[]))
    foreign = good_document(BAD, profile="foreign")
    foreign["passthrough"]["securescan_kubernetes"]["scan"]["run_id"] = "run-7"
    (run_dir / "hdf" / BAD_FILE).write_text(json.dumps(foreign))
    adapt_digest(run_dir)
    assert decide(run_dir)["failed"] is True
    assert any(
        "was judged by other profiles than summary.json says" in text for _k, _t, text in reasons(run_dir)
    )
    attack_ends_as("11-foreign-profile", outcome="documents")


@pytest.mark.parametrize("kind", ["file", "link", "folder", "pipe", "part"])
def test_whatever_else_lies_among_the_documents_is_a_reason(tmp_path: pathlib.Path, kind: str) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])
    assert "failed" not in decide(run_dir)
    name = ".abc.part" if kind == "part" else "demo_shop_other-1_app.json"
    path = run_dir / "hdf" / name
    if kind == "link":
        path.symlink_to(GOOD_FILE)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text(json.dumps(good_document(make_target("other-1"))))
    assert decide(run_dir)["failed"] is True
    assert reasons(run_dir) == [("documents", "", f"{path} is not a document of the run")]
    attack_ends_as("11-surplus-document", outcome="documents")


def test_many_foreign_files_are_counted_and_not_all_named(tmp_path: pathlib.Path) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])
    for number in range(30):
        (run_dir / "hdf" / f"x-{number}.json").write_text("")
    assert decide(run_dir)["failed"] is True
    assert len(reasons(run_dir)) == 21 and reasons(run_dir)[-1][2].endswith(
        "has 10 more that are none of the run"
    )


def test_an_older_run_in_the_folder_of_the_new_one_is_a_reason(tmp_path: pathlib.Path) -> None:
    """Somebody who may write to the output folder renames an older run over the new one."""
    older = write_run(tmp_path, "older", [(BAD, good_document(BAD))])
    new = write_run(tmp_path, "new", [(BAD, bad_document())])
    sha256 = sha256_of(new / "summary.json")
    shutil.rmtree(new)
    older.rename(new)
    assert decide(new)["failed"] is True
    assert [text for _key, _target, text in reasons(new)] == [
        "the folder new holds the run older: is it another one?"
    ]
    attack_ends_as("13-older-run-renamed", outcome="summary")
    assert decide(new, sha256)["failed"] is True


def test_a_run_is_opened_by_the_link_latest_all_the_same(run_dir: pathlib.Path) -> None:
    decide(run_dir.parent / "latest")
    assert {key for key, _target, _text in reasons(run_dir)} == {"failed.critical.max"}


def test_a_run_without_digests_fails_the_gate_and_says_what_to_do(tmp_path: pathlib.Path) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])

    def as_version_1(summary: Any) -> None:
        summary["schema_version"] = 1
        del summary["left_out"], summary["target_counts"]["not_judged"]
        for target in summary["targets"]:
            del target["hdf_sha256"], target["evidence"]

    change_json(run_dir / "summary.json", as_version_1)
    decide(run_dir)
    assert [(key, text) for key, _target, text in reasons(run_dir)] == [
        (
            "summary",
            "summary.json knows no SHA-256 of 1 document: it was written by a version that kept none, or changed "
            "since. Scan again, or judge its kept facts again",
        )
    ]
    attack_ends_as("11-digests-taken-out", outcome="summary")


def test_totals_that_are_not_those_of_the_documents_are_a_reason(run_dir: pathlib.Path) -> None:
    change_json(run_dir / "summary.json", lambda summary: summary.update(failed_controls=[]))
    decide(run_dir)
    assert ("summary", "", "the totals of summary.json are not those of the documents") in reasons(run_dir)


def test_an_earlier_decision_in_the_summary_does_not_count(run_dir: pathlib.Path) -> None:
    decide(run_dir, threshold={"failed": {"critical": {"max": 9}}})
    assert open_run(str(run_dir)).gate.passed  # type: ignore[union-attr]
    result = decide(run_dir)
    assert result["failed"] is True and not result["gate"]["passed"]
    assert open_run(str(run_dir)).gate.passed, "it stands as it was taken"  # type: ignore[union-attr]
    assert [one.decision.passed for one in decisions_of(open_run(str(run_dir)))] == [True, False]


def test_the_digest_goes_from_task_to_task(run_dir: pathlib.Path) -> None:
    scanned = sha256_of(run_dir / "summary.json")
    loose = {"failed": {"critical": {"max": 9}}}
    decided = decide(run_dir, scanned, threshold=loose)
    assert "failed" not in decided
    assert decided["summary_sha256"] == sha256_of(run_dir / "summary.json") != scanned
    assert decided["summary_sha256"] in decided["table"]
    for digest in (scanned, decided["summary_sha256"]):
        assert "failed" not in decide(run_dir, digest, threshold=loose), "a second decision on the same run"


def report(run_dir: pathlib.Path, sha256: str | None) -> list[str]:
    given = {
        "run_dir": str(run_dir),
        "formats": ["junit"],
        "store": None,
        "output_dir": None,
        "configuration_items": None,
        "summary_sha256": sha256,
        "decision": None,
        "decision_sha256": None,
    }
    files: list[str] = run_scan_report(given, TaskContext(check_mode=False, environ={}))["files"]
    return files


def test_a_decision_that_was_forged_after_the_gate_is_not_reported(run_dir: pathlib.Path) -> None:
    decided = decide(run_dir)
    assert report(run_dir, decided["summary_sha256"]) == [str(run_dir / "gate.junit.xml")]
    change_json(run_dir / "summary.json", lambda summary: summary["gate"].update(passed=True, reasons=[]))
    with pytest.raises(ScanError, match="is not the one that was named") as caught:
        report(run_dir, decided["summary_sha256"])
    assert caught.value.reason == "bad_results"
    attack_ends_as("11-forged-decision", outcome="bad_results")
    with pytest.raises(ScanError, match="64 hexadecimal digits"):
        report(run_dir, "not a digest")


def test_an_altered_run_fails_also_where_only_errors_fail(run_dir: pathlib.Path) -> None:
    assert "failed" not in decide(run_dir, fail_on="error")
    edit_status(run_dir)
    result = decide(run_dir, fail_on="error")
    assert result["failed"] is True and "its SHA-256 differs" in result["msg"]
    assert "failed" not in decide(run_dir, fail_on="never")


def started(run_dir: pathlib.Path, moment: datetime) -> None:
    change_json(run_dir / "summary.json", lambda summary: summary.update(started=moment.isoformat()))


def test_a_run_that_is_too_old_fails_where_an_age_was_asked_for(tmp_path: pathlib.Path) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])
    now = datetime.now(timezone.utc)
    started(run_dir, now - timedelta(hours=5))
    result = decide(run_dir)
    assert "failed" not in result and 18000 <= result["age"] < 18100
    assert result["table"][-3] == "Run run-7, scanned 5 hours ago. SHA-256 of its summary:"
    assert "failed" not in decide(run_dir, max_age=20000)
    assert decide(run_dir, max_age=3600)["failed"] is True
    assert reasons(run_dir) == [("max_age", "", "max_age: the run is 5 hours old, must be at most 1 hour")]
    attack_ends_as("27-old-run", outcome="max_age")
    assert decide(run_dir, max_age=0)["failed"] is True
    with pytest.raises(ScanError, match="it must be from 0 to"):
        decide(run_dir, max_age=-1)


@pytest.mark.parametrize("begun", ["2999-01-01T00:00:00Z", "yesterday", ""])
def test_a_run_that_began_at_no_time_or_in_the_future_is_a_reason(tmp_path: pathlib.Path, begun: str) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])
    change_json(run_dir / "summary.json", lambda summary: summary.update(started=begun))
    assert decide(run_dir)["failed"] is True
    assert reasons(run_dir)[0][2].startswith("the run says that it began at")


def test_the_age_is_that_of_the_evidence_and_not_of_a_later_judgement(tmp_path: pathlib.Path) -> None:
    run_dir = write_run(tmp_path, "run-7", [(GOOD, good_document(GOOD))])
    now = datetime.now(timezone.utc)
    change_json(
        run_dir / "summary.json",
        lambda summary: summary.update(
            started=now.isoformat(),
            judged_from={"run_id": "run-1", "started": (now - timedelta(days=3)).isoformat()},
        ),
    )
    assert decide(run_dir, max_age=3600)["failed"] is True
    assert reasons(run_dir)[0][2] == "max_age: the run is 3 days old, must be at most 1 hour"


def test_a_key_that_stands_twice_in_the_summary_is_refused(run_dir: pathlib.Path) -> None:
    path = run_dir / "summary.json"
    path.write_text(path.read_text().replace('"worst_failed"', '"result": "pass", "worst_failed"'))
    with pytest.raises(ScanError, match="the key 'result' stands twice in one object") as caught:
        decide(run_dir)
    assert caught.value.reason == "bad_results"
    attack_ends_as("27-key-twice-in-summary", outcome="bad_results")


@pytest.mark.parametrize("kind", ["empty", "link", "pipe"])
def test_a_summary_that_is_no_summary_is_refused(run_dir: pathlib.Path, kind: str) -> None:
    path = run_dir / "summary.json"
    path.rename(run_dir / "other.json")
    if kind == "empty":
        path.write_text("")
    elif kind == "link":
        path.symlink_to("other.json")
    else:
        os.mkfifo(path)
    with pytest.raises(ScanError) as caught:
        decide(run_dir)
    assert caught.value.reason == "bad_results"


def test_a_run_or_a_baseline_where_others_can_write_is_not_judged(tmp_path: pathlib.Path) -> None:
    mine, shared = tmp_path / "mine", tmp_path / "shared"
    for folder in (mine, shared):
        folder.mkdir(mode=0o755)
    run_dir = write_run(mine, "run-7", [(GOOD, good_document(GOOD))])
    other = write_run(shared, "run-6", [(GOOD, good_document(GOOD))])
    shared.chmod(0o777)
    for params in ({"run_dir": other}, {"run_dir": run_dir, "baseline": str(other)}):
        with pytest.raises(ScanError, match="others can replace the results in") as caught:
            decide(**params)
        assert caught.value.reason == "shared_folder"
    assert open_run(str(other)).gate is None, "nothing was written there"
    assert "failed" not in decide(run_dir, baseline=str(other), allow_shared_folder=True)
