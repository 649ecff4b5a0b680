# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each source finds, what it asks a hub for, and that a hub's objects are hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories import hosts
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.hosts import (
    Hosts,
    find_hosts,
    read_sources,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.source import Surroundings
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.fake_hub import (
    CLUSTERS,
    MANAGED,
    argocd_secret,
    cluster_api_cluster,
    cluster_api_secret,
    managed_cluster,
    put,
)

FLEET_CLUSTERS = f"{CLUSTERS}/namespaces/fleet/clusters"
FLEET_SECRETS = "/api/v1/namespaces/fleet/secrets"
ARGO_SECRETS = "/api/v1/namespaces/argocd/secrets"
TOKEN = "planted-token"
CONFIG = {"users": [{"name": "a", "user": {"token": TOKEN}}]}


@pytest.fixture
def hub(authority: Authority) -> Iterator[FakeApiServer]:
    with FakeApiServer(authority) as running:
        yield running


@pytest.fixture
def around(tmp_path: Path, hub: FakeApiServer) -> Surroundings:
    """An inventory's folder with the hub's kubeconfig."""
    path = tmp_path / "hub.kubeconfig"
    path.write_text(yaml.safe_dump(hub.kubeconfig()), encoding="utf-8")
    path.chmod(0o600)
    return Surroundings({}, tmp_path)


def find(around: Surroundings, kind: str, **options: Any) -> Hosts:
    if kind not in ("kubeconfig", "static"):
        options = {"kubeconfig": "hub.kubeconfig", **options}
    if kind == "open_cluster_management":
        options = {"secret": {"name": "securescan"}, **options}
    found = find_hosts(read_sources([{"type": kind, **options}]), (), (), around)
    assert TOKEN not in json.dumps(found.variables) + "".join(around.warnings)
    return found


def failure(around: Surroundings, kind: str, **options: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        find(around, kind, **options)
    assert TOKEN not in str(caught.value)
    return caught.value


def about(variables: Any) -> list[str]:
    return [variables[f"cluster_{name}"] for name in ("provider", "region", "version")]


def test_cluster_api_gives_objects_and_asks_for_no_secret(hub: FakeApiServer, around: Surroundings) -> None:
    labels = {"team": "shop", "topology.kubernetes.io/region": "eu-west-1"}
    put(hub, FLEET_CLUSTERS, cluster_api_cluster("prod", labels))
    put(hub, FLEET_SECRETS, cluster_api_secret("prod", CONFIG))
    found = find(around, "cluster_api").variables["prod"]
    assert about(found) == ["aws", "eu-west-1", "v1.36.1"]
    assert found["cluster_labels"] == labels
    assert found["cluster_conditions"] == {"Available": "True", "Deleting": "False"}
    assert found["scan_kubeconfig_secret"] == {
        "namespace": "fleet",
        "name": "prod-kubeconfig",
        "key": "value",
    }
    assert found["scan_hub_kubeconfig"] == str(around.folder / "hub.kubeconfig")
    assert [seen.path for seen in hub.requests] == [f"{CLUSTERS}/clusters"]


def test_cluster_api_of_an_older_version(hub: FakeApiServer, around: Surroundings) -> None:
    hub.faults.append(Fault("status", on="GET .*/v1beta2/", status=404, reason="NotFound"))
    put(hub, "/apis/cluster.x-k8s.io/v1beta1/namespaces/fleet/clusters", cluster_api_cluster("old"))
    assert list(find(around, "cluster_api", namespaces=["fleet"]).variables) == ["old"]


def test_cluster_api_without_its_objects_lists_the_metadata_of_secrets(
    hub: FakeApiServer, around: Surroundings
) -> None:
    hub.grants.deny = lambda user, method, path: "clusters is forbidden" if "/apis/" in path else None
    user_secret = cluster_api_secret("prod", CONFIG)
    user_secret["metadata"]["name"] = "prod-user-kubeconfig"
    put(hub, FLEET_SECRETS, cluster_api_secret("prod", CONFIG), user_secret)
    found = find(around, "cluster_api", namespaces=["fleet"], trusted=True)
    assert list(found.variables) == ["prod"]
    assert found.variables["prod"]["scan_kubeconfig_secret"]["trusted"] is True
    assert "no labels" in around.warnings[0]
    headers = {name.lower(): value for name, value in hub.requests[-1].headers.items()}
    assert "PartialObjectMetadataList" in headers["accept"]


def test_a_hub_without_cluster_api_is_an_error(hub: FakeApiServer, around: Surroundings) -> None:
    hub.faults.append(Fault("status", on="GET /apis/cluster.x-k8s.io/", status=404, reason="NotFound"))
    assert failure(around, "cluster_api").reason == "not_found"
    put(hub, FLEET_SECRETS, cluster_api_secret("prod", CONFIG))
    assert list(find(around, "cluster_api").variables) == ["prod"]


def test_cluster_api_that_can_list_neither_names_both(hub: FakeApiServer, around: Surroundings) -> None:
    hub.grants.deny = lambda user, method, path: "this is forbidden"
    error = failure(around, "cluster_api")
    assert error.reason == "not_permitted"
    assert "neither Clusters nor their Secrets" in error.message
    assert "hub-inventory-clusterrole.yml" in error.advice


def test_argo_cd_gives_names_and_leaves_credentials(hub: FakeApiServer, around: Surroundings) -> None:
    put(
        hub,
        ARGO_SECRETS,
        argocd_secret(
            "cluster-10.0.0.1-77",
            "prod/eu",
            "https://10.0.0.1",
            {"bearerToken": TOKEN, "tlsClientConfig": {"keyData": TOKEN}},
            region="eu",
            **{"argocd.argoproj.io/kubernetes-version": "1.33"},
        ),
        argocd_secret("in-cluster", "in-cluster", "https://kubernetes.default.svc", {}),
    )
    found = find(around, "argocd", context="test").variables
    assert list(found) == ["in-cluster", "prod-eu"]
    assert found["prod-eu"]["cluster_name"] == "prod/eu"
    assert about(found["prod-eu"]) == ["", "eu", "1.33"]
    assert found["prod-eu"]["scan_kubeconfig_secret"] == {
        "namespace": "argocd",
        "name": "cluster-10.0.0.1-77",
        "format": "argocd",
    }
    # the hub itself is reached as the hub is
    assert found["in-cluster"]["scan_kubeconfig"] == str(around.folder / "hub.kubeconfig")
    assert found["in-cluster"]["scan_context"] == "test"


def test_argo_cd_selects_on_the_hub(hub: FakeApiServer, around: Surroundings) -> None:
    put(
        hub,
        ARGO_SECRETS,
        argocd_secret("a", "a", "https://a", {}, env="prod"),
        argocd_secret("b", "b", "https://b", {}, env="test"),
    )
    assert list(find(around, "argocd", label_selector="env=prod").variables) == ["a"]
    assert find(around, "argocd", namespace="openshift-gitops").variables == {}


def test_a_secret_that_is_no_cluster_of_argo_cd_is_named(hub: FakeApiServer, around: Surroundings) -> None:
    put(hub, ARGO_SECRETS, argocd_secret("broken", "", "https://a", {"bearerToken": TOKEN}))
    error = failure(around, "argocd")
    assert error.reason == "bad_hub_secret"
    assert "argocd/broken" in error.message


def test_managed_clusters_are_reached_by_a_secret_that_the_operator_names(
    hub: FakeApiServer, around: Surroundings
) -> None:
    put(
        hub,
        MANAGED,
        managed_cluster("prod", "https://prod:6443", {"cloud": "Amazon"}),
        managed_cluster("stranger", "https://evil", accepted=False),
        managed_cluster("local-cluster", "https://hub", {"local-cluster": "true"}),
        managed_cluster("liar", "https://liar", {"local-cluster": "true"}),
    )
    found = find(around, "open_cluster_management", secret={"name": "securescan-{name}"}).variables
    assert list(found) == ["liar", "local-cluster", "prod"]
    assert about(found["prod"]) == ["Amazon", "us-east-2", "v1.35.2"]
    assert found["prod"]["cluster_conditions"]["ManagedClusterConditionAvailable"] == "Unknown"
    assert found["prod"]["cluster_claims"]["platform.open-cluster-management.io"] == "AWS"
    assert found["prod"]["scan_host"] == "https://prod:6443"
    assert found["prod"]["scan_kubeconfig_secret"] == {
        "namespace": "prod",
        "name": "securescan-prod",
        "format": "token",
    }
    assert found["local-cluster"]["scan_kubeconfig"] == str(around.folder / "hub.kubeconfig")
    # the label alone is the cluster's own word
    assert "scan_kubeconfig" not in found["liar"]
    assert "1 ManagedClusters are left out" in around.warnings[0]


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (None, "needs the key secret"),
        ({"name": "{nam}"}, "secret.name"),
        ({"name": "a", "namespace": "{"}, "secret.namespace"),
    ],
)
def test_an_address_of_a_hub_is_given_no_other_credential_than_that_of_its_secret(
    hub: FakeApiServer, around: Surroundings, secret: Any, words: str
) -> None:
    assert words in failure(around, "open_cluster_management", secret=secret).message
    assert hub.requests == []


