# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig that lies in a Secret of another cluster, the hub: where it is, and what the Secret's formats mean.

Whoever can write the Secret decides what stands in it. So it is foreign input: it cannot run a program, read a file of this
machine or leave a certificate unverified, unless the operator trusts the Secret.

Sources: Cluster API (Secret NAME-kubeconfig, key `value`), Argo CD (declarative set-up of clusters, type ClusterConfig), Open
Cluster Management (Secrets of managed service accounts, the keys of Kubernetes' own service account tokens).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlsplit

from ..errors import ScanError
from ..safe_text import server_text
from ..strict_json import load_json
from .kubeconfig import KubeconfigChoice, parse_kubeconfig
from .kubeconfig_shape import check_kubeconfig

KUBECONFIG, ARGOCD, TOKEN = "kubeconfig", "argocd", "token"
_DEFAULT_KEY = "value"
# How a pod reaches the API server of its own cluster.
_OWN_SERVERS = ("kubernetes.default.svc", "kubernetes.default", "kubernetes.default.svc.cluster.local")


@dataclass(frozen=True)
class KubeconfigSecret:
    """
    :param key: of a kubeconfig in the Secret; the other formats have their own keys
    :param format: `kubeconfig`; `argocd`, a cluster of Argo CD; `token`, the keys `token` and `ca.crt`
    :param trusted: whether it can do what a kubeconfig of the operator can
    """

    namespace: str
    name: str
    key: str = _DEFAULT_KEY
    format: str = KUBECONFIG
    trusted: bool = False

    def __str__(self) -> str:
        return f"the Secret {self.namespace}/{self.name}"


def kubeconfig_of(reference: KubeconfigSecret, data: Mapping[str, str], host: str) -> Mapping[str, Any]:
    """The kubeconfig that a Secret holds.

    :param data: the Secret's, each value in base64
    :param host: the API server's address where the operator gives one, else ""
    :raises ScanError: bad_hub_secret, naming the Secret and the key, and quoting no value
    """
    document = FORMATS[reference.format](_SecretData(reference, data), host)
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, TypeError):
        raise _bad(reference, "it has a text that is not UTF-8, or no value of JSON") from None
    try:
        check_kubeconfig(document, "its kubeconfig")
    except ScanError as error:
        raise _bad(reference, error.message) from None
    return document


def check_foreign(reference: KubeconfigSecret, choice: KubeconfigChoice, verification_is_said: bool) -> None:
    """Refuse what only a kubeconfig of the operator can ask for.

    :param verification_is_said: whether the operator has said if the server's certificate is checked
    :raises ScanError: foreign_kubeconfig
    """
    user, cluster = choice.user, choice.cluster
    asks = [
        (bool(user.content.get("exec")), "run a program (exec)"),
        (bool(user.content.get("auth-provider")), "run a program or ask another server (auth-provider)"),
        (bool(user.text("tokenFile")), "read a file of this machine (tokenFile)"),
        (bool(user.text("client-certificate")), "read a file of this machine (client-certificate)"),
        (bool(user.text("client-key")), "read a file of this machine (client-key)"),
        (bool(cluster.text("certificate-authority")), "read a file of this machine (certificate-authority)"),
    ]
    for is_asked, what in asks:
        if is_asked and not reference.trusted:
            raise ScanError("foreign_kubeconfig", f"the kubeconfig of {reference} asks to {what}")
    if cluster.content.get("insecure-skip-tls-verify") and not (reference.trusted or verification_is_said):
        raise ScanError(
            "foreign_kubeconfig",
            f"the kubeconfig of {reference} asks not to verify the server's certificate (insecure-skip-tls-verify)",
            advice="Put the cluster's CA into the Secret, or say by validate_certs whether its certificate is verified.",
        )


