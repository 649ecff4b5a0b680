# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the folder of a run or of a fleet run is the one that was signed by a trusted key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ScanError
from ..safe_text import one_line
from .keys import TrustedKey

EVIDENCE_FOLDER = "evidence"
RUN_ENVELOPE = "run.intoto.json"
TARGETS_ENVELOPES = "targets.intoto.jsonl"
_NAMED = 5


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was signed. `kind` is a word for programs; `subject` names a file, a target or a run."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class Verification:
    """What was found. It holds of the bytes whose digests stand here and of nothing else: whoever goes on with the run compares
    the digests of the bytes that are used.

    `sha256` is that of summary.json (or fleet.json) as it was signed; `manifest_sha256` that of the envelope of the manifest,
    the head of the chain; `keyid` names the trusted key. These are empty where nothing was verified. `files` has the SHA-256 of
    each file that is covered, by its path within the folder. `uncovered` has the files that were made after the signature: they
    are no fault, and nobody vouches for them.
    """

    folder: str
    run_id: str = ""
    sha256: str = ""
    manifest_sha256: str = ""
    keyid: str = ""
    faults: tuple[Fault, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()

    @property
    def is_verified(self) -> bool:
        return bool(self.keyid) and not self.faults


def verify(folder: str | Path, keys: Sequence[TrustedKey]) -> Verification:
    """Compares the folder of a run or a fleet run with what was signed. What does not fit is a fault, never an exception.

    :param keys: those that are trusted, at least one
    """
    return Verification(str(folder), faults=(Fault("not_signed", str(folder), "is not signed"),))


def check_signed(folder: str | Path, sha256: str, keys: Sequence[TrustedKey]) -> Verification:
    """For whoever goes on with a run: the verification of its folder, which succeeded.

    :param sha256: of the summary.json or fleet.json that was read (`run.sha256`), and by which every other file is checked
    :raises ScanError: `not_signed`, without a signature by one of the keys; `bad_evidence`, where something was changed since
    """
    found = verify(folder, keys)
    if not found.keyid:
        raise ScanError("not_signed", _text(found), tried="verify the signature")
    if found.faults:
        raise ScanError("bad_evidence", _text(found), tried="verify the signature")
    if found.sha256 != sha256:
        raise ScanError(
            "bad_evidence",
            f"{folder}: its summary was changed while it was read",
            tried="verify the signature",
        )
    return found


def _text(found: Verification) -> str:
    said = "; ".join(one_line(f"{fault.subject}: {fault.text}", 300) for fault in found.faults[:_NAMED])
    more = len(found.faults) - _NAMED
    return said + (f"; and {more} more" if more > 0 else "")