@pytest.mark.parametrize("url", ["https://a\n", "https://\u202e", "https://\ud800", "https://" + "a" * 1024])
def test_an_address_that_is_none_is_refused(hub: FakeApiServer, around: Surroundings, url: str) -> None:
    put(hub, MANAGED, managed_cluster("prod", url))
    error = failure(around, "open_cluster_management")
    assert error.reason == "bad_reply"
    assert str(error).isprintable()


def test_a_source_without_a_cluster_is_said(hub: FakeApiServer, around: Surroundings) -> None:
    put(hub, MANAGED, managed_cluster("prod", "https://prod"))
    find(around, "open_cluster_management", label_selector="a=b")
    assert around.warnings == ["sources[0] (open_cluster_management) has no cluster that is chosen"]


def test_the_environment_reaches_a_hub_that_no_option_names(hub: FakeApiServer, tmp_path: Path) -> None:
    put(hub, FLEET_CLUSTERS, cluster_api_cluster("prod"))
    environ = {
        "K8S_AUTH_HOST": hub.url,
        "K8S_AUTH_API_KEY": hub.token,
        "K8S_AUTH_SSL_CA_CERT": str(hub.authority.ca),
    }
    found = find(Surroundings(environ, tmp_path), "cluster_api", kubeconfig=None).variables["prod"]
    assert {name for name in found if name.startswith("scan_")} == {"scan_kubeconfig_secret"}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"a": 5}, "is a number, not a text"),
        ({f"l{number}": "x" for number in range(501)}, "more than 500"),
        ({"a": "x" * 1025}, "more than 1024 characters"),
        ({"x" * 1025: "a"}, "more than 1024 characters"),
    ],
)
def test_labels_that_no_api_server_keeps_are_refused(
    hub: FakeApiServer, around: Surroundings, labels: dict[str, Any], why: str
) -> None:
    put(hub, MANAGED, managed_cluster("prod", "https://prod", labels))
    error = failure(around, "open_cluster_management")
    assert error.reason == "bad_reply"
    assert why in error.message
    assert error.tried.startswith("sources[0] (open_cluster_management)")


