# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issues of a project of GitLab, by its REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from .ticket import Known, Ticket
from .tracker import (
    LABEL,
    Tracker,
    TrackerHttp,
    TrackerKind,
    TrackerOptions,
    bad_place,
    check_kept,
    fields_of,
    made_id,
)
from .wording import MARKDOWN

_PROJECT = re.compile(r"[0-9]{1,12}|[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
_PAGE = 100


class GitLab(Tracker):
    """`url` is that of the server: https://gitlab.example.com."""

    markup = MARKDOWN
    limit = 60_000

    def __init__(self, options: TrackerOptions) -> None:
        if not _PROJECT.fullmatch(options.place):
            raise bad_place("gitlab", "its number, or group/project")
        token = options.http.needed("token")
        self._http = TrackerHttp(options, {"PRIVATE-TOKEN": token}, token)
        self._issues = f"/api/v4/projects/{quote(options.place, safe='')}/issues"
        self._labels = ",".join([LABEL, *options.labels])

    def known(self) -> Iterator[Known]:
        listed = (
            f"{self._issues}?labels={LABEL}&scope=all&per_page={_PAGE}&order_by=created_at&sort=asc&page="
        )
        for issue in self._http.pages(lambda number: f"{listed}{number}", _PAGE):
            is_open = issue.get("state") == "opened"
            found = self.markup.known(str(issue.get("iid")), issue.get("description"), is_open)
            if found:
                yield found

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        value = {"title": title, "description": body, "labels": self._labels}
        answer = self._http.ask("POST", self._issues, value)
        made, labels = made_id(answer, "iid"), fields_of(answer).get("labels")
        is_kept = isinstance(labels, list) and LABEL in labels
        check_kept(is_kept, made, f"its label {LABEL}", "Give the user the role Reporter.")
        return made

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        self._http.ask("PUT", f"{self._issues}/{known.id}", {"title": title, "description": body})

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        self._http.ask("PUT", f"{self._issues}/{known.id}", {"state_event": "reopen", "description": body})
        self._comment(known, comment)

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        self._comment(known, comment)
        self._http.ask("PUT", f"{self._issues}/{known.id}", {"state_event": "close"})

    def _comment(self, known: Known, text: str) -> None:
        self._http.ask("POST", f"{self._issues}/{known.id}/notes", {"body": text})


GITLAB = TrackerKind("gitlab", "the project, as its number or group/name", GitLab)
