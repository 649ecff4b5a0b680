# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import of DefectDojo as far as pushes need it: reports of SARIF are imported again into the same test. Findings are
known by their fingerprints, only results of the kind fail are taken, and old ones are closed where that is asked for."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.fake_heimdall import form_parts
from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received

TOKEN = "defectdojo-token-0815"
_NEEDED = ("scan_type", "product_type_name", "product_name", "engagement_name", "test_title")


@dataclass
class FakeDefectDojo:
    """:ivar tests: (product, engagement, title) -> {fingerprint: is active}
    :ivar forms: the fields of each import
    """

    tests: dict[tuple[str, ...], dict[str, bool]] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def active(self) -> set[str]:
        return {mark for test in self.tests.values() for mark, is_active in test.items() if is_active}

    def answer(self, request: Received) -> Answer:
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return _said(403, {"detail": "Invalid token."})
        if (request.method, request.path) != ("POST", "/api/v2/reimport-scan/"):
            return _said(404, {"detail": "Not found."})
        fields, files = form_parts(request)
        if not all(fields.get(name) for name in _NEEDED) or fields["scan_type"] != "SARIF" or len(files) != 1:
            return _said(400, {"detail": "a field is missing"})
        marks = set()
        for run in json.loads(files[0][1])["runs"]:
            for result in run["results"]:
                if result.get("kind", "fail") == "fail":
                    marks.add(json.dumps(result["partialFingerprints"], sort_keys=True))
        with self._lock:
            self.forms.append(fields)
            test = self.tests.setdefault(tuple(fields[name] for name in _NEEDED[2:]), {})
            if fields.get("close_old_findings") == "true":
                test.update({mark: False for mark in test if mark not in marks})
            test.update(dict.fromkeys(marks, True))
        return _said(201, {"test_id": 1})


def _said(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
