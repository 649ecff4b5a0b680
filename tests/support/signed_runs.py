# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key of the tests, and runs that are signed by it."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.keys import (
    TrustedKey,
    read_public_key,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signer import (
    KeySigner,
    read_signer,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.evidence.signing import sign_folder
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run

KINDS = ("ed25519", "ecdsa", "rsa")


def make_key(kind: str = "ed25519", passphrase: str = "") -> tuple[str, str]:
    """(private key, public key) in PEM form."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    private: Any = {
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "short": lambda: rsa.generate_private_key(65537, 1024),
    }[kind]()
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, public.decode()


def make_signer(kind: str = "ed25519") -> KeySigner:
    return read_signer(make_key(kind)[0], "")


def public_key(public: str) -> TrustedKey:
    return read_public_key(public.encode(), "a key of the tests")


def write_signed_run(folder: pathlib.Path, signer: KeySigner, name: str = "run-1") -> pathlib.Path:
    """The sample run below `folder`, under a name, signed."""
    run_dir = write_run(folder, name)
    sign_folder(run_dir, signer)
    return run_dir


def write_run(folder: pathlib.Path, name: str = "run-1") -> pathlib.Path:
    """The sample run below `folder`, under a name."""
    folder.mkdir(parents=True, exist_ok=True)
    run_dir = folder / name
    write_sample_run(folder / "made")
    shutil.move(folder / "made" / "run-1", run_dir)
    (folder / "made").rmdir()
    if name != "run-1":
        edit_json(run_dir / "summary.json", lambda summary: summary.update(run_id=name))
    return run_dir


def edit_json(path: pathlib.Path, change: Callable[[Any], Any]) -> None:
    """Changes a file of JSON."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_bytes(json.dumps(value).encode("ascii"))
