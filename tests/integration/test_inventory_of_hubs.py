# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real cluster as a hub of Cluster API and Argo CD, whose clusters are the real cluster itself: from the inventory to a
task, with the rights of the shipped manifests and no others."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.support.fake_hub import (
    argocd_secret,
    cluster_api_cluster,
    cluster_api_secret,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import make_operator
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import make

MANIFESTS = pathlib.Path(__file__).parents[2] / "docs" / "manifests"
PROGRAMS = pathlib.Path(sys.executable).parent
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "clusters.cluster.x-k8s.io"},
    "spec": {
        "group": "cluster.x-k8s.io",
        "names": {"kind": "Cluster", "plural": "clusters", "singular": "cluster", "listKind": "ClusterList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


class Hub:
    """:ivar namespace: in which the Secrets lie; its name is new for each run"""

    def __init__(self, cluster: Any, folder: pathlib.Path, operator: pathlib.Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.namespace = f"hub-{uuid.uuid4().hex[:8]}"
        self.account = f"inventory-{uuid.uuid4().hex[:8]}"
        self.operator = json.loads(operator.read_text(encoding="utf-8"))
        self.kubeconfig = make_operator(
            cluster, folder, self.account, MANIFESTS / "hub-inventory-clusterrole.yml"
        )

    def bind(self, role: dict[str, Any]) -> None:
        """A role of the hub's namespace, and its binding."""
        make(
            self.cluster,
            self.namespace,
            role,
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": role["metadata"]["name"]},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Role",
                    "name": role["metadata"]["name"],
                },
                "subjects": [
                    {"kind": "ServiceAccount", "name": self.account, "namespace": "securescan-operator"}
                ],
            },
        )

        for rule in role["rules"]:
            self._wait_until_allowed(rule["verbs"][0], next(iter(rule.get("resourceNames", [])), ""))

    def _wait_until_allowed(self, verb: str, name: str) -> None:
        """RBAC takes a moment to spread."""
        end = time.monotonic() + 60
        account = f"system:serviceaccount:securescan-operator:{self.account}"
        resource = f"secrets/{name}" if name else "secrets"
        while time.monotonic() < end:
            asked = self.cluster.kubectl_run(
                "auth", "can-i", verb, resource, "-n", self.namespace, "--as", account
            )
            if asked.stdout.strip() == "yes":
                return
            time.sleep(0.2)
        raise AssertionError(f"{account} is still not allowed to {verb} {resource}")

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        inventory = self.folder / "clusters.yml"
        sources = [
            {"type": "cluster_api", "kubeconfig": "kubeconfig", "namespaces": [self.namespace]},
            {"type": "argocd", "kubeconfig": "kubeconfig", "namespace": self.namespace},
        ]
        document = {"plugin": "securescan.kubernetes.clusters", "sources": sources}
        inventory.write_text(yaml.safe_dump(document), encoding="utf-8")
        return subprocess.run(
            [str(PROGRAMS / program), "-i", str(inventory), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=self.folder,
            env=dict(os.environ, ANSIBLE_NOCOLOR="1", ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1"),
        )

    def look(self) -> subprocess.CompletedProcess[str]:
        """One task for each cluster, by its reference."""
        options = {
            "kubeconfig_secret": "{{ scan_kubeconfig_secret }}",
            "hub_kubeconfig": "{{ scan_hub_kubeconfig }}",
        }
        task = {
            "securescan.kubernetes.scan_target_info": {"namespaces": ["shop"], **options},
            "register": "found",
        }
        shown = {"debug": {"msg": "{{ inventory_hostname }} has {{ found.counts.targets }} targets"}}
        play = self.folder / "play.yml"
        play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task, shown]}]))
        return self.run("ansible-playbook", str(play))


def named(manifest: str, namespace: str, *names: str) -> dict[str, Any]:
    """The shipped role for Secrets, with these names."""
    role = yaml.safe_load((MANIFESTS / manifest).read_text(encoding="utf-8"))
    role["metadata"]["namespace"] = namespace
    role["rules"][0]["resourceNames"] = list(names)
    return role


