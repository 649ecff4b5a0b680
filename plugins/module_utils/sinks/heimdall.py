# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Heimdall server: each HDF document is an evaluation, with a name that is the same for each run, and the run as a tag.

The server does not know that it has a document already, so it is asked before each batch. With the API key of a group it shows
nothing: then a document whose upload lost its answer can come twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from ..errors import ScanError
from ..network.http_client import HttpError
from ..network.http_pool import HttpReply
from ..results.target_record import ErrorRecord
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import ALREADY_THERE, Item, Outcome
from .multipart import multipart
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import HTTP_OPTIONS, LOGIN_OPTIONS, TOKEN_OPTIONS, SinkOptions

# The server takes 100 files in a request, and holds them in memory.
_LIMITS = Limits(items=100, bytes=20 * 1024 * 1024)
_REPLY_BYTES = 16 * 1024 * 1024
_MOST_FOUND = 1000
# Names of so many characters are asked for at once: they stand in the URL.
_QUERY_CHARACTERS = 4000


class Heimdall(HttpSink):
    """Uploads documents as evaluations."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        self._login = {"email": options.username, "password": options.password}
        self._api_key = options.token
        if bool(options.token) == bool(options.username):
            raise _bad("token", "either token (an API key) or username and password is needed")
        if bool(options.username) != bool(options.password):
            raise _bad("password", "username and password belong together")
        self._groups = [str(one) for one in own["groups"] or ()]
        if options.token and not all(one.isdigit() for one in self._groups):
            raise _bad("groups", "with an API key, groups are numbers: only who logs in can look up names")
        self._tags = [str(one) for one in own["tags"] or ()]
        if any("," in tag or not tag.strip() for tag in self._tags):
            raise _bad("tags", "a tag cannot hold a comma, nor be empty")
        self._public = bool(own["public"])
        self.secrets = tuple(filter(None, (options.token, options.password)))
        self._http = HttpSender(options, secrets=self.secrets)
        self._authorization = f"Api-Key {options.token}" if options.token else ""
        self._group_ids: str | None = None
        self.destination = options.url.rstrip("/")
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        return (item for _target, item in pushed.documents())

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        outcomes: dict[str, Outcome] = {}
        for run_id in dict.fromkeys(item.run_id for item in batch):
            outcomes.update(self._send_run(run_id, [item for item in batch if item.run_id == run_id]))
        return [outcomes[item.key] for item in batch]

    def _send_run(self, run_id: str, items: Sequence[Item]) -> dict[str, Outcome]:
        there = self._there(run_id, [_name(item) for item in items])
        new = [item for item in items if _name(item) not in there]
        outcomes: dict[str, Outcome] = {item.key: ALREADY_THERE for item in items if _name(item) in there}
        if new:
            taken = self._upload(run_id, new)
            outcomes.update({item.key: None if _name(item) in taken else _LOST for item in new})
        return outcomes

    def _upload(self, run_id: str, items: Sequence[Item]) -> set[str]:
        """The names of the evaluations that were made."""
        fields = {
            "filename": _name(items[0]),
            "public": "true" if self._public else "false",
            "evaluationTags": ",".join([_tag(run_id), *self._tags]),
        }
        groups = self._groups_field()
        if groups:
            fields["groups"] = groups
        content_type, body = multipart(fields, [("data", _name(item), item.body) for item in items])
        reply = self._call("POST", "/evaluations", {"Content-Type": content_type}, body)
        made = _read(reply)
        return {
            str(one.get("filename"))
            for one in (made if isinstance(made, list) else [made])
            if isinstance(one, dict)
        }

    def _there(self, run_id: str, names: Sequence[str]) -> set[str]:
        """Which of the names the server has with the tag of the run."""
        found: set[str] = set()
        for some in _portions(names):
            query = [
                ("offset", "0"),
                ("limit", str(_MOST_FOUND)),
                ("order[]", "createdAt"),
                ("order[]", "DESC"),
                ("useClause", "true"),
                ("searchFields[]", f"^({'|'.join(re.escape(name) for name in some)})$"),
                ("searchFields[]", "()"),
                ("searchFields[]", f"^{re.escape(_tag(run_id))}$"),
                ("operator", "AND"),
            ]
            answer = _read(self._call("GET", f"/evaluations?{urlencode(query)}"))
            for one in answer.get("evaluations") or () if isinstance(answer, dict) else ():
                found.add(str(one.get("filename")) if isinstance(one, dict) else "")
        return found & set(names)

    def _groups_field(self) -> str:
        """The numbers of the groups. The server would leave out a group that it does not know without a word.

        :raises ScanError: not_found, for a group that we are not in
        """
        if self._group_ids is None and self._groups and not self._api_key:
            answer = _read(self._call("GET", "/groups/my"))
            mine = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
            ids = {str(one.get("name")): str(one.get("id")) for one in mine}
            ids.update({number: number for number in list(ids.values())})
            for group in self._groups:
                if group not in ids:
                    raise ScanError(
                        "not_found",
                        f"we are in no group {group[:100]!r}",
                        tried="look up a group",
                        cause="",
                        advice=_GROUP,
                    )
            self._group_ids = ",".join(ids[group] for group in self._groups)
        return ",".join(self._groups) if self._group_ids is None else self._group_ids

    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpReply:
        """One request with our credential; who logs in does it again when the session is over (60 seconds by default)."""
        for attempt in range(2):
            if not self._authorization:
                self._log_in()
            try:
                own = {"Authorization": self._authorization, **(headers or {})}
                return self._http.send(method, path, headers=own, body=body, limit=_REPLY_BYTES)
            except HttpError as error:
                if error.status != 401 or self._api_key or attempt:
                    raise
                self._authorization = ""
        raise AssertionError  # the second attempt returns or raises

    def _log_in(self) -> None:
        body = json.dumps(self._login).encode("ascii")
        reply = self._http.send(
            "POST", "/authn/login", headers={"Content-Type": "application/json"}, body=body
        )
        answer = _read(reply)
        session = answer.get("accessToken") if isinstance(answer, dict) else None
        if not isinstance(session, str) or not session.isprintable() or not session.isascii():
            raise ScanError("bad_reply", "the server gave no accessToken", tried="log in to Heimdall")
        self.secrets = (*self.secrets, session)
        self._authorization = f"Bearer {session}"


_GROUP = "Name a group of GET /groups/my, or let its owner add this user."
_LOST = ErrorRecord(
    "SCAN-209",
    "server_error",
    "the server did not name the evaluation among those that it made",
    "POST /evaluations",
    "The server failed (5xx).",
    "Look at the server's log, then run again.",
)


def _name(item: Item) -> str:
    """The same for a container in each run."""
    return PurePosixPath(item.path).name


def _tag(run_id: str) -> str:
    return f"run:{run_id}"


def _portions(names: Sequence[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    for name in names:
        if portion and sum(len(one) for one in portion) + len(name) > _QUERY_CHARACTERS:
            yield portion
            portion = []
        portion.append(name)
    yield portion


def _read(reply: HttpReply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise ScanError("bad_reply", "the answer is not JSON", tried="read Heimdall's answer") from None


def _bad(option: str, why: str) -> ScanError:
    return ScanError("bad_option", why, tried=f"reading the option {option}")


HEIMDALL = SinkKind(
    "heimdall",
    {
        "groups": {"type": "list", "elements": "str"},
        "tags": {"type": "list", "elements": "str"},
        "public": {"type": "bool"},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS, *LOGIN_OPTIONS),
    Heimdall,
)
