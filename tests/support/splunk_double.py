# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Splunk HTTP Event Collector, as far as its published contract goes: token, channel, acknowledgement, index, batches that are
taken whole or not at all, the number of the event that is wrong. Splunk itself cannot be had on a test machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .https_server import Answer, Received

TOKEN = "5f1c3b0a-9e0e-4c3e-8a55-000000000001"


@dataclass
class SplunkDouble:
    """Answers for a FakeHttpsServer. `events` are those that are indexed; `busy` so many requests are answered with 503.

    :ivar acks_after: so many questions are answered with false before an acknowledgement is true; -1 for never
    """

    with_ack: bool = True
    indexes: frozenset[str] = frozenset({"main", ""})
    acks_after: int = 0
    busy: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    _last_ack: int = -1
    _channels: dict[str, set[int]] = field(default_factory=dict)

    def __call__(self, request: Received) -> Answer:
        authorization = request.headers.get("authorization", "")
        if not authorization:
            return _said(401, 2, "Token is required")
        if not authorization.startswith("Splunk "):
            return _said(401, 3, "Invalid authorization")
        if authorization != f"Splunk {TOKEN}":
            return _said(403, 4, "Invalid token")
        if self.busy:
            self.busy -= 1
            return _said(503, 9, "Server is busy")
        channel = request.headers.get("x-splunk-request-channel", "")
        if request.path == "/services/collector/ack":
            return self._ack(channel, request.body)
        if request.path != "/services/collector/event":
            return _said(404, 404, "The requested URL was not found on this server.")
        if channel and not self.with_ack:
            return _said(400, 14, "ACK is disabled")
        if self.with_ack and not channel:
            return _said(400, 10, "Data channel is missing")
        return self._take(channel, request.body)

    def _take(self, channel: str, body: bytes) -> Answer:
        text, taken = body.decode("utf-8"), []
        decoder = json.JSONDecoder()
        place = 0
        if not text.strip():
            return _said(400, 5, "No data")
        while text[place:].strip():
            place += len(text[place:]) - len(text[place:].lstrip())
            try:
                event, place = decoder.raw_decode(text, place)
            except ValueError:
                return _said(400, 6, "Invalid data format", len(taken))
            if event.get("index", "") not in self.indexes:
                return _said(400, 7, "Incorrect index", len(taken))
            if "event" not in event:
                return _said(400, 12, "Event field is required", len(taken))
            if event["event"] in ("", {}):
                return _said(400, 13, "Event field cannot be blank", len(taken))
            if any(isinstance(value, dict) for value in event.get("fields", {}).values()):
                return _said(400, 15, "Error in handling indexed fields", len(taken))
            taken.append(event)
        self.events += taken
        if not channel:
            return _said(200, 0, "Success")
        self._last_ack += 1
        self._channels.setdefault(channel, set()).add(self._last_ack)
        return Answer(body=json.dumps({"text": "Success", "code": 0, "ackId": self._last_ack}).encode())

    def _ack(self, channel: str, body: bytes) -> Answer:
        if not channel:
            return _said(400, 10, "Data channel is missing")
        self.asked += 1
        is_there = 0 <= self.acks_after < self.asked
        known = self._channels.get(channel, set())
        answer = {}
        for number in json.loads(body)["acks"]:
            answer[str(number)] = is_there and number in known
            if is_there:
                known.discard(number)  # the collector forgets what it has acknowledged
        return Answer(body=json.dumps({"acks": answer}).encode())


def _said(status: int, code: int, text: str, place: int | None = None) -> Answer:
    value: dict[str, Any] = {"text": text, "code": code}
    if place is not None:
        value["invalid-event-number"] = place
    return Answer(status, json.dumps(value).encode())
