# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of a queue of Request Tracker, by its REST API 2. A ticket is known by a custom field of the queue, which an
administrator makes (EnterOneValue). A new text is written as a comment, because that of a ticket never changes there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import ScanError
from .ticket import Known, Ticket
from .tracker import (
    Tracker,
    TrackerHttp,
    TrackerKind,
    TrackerOptions,
    bad_place,
    check_kept,
    fields_of,
    login,
    made_id,
    objects,
)
from .wording import PLAIN

_NAME = re.compile(r"[^'\"\\{}\x00-\x1f]{1,100}")
_API = "/REST/2.0"
_PAGE = 100
_MOST_PAGES = 1000
_CLOSED = frozenset({"resolved", "rejected", "deleted"})


class RequestTracker(Tracker):
    """`url` is that of the server, with its path: https://rt.example.com/rt."""

    markup = PLAIN
    limit = 60_000

    def __init__(self, options: TrackerOptions) -> None:
        if not _NAME.fullmatch(options.place):
            raise bad_place("request_tracker", "the name of a queue")
        if not _NAME.fullmatch(options.rt_field):
            raise ScanError(
                "bad_option", "rt_field is the name of a custom field", tried="reading the option rt_field"
            )
        http = options.http
        self._http = TrackerHttp(options, _login(options), http.token, http.password)
        self._queue, self._field = options.place, options.rt_field
        self._closed = options.rt_closed_status

    def known(self) -> Iterator[Known]:
        self._check_field()
        query = f"Queue = '{self._queue}' AND 'CF.{{{self._field}}}' LIKE '-' AND Status != 'deleted'"
        asked = {
            "query": query,
            "fields": "Status,CustomFields",
            "per_page": _PAGE,
            "orderby": "id",
            "order": "ASC",
        }
        for number in range(1, _MOST_PAGES + 1):
            path = f"{_API}/tickets?{urlencode({**asked, 'page': number})}"
            page = fields_of(self._http.ask("GET", path))
            for one in objects(page.get("items"), path):
                status = str(one.get("Status"))
                known = Known.of_mark(
                    str(one.get("id")), self._mark_of(one), status not in _CLOSED and status != self._closed
                )
                if known and known.id.isdigit():
                    yield known
            pages = page.get("pages")
            if not isinstance(pages, int) or number >= pages:
                return
        raise ScanError(
            "bad_reply", f"the queue has more than {_MOST_PAGES} pages of tickets", tried="list tickets"
        )

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        value = {
            "Queue": self._queue,
            "Subject": title,
            "Content": body,
            "ContentType": "text/plain",
            "CustomFields": {self._field: ticket.mark},
        }
        made = made_id(self._http.ask("POST", f"{_API}/ticket", value), "id")
        kept = fields_of(self._http.ask("GET", f"{_API}/ticket/{quote(made, safe='')}"))
        advice = "Apply the field to the queue, and grant SeeCustomField and ModifyCustomField."
        check_kept(self._mark_of(kept) == ticket.mark, made, f"its custom field {self._field}", advice)
        return made

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        self._comment(known, body)
        self._put(known, {"Subject": title, "CustomFields": {self._field: ticket.mark}})

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        self._comment(known, f"{comment}\n\n{body}")
        self._put(known, {"Status": "open", "CustomFields": {self._field: ticket.mark}})

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        self._comment(known, comment)
        self._put(known, {"Status": self._closed})

    def _check_field(self) -> None:
        """Without the field each run would open each ticket anew. :raises ScanError: not_found"""
        path = f"{_API}/customfields"
        named = [
            {"field": "Name", "value": self._field},
            {"field": "LookupType", "value": "RT::Queue-RT::Ticket"},
        ]
        found = fields_of(self._http.ask("POST", path, named))
        if not found.get("count"):
            raise ScanError(
                "not_found",
                f"Request Tracker has no custom field {self._field} of tickets",
                tried="look for the custom field",
                cause="It was not made yet, or the user is not allowed to see it.",
                advice="Make it (EnterOneValue), apply it to the queue, and grant SeeCustomField and ModifyCustomField.",
            )

    def _mark_of(self, ticket: Mapping[str, Any]) -> Any:
        for one in objects(ticket.get("CustomFields") or [], f"{_API}/tickets"):
            values = one.get("values")
            if one.get("name") == self._field and isinstance(values, list) and values:
                return values[0]
        return None

    def _put(self, known: Known, value: dict[str, Any]) -> None:
        self._said(self._http.ask("PUT", f"{_API}/ticket/{known.id}", value), known)

    def _said(self, answer: Any, known: Known) -> None:
        """RT answers 200 with a text for a change that it did not make. :raises ScanError: invalid_request"""
        texts = [str(one) for one in answer] if isinstance(answer, list) else []
        for text in texts:
            if "denied" in text.lower() or "not allowed" in text.lower() or "could not" in text.lower():
                raise ScanError(
                    "not_permitted",
                    f"Request Tracker did not change ticket {known.id}: {text[:200]}",
                    tried=f"change ticket {known.id}",
                    cause="The user lacks a right.",
                    advice="Grant ModifyTicket on the queue, and ModifyCustomField on the field.",
                )

    def _comment(self, known: Known, text: str) -> None:
        value = {"Content": text, "ContentType": "text/plain"}
        self._http.ask("POST", f"{_API}/ticket/{known.id}/comment", value)


def _login(options: TrackerOptions) -> dict[str, str]:
    return (
        login(options)
        if options.http.username
        else {"Authorization": f"token {options.http.needed('token')}"}
    )


REQUEST_TRACKER = TrackerKind("request_tracker", "the name of the queue", RequestTracker)
