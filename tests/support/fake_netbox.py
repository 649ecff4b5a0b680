# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBox's REST API as far as the sink needs it: tokens, custom fields by type of object, ETag and If-Match, a journal."""

from __future__ import annotations

import json
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received

TOKEN = "netbox-token-0123456789abcdef0123456789abcdef"
VIRTUAL_MACHINES = "/api/virtualization/virtual-machines/"
TYPE = "virtualization.virtualmachine"


@dataclass
class FakeNetBox:
    """:ivar objects: the virtual machines: id -> name and the values of custom fields
    :ivar fields: the custom fields, name -> type
    :ivar changes: how often an object was written
    :ivar may_make_fields: whether the token may make custom fields
    """

    objects: dict[int, dict[str, Any]] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    journal: list[dict[str, Any]] = field(default_factory=list)
    changes: int = 0
    may_make_fields: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[int, int] = {}

    def add(self, *names: str) -> None:
        for name in names:
            self.objects[len(self.objects) + 1] = {"name": name, "values": {}}

    def values(self, name: str) -> dict[str, Any]:
        return next(one["values"] for one in self.objects.values() if one["name"] == name)

    def touch(self, number: int) -> None:
        """As somebody else who writes to the object."""
        self._versions[number] = self._versions.get(number, 0) + 1

    def answer(self, request: Received) -> Answer:
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return _said(403, {"detail": "Invalid token"})
        path, _mark, query = request.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        body = json.loads(request.body) if request.body else {}
        with self._lock:
            if path.startswith(VIRTUAL_MACHINES):
                return self._machines(request, path[len(VIRTUAL_MACHINES) :].strip("/"), asked, body)
            if path == "/api/extras/journal-entries/":
                return self._entries(request.method, asked, body)
            if path == "/api/extras/custom-fields/":
                return self._custom_fields(request.method, asked, body)
        return _said(404, {"detail": "Not found."})

    def _machines(self, request: Received, number: str, asked: dict[str, str], body: Any) -> Answer:
        if not number:
            found = [
                {"id": one, "name": value["name"]}
                for one, value in self.objects.items()
                if value["name"] == asked.get("name")
            ]
            return _said(200, {"count": len(found), "results": found[: int(asked["limit"])]})
        machine = self.objects.get(int(number))
        if machine is None:
            return _said(404, {"detail": "Not found."})
        tag = f'W/"{self._versions.get(int(number), 0)}"'
        if request.method == "PATCH":
            if request.headers.get("if-match", tag) != tag:
                return _said(412, {"detail": "Precondition failed."})
            unknown = set(body["custom_fields"]) - set(self.fields)
            if unknown or set(body) != {"custom_fields"}:
                return _said(400, {"custom_fields": [f"unknown: {sorted(unknown)}"]})
            for name, value in body["custom_fields"].items():
                if value is not None and not isinstance(value, _PYTHON[self.fields[name]]):
                    return _said(400, {"custom_fields": [f"{name} has another type"]})
            machine["values"].update(body["custom_fields"])
            self.touch(int(number))
            self.changes += 1
        values = {name: machine["values"].get(name) for name in self.fields}
        return _said(
            200, {"id": int(number), "name": machine["name"], "custom_fields": values}, {"ETag": tag}
        )

    def _entries(self, method: str, asked: dict[str, str], body: Any) -> Answer:
        if method == "POST":
            if body["assigned_object_type"] != TYPE or body["assigned_object_id"] not in self.objects:
                return _said(400, {"non_field_errors": ["Invalid assigned_object"]})
            if body["kind"] not in ("info", "success", "warning", "danger") or not body["comments"]:
                return _said(400, {"kind": ["not a choice"]})
            self.journal.append(body)
            return _said(201, body)
        found = [
            one
            for one in self.journal
            if str(one["assigned_object_id"]) == asked["assigned_object_id"] and asked["q"] in one["comments"]
        ]
        return _said(200, {"count": len(found), "results": found})

    def _custom_fields(self, method: str, asked: dict[str, str], body: Any) -> Answer:
        if not self.may_make_fields:
            return _said(403, {"detail": "You do not have permission to perform this action."})
        if method == "POST":
            if body["object_types"] != [TYPE] or body["type"] not in _PYTHON:
                return _said(400, {"type": ["not a choice"]})
            self.fields[body["name"]] = body["type"]
            return _said(201, body)
        return _said(200, {"count": 0, "results": []})


_PYTHON = {"text": str, "integer": int, "datetime": str, "json": dict}


def _said(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})
