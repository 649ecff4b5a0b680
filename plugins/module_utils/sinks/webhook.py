# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of your own, which gets batches in JSON. Their signature is that of Standard Webhooks, for which receivers find
libraries in many languages: HMAC-SHA256 over the message's id, its time and its body.

    webhook-id         the batch's key: the same for each attempt to send the same items
    webhook-timestamp  seconds since 1970; a receiver refuses old ones
    webhook-signature  v1, and the Base64 of the HMAC of "<id>.<timestamp>.<body>"

The body is {"schema", "schema_version", "items": [{"key", "subject", "run_id", "activity", "content"}]}. `key` is the same
for each attempt, also in another batch, so a receiver that keeps the keys gets nothing twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence

from ..errors import ScanError
from .event_items import event_format, event_items
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import EVENT_OPTIONS, HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

SCHEMA = "securescan.kubernetes/webhook"
_FINDINGS, _DOCUMENTS = "findings", "documents"
_PREFIX = "whsec_"
_LIMITS = Limits(items=500, bytes=1024 * 1024)


class Webhook(HttpSink):
    """Posts batches to a URL."""

    def __init__(self, options: SinkOptions) -> None:
        secret = str(options.own["signing_secret"] or "")
        self._key = _signing_key(secret)
        self.secrets = tuple(filter(None, (options.token, secret, secret.removeprefix(_PREFIX))))
        headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
        self._http = HttpSender(options, headers, self.secrets)
        self._format = None if options.own["content"] == _DOCUMENTS else event_format(options)
        self.destination = f"{options.url} ({options.own['content'] or _FINDINGS})"
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        if self._format is not None:
            return event_items(pushed, self._format)
        return (item for _target, item in pushed.documents())

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        body = _body(batch)
        key = item_key(*(item.key for item in batch))
        headers = {"Content-Type": "application/json", "webhook-id": key, **self._signed(key, body)}
        self._http.send("POST", headers=headers, body=body)
        return [None] * len(batch)

    def _signed(self, key: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {"webhook-timestamp": now}
        if self._key:
            signed = hmac.digest(self._key, f"{key}.{now}.".encode("ascii") + body, hashlib.sha256)
            headers["webhook-signature"] = "v1," + base64.b64encode(signed).decode("ascii")
        return headers


def _body(batch: Sequence[Item]) -> bytes:
    """The contents are JSON already, and are not taken apart for this."""
    items = b",".join(
        json.dumps(
            {"key": one.key, "subject": one.subject, "run_id": one.run_id, "activity": one.activity}
        ).encode("ascii")[:-1]
        + b',"content":'
        + one.body.strip()
        + b"}"
        for one in batch
    )
    return b'{"schema":"' + SCHEMA.encode("ascii") + b'","schema_version":1,"items":[' + items + b"]}"


def _signing_key(secret: str) -> bytes:
    """The bytes of a secret: Base64 after whsec_, else the text itself. :raises ScanError: bad_option"""
    if not secret.startswith(_PREFIX):
        return secret.encode("utf-8")
    try:
        key = base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ScanError(
            "bad_option",
            f"after {_PREFIX} signing_secret must be Base64",
            tried="reading the option signing_secret",
        )
    return key


WEBHOOK = SinkKind(
    "webhook",
    {
        "signing_secret": {"type": "str", "no_log": True},
        "content": {"type": "str", "choices": [_FINDINGS, _DOCUMENTS]},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS, *EVENT_OPTIONS),
    Webhook,
)
