# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elasticsearch and OpenSearch: documents of a data stream (or an index), made by `_bulk` with the action `create`.

A document's `_id` is the item's key, so a second attempt is answered with 409 and nothing is there twice.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..reports.event import Event, EventSource, EventTexts, event_time
from ..results.target_record import ErrorRecord
from ..times import api_time
from .answers import bad_option, bad_reply, refused, reply_object
from .event_items import event_format
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import ALREADY_THERE, Item, Outcome
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import EVENT_OPTIONS, HTTP_OPTIONS, LOGIN_OPTIONS, TOKEN_OPTIONS, SinkOptions

_INDEX = "logs-securescan.compliance-default"
_LIMITS = Limits(items=1000, bytes=5 * 1024 * 1024)
# As Elasticsearch allows it.
_INDEX_NAME = re.compile(r"(?![-_+.])[a-z0-9_.+-]{1,255}")
_MAX_ANSWER = 4096
_QUERY = "filter_path=errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason"


class Elastic(HttpSink):
    """Sends documents to one data stream."""

    def __init__(self, options: SinkOptions) -> None:
        self._format = event_format(options, "ecs")
        self._index = str(options.own.get("index") or _INDEX)
        if not _INDEX_NAME.fullmatch(self._index):
            raise bad_option("index", "index is not the name of an index or a data stream")
        headers, self.secrets = _credential(options)
        self._http = HttpSender(options, {**headers, "Content-Type": "application/x-ndjson"}, self.secrets)
        self.destination = f"{options.url} {self._index}"
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        source = EventSource.of(pushed.run)
        texts = EventTexts(self._format, source)
        for finding in pushed.findings():
            text = texts.text(Event(finding.target, finding.verdict), finding.activity)
            if self._format.name != "ecs":  # a data stream needs it
                moment = api_time(event_time(source, finding.target))
                text = f'{{"@timestamp":"{moment}",{text[1:]}'
            yield finding.item(source.run_id, text.encode("ascii"))

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        tried = "POST /_bulk"
        lines = [
            line
            for item in batch
            for line in (
                json.dumps({"create": {"_index": self._index, "_id": item.key}}).encode("ascii"),
                item.body,
            )
        ]
        reply = self._http.send(
            "POST",
            f"/_bulk?{_QUERY}",
            body=b"\n".join(lines) + b"\n",
            limit=_MAX_ANSWER * (len(batch) + 1),
        )
        answers = reply_object(reply.body, tried).get("items")
        if not isinstance(answers, list) or len(answers) != len(batch):
            raise bad_reply("the answer does not say of each document what became of it", tried)
        return [self._outcome(item, answer, tried) for item, answer in zip(batch, answers)]

    def _outcome(self, item: Item, answer: object, tried: str) -> Outcome:
        values = answer.get("create") if isinstance(answer, dict) else None
        if not isinstance(values, dict) or values.get("_id", item.key) != item.key:
            raise bad_reply("the answer is about other documents than those that were sent", tried)
        status = values.get("status")
        if not isinstance(status, int):
            raise bad_reply("the answer has a document without a status", tried)
        if 200 <= status < 300:
            return None
        if status == 409:
            return ALREADY_THERE
        return self._refusal(status, values.get("error"), tried)

    def _refusal(self, status: int, error: object, tried: str) -> ErrorRecord:
        reason = (
            "throttled"
            if status == 429
            else "server_error"
            if status >= 500
            else "not_permitted"
            if status in (401, 403)
            else "invalid_request"
        )
        said = error if isinstance(error, dict) else {}
        return refused(
            reason, f"{status} {said.get('type', '')}: {said.get('reason', '')}", tried, self.secrets
        )


def _credential(options: SinkOptions) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """An API key, or a login. :raises ScanError: bad_option"""
    if options.token and options.username:
        raise bad_option("token", "token (an API key) and username exclude each other")
    if options.token:
        return {"Authorization": f"ApiKey {options.token}"}, (options.token,)
    if options.username:
        login = base64.b64encode(f"{options.username}:{options.password}".encode()).decode("ascii")
        return {"Authorization": f"Basic {login}"}, (options.password, login)
    return {}, ()


_OWN: Mapping[str, Mapping[str, Any]] = {"index": {"type": "str"}}
ELASTIC = SinkKind("elastic", _OWN, (*HTTP_OPTIONS, *TOKEN_OPTIONS, *LOGIN_OPTIONS, *EVENT_OPTIONS), Elastic)
