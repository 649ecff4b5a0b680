# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the server: TLS that must not be accepted, proxies, servers that are not there."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network import transport
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.proxy import basic_credential
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.proxy import FakeProxy
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


def opening_fails(connection: ClusterConnection, seconds: float = 5, cancel: Any = None) -> ScanError:
    with pytest.raises(ScanError) as caught:
        connection.open(Deadline(seconds, cancel, "get /version"))
    return caught.value


def of_host(host: str, **options: Any) -> ClusterConnection:
    return connect(ConnectionOptions(host=host, api_key="secret-token", **options), {})


@pytest.mark.parametrize(("shown", "needle"), [("wrong", "IP address mismatch"), ("expired", "has expired")])
def test_certificates_that_are_not_for_us(authority: Authority, shown: str, needle: str) -> None:
    certificate = authority.expired() if shown == "expired" else authority.server("wrong", ["DNS:other.test"])
    with FakeApiServer(authority, certificate=certificate) as server:
        error = opening_fails(connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {}))
        assert error.reason == "tls_failed"
        assert needle in error.message
        assert "127.0.0.1" in error.cause
        assert server.requests == [], "no credential before the certificate was accepted"


def test_tls_server_name_by_option_and_by_kubeconfig(authority: Authority) -> None:
    with FakeApiServer(authority, certificate=authority.server("wrong", ["DNS:other.test"])) as server:
        options: dict[str, Any] = {"tls_server_name": "other.test"}
        config = server.kubeconfig()
        RestClient(connect(ConnectionOptions(kubeconfig=config, **options), {})).get("/api/v1/pods")
        config["clusters"][0]["cluster"]["tls-server-name"] = "other.test"
        RestClient(connect(ConnectionOptions(kubeconfig=config), {})).get("/api/v1/pods")


