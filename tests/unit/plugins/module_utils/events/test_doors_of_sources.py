# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a message of a bus, and the options of event sources."""

from __future__ import annotations

import asyncio
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events import serving
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import MessageDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.seen_states import SeenStates
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests import request_queue
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.allowed import AllowedRequests
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request_queue import RequestQueue
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

KNOWN = ("port", "token", "token_file", *QUEUE_OPTIONS, *ALLOW_OPTIONS)


@pytest.fixture
def door(tmp_path: pathlib.Path) -> MessageDoor:
    queue = RequestQueue(tmp_path / "queue", lambda: 1_795_000_000.0)
    queue.create()
    return MessageDoor(queue, AllowedRequests(("prod",)), "kafka")


def message(namespace: str = "shop", cluster: str = "prod") -> bytes:
    return json.dumps({"cluster": cluster, "namespaces": [namespace], "because": "{{ x }}"}).encode()


def test_rules_are_told_where_a_request_is_and_nothing_that_its_sender_wrote(door: MessageDoor) -> None:
    (event,) = door.take(message(), "t/0/1")
    (queued,) = door.queue.in_state("queued")

    assert event == {
        "request": {
            "run_id": queued.request_id,
            "state": "queued",
            "cluster": "prod",
            "action": "scan",
            "source": "kafka",
        },
        "meta": {"hosts": ["prod"]},
    }
    attack_ends_as(
        "32-rules", outcome="rules are told the run id, the cluster and the action, and nothing else"
    )


def test_what_a_bus_gives_twice_is_told_once(door: MessageDoor) -> None:
    assert len(door.take(message(), "t/0/1")) == 1
    door.queue.take("prod", 100)
    assert door.take(message(), "t/0/1") == []


@pytest.mark.parametrize("given", [b"", b"{}", b"x" * 70_000, message(cluster="lab"), {"cluster": 1}])
def test_what_is_no_request_is_told_as_refused(door: MessageDoor, given: Any) -> None:
    (event,) = door.take(given)

    assert event["refused"]["code"] in ("SCAN-911", "SCAN-912")
    assert door.queue.in_state("queued") == []


def test_a_message_waits_while_the_queue_is_full(door: MessageDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "MOST_QUEUED", 1)
    monkeypatch.setattr(serving, "FIRST_PAUSE", 0.01)
    door.take(message("first"))
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def deliver_while_full() -> None:
        delivery = asyncio.ensure_future(serving.deliver(told, door, message("second"), "k"))
        await asyncio.sleep(0.1)
        assert not delivery.done()
        taken = door.queue.take("prod", 100)
        assert taken is not None
        await asyncio.wait_for(delivery, 30)

    asyncio.run(deliver_while_full())

    assert [one.request.namespaces for one in door.queue.in_state("queued")] == [("second",)]
    assert told.qsize() == 1


def test_what_waits_is_told_again_after_a_restart_once_for_each_cluster(door: MessageDoor) -> None:
    for name in ("a", "b"):
        door.take(message(name))

    assert [event["request"]["cluster"] for event in door.waiting()] == ["prod"]


def test_what_passes_is_waited_for_and_what_does_not_ends_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "FIRST_PAUSE", 0.0)
    reasons = ["unreachable", "queue_full", "", "not_permitted"]

    async def work() -> None:
        reason = reasons.pop(0)
        if reason:
            raise ScanError(reason, "no")

    with pytest.raises(ScanError, match="SCAN-205"):
        asyncio.run(serving.keep_on(work, 0.0))
    assert reasons == []


def options(**given: Any) -> SourceOptions:
    return SourceOptions.of(given, "webhook", KNOWN)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"prot": 1}, lambda _one: None),
        ({"port": "99999"}, lambda one: one.whole_number("port", 0, 1, 65535)),
        ({"port": True}, lambda one: one.whole_number("port", 0, 1, 65535)),
        ({"token": 5}, lambda one: one.secret("token")),
        ({"token": "a", "token_file": "b"}, lambda one: one.secret("token")),
        ({"clusters": "prod"}, lambda one: one.allowed()),
        ({}, lambda one: one.allowed()),
        ({"clusters": ["*"], "actions": ["remediate"]}, lambda one: one.allowed()),
        ({"allow_shared_folder": "yes"}, lambda one: one.truth("allow_shared_folder")),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_refused(given: dict[str, Any], read: Any) -> None:
    with pytest.raises(ScanError) as refused:
        read(options(**given))

    assert refused.value.reason == "bad_option"


def test_a_secret_comes_from_an_option_or_from_the_first_line_of_a_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-a-file\nmore\n")

    assert options(token="given").secret("token") == "given"
    assert options(token_file=str(file)).secret("token") == "from-a-file"
    assert options(name="team-a").source == "team-a"
    with pytest.raises(ScanError, match="SCAN-103"):
        options(token_file=str(tmp_path / "absent")).secret("token")


def test_what_was_seen_is_kept_and_nothing_else_is_taken_for_it(tmp_path: pathlib.Path) -> None:
    seen, other = SeenStates(tmp_path, "prod /apis"), SeenStates(tmp_path, "lab /apis")

    assert seen.read() is None
    seen.write({"uid": "template"})
    assert (seen.read(), other.read()) == ({"uid": "template"}, None)
    (file,) = (tmp_path / "seen").iterdir()
    file.write_text('{"watched": "lab /apis", "states": {}}')
    with pytest.raises(ScanError):
        seen.read()
