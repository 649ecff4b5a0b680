# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who goes on with results uses the bytes that were verified."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import RUN_ENVELOPE
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import KeySigner
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.trust import Trust
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.trust import trusted_keys_option
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.store import run_scan_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import (
    edit_json,
    make_key,
    make_signer,
    write_run,
    write_signed_run,
)


@pytest.fixture(scope="module")
def signer() -> KeySigner:
    return make_signer()


@pytest.fixture
def run_dir(tmp_path: pathlib.Path, signer: KeySigner) -> pathlib.Path:
    return write_signed_run(tmp_path / "demo", signer)


def pem_of(signer: KeySigner) -> str:
    from cryptography.hazmat.primitives import serialization

    key = signer.signer._private_key.public_key()
    return str(
        key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    )


def params(spec: Any, **given: Any) -> dict[str, Any]:
    return {**{name: rule.get("default") for name, rule in spec.items()}, **given}


def decide(run_dir: pathlib.Path, **given: Any) -> dict[str, Any]:
    return run_scan_threshold(
        params(
            scan_threshold_spec(), run_dir=str(run_dir), fail_on="never", allow_shared_folder=True, **given
        ),
        TaskContext(False, {}),
    )


def test_a_summary_that_is_swapped_after_it_was_read_is_refused(
    run_dir: pathlib.Path, signer: KeySigner
) -> None:
    """Somebody shows the gate another summary than the one that is verified."""
    whole = (run_dir / "summary.json").read_bytes()
    edit_json(run_dir / "summary.json", lambda summary: summary["gate"].update(passed=True, reasons=[]))
    run = open_run(str(run_dir))
    (run_dir / "summary.json").write_bytes(whole)
    with pytest.raises(ScanError, match="was changed while it was read") as caught:
        Trust([signer.public]).check(run.folder, run.sha256)
    attack_ends_as("28-swapped-while-read", outcome=caught.value.reason)


def test_without_keys_nothing_is_asked(tmp_path: pathlib.Path) -> None:
    assert Trust(()).check(tmp_path, "") is None


def test_a_gate_refuses_what_no_trusted_key_has_signed(
    run_dir: pathlib.Path, tmp_path: pathlib.Path, signer: KeySigner
) -> None:
    result = decide(run_dir, trusted_keys=[pem_of(signer)])
    assert f"Signed by the key {signer.public.keyid}" in result["table"]
    with pytest.raises(ScanError, match="no key that is trusted") as caught:
        decide(run_dir, trusted_keys=[make_key()[1]])
    assert caught.value.reason == "not_signed"
    with pytest.raises(ScanError, match="is not signed") as caught:
        decide(write_run(tmp_path / "other"), trusted_keys=[pem_of(signer)])
    assert str(caught.value).count(str(tmp_path / "other")) == 1
    (run_dir / "deadlines.json").write_text("{}", encoding="ascii")
    with pytest.raises(ScanError, match="was added after the signature") as caught:
        decide(run_dir, trusted_keys=[pem_of(signer)])
    assert caught.value.reason == "bad_evidence"


def test_the_baseline_must_be_signed_too(tmp_path: pathlib.Path, signer: KeySigner) -> None:
    older = write_run(tmp_path / "demo", "run-0")
    run_dir = write_signed_run(tmp_path / "demo", signer)
    given = {"trusted_keys": [pem_of(signer)], "baseline": str(older)}
    with pytest.raises(ScanError, match="is not signed"):
        decide(run_dir, **given)
    sign_folder(older, signer)
    assert decide(run_dir, **given)["gate"]["baseline"]


def test_a_decision_on_a_signed_run_leaves_what_was_signed(run_dir: pathlib.Path, signer: KeySigner) -> None:
    result = decide(run_dir, trusted_keys=[pem_of(signer)], threshold={"compliance": {"min": 1}})
    assert "/decisions/" in result["decision"]
    found = Trust([signer.public]).check(run_dir, open_run(str(run_dir)).sha256)
    assert found and [path.split("/")[0] for path in found.uncovered] == ["decisions"]


def test_the_first_decision_on_a_run_that_was_signed_before_it_stands_beside_the_summary(
    tmp_path: pathlib.Path, signer: KeySigner
) -> None:
    run_dir = write_run(tmp_path / "demo")
    edit_json(run_dir / "summary.json", lambda summary: summary.update(gate=None))
    sign_folder(run_dir, signer)
    before = (run_dir / "summary.json").read_bytes()
    assert "/decisions/" in decide(run_dir)["decision"]
    assert (run_dir / "summary.json").read_bytes() == before


def test_a_store_refuses_what_no_trusted_key_has_signed(
    run_dir: pathlib.Path, tmp_path: pathlib.Path, signer: KeySigner
) -> None:
    from ansible_collections.securescan.kubernetes.plugins.module_utils.options.store import scan_store_spec

    given = params(
        scan_store_spec(),
        store=str(tmp_path / "store.db"),
        run_dirs=[str(run_dir)],
        allow_shared_folder=True,
        trusted_keys=[pem_of(signer)],
    )
    assert run_scan_store(given, TaskContext(False, {}))["run_count"] == 1
    (run_dir / RUN_ENVELOPE).unlink()
    with pytest.raises(ScanError, match="is not signed"):
        run_scan_store(given, TaskContext(False, {}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trusted_keys": [], "require_signature": True}, "trusted_keys names no key"),
        ({"trusted_keys": None, "require_signature": True}, "trusted_keys names no key"),
        ({"trusted_keys": ["", " "], "require_signature": False}, "only empty texts"),
        ({"trusted_keys": ["/nowhere/key.pub"], "require_signature": False}, "cannot be read"),
    ],
)
def test_a_key_that_is_not_there_opens_no_door(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ScanError, match=message):
        trusted_keys_option(given)
