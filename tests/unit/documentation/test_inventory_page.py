# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every inventory that the page shows is read by `ansible-inventory`, from a hub as the page has it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

pytest.importorskip("ansible", reason="inventories belong to Ansible")

from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.found_cluster import (
    FoundCluster,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.fake_hub import (
    CLUSTERS,
    MANAGED,
    argocd_secret,
    cluster_api_cluster,
    managed_cluster,
    put,
)
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import DOCS, shown

PAGE = (DOCS / "inventory.md").read_text(encoding="utf-8")
INVENTORIES = re.findall(r"^```yaml\n# clusters\.yml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
HOSTS = (
    {"aks-prod", "eks-prod", "factory"},
    {"prod-eu"},
    {"prod-eu", "test-eu"},
    {"argo-shop"},
    {"managed-1"},
    {"lab", "shop-eu"},
    {"prod-eu", "test-eu"},
)
ELSEWHERE = "/etc/securescan"


@pytest.fixture
def folder(server: FakeApiServer, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:  # noqa: F811
    """What the page has in /etc/securescan, and a hub with a cluster of each kind."""
    config = server.kubeconfig()
    config["contexts"][0]["name"] = config["current-context"] = "hub"
    (tmp_path / "hub.kubeconfig").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters/factory.yaml").write_text(yaml.safe_dump(server.kubeconfig()), encoding="utf-8")
    addresses = {
        "eks-prod": "https://0a1b.gr7.eu-west-1.eks.amazonaws.com",
        "aks-prod": "https://prod-dns-1.hcp.westeurope.azmk8s.io:443",
        "eks-sandbox": "https://9f8e.gr7.eu-west-1.eks.amazonaws.com",
    }
    many = {
        "contexts": [{"name": name, "context": {"cluster": name, "user": "ops"}} for name in addresses],
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in addresses.items()],
        "users": [{"name": "ops", "user": {"token": "none"}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(many), encoding="utf-8")
    put(
        server,
        f"{CLUSTERS}/namespaces/fleet/clusters",
        cluster_api_cluster("prod-eu", {"environment": "prod"}),
        cluster_api_cluster("test-eu", {"environment": "test"}),
    )
    put(server, "/api/v1/namespaces/argocd/secrets", argocd_secret("c-1", "shop", "https://shop", {}))
    put(server, MANAGED, managed_cluster("managed-1", "https://managed-1"))
    yield tmp_path


def run(folder: pathlib.Path, inventory: str, *arguments: str) -> str:
    path = folder / "clusters.yml"
    path.write_text(inventory.replace(ELSEWHERE, str(folder)), encoding="utf-8")
    program = pathlib.Path(sys.executable).parent / "ansible-inventory"
    own = {name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_")}
    done = subprocess.run(
        [str(program), "-i", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **own,
            "HOME": str(folder),
            "KUBECONFIG": str(folder / "hub.kubeconfig"),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_an_inventory_for_each_task() -> None:
    assert len(INVENTORIES) == len(HOSTS)


@pytest.mark.parametrize(("inventory", "hosts"), list(zip(INVENTORIES, HOSTS)))
def test_an_inventory_of_the_page(folder: pathlib.Path, inventory: str, hosts: set[str]) -> None:
    listing = json.loads(run(folder, inventory, "--list"))
    assert set(listing["_meta"]["hostvars"]) == hosts


def test_the_graph_of_the_page(folder: pathlib.Path) -> None:
    shown("inventory.md", "graph", run(folder, INVENTORIES[0], "--graph"), {str(folder): ELSEWHERE})


def test_every_variable_of_a_host_is_in_the_page() -> None:
    table = PAGE.partition("## What a host has")[2].partition("\n## ")[0]
    for name in FoundCluster({"name": "a"}, "", {}).variables("static"):
        assert f"`{name}`" in table
