# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that are tried with a scanner's token, and what the API server answers."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import (
    request_token,
    wait_until_effective,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient

PODS, SHOP = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop"
EXEC = "/exec?container=%s&command=id&stdout=true"
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "c2VjdXJlc2Nhbi10ZXN0cw==",
    "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
}
JSON, MERGE = {"Content-Type": "application/json"}, {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}


def made(version, kind, name="attempt", **content):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}


@dataclass(frozen=True)
class Attempt:
    what: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    at: str = "api"


class Scanner:
    """A scan's token and the means to try it, with or without politeness."""

    def __init__(self, cluster, connection, grantor, run_id, pods, *, approach="exec"):
        self.cluster = cluster
        self.grantor, self.run_id, self.pods = grantor, run_id, pods
        self.api = connection.endpoint.host, connection.endpoint.port
        self.kubelet = ("127.0.0.1", cluster.made_here.state.ports["kubelet"]) if cluster.made_here else None
        other = cluster.get("pods", "-n", "shop", "-l", "app.kubernetes.io/name=legacy")["items"][0]
        self.names = {
            "pod": pods[0].name,
            "other": other["metadata"]["name"],
            "account": "securescan-" + run_id,
            "node": other["spec"]["nodeName"],
        }
        self.token = self.new_token()
        wait_until_effective(
            RestClient(connection.with_bearer_token(self.token)), Grant("shop", pods, approach)
        )

    def new_token(self):
        return request_token(self.grantor, self.run_id, "shop", 600).value

    def filled(self, text):
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def send(self, attempt, token=None):
        """Status and body of the answer."""
        host, port = self.api if attempt.at == "api" else self.kubelet
        # who serves is not in question here; the kubelet's certificate is for its node's name
        client = http.client.HTTPSConnection(host, port, timeout=60, context=ssl._create_unverified_context())
        body = None if attempt.body is None else self.filled(json.dumps(attempt.body))
        try:
            client.request(
                attempt.method,
                self.filled(attempt.path),
                body,
                {"Authorization": "Bearer " + (token or self.token), **attempt.headers},
            )
            answer = client.getresponse()
            content = b"" if answer.status == 101 else answer.read(100_000)
            return answer.status, content.decode("utf-8", "replace")
        finally:
            client.close()


def row(attempt, status):
    return attempt.what, request(attempt), word(status)


def request(attempt):
    headers = [
        f"{name}: {value}" for name, value in attempt.headers.items() if name.startswith("Impersonate")
    ]
    where = "kubelet: " if attempt.at == "kubelet" else ""
    return "{}{} {}".format(where, attempt.method, " ".join([attempt.path, *headers]))


def word(status):
    return f"{status} {http.client.responses[status]}"
