# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.http_client import (
    ERROR_LIMIT,
    HttpClient,
    HttpError,
    HttpServer,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.tls import (
    ClientCertificate,
    TlsClient,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.proxy import FakeProxy
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.https_server import (
    Answer,
    FakeHttpsServer,
    Received,
)

TOKEN = "sesame-4711"


def trust(authority: Authority) -> TlsClient:
    return TlsClient(authority.ca.read_bytes(), True)


def client_of(
    https_server: FakeHttpsServer, authority: Authority, base: str = "", **options: Any
) -> HttpClient:
    who = HttpServer(
        https_server.url + base,
        trust(authority),
        {"Authorization": f"Bearer {TOKEN}"},
        [TOKEN],
    )
    return HttpClient(who, {}, **options)


def failure(client: HttpClient, method: str = "GET", path: str = "/x?key=hidden") -> ScanError:
    with pytest.raises(ScanError) as caught:
        client.send(method, path)
    client.close()
    return caught.value


def test_a_request_arrives_as_it_was_given_and_the_connection_is_kept(
    https_server: FakeHttpsServer, authority: Authority
) -> None:
    client = client_of(https_server, authority, "/base/")
    reply = client.send("POST", "/a%20b?q=1", headers={"Content-Type": "text/plain"}, body=b"\x00hello")
    client.send("GET")
    client.close()
    got = https_server.received[0]
    assert (reply.status, reply.body) == (200, b"{}")
    assert (got.method, got.path, got.body) == ("POST", "/base/a%20b?q=1", b"\x00hello")
    assert got.headers["authorization"] == f"Bearer {TOKEN}"
    assert got.headers["content-type"] == "text/plain"
    assert https_server.received[1].path == "/base"
    assert https_server.connections == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "invalid_request"),
        (401, "not_authenticated"),
        (403, "not_permitted"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "invalid_request"),
        (429, "throttled"),
        (503, "server_error"),
    ],
)
def test_a_refusal_says_what_was_tried_and_what_came_back(
    https_server: FakeHttpsServer, authority: Authority, status: int, reason: str
) -> None:
    https_server.answer = lambda _request: Answer(status, b"no\nsuch thing\x1b[31m", {"Retry-After": "7"})
    error = failure(client_of(https_server, authority))
    assert isinstance(error, HttpError)
    assert (error.reason, error.status, error.retry_after) == (reason, status, 7.0)
    assert error.tried == f"GET {https_server.url}/x"
    assert f"HTTP {status}: no such thing" in error.message
    assert error.message.isprintable()
    assert "API server" not in str(error)


def test_no_message_shows_the_token_though_the_server_repeats_it(
    https_server: FakeHttpsServer, authority: Authority
) -> None:
    https_server.answer = lambda request: Answer(400, request.headers["authorization"].encode())
    error = failure(client_of(https_server, authority), path=f"/{TOKEN}/x?token={TOKEN}")
    assert "***" in error.message
    assert TOKEN not in str(error.record())


def test_a_query_and_a_user_in_the_url_are_refused_and_never_shown(authority: Authority) -> None:
    for url in (
        "https://joe:s3cret@host/",
        "https://host/?token=s3cret",
        "https://host/#s3cret",
        "http://host/s3cret",
        "https://host:s3cret/",
        "https:///s3cret",
        "https://host/s3cret\r\nX: y",
    ):
        who = HttpServer(url, trust(authority))
        with pytest.raises(ScanError) as caught:
            HttpClient(who, {})
        assert caught.value.reason == "bad_option"
        assert "s3cret" not in str(caught.value)
    assert repr(HttpServer("https://joe:s3cret@host/a?b=c", trust(authority))) == "HttpServer(https://host/a)"


def test_a_redirect_is_not_followed(https_server: FakeHttpsServer, authority: Authority) -> None:
    where = "https://u:p@elsewhere.test/login?ticket=hidden"
    https_server.answer = lambda _request: Answer(302, b"", {"Location": where})
    error = failure(client_of(https_server, authority))
    assert error.reason == "bad_reply"
    assert "a redirect to https://elsewhere.test/login, which is not followed" in error.message
    assert len(https_server.received) == 1
    attack_ends_as("H-17-redirect", outcome="not followed")


