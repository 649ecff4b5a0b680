# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks scan_sign and scan_verify: what they return, in check mode too, and what they do with a fleet run."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import RUN_ENVELOPE
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.sign import scan_sign_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.verify import scan_verify_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import FleetRun
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.sign import run_scan_sign
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.verify import run_scan_verify
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import edit_json, make_key, write_run

PRIVATE, PUBLIC = make_key()


def sign(run_dir: str | pathlib.Path, check_mode: bool = False, **given: Any) -> dict[str, Any]:
    params = {name: rule.get("default") for name, rule in scan_sign_spec().items()}
    params.update(run_dir=str(run_dir), allow_shared_folder=True, private_key_content=PRIVATE)
    context = TaskContext(check_mode, {})
    result = run_scan_sign({**params, **given}, context)
    return {**result, "warnings": context.warnings}


def verify(run_dir: str | pathlib.Path, **given: Any) -> dict[str, Any]:
    params = {name: rule.get("default") for name, rule in scan_verify_spec().items()}
    params.update(run_dir=str(run_dir), trusted_keys=[PUBLIC])
    context = TaskContext(False, {})
    result = run_scan_verify({**params, **given}, context)
    return {**result, "warnings": context.warnings}


@pytest.fixture
def run_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    return write_run(tmp_path / "demo")


@pytest.fixture
def fleet_run(tmp_path: pathlib.Path) -> FleetRun:
    return write_sample_fleet(tmp_path / "results")


def kinds(result: dict[str, Any]) -> list[str]:
    return [fault["kind"] for fault in result["faults"]]


def test_a_run_is_signed_once(run_dir: pathlib.Path) -> None:
    result = sign(run_dir)
    assert result["changed"] and result["sequence"] == 1 and result["statements"] == "signed"
    assert result["manifest_sha256"] in result["table"]
    assert all(pathlib.Path(path).is_file() for path in result["files"])
    again = sign(run_dir)
    assert not again["changed"] and again["manifest_sha256"] == result["manifest_sha256"]
    assert "PRIVATE" not in json.dumps(result)
    found = verify(run_dir)
    assert found["verified"] and "failed" not in found and found["targets"] == 8
    assert found["manifest_sha256"] == result["manifest_sha256"]
    assert found["summary_sha256"] == result["summary_sha256"]
    assert found["signed"]["tools"]["securescan.kubernetes"] and found["key_id"] == result["key_id"]


def test_check_mode_writes_nothing(run_dir: pathlib.Path) -> None:
    before = sorted(run_dir.parent.rglob("*"))
    result = sign(run_dir, check_mode=True)
    assert result["changed"] and result["manifest_sha256"] == "" and result["sequence"] == 1
    assert sorted(run_dir.parent.rglob("*")) == before
    sign(run_dir)
    assert not sign(run_dir, check_mode=True)["changed"]


def test_a_report_that_came_later_is_named_and_can_be_covered(run_dir: pathlib.Path) -> None:
    sign(run_dir)
    (run_dir / "summary.md").write_text("# all", encoding="ascii")
    found = verify(run_dir)
    assert found["verified"] and found["uncovered"] == ["summary.md"]
    assert "does not cover 1 file made after it" in found["warnings"][0]
    assert any("Not covered, because made later: summary.md" in line for line in found["table"])
    strict = verify(run_dir, allow_uncovered=False)
    assert strict["failed"] and kinds(strict) == ["uncovered"]
    later = sign(run_dir)
    assert not later["changed"] and later["uncovered"] == ["summary.md"] and later["warnings"]
    assert sign(run_dir, again=True)["changed"]
    assert verify(run_dir, allow_uncovered=False)["verified"]


def test_what_was_changed_is_never_signed_again(run_dir: pathlib.Path) -> None:
    sign(run_dir)
    edit_json(run_dir / "summary.json", lambda summary: summary.update(started="2026-11-24T10:00:00Z"))
    for again in (False, True):
        with pytest.raises(ScanError, match="started: ") as caught:
            sign(run_dir, again=again)
        assert caught.value.reason == "bad_evidence"


def test_a_run_whose_signature_was_removed_is_not_signed_as_a_new_one(run_dir: pathlib.Path) -> None:
    """It would be a run before itself in the chain, and nobody would hear of what was changed."""
    sign(run_dir)
    shutil.rmtree(run_dir / "evidence")
    edit_json(run_dir / "summary.json", lambda summary: summary["gate"].update(passed=True, reasons=[]))
    for check_mode in (False, True):
        with pytest.raises(ScanError, match="its signature is gone") as caught:
            sign(run_dir, check_mode)
        assert caught.value.reason == "bad_evidence" and not (run_dir / RUN_ENVELOPE).exists()
    (run_dir.parent / "chain.json").unlink()
    assert sign(run_dir)["sequence"] == 1
    assert verify(run_dir, chain=True)["verified"]


