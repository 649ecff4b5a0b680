# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..cluster.connection import ConnectionOptions
from ..cluster.kubeconfig_secret import FORMATS, KUBECONFIG, KubeconfigSecret
from ..targets.patterns import DNS_LABEL, DNS_SUBDOMAIN, is_pattern
from .spec import Params, Spec, bad_option
from .values import shown


def connection_spec() -> Spec:
    """kubernetes.core's names and aliases.

    Its K8S_AUTH_* variables are read by the engine, which knows which of them may go together with which
    option.
    """
    return {
        "kubeconfig": {"type": "raw", "no_log": False},
        "context": {"type": "str"},
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
        "client_cert": {"type": "path", "aliases": ["cert_file"]},
        "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
        "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
        "proxy": {"type": "str"},
        "no_proxy": {"type": "str"},
        "impersonate_user": {"type": "str"},
        "impersonate_groups": {"type": "list", "elements": "str"},
        "proxy_headers": {"type": "dict", "no_log": True},
        "in_cluster": {"type": "bool", "default": False},
        "tls_server_name": {"type": "str"},
        "kubeconfig_secret": {
            "type": "dict",
            "no_log": False,
            "options": {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "default": "value", "no_log": False},
                "format": {"type": "str", "choices": list(FORMATS), "default": KUBECONFIG},
                "trusted": {"type": "bool", "default": False},
            },
        },
        "hub_kubeconfig": {"type": "raw", "no_log": False},
        "hub_context": {"type": "str"},
    }


def connection_options(params: Params) -> ConnectionOptions:
    """The connection as the options describe it; the environment is not read yet.

    :raises ScanError: bad_option
    """
    given = {name: params[name] for name in connection_spec() if params.get(name) is not None}
    if "kubeconfig_secret" in given:
        given["kubeconfig_secret"] = kubeconfig_secret(given["kubeconfig_secret"])
    return ConnectionOptions(**given)


def kubeconfig_secret(value: Mapping[str, Any]) -> KubeconfigSecret:
    """:raises ScanError: bad_option for names that no Secret can have, which would be another path of the API"""
    given = {key: each for key, each in value.items() if each is not None}
    for key, rule in (("namespace", DNS_LABEL), ("name", DNS_SUBDOMAIN)):
        text = given.get(key)
        if not isinstance(text, str) or is_pattern(text) or not rule.allows(text):
            raise bad_option(
                f"kubeconfig_secret.{key}", f"{shown(text)} is not the {key} of a Secret ({rule.said})"
            )
    return KubeconfigSecret(**given)