def test_replies_are_bounded(https_server: FakeHttpsServer, authority: Authority) -> None:
    https_server.answer = lambda _request: Answer(200, b"x" * 1001)
    client = client_of(https_server, authority)
    assert len(client.send("GET", limit=1001).body) == 1001
    with pytest.raises(ScanError) as caught:
        client.send("GET", limit=1000)
    assert (caught.value.reason, caught.value.message) == ("bad_reply", "the reply has more than 1000 bytes")
    # What explains an error is cut, and the status still counts.
    https_server.answer = lambda _request: Answer(500, b"y" * (ERROR_LIMIT * 4))
    error = failure(client)
    assert error.reason == "server_error"
    assert len(error.message) < 300


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 2",
        b"HT",
    ],
)
def test_a_reply_whose_head_is_cut_off_is_no_reply(
    https_server: FakeHttpsServer, authority: Authority, head: bytes
) -> None:
    https_server.answer = lambda _request: Answer(raw=head)
    assert failure(client_of(https_server, authority)).reason == "connection_lost"


def test_an_empty_body_that_ends_with_the_connection_is_a_reply(
    https_server: FakeHttpsServer, authority: Authority
) -> None:
    https_server.answer = lambda _request: Answer(200, b"", is_framed=False)
    client = client_of(https_server, authority)
    assert client.send("POST", body=b"x").body == b""
    assert client.send("POST", body=b"x").status == 200
    assert https_server.connections == 2


def test_a_server_of_another_authority_is_refused(https_server: FakeHttpsServer) -> None:
    who = HttpServer(https_server.url, TlsClient(None, True))
    error = failure(HttpClient(who, {}))
    assert error.reason == "tls_failed"
    assert "certificate was checked" not in error.advice
    assert https_server.received == []
    assert HttpClient(HttpServer(https_server.url, TlsClient(None, False)), {}).send("GET").status == 200


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    issued = authority.client("pusher")
    certificate = ClientCertificate(issued.certificate.read_bytes(), issued.key.read_bytes())
    with FakeHttpsServer(authority, client_ca=True) as https_server:
        who = HttpServer(https_server.url, TlsClient(authority.ca.read_bytes(), True, certificate))
        HttpClient(who, {}).send("GET")
        assert https_server.received[0].certificate == "pusher"


def test_the_proxy_of_the_option_or_the_environment_is_used_unless_no_proxy_names_the_host(
    https_server: FakeHttpsServer, authority: Authority
) -> None:
    tls = trust(authority)
    with FakeProxy() as proxy:
        where = f"http://{proxy.authority}"
        HttpClient(HttpServer(https_server.url, tls, proxy=where), {}).send("GET")
        elsewhere = HttpServer(https_server.url.replace("127.0.0.1", "api.test"), tls)
        with pytest.raises(ScanError):  # the certificate is for another name
            HttpClient(elsewhere, {"HTTPS_PROXY": where}).send("GET")
        assert len(proxy.targets) == 2
        HttpClient(HttpServer(https_server.url, tls), {"HTTPS_PROXY": where}).send("GET")
        HttpClient(HttpServer(https_server.url, tls, proxy=where, no_proxy="127.0.0.1"), {}).send("GET")
        assert len(proxy.targets) == 2
    assert len(https_server.received) == 3


def test_deadline_and_cancel_end_the_wait(https_server: FakeHttpsServer, authority: Authority) -> None:
    release = threading.Event()

    def never(_request: Received) -> Answer:
        release.wait(60)
        return Answer()

    https_server.answer = never
    started = time.monotonic()
    error = failure(client_of(https_server, authority, timeout=0.3))
    assert (error.reason, error.tried) == ("timed_out", f"GET {https_server.url}/x")
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    assert failure(client_of(https_server, authority, cancel=cancel)).reason == "cancelled"
    release.set()
    assert time.monotonic() - started < 25


def test_a_server_that_is_not_there_is_named(authority: Authority) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
        error = failure(HttpClient(HttpServer(url, trust(authority)), {}))
    assert (error.reason, error.tried) == ("unreachable", f"GET {url}/x")
    assert "API server" not in str(error)
