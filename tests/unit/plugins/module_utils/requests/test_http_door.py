# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the door for requests over HTTP answers, and what it lets in."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests import request_queue
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.allowed import AllowedRequests
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.http_door import Answer, HttpDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request_queue import RequestQueue
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.signature import (
    sign,
    signing_key,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

KEY = b"of-the-sender-and-the-door"
TOKEN = "the-token-of-the-alertmanager"
NOW = 1_795_000_000
BODY = json.dumps({"cluster": "prod", "namespaces": ["shop"]}).encode()
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def door(tmp_path: pathlib.Path) -> HttpDoor:
    queue = RequestQueue(tmp_path / "queue", lambda: float(NOW))
    queue.create()
    return HttpDoor(queue, AllowedRequests(("prod",)), "web", (KEY,), TOKEN, lambda: float(NOW))


def post(
    door: HttpDoor, body: bytes = BODY, message: str = "m-1", moment: int = NOW, key: bytes = KEY
) -> Answer:
    return door.answer("POST", "/requests", sign(key, message, moment, body), body)


def alert(**labels: str) -> dict[str, Any]:
    return {
        "version": "4",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "fingerprint": "f1",
                "startsAt": "2026-11-23T10:00:00.000Z",
            },
            {
                "status": "resolved",
                "labels": labels,
                "fingerprint": "f2",
                "startsAt": "2026-11-23T10:00:00.000Z",
            },
        ],
    }


def test_a_signed_request_is_answered_with_its_run_id_once_it_is_on_the_disk(door: HttpDoor) -> None:
    answer = post(door)

    assert answer.status == 202
    (queued,) = door.queue.in_state("queued")
    assert answer.body == {"run_id": queued.request_id, "state": "queued", "cluster": "prod"}
    assert [one.request_id for one in answer.queued] == [queued.request_id]


def test_the_same_message_again_gets_the_same_run_id_and_is_told_to_no_rule(door: HttpDoor) -> None:
    first, again = post(door), post(door)

    assert first.body == again.body
    assert again.queued == []


@pytest.mark.parametrize(
    ("message", "moment", "key"),
    [
        ("m-1", NOW, b"another-key-of-somebody"),
        ("m-1", NOW - 301, KEY),
        ("m-1", NOW + 301, KEY),
        ("m 1", NOW, KEY),
        ("", NOW, KEY),
    ],
)
def test_who_is_not_known_gets_in_with_nothing(door: HttpDoor, message: str, moment: int, key: bytes) -> None:
    answer = post(door, message=message, moment=moment, key=key)

    assert answer.status == 401
    assert door.queue.in_state("queued") == []
    attack_ends_as("32-forged", outcome="401, and nothing is queued")


def test_a_body_that_was_changed_on_the_way_is_refused(door: HttpDoor) -> None:
    headers = sign(KEY, "m-1", NOW, BODY)

    assert door.answer("POST", "/requests", headers, BODY.replace(b"shop", b"bank")).status == 401


def test_while_a_key_is_changed_both_open_the_door(door: HttpDoor) -> None:
    new = b"the-key-that-comes-next"
    both = HttpDoor(door.queue, door.allowed, "web", (KEY, new), TOKEN, door.now)

    assert [post(both, key=key).status for key in (KEY, new)] == [202, 202]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"cluster": "prod"}', 400),
        (b'{"cluster": "lab", "namespaces": ["shop"]}', 403),
        (b"x" * (64 * 1024 + 1), 413),
    ],
)
def test_each_refusal_has_its_status(door: HttpDoor, body: bytes, status: int) -> None:
    assert post(door, body).status == status


def test_a_full_queue_asks_to_come_again(door: HttpDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "MOST_QUEUED", 0)
    answer = post(door)

    assert (answer.status, answer.headers) == (503, {"Retry-After": "60"})


def test_alerts_before_the_one_for_which_there_is_no_room_are_told(
    door: HttpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_queue, "MOST_QUEUED", 1)
    message = alert(securescan="scan", cluster="prod", namespace="shop")
    first = message["alerts"][0]
    second = {**first, "fingerprint": "f2", "labels": {**first["labels"], "namespace": "shop-2"}}
    message["alerts"] = [first, second]
    answer = door.answer("POST", "/alerts", BEARER, json.dumps(message).encode())

    assert (answer.status, len(answer.queued)) == (503, 1)
    assert door.queue.in_state("queued") == list(answer.queued)


