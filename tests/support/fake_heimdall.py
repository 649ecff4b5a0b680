# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Heimdall server as far as pushes need it, with its traps: no de-duplication, sessions of a minute, at most 100 files,
names from the files only where there are several, groups that are left out without a word, a search that fails without its
order."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received

API_KEY = "heimdall-api-key-0815"
EMAIL, PASSWORD = "scanner@example.com", "Correct-Horse-Battery-9"
_MOST_FILES = 100


@dataclass
class FakeHeimdall:
    """:ivar evaluations: what is there, in order, with file name, tags, groups and document
    :ivar groups: those of the user, name -> number
    :ivar session_seconds: how long a login holds
    """

    evaluations: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=lambda: {"shop": 3})
    session_seconds: float = 60.0
    logins: int = 0
    most_bytes: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, float] = {}

    def answer(self, request: Received) -> Answer:
        path = urlsplit(request.path).path
        if path == "/authn/login":
            return self._log_in(request)
        said = request.headers.get("authorization", "")
        is_key = said == f"Api-Key {API_KEY}"
        if not is_key and self._sessions.get(said.removeprefix("Bearer "), 0) < time.monotonic():
            return _said(401, {"statusCode": 401, "message": "Unauthorized"})
        if path == "/groups/my":
            if is_key:
                return _said(401, {"message": "Unauthorized"})
            return _said(200, [{"id": str(number), "name": name} for name, number in self.groups.items()])
        if path != "/evaluations":
            return _said(404, {})
        return self._made(request) if request.method == "POST" else self._found(request)

    def _log_in(self, request: Received) -> Answer:
        self.logins += 1
        if self.logins > 20:
            return _said(429, {"message": "Too many requests"})
        if json.loads(request.body) != {"email": EMAIL, "password": PASSWORD}:
            return _said(401, {"message": "Incorrect Username or Password"})
        session = f"session-of-the-server-{self.logins}"
        self._sessions[session] = time.monotonic() + self.session_seconds
        return _said(201, {"userID": "1", "accessToken": session})

    def _made(self, request: Received) -> Answer:
        self.most_bytes = max(self.most_bytes, len(request.body))
        fields, files = form_parts(request)
        if len(files) > _MOST_FILES:
            return _said(400, {"message": "Too many files"})
        if "filename" not in fields or fields.get("public") not in ("true", "false"):
            return _said(400, {"message": ["public must be a boolean string"]})
        known = {str(number) for number in self.groups.values()}
        asked = [one for one in fields.get("groups", "").split(",") if one]
        if not all(one.isdigit() for one in asked):
            return _said(500, {"message": "Internal server error"})
        made = []
        with self._lock:
            for name, content in files:
                one = {
                    "id": str(len(self.evaluations) + 1),
                    "filename": name if len(files) > 1 else fields["filename"],
                    "evaluationTags": [
                        {"value": tag} for tag in fields.get("evaluationTags", "").split(",") if tag
                    ],
                    "groups": [],
                }
                self.evaluations.append(
                    {**one, "groups": [g for g in asked if g in known], "data": json.loads(content)}
                )
                made.append(one)
        return _said(201, made[0] if len(made) == 1 else made)

    def _found(self, request: Received) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        if not all(name in query for name in ("offset", "limit", "order[]")):
            return _said(500, {"message": "Internal server error"})
        name, _group, tag = query["searchFields[]"]
        found = [
            {key: value for key, value in one.items() if key != "data"}
            for one in self.evaluations
            if re.search(name, one["filename"], re.IGNORECASE)
            and any(re.search(tag, each["value"], re.IGNORECASE) for each in one["evaluationTags"])
        ]
        return _said(200, {"evaluations": found[: int(query["limit"][0])], "totalCount": len(found)})


def form_parts(request: Received) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """The fields and the files (name, content) of a form."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    fields, files = {}, []
    for part in message.iter_parts():
        name, content = part.get_filename(), part.get_payload(decode=True)
        if name is None:
            fields[part.get_param("name", header="content-disposition")] = content.decode()
        else:
            files.append((name, content))
    return fields, files


def _said(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
