# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys by which signatures are verified. Trusted is what the operator names, never a key that lies beside the results.

The cryptography is that of securesystemslib and cryptography. Schemes are those of cosign: Ed25519, ECDSA over P-256 with
SHA-256, RSA PKCS#1 v1.5 with SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..results.whole_file import read_own_file
from .envelope import Envelope
from .problems import bad_key

try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import (  # type: ignore[attr-defined, unused-ignore]
        Signature,
        SSlibKey,
    )

    _MISSING = ""
except ImportError:
    _MISSING = "securesystemslib[crypto]"

_MOST_BYTES = 64 * 1024
_LEAST_RSA_BITS = 2048
PEM_MARK = "-----BEGIN "


@dataclass(frozen=True)
class TrustedKey:
    """A public key. `keyid` is the SHA-256 of its DER form (SubjectPublicKeyInfo) in hexadecimal digits; `source` says where
    it was read."""

    keyid: str
    source: str
    key: Any  # securesystemslib's SSlibKey

    def verifies(self, signature: bytes, data: bytes) -> bool:
        try:
            self.key.verify_signature(Signature(self.keyid, signature.hex()), data)
        except (UnverifiedSignatureError, ValueError):
            return False
        return True


def signer_of(envelope: Envelope, keys: Sequence[TrustedKey]) -> TrustedKey | None:
    """The first of the keys by which a signature of the envelope was made; None without one. A key id is a hint: it says which
    key is tried first."""
    data = envelope.signed_bytes
    for signature in envelope.signatures:
        for key in sorted(keys, key=lambda one: one.keyid != signature.keyid):
            if key.verifies(signature.value, data):
                return key
    return None


def read_trusted_keys(given: Iterable[str]) -> tuple[TrustedKey, ...]:
    """The public keys in these files or PEM texts, each once.

    :raises ScanError: `bad_key`, for anything else than public keys of the supported kinds; `missing_library`
    """
    found: dict[str, TrustedKey] = {}
    for number, one in enumerate(given, 1):
        if PEM_MARK in one:
            key = read_public_key(one.encode("utf-8"), f"the trusted key {number}")
        else:
            key = read_public_key(read_key_file(one), one)
        found.setdefault(key.keyid, key)
    return tuple(found.values())


def read_key_file(path: str) -> bytes:
    """The bytes of a key's file, also behind a link. :raises ScanError: `bad_key`, where it cannot be read"""
    try:
        data = read_own_file(Path(path).expanduser().resolve(), _MOST_BYTES)
    except (OSError, RuntimeError) as reason:
        raise bad_key(path, f"cannot be read: {getattr(reason, 'strerror', None) or reason}") from None
    if len(data) > _MOST_BYTES:
        raise bad_key(path, f"has more than {_MOST_BYTES} bytes")
    return data


def read_public_key(pem: bytes, source: str) -> TrustedKey:
    """:raises ScanError: as `read_trusted_keys`"""
    need_library()
    refuse_private(pem, source)
    try:
        public = serialization.load_pem_public_key(pem)
    except Exception:  # noqa: BLE001 - the library has many ways to refuse a text, and each means the same
        raise bad_key(source, "is not a public key in PEM form") from None
    return trusted_key(public, source)


def refuse_private(pem: bytes, source: str) -> None:
    """:raises ScanError: `bad_key`, where a private key stands in place of a public one"""
    if b"PRIVATE KEY" in pem:
        raise bad_key(source, "holds a private key, and a public one is asked for")


def trusted_key(public: Any, source: str) -> TrustedKey:
    """:raises ScanError: `bad_key`, for a kind or size that is not supported"""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    keyid = hashlib.sha256(der).hexdigest()
    return TrustedKey(keyid, source, SSlibKey.from_crypto(public, keyid, _scheme(public, source)))


def _scheme(public: Any, source: str) -> str:
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return "ecdsa-sha2-nistp256"
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < _LEAST_RSA_BITS:
            raise bad_key(source, f"has {public.key_size} bits; an RSA key has at least {_LEAST_RSA_BITS}")
        return "rsa-pkcs1v15-sha256"
    raise bad_key(source, "is of another kind than Ed25519, ECDSA P-256 or RSA")


def need_library() -> None:
    """:raises ScanError: `missing_library`"""
    if _MISSING:
        raise ScanError(
            "missing_library",
            f"the Python package {_MISSING} is not installed",
            tried="read a key",
            advice="Install it for the Python that runs the task; `pip install -r` takes the requirements-evidence.txt of the "
            "collection.",
        )
