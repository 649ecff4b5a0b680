# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container-scan-results of eMASS: client certificate, API key and user id are asked for; a container that breaks the
schema is refused by itself; what is sent again changes nothing."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received

API_KEY, USER = "emass-api-key-0815", "scanner.nightly"
PATH = "/api/systems/35/container-scan-results"
_STATUSES = {"Pass", "Fail", "Other", "Not Reviewed", "Not Checked", "Not Applicable"}


@dataclass
class FakeEmass:
    """:ivar containers: what is there, by id
    :ivar certificate: the common name that the client's certificate must have
    """

    certificate: str = "scanner"
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def answer(self, request: Received) -> Answer:
        if request.certificate != self.certificate:
            return _said(403, {"meta": {"code": 403, "errorMessage": "no certificate"}})
        if (request.headers.get("api-key"), request.headers.get("user-uid")) != (API_KEY, USER):
            return _said(401, {"meta": {"code": 401, "errorMessage": "unknown key"}})
        if (request.method, request.path) != ("POST", PATH):
            return _said(404, {"meta": {"code": 404}})
        given = json.loads(request.body)
        if not isinstance(given, list) or not given:
            return _said(400, {"meta": {"code": 400}})
        data = []
        for one in given:
            why = _wrong(one)
            if not why:
                with self._lock:
                    self.containers[one["containerId"]] = one
                    self.times += 1
            data.append(
                {
                    "containerId": one.get("containerId"),
                    "success": not why,
                    **({"errors": [why]} if why else {}),
                }
            )
        return _said(200, {"meta": {"code": 200}, "data": data})


def _wrong(one: Any) -> str:
    """Why the container breaks the schema; empty where it does not."""
    if not all(
        isinstance(one.get(name), kind)
        for name, kind in (("containerId", str), ("containerName", str), ("time", int))
    ):
        return "a required field is missing"
    for benchmark in one.get("benchmarks") or [{}]:
        if not isinstance(benchmark.get("benchmark"), str) or not benchmark.get("results"):
            return "a benchmark has no name or no results"
        for result in benchmark["results"]:
            if (
                result.get("status") not in _STATUSES
                or not result.get("ruleId")
                or not isinstance(result.get("lastSeen"), int)
            ):
                return f"a result is wrong: {result}"
    unknown = set(one) - {
        "containerId",
        "containerName",
        "time",
        "podName",
        "podIp",
        "namespace",
        "tags",
        "benchmarks",
    }
    return f"unknown fields {unknown}" if unknown else ""


def _said(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
