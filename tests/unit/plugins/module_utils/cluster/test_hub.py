# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster is reached by a Secret of its hub, which can ask for nothing that only the operator can."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.hub import connect_as_given
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.kubeconfig_secret import (
    KubeconfigSecret,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.request_log import RequestLog
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.connection import (
    connection_options,
    connection_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.values import read_values
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

PATH = "/api/v1/namespaces/fleet/secrets/prod-kubeconfig"
SECRET = KubeconfigSecret("fleet", "prod-kubeconfig")


@pytest.fixture
def hub(authority: Authority) -> Iterator[FakeApiServer]:
    with FakeApiServer(authority) as running:
        yield running


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode("utf-8") if isinstance(text, str) else text).decode("ascii")


def inline(server: FakeApiServer, **user: Any) -> dict[str, Any]:
    """A kubeconfig as a hub keeps it: without paths."""
    config = server.kubeconfig(**user)
    cluster = config["clusters"][0]["cluster"]
    cluster["certificate-authority-data"] = encoded(Path(cluster.pop("certificate-authority")).read_bytes())
    return config


def put(hub: FakeApiServer, **data: str) -> None:
    hub.objects.put(
        PATH,
        {"metadata": {"namespace": "fleet"}, "data": {key: encoded(value) for key, value in data.items()}},
    )


def options(hub: FakeApiServer, secret: KubeconfigSecret = SECRET, **more: Any) -> ConnectionOptions:
    return ConnectionOptions(kubeconfig_secret=secret, hub_kubeconfig=hub.kubeconfig(), **more)


def failure(given: ConnectionOptions, environ: dict[str, str] | None = None) -> ScanError:
    with pytest.raises(ScanError) as caught:
        connect_as_given(given, environ or {})
    return caught.value


def user_seen(server: FakeApiServer, given: ConnectionOptions, environ: dict[str, str] | None = None) -> str:
    RestClient(connect_as_given(given, environ or {})).get("/api/v1/namespaces/shop/pods")
    return server.requests[-1].user


def argocd(server: FakeApiServer, **config: Any) -> dict[str, str]:
    tls = {"caData": encoded(server.authority.ca.read_bytes())}
    return {"name": "prod", "server": server.url, "config": json.dumps({"tlsClientConfig": tls, **config})}


def test_a_kubeconfig_of_a_secret_reaches_the_cluster(hub: FakeApiServer, server: FakeApiServer) -> None:
    token = server.grants.issue("anna", 3600)
    put(hub, value=yaml.safe_dump(inline(server, token=token)))
    lines: list[str] = []
    connection = connect_as_given(options(hub), {}, RequestLog(lines.append))
    RestClient(connection).get("/api/v1/namespaces/shop/pods")
    assert server.requests[-1].user == "anna"
    assert [seen.path for seen in hub.requests] == [PATH]
    assert lines[0].startswith(f"hub GET {PATH} -> 200")
    assert token not in "".join(lines) + repr(connection)


def test_a_cluster_of_argo_cd_is_reached_by_its_token(hub: FakeApiServer, server: FakeApiServer) -> None:
    put(hub, **argocd(server, bearerToken=server.grants.issue("argo", 3600)))
    secret = KubeconfigSecret("fleet", "prod-kubeconfig", format="argocd")
    assert user_seen(server, options(hub, secret)) == "argo"


def test_a_token_of_a_managed_service_account_needs_its_server(
    hub: FakeApiServer, server: FakeApiServer
) -> None:
    put(
        hub,
        token=server.grants.issue("managed", 3600),
        **{"ca.crt": server.authority.ca.read_text(encoding="utf-8")},
    )
    secret = KubeconfigSecret("fleet", "prod-kubeconfig", format="token")
    assert user_seen(server, options(hub, secret, host=server.url)) == "managed"
    error = failure(options(hub, secret))
    assert error.reason == "bad_hub_secret"
    assert "host" in error.advice


def test_the_environment_is_about_the_hub_alone(hub: FakeApiServer, server: FakeApiServer) -> None:
    put(hub, value=yaml.safe_dump(inline(server, token=server.grants.issue("anna", 3600))))
    environ = {
        "K8S_AUTH_HOST": hub.url,
        "K8S_AUTH_API_KEY": hub.token,
        "K8S_AUTH_SSL_CA_CERT": str(hub.authority.ca),
        "K8S_AUTH_IMPERSONATE_USER": "auditor",
    }
    assert user_seen(server, ConnectionOptions(kubeconfig_secret=SECRET), environ) == "anna"
    headers = {name.lower(): value for name, value in hub.requests[-1].headers.items()}
    assert headers["impersonate-user"] == "auditor"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            {"user": {"exec": {"command": "/bin/true", "apiVersion": "client.authentication.k8s.io/v1"}}},
            "exec",
        ),
        ({"user": {"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/true"}}}}, "auth-provider"),
        ({"user": {"tokenFile": "/etc/passwd"}}, "tokenFile"),
        ({"user": {"client-certificate": "/etc/passwd", "client-key": "/etc/passwd"}}, "client-certificate"),
        ({"cluster": {"certificate-authority": "/etc/passwd"}}, "certificate-authority"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "insecure-skip-tls-verify"),
    ],
)
def test_what_only_the_operator_can_ask_for_is_refused(
    hub: FakeApiServer, server: FakeApiServer, change: dict[str, Any], word: str
) -> None:
    config = inline(server)
    config["users"][0]["user"].update(change.get("user", {}))
    config["clusters"][0]["cluster"].update(change.get("cluster", {}))
    put(hub, value=yaml.safe_dump(config))
    error = failure(options(hub))
    assert error.reason == "foreign_kubeconfig"
    assert word in error.message
    assert server.requests == []


