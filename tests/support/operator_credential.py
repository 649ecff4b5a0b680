# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's credential as the documentation has it: bound to the shipped ClusterRole, and no cluster-admin."""

from __future__ import annotations

import json
import os
import pathlib
import time
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "docs" / "manifests" / "grantor-clusterrole.yml"
NAMESPACE, ACCOUNT = "securescan-operator", "operator"


DEBUG_MANIFEST = MANIFEST.with_name("grantor-debug-clusterrole.yml")


def shipped_cluster_role(manifest: pathlib.Path = MANIFEST) -> dict[str, Any]:
    return yaml.safe_load(manifest.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster, tmp_path_factory) -> pathlib.Path:
    """A kubeconfig of a ServiceAccount that has the shipped ClusterRole."""
    return make_operator(cluster, tmp_path_factory.mktemp("operator"), ACCOUNT, MANIFEST)


@pytest.fixture(scope="session")
def debug_operator_kubeconfig(cluster, tmp_path_factory) -> pathlib.Path:
    """The same, with what the approach debug needs besides."""
    return make_operator(
        cluster, tmp_path_factory.mktemp("operator"), ACCOUNT + "-debug", MANIFEST, DEBUG_MANIFEST
    )


HELPERS = "securescan-helpers"
IMAGE_MANIFEST = MANIFEST.with_name("grantor-image-clusterrole.yml")


@pytest.fixture(scope="session")
def helper_operator_kubeconfig(cluster, tmp_path_factory) -> pathlib.Path:
    """The same, with what the approaches debug and image need besides; the helpers' namespace enforces `restricted`."""
    account = ACCOUNT + "-helpers"
    role = shipped_cluster_role(IMAGE_MANIFEST)
    objects = [
        role,
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": HELPERS, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "securescan-grantor-image", "namespace": HELPERS},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role["metadata"]["name"],
            },
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        },
    ]
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    return make_operator(cluster, tmp_path_factory.mktemp("operator"), account, MANIFEST, DEBUG_MANIFEST)


def _wait_until_bound(cluster, account: str, roles: list[dict[str, Any]]) -> None:
    """Roles reach the API server's authorizer a moment after they are written."""
    asked = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": f"system:serviceaccount:{NAMESPACE}:{account}",
                "resourceAttributes": {
                    "verb": rule["verbs"][0],
                    "group": rule["apiGroups"][0],
                    "resource": rule["resources"][0].partition("/")[0],
                    "subresource": rule["resources"][0].partition("/")[2],
                    "name": next(iter(rule.get("resourceNames", [])), ""),
                },
            },
        }
        for role in roles
        for rule in role["rules"]
    ]
    if not asked:
        return
    reviews = json.dumps({"apiVersion": "v1", "kind": "List", "items": asked})
    deadline = time.monotonic() + 60
    while True:
        answer = cluster.kubectl("create", "-f", "-", "-o", "jsonpath={.status.allowed} ", stdin=reviews)
        if answer.split() == ["true"] * len(asked):
            return
        assert time.monotonic() < deadline, f"{account} is still not allowed what its roles have: {answer}"
        time.sleep(0.1)


def make_operator(cluster, folder: pathlib.Path, account: str, *manifests: pathlib.Path) -> pathlib.Path:
    """The kubeconfig of a new ServiceAccount that has these ClusterRoles and nothing else."""
    roles = [shipped_cluster_role(manifest) for manifest in manifests]
    objects = [
        *roles,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": NAMESPACE}},
        *(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "{}-{}".format(role["metadata"]["name"], account)},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": role["metadata"]["name"],
                },
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
            }
            for role in roles
        ),
    ]
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    _wait_until_bound(cluster, account, roles)
    token = cluster.kubectl("create", "token", account, "-n", NAMESPACE, "--duration=3h").strip()
    admin = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    name = admin["clusters"][0]["name"]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": admin["clusters"],
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": account}}],
        "users": [{"name": account, "user": {"token": token}}],
    }
    path = folder / "kubeconfig"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(document, file)
    return path
