# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of hubs as their controllers write them: Cluster API, Argo CD and Open Cluster Management."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

CLUSTERS = "/apis/cluster.x-k8s.io/v1beta2"
MANAGED = "/apis/cluster.open-cluster-management.io/v1/managedclusters"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode("utf-8") if isinstance(text, str) else text).decode("ascii")


def inline_kubeconfig(server: FakeApiServer, **user: Any) -> dict[str, Any]:
    """A kubeconfig as a hub keeps it: without paths."""
    config = server.kubeconfig(**user)
    cluster = config["clusters"][0]["cluster"]
    cluster["certificate-authority-data"] = encoded(Path(cluster.pop("certificate-authority")).read_bytes())
    return config


def secret(
    name: str, data: dict[str, str], labels: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name, "labels": labels or {}},
        "data": {key: encoded(value) for key, value in data.items()},
        **more,
    }


def cluster_api_secret(cluster: str, kubeconfig: dict[str, Any]) -> dict[str, Any]:
    labels = {"cluster.x-k8s.io/cluster-name": cluster}
    data = {"value": yaml.safe_dump(kubeconfig)}
    return secret(f"{cluster}-kubeconfig", data, labels, type="cluster.x-k8s.io/secret")


def cluster_api_cluster(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "infrastructureRef": {
                "apiGroup": "infrastructure.cluster.x-k8s.io",
                "kind": "AWSManagedCluster",
                "name": name,
            },
            "controlPlaneRef": {
                "apiGroup": "controlplane.cluster.x-k8s.io",
                "kind": "KubeadmControlPlane",
                "name": name,
            },
            "topology": {"classRef": {"name": "standard"}, "version": "v1.36.1"},
            **spec,
        },
        "status": {
            "phase": "Provisioned",
            "conditions": [
                {"type": "Available", "status": "True", "reason": "Available", "message": ""},
                {"type": "Deleting", "status": "False", "reason": "NotDeleting", "message": ""},
            ],
        },
    }


def argocd_secret(
    secret_name: str, cluster: str, server: str, config: dict[str, Any], **labels: str
) -> dict[str, Any]:
    data = {"name": cluster, "server": server, "config": json.dumps(config)}
    return secret(secret_name, data, {"argocd.argoproj.io/secret-type": "cluster", **labels})


def managed_cluster(
    name: str, url: str, labels: dict[str, str] | None = None, *, accepted: bool = True
) -> dict[str, Any]:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "hubAcceptsClient": accepted,
            "leaseDurationSeconds": 60,
            "managedClusterClientConfigs": [{"url": url, "caBundle": encoded("a certificate")}],
        },
        "status": {
            "version": {"kubernetes": "v1.35.2"},
            "clusterClaims": [
                {"name": "platform.open-cluster-management.io", "value": "AWS"},
                {"name": "region.open-cluster-management.io", "value": "us-east-2"},
            ],
            "conditions": [
                {"type": "ManagedClusterJoined", "status": "True", "reason": "Joined", "message": ""},
                {
                    "type": "ManagedClusterConditionAvailable",
                    "status": "Unknown",
                    "reason": "x",
                    "message": "",
                },
            ],
        },
    }


def put(hub: FakeApiServer, collection: str, *objects: dict[str, Any]) -> None:
    """Store objects in a collection, such as /api/v1/namespaces/fleet/secrets, with its namespace."""
    for item in objects:
        metadata = dict(item["metadata"])
        if "/namespaces/" in collection:
            metadata["namespace"] = collection.partition("/namespaces/")[2].partition("/")[0]
        hub.objects.put(f"{collection}/{metadata['name']}", {**item, "metadata": metadata})
