# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision is never rewritten: each later one stands beside it, with its time and its threshold."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import pathlib
import stat
import threading
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import decisions, one_at_a_time
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

BAD = make_target("bad-1", workload="bad")
LOOSE = {"failed": {"critical": {"max": 9}}}


@pytest.fixture
def run_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    made = make_document(BAD, make_control("c-1", "failed", impact=1.0), make_control("c-2", "passed"))
    return write_run(tmp_path, "run-7", [(BAD, made)])


def decide(
    run_dir: pathlib.Path, threshold: Any = None, check_mode: bool = False, **params: Any
) -> dict[str, Any]:
    given = {name: rule.get("default") for name, rule in scan_threshold_spec().items()}
    given.update(run_dir=str(run_dir), threshold=threshold, **params)
    return run_scan_threshold(given, TaskContext(check_mode=check_mode, environ={}))


def report(run_dir: pathlib.Path, check_mode: bool = False, **params: Any) -> list[str]:
    given = {name: rule.get("default") for name, rule in scan_report_spec().items()}
    given.update(run_dir=str(run_dir), **params)
    files: list[str] = run_scan_report(given, TaskContext(check_mode=check_mode, environ={}))["files"]
    return files


def files(run_dir: pathlib.Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(run_dir)): path.read_bytes() for path in run_dir.rglob("*") if path.is_file()
    }


