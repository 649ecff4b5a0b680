# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server and which identity a connection ends up with. The server says who it saw."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import (
    connection as connection_module,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


def who(connection: ClusterConnection, server: FakeApiServer) -> str:
    """The user that the server took a request for."""
    RestClient(connection).get("/api/v1/namespaces/shop/pods")
    return server.requests[-1].user


def failure(options: ConnectionOptions, environ: dict[str, str]) -> ScanError:
    with pytest.raises(ScanError) as caught:
        connect(options, environ)
    return caught.value


@pytest.fixture
def tokens(server: FakeApiServer) -> tuple[str, str]:
    return server.grants.issue("anna", 3600), server.grants.issue("ben", 3600)


def test_kubeconfig_as_mapping_path_and_variable(server: FakeApiServer, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    path.chmod(0o600)
    for options, environ in (
        (ConnectionOptions(kubeconfig=server.kubeconfig()), {}),
        (ConnectionOptions(kubeconfig=str(path)), {}),
        (ConnectionOptions(kubeconfig=path.read_text(encoding="utf-8")), {}),
        (ConnectionOptions(), {"K8S_AUTH_KUBECONFIG": str(path)}),
        (ConnectionOptions(), {"KUBECONFIG": str(path)}),
        (ConnectionOptions(context="test"), {"KUBECONFIG": str(path)}),
    ):
        connection = connect(options, environ)
        assert who(connection, server) == "admin"
        assert connection.cluster_name == "fake"
        assert connection.warnings == ()


def test_the_default_kubeconfig_of_kubectl(server: FakeApiServer, tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    assert who(connect(ConnectionOptions(), {"HOME": str(tmp_path)}), server) == "admin"


def test_host_with_token_by_options_and_by_variables(server: FakeApiServer, tokens: tuple[str, str]) -> None:
    ca = str(server.authority.ca)
    connection = connect(ConnectionOptions(host=server.url + "/", api_key=tokens[0], ca_cert=ca), {})
    assert who(connection, server) == "anna"
    assert connection.server == server.url
    assert connection.cluster_name == server.url[len("https://") :]
    variables = {"K8S_AUTH_HOST": server.url, "K8S_AUTH_API_KEY": tokens[1], "K8S_AUTH_SSL_CA_CERT": ca}
    assert who(connect(ConnectionOptions(), variables), server) == "ben"


def test_options_win_over_variables(server: FakeApiServer, tokens: tuple[str, str]) -> None:
    """A kubeconfig that was named keeps its own server, trust and credential whatever the environment says."""
    variables = {
        "K8S_AUTH_HOST": "https://other.test",
        "K8S_AUTH_API_KEY": tokens[0],
        "K8S_AUTH_VERIFY_SSL": "false",
        "K8S_AUTH_SSL_CA_CERT": "/nonexistent",
    }
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), variables)
    assert who(connection, server) == "admin"
    assert connection.warnings == ()
    variables = {"K8S_AUTH_API_KEY": tokens[0], "K8S_AUTH_USERNAME": "x", "K8S_AUTH_PASSWORD": "y"}
    options = ConnectionOptions(host=server.url, api_key=tokens[1], ca_cert=str(server.authority.ca))
    assert who(connect(options, variables), server) == "ben"


def test_the_proxy_and_the_user_to_act_as_of_variables_hold_beside_a_kubeconfig_that_an_option_names(
    server: FakeApiServer,
) -> None:
    config = server.kubeconfig(token=server.token, **{"as": "eve"})
    config["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:1"
    variables = {"K8S_AUTH_PROXY": "http://127.0.0.1:2", "K8S_AUTH_IMPERSONATE_USER": "mallory"}
    connection = connect(ConnectionOptions(kubeconfig=config), variables)
    assert connection.endpoint.proxy is not None and connection.endpoint.proxy.port == 2
    assert ("Impersonate-User", "mallory") in connection.headers()
    connection = connect(ConnectionOptions(kubeconfig=config, impersonate_user="anna"), variables)
    assert ("Impersonate-User", "anna") in connection.headers()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "kube.internal"),
        ({"host": "https://other.example:6443"}, "other.example"),
        ({"host": "https://other.example:6443", "api_key": "t"}, "other.example"),
        ({"host": "https://other.example:6443", "tls_server_name": "mine"}, "mine"),
        ({"tls_server_name": "mine"}, "mine"),
    ],
)
def test_the_server_name_of_a_kubeconfig_is_about_its_own_server(
    server: FakeApiServer, options: dict[str, str], expected: str
) -> None:
    config = server.kubeconfig()
    config["clusters"][0]["cluster"]["tls-server-name"] = "kube.internal"
    given: dict[str, Any] = options
    assert connect(ConnectionOptions(kubeconfig=config, **given), {}).endpoint.server_name == expected


