# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ticket as the findings of a run make it, and as a tracker has it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..results.checked_json import JsonRecord

OPEN = "open"
# Everything that the ticket could be about was seen by the run, and nothing of it fails.
SOLVED = "solved"
# What a ticket is about.
PER_PLACE, PER_CONTROL = "place", "control"
_SCOPE_DIGITS, _KEY_DIGITS, _DIGEST_DIGITS = 8, 24, 16
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{24}")
_KEY_AND_DIGEST = re.compile(r"([0-9a-f]{8}-[0-9a-f]{24}) ([0-9a-f]{16})")


@dataclass(frozen=True)
class Finding(JsonRecord):
    """A control that failed at a place, with what was found. All texts are on one line, and bounded."""

    fingerprint: str
    place: str
    profile: str
    control_id: str
    title: str
    severity: str
    status: str
    text: str
    fix: str


@dataclass(frozen=True)
class Ticket(JsonRecord):
    """What a run says of one ticket.

    `key` is the same in every run: it begins with that of its scope. `digest` is the same as long as the same controls fail at
    the same places. `about` is a place's id, or a control's. `findings` are the first, worst first, and `count` is the number
    of all. `evidence` says by which results it is solved. `configuration_item` is empty where none is known.
    """

    key: str
    digest: str
    state: str
    about: str
    title: str
    severity: str
    count: int
    findings: tuple[Finding, ...] = ()
    evidence: tuple[str, ...] = ()
    configuration_item: str = ""

    @property
    def mark(self) -> str:
        """By which the ticket is found again in a tracker: key and digest."""
        return f"{self.key} {self.digest}"


@dataclass(frozen=True)
class Known:
    """A ticket as a tracker has it: `id` is the tracker's own, `digest` is empty where it is not known."""

    id: str
    key: str
    digest: str
    is_open: bool

    @classmethod
    def of_mark(cls, ticket_id: str, text: object, is_open: bool) -> Known | None:
        """One whose mark stands in a field of its own; None where another text stands there."""
        found = _KEY_AND_DIGEST.fullmatch(text.strip()) if isinstance(text, str) else None
        return cls(ticket_id, found[1], found[2], is_open) if found else None

    @property
    def scope(self) -> str:
        return self.key[:_SCOPE_DIGITS]


def scope_of(cluster: str, per: str, container_kind: str = "") -> str:
    """What the keys begin with of all tickets of a cluster that are about the same kind of thing."""
    return _digits([cluster, per, container_kind], _SCOPE_DIGITS)


def key_of(scope: str, *about: str) -> str:
    """The key of the ticket about these names."""
    return f"{scope}-{_digits(about, _KEY_DIGITS)}"


def digest_of(fingerprints: Sequence[str], *others: str) -> str:
    """The same for the same findings, in any order."""
    return _digits([sorted(fingerprints), *others], _DIGEST_DIGITS)


def _digits(value: Any, number: int) -> str:
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:number]