def test_a_name_that_would_be_another_path_of_the_api_is_refused(
    hub: FakeApiServer, around: Surroundings
) -> None:
    evil = managed_cluster("prod", "https://prod")
    hub.objects.put(f"{MANAGED}/prod", {**evil, "metadata": {"name": "../../nodes", "uid": "1"}})
    error = failure(around, "open_cluster_management", secret={"name": "securescan"})
    assert "is not the namespace of a Secret" in error.message


def test_a_name_of_a_hub_steers_no_terminal(hub: FakeApiServer, around: Surroundings) -> None:
    evil = managed_cluster("prod", "https://prod")
    for name in ("a\x1b[2J", "a\x1b[2J/"):
        hub.objects.put(f"{MANAGED}/{len(name)}", {**evil, "metadata": {"name": name, "uid": name}})
    error = failure(around, "open_cluster_management", secret={"name": "a", "namespace": "fleet"})
    assert error.reason == "same_name"
    assert "\x1b" not in str(error) and "\\x1b[2J" in error.message


def test_texts_of_a_hub_are_printable(hub: FakeApiServer, around: Surroundings) -> None:
    put(hub, MANAGED, managed_cluster("prod", "https://prod", {"a": "\x1b[31mred", "\x00": "b"}))
    found = find(around, "open_cluster_management").variables["prod"]
    assert found["cluster_labels"] == {"a": "\\x1b[31mred", "\\x00": "b"}


