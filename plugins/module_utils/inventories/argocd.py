# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that Argo CD deploys to: its Secrets on a hub.

The cluster's name stands in the Secret, beside its credential. The inventory reads both, keeps the name, and leaves the
credential where it is.

Source: Argo CD, declarative set-up of clusters (label argocd.argoproj.io/secret-type: cluster; keys name, server, config).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster.kubeconfig_secret import ARGOCD as ARGOCD_FORMAT
from ..cluster.kubeconfig_secret import is_own_server
from ..errors import ScanError
from .found_cluster import FoundCluster, first_of, texts_by_name
from .hub import HUB_SPEC, hub_client, own_connection, secret_connection
from .source import Options, SourceKind, Surroundings

_TYPE_LABEL = "argocd.argoproj.io/secret-type"
_VERSION = "argocd.argoproj.io/kubernetes-version"
_REGION = ("topology.kubernetes.io/region", "region")
_PROVIDER = ("provider", "cloud")


def find_clusters(options: Options, around: Surroundings) -> Iterator[FoundCluster]:
    """:raises ScanError: what a request to the hub can fail with; bad_hub_secret"""
    selector = ",".join(filter(None, (f"{_TYPE_LABEL}=cluster", options["label_selector"])))
    path = f"/api/v1/namespaces/{options['namespace']}/secrets"
    with hub_client(options, around) as client:
        for item in client.list_items(path, {"labelSelector": selector}):
            yield _of_secret(item, options, around)


def _of_secret(item: Mapping[str, Any], options: Options, around: Surroundings) -> FoundCluster:
    metadata, data = item["metadata"], item.get("data") or {}
    namespace, secret = metadata.get("namespace") or options["namespace"], metadata["name"]
    what = f"the Secret {namespace}/{secret}"
    labels = texts_by_name((metadata.get("labels") or {}).items(), what)
    name, server = _text(data, "name", what), _text(data, "server", what)
    reference = {"namespace": namespace, "name": secret, "format": ARGOCD_FORMAT}
    return FoundCluster(
        names={"name": name, "secret": secret},
        origin=f"{what} of the hub",
        connection=own_connection(options, around)
        if is_own_server(server)
        else secret_connection(options, around, reference),
        labels=labels,
        provider=first_of(labels, *_PROVIDER),
        region=first_of(labels, *_REGION),
        version=first_of(labels, _VERSION),
    )


def _text(data: Mapping[str, str | None], key: str, what: str) -> str:
    try:
        text = base64.b64decode(data.get(key) or "", validate=True).decode("utf-8").strip()
    except (binascii.Error, ValueError):
        text = ""
    if not text or len(text) > 1024:
        raise ScanError("bad_hub_secret", f"{what} has no {key!r} that can be a cluster of Argo CD")
    return text


ARGOCD = SourceKind(
    "argocd",
    {**HUB_SPEC, "namespace": {"type": "str", "default": "argocd"}},
    ("name", "secret"),
    find_clusters,
)
