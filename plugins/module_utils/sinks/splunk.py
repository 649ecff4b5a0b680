# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splunk's HTTP Event Collector. With acknowledgement (`ack`) an event counts as delivered when the indexers have it.

The collector takes a batch or none of it; where it names the event that is wrong, that one is left out and the others are sent
again at once. It does not tell doubles: each event has the indexed field `securescan_key`, the same for each attempt.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence

from ..errors import ScanError
from ..network.deadline import Deadline
from ..network.http_client import HttpError
from ..reports.event import CREATED, Event, EventSource, EventTexts, event_time
from ..reports.hdf_splunk import HDF_SPLUNK, SOURCE_TYPE, target_events
from ..safe_text import server_text
from .answers import bad_option, bad_reply, refused, reply_object
from .event_items import event_format
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import EVENT_OPTIONS, HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

_EVENTS = "/services/collector/event"
_ACKS = "/services/collector/ack"
_LIMITS = Limits(items=500, bytes=800 * 1024)
_POLL_SECONDS = 0.25
# What the collector says of one event of a batch; the others are about the whole of it.
_OF_ONE_EVENT = frozenset((6, 12, 13, 15))
_WRONG_INDEX, _ACK_IS_OFF, _NO_CHANNEL, _BAD_CHANNEL = 7, 14, 10, 11


class Splunk(HttpSink):
    """Sends events to one collector."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        self._format = event_format(options)
        token = options.needed("token")
        self.secrets = (token,)
        self._ack = True if own.get("ack") is None else bool(own["ack"])
        self._index = str(own.get("index") or "")
        self._source = str(own.get("source") or "securescan.kubernetes")
        default = SOURCE_TYPE if self._format is HDF_SPLUNK else f"securescan:{self._format.name}"
        self._source_type = str(own.get("sourcetype") or default)
        channel = str(own.get("channel") or uuid.uuid4())
        try:
            channel = str(uuid.UUID(channel))
        except ValueError:
            raise bad_option("channel", "channel must be a UUID") from None
        headers = {"Authorization": f"Splunk {token}", "Content-Type": "application/json"}
        self._channel = {"X-Splunk-Request-Channel": channel} if self._ack else {}
        self._http = HttpSender(options, headers, self.secrets)
        self._options = options
        self.destination = " ".join(filter(None, (options.url, self._index)))
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        source = EventSource.of(pushed.run)
        texts = EventTexts(self._format, source)
        place_id = ""
        headed: set[str] = set()
        for finding in pushed.findings():
            record = finding.target.record
            moment = event_time(source, finding.target).timestamp()
            if record.place_id != place_id:
                place_id, headed = record.place_id, set()
            # the worst of several replicas can be now of one and now of another
            if self._format is HDF_SPLUNK and record.target_id not in headed:
                headed.add(record.target_id)
                for number, event in enumerate(target_events(source, finding.target)):
                    key = item_key(source.run_id, record.target_id, f"splunk {number}")
                    body = self._body(json.dumps(event, separators=(",", ":")), moment, source, key)
                    yield Item(key, record.target_id, source.run_id, CREATED, body)
            text = texts.text(Event(finding.target, finding.verdict), finding.activity)
            item = finding.item(source.run_id, b"")
            yield finding.item(source.run_id, self._body(text, moment, source, item.key))

    def _body(self, text: str, moment: float, source: EventSource, key: str) -> bytes:
        envelope = {
            "time": moment,
            "host": server_text(source.cluster),
            "source": self._source,
            "sourcetype": self._source_type,
            **({"index": self._index} if self._index else {}),
            "fields": {"securescan_key": key, "securescan_run": server_text(source.run_id)},
        }
        return f'{json.dumps(envelope, separators=(",", ":"))[:-1]},"event":{text}}}'.encode("ascii")

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = [None] * len(batch)
        left = list(range(len(batch)))
        while left:
            wrong = self._send([batch[number] for number in left])
            if wrong is None:
                return outcomes
            place, message = wrong
            outcomes[left.pop(place)] = refused("invalid_request", message, f"POST {_EVENTS}", self.secrets)
        return outcomes

    def _send(self, items: Sequence[Item]) -> tuple[int, str] | None:
        """None where all were taken; else the place of the event that is wrong, and why."""
        body = b"\n".join(item.body for item in items)
        try:
            reply = self._http.send("POST", _EVENTS, headers=self._channel, body=body)
        except HttpError as error:
            wrong = self._wrong_event(error, len(items))
            if wrong is None:
                raise
            return wrong
        answer = reply_object(reply.body, f"POST {_EVENTS}")
        if answer.get("code", 0) != 0:
            raise bad_reply(f"the collector says {answer.get('code')!r}", f"POST {_EVENTS}")
        if self._ack:
            self._wait_for_ack(answer.get("ackId"))
        return None

    def _wrong_event(self, error: HttpError, count: int) -> tuple[int, str] | None:
        """:raises ScanError: what is wrong with the options, which no other batch would mend"""
        if error.status != 400:
            return None
        try:
            answer = reply_object(error.body, error.tried)
        except ScanError:
            return None
        code, place = answer.get("code"), answer.get("invalid-event-number")
        said = f"{answer.get('text', '')} (code {code})"
        if code == _WRONG_INDEX:
            index = self._index or "of the token"
            raise ScanError(
                "not_permitted",
                server_text(f"the collector refuses the index {index}: {said}", self.secrets),
                tried=error.tried,
                cause="The token is not allowed to write to this index, or there is none of this name.",
                advice="Add the index to those of the token, or set another `index`.",
            )
        if code in (_ACK_IS_OFF, _NO_CHANNEL, _BAD_CHANNEL):
            raise ScanError(
                "bad_option",
                server_text(
                    f"the collector's acknowledgement does not fit `ack` and `channel`: {said}", self.secrets
                ),
                tried=error.tried,
                advice="Set `ack` to what the token has: indexer acknowledgement on or off.",
            )
        if code in _OF_ONE_EVENT and isinstance(place, int) and 0 <= place < count:
            return place, said
        return None

    def _wait_for_ack(self, number: object) -> None:
        """:raises ScanError: timed_out, when the indexers do not have the events within the timeout"""
        tried = f"POST {_ACKS}"
        if not isinstance(number, int) or isinstance(number, bool):
            raise bad_reply(
                "the collector gave no ackId: is indexer acknowledgement on for the token?", tried
            )
        deadline = Deadline(self._options.timeout, self._options.cancel, tried)
        body = json.dumps({"acks": [number]}).encode("ascii")
        while True:
            reply = self._http.send("POST", _ACKS, headers=self._channel, body=body)
            acks = reply_object(reply.body, tried).get("acks")
            if not isinstance(acks, dict):
                raise bad_reply("the answer has no acks", tried)
            if acks.get(str(number)) is True:
                return
            deadline.sleep(_POLL_SECONDS)


SPLUNK = SinkKind(
    "splunk",
    {
        "index": {"type": "str"},
        "source": {"type": "str"},
        "sourcetype": {"type": "str"},
        "ack": {"type": "bool"},
        "channel": {"type": "str"},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS, *EVENT_OPTIONS),
    Splunk,
)
