# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster and as whom."""

from __future__ import annotations

from ..cluster.connection import ConnectionOptions
from .spec import Params, Spec


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
    }


def connection_options(params: Params) -> ConnectionOptions:
    """The connection as the options describe it; the environment is not read yet."""
    return ConnectionOptions(
        **{name: params[name] for name in connection_spec() if params.get(name) is not None}
    )
