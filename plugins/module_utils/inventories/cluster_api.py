# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of Cluster API: the Cluster objects of a hub, and their kubeconfigs in Secrets.

Only the objects are listed, so the inventory needs no right on Secrets and sees none. Where the credential is not allowed to
list them, it lists the metadata of the kubeconfigs' Secrets, without what they hold.

Sources: Cluster API, contract of providers (Secret CLUSTER-kubeconfig, key `value`, type cluster.x-k8s.io/secret, label
cluster.x-k8s.io/cluster-name); API group cluster.x-k8s.io, v1beta2 and v1beta1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .found_cluster import FoundCluster, first_of, texts_by_name
from .hub import HUB_SPEC, hub_client, secret_connection, selecting
from .source import Options, SourceKind, Surroundings

_VERSIONS = ("v1beta2", "v1beta1")
_NAME_LABEL = "cluster.x-k8s.io/cluster-name"
_SUFFIX = "-kubeconfig"
_SECRET_TYPE = "cluster.x-k8s.io/secret"  # noqa: S105 - a type
_REGION = ("topology.kubernetes.io/region", "region")
_PROVIDER = ("provider", "cloud")


def find_clusters(options: Options, around: Surroundings) -> Iterator[FoundCluster]:
    """:raises ScanError: what a request to the hub can fail with"""
    with hub_client(options, around) as client:
        for namespace in options["namespaces"] or [""]:
            try:
                yield from _of_objects(client, namespace, options, around)
            except ScanError as error:
                if error.reason not in ("not_permitted", "not_found"):
                    raise
                yield from _of_secrets(client, namespace, options, around, error)


def _of_objects(
    client: RestClient, namespace: str, options: Options, around: Surroundings
) -> Iterator[FoundCluster]:
    for version in _VERSIONS:
        path = f"/apis/cluster.x-k8s.io/{version}{_below(namespace)}/clusters"
        try:
            for item in client.list_items(path, selecting(options)):
                yield _of_object(item, options, around)
            return
        except ScanError as error:
            # the version is not served; the last one says that Cluster API is not there
            if error.reason != "not_found" or version == _VERSIONS[-1]:
                raise


def _of_object(item: Mapping[str, Any], options: Options, around: Surroundings) -> FoundCluster:
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    namespace, name = metadata.get("namespace") or "", metadata["name"]
    what = f"the Cluster {namespace}/{name}"
    labels = texts_by_name((metadata.get("labels") or {}).items(), what)
    kind = (spec.get("infrastructureRef") or {}).get("kind") or ""
    return FoundCluster(
        names={"name": name, "namespace": namespace},
        origin=f"{what} of the hub",
        connection=_by_secret(namespace, name, options, around),
        labels=labels,
        provider=_provider(kind) or first_of(labels, *_PROVIDER),
        region=first_of(labels, *_REGION),
        version=(spec.get("topology") or {}).get("version") or "",
        conditions=texts_by_name(
            ((each.get("type") or "", each.get("status")) for each in status.get("conditions") or []), what
        ),
    )


def _of_secrets(
    client: RestClient, namespace: str, options: Options, around: Surroundings, why: ScanError
) -> Iterator[FoundCluster]:
    if options["label_selector"]:
        raise why  # the labels are the objects': without them nothing can be selected
    path = f"/api/v1{_below(namespace)}/secrets"
    query = {"labelSelector": _NAME_LABEL, "fieldSelector": f"type={_SECRET_TYPE}"}
    is_empty = True
    try:
        for item in client.list_items(path, query, metadata_only=True):
            metadata = item["metadata"]
            name = (metadata.get("labels") or {}).get(_NAME_LABEL) or ""
            if metadata["name"] != name + _SUFFIX:
                continue  # another Secret of the same cluster
            place, is_empty = metadata.get("namespace") or "", False
            yield FoundCluster(
                names={"name": name, "namespace": place},
                origin=f"the Secret {place}/{metadata['name']} of the hub",
                connection=_by_secret(place, name, options, around),
            )
    except ScanError as error:
        raise ScanError(
            error.reason,
            f"neither Clusters nor their Secrets can be listed: {why.message}; {error.message}",
            cause=error.cause,
            advice="Grant the hub's credential the verb list on clusters of cluster.x-k8s.io "
            "(docs/manifests/hub-inventory-clusterrole.yml).",
        ) from None
    if is_empty and why.reason == "not_found":
        raise why  # this hub has no Cluster API
    around.warnings.append(
        f"the clusters of Cluster API have no labels, provider and version, because their objects cannot be listed: "
        f"{why.message}"
    )


def _by_secret(namespace: str, name: str, options: Options, around: Surroundings) -> Mapping[str, Any]:
    secret = {"namespace": namespace, "name": name + _SUFFIX, "key": "value"}
    return secret_connection(options, around, secret)


def _below(namespace: str) -> str:
    return f"/namespaces/{namespace}" if namespace else ""


def _provider(kind: str) -> str:
    """For example: aws for AWSCluster and AWSManagedCluster."""
    return kind.removesuffix("Cluster").removesuffix("Managed").lower()


CLUSTER_API = SourceKind(
    "cluster_api",
    {**HUB_SPEC, "namespaces": {"type": "list", "elements": "str", "default": []}},
    ("name", "namespace"),
    find_clusters,
)