def test_what_is_wrong_on_the_disk_is_not_told_to_the_sender(door: HttpDoor) -> None:
    for state in ("queued", "running", "ended"):
        (door.queue.folder / state).rmdir()
    answer = post(door)

    assert answer.status == 500
    assert str(door.queue.folder) not in json.dumps(dict(answer.body))


def test_a_firing_alert_with_our_label_is_a_request(door: HttpDoor) -> None:
    message = alert(securescan="scan", cluster="prod", namespace="shop", pod="api-1", alertname="PodChanged")
    answer = door.answer("POST", "/alerts", BEARER, json.dumps(message).encode())
    again = door.answer("POST", "/alerts", BEARER, json.dumps(message).encode())

    assert answer.status == 202
    (queued,) = door.queue.in_state("queued")
    assert answer.body == again.body == {"run_ids": [queued.request_id]}
    assert queued.request.given == {
        "action": "scan",
        "cluster": "prod",
        "namespaces": ["shop"],
        "pods": ["api-1"],
        "key": "f1/2026-11-23T10:00:00.000Z",
        "requested_by": "Alertmanager",
        "because": "PodChanged",
    }


def test_an_alert_without_our_label_asks_for_nothing(door: HttpDoor) -> None:
    answer = door.answer(
        "POST", "/alerts", BEARER, json.dumps(alert(cluster="prod", namespace="shop")).encode()
    )

    assert (answer.status, answer.body) == (202, {"run_ids": []})


@pytest.mark.parametrize(
    "payload", [[], {}, {"version": "3", "alerts": []}, {"version": "4", "alerts": [{}]}, {"version": "4"}]
)
def test_what_no_alertmanager_sends_is_refused(door: HttpDoor, payload: Any) -> None:
    assert door.answer("POST", "/alerts", BEARER, json.dumps(payload).encode()).status == 400


def test_of_alerts_of_which_one_is_not_allowed_none_is_taken(door: HttpDoor) -> None:
    message = alert(securescan="scan", cluster="prod", namespace="shop")
    message["alerts"] += alert(securescan="scan", cluster="lab", namespace="shop")["alerts"]

    assert door.answer("POST", "/alerts", BEARER, json.dumps(message).encode()).status == 403
    assert door.queue.in_state("queued") == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer x"}, {"authorization": TOKEN}, {"authorization": "Bearer \udc80"}],
)
def test_without_the_token_there_are_no_alerts_and_no_states(door: HttpDoor, headers: dict[str, str]) -> None:
    assert door.answer("POST", "/alerts", headers, b"{}").status == 401
    assert door.answer("GET", "/requests/x", headers, b"").status == 401


def test_a_state_is_told_without_paths_of_this_machine(door: HttpDoor) -> None:
    run_id = post(door).body["run_id"]
    door.queue.take("prod", 100)
    door.queue.end(run_id, "failed", "/results/prod/x", "gate failed")
    answer = door.answer("GET", f"/requests/{run_id}", BEARER, b"")

    assert (answer.status, answer.body) == (
        200,
        {"run_id": run_id, "state": "ended", "cluster": "prod", "outcome": "failed"},
    )


@pytest.mark.parametrize("name", ["../queued/x", "", "x" * 300, "a/b", "\0", "nothing"])
def test_a_run_id_is_no_path(door: HttpDoor, name: str) -> None:
    assert door.answer("GET", f"/requests/{name}", BEARER, b"").status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("PUT", "/requests"), ("POST", "/"), ("GET", "/requests")]
)
def test_there_is_nothing_else(door: HttpDoor, method: str, path: str) -> None:
    assert door.answer(method, path, BEARER, b"").status == 404


def test_a_door_without_a_key_or_a_token_has_no_such_path(door: HttpDoor) -> None:
    closed = HttpDoor(door.queue, door.allowed, "web")

    assert post(closed).status == 404
    assert closed.answer("POST", "/alerts", {"authorization": "Bearer "}, b"{}").status == 404


def test_a_secret_is_base64_behind_its_prefix_or_a_text() -> None:
    assert signing_key("whsec_" + base64.b64encode(KEY).decode()) == signing_key(KEY.decode()) == KEY


@pytest.mark.parametrize("secret", ["whsec_***", "short", "", "whsec_"])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ScanError) as refused:
        signing_key(secret)

    assert refused.value.reason == "bad_option"
    assert not secret or secret not in str(refused.value)