def test_a_credential_given_beside_a_kubeconfig_replaces_that_of_its_user(
    server: FakeApiServer, tokens: tuple[str, str]
) -> None:
    config = server.kubeconfig(token=tokens[0])
    assert (
        who(connect(ConnectionOptions(kubeconfig=config, api_key="Bearer " + tokens[1]), {}), server) == "ben"
    )


def test_the_pods_own_identity_is_never_taken_unasked(
    server: FakeApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    token = server.grants.issue("system:serviceaccount:awx:runner", 3600)
    (folder / "token").write_text(token + "\n", encoding="ascii")
    (folder / "ca.crt").write_bytes(server.authority.ca.read_bytes())
    monkeypatch.setattr(connection_module, "_SERVICE_ACCOUNT", folder)
    pod = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "HOME": str(tmp_path),
    }

    error = failure(ConnectionOptions(), pod)
    assert error.reason == "no_credential"
    assert "only when it is asked for" in error.advice

    awx = dict(pod, K8S_AUTH_HOST="https://other.test", K8S_AUTH_API_KEY="x", K8S_AUTH_VERIFY_SSL="False")
    connection = connect(ConnectionOptions(in_cluster=True), awx)
    assert who(connection, server) == "system:serviceaccount:awx:runner"
    assert connection.warnings == ()

    # The kubelet replaces the token before it expires.
    (folder / "token").write_text(
        server.grants.issue("system:serviceaccount:awx:renewed", 3600), encoding="ascii"
    )
    assert who(connection, server) == "system:serviceaccount:awx:renewed"

    assert failure(ConnectionOptions(in_cluster=True), {}).reason == "no_credential"
    assert failure(ConnectionOptions(in_cluster=True, host="https://x"), pod).reason == "bad_option"


