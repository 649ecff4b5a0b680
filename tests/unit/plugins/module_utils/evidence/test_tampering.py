# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed run that somebody changed: each way of doing so is told by its name, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence import signed_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.envelope import (
    IN_TOTO,
    Envelope,
    EnvelopeSignature,
    parse_envelope,
    signed_bytes,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import (
    RUN_ENVELOPE,
    TARGETS_ENVELOPES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import KeySigner
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.verification import verify
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import (
    edit_json,
    make_signer,
    write_run,
    write_signed_run,
)

FOREIGN = "f" * 64


@pytest.fixture(scope="module")
def signer() -> KeySigner:
    return make_signer()


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, signer: KeySigner) -> pathlib.Path:
    return write_signed_run(tmp_path_factory.mktemp("signed"), signer)


@pytest.fixture
def run_dir(tmp_path: pathlib.Path, signed: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(signed, tmp_path / signed.name))


def document_of(run_dir: pathlib.Path, word: str = "legacy") -> pathlib.Path:
    return next(path for path in sorted((run_dir / "hdf").iterdir()) if word in path.name)


def edit_document(run_dir: pathlib.Path, change: Callable[[Any], Any], word: str = "legacy") -> None:
    edit_json(document_of(run_dir, word), change)


def control_of(document: Any, control_id: str) -> Any:
    return next(
        control
        for profile in document["profiles"]
        for control in profile["controls"]
        if control["id"] == control_id
    )


