# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exec plugins, token files and auth providers: renewed when they must be, and clear when they fail."""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import exec_plugin
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
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

V1 = "client.authentication.k8s.io/v1"


class Plugin:
    """A plugin that prints the file `answer`, counts its runs and keeps its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = folder / "plugin"
        self.command.write_text(
            "#!{}\nimport os, sys\n"
            "open({!r}, 'a').write('run\\n')\n"
            "open({!r}, 'w').write(os.environ['KUBERNETES_EXEC_INFO'] + '\\n' + os.environ.get('EXTRA', "
            "''))\n"
            "exec(open({!r}).read())\n".format(
                sys.executable, str(folder / "runs"), str(folder / "info"), str(folder / "code")
            ),
            encoding="utf-8",
        )
        self.command.chmod(0o755)

    def answers(self, status: dict[str, Any], version: str = V1) -> None:
        document = {"apiVersion": version, "kind": "ExecCredential", "status": status}
        self.runs_code(f"print({json.dumps(document)!r})")

    def runs_code(self, code: str) -> None:
        (self.folder / "code").write_text(code, encoding="utf-8")

    def runs(self) -> int:
        path = self.folder / "runs"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0

    def config(self, **changes: Any) -> dict[str, Any]:
        return dict(
            {"apiVersion": V1, "command": str(self.command), "interactiveMode": "IfAvailable"}, **changes
        )


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


def connected(server: FakeApiServer, config: dict[str, Any]) -> ClusterConnection:
    return connect(ConnectionOptions(kubeconfig=server.kubeconfig(exec=config)), {"PATH": "/usr/bin:/bin"})


def who(connection: ClusterConnection, server: FakeApiServer) -> str:
    RestClient(connection).get("/api/v1/namespaces/shop/pods")
    return server.requests[-1].user


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_a_plugin_is_run_once_while_its_token_holds(server: FakeApiServer, plugin: Plugin) -> None:
    plugin.answers({"token": server.grants.issue("anna", 3600), "expirationTimestamp": moment(3600)})
    connection = connected(
        server, plugin.config(env=[{"name": "EXTRA", "value": "more"}], provideClusterInfo=True)
    )
    assert [who(connection, server) for _number in range(3)] == ["anna"] * 3
    assert plugin.runs() == 1
    info_text, extra = (plugin.folder / "info").read_text(encoding="utf-8").split("\n")
    info = json.loads(info_text)
    assert extra == "more"
    assert info["spec"]["interactive"] is False
    assert info["spec"]["cluster"]["server"] == server.url
    assert (
        base64.b64decode(info["spec"]["cluster"]["certificate-authority-data"])
        == server.authority.ca.read_bytes()
    )


@pytest.mark.parametrize("expires", [10, -10, "2020-01-01T00:00:00.123456789+02:00"])
def test_a_plugin_is_run_again_when_its_token_expires(
    server: FakeApiServer, plugin: Plugin, expires: int | str
) -> None:
    expires = moment(expires) if isinstance(expires, int) else expires
    plugin.answers({"token": server.grants.issue("anna", 3600), "expirationTimestamp": expires})
    connection = connected(server, plugin.config())
    plugin.answers({"token": server.grants.issue("ben", 3600), "expirationTimestamp": moment(3600)})
    assert who(connection, server) == "ben"


def test_a_refused_token_is_renewed_once(server: FakeApiServer, plugin: Plugin) -> None:
    first = server.grants.issue("anna", 3600)
    plugin.answers({"token": first})
    connection = connected(server, plugin.config())
    server.grants.users.pop(first)
    plugin.answers({"token": server.grants.issue("ben", 3600)})
    assert (
        exec_in_container(
            connection, "shop", "api-1", "app", ["true"], b"", timeout=30, output_limit=10
        ).exit_code
        == 0
    )
    assert server.requests[-1].user == "ben"
    assert plugin.runs() == 2
    server.grants.users.clear()
    with pytest.raises(ScanError) as caught:
        RestClient(connection).get("/api/v1/namespaces/shop/pods")
    assert caught.value.reason == "not_authenticated"
    assert plugin.runs() == 3


def test_a_plugins_client_certificate_and_its_successor(authority: Any, plugin: Plugin) -> None:
    def answer(user: str) -> None:
        pair = authority.client(user)
        plugin.answers(
            {
                "clientCertificateData": pair.certificate.read_text(),
                "clientKeyData": pair.key.read_text(),
                "expirationTimestamp": moment(1),
            }
        )

    with FakeApiServer(authority, client_ca=True) as server:
        answer("carla")
        connection = connected(server, plugin.config())
        client = RestClient(connection)
        client.get("/api/v1/namespaces/shop/pods")
        assert server.requests[-1].user == "carla"
        answer("dora")
        client.get("/api/v1/namespaces/shop/pods")
        assert server.requests[-1].user == "dora", "a kept connection belongs to the old certificate"


@pytest.mark.parametrize(
    ("code", "needle"),
    [
        (
            "sys.stderr.write('\\x1b[31mlogin has expired\\nsecret details\\n'); sys.exit(3)",
            "ended with exit code 3: \\x1b[31mlogin has expired",
        ),
        ("sys.exit(1)", "exit code 1: it printed no message"),
        ("sys.stderr.write('x' * 100000); sys.exit(1)", "xxx…"),
        ("print('hello')", "not a valid ExecCredential"),
        ("print('{}')", "not a valid ExecCredential"),
        ("print('[' * 100000)", "not a valid ExecCredential"),
        ('print(\'{"apiVersion": "v1", "kind": "ExecCredential", "status": {}}\')', "no ExecCredential of"),
        (
            f'print(\'{{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {{}}}}\')',
            "neither a token nor",
        ),
        (
            f'print(\'{{"apiVersion": "{V1}", "kind": "ExecCredential", "status": {{"clientKeyData": "x"}}}}\')',
            "certificate without its key",
        ),
    ],
)
def test_each_failure_of_a_plugin_is_told_apart(
    server: FakeApiServer, plugin: Plugin, code: str, needle: str
) -> None:
    plugin.runs_code(code)
    with pytest.raises(ScanError) as caught:
        connected(server, plugin.config())
    assert caught.value.reason == "no_credential"
    assert needle in caught.value.message
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("config", "reason", "needle"),
    [
        ({"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "bad_file", "v1alpha1"),
        ({"command": None}, "bad_file", "no command"),
        (
            {"command": "/nonexistent/login", "installHint": "install it from\nthe shop"},
            "no_credential",
            "be started",
        ),
        ({"interactiveMode": "Always"}, "no_credential", "terminal"),
        ({"interactiveMode": "Sometimes"}, "bad_file", "'Sometimes', not one of Never, IfAvailable, Always"),
        ({"interactiveMode": None}, "bad_file", "no interactiveMode"),
        ({"env": [{"value": "A"}]}, "bad_file", "env without a name"),
        ({"env": [None]}, "bad_file", "env without a name"),
        ({"env": [{"name": "A", "value": True}]}, "bad_file", "exec.env[0].value must be text"),
        ({"env": [{"name": "A", "value": 5}]}, "bad_file", "exec.env[0].value must be text"),
        ({"env": {"A": "x"}}, "bad_file", "exec.env must be a list, but is a mapping"),
        ({"env": ["A=x"]}, "bad_file", "exec.env[0] must be a mapping, but is text"),
        ({"args": [True]}, "bad_file", "exec.args[0] must be text, but is true or false"),
        ({"args": "login"}, "bad_file", "exec.args must be a list, but is text"),
        ({"provideClusterInfo": "yes"}, "bad_file", "provideClusterInfo must be true or false"),
    ],
)
def test_configurations_of_plugins_that_cannot_be_used(
    server: FakeApiServer, plugin: Plugin, config: dict[str, Any], reason: str, needle: str
) -> None:
    with pytest.raises(ScanError) as caught:
        connected(server, plugin.config(**config))
    assert caught.value.reason == reason
    assert needle in caught.value.message
    if "installHint" in config:
        assert caught.value.advice == "install it from the shop"


def test_a_plugin_that_hangs_is_ended_with_its_children(
    server: FakeApiServer, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_plugin, "PLUGIN_SECONDS", 0.3)
    child = plugin.folder / "child"
    plugin.runs_code(
        "import pathlib, subprocess, time\n"
        f"pathlib.Path({str(child)!r}).write_text(str(subprocess.Popen(['sleep', '600']).pid))\ntime.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(ScanError) as caught:
        connected(server, plugin.config())
    assert "did not end within 0.3 s" in caught.value.message
    assert time.monotonic() - started < 30
    # a slow machine ends the plugin before it has a child
    status = Path("/proc", child.read_text(), "status") if child.exists() else child
    wait_until(lambda: not status.exists() or "\nState:\tZ" in status.read_text(), "the child is ended")


def test_a_token_file_is_read_again_when_it_changes(server: FakeApiServer, tmp_path: Path) -> None:
    path = tmp_path / "token"
    users: list[str] = []
    path.write_text(server.grants.issue("anna", 3600) + "\n", encoding="ascii")
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig(tokenFile=str(path))), {})
    users.append(who(connection, server))
    # The kubelet swaps a link; here a rename does.
    (tmp_path / "next").write_text(server.grants.issue("ben", 3600) + "\n", encoding="ascii")
    (tmp_path / "next").rename(path)
    users.append(who(connection, server))
    path.unlink()
    with pytest.raises(ScanError) as caught:
        who(connection, server)
    assert caught.value.reason == "no_credential"
    assert users == ["anna", "ben"]


def test_a_token_beside_a_token_file_is_used_only_while_that_cannot_be_read(
    server: FakeApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    user = {"tokenFile": str(path), "token": server.grants.issue("old", 3600)}
    connection = connect(ConnectionOptions(kubeconfig=server.kubeconfig(**user)), {})
    users = [who(connection, server)]
    path.write_text(server.grants.issue("anna", 3600), encoding="ascii")
    users.append(who(connection, server))
    path.unlink()
    users.append(who(connection, server))
    assert users == ["old", "anna", "anna"], "what was read last holds, as with kubectl"


@pytest.mark.parametrize(
    ("entry", "wanted"), [({"value": None}, "[]"), ({}, "[]"), ({"value": ""}, "[]"), ({"value": "x"}, "[x]")]
)
def test_a_plugins_variable_without_a_value_is_an_empty_one(
    server: FakeApiServer, tmp_path: Path, entry: dict[str, Any], wanted: str
) -> None:
    program = tmp_path / "plugin.sh"
    program.write_text('#!/bin/sh\necho "[$AWS_PROFILE] $# [$2]" >&2; exit 3\n', encoding="utf-8")
    program.chmod(0o755)
    config = {
        "apiVersion": V1,
        "interactiveMode": "Never",
        "command": str(program),
        "args": ["a", None],
        "env": [{"name": "AWS_PROFILE", **entry}],
    }
    with pytest.raises(ScanError) as caught:
        connected(server, config)
    assert f"exit code 3: {wanted} 2 []" in caught.value.message


def test_the_install_hint_is_shown_where_the_program_is_missing_and_nowhere_else(
    server: FakeApiServer, plugin: Plugin
) -> None:
    plugin.runs_code("sys.exit(3)")
    with pytest.raises(ScanError) as caught:
        connected(server, plugin.config(installHint="install it from the shop"))
    assert "shop" not in str(caught.value)


def jwt(expires: float) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none"}, {"exp": int(expires), "pad": "xx"})
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


def test_an_auth_provider_is_served_by_the_kubernetes_package(server: FakeApiServer) -> None:
    pytest.importorskip("kubernetes")
    token = jwt(time.time() + 3600)
    server.grants.users[token] = "olga"
    user = {
        "auth-provider": {
            "name": "oidc",
            "config": {
                "id-token": token,
                "refresh-token": "r",
                "client-id": "c",
                "client-secret": "s",
                "idp-issuer-url": "https://127.0.0.1:1",
            },
        }
    }
    assert who(connect(ConnectionOptions(kubeconfig=server.kubeconfig(**user)), {}), server) == "olga"

    user["auth-provider"]["config"]["id-token"] = jwt(time.time() - 3600)  # type: ignore[index]
    with pytest.raises(ScanError) as caught:
        connect(ConnectionOptions(kubeconfig=server.kubeconfig(**user)), {})
    assert caught.value.reason == "no_credential"
    assert "auth-provider 'oidc'" in caught.value.message


def test_an_auth_provider_without_the_kubernetes_package(
    server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes.client", None)
    with pytest.raises(ScanError) as caught:
        connect(ConnectionOptions(kubeconfig=server.kubeconfig(**{"auth-provider": {"name": "oidc"}})), {})
    assert caught.value.reason == "missing_library"
