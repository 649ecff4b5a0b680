# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster, and as whom: the module's options first, then the K8S_AUTH_* variables.

Names and variables are those of the kubernetes.core collection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from .kubeconfig import KubeconfigSource
from .kubeconfig_secret import KubeconfigSecret

_VARIABLES = {
    "kubeconfig": "K8S_AUTH_KUBECONFIG",
    "context": "K8S_AUTH_CONTEXT",
    "host": "K8S_AUTH_HOST",
    "api_key": "K8S_AUTH_API_KEY",
    "username": "K8S_AUTH_USERNAME",
    "password": "K8S_AUTH_PASSWORD",
    "ca_cert": "K8S_AUTH_SSL_CA_CERT",
    "client_cert": "K8S_AUTH_CERT_FILE",
    "client_key": "K8S_AUTH_KEY_FILE",
    "validate_certs": "K8S_AUTH_VERIFY_SSL",
    "tls_server_name": "K8S_AUTH_TLS_SERVER_NAME",
    "proxy": "K8S_AUTH_PROXY",
    "no_proxy": "K8S_AUTH_NO_PROXY",
    "impersonate_user": "K8S_AUTH_IMPERSONATE_USER",
    "impersonate_groups": "K8S_AUTH_IMPERSONATE_GROUPS",
}
_PROXY_HEADER_VARIABLES = {
    "proxy_basic_auth": "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH",
    "basic_auth": "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH",
    "user_agent": "K8S_AUTH_PROXY_HEADERS_USER_AGENT",
}
_CREDENTIAL = ("api_key", "username", "password", "client_cert", "client_key")
_SERVER = ("host", "ca_cert", "validate_certs", "tls_server_name")
# The words that Ansible takes for a boolean, in any case.
TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})


@dataclass(frozen=True)
class ConnectionOptions:
    """The connection options; None for one that was not given.

    :param kubeconfig: a path (several separated as in PATH), the content as YAML text, or the content as a
        mapping
    :param api_key: a bearer token
    :param ca_cert: path of a PEM file; client_cert and client_key likewise
    :param validate_certs: False is the only way to turn verification off; a kubeconfig alone cannot
    :param proxy_headers: proxy_basic_auth and basic_auth (user:password), user_agent
    :param kubeconfig_secret: a kubeconfig in a Secret of the hub, which hub_kubeconfig and hub_context reach; `connect` does
        not read it, `connect_as_given` (hub.py) does
    :param in_cluster: use the service account of the pod that we run in. Only done if this is True.
    """

    kubeconfig: KubeconfigSource | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    validate_certs: bool | None = None
    tls_server_name: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    proxy_headers: Mapping[str, str] | None = None
    impersonate_user: str | None = None
    impersonate_groups: Sequence[str] | None = None
    in_cluster: bool = False
    kubeconfig_secret: KubeconfigSecret | None = None
    hub_kubeconfig: KubeconfigSource | None = None
    hub_context: str | None = None

    def __repr__(self) -> str:
        # Several of these are secrets, and a kubeconfig can contain some.
        given = sorted(field.name for field in dataclasses.fields(self) if getattr(self, field.name))
        return "ConnectionOptions({})".format(", ".join(given))

    @property
    def names_kubeconfig(self) -> bool:
        return bool(self.kubeconfig or self.context)

    @property
    def has_credential(self) -> bool:
        return any(getattr(self, name) for name in _CREDENTIAL)


def add_environment(options: ConnectionOptions, environ: Mapping[str, str]) -> ConnectionOptions:
    """Take options that were not given from the K8S_AUTH_* variables, each on its own.

    Where an option names a kubeconfig or context, no variable changes its server, trust or credential; a credential
    that is given by options keeps its own parts. The proxy and the user to act as are options for themselves: their
    variables hold beside a kubeconfig, too, and go before what it says. With `in_cluster` no variable is read.

    :raises ScanError: bad_option
    """
    if options.in_cluster:
        return options
    hidden = set(_CREDENTIAL) if options.has_credential else set()
    if options.names_kubeconfig:
        hidden.update(_CREDENTIAL, _SERVER)
    found: dict[str, Any] = {}
    for name, variable in _VARIABLES.items():
        text = environ.get(variable, "")
        if text.strip() and name not in hidden and not _is_said(getattr(options, name)):
            found[name] = _typed(name, variable, text)
    if not options.proxy_headers:
        headers = {
            name: environ[variable]
            for name, variable in _PROXY_HEADER_VARIABLES.items()
            if environ.get(variable)
        }
        found["proxy_headers"] = headers or None
    return dataclasses.replace(options, **found)


def _is_said(value: object) -> bool:
    # An empty text is what a template makes of an undefined variable.
    return value not in (None, "", [])


def _typed(name: str, variable: str, text: str) -> str | bool | Sequence[str]:
    if name == "validate_certs":
        word = text.strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ScanError("bad_option", f"{variable} is neither true nor false")
        return word in TRUE_WORDS
    if name == "impersonate_groups":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