def test_the_labels_of_all_clusters_are_bounded(
    hub: FakeApiServer, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_TEXTS", 2500)
    put(hub, MANAGED, managed_cluster("a", "https://a", {"a": "x" * 1000}))
    assert list(find(around, "open_cluster_management").variables) == ["a"]
    put(hub, MANAGED, *(managed_cluster(name, "https://a", {"a": "x" * 1000}) for name in "bcd"))
    assert failure(around, "open_cluster_management").reason == "bad_reply"


def test_pages_are_followed(hub: FakeApiServer, around: Surroundings) -> None:
    put(hub, MANAGED, *(managed_cluster(f"c{number:04}", f"https://c{number}") for number in range(1100)))
    assert len(find(around, "open_cluster_management").variables) == 1100
    assert len(hub.requests) == 3


def context(name: str, server: str = "https://a", cluster: str = "") -> dict[str, Any]:
    cluster = cluster or name
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": cluster, "user": "admin"}}],
        "clusters": [{"name": cluster, "cluster": {"server": server}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
    }


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_a_kubeconfig_gives_each_context(around: Surroundings) -> None:
    eks = "arn:aws:eks:eu-west-1:123456789012:cluster/prod"
    document = context(eks)
    for other in (
        context("aks", "https://lab-dns-1.hcp.westeurope.azmk8s.io:443"),
        context("gke_project_europe-west4-a_shop"),
        context("home", "https://10.0.0.1:6443"),
    ):
        document["contexts"] += other["contexts"]
        document["clusters"] += other["clusters"]
    path = write(around.folder / "config", document)
    found = find(around, "kubeconfig", paths=["config"]).variables
    assert {name: about(each)[:2] for name, each in found.items()} == {
        "arn-aws-eks-eu-west-1-123456789012-cluster-prod": ["aws", "eu-west-1"],
        "aks": ["azure", "westeurope"],
        "gke_project_europe-west4-a_shop": ["gcp", "europe-west4"],
        "home": ["", ""],
    }
    assert found["home"]["scan_kubeconfig"] == str(path)
    assert found["home"]["scan_context"] == "home"


def test_a_folder_gives_a_cluster_for_each_file(around: Surroundings) -> None:
    folder = around.folder / "clusters"
    for name in ("prod.yaml", "lab.kubeconfig", ".hidden"):
        write(folder / name, context("kubernetes-admin@kubernetes"))
    assert failure(around, "kubeconfig", paths=["clusters"]).reason == "same_name"
    found = find(around, "kubeconfig", paths=["clusters"], name_format="{file}").variables
    assert list(found) == ["lab", "prod"]
    assert list(find(around, "kubeconfig", paths=["clusters/*.yaml"], name_format="{file}").variables) == [
        "prod"
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none", "cannot be read"),
        ("empty", "has no kubeconfig file"),
        ("*.gone", "no file matches"),
        ("broken", "is not valid YAML"),
        ("dangling", "which does not exist"),
    ],
)
def test_what_is_no_kubeconfig_is_an_error(around: Surroundings, path: str, words: str) -> None:
    (around.folder / "empty").mkdir()
    (around.folder / "broken").write_text(f"a: [{TOKEN}", encoding="utf-8")
    dangling = context("a")
    dangling["clusters"] = []
    write(around.folder / "dangling", dangling)
    error = failure(around, "kubeconfig", paths=[path])
    assert error.reason == "bad_file"
    assert words in error.message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~nobody-of-this-name/x", "home directory"),
        ("a**", "no pattern"),
        ("a:b", "separated"),
        ("a:*", "separated"),
    ],
)
def test_a_path_that_no_module_could_take_is_refused(around: Surroundings, path: str, words: str) -> None:
    write(around.folder / "a:b", context("a"))
    error = failure(around, "kubeconfig", paths=[path])
    assert error.reason == "bad_option"
    assert words in error.message


@pytest.mark.parametrize(
    "proxy", ["http://me:planted@a", "http://:planted@a", "me:planted@a:3128", "http://[@"]
)
def test_a_password_of_a_proxy_is_in_no_inventory(around: Surroundings, proxy: str) -> None:
    error = failure(around, "static", clusters=[{"name": "a", "proxy": proxy}])
    assert error.reason == "bad_option"
    assert "planted" not in str(error)


def test_a_list_takes_what_the_connection_takes(around: Surroundings) -> None:
    entry = {
        "name": "shop",
        "host": "https://a",
        "ca_cert": "ca.pem",
        "tls_server_name": "b",
        "kubeconfig_secret": {"namespace": "fleet", "name": "x", "format": "token"},
        "hub_kubeconfig": "hub.kubeconfig",
        "hub_context": "test",
    }
    found = find(around, "static", clusters=[entry]).variables["shop"]
    assert found["scan_ca_cert"] == str(around.folder / "ca.pem")
    assert found["scan_kubeconfig_secret"] == {"namespace": "fleet", "name": "x", "format": "token"}
    assert "scan_in_cluster" not in found
