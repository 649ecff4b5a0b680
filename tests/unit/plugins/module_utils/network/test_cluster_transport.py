# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the server: TLS that must not be accepted, proxies, servers that are not there."""

from __future__ import annotations

import json
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
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.proxy import (
    ProxyChoice,
    basic_credential,
    choose_proxy,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.proxy import (
    FakeProxy,
    FakeSocksProxy,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


def opening_fails(connection: ClusterConnection, seconds: float = 30, cancel: Any = None) -> ScanError:
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
        connection.open(Deadline(6)).close()
        assert 2.9 < time.monotonic() - started < 6
        for one in waiting:
            one.close()


def test_connecting_can_be_cancelled(silent_port: int) -> None:
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    error = opening_fails(of_host(f"https://127.0.0.1:{silent_port}"), cancel=cancel)
    assert error.reason == "cancelled", "before its deadline"


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
            connection, "shop", "api-1", "app", ["cat"], b"x" * 10**6, timeout=60, output_limit=2 * 10**6
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
    ("host", "options", "of_kubeconfig", "environ", "is_used"),
    [
        ("api.test", {}, "", {"HTTPS_PROXY": "PROXY"}, True),
        ("api.test", {}, "", {"HTTPS_PROXY": "", "https_proxy": "PROXY"}, True),
        ("api.test", {}, "", {"HTTPS_PROXY": "AUTHORITY"}, True),
        ("api.test", {}, "", {"ALL_PROXY": "PROXY", "HTTP_PROXY": "PROXY"}, None),
        ("api.test", {}, "", {"HTTPS_PROXY": "PROXY", "NO_PROXY": "*"}, None),
        ("api.test", {}, "PROXY", {"NO_PROXY": "*"}, True),
        ("api.test", {}, "", {"K8S_AUTH_PROXY": "PROXY", "NO_PROXY": "*"}, True),
        ("api.test", {"no_proxy": "api.test"}, "PROXY", {}, None),
        ("api.test", {}, "", {"K8S_AUTH_PROXY": "PROXY", "K8S_AUTH_NO_PROXY": "api.test"}, None),
        ("api.test", {"proxy": "PROXY"}, "http://127.0.0.1:1", {"HTTPS_PROXY": "http://127.0.0.1:1"}, True),
        # this machine is never behind the environment's proxy, but behind one that was named for it
        ("127.0.0.1", {}, "", {"HTTPS_PROXY": "http://127.0.0.1:1"}, False),
        ("127.0.0.1", {}, "", {"HTTPS_PROXY": "socks4://127.0.0.1:1"}, False),
        ("localhost", {}, "", {"HTTPS_PROXY": "http://127.0.0.1:1"}, False),
        ("127.0.0.1", {}, "PROXY", {}, True),
        ("127.0.0.1", {"proxy": "PROXY"}, "", {}, True),
    ],
)
def test_which_proxy_is_used(
    server: FakeApiServer,
    host: str,
    options: dict[str, str],
    of_kubeconfig: str,
    environ: dict[str, str],
    is_used: bool | None,
) -> None:
    """None: without the proxy the name api.test has no address."""
    with FakeProxy() as proxy:

        def named(value: str) -> str:
            return value.replace("PROXY", "http://" + proxy.authority).replace("AUTHORITY", proxy.authority)

        config = server.kubeconfig()
        cluster = config["clusters"][0]["cluster"]
        cluster.update({"server": f"https://{host}:{server.port}", "tls-server-name": "localhost"})
        if of_kubeconfig:
            cluster["proxy-url"] = named(of_kubeconfig)
        given: dict[str, Any] = {key: named(value) for key, value in options.items()}
        connection = connect(
            ConnectionOptions(kubeconfig=config, **given),
            {key: named(value) for key, value in environ.items()},
        )
        if is_used is None:
            assert connection.endpoint.proxy is None
            return
        RestClient(connection).get("/api/v1/pods")
        assert proxy.targets == ([f"{host}:{server.port}"] if is_used else [])


@pytest.mark.parametrize(
    ("host", "port", "exceptions", "is_direct"),
    [
        ("api.corp.example", 6443, "*.corp.example", True),
        ("api.corp.example", 6443, ".corp.example", True),
        ("api.corp.example", 6443, "corp.example", True),
        ("API.corp.example", 6443, "Corp.Example", True),
        ("api.corp.example", 6443, "api.corp.example:6443", True),
        ("api.corp.example", 6443, "corp.example:6443", True),
        ("api.corp.example", 6443, "*.corp.example:6443", True),
        ("api.corp.example", 6443, "api.corp.example:443", False),
        ("api.corp.example", 443, "api.corp.example:443", True),
        ("api.corp.example", 6443, " other.example , corp.example ", True),
        ("api.corp.example", 6443, "other.example,,*", True),
        ("api.corp.example", 6443, "other.example corp.example", False),
        ("api.corp.example", 6443, ".api.corp.example", False),
        ("api.corp.example", 6443, "*.api.corp.example", False),
        ("api.corp.example", 6443, "*corp.example", False),
        ("api.corp.example", 6443, "i.corp.example", False),
        ("api.corp.example", 6443, "api", False),
        ("api.corp.example", 6443, ":6443", False),
        ("10.0.0.1", 6443, "10.0.0.1", True),
        ("10.0.0.1", 6443, "10.0.0.1:6443", True),
        ("10.0.0.1", 6443, "10.0.0.1:443", False),
        ("10.0.0.1", 6443, "10.0.0.0/8", True),
        ("10.0.0.1", 6443, "10.9.9.9/8", True),
        ("10.0.0.1", 6443, "11.0.0.0/8", False),
        ("10.0.0.1", 6443, "0.0.1", True),
        ("10.0.0.1", 6443, "10.0.0.10", False),
        ("fd00::1", 6443, "fd00::1", True),
        ("fd00::1", 6443, "[fd00::1]", True),
        ("fd00::1", 6443, "[fd00::1]:6443", True),
        ("fd00::1", 6443, "[fd00::1]:443", False),
        ("fd00::1", 6443, "FD00:0::1", True),
        ("fd00::1", 6443, "fd00::/8", True),
        ("localhost", 6443, "", True),
        ("127.0.0.1", 6443, "", True),
        ("127.9.9.9", 6443, "", True),
        ("::1", 6443, "", True),
        ("::ffff:127.0.0.1", 6443, "", True),
        ("0.0.0.0", 6443, "", False),
        ("sub.localhost", 6443, "", False),
    ],
)
def test_the_forms_of_no_proxy_mean_what_they_mean_to_kubectl(
    host: str, port: int, exceptions: str, is_direct: bool
) -> None:
    environ = {"HTTPS_PROXY": "http://proxy.corp.example:3128", "NO_PROXY": exceptions}
    assert (choose_proxy(host, port, environ, ProxyChoice()) is None) == is_direct


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("proxy", "http://proxy:80"),
        ("HTTP://proxy:3128/", "http://proxy:3128"),
        ("https://proxy", "https://proxy:443"),
        ("socks5://proxy", "socks5://proxy:1080"),
        ("socks5h://u:p@[fd00::1]:9", "socks5h://fd00::1:9"),
        ("10.0.0.1:3128", "http://10.0.0.1:3128"),
    ],
)
def test_the_forms_of_a_proxy(url: str, wanted: str) -> None:
    assert repr(choose_proxy("h", 443, {"HTTPS_PROXY": url}, ProxyChoice())) == f"Proxy({wanted})"


