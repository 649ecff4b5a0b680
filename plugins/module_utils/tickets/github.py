# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issues of a repository of GitHub, by its REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator

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

_REPOSITORY = re.compile(r"[A-Za-z0-9-]{1,100}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_PAGE = 100


class GitHub(Tracker):
    """`url` is that of the API: https://api.github.com, or https://HOST/api/v3."""

    markup = MARKDOWN
    limit = 60_000

    def __init__(self, options: TrackerOptions) -> None:
        if not _REPOSITORY.fullmatch(options.place):
            raise bad_place("github", "owner/repository")
        token = options.http.needed("token")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._http = TrackerHttp(options, headers, token)
        self._issues = f"/repos/{options.place}/issues"
        self._labels = [LABEL, *options.labels]

    def known(self) -> Iterator[Known]:
        listed = f"{self._issues}?labels={LABEL}&state=all&per_page={_PAGE}&sort=created&direction=asc&page="
        for issue in self._http.pages(lambda number: f"{listed}{number}", _PAGE):
            if "pull_request" not in issue:
                found = self.markup.known(
                    str(issue.get("number")), issue.get("body"), issue.get("state") == "open"
                )
                if found:
                    yield found

    def create(self, ticket: Ticket, title: str, body: str) -> str:
        value = {"title": title, "body": body, "labels": self._labels}
        answer = self._http.ask("POST", self._issues, value)
        made, labels = made_id(answer, "number"), fields_of(answer).get("labels")
        names = [fields_of(one).get("name") for one in labels] if isinstance(labels, list) else []
        check_kept(LABEL in names, made, f"its label {LABEL}", "Let the user write to the repository.")
        return made

    def update(self, known: Known, ticket: Ticket, title: str, body: str) -> None:
        self._http.ask("PATCH", f"{self._issues}/{known.id}", {"title": title, "body": body})

    def reopen(self, known: Known, ticket: Ticket, body: str, comment: str) -> None:
        value = {"state": "open", "state_reason": "reopened", "body": body}
        self._http.ask("PATCH", f"{self._issues}/{known.id}", value)
        self._comment(known, comment)

    def close(self, known: Known, ticket: Ticket | None, comment: str) -> None:
        self._comment(known, comment)
        self._http.ask(
            "PATCH", f"{self._issues}/{known.id}", {"state": "closed", "state_reason": "completed"}
        )

    def _comment(self, known: Known, text: str) -> None:
        self._http.ask("POST", f"{self._issues}/{known.id}/comments", {"body": text})


GITHUB = TrackerKind("github", "the repository, as owner/name", GitHub)