def test_a_host_alone_does_not_borrow_the_kubeconfigs_user(server: FakeApiServer, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    error = failure(ConnectionOptions(host=server.url), {"KUBECONFIG": str(path)})
    assert error.reason == "no_credential"
    assert error.message == "a host was given without api_key, client_cert or username"


@pytest.mark.parametrize(
    ("options", "reason", "needle"),
    [
        (
            {"kubeconfig": "/nonexistent/config"},
            "bad_file",
            "/nonexistent/config cannot be read (No such file",
        ),
        ({"context": "other"}, "no_credential", "there is no"),
        ({}, "no_credential", "no kubeconfig and no host"),
        ({"host": "http://127.0.0.1:8001", "api_key": "t"}, "bad_option", "https://"),
        ({"host": "https://", "api_key": "t"}, "bad_option", "https://host:port"),
        ({"host": "https://u:p@h", "api_key": "t"}, "bad_option", "https://host:port"),
        ({"host": "https://h:99999", "api_key": "t"}, "bad_option", "https://host:port"),
        ({"host": "https://h", "api_key": "two\nlines-secret"}, "no_credential", "characters"),
        ({"host": "https://h", "api_key": "t", "username": "u", "password": "p"}, "bad_option", "not both"),
        ({"host": "https://h", "username": "u"}, "bad_option", "go together"),
        ({"host": "https://h", "client_key": "k"}, "bad_option", "needs client_cert"),
        ({"host": "https://h", "client_cert": "/nonexistent"}, "bad_file", "client_cert /nonexistent"),
        (
            {"host": "https://h", "api_key": "t", "ca_cert": "/nonexistent"},
            "bad_file",
            "ca_cert /nonexistent",
        ),
        ({"host": "https://h", "api_key": "t", "ca_cert": os.devnull}, "bad_file", "CA"),
        (
            {"host": "https://h", "api_key": "t", "impersonate_groups": ["g"]},
            "bad_option",
            "impersonated user",
        ),
        (
            {"host": "https://h", "api_key": "t", "impersonate_user": "a\r\nX: y"},
            "bad_option",
            "Impersonate-User",
        ),
        ({"host": "https://h", "api_key": "t", "proxy": "socks4://p:1"}, "bad_option", "'socks4'"),
    ],
)
def test_each_failure_is_told_apart(
    tmp_path: Path, options: dict[str, Any], reason: str, needle: str
) -> None:
    error = failure(ConnectionOptions(**options), {"HOME": str(tmp_path)})
    assert error.reason == reason
    assert needle in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("user", "reason", "needle"),
    [
        ({"username": ""}, "no_credential", "user 'tester' of the kubeconfig has no credential"),
        ({"tokenFile": "/nonexistent/token"}, "no_credential", "/nonexistent/token"),
        ({"tokenFile": os.devnull}, "no_credential", "is empty"),
        ({"client-certificate-data": "QQ=="}, "bad_file", "without its key"),
        ({"client-key-data": "QQ=="}, "no_credential", "no credential"),
        ({"token": "secret", "username": "u"}, "bad_file", "has both a token and a username"),
        ({"token": "secret", "password": "p"}, "bad_file", "has both a token and a username"),
        (
            {"exec": {"command": "x"}, "auth-provider": {"name": "oidc"}},
            "bad_file",
            "both exec and auth-prov",
        ),
        ({"token": "t", "as-groups": ["g"]}, "bad_option", "need an impersonated user"),
        ({"token": "t", "as-uid": "5"}, "bad_option", "need an impersonated user"),
        ({"token": "t", "as-user-extra": {"k": ["v"]}}, "bad_option", "need an impersonated user"),
        (
            {"client-certificate-data": "QQ==", "client-key-data": "QQ=="},
            "bad_file",
            "cannot be used together",
        ),
        (
            {"client-certificate": "/nonexistent.crt", "client-key": "/x"},
            "bad_file",
            "client-certificate /nonexistent.crt",
        ),
    ],
)
def test_each_fault_of_a_user_is_told_apart(
    server: FakeApiServer, user: dict[str, Any], reason: str, needle: str
) -> None:
    error = failure(ConnectionOptions(kubeconfig=server.kubeconfig(**user)), {})
    assert error.reason == reason
    assert needle in str(error)


def test_validation_is_turned_off_by_the_option_only(server: FakeApiServer) -> None:
    config = server.kubeconfig()
    config["clusters"][0]["cluster"] = {"server": server.url, "insecure-skip-tls-verify": True}
    strict = connect(ConnectionOptions(kubeconfig=config), {})
    assert "insecure-skip-tls-verify" in strict.warnings[0]
    with pytest.raises(ScanError) as caught:
        RestClient(strict).get("/version")
    assert caught.value.reason == "tls_failed"
    lax = connect(ConnectionOptions(kubeconfig=config, validate_certs=False), {})
    assert who(lax, server) == "admin"
    assert "not verified" in lax.warnings[0]


def test_awxs_variable_without_a_ca_is_followed_with_a_warning(server: FakeApiServer) -> None:
    variables = {
        "K8S_AUTH_HOST": server.url,
        "K8S_AUTH_API_KEY": server.token,
        "K8S_AUTH_VERIFY_SSL": "False",
    }
    connection = connect(ConnectionOptions(), variables)
    assert who(connection, server) == "admin"
    assert "AWX" in connection.warnings[0]
    strict = connect(ConnectionOptions(validate_certs=True, ca_cert=str(server.authority.ca)), variables)
    assert strict.warnings == ()
    assert who(strict, server) == "admin"
    assert failure(ConnectionOptions(), dict(variables, K8S_AUTH_VERIFY_SSL="maybe")).reason == "bad_option"