@pytest.mark.parametrize(
    "url", ["socks4://p:1", "socks://p:1", "ftp://p:1", "http://", "http://p:x", "http://p/path", "http://[p"]
)
def test_a_proxy_that_cannot_be_used_is_told_with_who_named_it(tmp_path: Path, url: str) -> None:
    config = of_cluster({"server": "https://10.0.0.1:6443", "proxy-url": url})
    path = tmp_path / "config"
    path.write_text(json.dumps(config), encoding="utf-8")
    for options, environ, source in (
        ({"kubeconfig": str(path)}, {}, f"proxy-url of cluster 'c' of kubeconfig {path}: "),
        (
            {"host": "https://h", "api_key": "t"},
            {"https_proxy": url},
            "the environment variable https_proxy: ",
        ),
        ({"host": "https://h", "api_key": "t", "proxy": url}, {}, "proxy (or K8S_AUTH_PROXY): "),
    ):
        with pytest.raises(ScanError) as caught:
            connect(ConnectionOptions(**options), environ)
        assert caught.value.reason == "bad_option"
        assert caught.value.message.startswith(source)


def of_cluster(cluster: dict[str, Any]) -> dict[str, Any]:
    return {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "tok"}}],
    }


def through(server: FakeApiServer, host: str, proxy: str, **options: Any) -> ClusterConnection:
    """A connection to the fake server under another name, by a proxy that the kubeconfig names."""
    config = server.kubeconfig()
    config["clusters"][0]["cluster"].update(
        {"server": f"https://{host}:{server.port}", "tls-server-name": "localhost", "proxy-url": proxy}
    )
    return connect(ConnectionOptions(kubeconfig=config, **options), {})


