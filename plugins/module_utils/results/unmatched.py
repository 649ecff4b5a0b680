# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a selection names and that gave no target. One entry of `unmatched` in a run's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..safe_text import one_line
from ..secret_texts import without_secret
from .checked_json import JsonObject, JsonRecord, TextRecord

# The reasons that say that there is nothing of that name. Whatever else is the matter, something could not be seen.
_ABSENT = ("no_targets", "not_found")
_MOST_CHARACTERS = 1000
KINDS = ("namespace", "workload", "pod", "container")


@dataclass(frozen=True)
class UnmatchedError(TextRecord):
    """Why it gave no target: `code` and `reason` of the catalogue of errors, and a sentence."""

    code: str
    reason: str
    message: str


@dataclass(frozen=True)
class Unmatched(JsonRecord):
    """A plain name of a selection without a target. `kind` is one of KINDS; `namespace` is empty where none is named."""

    kind: str
    name: str
    namespace: str
    error: UnmatchedError

    @property
    def target_id(self) -> str:
        """The id by which the gate counts it: kind/namespace/name."""
        return f"{self.kind}/{self.namespace}/{self.name}"

    @classmethod
    def of(cls, kind: str, name: str, namespace: str, error: Mapping[str, str]) -> Unmatched:
        """:param error: as `ScanError.record()`"""
        message = one_line(without_secret(error["message"]), _MOST_CHARACTERS)
        return cls(kind, name, namespace, UnmatchedError(error["code"], error["reason"], message))

    @classmethod
    def from_json(cls, given: JsonObject) -> Unmatched:
        return cls(
            given.one_of("kind", KINDS),
            given.text("name"),
            given.text("namespace"),
            UnmatchedError.from_json(given.object("error")),
        )


def gaps_of(unmatched: Sequence[Unmatched], allow_empty: bool) -> tuple[Unmatched, ...]:
    """Those that count as targets which were not scanned: all, unless it is allowed that a name gives nothing."""
    return tuple(one for one in unmatched if not (allow_empty and one.error.reason in _ABSENT))
