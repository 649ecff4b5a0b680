# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The webhook against a receiver of its own, as docs/sinks.md tells how to write one: TLS with a client certificate, and
signatures."""

from __future__ import annotations

import base64
import json
import pathlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.https_server import FakeHttpsServer
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    Faults,
    push,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.webhook_receiver import WebhookReceiver

KEY = b"of-the-receiver-and-us"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def server(authority: Authority) -> Iterator[FakeHttpsServer]:
    with FakeHttpsServer(authority, client_ca=True) as running:
        yield running


@pytest.fixture
def receiver(server: FakeHttpsServer) -> WebhookReceiver:
    receiver = WebhookReceiver(KEY)
    server.answer = receiver.answer
    return receiver


@pytest.fixture
def params(server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    own = authority.client("scanner")
    return {
        "system": "webhook",
        "url": server.url + "/scans",
        "ca_cert": str(authority.ca),
        "client_cert": str(own.certificate),
        "client_key": str(own.key),
        "signing_secret": SECRET,
    }


def test_each_finding_comes_signed_by_mutual_tls(
    tmp_path: pathlib.Path, server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = write_sample_run(tmp_path)
    result = push(**params, run_dir=run.folder)
    assert not result.get("failed") and result["delivered"] == len(receiver.items)
    assert {request.certificate for request in server.received} == {"scanner"}
    said = Counter(item["content"]["status"] for item in receiver.items.values())
    assert said.keys() >= {"passed", "failed", "not_reviewed", "not_applicable", "profile_error"}
    assert sum(said.values()) == result["queued"]
    assert len({item["content"]["fingerprint"] for item in receiver.items.values()}) == result["queued"]


def test_a_thousand_places_are_told_once_with_faults_and_a_kill(
    tmp_path: pathlib.Path, server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 1000)
    faults = Faults()
    server.answer = faults.around(receiver.answer)
    push_and_kill(
        {**params, "run_dir": run.folder, "batch_items": 50, "retries": 20},
        kill_when=lambda: len(receiver.items) >= 1000,
    )
    assert faults.count > 0
    marks = Counter(item["content"]["fingerprint"] for item in receiver.items.values())
    assert len(marks) == 3000 and set(marks.values()) == {1}
    server.answer = receiver.answer
    mended = wide_run(tmp_path, 1000, 1, failed=range(0, 500, 2))
    told = push(**params, run_dir=mended.folder, only_changed=True)
    assert told["delivered"] == 250, "half of the failures are mended"
    assert told["deliveries"][0]["activities"] == {"closed": 250}


def test_a_signature_by_another_secret_is_refused_and_all_is_kept(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 2)
    result = push(**{**params, "signing_secret": "another secret"}, run_dir=run.folder)
    assert (result["failed"], result["spooled"]) == (True, 6)
    assert "SCAN-205 not_permitted" in result["error"]["message"] and not receiver.items
    assert push(**params, run_dir=run.folder, state="flush")["delivered"] == 6


def test_without_our_certificate_the_server_is_not_reached(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    without = {name: value for name, value in params.items() if not name.startswith("client_")}
    result = push(**without, run_dir=wide_run(tmp_path, 1).folder, retries=0)
    assert result["spooled"] == 3 and not receiver.items


def test_a_fleet_run_goes_cluster_by_cluster_and_ends_when_the_system_is_down(
    tmp_path: pathlib.Path, server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    fleet_run = write_sample_fleet(tmp_path)
    runs = [run for run in fleet_run.runs() if run is not None]
    down = push(**{**params, "url": "https://127.0.0.1:1/scans"}, run_dir=fleet_run.folder, retries=0)
    assert down["requests"] == 1, "the other clusters would fail for the same reason"
    assert {one["cluster"] for one in down["deliveries"]} == {run.cluster for run in runs}
    up = push(**params, run_dir=fleet_run.folder)
    assert up["spooled"] == up["refused"] == 0
    assert {item["run_id"] for item in receiver.items.values()} == {run.run_id for run in runs}
    report = json.loads((pathlib.Path(runs[0].folder).parent / ".push" / "deliveries.json").read_bytes())
    assert {one["destination"].partition(" ")[0] for one in report["deliveries"]} == {
        server.url + "/scans",
        "https://127.0.0.1:1/scans",
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"signing_secret": "whsec_!"}, "must be Base64"),
        ({"url": None}, "url is needed"),
        ({"url": "http://127.0.0.1/"}, "not of the form https://"),
        ({"format": "nothere"}, "nothere"),
        ({"statuses": ["bad"]}, "'bad' is not one of"),
        ({"min_severity": "worst"}, "'worst' is not one of"),
        ({"batch_items": 0}, "batch_items is 0"),
        ({"product": "x"}, "webhook has no option product"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_touched(
    tmp_path: pathlib.Path, params: dict[str, Any], wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScanError, match=message):
        push(**{**params, **wrong}, run_dir=wide_run(tmp_path, 1).folder)
    assert not (tmp_path / "demo" / ".push").exists()