def is_own_server(url: str) -> bool:
    """Whether an address of an API server is the one by which a pod reaches that of its own cluster."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".") in _OWN_SERVERS
    except ValueError:
        return False


class _SecretData:
    """The values of a Secret."""

    def __init__(self, reference: KubeconfigSecret, data: Mapping[str, str]) -> None:
        self.reference = reference
        self._data = data

    def value(self, key: str) -> bytes:
        """:raises ScanError: bad_hub_secret for one that is missing or is not base64"""
        found = self._data.get(key)
        if not found:
            keys = ", ".join(sorted(self._data)[:20]) or "none"
            raise _bad(self.reference, f"it has no key {key!r}; its keys are: {keys}")
        try:
            return base64.b64decode(found, validate=True)
        except (binascii.Error, ValueError):
            raise _bad(self.reference, f"the value of {key!r} is not base64") from None

    def text(self, key: str) -> str:
        """:raises ScanError: bad_hub_secret"""
        try:
            return self.value(key).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise _bad(self.reference, f"the value of {key!r} is not UTF-8") from None

    def encoded(self, key: str) -> str:
        """The value in base64, "" where there is none."""
        return self._data.get(key) or ""


def _read_kubeconfig(data: _SecretData, host: str) -> Mapping[str, Any]:
    key = data.reference.key or _DEFAULT_KEY
    try:
        document = parse_kubeconfig(data.value(key), f"the value of {key!r}")
    except ScanError as error:
        if error.reason != "bad_file":
            raise
        raise _bad(data.reference, error.message) from None
    if not document:
        raise _bad(data.reference, f"the value of {key!r} is empty")
    return document


def _read_argocd(data: _SecretData, host: str) -> Mapping[str, Any]:
    reference = data.reference
    server = data.text("server")
    if not host and is_own_server(server):
        raise _bad(
            reference,
            "its server is that of a pod's own cluster, the hub itself",
            "Scan the hub by its own kubeconfig, or say by host how its API server is reached.",
        )
    try:
        config = load_json(data.text("config"))
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise _bad(reference, "the value of 'config' is not a JSON object")
    if config.get("awsAuthConfig"):
        raise _bad(
            reference,
            "its config has awsAuthConfig, which only a program of Argo CD understands",
            "Give the cluster another credential: a bearerToken, a client certificate, or execProviderConfig with trusted.",
        )
    tls = config.get("tlsClientConfig") or {}
    if not isinstance(tls, dict):
        raise _bad(reference, "tlsClientConfig in its config is not an object")
    plugin = config.get("execProviderConfig")
    cluster = {
        "server": server,
        "tls-server-name": tls.get("serverName"),
        "insecure-skip-tls-verify": tls.get("insecure"),
        "certificate-authority-data": tls.get("caData"),
        "proxy-url": config.get("proxyUrl"),
    }
    user = {
        "token": config.get("bearerToken"),
        "username": config.get("username"),
        "password": config.get("password"),
        "client-certificate-data": tls.get("certData"),
        "client-key-data": tls.get("keyData"),
        "exec": _exec_of_argocd(plugin) if isinstance(plugin, dict) else plugin,
    }
    return _kubeconfig(data.text("name"), cluster, user)


def _exec_of_argocd(plugin: Mapping[str, Any]) -> Mapping[str, Any]:
    variables = plugin.get("env")
    return {
        "command": plugin.get("command"),
        "args": plugin.get("args"),
        "apiVersion": plugin.get("apiVersion"),
        "installHint": plugin.get("installHint"),
        "interactiveMode": "Never",
        "env": [{"name": name, "value": value} for name, value in variables.items()]
        if isinstance(variables, dict)
        else variables,
    }


def _read_token(data: _SecretData, host: str) -> Mapping[str, Any]:
    if not host:
        raise _bad(
            data.reference, "a token says nothing of its server", "Give the address of the API server: host."
        )
    cluster = {"server": host, "certificate-authority-data": data.encoded("ca.crt")}
    return _kubeconfig(data.reference.namespace, cluster, {"token": data.text("token")})


def _kubeconfig(name: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Mapping[str, Any]:
    """One of one context; what is not set is left out."""
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {key: value for key, value in cluster.items() if value}}],
        "users": [{"name": name, "user": {key: value for key, value in user.items() if value}}],
    }


def _bad(reference: KubeconfigSecret, why: str, advice: str = "") -> ScanError:
    return ScanError("bad_hub_secret", f"{reference} cannot be used: {server_text(why)}", advice=advice)


FORMATS: Mapping[str, Callable[[_SecretData, str], Mapping[str, Any]]] = {
    KUBECONFIG: _read_kubeconfig,
    ARGOCD: _read_argocd,
    TOKEN: _read_token,
}
