# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source `webhook` as ansible-rulebook runs it: the file by itself, a queue for events, requests over a socket."""

from __future__ import annotations

import asyncio
import json
import pathlib
import runpy
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request_queue import RequestQueue
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.signature import sign
from ansible_collections.securescan.kubernetes.tests.support.free_port import free_port

pytest.importorskip("aiohttp")
SOURCE = pathlib.Path(__file__).parents[3] / "extensions/eda/plugins/event_source/webhook.py"
KEY = "the-secret-of-the-sender"
BODY = json.dumps({"cluster": "prod", "namespaces": ["shop"]}).encode()


def ask(port: int, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/requests", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def serve(args: dict[str, Any], asked: Any) -> list[dict[str, Any]]:
    """The events that the rules are told while `asked` runs, in a thread, with the port."""
    main = runpy.run_path(str(SOURCE))["main"]
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def both() -> None:
        serving = asyncio.ensure_future(main(events, args))
        while not serving.done():
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", args["port"])
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                break
        if serving.done():
            serving.result()
        await asyncio.to_thread(asked, args["port"])
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(asyncio.wait_for(both(), 120))
    return [events.get_nowait() for _ in range(events.qsize())]


@pytest.fixture
def args(tmp_path: pathlib.Path) -> dict[str, Any]:
    return {
        "port": free_port(),
        "signing_secret": KEY,
        "queue": str(tmp_path / "queue"),
        "clusters": ["prod"],
        "eda_feedback_queue": None,
    }


def test_a_request_is_answered_and_told_to_the_rules_once(args: dict[str, Any]) -> None:
    answers: list[tuple[int, dict[str, Any]]] = []

    def asked(port: int) -> None:
        for message in ("m-1", "m-1", "m-2"):
            answers.append(ask(port, BODY, sign(KEY.encode(), message, int(time.time()), BODY)))
        answers.append(ask(port, BODY, {}))
        answers.append(ask(port, b"x" * 2_000_000, {}))

    events = serve(args, asked)

    assert [status for status, _answer in answers] == [202, 202, 202, 401, 413]
    (queued,) = RequestQueue(args["queue"], time.time).in_state("queued")
    assert {answer["run_id"] for _status, answer in answers[:3]} == {queued.request_id}
    assert [event["request"]["run_id"] for event in events] == [queued.request_id]


def test_what_waits_is_told_at_the_start(args: dict[str, Any]) -> None:
    serve(args, lambda port: ask(port, BODY, sign(KEY.encode(), "m-1", int(time.time()), BODY)))

    assert [event["request"]["cluster"] for event in serve(args, lambda _port: None)] == ["prod"]


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "0.0.0.0"},
        {"signing_secret": ""},
        {"signing_secret": "short"},
        {"clusters": []},
        {"prot": 1},
        {"queue": ""},
    ],
    ids=str,
)
def test_a_source_that_is_not_safe_does_not_start(args: dict[str, Any], changed: dict[str, Any]) -> None:
    main = runpy.run_path(str(SOURCE))["main"]

    with pytest.raises(Exception, match="SCAN-102"):
        asyncio.run(asyncio.wait_for(main(asyncio.Queue(), {**args, **changed}), 60))
