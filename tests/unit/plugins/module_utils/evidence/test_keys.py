# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys: which are taken, which are refused, and that a private one is shown nowhere."""

from __future__ import annotations

import hashlib
import pathlib
import sys
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.envelope import (
    IN_TOTO,
    Envelope,
    EnvelopeSignature,
    parse_envelope,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.keys import (
    TrustedKey,
    read_public_key,
    read_trusted_keys,
    signer_of,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import (
    CommandSigner,
    read_signer,
)
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import KINDS, make_key, public_key

PASSPHRASE = "correct horse battery"


def envelope_by(pem: str, payload: bytes = b"{}", keyid: str = "") -> Envelope:
    bare = Envelope(payload, IN_TOTO, ())
    return Envelope(
        payload, IN_TOTO, (EnvelopeSignature(keyid, read_signer(pem, "").sign(bare.signed_bytes)),)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_signs_and_verifies(kind: str) -> None:
    private, public = make_key(kind)
    key, other = public_key(public), public_key(make_key(kind)[1])
    envelope = parse_envelope(envelope_by(private).to_bytes(), "x")
    assert signer_of(envelope, [other, key]) is key
    assert signer_of(envelope, [other]) is None
    changed = Envelope(b"[]", IN_TOTO, envelope.signatures)
    assert signer_of(changed, [key]) is None


def test_a_key_id_is_a_hint_and_nothing_else() -> None:
    private, public = make_key()
    key, other = public_key(public), public_key(make_key()[1])
    assert signer_of(envelope_by(private, keyid=other.keyid), [other, key]) is key
    assert signer_of(envelope_by(private, keyid=key.keyid), [other]) is None


def test_a_key_is_named_by_the_digest_of_its_der_form() -> None:
    """As openssl pkey -pubin -outform DER gives it."""
    from cryptography.hazmat.primitives import serialization

    public = make_key()[1]
    der = serialization.load_pem_public_key(public.encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public_key(public).keyid == hashlib.sha256(der).hexdigest()


def test_a_key_in_a_file_of_its_owner_alone_signs(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(make_key("ecdsa", PASSPHRASE)[0], encoding="ascii")
    path.chmod(0o600)
    assert read_signer(str(path), PASSPHRASE).sign(b"x")
    for mode in (0o640, 0o604, 0o620, 0o602):
        path.chmod(mode)
        with pytest.raises(ScanError, match="others than its owner are allowed") as caught:
            read_signer(str(path), PASSPHRASE)
        assert caught.value.reason == "bad_key" and "chmod 600" in caught.value.advice


@pytest.mark.parametrize(
    ("pem", "passphrase", "message"),
    [
        (make_key("rsa", PASSPHRASE)[0], "", "is encrypted, and no passphrase is given"),
        (make_key("rsa", PASSPHRASE)[0], "battery staple", "or the passphrase is another one"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "", "is not a private key"),
        ("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA", "", "in cosign's own form"),
        (make_key("p384")[0], "", "of another kind than Ed25519, ECDSA P-256 or RSA"),
        (make_key("short")[0], "", "has 1024 bits"),
        ("/nowhere/key.pem", "", "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_and_not_shown(pem: str, passphrase: str, message: str) -> None:
    with pytest.raises(ScanError, match=message) as caught:
        read_signer(pem, passphrase)
    assert caught.value.reason == "bad_key"
    said = repr(caught.value.record()) + repr(caught.value.__cause__)
    assert "AAAA" not in said and pem.splitlines()[-1] not in said.replace("/nowhere/key.pem", "")
    assert not passphrase or passphrase not in said


def test_a_signer_does_not_show_its_key() -> None:
    pem = make_key("ecdsa")[0]
    assert pem.splitlines()[1] not in repr(read_signer(pem, ""))


def test_keys_are_read_once_and_from_files_and_texts(tmp_path: pathlib.Path) -> None:
    public, other = make_key()[1], make_key("rsa")[1]
    path = tmp_path / "key.pub"
    path.write_text(public, encoding="ascii")
    keys = read_trusted_keys([str(path), public, other])
    assert [key.source for key in keys] == [str(path), "the trusted key 3"]
    with pytest.raises(ScanError, match="holds a private key"):
        read_public_key(make_key()[0].encode(), "x")
    with pytest.raises(ScanError, match="is not a public key"):
        read_trusted_keys(["-----BEGIN PUBLIC KEY-----\nxx"])


def by_command(public: TrustedKey, *argv: str, seconds: float = 30.0, **environ: str) -> CommandSigner:
    return CommandSigner(public, argv, environ, seconds)


PROGRAM = """
import base64, os, pathlib, sys
sys.path[:0] = os.environ["PATHS"].split(os.pathsep)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import read_signer
data = pathlib.Path(sys.argv[1]).read_bytes() if sys.argv[1:] else sys.stdin.buffer.read()
signature = read_signer(os.environ["KEY"], "").sign(data)
{}
"""


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("print(base64.b64encode(signature).decode())", ""),
        ("sys.stdout.buffer.write(signature)", "{file}"),
        (
            'print(\'{"messageSignature": {"signature": "\' + base64.b64encode(signature).decode() + \'"}}\')',
            "",
        ),
    ],
)
def test_a_command_signs(how: str, word: str) -> None:
    private, public = make_key("ecdsa")
    words = [word] if word else []
    signer = by_command(
        public_key(public),
        *(sys.executable, "-c", PROGRAM.replace("{}", how), *words),
        KEY=private,
        PATHS=":".join(sys.path),
    )
    data = b"x" * 300_000
    assert signer.public.verifies(signer.sign(data), data)


@pytest.mark.parametrize(
    ("program", "seconds", "message"),
    [
        ("print('bm8gc2lnbmF0dXJl')", 30.0, "no signature that the public key .* verifies"),
        ("import sys; sys.exit('token=hunter2hunter2 refused')", 30.0, "ended with exit code 1"),
        ("while True: print('x' * 1000)", 30.0, "printed more than"),
        ("import time; time.sleep(60)", 0.5, "did not end within 0.5 s"),
        (
            "import os, time; os.close(1); os.close(2); time.sleep(60)",
            0.5,
            "did not end within 0.5 s",
        ),
    ],
)
def test_a_command_that_does_not_sign_is_an_error(program: str, seconds: float, message: str) -> None:
    signer = by_command(public_key(make_key()[1]), sys.executable, "-c", program, seconds=seconds)
    with pytest.raises(ScanError, match=message) as caught:
        signer.sign(b"x" * 300_000)
    assert caught.value.reason == "signing_failed"
    assert "hunter2hunter2" not in str(caught.value)


def test_a_command_that_says_its_secret_is_not_repeated() -> None:
    program = "import os, sys; sys.exit('decryption failed with ' + os.environ['COSIGN_PASSWORD'])"
    signer = by_command(public_key(make_key()[1]), sys.executable, "-c", program, COSIGN_PASSWORD=PASSPHRASE)
    with pytest.raises(ScanError, match="exit code 1: decryption failed with") as caught:
        signer.sign(b"x")
    assert PASSPHRASE not in str(caught.value) + repr(caught.value.record())


def test_a_command_is_no_line_of_a_shell(tmp_path: pathlib.Path) -> None:
    signer = by_command(public_key(make_key()[1]), "/bin/echo", f"; touch {tmp_path}/touched")
    with pytest.raises(ScanError, match="no signature"):
        signer.sign(b"x")
    assert not (tmp_path / "touched").exists()
    with pytest.raises(ScanError, match="cannot be started"):
        by_command(public_key(make_key()[1]), "/nowhere/program").sign(b"x")


def test_options_name_one_thing_that_signs() -> None:
    from ansible_collections.securescan.kubernetes.plugins.module_utils.options.sign import (
        scan_sign_spec,
        signer_option,
    )

    private, public = make_key()
    none: dict[str, Any] = {name: rule.get("default") for name, rule in scan_sign_spec().items()}
    assert signer_option(none, {}) is None
    assert signer_option({**none, "private_key_content": private}, {})
    assert signer_option({**none, "sign_command": ["x"], "public_key": public}, {})
    for given, message in (
        ({"private_key_content": private, "sign_command": ["x"]}, "exactly one of"),
        ({"sign_command": ["x"]}, "sign_command needs public_key"),
        ({"private_key_content": private, "public_key": public}, "belongs to sign_command"),
        ({"public_key": public}, "exactly one of"),
        ({"private_key_passphrase": "x"}, "exactly one of"),
    ):
        with pytest.raises(ScanError, match=message):
            signer_option({**none, **given}, {})