@pytest.fixture
def hub(cluster, operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[Hub]:
    made = Hub(cluster, tmp_path, operator_kubeconfig)
    was_there = cluster.kubectl_run("get", "crd", CRD["metadata"]["name"]).returncode == 0
    if not was_there:
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(CRD))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD['metadata']['name']}", "--timeout=60s")
    # it is established a moment before it is found
    end = time.monotonic() + 60
    while cluster.kubectl_run("get", CRD["metadata"]["name"], "-A").returncode:
        assert time.monotonic() < end, "the API server does not know the kind"
        time.sleep(0.2)
    cluster.kubectl("create", "namespace", made.namespace)
    try:
        config = made.operator
        server = config["clusters"][0]["cluster"]
        old = {**cluster_api_cluster("capi", {"team": "shop"}), "apiVersion": "cluster.x-k8s.io/v1beta1"}
        argo = {
            "bearerToken": config["users"][0]["user"]["token"],
            "tlsClientConfig": {"caData": server["certificate-authority-data"]},
        }
        make(
            cluster,
            made.namespace,
            old,
            cluster_api_secret("capi", config),
            argocd_secret("cluster-1", "argo", server["server"], argo),
        )
        yield made
    finally:
        cluster.kubectl("delete", "namespace", made.namespace, "--wait=false")
        if not was_there:
            cluster.kubectl("delete", "crd", CRD["metadata"]["name"], "--wait=false")
        for kind, name in (
            ("clusterrolebinding", f"securescan-hub-inventory-{made.account}"),
            ("serviceaccount", made.account),
        ):
            cluster.kubectl("delete", kind, name, "-n", "securescan-operator", "--ignore-not-found")


def test_clusters_of_a_hub_are_found_and_reached_with_the_shipped_rights(hub: Hub) -> None:
    listing = hub.run("ansible-inventory", "--list")
    assert listing.returncode != 0, "the hub's credential is not allowed to list Secrets yet"
    assert "sources[1] (argocd)" in listing.stderr and "SCAN-205" in listing.stderr

    argocd = yaml.safe_load((MANIFESTS / "hub-argocd-clusterrole.yml").read_text(encoding="utf-8"))
    hub.bind({**argocd, "kind": "Role"})
    listing = hub.run("ansible-inventory", "--list")
    assert listing.returncode == 0, listing.stderr
    assert '"capi"' in listing.stdout and '"argo"' in listing.stdout
    token = hub.operator["users"][0]["user"]["token"]
    assert token not in listing.stdout + listing.stderr

    refused = hub.look()
    assert refused.returncode == 2, refused.stdout
    for name, secret in (("capi", "capi-kubeconfig"), ("argo", "cluster-1")):
        fatal = next(line for line in refused.stdout.splitlines() if line.startswith(f"fatal: [{name}]"))
        assert "SCAN-205" in fatal and f"the verb get on the Secret {secret}" in fatal

    hub.bind(named("hub-secrets-role.yml", hub.namespace, "capi-kubeconfig", "cluster-1"))
    done = hub.look()
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("capi", "argo"):
        assert f"{name} has " in done.stdout
    assert " has 0 targets" not in done.stdout
    assert token not in done.stdout + done.stderr

    variables = {
        "scan_namespaces": "shop",
        "scan_workloads": "Deployment/api",
        "scan_approach": "exec",
        "scan_output_dir": str(hub.folder / "results"),
        "scan_threshold": {"coverage": {"min": 100}, "reviewed": {"min": 0}, "error": {"total": {"max": 9}}},
    }
    scanned = hub.run("ansible-playbook", "securescan.kubernetes.scan", "-vvv", "-e", json.dumps(variables))
    assert scanned.returncode == 0, scanned.stdout[-4000:]
    for name in ("capi", "argo"):
        run = hub.folder / "results" / name / "latest"
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        assert summary["target_counts"]["scanned"] == 2
        for path in run.rglob("*"):
            assert path.is_dir() or token not in path.read_text(encoding="utf-8")
    assert token not in scanned.stdout + scanned.stderr