def test_a_trusted_secret_can_run_a_program(
    hub: FakeApiServer, server: FakeApiServer, tmp_path: Path
) -> None:
    token = server.grants.issue("plugin", 3600)
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": token},
    }
    program = {
        "command": "/bin/sh",
        "args": ["-c", 'printf %s "$ANSWER"'],
        "env": {"ANSWER": json.dumps(answer)},
        "apiVersion": "client.authentication.k8s.io/v1beta1",
    }
    put(hub, **argocd(server, execProviderConfig=program))
    untrusted = KubeconfigSecret("fleet", "prod-kubeconfig", format="argocd")
    assert failure(options(hub, untrusted)).reason == "foreign_kubeconfig"
    trusted = KubeconfigSecret("fleet", "prod-kubeconfig", format="argocd", trusted=True)
    assert user_seen(server, options(hub, trusted)) == "plugin"


def test_verification_that_the_operator_has_decided_is_not_the_secrets(
    hub: FakeApiServer, server: FakeApiServer
) -> None:
    config = inline(server)
    config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    put(hub, value=yaml.safe_dump(config))
    assert user_seen(server, options(hub, validate_certs=True)) == "admin"


@pytest.mark.parametrize(
    ("data", "format_name", "word"),
    [
        ({"other": "x"}, "kubeconfig", "no key 'value'; its keys are: other"),
        ({"value": "planted: [secret"}, "kubeconfig", "not valid YAML"),
        ({"value": "planted-secret"}, "kubeconfig", "not a kubeconfig"),
        ({"value": "users: [{name: a, user: {token: 5}}]"}, "kubeconfig", "must be text"),
        ({"value": "current-context: gone"}, "kubeconfig", "no context 'gone'"),
        ({"value": 'contexts: [{name: "\\e[31mred"}]'}, "kubeconfig", "one of: \\x1b[31mred"),
        ({"value": ""}, "kubeconfig", "no key"),
        ({"name": "a", "server": "https://a", "config": "planted-secret"}, "argocd", "not a JSON object"),
        (
            {"name": "a", "server": "https://a", "config": '{"awsAuthConfig": {"clusterName": "planted"}}'},
            "argocd",
            "awsAuthConfig",
        ),
        ({"name": "a", "server": "https://a", "config": "{}"}, "argocd", "has no credential"),
        (
            {"name": "a", "server": "https://a", "config": '{"tlsClientConfig": "planted"}'},
            "argocd",
            "not an object",
        ),
        ({"name": "a", "server": "https://a", "config": "[" * 50000}, "argocd", "not a JSON object"),
        ({"name": "a", "server": "https://a", "config": '{"bearerToken": 5}'}, "argocd", "must be text"),
        (
            {"name": "a", "server": "https://kubernetes.default.svc", "config": "{}"},
            "argocd",
            "the hub itself",
        ),
        (
            {"name": "a", "server": "https://Kubernetes.default.svc./", "config": "{}"},
            "argocd",
            "the hub itself",
        ),
        ({"name": "a", "server": "https://[::1", "config": '{"bearerToken": "t"}'}, "argocd", "not a URL"),
        ({"name": "a", "server": "https://a", "config": '{"bearerToken": "\\ud800"}'}, "argocd", "not UTF-8"),
        *(
            ({"name": "a", "server": server, "config": '{"bearerToken": "t"}'}, "argocd", "not a URL")
            for server in ("https://a b", "https://a/x y", "https://a/\u20ac", "https://" + "a" * 300)
        ),
        *(
            (
                {
                    "name": "a",
                    "server": "https://a",
                    "config": json.dumps(
                        {"bearerToken": "t", "tlsClientConfig": {"serverName": name}, "proxyUrl": proxy}
                    ),
                },
                "argocd",
                word,
            )
            for name, proxy, word in (
                ("\0", None, "tls-server-name"),
                ("a\nb", None, "tls-server-name"),
                ("a" * 300, None, "tls-server-name"),
                (None, "http://\0", "scheme://host:port"),
                (None, "http://" + "a" * 300, "scheme://host:port"),
            )
        ),
        ({"value": '{"users": [{"name": "\\ud800"}]}'}, "kubeconfig", "not UTF-8"),
    ],
)
def test_a_secret_that_holds_something_else_is_named_and_not_quoted(
    hub: FakeApiServer, data: dict[str, str], format_name: str, word: str
) -> None:
    put(hub, **data)
    error = failure(options(hub, KubeconfigSecret("fleet", "prod-kubeconfig", format=format_name)))
    assert error.reason == "bad_hub_secret"
    assert "fleet/prod-kubeconfig" in str(error)
    assert word in str(error)
    assert "planted" not in str(error)


