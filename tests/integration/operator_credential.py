# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's credential as the documentation has it: bound to the shipped ClusterRole, and no cluster-admin."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Dict

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "docs" / "manifests" / "grantor-clusterrole.yml"
NAMESPACE, ACCOUNT = "securescan-operator", "operator"


def shipped_cluster_role() -> Dict[str, Any]:
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster, tmp_path_factory) -> pathlib.Path:
    """A kubeconfig of a ServiceAccount that has the shipped ClusterRole."""
    role = shipped_cluster_role()
    objects = [
        role,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": NAMESPACE}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
         "metadata": {"name": role["metadata"]["name"]},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role["metadata"]["name"]},
         "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}]},
    ]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    token = cluster.kubectl("create", "token", ACCOUNT, "-n", NAMESPACE, "--duration=3h").strip()
    admin = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    name = admin["clusters"][0]["name"]
    document = {"apiVersion": "v1", "kind": "Config", "clusters": admin["clusters"], "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": name, "user": ACCOUNT}}],
                "users": [{"name": ACCOUNT, "user": {"token": token}}]}
    path = tmp_path_factory.mktemp("operator") / "kubeconfig"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(document, file)
    return path
