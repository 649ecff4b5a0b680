# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans on request by the real ansible-rulebook: a signed POST and an alert of a real Alertmanager, on the real cluster.

The rulebooks of the other sources are in tests/real/test_rulebooks.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.cluster import debian_packages
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.rulebook_process import (
    CLUSTER,
    SECONDS,
    RequestFolder,
    rulebook,
    rulebook_version,
)
from ansible_collections.securescan.kubernetes.tests.support.served_program import listens, served
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

SECRET, TOKEN = "a-signing-secret-of-tests", "a-bearer-token-of-tests"


class Door:
    """Where the rulebook listens."""

    def __init__(self, port: int, requests: RequestFolder) -> None:
        self.port, self.requests = port, requests

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=body or None, headers=dict(headers)
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, wish: Any, name: str = "message-1", secret: str = SECRET) -> tuple[int, dict[str, Any]]:
        """As a sender does that signs by Standard Webhooks."""
        body, now = json.dumps(wish).encode(), str(int(time.time()))
        digest = hmac.new(secret.encode(), f"{name}.{now}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return self.ask(
            "POST",
            "/requests",
            {"webhook-id": name, "webhook-timestamp": now, "webhook-signature": signature},
            body,
        )

    def state(self, run_id: str) -> dict[str, Any]:
        status, body = self.ask("GET", f"/requests/{run_id}", {"Authorization": f"Bearer {TOKEN}"})
        assert status == 200, body
        return body


@pytest.fixture(scope="module")
def door(operator_kubeconfig, tmp_path_factory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("events")
    requests = RequestFolder(folder / "own")
    for name, text in (("secret", SECRET), ("token", TOKEN)):
        (requests.folder / name).write_text(text + "\n")
        (requests.folder / name).chmod(0o600)
    port = free_port()
    given = {
        "request_clusters": [CLUSTER],
        "request_port": port,
        "request_signing_secret_file": str(requests.folder / "secret"),
        "request_token_file": str(requests.folder / "token"),
    }
    with rulebook("request", requests, operator_kubeconfig, **given) as process:
        wait_until(lambda: listens(port) or process.poll() is not None, "the rulebook listens", SECONDS)
        assert process.poll() is None
        yield Door(port, requests)


def test_a_signed_request_is_answered_with_the_run_id_of_its_scan(door: Door, cluster) -> None:
    wish = {"cluster": CLUSTER, "namespaces": ["shop"], "workloads": ["Deployment/api"], "revision": "12"}
    status, told = door.post(wish)
    assert (status, told["state"], told["cluster"]) == (202, "queued", CLUSTER), told
    # sent again, because the sender has seen no answer
    assert door.post(wish)[1]["run_id"] == told["run_id"]

    wait_until(lambda: door.state(told["run_id"])["state"] == "ended", "the scan has ended", SECONDS)
    ended = door.state(told["run_id"])
    assert ended["outcome"] in ("passed", "failed"), ended
    (request,) = door.requests.in_state("ended")
    summary = door.requests.run_of(request)
    assert {target["workload"] for target in summary["targets"]} == {"api"}
    assert left(cluster) == ""
    shown(
        "ansible-rulebook",
        rulebook_version(),
        "a signed request becomes the run that it was told",
        SECTIONS[1],
    )


@pytest.mark.parametrize(
    ("wish", "how", "status"),
    [
        ({"cluster": CLUSTER, "namespaces": ["shop"]}, {"secret": "another-secret-of-tests"}, 401),
        ({"cluster": "prod-us", "namespaces": ["shop"]}, {}, 403),
        ({"cluster": CLUSTER, "namespaces": ["{{ lookup('pipe', 'id') }}"]}, {}, 400),
        ({"cluster": CLUSTER, "namespaces": ["shop"], "scan_approach": "debug"}, {}, 400),
        ({"cluster": CLUSTER}, {}, 400),
        ([], {}, 400),
    ],
)
def test_what_is_refused_asks_for_nothing(door: Door, wish, how, status) -> None:
    before = len(door.requests.in_state("queued")) + len(door.requests.in_state("ended"))
    answer = door.post(wish, name=f"refused-{status}", **how)
    assert answer[0] == status, answer
    assert len(door.requests.in_state("queued")) + len(door.requests.in_state("ended")) == before
    attack_ends_as("32-how", outcome="refused, and nothing is queued")


def test_an_alert_of_a_real_alertmanager_asks_for_a_scan(door: Door, tmp_path: pathlib.Path) -> None:
    """As docs/events.md configures it, but that this one has no certificate: both are on the loopback address."""
    before = len(door.requests.in_state("ended"))
    token = tmp_path / "token"
    token.write_text(TOKEN)
    receiver = {
        "name": "securescan",
        "webhook_configs": [
            {
                "url": f"http://127.0.0.1:{door.port}/alerts",
                "send_resolved": False,
                "http_config": {"authorization": {"credentials_file": str(token)}},
            }
        ],
    }
    route = {"receiver": "securescan", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1m"}
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump({"route": route, "receivers": [receiver]}))
    debian_packages.ensure(["prometheus-alertmanager"])
    port = free_port()
    command = [
        "prometheus-alertmanager",
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    labels = ("alertname=Drift", "securescan=scan", f"cluster={CLUSTER}", "namespace=shop", "pod=duo")
    with served(command, port, tmp_path / "log"):
        subprocess.run(
            ["amtool", f"--alertmanager.url=http://127.0.0.1:{port}", "alert", "add", *labels],
            check=True,
        )
        ended = door.requests.ended(before + 1)[-1]
    summary = door.requests.run_of(ended)
    assert {(target["namespace"], target["pod"]) for target in summary["targets"]} == {("shop", "duo")}
    version = subprocess.run(
        ["prometheus-alertmanager", "--version"], check=True, capture_output=True, text=True
    )
    said = version.stdout + version.stderr
    shown(
        "Alertmanager",
        said.split("version ")[1].split()[0],
        "an alert becomes a scan of its pod",
        SECTIONS[1],
    )
