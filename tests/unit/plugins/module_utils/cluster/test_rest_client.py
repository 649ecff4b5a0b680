# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST requests against the fake API server: the good day, retries, paging, and what a bad server sends."""

from __future__ import annotations

import gzip
import threading
import time
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import rest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.api_errors import ApiError
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network import http_pool
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

PODS = "/api/v1/namespaces/shop/pods"
ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "scan"}}


@pytest.fixture
def client(connection: ClusterConnection) -> RestClient:
    return RestClient(connection)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_FIRST_PAUSE", 0.01)


def fails(call: Any, *arguments: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        call(*arguments)
    return caught.value


def test_each_verb_does_what_it_says(server: FakeApiServer, client: RestClient) -> None:
    created = client.create(ACCOUNTS, ACCOUNT, {"fieldManager": "securescan", "dryRun": ["All"]})
    assert created["metadata"]["name"] == "scan"
    assert fails(client.get, ACCOUNTS + "/scan").reason == "not_found"
    client.create(ACCOUNTS, ACCOUNT)
    patched = client.patch(
        ACCOUNTS + "/scan", {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json"
    )
    assert patched["metadata"]["labels"] == {"a": "b"}
    assert server.requests[-1].headers["content-type"] == "application/merge-patch+json"
    assert server.requests[0].query == [("fieldManager", "securescan"), ("dryRun", "All")]
    token = client.create(ACCOUNTS + "/scan/token", {"spec": {"expirationSeconds": 600}})["status"]["token"]
    scanner = RestClient(client.connection.with_bearer_token(token))
    scanner.get(PODS + "/api-1")
    assert server.requests[-1].user == "system:serviceaccount:shop:scan"
    assert client.delete(ACCOUNTS + "/scan", {"propagationPolicy": "Background"})["status"] == "Success"
    assert fails(client.delete, ACCOUNTS + "/scan").reason == "not_found"


def test_metadata_alone_can_be_asked_for(client: RestClient) -> None:
    answer = client.get_metadata(PODS + "/api-1")
    assert answer["kind"] == "PartialObjectMetadata"
    assert answer["metadata"]["uid"]
    assert "spec" not in answer


def test_one_connection_serves_many_requests(server: FakeApiServer, client: RestClient) -> None:
    for _number in range(10):
        client.get(PODS)
    assert client.requests == 10
    assert server.connections == 1
    client.close()
    client.get(PODS)
    assert server.connections == 2


def test_a_kept_connection_that_died_is_not_used(server: FakeApiServer, client: RestClient) -> None:
    client.create(ACCOUNTS, dict(ACCOUNT, metadata={"name": "a"}))
    server.cut_connections()
    time.sleep(0.05)
    client.create(ACCOUNTS, dict(ACCOUNT, metadata={"name": "b"}))
    assert server.connections == 2


def test_old_connections_are_not_used(
    server: FakeApiServer, client: RestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(PODS)
    monkeypatch.setattr(http_pool, "_KEEP_SECONDS", 0.0)
    client.get(PODS)
    assert server.connections == 2


def test_many_threads_share_a_client(server: FakeApiServer, client: RestClient) -> None:
    names: list[str] = []

    def work(number: int) -> None:
        for step in range(5):
            name = f"s-{number}-{step}"
            names.append(client.create(ACCOUNTS, dict(ACCOUNT, metadata={"name": name}))["metadata"]["name"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(names)) == 40 == client.requests
    assert server.connections <= 8


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=429, retry_after=0),
        Fault("status", status=500),
        Fault("status", status=503),
        Fault("plain_status", status=502, text="bad gateway"),
        Fault("cut", after=30),
        Fault("cut", after=0),
    ],
)
def test_passing_faults_are_survived(
    server: FakeApiServer, client: RestClient, method: str, fault: Fault
) -> None:
    fault.times = 2
    server.faults.append(fault)
    if (method, fault.kind) == ("delete", "cut"):
        # The first attempt was carried out, only its answer was lost.
        assert fails(client.delete, PODS + "/api-1").reason == "not_found"
    else:
        getattr(client, method)(PODS + "/api-1")
        assert client.requests == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("status", status=500), "server_error"),
        (Fault("status", status=503), "server_error"),
        (Fault("cut", after=30), "connection_lost"),
    ],
)
def test_a_create_is_never_sent_twice_by_itself(
    server: FakeApiServer, client: RestClient, fault: Fault, reason: str
) -> None:
    server.faults.append(fault)
    fault.times = 1
    assert fails(client.create, ACCOUNTS, ACCOUNT).reason == reason
    assert client.requests == 1
    assert (
        fails(client.create, ACCOUNTS, ACCOUNT).status_reason == "AlreadyExists"
        if fault.kind == "cut"
        else True
    )


