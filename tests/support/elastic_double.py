# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elasticsearch's `_bulk`, as far as its published contract goes: NDJSON, only `create`, 409 for an `_id` that is there, errors
for single documents, 413 for a body that is too large. The heavy suite has OpenSearch itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .https_server import Answer, Received

API_KEY = "aWQ6c2VjcmV0LWFwaS1rZXk="


@dataclass
class ElasticDouble:
    """Answers for a FakeHttpsServer. `documents` by index and `_id`; the next `busy` documents are answered with 429."""

    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refuse: frozenset[str] = frozenset()
    busy: int = 0
    max_body: int = 100_000_000

    def __call__(self, request: Received) -> Answer:
        if request.headers.get("authorization") != f"ApiKey {API_KEY}":
            return Answer(401, b'{"error":{"type":"security_exception","reason":"missing credentials"}}')
        if (request.method, request.path.partition("?")[0]) != ("POST", "/_bulk"):
            return Answer(404)
        if request.headers.get("content-type") != "application/x-ndjson" or not request.body.endswith(b"\n"):
            return Answer(400, b'{"error":{"type":"illegal_argument_exception"}}')
        if len(request.body) > self.max_body:
            return Answer(413)
        lines = request.body.splitlines()
        items = [
            {"create": self._create(json.loads(action)["create"], json.loads(document))}
            for action, document in zip(lines[::2], lines[1::2])
        ]
        errors = any("error" in item["create"] for item in items)
        return Answer(body=json.dumps({"errors": errors, "items": items}).encode())

    def _create(self, action: dict[str, str], document: dict[str, Any]) -> dict[str, Any]:
        index, mark = action["_index"], action["_id"]
        if self.busy:
            self.busy -= 1
            return _failed(mark, 429, "es_rejected_execution_exception")
        if (index, mark) in self.documents:
            return _failed(mark, 409, "version_conflict_engine_exception")
        if mark in self.refuse or "@timestamp" not in document:
            return _failed(mark, 400, "document_parsing_exception")
        self.documents[index, mark] = document
        return {"_id": mark, "status": 201}


def _failed(mark: str, status: int, kind: str) -> dict[str, Any]:
    return {"_id": mark, "status": status, "error": {"type": kind, "reason": f"[{mark}]: {kind}"}}
