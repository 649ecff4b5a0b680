# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server sends that is hostile or broken ends: lists without end, and replies that are large in memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import list_bounds
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.list_bounds import (
    ERROR_BYTES,
    LIST_BYTES,
    LIST_ITEMS,
    OBJECT_LIMIT,
    PAGE_LIMIT,
    check_parts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.http_pool import (
    ReplyTooLargeError,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

PODS = "/api/v1/namespaces/many/pods"
Page = dict[str, Any]
MakePage = Callable[[int], Page]


def serve_pages(server: FakeApiServer, page: MakePage) -> None:
    """Answers each list of pods with another page, by its number from 0."""
    numbers = iter(range(10**9))
    server.objects.meanwhile.append(lambda: server.objects._objects.update({PODS: page(next(numbers))}))


def pods(first: int, count: int) -> list[Page]:
    return [
        {"metadata": {"name": f"p-{number}", "uid": str(number)}} for number in range(first, first + count)
    ]


def list_of(items: list[Page], token: str) -> Page:
    return {"kind": "PodList", "items": items, "metadata": {"continue": token}}


def refusal(client: RestClient) -> ScanError:
    begun = time.monotonic()
    with pytest.raises(ScanError) as caught:
        for _item in client.list_items(PODS):
            pass
    print(f"{client.requests} requests in {time.monotonic() - begun:.2f} s: {caught.value.message}")
    return caught.value


@pytest.mark.parametrize(
    ("row", "page", "why", "requests"),
    [
        ("18-same-token", lambda _number: list_of([], "again"), "the same continue token", 2),
        ("18-empty-pages", lambda number: list_of([], f"t{number}"), "20 pages one after another", 20),
        (
            "18-token-of-before",
            lambda number: list_of(pods(number, 1), f"t{number % 5}"),
            "the same continue token",
            6,
        ),
        ("18-long-token", lambda number: list_of(pods(number, 1), "t" * 10_000), "has 10000 characters", 1),
    ],
)
def test_a_list_that_never_ends_is_given_up(
    server: FakeApiServer, client: RestClient, row: str, page: MakePage, why: str, requests: int
) -> None:
    serve_pages(server, page)
    error = refusal(client)
    assert why in error.message and client.requests == requests
    attack_ends_as(row, outcome=error.reason)


@pytest.mark.parametrize(
    ("row", "bound", "value", "why"),
    [
        ("18-new-pods", "LIST_ITEMS", 2000, "more than 2000 items"),
        ("18-bytes", "LIST_BYTES", 100_000, "more than 100000 bytes"),
        ("18-time", "LIST_SECONDS", 0.2, "was not complete"),
    ],
)
def test_new_pods_without_end_are_given_up(
    server: FakeApiServer,
    client: RestClient,
    monkeypatch: pytest.MonkeyPatch,
    row: str,
    bound: str,
    value: float,
    why: str,
) -> None:
    serve_pages(server, lambda number: list_of(pods(number * 500, 500), f"t{number}"))
    monkeypatch.setattr(list_bounds, bound, value)
    error = refusal(client)
    assert why in error.message
    attack_ends_as(row, outcome=error.reason)


def test_the_largest_cluster_is_listed() -> None:
    """150,000 pods of 32 KiB each in pages of 500, by the account alone."""
    account = list_bounds.ListAccount("list pods")
    page: list[Page] = [{}] * 500
    for number in range(300):
        with account.waiting():
            pass
        account.add_page(page, 500 * 32 * 1024, f"t{number}")
    assert LIST_ITEMS >= 3 * 150_000 and LIST_BYTES >= LIST_ITEMS * 32 * 1024


def test_what_is_done_with_the_items_takes_no_time_of_the_list(
    server: FakeApiServer, client: RestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        ahead = 0.0

        def monotonic(self) -> float:
            return time.monotonic() + self.ahead

    clock = Clock()
    serve_pages(server, lambda number: list_of(pods(number, 1), f"t{number}" if number < 3 else ""))
    monkeypatch.setattr(list_bounds, "time", clock)
    for _item in client.list_items(PODS):
        clock.ahead += list_bounds.LIST_SECONDS
    assert client.requests == 4


def test_a_page_that_is_too_large_is_asked_for_with_fewer_items(
    server: FakeApiServer, client: RestClient
) -> None:
    for number in range(90):
        name = f"p-{number:02d}"
        server.objects.put(f"{PODS}/{name}", {"metadata": {"name": name}, "spec": {"x": "y" * 400_000}})
    names = [item["metadata"]["name"] for item in client.list_items(PODS)]
    assert names == [f"p-{number:02d}" for number in range(90)]
    assert [dict(seen.query)["limit"] for seen in server.requests][:3] == ["500", "125", "31"]


def raw_reply(status: str, body: str) -> Fault:
    return Fault("garbage", text=f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}")


@pytest.mark.parametrize(
    ("row", "text"),
    [("24-lists", "[],"), ("24-nested-lists", "[[]],"), ("24-objects", "{},"), ("24-one-key", '{"a":[]},')],
)
def test_a_page_of_many_parts_is_not_parsed(
    server: FakeApiServer, client: RestClient, row: str, text: str
) -> None:
    body = '{"kind":"PodList","metadata":{},"items":[' + text * (PAGE_LIMIT.parts // 2 + 1) + "0]}"
    assert len(body) < PAGE_LIMIT.bytes
    server.faults.append(raw_reply("200 OK", body))
    error = refusal(client)
    assert f"more than {PAGE_LIMIT.parts} parts" in error.message
    assert [dict(seen.query)["limit"] for seen in server.requests] == ["500", "125", "31", "7", "1"]
    attack_ends_as(row, outcome=error.reason)


@pytest.mark.parametrize(
    ("row", "body"),
    [
        ("24-page", " " * (PAGE_LIMIT.bytes + 1)),
        ("24-status", '{"kind":"Status","message":"no"' + " " * 10**6),
    ],
)
def test_more_bytes_than_the_bound_are_not_read(
    server: FakeApiServer, client: RestClient, row: str, body: str
) -> None:
    server.faults.append(raw_reply("403 Forbidden" if row == "24-status" else "200 OK", body))
    error = refusal(client)
    attack_ends_as(row, outcome=error.reason)
    if row == "24-status":
        assert "not from a Kubernetes API server" in error.message, f"only {ERROR_BYTES} bytes were read"


def test_an_object_is_smaller_than_a_page(server: FakeApiServer, client: RestClient) -> None:
    server.faults.append(raw_reply("200 OK", "{" + " " * OBJECT_LIMIT.bytes + "}"))
    with pytest.raises(ReplyTooLargeError):
        client.get("/api/v1/namespaces/many/pods/p")


@pytest.mark.parametrize(
    "text", ["[],", "[[]],", "{},", '{"":0},', '{"":{}},', '"ab",', '"\u0100",', "1e3,", "70000,", "[0],"]
)
def test_a_reply_that_is_parsed_takes_little_memory(text: str) -> None:
    """Of the worst kinds of parts, as many as a single object's reply is allowed to have."""
    per_text = sum(text.count(sign) for sign in "{[,:")
    count = min(OBJECT_LIMIT.parts // per_text, OBJECT_LIMIT.bytes // len(text.encode())) - 10
    body = ("[" + text * count + "0]").encode()
    check_parts(body, OBJECT_LIMIT, "")
    tracemalloc.start()
    parsed = json.loads(body)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{text}: {len(parsed)} entries, {len(body)} bytes, peak {peak / 1e6:.0f} MB")
    assert peak < 64 * 1024 * 1024