def reads_and_execs(connection: ClusterConnection) -> None:
    client = RestClient(connection)
    for _number in range(3):
        assert client.get("/api/v1/namespaces/shop/pods")["items"]
    client.close()
    outcome = exec_in_container(
        connection, "shop", "api-1", "app", ["cat"], b"x" * 10**6, timeout=60, output_limit=2 * 10**6
    )
    assert len(outcome.stdout) == 10**6


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize(("host", "kind"), [("api.test", 3), ("127.0.0.1", 1)])
def test_requests_and_exec_through_a_socks_proxy(
    server: FakeApiServer, scheme: str, host: str, kind: int
) -> None:
    with FakeSocksProxy() as proxy:
        reads_and_execs(through(server, host, f"{scheme}://{proxy.authority}"))
        assert proxy.targets == [f"{host}:{server.port}"] * 2, "the name goes to the proxy as it is"
        assert set(proxy.kinds) == {kind}


def test_a_socks_proxy_that_wants_a_login(server: FakeApiServer) -> None:
    with FakeSocksProxy(("anna", "p@ss")) as proxy:
        where = f"socks5://anna:p%40ss@{proxy.authority}"
        reads_and_execs(through(server, "api.test", where))
        headers = {"proxy_basic_auth": "anna:p@ss"}
        reads_and_execs(through(server, "api.test", f"socks5://{proxy.authority}", proxy_headers=headers))
        for url, needle in (
            (f"socks5://anna:secret@{proxy.authority}", "does not accept the user and password"),
            (f"socks5://{proxy.authority}", "wants a user and password"),
        ):
            error = opening_fails(through(server, "api.test", url))
            assert error.reason == "unreachable"
            assert f"refused a connection to api.test:{server.port} (it {needle}" in error.message
            assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("answer", "needle"),
    [
        (b"\x05\x02\x00\x01", "its rules do not allow the connection"),
        (b"\x05\x04\x00\x01", "the host is unreachable"),
        (b"\x05\x5b\x00\x01", "failure 91"),
        (b"\x04\x00\x00\x01", "its answer is not SOCKS5"),
        (b"\x05", "it closed the connection"),
    ],
)
def test_each_answer_of_a_socks_proxy_that_is_no_connection(
    server: FakeApiServer, answer: bytes, needle: str
) -> None:
    with FakeSocksProxy(answer=answer) as proxy:
        error = opening_fails(through(server, "api.test", f"socks5://{proxy.authority}"))
        assert error.reason == "unreachable"
        assert needle in error.message


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_never_answers(
    server: FakeApiServer, silent_port: int, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.3)
    error = opening_fails(through(server, "api.test", f"{scheme}://127.0.0.1:{silent_port}"))
    assert error.reason == "unreachable"
    assert error.message == (
        f"no connection to api.test:{server.port} by the proxy 127.0.0.1:{silent_port} within 0.3 s"
    )


def test_requests_and_exec_through_a_proxy_by_tls(authority: Authority) -> None:
    credential = basic_credential("anna", "p")
    with (
        FakeApiServer(authority, client_ca=True) as server,
        FakeProxy(credential, certificate=authority.server("localhost")) as proxy,
    ):
        server.add_pod("shop", "api-1", {"app": run_locally})
        where = f"https://anna:p@{proxy.authority}"
        connection = through(server, "api.test", where)
        reads_and_execs(connection)
        assert proxy.targets == [f"api.test:{server.port}"] * 2
        assert server.token not in "".join(proxy.heads)
        assert server.sessions_resumed == 1
        error = opening_fails(through(server, "api.test", f"https://{proxy.authority}"))
        assert "407" in error.message


def test_the_certificate_of_a_proxy_by_tls_is_checked_for_its_name(authority: Authority) -> None:
    with (
        FakeApiServer(authority) as server,
        FakeProxy(certificate=authority.server("wrong", ["DNS:other.test"])) as proxy,
    ):
        error = opening_fails(through(server, "api.test", f"https://{proxy.authority}"))
        assert error.reason == "tls_failed"
        assert error.message.startswith(f"the proxy {proxy.authority}: ")
        assert proxy.heads == [], "no credential before the certificate was accepted"


@pytest.mark.parametrize("count", [1, 8])
def test_interim_replies_of_a_proxy_are_passed_over(server: FakeApiServer, count: int) -> None:
    with FakeProxy(first=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * count) as proxy:
        reads_and_execs(through(server, "api.test", f"http://{proxy.authority}"))


def test_interim_replies_of_a_proxy_without_end(server: FakeApiServer) -> None:
    with FakeProxy(first=b"HTTP/1.1 100 Continue\r\n\r\n" * 9) as proxy:
        error = opening_fails(through(server, "api.test", f"http://{proxy.authority}"))
        assert "(more than 8 interim replies)" in error.message


def test_a_proxy_that_is_not_there(server: FakeApiServer) -> None:
    error = opening_fails(
        connect(ConnectionOptions(kubeconfig=server.kubeconfig(), proxy="http://127.0.0.1:1"), {})
    )
    assert error.reason == "unreachable"
    assert "the proxy 127.0.0.1:1" in error.message
