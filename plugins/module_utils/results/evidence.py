# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far what was seen of a target can be trusted: the grade of its evidence, and what lowers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .checked_json import JsonObject, JsonRecord
from .producer import PASSTHROUGH

# The target's own shell and tools answered.
EVIDENCE_TARGET = "target"
# Another shell answered, as the target's user and beside its processes.
EVIDENCE_BESIDE = "beside"
# The target could not touch what answered.
EVIDENCE_IMAGE = "image"

# Worst first.
GRADES: tuple[str, ...] = (EVIDENCE_TARGET, EVIDENCE_BESIDE, EVIDENCE_IMAGE)
# What each of them means, for people who read results.
GRADE_WORDS: dict[str, str] = {
    EVIDENCE_TARGET: "the target's own shell and tools answered, or it hid its files, or a cross-check that was asked "
    "for could not be made",
    EVIDENCE_BESIDE: "another shell answered, as the target's user and beside its processes, which can try to deceive it",
    EVIDENCE_IMAGE: "the target could not touch what answered; what it changed since its start was not seen",
}


def worst_grade(evidence: Iterable[Evidence | None]) -> str:
    """The worst grade among these; empty where none says any."""
    return min((one.grade for one in evidence if one), key=GRADES.index, default="")


@dataclass(frozen=True)
class Doubt:
    """Something that lowers evidence: a sentence, and the best grade that is left of it."""

    reason: str
    at_best: str = EVIDENCE_IMAGE


@dataclass(frozen=True)
class Evidence(JsonRecord):
    """`grade` is one of GRADES. `reasons` are sentences: each lowers the evidence, within its grade or to it."""

    grade: str
    reasons: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, given: JsonObject) -> Evidence:
        """:raises ScanError: `bad_results`, for another grade or reasons that are not texts"""
        grade = given.text("grade")
        if grade not in GRADES:
            raise given.bad("{} must be one of {}".format(given.where("grade"), ", ".join(GRADES)))
        return cls(grade, given.texts("reasons"))

    def is_at_least(self, grade: str) -> bool:
        """Whether this can be trusted as far as evidence of `grade`."""
        return GRADES.index(self.grade) >= GRADES.index(grade)

    def lowered_by(self, doubts: Iterable[Doubt]) -> Evidence:
        """This with the reasons of the doubts, each once, and with the worst of the grades."""
        found = tuple(doubts)
        grade = min((self.grade, *(doubt.at_best for doubt in found)), key=GRADES.index)
        return Evidence(grade, tuple(dict.fromkeys((*self.reasons, *(doubt.reason for doubt in found)))))


def document_evidence(document: Mapping[str, Any], source: str = "the document") -> Evidence | None:
    """The evidence that a document of ours rests on; None for a document that says none: one of others, or an older one.

    :param source: names the document in errors
    :raises ScanError: `bad_results`, when what stands there is no evidence; `check_document` has asked that before
    """
    scan = document
    for name in ("passthrough", PASSTHROUGH, "scan"):
        inner = scan.get(name)
        if not isinstance(inner, dict):
            return None
        scan = inner
    given = JsonObject(scan, source, "scan").object_or_none("evidence")
    return Evidence.from_json(given) if given else None
