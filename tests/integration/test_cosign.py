# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real cosign verifies what is signed here, and what it signs is verified here."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.envelope import (
    IN_TOTO,
    Envelope,
    parse_envelope,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.keys import read_trusted_keys
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.manifest import RUN_TYPE
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signed_folder import (
    RUN_ENVELOPE,
    TARGETS_ENVELOPES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import (
    CommandSigner,
    read_signer,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.target_statement import (
    TEST_RESULT_TYPE,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.verification import verify
from ansible_collections.securescan.kubernetes.tests.environment.debian_unpacked import unpacked
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import KINDS, make_key, write_run

# cosign 2 and 3
SUITES = ("trixie", "sid")
# How each signs without a transparency log. The first word of each list is the program.
SIGN = {
    "trixie": ["sign-blob", "--tlog-upload=false", "--yes", "--key"],
    "sid": [
        "sign-blob",
        "--tlog-upload=false",
        "--use-signing-config=false",
        "--yes",
        "--bundle",
        "/dev/stdout",
        "--key",
    ],
}


@pytest.fixture(scope="module", params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cosign(suite: str) -> str:
    try:
        return str(unpacked("cosign", suite) / "usr" / "bin" / "cosign")
    except subprocess.CalledProcessError:
        # sid moves on, and drops what it had
        if suite == "sid":
            pytest.skip("Debian sid cannot be had")
        raise


def accepts(cosign: str, key: pathlib.Path, envelope: pathlib.Path, blob: pathlib.Path, kind: str) -> str:
    """Empty where cosign verifies the envelope for that blob, else what it says."""
    done = subprocess.run(
        [
            *(cosign, "verify-blob-attestation", "--insecure-ignore-tlog=true", "--key", str(key)),
            *("--signature", str(envelope), "--type", kind, str(blob)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(key.parent)},
    )
    assert ("Verified OK" in done.stderr) == (done.returncode == 0)
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_cosign_accepts_the_manifest_and_a_statement_alone(
    cosign: str, kind: str, tmp_path: pathlib.Path
) -> None:
    private, public = make_key(kind)
    key = tmp_path / "key.pub"
    key.write_text(public, encoding="ascii")
    run_dir = write_run(tmp_path / "demo")
    sign_folder(run_dir, read_signer(private, ""))
    manifest = run_dir / RUN_ENVELOPE
    document = next((run_dir / "hdf").glob("*legacy*"))
    # any file of the run is one of the manifest's subjects
    for blob in (run_dir / "summary.json", document, run_dir / TARGETS_ENVELOPES):
        assert accepts(cosign, key, manifest, blob, RUN_TYPE) == ""
    statement = tmp_path / "statement.json"
    lines = (run_dir / TARGETS_ENVELOPES).read_bytes().splitlines()
    statement.write_bytes(next(line for line in lines if document.name in payload_of(line)))
    assert accepts(cosign, key, statement, document, TEST_RESULT_TYPE) == ""
    # and refuses another blob, a changed envelope, and a foreign key
    other = run_dir / "other.json"
    other.write_bytes(document.read_bytes().replace(b"failed", b"passed", 1))
    assert "no matching subject digest" in accepts(cosign, key, statement, other, TEST_RESULT_TYPE)
    envelope = parse_envelope(statement.read_bytes(), "x")
    payload = envelope.payload.replace(b'"FAILED"', b'"PASSED"')
    assert payload != envelope.payload
    statement.write_bytes(Envelope(payload, IN_TOTO, envelope.signatures).to_bytes())
    assert "accepted signatures do not match" in accepts(cosign, key, statement, document, TEST_RESULT_TYPE)
    key.write_text(make_key(kind)[1], encoding="ascii")
    assert "accepted signatures do not match" in accepts(cosign, key, manifest, document, RUN_TYPE)


def payload_of(line: bytes) -> str:
    return base64.b64decode(json.loads(line)["payload"]).decode()


def test_what_cosign_signs_with_its_key_is_verified_here(
    cosign: str, suite: str, tmp_path: pathlib.Path
) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COSIGN_PASSWORD": "correct horse"}
    subprocess.run([cosign, "generate-key-pair"], cwd=tmp_path, env=environ, check=True, capture_output=True)
    public, private = tmp_path / "cosign.pub", tmp_path / "cosign.key"
    (trusted,) = read_trusted_keys([str(public)])
    command = [cosign, *SIGN[suite], str(private), "{file}"]
    run_dir = write_run(tmp_path / "demo")
    sign_folder(run_dir, CommandSigner(trusted, command, environ))
    found = verify(run_dir, [trusted])
    assert found.is_verified and found.keyid == trusted.keyid
    assert accepts(cosign, public, run_dir / RUN_ENVELOPE, run_dir / "summary.json", RUN_TYPE) == ""
    # an envelope of cosign names no key
    envelope = parse_envelope((run_dir / RUN_ENVELOPE).read_bytes(), "x")
    value = json.loads(envelope.to_bytes())
    del value["signatures"][0]["keyid"]
    (run_dir / RUN_ENVELOPE).write_text(json.dumps(value), encoding="ascii")
    assert verify(run_dir, [trusted]).is_verified
    shutil.rmtree(run_dir / "hdf")
    assert not verify(run_dir, [trusted]).is_verified


def test_cosign_verifies_a_signature_over_a_file_of_ours(cosign: str, tmp_path: pathlib.Path) -> None:
    """verify-blob: the signature of the envelope, over what DSSE signs."""
    private, public = make_key("ecdsa")
    (tmp_path / "key.pub").write_text(public, encoding="ascii")
    run_dir = write_run(tmp_path / "demo")
    sign_folder(run_dir, read_signer(private, ""))
    envelope = parse_envelope((run_dir / RUN_ENVELOPE).read_bytes(), "x")
    signed, signature = tmp_path / "signed", tmp_path / "signature"
    signature.write_bytes(base64.b64encode(envelope.signatures[0].value))
    command = [
        *(cosign, "verify-blob", "--insecure-ignore-tlog=true", "--key", str(tmp_path / "key.pub")),
        *("--signature", str(signature), str(signed)),
    ]
    for data, code in ((envelope.signed_bytes, 0), (envelope.signed_bytes + b" ", 1)):
        signed.write_bytes(data)
        assert bool(subprocess.run(command, capture_output=True, check=False).returncode) == bool(code)