def test_a_throttled_create_is_sent_again(server: FakeApiServer, client: RestClient) -> None:
    server.faults.append(Fault("status", status=429, retry_after=1, times=1))
    started = time.monotonic()
    client.create(ACCOUNTS, ACCOUNT)
    assert time.monotonic() - started >= 1, "Retry-After counts"
    assert client.requests == 2


def test_retries_end_when_patience_does(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("status", status=429, retry_after=2))
    client = RestClient(connection, patience=1)
    error = fails(client.get, PODS)
    assert error.reason == "throttled"
    assert client.requests == 1
    server.faults[:] = [Fault("status", status=500)]
    client = RestClient(connection)
    assert fails(client.get, PODS).reason == "server_error"
    assert client.requests == 4


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, "invalid_request"),
        (401, "not_authenticated"),
        (403, "not_permitted"),
        (404, "not_found"),
        (409, "conflict"),
        (410, "not_found"),
        (422, "invalid_request"),
    ],
)
def test_lasting_refusals_are_not_repeated(
    server: FakeApiServer, client: RestClient, code: int, reason: str
) -> None:
    server.faults.append(Fault("status", status=code, text="the server says why"))
    error = fails(client.get, PODS)
    assert isinstance(error, ApiError)
    assert (error.reason, error.message, error.tried) == (
        reason,
        "the server says why",
        "list pods in namespace shop",
    )
    assert client.requests == 1


@pytest.mark.parametrize(
    ("fault", "reason", "needle"),
    [
        (Fault("html"), "bad_reply", "not a JSON object (text/html)"),
        (Fault("redirect", text="https://evil.test/"), "bad_reply", "a redirect to https://evil.test/"),
        (Fault("garbage"), "bad_reply", "not a valid HTTP reply"),
        (
            Fault("garbage", text="HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]x"),
            "bad_reply",
            "not a JSON object",
        ),
        (
            Fault("garbage", text="HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 500 + "\r\n"),
            "bad_reply",
            "not a valid HTTP reply",
        ),
        (
            Fault("garbage", text="HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}"),
            "connection_lost",
            "broke",
        ),
        (
            Fault("garbage", text="HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "connection_lost",
            "broke",
        ),
        (Fault("flood"), "bad_reply", "more than 4194304 bytes"),
        (Fault("silence"), "timed_out", "our deadline of 0.5 s"),
        (Fault("slow", seconds=60), "timed_out", "our deadline of 0.5 s"),
        (Fault("cut", after=0), "connection_lost", "broke"),
        (Fault("cut", after=200), "connection_lost", "broke"),
        (Fault("reflect"), "invalid_request", "unable to upgrade"),
    ],
)
def test_a_server_that_misbehaves(
    server: FakeApiServer,
    connection: ClusterConnection,
    fault: Fault,
    reason: str,
    needle: str,
) -> None:
    server.faults.append(fault)
    client = RestClient(connection, timeout=0.5 if reason == "timed_out" else 30)
    error = fails(client.get, PODS)
    assert error.reason == reason
    assert needle in error.message
    assert server.token not in str(error)
    assert server.token not in str(error.record())
    server.faults.clear()
    client._timeout = 30
    assert client.get(PODS)["items"], "the next request is well again"


def test_a_packed_reply_that_nobody_asked_for_is_not_unpacked(
    server: FakeApiServer, client: RestClient
) -> None:
    packed = gzip.compress(b'{"items": [' + b" " * 10**8 + b"]}")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    server.faults.append(Fault("garbage", text=head + packed.decode("latin-1")))
    error = fails(client.get, PODS)
    attack_ends_as("H-12-packed-reply", outcome=error.reason)


@pytest.mark.parametrize(
    ("row", "head"),
    [
        ("H-13-headers", "HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 5000),
        ("H-13-continue", "HTTP/1.1 100 Continue\r\n\r\n" * 5000),
    ],
)
def test_heads_without_end_are_an_error(
    server: FakeApiServer, connection: ClusterConnection, row: str, head: str
) -> None:
    server.faults.append(Fault("garbage", text=head))
    error = fails(RestClient(connection).get, PODS)
    attack_ends_as(row, outcome=error.reason)


@pytest.mark.parametrize(
    "reply",
    [
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s",
        "HTTP/1.0 200 OK\r\n\r\n%s",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n%s",
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n5\r\n: 12}\r\n0\r\n\r\n',
    ],
)
def test_other_ways_to_end_a_reply(server: FakeApiServer, client: RestClient, reply: str) -> None:
    server.faults.append(Fault("garbage", text=reply.replace("%s", '{"a": 12}'), times=1))
    assert client.get(PODS) == {"a": 12}
    assert client.requests == 1
    assert client.get(PODS)["items"]


def test_a_request_can_be_cancelled(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("silence"))
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    assert fails(RestClient(connection, cancel=cancel).get, PODS).reason == "cancelled", "before its deadline"


def add_many(server: FakeApiServer, count: int) -> set[str]:
    names = {f"many-{number:04d}" for number in range(count)}
    for name in names:
        server.objects.put(
            "/api/v1/namespaces/many/pods/" + name, {"metadata": {"name": name, "namespace": "many"}}
        )
    return names


def listed(client: RestClient, **keywords: Any) -> list[str]:
    return [
        item["metadata"]["name"] for item in client.list_items("/api/v1/namespaces/many/pods", **keywords)
    ]


def test_lists_come_in_pages(server: FakeApiServer, client: RestClient) -> None:
    names = add_many(server, 25)
    assert sorted(listed(client, page_size=10)) == sorted(names)
    assert client.requests == 3
    assert [dict(seen.query)["limit"] for seen in server.requests] == ["10"] * 3
    assert listed(client, query={"fieldSelector": "metadata.name=many-0003"}) == ["many-0003"]


def test_a_list_stops_asking_when_nobody_reads_on(server: FakeApiServer, client: RestClient) -> None:
    add_many(server, 25)
    items = client.list_items("/api/v1/namespaces/many/pods", page_size=10)
    next(items)
    assert client.requests == 1


def test_an_expired_list_is_begun_anew_without_duplicates(server: FakeApiServer, client: RestClient) -> None:
    names = add_many(server, 25)
    server.faults.append(Fault("status", on="continue=", status=410, times=2))
    found = listed(client, page_size=10)
    assert len(found) == 25
    assert set(found) == names
    continued = ["continue" in dict(seen.query) for seen in server.requests]
    assert continued == [False, True, False, True, False, True, True], "each time from the beginning"


def test_a_list_that_always_expires_fails(server: FakeApiServer, client: RestClient) -> None:
    add_many(server, 25)
    server.faults.append(Fault("status", on="continue=", status=410))
    error = fails(lambda: listed(client, page_size=10))
    assert (error.reason, error.status) == ("not_found", 410)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"kind": "PodList"},
        {"items": {}},
        {"items": [], "metadata": []},
        {"items": ["x"], "metadata": {}},
        {"kind": "Pod", "metadata": {}},
    ],
)
def test_pages_that_are_no_lists(server: FakeApiServer, client: RestClient, page: dict[str, Any]) -> None:
    server.objects._objects["/api/v1/namespaces/many/pods"] = page
    assert fails(lambda: listed(client)).reason == "bad_reply"


