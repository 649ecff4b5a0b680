# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far what was seen of a target can be trusted: who answered when its facts were collected.

In a document of ours it stands in our part of `passthrough` under `scan.evidence` as {grade, reasons}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .checked_json import JsonObject, JsonRecord
from .hdf import document_scan

EVIDENCE_TARGET = "target"  # the target's own shell answered
EVIDENCE_BESIDE = "beside"  # another shell answered, which has the target's user and sees its processes
EVIDENCE_IMAGE = "image"  # the target could not touch what was read

# Worst first.
GRADES: tuple[str, ...] = (EVIDENCE_TARGET, EVIDENCE_BESIDE, EVIDENCE_IMAGE)


@dataclass(frozen=True)
class Evidence(JsonRecord):
    """One of GRADES, and what lowered it."""

    grade: str
    reasons: tuple[str, ...]

    @classmethod
    def from_json(cls, given: JsonObject) -> Evidence:
        if given.values.get("grade") not in GRADES:
            raise given.bad(f"{given.where('grade')} must be one of {', '.join(GRADES)}")
        return cls(given.text("grade"), given.texts("reasons"))


def document_evidence(document: Mapping[str, Any]) -> Evidence | None:
    """The evidence that a checked document of ours rests on; None where it names none.

    :raises ScanError: `bad_results`, when what it names is not a grade with its reasons
    """
    given = JsonObject(document_scan(document), "the document", "scan").object_or_none("evidence")
    return Evidence.from_json(given) if given else None
