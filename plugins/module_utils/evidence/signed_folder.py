# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature in a folder of results: the envelope of the manifest, opened with the keys that are trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScanError
from ..results.decisions import EVIDENCE_FOLDER
from ..results.whole_file import read_own_file
from .envelope import Envelope, parse_envelope
from .keys import TrustedKey, signer_of
from .manifest import Manifest, read_manifest

RUN_ENVELOPE = f"{EVIDENCE_FOLDER}/run.intoto.json"
TARGETS_ENVELOPES = f"{EVIDENCE_FOLDER}/targets.intoto.jsonl"
# Above all manifests of ours: one of 100,000 targets with facts and drift has 90 MB.
_MOST_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was signed. `kind` is a word for programs; `subject` names a file, a target or a run."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class SignedFolder:
    """A folder whose manifest has a signature by `key`. `manifest_sha256` is that of the envelope's file."""

    folder: Path
    manifest: Manifest
    manifest_sha256: str
    key: TrustedKey


def open_signed(folder: Path, keys: Sequence[TrustedKey]) -> SignedFolder | Fault:
    """The folder's signature, or what is wrong with it. Nothing is read of an envelope before a trusted key has verified it,
    but for which key it names."""
    file = folder / RUN_ENVELOPE
    try:
        if file.parent.is_symlink():
            return Fault("link", EVIDENCE_FOLDER, "is a link")
        data = read_own_file(file, _MOST_BYTES)
    except FileNotFoundError:
        return Fault("not_signed", RUN_ENVELOPE, "does not exist: the folder is not signed")
    except OSError as reason:
        return Fault("not_signed", RUN_ENVELOPE, f"cannot be read: {reason.strerror or reason}")
    if len(data) > _MOST_BYTES:
        return Fault("too_large", RUN_ENVELOPE, f"has more than {_MOST_BYTES} bytes")
    try:
        envelope = parse_envelope(data, RUN_ENVELOPE)
        key = signer_of(envelope, keys)
        if key is None:
            return _of_nobody(envelope, keys)
        manifest = read_manifest(envelope, RUN_ENVELOPE)
    except ScanError as error:
        return Fault("bad_manifest", RUN_ENVELOPE, error.message.partition(": ")[2] or error.message)
    return SignedFolder(folder, manifest, hashlib.sha256(data).hexdigest(), key)


def _of_nobody(envelope: Envelope, keys: Sequence[TrustedKey]) -> Fault:
    named = [one.keyid for one in envelope.signatures]
    if not named:
        return Fault("not_signed", RUN_ENVELOPE, "has no signature")
    trusted = {key.keyid for key in keys}
    if trusted.intersection(named):
        return Fault(
            "changed_manifest", RUN_ENVELOPE, "was changed after it was signed: the signature does not fit"
        )
    shown = ", ".join(json.dumps(one[:64]) for one in named)
    return Fault(
        "foreign_key", RUN_ENVELOPE, f"is signed by no key that is trusted; it names the key {shown}"
    )
