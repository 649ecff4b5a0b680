# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements of in-toto (https://in-toto.io/Statement/v1): what something is said of, by digest, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..strict_json import dump_json, load_json
from .problems import bad_evidence

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
SHA256 = "sha256"


@dataclass(frozen=True)
class Subject:
    """What a statement is about: a name, its digests by algorithm (hexadecimal), its size in bytes where it has one."""

    name: str
    digest: Mapping[str, str]
    size: int | None = None

    def to_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {"name": self.name, "digest": dict(self.digest)}
        if self.size is not None:
            values["annotations"] = {"size": self.size}
        return values


@dataclass(frozen=True)
class Statement:
    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        return dump_json(
            {
                "_type": STATEMENT_TYPE,
                "subject": [subject.to_json() for subject in self.subjects],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )


def parse_statement(data: bytes, source: str, predicate_types: tuple[str, ...]) -> Statement:
    """The statement in a payload, whose signature was verified before. `source` names it in errors.

    :raises ScanError: `bad_evidence`, for anything else than a statement of one of these predicate types
    """
    try:
        value = load_json(data)
    except (ValueError, RecursionError):
        raise bad_evidence(source, "what it holds is not JSON, or has a key twice") from None
    if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
        raise bad_evidence(source, f"what it holds is not a statement of the type {STATEMENT_TYPE}")
    kind = value.get("predicateType")
    if kind not in predicate_types:
        raise bad_evidence(
            source, f"its statement is not of the predicate type {' or '.join(predicate_types)}"
        )
    predicate, subjects = value.get("predicate"), value.get("subject")
    if not isinstance(predicate, dict) or not isinstance(subjects, list):
        raise bad_evidence(source, "its statement lacks subjects or a predicate")
    return Statement(tuple(_subject(one, source) for one in subjects), str(kind), predicate)


def _subject(value: Any, source: str) -> Subject:
    if isinstance(value, dict):
        name, digest, notes = value.get("name"), value.get("digest"), value.get("annotations") or {}
        size = notes.get("size") if isinstance(notes, dict) else None
        if (
            isinstance(name, str)
            and isinstance(digest, dict)
            and all(isinstance(one, str) for one in digest.values())
        ):
            return Subject(name, digest, size if type(size) is int and size >= 0 else None)
    raise bad_evidence(source, "a subject of its statement has no name or digest")
