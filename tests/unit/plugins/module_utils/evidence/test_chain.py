# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain from run to run."""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence import chain
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.chain import (
    CHAIN_JSON,
    ChainCheck,
    read_head,
    verify_chain,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import (
    RUN_ENVELOPE,
    SignedFolder,
    open_signed,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import KeySigner
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import (
    edit_json,
    make_signer,
    write_run,
    write_signed_run,
)

NAMES = ("run-1", "run-2", "run-3")


@pytest.fixture(scope="module")
def signer() -> KeySigner:
    return make_signer()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, signer: KeySigner) -> pathlib.Path:
    runs = tmp_path_factory.mktemp("demo")
    for name in NAMES:
        write_signed_run(runs, signer, name)
    return runs


@pytest.fixture
def runs(tmp_path: pathlib.Path, made: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(made, tmp_path / "demo"))


def check(folder: pathlib.Path, signer: KeySigner, oldest: str = "", head: str = "") -> ChainCheck:
    newest = open_signed(folder, [signer.public])
    assert isinstance(newest, SignedFolder)
    return verify_chain(newest, [signer.public], oldest, head)


def manifest_sha256(folder: pathlib.Path, signer: KeySigner) -> str:
    opened = open_signed(folder, [signer.public])
    assert isinstance(opened, SignedFolder)
    return opened.manifest_sha256


def test_each_run_names_the_one_before_it(runs: pathlib.Path, signer: KeySigner) -> None:
    found = check(runs / "run-3", signer)
    assert found.run_ids == ("run-3", "run-2", "run-1") and not found.faults
    head = read_head(runs)
    assert head and (head.run_id, head.sequence, head.pending) == ("run-3", 3, "")
    assert head.manifest_sha256 == manifest_sha256(runs / "run-3", signer)


def test_a_run_that_was_removed_is_missed(runs: pathlib.Path, signer: KeySigner) -> None:
    shutil.rmtree(runs / "run-2")
    faults = check(runs / "run-3", signer).faults
    assert [(one.kind, one.subject) for one in faults] == [
        ("removed_run", "run-2"),
        ("beside_chain", "run-1"),
    ]
    attack_ends_as("28-removed-run", outcome=faults[0].kind)


def test_runs_that_are_kept_no_longer_are_no_fault_where_the_oldest_is_named(
    runs: pathlib.Path, signer: KeySigner
) -> None:
    shutil.rmtree(runs / "run-1")
    assert [one.kind for one in check(runs / "run-3", signer).faults] == ["removed_run"]
    found = check(runs / "run-3", signer, oldest="run-2")
    assert found.run_ids == ("run-3", "run-2") and not found.faults
    (fault,) = check(runs / "run-3", signer, oldest="run-2b").faults[-1:]
    assert "is not in the chain" in fault.text


def test_runs_that_are_older_than_the_one_that_is_named_may_be_there_or_not(
    runs: pathlib.Path, signer: KeySigner
) -> None:
    found = check(runs / "run-3", signer, oldest="run-2")
    assert found.run_ids == ("run-3", "run-2") and not found.faults
    write_signed_run(runs, signer, "run-4")
    shutil.rmtree(runs / "run-2")
    assert not check(runs / "run-4", signer, oldest="run-3").faults
    # from there on none is missed
    shutil.rmtree(runs / "run-3")
    assert {one.kind for one in check(runs / "run-4", signer, oldest="run-1").faults} == {
        "removed_run",
        "beside_chain",
        "chain",
    }


def test_newest_runs_that_were_cut_off_are_told_by_a_head_that_was_kept_elsewhere(
    runs: pathlib.Path, signer: KeySigner
) -> None:
    head, before = manifest_sha256(runs / "run-3", signer), manifest_sha256(runs / "run-2", signer)
    assert not check(runs / "run-3", signer, head=before).faults
    shutil.rmtree(runs / "run-3")
    edit_json(
        runs / CHAIN_JSON, lambda value: value.update(run_id="run-2", manifest_sha256=before, sequence=2)
    )
    # a chain alone cannot tell it
    assert not check(runs / "run-2", signer).faults
    (fault,) = check(runs / "run-2", signer, head=head).faults
    assert fault.kind == "chain_head"
    attack_ends_as("28-cut-off-runs", outcome=fault.kind)


def test_another_run_in_the_place_of_one_of_the_chain_is_told(
    runs: pathlib.Path, tmp_path: pathlib.Path, signer: KeySigner
) -> None:
    """Signed by the right key, in another folder."""
    other = write_run(tmp_path / "other", "run-2")
    edit_json(other / "summary.json", lambda summary: summary.update(started="2026-11-20T10:00:00Z"))
    sign_folder(other, signer)
    shutil.rmtree(runs / "run-2")
    shutil.move(other, runs / "run-2")
    faults = check(runs / "run-3", signer).faults
    assert faults[0].kind == "chain" and "has other results than" in faults[0].text


def test_a_run_that_is_signed_anew_keeps_its_place(runs: pathlib.Path, signer: KeySigner) -> None:
    (runs / "run-2" / "summary.md").write_text("# later", encoding="ascii")
    before = manifest_sha256(runs / "run-2", signer)
    signing = sign_folder(runs / "run-2", signer, again=True)
    assert signing.changed and signing.head.sequence == 2
    found = check(runs / "run-3", signer)
    assert found.run_ids == ("run-3", "run-2", "run-1") and not found.faults
    assert not check(runs / "run-3", signer, head=before).faults
    head = read_head(runs)
    assert head and head.run_id == "run-3"


def test_a_head_that_is_gone_is_found_again(runs: pathlib.Path, signer: KeySigner) -> None:
    (runs / CHAIN_JSON).unlink()
    write_signed_run(runs, signer, "run-4")
    assert check(runs / "run-4", signer).run_ids == ("run-4", "run-3", "run-2", "run-1")


def test_a_process_that_was_killed_after_it_signed_leaves_no_gap(
    runs: pathlib.Path, signer: KeySigner
) -> None:
    """The manifest was written, and the head was not."""
    before = (runs / CHAIN_JSON).read_bytes()
    write_signed_run(runs, signer, "run-4")
    (runs / CHAIN_JSON).write_bytes(json.dumps({**json.loads(before), "pending": "run-4"}).encode())
    write_signed_run(runs, signer, "run-5")
    assert check(runs / "run-5", signer).run_ids == ("run-5", "run-4", "run-3", "run-2", "run-1")
    # and before it signed
    before = (runs / CHAIN_JSON).read_bytes()
    (runs / CHAIN_JSON).write_bytes(json.dumps({**json.loads(before), "pending": "run-6"}).encode())
    write_signed_run(runs, signer, "run-7")
    assert check(runs / "run-7", signer).run_ids[:2] == ("run-7", "run-5")


def test_what_is_signed_already_needs_no_folder_that_can_be_written(
    runs: pathlib.Path, signer: KeySigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "write_whole", lambda *given: pytest.fail(f"writes {given}"))
    for name in NAMES:
        assert not sign_folder(runs / name, signer).changed


def test_a_broken_head_ends_the_signing(runs: pathlib.Path, signer: KeySigner) -> None:
    (runs / CHAIN_JSON).write_text("{", encoding="ascii")
    run_dir = write_run(runs, "run-4")
    with pytest.raises(ScanError, match="is not JSON"):
        sign_folder(run_dir, signer)
    assert not (run_dir / RUN_ENVELOPE).exists()