def test_an_empty_list_of_go(server: FakeApiServer, client: RestClient) -> None:
    server.objects._objects["/api/v1/namespaces/many/pods"] = {
        "kind": "PodList",
        "items": None,
        "metadata": {},
    }
    assert listed(client) == []


def test_a_server_that_is_away_is_tried_again(server: FakeApiServer) -> None:
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {})
    server._listener.shutdown()
    server._listener.server_close()
    client = RestClient(connection)
    error = fails(client.create, ACCOUNTS, ACCOUNT)
    assert error.reason == "unreachable"
    assert client.requests == 4


@pytest.mark.parametrize("code", ["100 Continue", "102 Processing", "103 Early Hints", "199 Odd"])
@pytest.mark.parametrize("count", [1, 8])
def test_interim_replies_are_no_replies(
    server: FakeApiServer, client: RestClient, code: str, count: int
) -> None:
    server.faults.append(Fault("interim", text=f"HTTP/1.1 {code}\r\nLink: </x>\r\n\r\n" * count))
    for _number in range(3):
        assert client.get(PODS)["items"]
    assert server.connections == 1, "the connection is kept all the same"


def test_interim_replies_are_bounded_in_number(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("interim", text="HTTP/1.1 103 Early Hints\r\n\r\n" * 9))
    error = fails(RestClient(connection).get, PODS)
    assert error.reason == "bad_reply"
    assert "more than 8 interim replies" in error.message


def test_101_is_no_interim_reply(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("garbage", text="HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    assert "HTTP 101" in fails(RestClient(connection).get, PODS).message


def test_a_reply_that_is_coded_unasked_is_named_so(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    text = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    server.faults.append(Fault("garbage", text=text))
    assert "the reply is coded (gzip)" in fails(RestClient(connection).get, PODS).message
