# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request in the queue: who asked, when, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..results.checked_json import JsonObject, JsonRecord
from .request import Request, read_request

SCHEMA = "securescan.kubernetes/queued-request"
QUEUED, RUNNING, ENDED = "queued", "running", "ended"
STATES = (QUEUED, RUNNING, ENDED)
# How a request ends: the gate's words, and where there is none, why.
PASSED, FAILED, NOT_JUDGED, NOT_SCANNED, LOST = "passed", "failed", "not_judged", "not_scanned", "lost"
OUTCOMES = (PASSED, FAILED, NOT_JUDGED, NOT_SCANNED, LOST)


@dataclass(frozen=True)
class QueuedRequest(JsonRecord):
    """Times are in seconds since 1970, 0 for not yet. `source` is the way in. `asked` counts how often the same was asked for
    while it waited. `until` is when who has taken it must be done. `attempts` counts how often it was taken. `outcome`, `run_dir`
    and `message` are empty before the end."""

    request_id: str
    state: str
    source: str
    received: float
    request: Request
    asked: int = 1
    taken: float = 0.0
    until: float = 0.0
    attempts: int = 0
    ended: float = 0.0
    outcome: str = ""
    run_dir: str = ""
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **super().to_json()}

    @classmethod
    def from_json(cls, given: JsonObject) -> QueuedRequest:
        """:raises ScanError: bad_results, and bad_request"""
        given.one_of("schema", (SCHEMA,))
        held = given.mapping("request")
        return cls(
            request_id=given.text("request_id"),
            state=given.one_of("state", STATES),
            source=given.text("source"),
            received=given.number("received"),
            request=read_request({name: value for name, value in held.items() if value}),
            asked=given.whole_number("asked"),
            taken=given.number("taken"),
            until=given.number("until"),
            attempts=given.whole_number("attempts"),
            ended=given.number("ended"),
            outcome=given.one_of("outcome", ("", *OUTCOMES)),
            run_dir=given.text("run_dir"),
            message=given.text("message"),
        )

    def answer(self) -> dict[str, Any]:
        """What whoever asked is told. No path of this machine."""
        told = {
            "run_id": self.request_id,
            "state": self.state,
            "cluster": self.request.cluster,
            "outcome": self.outcome,
        }
        return {name: value for name, value in told.items() if value}