def test_a_missing_right_on_the_hub_says_which(hub: FakeApiServer) -> None:
    hub.grants.deny = lambda user, method, path: "secrets is forbidden" if "/secrets/" in path else None
    error = failure(options(hub))
    assert error.reason == "not_permitted"
    assert "the Secret fleet/prod-kubeconfig of the hub" in error.tried
    assert "verb get on the Secret prod-kubeconfig" in error.advice


def test_a_hub_that_does_not_answer_is_not_waited_for_when_the_task_is_cancelled(hub: FakeApiServer) -> None:
    hub.faults.append(Fault("silence"))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ScanError) as caught:
        connect_as_given(options(hub), {}, None, cancel)
    assert caught.value.reason == "cancelled"


def test_a_missing_secret_and_a_hub_without_credential(hub: FakeApiServer, tmp_path: Path) -> None:
    assert "no kubeconfig yet" in failure(options(hub)).advice
    error = failure(ConnectionOptions(kubeconfig_secret=SECRET), {"HOME": str(tmp_path)})
    assert error.reason == "no_credential"
    assert "hub_kubeconfig" in error.advice


@pytest.mark.parametrize(
    "more", [{"api_key": "mine"}, {"kubeconfig": "x"}, {"in_cluster": True}, {"client_cert": "x"}]
)
def test_no_credential_of_the_operator_goes_to_a_server_of_a_secret(
    hub: FakeApiServer, more: dict[str, Any]
) -> None:
    assert failure(options(hub, **more)).reason == "bad_option"
    assert hub.requests == []


def test_no_password_of_a_proxy_goes_to_a_proxy_of_a_secret(
    hub: FakeApiServer, server: FakeApiServer
) -> None:
    config = inline(server)
    config["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:1"
    put(hub, value=yaml.safe_dump(config))
    headers = {"proxy_basic_auth": "me:planted"}
    error = failure(options(hub, proxy_headers=headers))
    assert error.reason == "foreign_kubeconfig"
    assert "proxy-url" in error.message and "planted" not in str(error)
    connection = connect_as_given(options(hub, proxy_headers=headers, proxy="http://127.0.0.2:1"), {})
    assert "127.0.0.2" in repr(connection.endpoint.proxy)


def test_beginnings_of_certificates_take_no_time(hub: FakeApiServer, server: FakeApiServer) -> None:
    config = inline(server)
    pem = encoded("-----BEGIN CERTIFICATE-----\n" * 80_000)
    config["clusters"][0]["cluster"]["certificate-authority-data"] = pem
    put(hub, value=json.dumps(config))
    begun = time.process_time()
    assert "no usable PEM certificate" in failure(options(hub)).message
    assert time.process_time() - begun < 5


def test_hub_options_alone_and_a_secret_that_nobody_reads_are_mistakes(hub: FakeApiServer) -> None:
    assert failure(ConnectionOptions(hub_context="hub")).reason == "bad_option"
    with pytest.raises(ValueError, match="connect_as_given"):
        connect(options(hub), {})


@pytest.mark.parametrize(
    "value",
    [
        {"namespace": "fleet"},
        {"namespace": "fleet", "name": "../../nodes"},
        {"namespace": "fleet/x", "name": "a"},
        {"namespace": "fleet", "name": "*"},
        {"namespace": "fleet", "name": "a", "format": "yaml"},
        {"namespace": "fleet", "name": "a", "contxt": "x"},
    ],
)
def test_a_reference_that_cannot_be_a_secret_is_refused(value: dict[str, Any]) -> None:
    read = read_values(connection_spec(), {"kubeconfig_secret": value})
    if not read.problems:
        with pytest.raises(ScanError, match="kubeconfig_secret"):
            connection_options(read.values)


def test_a_reference_as_a_survey_writes_it() -> None:
    read = read_values(
        connection_spec(), {"kubeconfig_secret": '{"namespace": "fleet", "name": "a", "key": ""}'}
    )
    assert connection_options(read.values).kubeconfig_secret == KubeconfigSecret("fleet", "a")