def test_impersonation_by_option_by_variable_and_by_kubeconfig(server: FakeApiServer) -> None:
    def sent(options: ConnectionOptions, environ: dict[str, str]) -> dict[str, str]:
        who(connect(options, environ), server)
        return {
            name: value
            for name, value in server.requests[-1].headers.items()
            if name.startswith("impersonate")
        }

    plain = server.kubeconfig()
    assert sent(
        ConnectionOptions(kubeconfig=plain, impersonate_user="eve", impersonate_groups=["a", "b"]), {}
    ) == {"impersonate-user": "eve", "impersonate-group": "a,b"}
    assert sent(
        ConnectionOptions(kubeconfig=plain),
        {"K8S_AUTH_IMPERSONATE_USER": "eve", "K8S_AUTH_IMPERSONATE_GROUPS": "a, b"},
    ) == {"impersonate-user": "eve", "impersonate-group": "a,b"}
    user = {
        "token": server.token,
        "as": "eve",
        "as-groups": ["a"],
        "as-uid": "7",
        "as-user-extra": {"Reason/x": ["y"]},
    }
    assert sent(ConnectionOptions(kubeconfig=server.kubeconfig(**user)), {}) == {
        "impersonate-user": "eve",
        "impersonate-group": "a",
        "impersonate-uid": "7",
        "impersonate-extra-reason%2fx": "y",
    }


def test_the_scanners_identity_is_the_token_and_nothing_else(authority: Any) -> None:
    """The grantor has a client certificate and impersonates; nothing of that goes with the scanner's token."""
    with FakeApiServer(authority, client_ca=True) as server:
        grantor_pair = authority.client("grantor")
        scanner_token = server.grants.issue("scanner", 600)
        config = server.kubeconfig(
            **{
                "client-certificate": str(grantor_pair.certificate),
                "client-key": str(grantor_pair.key),
                "as": "boss",
            }
        )
        grantor = connect(ConnectionOptions(kubeconfig=config), {})
        scanner = grantor.with_bearer_token(scanner_token)
        assert who(grantor, server) == "boss"
        assert who(scanner, server) == "scanner"
        headers = server.requests[-1].headers
        assert headers["authorization"] == "Bearer " + scanner_token
        assert (server.requests[0].certificate, server.requests[-1].certificate) == ("grantor", "")
        assert not [name for name in headers if name.startswith("impersonate")]
        assert (scanner.server, scanner.cluster_name) == (grantor.server, grantor.cluster_name)

        # Once the token is dead there is no way back to the grantor: not by its session, not by its certificate.
        server.grants.users.clear()
        with pytest.raises(ScanError) as caught:
            RestClient(scanner).get("/api/v1/namespaces/shop/pods")
        assert caught.value.reason == "not_authenticated"
        assert server.requests[-1].user == ""


def test_client_certificates_from_files_and_from_data(authority: Any) -> None:
    with FakeApiServer(authority, client_ca=True) as server:
        pair = authority.client("carla")
        data = {
            "client-certificate-data": base64.b64encode(pair.certificate.read_bytes()).decode(),
            "client-key-data": base64.b64encode(pair.key.read_bytes()).decode(),
        }
        assert who(connect(ConnectionOptions(kubeconfig=server.kubeconfig(**data)), {}), server) == "carla"
        options = ConnectionOptions(
            host=server.url,
            ca_cert=str(authority.ca),
            client_cert=str(pair.certificate),
            client_key=str(pair.key),
        )
        assert who(connect(options, {}), server) == "carla"


def test_user_and_password(server: FakeApiServer) -> None:
    options = ConnectionOptions(
        host=server.url, ca_cert=str(server.authority.ca), username="dora", password="p:w"
    )
    assert who(connect(options, {}), server) == "dora"


def test_a_server_behind_a_gateways_path(server: FakeApiServer) -> None:
    options = ConnectionOptions(
        host=server.url + "/k8s/clusters/c-1/", api_key=server.token, ca_cert=str(server.authority.ca)
    )
    with pytest.raises(ScanError):
        RestClient(connect(options, {})).get("/api/v1/namespaces/shop/pods/none")
    assert server.requests[-1].path == "/k8s/clusters/c-1/api/v1/namespaces/shop/pods/none"


def test_secrets_do_not_show(server: FakeApiServer) -> None:
    options = ConnectionOptions(
        host="https://h",
        api_key="secret-1",
        password="secret-2",
        kubeconfig=server.kubeconfig(token="secret-3"),
    )
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {})
    for thing in (options, connection, connection.__dict__):
        assert "secret" not in repr(thing)
        assert server.token not in repr(thing)