def test_a_run_that_is_not_the_one_that_its_scan_wrote_is_not_signed(run_dir: pathlib.Path) -> None:
    path = next((run_dir / "hdf").iterdir())
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ScanError, match="SHA-256 differs"):
        sign(run_dir)
    assert not (run_dir / RUN_ENVELOPE).exists()


@pytest.mark.parametrize("name", ["journal.jsonl", "hdf/link", "bad\nname"])
def test_a_folder_with_what_belongs_to_no_finished_run_is_not_signed(
    run_dir: pathlib.Path, name: str
) -> None:
    if name == "hdf/link":
        (run_dir / name).symlink_to("/etc/passwd")
    else:
        (run_dir / name).touch()
    with pytest.raises(ScanError) as caught:
        sign(run_dir)
    assert caught.value.reason == "bad_results"


def test_a_new_key_signs_again_where_the_old_one_is_trusted(run_dir: pathlib.Path) -> None:
    sign(run_dir)
    private, public = make_key("ecdsa")
    with pytest.raises(ScanError, match="by no key that is trusted"):
        sign(run_dir, private_key_content=private, again=True)
    assert sign(run_dir, private_key_content=private, again=True, trusted_keys=[PUBLIC])["changed"]
    assert verify(run_dir, trusted_keys=[PUBLIC, public])["verified"]
    old = verify(run_dir)
    assert old["failed"] and old["error"]["reason"] == "not_signed" and kinds(old) == ["foreign_key"]


def test_an_old_signature_is_told(run_dir: pathlib.Path) -> None:
    sign(run_dir)
    assert verify(run_dir, max_age=3600)["verified"]
    assert kinds(verify(run_dir, max_age=0)) == ["time"]


def test_options_of_a_chain_need_the_chain(run_dir: pathlib.Path) -> None:
    sign(run_dir)
    assert verify(run_dir, chain=True)["chain"] == ["run-1"]
    with pytest.raises(ScanError, match="chain_from needs chain"):
        verify(run_dir, chain_from="run-0")
    with pytest.raises(ScanError, match="names no key"):
        verify(run_dir, trusted_keys=[""])
    result = verify(run_dir, chain=True, chain_head="0" * 64)
    assert result["failed"] and kinds(result) == ["chain_head"]


def test_a_fleet_run_is_signed_with_the_runs_of_its_clusters(fleet_run: FleetRun) -> None:
    folder = pathlib.Path(fleet_run.folder)
    runs = [fleet_run.output_dir / entry.run_dir for entry in fleet_run.clusters if entry.has_run]
    for run in runs[1:]:
        sign(run)
    result = sign(folder)
    assert result["changed"] and result["run_id"] == fleet_run.fleet_run_id and result["statements"] == ""
    found = verify(folder)
    assert found["verified"], found["faults"]
    # one cluster's run was not signed itself: the summary's digest holds for it
    assert [path for path in found["uncovered"] if "not signed itself" in path]
    document = next(path for path in runs[1].glob("hdf/*"))
    document.write_bytes(document.read_bytes().replace(b"passed", b"failed", 1))
    assert kinds(verify(folder)) == ["verdict"]
    shutil.rmtree(runs[1])
    assert kinds(verify(folder)) == ["removed_run"]


def test_an_unsigned_run_of_a_fleet_run_is_held_by_its_digest(fleet_run: FleetRun) -> None:
    folder = pathlib.Path(fleet_run.folder)
    sign(folder)
    assert verify(folder)["verified"]
    entry = next(entry for entry in fleet_run.clusters if entry.has_run and entry.targets.scanned)
    document = next(path for path in (fleet_run.output_dir / entry.run_dir).glob("hdf/*"))
    document.write_bytes(document.read_bytes() + b" ")
    result = verify(folder)
    assert result["failed"] and "SHA-256 differs" in result["faults"][0]["text"]


def test_a_fleet_run_that_was_changed_says_in_what(fleet_run: FleetRun) -> None:
    folder = pathlib.Path(fleet_run.folder)
    sign(folder)
    edit_json(folder / "fleet.json", lambda value: value.update(started="2026-01-01T00:00:00Z"))
    (fault,) = verify(folder)["faults"]
    assert fault["kind"] == "time" and "started: '2026-01-01T00:00:00Z'" in fault["text"]
