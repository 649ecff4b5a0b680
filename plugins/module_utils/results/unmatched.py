# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a selection names and that gave no target. One entry of `unmatched` in a run's summary."""

from __future__ import annotations

from dataclasses import dataclass

from .checked_json import JsonObject, JsonRecord, TextRecord

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
    def from_json(cls, given: JsonObject) -> Unmatched:
        return cls(
            given.one_of("kind", KINDS),
            given.text("name"),
            given.text("namespace"),
            UnmatchedError.from_json(given.object("error")),
        )
