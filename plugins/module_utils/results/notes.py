# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator should know of a waiver or an attestation that did not do what it was written for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .checked_json import JsonObject, JsonRecord

WAIVER = "waiver"
ATTESTATION = "attestation"

EXPIRED = "expired"
NOT_YET = "not_yet"
# It is not approved, or breaks another rule of the policy of exceptions.
NOT_COUNTED = "not_counted"
UNKNOWN_CONTROL = "unknown_control"
NO_TARGET = "no_target"
# A program should have reviewed the control, and the attestation does not say that it speaks there too.
NOT_COVERED = "not_covered"
# An attestation for every target decided a control where it was not read, and a program judged it elsewhere.
READ_ELSEWHERE = "read_elsewhere"
# These two are no mistakes: the control was judged, so nothing was left to attest; and the attestation says that it
# covers what was not read.
NOT_NEEDED = "not_needed"
COVERED_UNREAD = "covered_unread"


@dataclass(frozen=True)
class Note(JsonRecord):
    """`about` is WAIVER or ATTESTATION, `kind` one of the words above, `text` one sentence."""

    about: str
    control_id: str
    kind: str
    text: str

    @classmethod
    def from_json(cls, given: JsonObject, about: str) -> Note:
        return cls(about, given.text("control_id"), given.text("kind"), given.text("text"))

    def to_json(self) -> dict[str, Any]:
        """Without `about`: the list that it stands in says it."""
        return {"control_id": self.control_id, "kind": self.kind, "text": self.text}


_MOST_WARNINGS = 10


def note_warnings(notes: Sequence[Note]) -> list[str]:
    """What a task is to warn of: each text once, and not too many."""
    texts = list(dict.fromkeys(note.text for note in notes if note.kind not in (NOT_NEEDED, COVERED_UNREAD)))
    more = len(texts) - _MOST_WARNINGS
    return texts[:_MOST_WARNINGS] + (
        [f"... and {more} more notes on waivers and attestations, in the summary"] if more > 0 else []
    )
