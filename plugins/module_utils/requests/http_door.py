# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door for requests over HTTP: what is answered to a message. It knows no server; the event source has one.

    POST /requests        a request in JSON, signed (signature.py)      202 {"run_id", "state", ...}
    POST /alerts          Alertmanager's webhook, with a bearer token   202 {"run_ids"}
    GET  /requests/<id>   with the bearer token                         200 {"run_id", "state", "outcome", ...}

400 for what cannot be read, 401 for who is not known, 403 for what this door does not allow, 404, 413, and 503 with Retry-After
when the queue is full. A sender that got a 202 can rely on it: the request is in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScanError
from ..strict_json import load_json
from .alerts import alert_requests
from .allowed import AllowedRequests
from .queued_request import QueuedRequest
from .request import MOST_BYTES, Request, bad_request, parse_request
from .request_queue import RequestQueue
from .signature import check_signature, check_token

MOST_BODY = 1024 * 1024
_STATUS = {"bad_request": 400, "request_refused": 403, "queue_full": 503}
_RETRY_AFTER = "60"


@dataclass(frozen=True)
class Answer:
    """`queued`: what is new in the queue, of which the event source tells the rules."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    queued: Sequence[QueuedRequest] = ()


@dataclass(frozen=True)
class HttpDoor:
    """`keys` sign requests, `token` opens /alerts and the states; without one of them its paths do not exist. `source` names the
    door in the queue."""

    queue: RequestQueue
    allowed: AllowedRequests
    source: str
    keys: tuple[bytes, ...] = ()
    token: str = ""
    now: Callable[[], float] = field(default=lambda: 0.0)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """:param headers: by lower-case names"""
        try:
            if (method, path) == ("POST", "/requests") and self.keys:
                return self._request(headers, body)
            if (method, path) == ("POST", "/alerts") and self.token:
                return self._alerts(headers, body)
            if method == "GET" and path.startswith("/requests/") and self.token:
                return self._state(headers, path[len("/requests/") :])
        except _UnknownSenderError as error:
            return Answer(401, _told(error.reason))
        except ScanError as error:
            status = _STATUS.get(error.reason, 500)
            # what is wrong here, such as a folder that is full, is for the operator's log
            told = _told(error) if status != 500 else {"error": "the request could not be kept"}
            return Answer(status, told, {"Retry-After": _RETRY_AFTER} if status == 503 else {})
        return Answer(404, {"error": "there is nothing at this path"})

    def _request(self, headers: Mapping[str, str], body: bytes) -> Answer:
        if len(body) > MOST_BYTES:
            return Answer(413, {"error": f"a request has at most {MOST_BYTES // 1024} KiB"})
        try:
            message = check_signature(self.keys, headers, body, self.now())
        except ScanError as error:
            raise _UnknownSenderError(error) from None
        # the same message again, by whomever, is the same request
        submitted = self._submit(parse_request(body), message)
        return Answer(202, submitted[0].answer(), queued=submitted[1])

    def _alerts(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self._check_token(headers)
        try:
            payload = load_json(body)
        except (ValueError, RecursionError):
            raise bad_request("it is not JSON") from None
        ids: list[str] = []
        fresh: list[QueuedRequest] = []
        requests = list(alert_requests(payload))
        for request in requests:
            self.allowed.check(request)
        for request in requests:
            try:
                queued, new = self._submit(request)
            except ScanError as error:
                if error.reason != "queue_full":
                    raise
                # it comes again; what is in the queue is told now, because it is no news then
                return Answer(503, _told(error), {"Retry-After": _RETRY_AFTER}, queued=fresh)
            ids.append(queued.request_id)
            fresh += new
        return Answer(202, {"run_ids": ids}, queued=fresh)

    def _state(self, headers: Mapping[str, str], request_id: str) -> Answer:
        self._check_token(headers)
        found = self.queue.find(request_id) if _is_id(request_id) else None
        if found is None:
            return Answer(404, {"error": "no request has this run id"})
        return Answer(200, found.answer())

    def _submit(self, request: Request, message: str = "") -> tuple[QueuedRequest, list[QueuedRequest]]:
        self.allowed.check(request)
        submitted = self.queue.submit(request, self.source, message)
        return submitted.queued, [submitted.queued] if submitted.is_new else []

    def _check_token(self, headers: Mapping[str, str]) -> None:
        try:
            check_token(self.token, headers)
        except ScanError as error:
            raise _UnknownSenderError(error) from None


class _UnknownSenderError(Exception):
    """`reason`: what is told."""

    def __init__(self, reason: ScanError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _is_id(text: str) -> bool:
    return len(text) <= 40 and text.isascii() and text.replace("-", "").isalnum()


def _told(error: ScanError) -> dict[str, str]:
    return {"error": error.message, "code": error.kind.code}
