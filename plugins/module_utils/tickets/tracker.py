# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tracker is: one system that has tickets. A tracker is one file that defines a TrackerKind."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from ..errors import ScanError
from ..network.http_client import HttpError
from ..sinks.http_sender import HttpSender
from ..sinks.sink_options import SinkOptions
from ..strict_json import load_json
from .ticket import Known, Ticket
from .wording import Markup

LABEL = "securescan"
_ATTEMPTS = 5
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_MOST_PAGES = 1000
_REPLY_LIMIT = 32 * 1024 * 1024


@dataclass(frozen=True)
class TrackerOptions:
    """How a tracker is reached, and where its tickets are.

    `place` is a repository, project, table or queue, as the tracker calls it. `labels` are added to each new ticket. The rest is
    for one tracker each and says so by its name.
    """

    http: SinkOptions
    place: str
    labels: tuple[str, ...] = ()
    jira_issue_type: str = "Task"
    servicenow_close_code: str = "Solved (Permanently)"
    rt_field: str = "Scan Key"
    rt_closed_status: str = "resolved"
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)


class Tracker(Protocol):
    """A tracker with the options by which it is reached.

    Each of its methods but `markup` and `limit` asks it, and raises ScanError where it does not do what it is asked.

    :ivar markup: the language of its texts
    :ivar limit: the most characters of a ticket's text
    """

    markup: Markup
    limit: int

    def known(self) -> Iterator[Known]:
        """The tickets of ours that it has, open or closed."""

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        """Opens a ticket. The tracker's id of it."""

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        """An open ticket gets another text."""

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        """A closed ticket is opened again, with a comment."""

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        """An open ticket is closed, with a comment. `ticket` is None for one about a place that is gone."""


@dataclass(frozen=True)
class TrackerKind:
    """`place` says what `project` names there. `make` raises ScanError bad_option, and asks nothing."""

    name: str
    place: str
    make: Callable[[TrackerOptions], Tracker]


class TrackerHttp:
    """Requests in JSON. What can be sent again without being done twice is sent again: what was throttled, what nobody has got,
    and questions."""

    def __init__(self, options: TrackerOptions, headers: Mapping[str, str], *secrets: str) -> None:
        common = {"Accept": "application/json", **headers}
        self._http = HttpSender(options.http, common, [one for one in secrets if one])
        self._cancel = options.http.cancel
        self._sleep = options.sleep

    def ask(self, method: str, path: str, value: Any = None) -> Any:
        """The reply's JSON value, None for an empty reply. :raises ScanError"""
        body = None if value is None else json.dumps(value).encode("ascii")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = self._http.send(method, path, headers=headers, body=body, limit=_REPLY_LIMIT)
                break
            except ScanError as error:
                again = ("throttled", "unreachable") + (
                    ("server_error", "connection_lost") if method == "GET" else ()
                )
                if error.reason not in again or attempt == _ATTEMPTS or self._cancel.is_set():
                    raise
                asked = error.retry_after if isinstance(error, HttpError) else None
                wait = min(_LONGEST_WAIT, asked if asked is not None else _FIRST_WAIT * 2.0 ** (attempt - 1))
            self._sleep(wait + random.uniform(0, 0.3))  # noqa: S311 - spreads load, protects nothing
        if not reply.body.strip():
            return None
        try:
            return load_json(reply.body)
        except (ValueError, RecursionError):
            raise ScanError(
                "bad_reply", "the tracker's answer is not JSON", tried=f"{method} {path.partition('?')[0]}"
            ) from None

    def pages(self, path: Callable[[int], str], size: int) -> Iterator[Mapping[str, Any]]:
        """The objects of a list that comes in pages of `size`, counted from 1. :raises ScanError"""
        for number in range(1, _MOST_PAGES + 1):
            found = objects(self.ask("GET", path(number)), path(number))
            yield from found
            if len(found) < size:
                return
        raise ScanError(
            "bad_reply", f"the tracker has more than {_MOST_PAGES} pages of tickets", tried="list tickets"
        )


def objects(value: Any, path: str) -> list[Mapping[str, Any]]:
    """:raises ScanError: bad_reply, for what is no list of objects"""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ScanError(
            "bad_reply", "the tracker's answer is no list of objects", tried=f"GET {path.partition('?')[0]}"
        )
    return value


def fields_of(value: Any) -> Mapping[str, Any]:
    """An object of a reply; empty for anything else."""
    return value if isinstance(value, dict) else {}


def made_id(value: Any, name: str) -> str:
    """The id of what was made. :raises ScanError: bad_reply"""
    found = fields_of(value).get(name)
    if not isinstance(found, (str, int)) or isinstance(found, bool):
        raise ScanError(
            "bad_reply", "the tracker's answer does not name the new ticket", tried="open a ticket"
        )
    return str(found)


def check_kept(is_kept: bool, ticket_id: str, what: str, advice: str) -> None:
    """Trackers drop without a word what a user has no right to set. A ticket that is not found again would be opened anew by each
    run. :raises ScanError: not_permitted"""
    if not is_kept:
        raise ScanError(
            "not_permitted",
            f"the tracker opened ticket {ticket_id} without {what}, by which it would be found again",
            tried="open a ticket",
            cause="The user has no right to set it.",
            advice=f"{advice} Remove that ticket.",
        )


def login(options: TrackerOptions) -> dict[str, str]:
    """The header of a name with a password, or of a bearer token. :raises ScanError: bad_option"""
    http = options.http
    if http.username:
        pair = f"{http.username}:{http.password or http.token}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
    return {"Authorization": f"Bearer {http.needed('token')}"}


def bad_place(kind: str, form: str) -> ScanError:
    return ScanError("bad_option", f"project of {kind} is {form}", tried="reading the option project")