def test_a_ca_that_did_not_sign_it(server: FakeApiServer, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    error = opening_fails(of_host(server.url, ca_cert=str(other.ca)))
    assert error.reason == "tls_failed"
    error = opening_fails(of_host(server.url))
    assert error.reason == "tls_failed", "the system's CAs do not know it either"


def test_a_server_without_tls(authority: Authority) -> None:
    with FakeApiServer(authority, tls=False) as server:
        error = opening_fails(of_host(server.url, ca_cert=str(authority.ca)))
    assert error.reason == "tls_failed"
    assert "speaks no TLS" in error.cause
    assert "secret" not in str(error)


def test_a_server_that_is_not_there(authority: Authority) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = opening_fails(of_host(f"https://127.0.0.1:{unused.getsockname()[1]}"))
    assert error.reason == "unreachable"
    assert "Connection refused" in error.message
    assert opening_fails(of_host("https://does-not-exist.invalid")).reason == "unreachable"


@pytest.fixture
def silent_port() -> Any:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        yield listener.getsockname()[1]


def test_a_server_that_never_answers_the_handshake(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    error = opening_fails(of_host(f"https://127.0.0.1:{silent_port}"))
    assert error.reason == "unreachable"
    assert "within 0.2 s" in error.message
    assert opening_fails(of_host(f"https://127.0.0.1:{silent_port}"), seconds=0.1).reason == "timed_out"


def test_a_dead_address_does_not_use_up_the_time_of_the_next(
    server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {})
    with socket.socket() as full:
        # A listener whose queue is full lets connections hang.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _number in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (full.getsockname(), ("127.0.0.1", server.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_keywords: both)
        started = time.monotonic()
        connection.open(Deadline(3)).close()
        assert 1.4 < time.monotonic() - started < 3
        for one in waiting:
            one.close()


def test_connecting_can_be_cancelled(silent_port: int) -> None:
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    started = time.monotonic()
    assert opening_fails(of_host(f"https://127.0.0.1:{silent_port}"), cancel=cancel).reason == "cancelled"
    assert time.monotonic() - started < 3


def test_sessions_are_resumed_but_not_across_identities(authority: Authority) -> None:
    with FakeApiServer(authority, client_ca=True) as server:
        pair = authority.client("grantor")
        config = server.kubeconfig(
            **{"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
        )
        grantor = connect(ConnectionOptions(kubeconfig=config), {})
        for _number in range(3):
            client = RestClient(grantor)
            client.get("/api/v1/pods")
            client.close()
        assert server.sessions_resumed == 2
        client = RestClient(grantor.with_bearer_token(server.token))
        client.get("/api/v1/pods")
        assert server.requests[-1].user == "admin"
        assert server.sessions_resumed == 2


def test_requests_and_exec_through_a_proxy(server: FakeApiServer) -> None:
    credential = basic_credential("proxy user", "p@ss")
    with FakeProxy(credential) as proxy:
        url = f"http://proxy%20user:p%40ss@{proxy.authority}"
        connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig(), proxy=url), {})
        RestClient(connection).get("/api/v1/pods")
        outcome = exec_in_container(
            connection, "shop", "api-1", "app", ["cat"], b"x" * 10**6, timeout=10, output_limit=2 * 10**6
        )
        assert len(outcome.stdout) == 10**6
        assert proxy.targets == [f"127.0.0.1:{server.port}"] * 2
        assert server.token not in "".join(proxy.heads)
        assert credential not in repr(connection.__dict__)

        error = opening_fails(
            connect(ConnectionOptions(kubeconfig=server.kubeconfig(), proxy="http://" + proxy.authority), {})
        )
        assert error.reason == "unreachable"
        assert "407" in error.message
        headers = {"proxy_basic_auth": "proxy user:p@ss", "user_agent": "me"}
        RestClient(
            connect(
                ConnectionOptions(
                    kubeconfig=server.kubeconfig(), proxy=proxy.authority, proxy_headers=headers
                ),
                {},
            )
        ).get("/api/v1/pods")
        assert "User-Agent: me\r\n" in proxy.heads[-1]


@pytest.mark.parametrize(
    ("options", "of_kubeconfig", "environ", "is_used"),
    [
        ({}, "", {"HTTPS_PROXY": "PROXY"}, True),
        ({}, "", {"https_proxy": "PROXY", "NO_PROXY": "127.0.0.1"}, False),
        ({}, "", {"HTTPS_PROXY": "PROXY", "no_proxy": "10.0.0.0/8,127.0.0.0/8"}, False),
        ({}, "", {"HTTPS_PROXY": "PROXY", "NO_PROXY": "*"}, False),
        ({}, "", {"HTTPS_PROXY": "PROXY", "NO_PROXY": ".test, other.test"}, True),
        ({}, "PROXY", {"NO_PROXY": "127.0.0.1"}, True),
        ({}, "", {"K8S_AUTH_PROXY": "PROXY"}, True),
        ({"no_proxy": "127.0.0.1"}, "PROXY", {}, False),
        ({}, "", {"K8S_AUTH_PROXY": "PROXY", "K8S_AUTH_NO_PROXY": "127.0.0.1"}, False),
        ({"proxy": "PROXY"}, "http://127.0.0.1:1", {"HTTPS_PROXY": "http://127.0.0.1:1"}, True),
    ],
)
def test_which_proxy_is_used(
    server: FakeApiServer, options: dict[str, str], of_kubeconfig: str, environ: dict[str, str], is_used: bool
) -> None:
    with FakeProxy() as proxy:

        def named(value: str) -> str:
            return value.replace("PROXY", "http://" + proxy.authority)

        config = server.kubeconfig()
        if of_kubeconfig:
            config["clusters"][0]["cluster"]["proxy-url"] = named(of_kubeconfig)
        given: dict[str, Any] = {key: named(value) for key, value in options.items()}
        connection = connect(
            ConnectionOptions(kubeconfig=config, **given),
            {key: named(value) for key, value in environ.items()},
        )
        RestClient(connection).get("/api/v1/pods")
        assert bool(proxy.targets) == is_used


def test_a_proxy_that_is_not_there(server: FakeApiServer) -> None:
    error = opening_fails(
        connect(ConnectionOptions(kubeconfig=server.kubeconfig(), proxy="http://127.0.0.1:1"), {})
    )
    assert error.reason == "unreachable"
    assert "the proxy 127.0.0.1:1" in error.message
