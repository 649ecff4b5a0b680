# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that is sent: a document, or one control of a place. The outbox keeps it until the system has it."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from typing import Union

from ..reports.event import CREATED
from ..results.target_record import ErrorRecord

_KEY_DIGITS = 32


@dataclass(frozen=True)
class Item:
    """What is sent.

    `key` is the same for each attempt, so that a system can tell a repeated one: see `item_key`. `subject` says in messages
    what it is about: a target's id, or a place and a control. `run_id` is the run that it comes from.

    A document that lies in the run's folder is given by its `path` there and what it must hash to; the outbox does not copy it.
    When a sink gets the item to send it, `body` holds the content in both cases. `tries` is then how often it was sent before
    without an answer that said what became of it: above 0 the system may have it already.

    `fingerprint` and `place_id` are those of the finding that the item tells of, empty for a document; `before` is for the
    outbox: what the system was told of the finding before.
    """

    key: str
    subject: str
    run_id: str
    activity: str = CREATED
    body: bytes = b""
    path: str = ""
    sha256: str = ""
    fingerprint: str = ""
    place_id: str = ""
    before: str = ""
    tries: int = 0


class AlreadyThere(enum.Enum):
    """Says that the system had the item before."""

    ALREADY_THERE = "already there"


ALREADY_THERE = AlreadyThere.ALREADY_THERE
# What became of one item: None where the system took it, else why it refused it. A record with the reason throttled,
# server_error, unreachable, connection_lost or timed_out is no refusal: the item is sent again.
Outcome = Union[None, AlreadyThere, ErrorRecord]


def item_key(*parts: str) -> str:
    """32 hexadecimal digits of what makes an item: the run's id, and the target's id or a finding's fingerprint and activity.
    They are the same for every system, attempt and machine."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:_KEY_DIGITS]
