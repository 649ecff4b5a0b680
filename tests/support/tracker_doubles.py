# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doubles of trackers that are not to be had: as much of their published REST APIs as tickets need, with login and limits."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .https_server import Answer, FakeHttpsServer, Received

TOKEN, NAME, PASSWORD = "tracker-token-1", "scanner", "scanner-password-1"
PAGE = 3


@dataclass
class Kept:
    """A ticket in a double."""

    number: int
    title: str
    body: str
    labels: tuple[str, ...] = ()
    is_open: bool = True
    comments: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


class TrackerDouble:
    """The tickets, and what all doubles do: refuse a wrong login, and answer 429 or cut the connection when a test wants that."""

    url_path = ""
    project = ""
    login: dict[str, str] = {"token": TOKEN}
    # The user has no right to set that by which a ticket is found again.
    drops_marks = False

    def __init__(self, server: FakeHttpsServer) -> None:
        self.tickets: list[Kept] = []
        self.faults: list[Answer] = []
        self.requests = 0
        self._server = server
        server.answer = self._answer

    @property
    def url(self) -> str:
        return self._server.url + self.url_path

    def _answer(self, request: Received) -> Answer:
        self.requests += 1
        if not self.knows(request.headers):
            return Answer(401, b'{"message":"Bad credentials"}')
        if self.faults:
            return self.faults.pop(0)
        parts = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = json.loads(request.body) if request.body else {}
        path = unquote(parts.path[len(self.url_path) :])
        for method, pattern, action in self.routes():
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                status, value = action(query, body, *found.groups())
                return Answer(status, b"" if value is None else json.dumps(value).encode())
        return Answer(404, b'{"message":"Not Found"}')

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        raise NotImplementedError

    def make(self, title: str, body: str, labels: list[str], **extra: Any) -> Kept:
        kept = Kept(len(self.tickets) + 1, title, body, tuple(labels), extra=extra)
        self.tickets.append(kept)
        return kept

    def labelled(self, label: str) -> list[Kept]:
        return [kept for kept in self.tickets if label in kept.labels]