def test_importing_costs_no_foreign_library() -> None:
    """The engine is imported by forked workers of every cluster; what it pulls in, each of them pays for."""
    room = connection_module.__name__.rpartition(".")[0]
    code = (
        "import json, sys\n"
        f"from {room} import connection, rest, websocket_exec\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    environ = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    done = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True)
    assert not {"kubernetes", "urllib3", "websocket", "requests", "ansible"} & set(json.loads(done.stdout))


@pytest.mark.parametrize("word", ["y", "Y", "yes", "t", "TRUE", "on", "1", " True "])
@pytest.mark.parametrize("is_true", [True, False])
def test_each_word_that_ansible_takes_for_a_boolean(server: FakeApiServer, word: str, is_true: bool) -> None:
    opposite = {
        "y": "n",
        "Y": "N",
        "yes": "No",
        "t": "f",
        "TRUE": "FALSE",
        "on": "OFF",
        "1": "0",
        " True ": "false",
    }
    text = word if is_true else opposite[word]
    options = ConnectionOptions(host=server.url, api_key="t", ca_cert=str(server.authority.ca))
    connection = connect(options, {"K8S_AUTH_VERIFY_SSL": text})
    assert connection.tls().verify is is_true


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_not_given(server: FakeApiServer, text: str) -> None:
    options = ConnectionOptions(host=server.url, api_key="t", ca_cert=str(server.authority.ca))
    environ = dict.fromkeys(("K8S_AUTH_VERIFY_SSL", "K8S_AUTH_USERNAME", "K8S_AUTH_PROXY"), text)
    assert connect(options, environ).tls().verify is True


def test_another_word_is_neither_true_nor_false(server: FakeApiServer) -> None:
    error = failure(ConnectionOptions(host=server.url, api_key="t"), {"K8S_AUTH_VERIFY_SSL": "maybe"})
    assert error.message == "K8S_AUTH_VERIFY_SSL is neither true nor false"


def token_that_ends(moment: int) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": moment}).encode()).decode().rstrip("=")
    return f"eyJh.{claims}.c2lnbmF0dXJl"


def refused(options: ConnectionOptions, environ: dict[str, str] | None = None) -> ScanError:
    with pytest.raises(ScanError) as caught:
        RestClient(connect(options, environ or {})).get("/api/v1/namespaces/shop/pods")
    assert caught.value.reason == "not_authenticated"
    return caught.value


def test_a_refused_credential_is_named_by_kubeconfig_context_user_and_server_and_never_shown(
    server: FakeApiServer, tmp_path: Path
) -> None:
    token = token_that_ends(1_600_000_000)
    path = tmp_path / "config"
    path.write_text(json.dumps(server.kubeconfig(token=token)), encoding="utf-8")
    error = refused(ConnectionOptions(kubeconfig=str(path)))
    assert error.cause == (
        f"{server.url} did not accept the token of user 'tester' (context 'test' of kubeconfig {path}). "
        "It says of itself that it ends at 2020-09-13T12:26:40Z."
    )
    assert "your own, not the scanner's" in error.advice
    assert token not in str(error)
    assert "c2lnbmF0dXJl" not in str(error)


@pytest.mark.parametrize(
    "token", ["a.b.c", "a.e30.c", "a.eyJleHAiOiAiMSJ9.c", "a.eyJleHAiOiAxZTk5fQ.c", "abc"]
)
def test_a_token_that_says_nothing_of_its_end(server: FakeApiServer, token: str) -> None:
    assert refused(ConnectionOptions(kubeconfig=server.kubeconfig(token=token))).cause.endswith(
        "of the kubeconfig)."
    )


def test_a_refused_credential_of_the_options_and_of_the_scanner(
    server: FakeApiServer, tmp_path: Path
) -> None:
    trust: dict[str, Any] = {"host": server.url, "ca_cert": str(server.authority.ca)}
    assert (
        "the token of api_key (or K8S_AUTH_API_KEY)."
        in refused(ConnectionOptions(api_key="x", **trust)).cause
    )
    (tmp_path / "token").write_text("x", encoding="ascii")
    user = {"tokenFile": str(tmp_path / "token")}
    assert (
        f"token file {tmp_path}/token of"
        in refused(ConnectionOptions(kubeconfig=server.kubeconfig(**user))).cause
    )
    scanner = connect(ConnectionOptions(kubeconfig=server.kubeconfig()), {}).with_bearer_token("dead")
    with pytest.raises(ScanError) as caught:
        RestClient(scanner).get("/api/v1/namespaces/shop/pods")
    assert caught.value.cause == f"{server.url} did not accept the scanner's token."
    assert "your own" not in caught.value.advice
