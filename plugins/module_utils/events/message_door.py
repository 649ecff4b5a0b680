# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door for requests on a bus or out of another event source: a message in, what becomes of it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..requests.allowed import AllowedRequests
from ..requests.request import MOST_BYTES, Request, bad_request, parse_request, read_request
from ..requests.request_queue import RequestQueue
from .told_events import refused_event, request_event

# A message that cannot become a request now, but later, is not to be lost.
LATER = frozenset({"queue_full", "write_failed", "bad_results"})


@dataclass(frozen=True)
class MessageDoor:
    """`source` is this way's name in the queue."""

    queue: RequestQueue
    allowed: AllowedRequests
    source: str

    def take(self, message: bytes | str | Mapping[str, Any], key: str = "") -> Sequence[dict[str, Any]]:
        """The events of a message, of which the rules are told: one, or none where the request was there before.

        :param key: the bus's own name for the message, which stands for the key of a request that has none
        :raises ScanError: queue_full, write_failed, bad_results: the message is to be taken again later
        """
        try:
            return self.submit(self._read(message), key)
        except ScanError as error:
            if error.reason in LATER:
                raise
            return [refused_event(error, self.source)]

    def submit(self, request: Request, message: str = "") -> Sequence[dict[str, Any]]:
        """:raises ScanError: request_refused, and as RequestQueue.submit"""
        self.allowed.check(request)
        submitted = self.queue.submit(request, self.source, message)
        return [request_event(submitted.queued)] if submitted.is_new else []

    def _read(self, message: bytes | str | Mapping[str, Any]) -> Request:
        if isinstance(message, (bytes, str)):
            return parse_request(message)
        if len(message) > MOST_BYTES:
            raise bad_request("it has too many keys")
        return read_request(message)

    def waiting(self) -> list[dict[str, Any]]:
        """An event for each cluster for which requests wait: of them the rules were perhaps told before a restart.

        :raises ScanError: bad_results
        """
        first: dict[str, dict[str, Any]] = {}
        for one in self.queue.in_state("queued"):
            first.setdefault(one.request.cluster, request_event(one))
        return list(first.values())