class GitHubDouble(TrackerDouble):
    """Issues by https://docs.github.com/rest/issues, with pages of 100."""

    url_path = "/api/v3"
    project = "acme/security"

    def routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        issues = "/repos/acme/security/issues"
        return [
            ("GET", issues, self._list),
            ("POST", issues, self._create),
            ("PATCH", issues + r"/(\d+)", self._edit),
            ("POST", issues + r"/(\d+)/comments", self._comment),
        ]

    def _list(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        size, page = min(100, int(query["per_page"])), int(query["page"])
        assert query["state"] == "all"
        found = self.labelled(query["labels"])[(page - 1) * size : page * size]
        return 200, [
            {
                "number": one.number,
                "title": one.title,
                "body": one.body,
                "state": "open" if one.is_open else "closed",
            }
            for one in found
        ]

    def _create(self, _query: Any, body: Any) -> tuple[int, Any]:
        if not body.get("title") or len(body["title"]) > 256 or len(body["body"]) > 65536:
            return 422, {"message": "Validation Failed"}
        kept = self.make(body["title"], body["body"], [] if self.drops_marks else body["labels"])
        return 201, {"number": kept.number, "labels": [{"name": label} for label in kept.labels]}

    def _edit(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        kept = self.tickets[int(number) - 1]
        kept.title, kept.body = body.get("title", kept.title), body.get("body", kept.body)
        kept.is_open = body.get("state", "open" if kept.is_open else "closed") == "open"
        return 200, {"number": kept.number}

    def _comment(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        self.tickets[int(number) - 1].comments.append(body["body"])
        return 201, {"id": 1}


class GitLabDouble(TrackerDouble):
    """Issues by https://docs.gitlab.com/api/issues."""

    project = "platform/security"

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("private-token") == TOKEN

    def routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        issues = "/api/v4/projects/platform/security/issues"
        return [
            ("GET", issues, self._list),
            ("POST", issues, self._create),
            ("PUT", issues + r"/(\d+)", self._edit),
            ("POST", issues + r"/(\d+)/notes", self._comment),
        ]

    def _list(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        size, page = min(100, int(query["per_page"])), int(query["page"])
        found = self.labelled(query["labels"])[(page - 1) * size : page * size]
        return 200, [
            {"iid": one.number, "description": one.body, "state": "opened" if one.is_open else "closed"}
            for one in found
        ]

    def _create(self, _query: Any, body: Any) -> tuple[int, Any]:
        if not body.get("title") or len(body["title"]) > 255:
            return 400, {"message": {"title": ["is too long"]}}
        labels = [] if self.drops_marks else body["labels"].split(",")
        kept = self.make(body["title"], body["description"], labels)
        return 201, {"iid": kept.number, "labels": list(kept.labels)}

    def _edit(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        kept = self.tickets[int(number) - 1]
        kept.title, kept.body = body.get("title", kept.title), body.get("description", kept.body)
        kept.is_open = {"close": False, "reopen": True}.get(body.get("state_event"), kept.is_open)
        return 200, {"iid": kept.number}

    def _comment(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        self.tickets[int(number) - 1].comments.append(body["body"])
        return 201, {"id": 1}


class JiraDouble(TrackerDouble):
    """Issues by version 2 of the REST API; `is_cloud` has the other login and the other search."""

    project = "SEC"
    is_cloud = False

    def knows(self, headers: dict[str, str]) -> bool:
        return _basic(headers, TOKEN) if self.is_cloud else super().knows(headers)

    def routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        api = "/rest/api/2"
        issue = api + r"/issue/SEC-(\d+)"
        return [
            (
                "GET",
                api + "/serverInfo",
                lambda _q, _b: (200, {"deploymentType": "Cloud" if self.is_cloud else "Server"}),
            ),
            ("POST", api + ("/search/jql" if self.is_cloud else "/search"), self._search),
            ("POST", api + "/issue", self._create),
            ("PUT", issue, self._edit),
            ("POST", issue + "/comment", self._comment),
            ("GET", issue + "/transitions", self._transitions),
            ("POST", issue + "/transitions", self._move),
        ]

    def _search(self, _query: Any, body: Any) -> tuple[int, Any]:
        assert body["jql"] == 'project = "SEC" AND labels = "securescan" ORDER BY created ASC'
        start = int(body.get("nextPageToken") or body.get("startAt") or 0)
        found = self.labelled("securescan")
        issues = [
            {
                "key": f"SEC-{one.number}",
                "fields": {
                    "description": one.body,
                    "status": {"name": "x", "statusCategory": {"key": "new" if one.is_open else "done"}},
                },
            }
            for one in found[start : start + PAGE]
        ]
        page: dict[str, Any] = {"issues": issues}
        if not self.is_cloud:
            page.update(startAt=start, total=len(found))
        elif start + PAGE < len(found):
            page["nextPageToken"] = str(start + PAGE)
        return 200, page

    def _create(self, _query: Any, body: Any) -> tuple[int, Any]:
        fields = body["fields"]
        if "\n" in fields["summary"] or len(fields["summary"]) > 255 or len(fields["description"]) > 32767:
            return 400, {"errors": {"summary": "too long"}}
        return 201, {
            "key": f"SEC-{self.make(fields['summary'], fields['description'], fields['labels']).number}"
        }

    def _edit(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        kept, fields = self.tickets[int(number) - 1], body["fields"]
        kept.title, kept.body = fields.get("summary", kept.title), fields.get("description", kept.body)
        return 204, None

    def _comment(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        self.tickets[int(number) - 1].comments.append(body["body"])
        return 201, {"id": "1"}

    def _transitions(self, _query: Any, _body: Any, number: str) -> tuple[int, Any]:
        to = {"statusCategory": {"key": "done" if self.tickets[int(number) - 1].is_open else "new"}}
        stay = {"statusCategory": {"key": "indeterminate"}}
        return 200, {
            "transitions": [{"id": "11", "to": stay}, {"id": "31", "to": to}][
                :: 1 if self.tickets[int(number) - 1].is_open else -1
            ]
        }

    def _move(self, _query: Any, body: Any, number: str) -> tuple[int, Any]:
        kept = self.tickets[int(number) - 1]
        kept.is_open = not kept.is_open if body["transition"]["id"] == "31" else kept.is_open
        return 204, None


class JiraCloudDouble(JiraDouble):
    is_cloud = True
    login = {"username": NAME, "token": TOKEN}


class ServiceNowDouble(TrackerDouble):
    """Records by the Table API."""

    login = {"username": NAME, "password": PASSWORD}

    def knows(self, headers: dict[str, str]) -> bool:
        return _basic(headers, PASSWORD)

    def routes(self) -> list[tuple[str, str, Callable[..., tuple[int, Any]]]]:
        table = "/api/now/table/incident"
        return [
            ("GET", table, self._list),
            ("POST", table, self._create),
            ("PATCH", table + r"/([0-9a-f]{32})", self._edit),
        ]

    def _list(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        assert query["sysparm_query"] == "correlation_display=securescan^ORDERBYsys_created_on"
        start, size = int(query["sysparm_offset"]), int(query["sysparm_limit"])
        found = self.labelled("securescan")[start : start + size]
        return 200, {
            "result": [
                {
                    "sys_id": f"{one.number:032x}",
                    "correlation_id": one.extra["correlation_id"],
                    "active": "true",
                    "state": "1" if one.is_open else "6",
                }
                for one in found
            ]
        }

    def _create(self, _query: Any, body: Any) -> tuple[int, Any]:
        if (
            len(body["short_description"]) > 160
            or len(body["description"]) > 4000
            or len(body["correlation_id"]) > 100
        ):
            return 400, {"error": {"message": "too long"}}
        kept = self.make(
            body["short_description"], body["description"],
            [] if self.drops_marks else [body["correlation_display"]],
            correlation_id=body["correlation_id"], cmdb_ci=body.get("cmdb_ci", ""), impact=body["impact"],
        )  # fmt: skip
        record = {"sys_id": f"{kept.number:032x}", "correlation_id": kept.extra["correlation_id"]}
        return 201, {"result": {**record, "correlation_display": "".join(kept.labels)}}

    def _edit(self, _query: Any, body: Any, sys_id: str) -> tuple[int, Any]:
        kept = self.tickets[int(sys_id, 16) - 1]
        kept.title, kept.body = body.get("short_description", kept.title), body.get("description", kept.body)
        kept.extra["correlation_id"] = body.get("correlation_id", kept.extra["correlation_id"])
        if body.get("state") == "6":
            if not body.get("close_code") or not body.get("close_notes"):
                return 403, {"error": {"message": "Data Policy Exception"}}
            kept.is_open = False
            kept.comments.append(body["close_notes"])
        elif body.get("state") == "2":
            kept.is_open = True
            kept.comments.append(body["work_notes"])
        return 200, {"result": {}}


def _basic(headers: dict[str, str], secret: str) -> bool:
    return headers.get("authorization") == "Basic " + base64.b64encode(f"{NAME}:{secret}".encode()).decode()


DOUBLES = {
    "github": GitHubDouble,
    "gitlab": GitLabDouble,
    "jira": JiraDouble,
    "jira cloud": JiraCloudDouble,
    "servicenow": ServiceNowDouble,
}