def sha256_of(path: str) -> str:
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def test_another_threshold_leaves_the_first_decision_and_its_reports_as_they_are(
    run_dir: pathlib.Path,
) -> None:
    first = decide(run_dir)
    report(run_dir, decision=first["decision"])
    before = files(run_dir)
    assert first["decision"] == str(run_dir / "summary.json") and b"**FAILED**" in before["summary.md"]
    second = decide(run_dir, LOOSE, threshold_source="loose.yml")
    report(run_dir, decision=second["decision"], decision_sha256=second["decision_sha256"])
    after = files(run_dir)
    assert before.items() <= after.items(), "not a byte of what was there has changed"
    folder = pathlib.Path(second["decision"]).parent
    assert folder.parent == run_dir / "decisions"
    assert {path.name for path in folder.iterdir()} == {"decision.json", "summary.md", "gate.junit.xml"}
    text = (folder / "summary.md").read_text()
    assert "**PASSED**" in text and "loose.yml" in text and f"Decided {second['gate']['decided_at']}" in text
    assert "[HDF](../../hdf/" in text and (folder / "../../hdf/demo_shop_bad-1_app.json").exists()
    assert second["summary_sha256"] == first["summary_sha256"] == sha256_of(str(run_dir / "summary.json"))
    assert second["decision_sha256"] == sha256_of(second["decision"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert stat.S_IMODE(pathlib.Path(second["decision"]).stat().st_mode) == 0o640


def test_all_decisions_of_a_run_are_told_in_order_with_what_each_was_by(run_dir: pathlib.Path) -> None:
    decide(run_dir, threshold_source="first.yml")
    decide(run_dir, LOOSE, threshold_source="second.yml")
    result = decide(run_dir, {"failed": {"total": {"max": 0}}}, threshold_source="third.yml")
    assert [(one["threshold"], one["passed"]) for one in result["decisions"]] == [
        ("the default threshold", False),
        ("second.yml", True),
        ("third.yml", False),
    ]
    assert all(one["decided_at"] and one["decided_by"] for one in result["decisions"])
    told = "\n".join(result["table"])
    assert f"one of 3 decisions on the run: {result['decision']}" in told
    assert f"The first, FAILED by the default threshold, stays in {run_dir / 'summary.json'}" in told
    kept = json.loads(pathlib.Path(result["decision"]).read_text())
    assert kept["run_id"] == "run-7" and kept["gate"]["threshold"]["limits"]["failed.total.max"] == 0
    names = sorted(path.name for path in (run_dir / "decisions").iterdir())
    assert names == [pathlib.Path(one["path"]).parent.name for one in result["decisions"][1:]]


def test_the_same_decision_asked_for_again_writes_nothing(run_dir: pathlib.Path) -> None:
    first, second = decide(run_dir), decide(run_dir, LOOSE)
    before = files(run_dir)
    again, second_again = decide(run_dir), decide(run_dir, LOOSE)
    assert files(run_dir) == before
    assert again["decision"] == first["decision"] and second_again["decision"] == second["decision"]
    assert again["gate"] == first["gate"], "with the time at which it was taken"


def test_reports_show_the_decision_that_is_named_and_else_the_first(
    run_dir: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    decide(run_dir)
    later = decide(run_dir, LOOSE)
    (first_text,) = report(run_dir, formats=["markdown"], output_dir=str(tmp_path / "a"))
    assert "**FAILED**" in pathlib.Path(first_text).read_text()
    for named in (later["decision"], str(pathlib.Path(later["decision"]).parent)):
        (text,) = report(run_dir, formats=["markdown"], output_dir=str(tmp_path / "b"), decision=named)
        assert "**PASSED**" in pathlib.Path(text).read_text()
        assert "[HDF](hdf/" in pathlib.Path(text).read_text(), (
            "links are relative to the run's folder, as said"
        )


def test_check_mode_writes_nothing_and_names_where_a_decision_would_be(run_dir: pathlib.Path) -> None:
    planned = decide(run_dir, check_mode=True)
    assert planned["decision"] == str(run_dir / "summary.json") and planned["files"] == []
    assert report(run_dir, check_mode=True, decision=planned["decision"])[0] == str(run_dir / "summary.md")
    decide(run_dir)
    before = files(run_dir)
    later = decide(run_dir, LOOSE, check_mode=True)
    assert "/decisions/" in later["decision"] and later["gate"]["passed"]
    assert report(run_dir, check_mode=True, decision=later["decision"])[0] == str(
        pathlib.Path(later["decision"]).parent / "summary.md"
    )
    assert files(run_dir) == before


def test_gates_that_decide_at_the_same_moment_overwrite_nothing(run_dir: pathlib.Path) -> None:
    """Sixteen of eight thresholds, two at a time for each: one is the first, and none is lost."""
    start, results = threading.Barrier(16), []

    def run(number: int) -> None:
        start.wait()
        results.append(
            decide(run_dir, {"failed": {"total": {"max": number}}}, threshold_source=f"{number}.yml")
        )

    threads = [threading.Thread(target=run, args=(number % 8,)) for number in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(results) == 16
    kept = decisions.decisions_of(open_run(str(run_dir)))
    assert sorted(one.decision.threshold.source for one in kept) == [f"{number}.yml" for number in range(8)]
    assert sum(one.is_first for one in kept) == 1
    assert {result["decision"] for result in results} == {str(one.file) for one in kept}
    assert all(sha256_of(str(one.file)) == one.sha256 for one in kept)


def test_a_file_system_that_locks_no_folders_keeps_decisions_all_the_same(
    run_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS locks nothing that was opened to read."""
    flock = fcntl.flock

    def flock_of_files(descriptor: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock_of_files)
    decide(run_dir)
    assert len(decide(run_dir, LOOSE)["decisions"]) == 2
    monkeypatch.setattr(one_at_a_time, "_SECONDS", 0.2)
    held = os.open(run_dir / ".deciding", os.O_RDWR)
    flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(ScanError, match="another gate has been writing its decision"):
            decide(run_dir)
    finally:
        os.close(held)


def test_a_gate_does_not_wait_for_ever_for_another_one(
    run_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_at_a_time, "_SECONDS", 0.2)
    held = os.open(run_dir, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(ScanError, match="another gate has been writing its decision") as caught:
            decide(run_dir)
        assert caught.value.reason == "write_failed"
    finally:
        os.close(held)
    assert decide(run_dir)["gate"]["passed"] is False


def test_a_run_that_changes_while_it_is_judged_gets_no_decision(
    run_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = run_dir / "summary.json"
    run = open_run(str(run_dir))
    value = json.loads(summary.read_text())
    value["duration"] = 99.0
    summary.write_text(json.dumps(value))
    before = summary.read_bytes()
    monkeypatch.setattr(
        "ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold.open_run",
        lambda _path: run,
    )
    with pytest.raises(ScanError, match="was changed while the run was judged"):
        decide(run_dir)
    assert summary.read_bytes() == before


def forge(path: pathlib.Path) -> None:
    value = json.loads(path.read_text())
    value["gate"]["passed"] = True
    path.write_text(json.dumps(value))


def test_a_decision_that_was_forged_is_told_by_its_digest(run_dir: pathlib.Path) -> None:
    decide(run_dir)
    later = decide(run_dir, {"failed": {"total": {"max": 0}}})
    forge(pathlib.Path(later["decision"]))
    with pytest.raises(ScanError, match="is not the decision that was named") as caught:
        report(run_dir, decision=later["decision"], decision_sha256=later["decision_sha256"])
    assert caught.value.reason == "bad_results"


def link_elsewhere(folder: pathlib.Path) -> None:
    (folder.parent / "elsewhere").mkdir()
    (folder / "decisions").symlink_to(folder.parent / "elsewhere")


def put_a_file(folder: pathlib.Path) -> None:
    (folder / "decisions").write_text("")


def put_a_foreign_folder(folder: pathlib.Path) -> None:
    (folder / "decisions" / "mine").mkdir(parents=True)


def put_an_empty_decision(folder: pathlib.Path) -> None:
    (folder / "decisions" / "20261130T120000.000000Z").mkdir(parents=True)


def put_a_pipe(folder: pathlib.Path) -> None:
    put_an_empty_decision(folder)
    os.mkfifo(folder / "decisions" / "20261130T120000.000000Z" / "decision.json")


def put_a_linked_decision(folder: pathlib.Path) -> None:
    (folder / "decisions").mkdir()
    (folder / "decisions" / "20261130T120000.000000Z").symlink_to(folder / "hdf")


def put_text(folder: pathlib.Path) -> None:
    put_an_empty_decision(folder)
    (folder / "decisions" / "20261130T120000.000000Z" / "decision.json").write_text("{}")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (link_elsewhere, "is not a folder of decisions"),
        (put_a_file, "is not a folder of decisions"),
        (put_a_foreign_folder, "is not the folder of a decision"),
        (put_an_empty_decision, "cannot be read"),
        (put_a_pipe, "it is not a file"),
        (put_a_linked_decision, "is not the folder of a decision"),
        (put_text, "is not a decision of schema version 1"),
    ],
)
def test_what_is_no_decision_among_them_is_refused_and_nothing_is_written(
    run_dir: pathlib.Path, put: Any, message: str
) -> None:
    decide(run_dir)
    put(run_dir)
    before = files(run_dir.parent)
    with pytest.raises(ScanError, match=message) as caught:
        decide(run_dir, LOOSE)
    assert caught.value.reason == "bad_results"
    assert files(run_dir.parent) == before


def test_a_decision_of_another_run_is_refused(run_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    decide(run_dir)
    later = decide(run_dir, LOOSE)
    made = make_document(BAD, make_control("c-1", "passed", impact=1.0))
    other = write_run(tmp_path / "other", "run-8", [(BAD, made)])
    decide(other)
    with pytest.raises(ScanError, match="is no decision on the run") as caught:
        report(other, decision=later["decision"])
    assert caught.value.reason == "bad_option"
    place = other / "decisions" / pathlib.Path(later["decision"]).parent.name
    place.mkdir(parents=True)
    (place / "decision.json").write_bytes(pathlib.Path(later["decision"]).read_bytes())
    with pytest.raises(ScanError, match="is a decision on another run") as caught:
        report(other, decision=str(place))
    assert caught.value.reason == "bad_results"


def test_the_number_of_decisions_is_bounded(run_dir: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_MOST_DECISIONS", 3)
    for number in range(3):
        decide(run_dir, {"failed": {"total": {"max": number}}})
    before = files(run_dir)
    with pytest.raises(ScanError, match="decisions already"):
        decide(run_dir, {"failed": {"total": {"max": 9}}})
    assert files(run_dir) == before
    assert decide(run_dir, {"failed": {"total": {"max": 1}}})["gate"]["passed"], (
        "one that is there can be asked for"
    )


def test_what_a_gate_left_that_was_killed_while_it_wrote_is_no_decision(run_dir: pathlib.Path) -> None:
    decide(run_dir)
    (run_dir / "decisions" / ".new-abc").mkdir(parents=True)
    assert len(decide(run_dir, LOOSE)["decisions"]) == 2
