# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of clusters in the inventory file itself."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ScanError
from ..options.connection import connection_spec, kubeconfig_secret
from ..options.spec import Spec
from .found_cluster import FoundCluster
from .source import Options, SourceKind, Surroundings

# What a host never carries; a play takes it from a vault (group_vars, lookups) or from the environment.
_SECRETS = ("api_key", "username", "password", "proxy_headers")
_FILES = ("kubeconfig", "hub_kubeconfig", "ca_cert", "client_cert", "client_key")


def _connection_spec() -> Spec:
    """The options of the connection that are no secrets; kubeconfigs by their paths only."""
    spec = {name: rule for name, rule in connection_spec().items() if name not in _SECRETS}
    return {
        name: {**rule, "type": "path"} if name in _FILES else {**rule, "default": None}
        for name, rule in spec.items()
    }


_CLUSTER: Spec = {
    "name": {"type": "str", "required": True},
    "labels": {"type": "dict", "default": {}},
    "provider": {"type": "str", "default": ""},
    "region": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    **_connection_spec(),
}


def find_clusters(options: Options, around: Surroundings) -> Iterator[FoundCluster]:
    """:raises ScanError: bad_option"""
    for number, entry in enumerate(options["clusters"]):
        connection = {name: entry.get(name) for name in _connection_spec()}
        for name in _FILES:
            if connection[name]:
                connection[name] = str(around.path(connection[name]))
        if connection["kubeconfig_secret"]:
            kubeconfig_secret(connection["kubeconfig_secret"])
        if "@" in (connection["proxy"] or ""):
            raise ScanError(
                "bad_option",
                f"the proxy of {entry['name']} has a password, and an inventory holds none",
                advice="Give it by scan_proxy in a vault, or by proxy_headers.",
            )
        yield FoundCluster(
            names={"name": entry["name"]},
            origin=f"the cluster {number + 1} of the list",
            connection=connection,
            labels={str(key): str(value) for key, value in (entry.get("labels") or {}).items()},
            provider=entry.get("provider") or "",
            region=entry.get("region") or "",
            version=entry.get("version") or "",
        )


STATIC = SourceKind(
    "static",
    {"clusters": {"type": "list", "elements": "dict", "options": _CLUSTER, "required": True}},
    ("name",),
    find_clusters,
)
