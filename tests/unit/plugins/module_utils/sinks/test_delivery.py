# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is lost and nothing comes twice: faults, kill -9, a full disk, two pushes at once, a damaged outbox."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.push import scan_push_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.push import run_scan_push
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)
from ansible_collections.securescan.kubernetes.tests.support.pushes import (
    FAULTS,
    Faults,
    push,
    push_and_kill,
    wide_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import target
from ansible_collections.securescan.kubernetes.tests.support.webhook_receiver import WebhookReceiver

SECRET = "a-secret-of-the-receiver"
TOKEN = "sesame-4711-sesame"


@pytest.fixture
def receiver(https_server: FakeHttpsServer) -> WebhookReceiver:
    receiver = WebhookReceiver(SECRET.encode(), TOKEN)
    https_server.answer = receiver.answer
    return receiver


@pytest.fixture
def params(https_server: FakeHttpsServer, authority: Authority) -> dict[str, Any]:
    return {
        "system": "webhook",
        "url": https_server.url + "/hook",
        "token": TOKEN,
        "signing_secret": SECRET,
        "ca_cert": str(authority.ca),
        "content": "documents",
        "retries": 20,
    }


def test_documents_with_faults_and_a_kill_arrive_once(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 200)
    faults = Faults(share=0.25)
    https_server.answer = faults.around(receiver.answer)
    ended = push_and_kill(
        {**params, "run_dir": run.folder, "batch_items": 5}, kill_when=lambda: len(receiver.items) >= 80
    )
    assert ended.kills == 1
    assert {item["subject"] for item in receiver.items.values()} == {one.target_id for one in run.targets}
    assert len(receiver.items) == 200
    assert set(faults.happened) == set(FAULTS)
    assert receiver.repeated, "what came again was known by its key"
    last = ended.results[-1]
    assert (last["spooled"], last["refused"]) == (0, 0)
    again = push(**params, run_dir=run.folder)
    assert (again["changed"], again["queued"], again["requests"]) == (False, 0, 0)


def test_what_a_system_refuses_is_found_and_told_and_the_rest_arrives(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 64)

    def picky(request: Received) -> Answer:
        if b"/api7-1/" in request.body or b"/api40-1/" in request.body:
            return Answer(422, f"not this one, {TOKEN}".encode())
        return receiver.answer(request)

    https_server.answer = picky
    result = push(**params, run_dir=run.folder)
    assert result["failed"] and result["error"]["reason"] == "push_incomplete"
    assert (result["delivered"], result["refused"], result["spooled"]) == (62, 2, 0)
    (delivery,) = result["deliveries"]
    assert [one["subject"].split("/")[4] for one in delivery["refusals"]] == ["api40-1", "api7-1"]
    assert TOKEN not in json.dumps(result)
    assert "not this one, ***" in delivery["refusals"][0]["error"]["message"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "demo" / ".push").iterdir())
    assert TOKEN.encode() not in kept
    attack_ends_as("31-echo", outcome="the token is in no result, message or file")
    https_server.answer = receiver.answer
    again = push(**params, run_dir=run.folder)
    assert (again["delivered"], again["refused"], again.get("failed")) == (2, 0, None)


def test_a_secret_of_the_system_in_a_finding_is_not_sent(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    one = target("api-1")
    control = make_control("c-root", "failed")
    control.results[0] = dataclasses.replace(control.results[0], message=f"expected no token, found {TOKEN}")
    folder = write_run(tmp_path / "demo", "run-1", [(one, make_document(one, control))])
    push(**{**params, "content": "findings"}, run_dir=str(folder))
    (item,) = receiver.items.values()
    assert item["content"]["text"] == "expected no token, found ***"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "demo" / ".push").iterdir())
    assert TOKEN.encode() not in kept
    attack_ends_as("31-planted", outcome="asterisks in its place")


def test_a_system_that_is_down_gets_what_was_kept_first_and_in_order(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    first, second = wide_run(tmp_path, 3), wide_run(tmp_path, 3, 1)
    https_server.answer = lambda _request: Answer(503)
    down = push(**{**params, "retries": 0}, run_dir=first.folder)
    assert (down["failed"], down["spooled"], down["error"]["reason"]) == (True, 3, "push_incomplete")
    assert "SCAN-209 server_error: HTTP 503" in down["error"]["message"]
    https_server.answer = receiver.answer
    up = push(**params, run_dir=second.folder)
    assert (up["delivered"], up["queued"], up["spooled"]) == (6, 3, 0)
    assert [item["run_id"] for item in receiver.items.values()] == ["night-0"] * 3 + ["night-1"] * 3


def test_an_outbox_is_private_and_check_mode_makes_none(
    tmp_path: pathlib.Path, https_server: FakeHttpsServer, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    run = wide_run(tmp_path, 3)
    planned = push(check_mode=True, **params, run_dir=run.folder)
    assert (planned["changed"], planned["queued"], planned["requests"]) == (True, 3, 0)
    assert planned["diff"]["after"].count("created  demo/shop/Deployment/api0") == 1
    outboxes = tmp_path / "demo" / ".push"
    assert not https_server.received and not outboxes.exists()
    push(**params, run_dir=run.folder)
    assert {oct(path.stat().st_mode & 0o777) for path in outboxes.iterdir()} == {"0o600"}
    assert oct(outboxes.stat().st_mode & 0o777) == "0o700"
    content = b"".join(path.read_bytes() for path in outboxes.iterdir())
    assert TOKEN.encode() not in content and SECRET.encode() not in content
    assert push(check_mode=True, **params, run_dir=run.folder)["changed"] is False


def test_an_option_that_the_system_does_not_have_is_refused_by_name(
    tmp_path: pathlib.Path, params: dict[str, Any]
) -> None:
    with pytest.raises(ScanError, match="webhook has no option username"):
        push(**params, username="x", run_dir=str(tmp_path))


def test_a_damaged_outbox_of_one_cluster_keeps_no_other_one_from_being_sent(
    tmp_path: pathlib.Path, receiver: WebhookReceiver, params: dict[str, Any]
) -> None:
    fleet = write_sample_fleet(tmp_path)
    push(**params, run_dir=fleet.folder)
    everything = len(receiver.items)
    receiver.items.clear()
    for path in tmp_path.glob("*/.push/*.sqlite3"):
        if path.parts[-3] == "alpha":
            path.write_bytes(b"no outbox")
        else:
            path.unlink()
    result = push(**params, run_dir=fleet.folder)
    assert result["failed"] and "alpha: " in result["msg"] and "not a database" in result["msg"]
    assert 0 < len(receiver.items) == everything - 1


def test_a_certificate_that_is_not_verified_is_told(tmp_path: pathlib.Path, params: dict[str, Any]) -> None:
    run = wide_run(tmp_path, 1)
    given = {name: rule.get("default") for name, rule in scan_push_spec().items()}
    for verified in (True, False):
        context = TaskContext(check_mode=True, environ={})
        run_scan_push({**given, **params, "validate_certs": verified, "run_dir": run.folder}, context)
        told = (
            []
            if verified
            else [
                f"The certificate of {params['url']} (documents) is not verified (validate_certs is false)."
            ]
        )
        assert context.warnings == told
