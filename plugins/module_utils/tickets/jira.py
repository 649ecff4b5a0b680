# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issues of a project of Jira, by version 2 of its REST API: Data Center with a bearer token, Cloud with a name and a token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..errors import ScanError
from .ticket import Known, Ticket
from .tracker import (
    LABEL,
    Tracker,
    TrackerHttp,
    TrackerKind,
    TrackerOptions,
    bad_place,
    fields_of,
    login,
    made_id,
    objects,
)
from .wording import JIRA as JIRA_MARKUP

_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{1,50}")
_API = "/rest/api/2"
_PAGE = 100
_FIELDS = ["description", "status"]
_MOST_PAGES = 1000
_DONE = "done"


class Jira(Tracker):
    """`url` is that of the server: https://jira.example.com."""

    markup = JIRA_MARKUP
    limit = 30_000

    def __init__(self, options: TrackerOptions) -> None:
        if not _PROJECT.fullmatch(options.place):
            raise bad_place("jira", "the key of a project, such as SEC")
        http = options.http
        self._http = TrackerHttp(options, login(options), http.token, http.password)
        self._project, self._type = options.place, options.jira_issue_type
        self._labels = [LABEL, *options.labels]

    def known(self) -> Iterator[Known]:
        for issue in self._found():
            fields = fields_of(issue.get("fields"))
            found = self.markup.known(
                str(issue.get("key")), fields.get("description"), not _is_done(fields.get("status"))
            )
            if found:
                yield found

    def _found(self) -> Iterator[Mapping[str, Any]]:
        jql = f'project = "{self._project}" AND labels = "{LABEL}" ORDER BY created ASC'
        asked: dict[str, Any] = {"jql": jql, "fields": _FIELDS, "maxResults": _PAGE}
        is_cloud = fields_of(self._http.ask("GET", f"{_API}/serverInfo")).get("deploymentType") == "Cloud"
        path, start = f"{_API}/search{'/jql' if is_cloud else ''}", 0
        for _page in range(_MOST_PAGES):
            if not is_cloud:
                asked["startAt"] = start
            page = fields_of(self._http.ask("POST", path, asked))
            issues = objects(page.get("issues"), path)
            yield from issues
            start += len(issues)
            token, total = page.get("nextPageToken"), page.get("total")
            if is_cloud and isinstance(token, str) and token:
                asked["nextPageToken"] = token
            elif is_cloud or not issues or not isinstance(total, int) or start >= total:
                return
        raise ScanError("bad_reply", f"Jira has more than {_MOST_PAGES} pages of issues", tried="list issues")

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": self._type},
            "summary": title,
            "description": body,
            "labels": self._labels,
        }
        return made_id(self._http.ask("POST", f"{_API}/issue", {"fields": fields}), "key")

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        self._http.ask("PUT", self._path(known), {"fields": {"summary": title, "description": body}})

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        self._move(known, to_done=False)
        self._http.ask("PUT", self._path(known), {"fields": {"description": body}})
        self._comment(known, comment)

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        self._comment(known, comment)
        self._move(known, to_done=True)

    def _move(self, known: Known, to_done: bool) -> None:
        """By the first transition into a status of that kind. :raises ScanError: invalid_request, where there is none"""
        path = f"{self._path(known)}/transitions"
        for one in objects(fields_of(self._http.ask("GET", path)).get("transitions"), path):
            if _is_done(one.get("to")) == to_done:
                self._http.ask("POST", path, {"transition": {"id": str(one.get("id"))}})
                return
        raise ScanError(
            "invalid_request",
            f"no transition leads {known.id} to a status that is {'' if to_done else 'not '}done",
            tried=f"move {known.id}",
            cause="The project's workflow has none from there, or the user is not allowed to use it.",
            advice="Allow the transition to the user.",
        )

    def _comment(self, known: Known, text: str) -> None:
        self._http.ask("POST", f"{self._path(known)}/comment", {"body": text})

    def _path(self, known: Known) -> str:
        return f"{_API}/issue/{quote(known.id, safe='')}"


def _is_done(status: Any) -> bool:
    return fields_of(fields_of(status).get("statusCategory")).get("key") == _DONE


JIRA = TrackerKind("jira", "the key of the project", Jira)
