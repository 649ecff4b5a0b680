# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DSSE envelopes (https://github.com/secure-systems-lab/dsse): bytes and their type, and signatures over both."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from ..strict_json import dump_json, load_json
from .problems import bad_evidence

IN_TOTO = "application/vnd.in-toto+json"
_KEYS = {"payload", "payloadType", "signatures"}
_MOST_SIGNATURES = 10
# An envelope has few members: what has more of these is refused before it is taken apart.
_MOST_MARKS = 200


@dataclass(frozen=True)
class EnvelopeSignature:
    """`keyid` is a hint by the signer, and empty in envelopes of cosign."""

    keyid: str
    value: bytes


@dataclass(frozen=True)
class Envelope:
    payload: bytes
    payload_type: str
    signatures: tuple[EnvelopeSignature, ...]

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are over: DSSE's pre-authentication encoding."""
        return signed_bytes(self.payload, self.payload_type)

    def to_bytes(self) -> bytes:
        """One line of JSON, without a line feed."""
        return dump_json(
            {
                "payloadType": self.payload_type,
                "payload": _text(self.payload),
                "signatures": [{"keyid": one.keyid, "sig": _text(one.value)} for one in self.signatures],
            }
        )


def signed_bytes(payload: bytes, payload_type: str = IN_TOTO) -> bytes:
    """What a signature of an envelope is over."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(data: bytes, source: str) -> Envelope:
    """The envelope in a text of JSON; nothing is verified. `source` names it in errors.

    :raises ScanError: `bad_evidence`, for anything else, also for a key that stands twice and for a payload of another type
    """
    if any(data.count(mark) > _MOST_MARKS for mark in (b",", b"[", b"{", b'"')):
        raise bad_evidence(source, "is not a DSSE envelope")
    try:
        value = load_json(data)
    except (ValueError, RecursionError):
        raise bad_evidence(
            source, "is not a DSSE envelope: it is not JSON, is cut off, or has a key twice"
        ) from None
    if not isinstance(value, dict) or set(value) != _KEYS or not isinstance(value["signatures"], list):
        raise bad_evidence(source, "is not a DSSE envelope")
    if value["payloadType"] != IN_TOTO:
        raise bad_evidence(source, f"its payload is not of the type {IN_TOTO}")
    if len(value["signatures"]) > _MOST_SIGNATURES:
        raise bad_evidence(source, f"has more than {_MOST_SIGNATURES} signatures")
    try:
        signatures = tuple(_signature(one) for one in value["signatures"])
        return Envelope(_bytes(value["payload"]), IN_TOTO, signatures)
    except (ValueError, TypeError, KeyError, binascii.Error):
        raise bad_evidence(
            source, "is not a DSSE envelope: its payload or a signature is not base64"
        ) from None


def _signature(value: Any) -> EnvelopeSignature:
    if not isinstance(value, dict):
        raise TypeError
    keyid = value.get("keyid") or ""
    if not isinstance(keyid, str):
        raise TypeError
    return EnvelopeSignature(keyid, _bytes(value["sig"]))


def _bytes(text: Any) -> bytes:
    """Both alphabets of base64 are allowed by DSSE. :raises ValueError, TypeError: for anything else"""
    if not isinstance(text, str):
        raise TypeError
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