def pass_a_verdict(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        for result in control_of(document, "c-failed")["results"]:
            result["status"] = "passed"

    edit_document(run_dir, change)


def pass_a_verdict_everywhere(run_dir: pathlib.Path) -> None:
    """As somebody does it who can write all files, and lets the summary fit the document."""
    pass_a_verdict(run_dir)
    path = document_of(run_dir)

    def change(summary: Any) -> None:
        for target in summary["targets"]:
            if target["hdf"].endswith(path.name):
                target["hdf_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    edit_json(run_dir / "summary.json", change)


def waive(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        control_of(document, "c-failed")["waiver_data"] = {
            "justification": "accepted",
            "run": False,
            "skipped_due_to_waiver": True,
        }

    edit_document(run_dir, change)


def lengthen_a_waiver(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        control_of(document, "c-waived")["waiver_data"]["justification"] = "Agreed by everybody."

    edit_document(run_dir, change)


def change_a_time(run_dir: pathlib.Path) -> None:
    edit_json(run_dir / "summary.json", lambda summary: summary.update(started="2026-11-24T10:00:00Z"))


def change_the_time_of_a_target(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        document["passthrough"]["securescan_kubernetes"]["scan"]["started"] = "2027-01-01T00:00:00Z"

    edit_document(run_dir, change)


def change_an_image(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        document["passthrough"]["securescan_kubernetes"]["target"]["image_digest"] = f"sha256:{FOREIGN}"

    edit_document(run_dir, change, "api-1")


def change_an_image_of_the_summary(run_dir: pathlib.Path) -> None:
    def change(summary: Any) -> None:
        summary["targets"][0]["image_digest"] = f"sha256:{FOREIGN}"

    edit_json(run_dir / "summary.json", change)


def turn_the_controls(run_dir: pathlib.Path) -> None:
    def change(document: Any) -> None:
        document["profiles"][0]["controls"].reverse()

    edit_document(run_dir, change)


def turn_the_targets(run_dir: pathlib.Path) -> None:
    edit_json(run_dir / "summary.json", lambda summary: summary["targets"].reverse())


def turn_the_statements(run_dir: pathlib.Path) -> None:
    path = run_dir / TARGETS_ENVELOPES
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))


def remove_a_target(run_dir: pathlib.Path) -> None:
    def change(summary: Any) -> None:
        (gone,) = (one for one in summary["targets"] if "refused-1" in one["target_id"])
        summary["targets"].remove(gone)
        summary["target_counts"]["selected"] -= 1
        summary["target_counts"]["not_scanned"] -= 1

    edit_json(run_dir / "summary.json", change)


def add_a_target(run_dir: pathlib.Path) -> None:
    def change(summary: Any) -> None:
        more = dict(next(one for one in summary["targets"] if "refused-1" in one["target_id"]))
        more["target_id"] += "-more"
        summary["targets"].append(more)
        summary["target_counts"]["selected"] += 1
        summary["target_counts"]["not_scanned"] += 1

    edit_json(run_dir / "summary.json", change)


def change_the_threshold(run_dir: pathlib.Path) -> None:
    def change(summary: Any) -> None:
        summary["gate"]["threshold"]["limits"]["failed.total.max"] = 300

    edit_json(run_dir / "summary.json", change)


def change_the_decision(run_dir: pathlib.Path) -> None:
    edit_json(run_dir / "summary.json", lambda summary: summary["gate"].update(passed=True, reasons=[]))


def swap_envelopes(run_dir: pathlib.Path) -> None:
    path = run_dir / TARGETS_ENVELOPES
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[1], *lines[1:]]))


def change_an_envelope(run_dir: pathlib.Path) -> None:
    """The payload of one target's statement under the signature of another's."""
    path = run_dir / TARGETS_ENVELOPES
    lines = path.read_bytes().splitlines()
    first, second = (json.loads(line) for line in lines[:2])
    first["signatures"] = second["signatures"]
    path.write_bytes(b"\n".join([json.dumps(first).encode(), *lines[1:]]) + b"\n")


def change_the_manifest(run_dir: pathlib.Path) -> None:
    path = run_dir / RUN_ENVELOPE
    envelope = parse_envelope(path.read_bytes(), "x")
    payload = envelope.payload.replace(b'"sequence":1', b'"sequence":2')
    assert payload != envelope.payload
    path.write_bytes(Envelope(payload, IN_TOTO, envelope.signatures).to_bytes())


def sign_by_a_foreign_key(run_dir: pathlib.Path) -> None:
    shutil.rmtree(run_dir / "evidence")
    (run_dir.parent / "chain.json").unlink(missing_ok=True)
    sign_folder(run_dir, make_signer())


def bring_the_key_along(run_dir: pathlib.Path) -> None:
    """A public key beside the results is no key that is trusted."""
    sign_by_a_foreign_key(run_dir)
    (run_dir / "evidence" / "key.pub").write_text("-----BEGIN PUBLIC KEY-----", encoding="ascii")


def remove_the_signature(run_dir: pathlib.Path) -> None:
    shutil.rmtree(run_dir / "evidence")


def remove_all_signatures(run_dir: pathlib.Path) -> None:
    path = run_dir / RUN_ENVELOPE
    envelope = parse_envelope(path.read_bytes(), "x")
    path.write_bytes(Envelope(envelope.payload, IN_TOTO, ()).to_bytes())


def remove_a_document(run_dir: pathlib.Path) -> None:
    document_of(run_dir).unlink()


def add_a_document(run_dir: pathlib.Path) -> None:
    shutil.copy(document_of(run_dir), run_dir / "hdf" / "more.json")


def add_a_file(run_dir: pathlib.Path) -> None:
    (run_dir / "notes.txt").write_text("all is well", encoding="ascii")


def link_a_document(run_dir: pathlib.Path) -> None:
    path = document_of(run_dir)
    path.rename(run_dir.parent / "elsewhere.json")
    path.symlink_to("../../elsewhere.json")


def link_the_documents(run_dir: pathlib.Path) -> None:
    (run_dir / "hdf").rename(run_dir.parent / "elsewhere")
    (run_dir / "hdf").symlink_to("../elsewhere")


def make_a_pipe(run_dir: pathlib.Path) -> None:
    path = document_of(run_dir)
    path.unlink()
    os.mkfifo(path)


def double_a_key(run_dir: pathlib.Path) -> None:
    path = document_of(run_dir)
    path.write_bytes(path.read_bytes().replace(b'{"platform":', b'{"platform":{},"platform":', 1))


def double_a_key_of_the_envelope(run_dir: pathlib.Path) -> None:
    path = run_dir / RUN_ENVELOPE
    path.write_bytes(path.read_bytes().replace(b"{", b'{"payloadType":"text/plain",', 1))


def cut_a_document(run_dir: pathlib.Path) -> None:
    path = document_of(run_dir)
    path.write_bytes(path.read_bytes()[:-100])


def nest_the_envelope(run_dir: pathlib.Path) -> None:
    (run_dir / RUN_ENVELOPE).write_bytes(b"[" * 1_000_000)


# row of the table of attacks, what is done, the kinds of faults and what is said of them
TAMPERING: dict[str, tuple[Callable[[pathlib.Path], None], dict[str, str]]] = {
    "28-verdict": (
        pass_a_verdict,
        {"verdict": "control baseline/c-failed: Passed, and was signed as Failed"},
    ),
    "28-verdict-and-summary": (
        pass_a_verdict_everywhere,
        {
            "verdict": "control baseline/c-failed: Passed, and was signed as Failed",
            "file": "summary.json: was changed after the signature",
        },
    ),
    "28-waived": (
        waive,
        {
            "verdict": "control baseline/c-failed: Not Applicable (waived), and was signed as Failed",
            "waiver": "the waiver or attestation of control baseline/c-failed was changed",
        },
    ),
    "28-waiver": (
        lengthen_a_waiver,
        {"waiver": "the waiver or attestation of control baseline/c-waived was changed"},
    ),
    "28-time": (change_a_time, {"time": "started: '2026-11-24T10:00:00Z', and was signed as "}),
    "28-time-of-target": (
        change_the_time_of_a_target,
        {"time": "started: 2027-01-01T00:00:00Z, and was signed as "},
    ),
    "28-image": (change_an_image, {"image": f"image_digest: sha256:{FOREIGN}, and was signed as "}),
    "28-image-in-summary": (
        change_an_image_of_the_summary,
        {"image": f"image_digest: sha256:{FOREIGN}, and was signed as "},
    ),
    "28-order-of-controls": (turn_the_controls, {"order": "its controls stand in another order"}),
    "28-order-of-targets": (turn_the_targets, {"order": "its targets stand in another order"}),
    "28-order-of-statements": (turn_the_statements, {"order": "its statements stand in another order"}),
    "28-missing-target": (
        remove_a_target,
        {"missing_target": "was signed, and is no longer a target of the run", "summary": "target_counts."},
    ),
    "28-added-target": (
        add_a_target,
        {"added_target": "was not signed, and is now a target of the run", "summary": "target_counts."},
    ),
    "28-threshold": (
        change_the_threshold,
        {"threshold": "threshold.limits.failed.total.max: 300, and was signed as 3"},
    ),
    "28-decision": (change_the_decision, {"decision": "decision.passed: True, and was signed as False"}),
    "28-swapped-envelope": (
        swap_envelopes,
        {"missing_target": "its statement is missing", "envelope": "stands in evidence/targets"},
    ),
    "28-changed-envelope": (
        change_an_envelope,
        {
            "envelope": "evidence/targets.intoto.jsonl:1: was not signed by a trusted key, or was changed",
            "missing_target": "its statement is missing",
        },
    ),
    "28-changed-manifest": (change_the_manifest, {"changed_manifest": "was changed after it was signed"}),
    "28-foreign-key": (sign_by_a_foreign_key, {"foreign_key": "is signed by no key that is trusted"}),
    "28-key-of-the-folder": (bring_the_key_along, {"foreign_key": "is signed by no key that is trusted"}),
    "28-no-signature": (remove_the_signature, {"not_signed": "is not signed"}),
    "28-empty-signatures": (remove_all_signatures, {"not_signed": "has no signature"}),
    "28-missing-file": (remove_a_document, {"missing": "is missing"}),
    "28-added-document": (add_a_document, {"added": "hdf/more.json: was added after the signature"}),
    "28-added-file": (add_a_file, {"added": "notes.txt: was added after the signature"}),
    "28-link": (link_a_document, {"link": "is a link"}),
    "28-linked-folder": (link_the_documents, {"link": "is a link", "missing": "is missing"}),
    "28-pipe": (make_a_pipe, {"file": "is neither a file nor a folder"}),
    "28-double-key": (
        double_a_key,
        {"file": "was changed after the signature, and cannot be read: "},
    ),
    "28-double-key-of-envelope": (double_a_key_of_the_envelope, {"bad_manifest": "or has a key twice"}),
    "28-cut-off": (cut_a_document, {"file": "was changed after the signature, and cannot be read: "}),
    "28-nested": (nest_the_envelope, {"bad_manifest": "is not a DSSE envelope"}),
}


def test_a_signed_run_that_nobody_changed_is_verified(run_dir: pathlib.Path, signer: KeySigner) -> None:
    found = verify(run_dir, [signer.public])
    assert found.is_verified and not found.faults and not found.uncovered
    assert found.targets == 8 and found.run_id == "run-1"
    assert found.sha256 == hashlib.sha256((run_dir / "summary.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("row", TAMPERING)
def test_what_was_changed_is_told_by_name(row: str, run_dir: pathlib.Path, signer: KeySigner) -> None:
    change, told = TAMPERING[row]
    change(run_dir)
    found = verify(run_dir, [signer.public])
    assert not found.is_verified
    assert {fault.kind for fault in found.faults} == set(told)
    for kind, text in told.items():
        assert any(text in f"{one.subject}: {one.text}" for one in found.faults if one.kind == kind), (
            found.faults
        )
    attack_ends_as(row, outcome=", ".join(told))


def test_an_older_run_in_the_place_of_a_newer_one_is_told(run_dir: pathlib.Path, signer: KeySigner) -> None:
    newer = run_dir.rename(run_dir.with_name("run-2"))
    (fault,) = verify(newer, [signer.public]).faults
    assert fault.kind == "replayed" and "holds the signed run run-1" in fault.text
    attack_ends_as("28-replayed", outcome=fault.kind)


def test_a_manifest_whose_paths_lead_out_of_the_folder_opens_nothing(
    run_dir: pathlib.Path, signer: KeySigner
) -> None:
    """Whoever holds a trusted key is trusted with results, not with the machine that verifies."""
    path = run_dir / RUN_ENVELOPE
    for name in ("../../etc/passwd", "/etc/passwd", "hdf/../../x", "hdf//x", "a\\u0000b"):
        payload = parse_envelope(path.read_bytes(), "x").payload
        payload = payload.replace(b'"name":"summary.json"', f'"name":"{name}"'.encode(), 1)
        signature = EnvelopeSignature(signer.public.keyid, signer.sign(signed_bytes(payload)))
        other = run_dir.parent / "other"
        shutil.copytree(run_dir, other)
        (other / RUN_ENVELOPE).write_bytes(Envelope(payload, IN_TOTO, (signature,)).to_bytes())
        (fault,) = verify(other, [signer.public]).faults
        assert fault.kind == "bad_manifest" and "leads out of the folder" in fault.text
        shutil.rmtree(other)
    attack_ends_as("28-path-traversal", outcome=fault.kind)


def test_a_manifest_that_is_too_large_is_not_read(
    run_dir: pathlib.Path, signer: KeySigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_folder, "_MOST_BYTES", 1000)
    (fault,) = verify(run_dir, [signer.public]).faults
    assert fault.kind == "too_large"
    attack_ends_as("28-huge-manifest", outcome=fault.kind)


def test_thousands_of_faults_are_counted_and_not_kept(run_dir: pathlib.Path, signer: KeySigner) -> None:
    for number in range(1000):
        (run_dir / "hdf" / f"more-{number}.json").touch()
    found = verify(run_dir, [signer.public])
    assert found.fault_count == 1000 and len(found.faults) == 200


def test_reports_and_decisions_that_came_later_are_named_and_are_no_fault(
    run_dir: pathlib.Path, signer: KeySigner
) -> None:
    (run_dir / "summary.md").write_text("# all is well", encoding="ascii")
    later = run_dir / "decisions" / "20261123T130000.000000Z"
    later.mkdir(parents=True)
    (later / "decision.json").write_text("{}", encoding="ascii")
    found = verify(run_dir, [signer.public])
    assert found.is_verified
    assert set(found.uncovered) == {"summary.md", "decisions/20261123T130000.000000Z/decision.json"}
    assert "summary.md" not in found.files


def test_a_report_that_was_there_is_covered(tmp_path: pathlib.Path, signer: KeySigner) -> None:
    run_dir = write_run(tmp_path)
    (run_dir / "summary.md").write_text("# two failed", encoding="ascii")
    sign_folder(run_dir, signer)
    assert verify(run_dir, [signer.public]).is_verified
    (run_dir / "summary.md").write_text("# all is well", encoding="ascii")
    (fault,) = verify(run_dir, [signer.public]).faults
    assert (fault.kind, fault.subject) == ("file", "summary.md")


def test_statements_that_are_only_listed_are_verified_by_the_manifest(
    tmp_path: pathlib.Path, signer: KeySigner
) -> None:
    run_dir = write_run(tmp_path)
    sign_folder(run_dir, signer, each_target=False)
    assert b'"signatures":[]' in (run_dir / TARGETS_ENVELOPES).read_bytes()
    assert verify(run_dir, [signer.public]).is_verified
    pass_a_verdict(run_dir)
    (fault,) = verify(run_dir, [signer.public]).faults
    assert fault.kind == "verdict"
    # what nobody signed tells nothing
    swap_envelopes(run_dir)
    assert {fault.kind for fault in verify(run_dir, [signer.public]).faults} == {"file"}
