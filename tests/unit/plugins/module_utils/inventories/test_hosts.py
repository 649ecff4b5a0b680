# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources are checked, named and put together; what a host carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.hosts import (
    Hosts,
    find_hosts,
    read_sources,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.name_format import host_name
from ansible_collections.securescan.kubernetes.plugins.module_utils.inventories.source import Surroundings


def listed(*names: str, **source: Any) -> dict[str, Any]:
    return {"type": "static", "clusters": [{"name": name} for name in names], **source}


def hosts(*sources: Any, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Hosts:
    return find_hosts(read_sources(list(sources)), include, exclude, Surroundings({}, Path("/inventory")))


def failure(*sources: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        hosts(*sources)
    return caught.value


def test_a_host_has_the_variables_of_its_cluster_and_of_its_connection() -> None:
    entry = {
        "name": "prod eu",
        "labels": {"team": "shop"},
        "provider": "aws",
        "region": "eu-west-1",
        "version": "v1.36.0",
        "kubeconfig": "prod.yml",
        "kubeconfig_secret": None,
        "context": "prod",
        "validate_certs": "yes",
    }
    found = hosts({"type": "static", "clusters": [entry], "labels": {"environment": "prod"}})
    assert found.is_complete
    assert found.variables == {
        "prod-eu": {
            "ansible_connection": "local",
            "cluster_name": "prod eu",
            "cluster_source": "static",
            "cluster_origin": "the cluster 1 of the list",
            "cluster_provider": "aws",
            "cluster_region": "eu-west-1",
            "cluster_version": "v1.36.0",
            "cluster_labels": {"team": "shop", "environment": "prod"},
            "cluster_claims": {},
            "cluster_conditions": {},
            "scan_kubeconfig": "/inventory/prod.yml",
            "scan_context": "prod",
            "scan_validate_certs": True,
        }
    }


def test_hosts_are_in_the_order_of_their_names_and_patterns_choose() -> None:
    found = hosts(listed("c", "a-test", "b"), listed("a"), exclude=("*-test",))
    assert list(found.variables) == ["a", "b", "c"]
    assert list(hosts(listed("prod-1", "test-1"), include=("prod-*",)).variables) == ["prod-1"]


def test_two_clusters_of_one_name_are_an_error_that_names_both() -> None:
    error = failure(listed("a/b"), listed("x", "a:b"))
    assert error.reason == "same_name"
    assert "the host a-b" in error.message
    assert "the cluster 1 of the list (sources[0] (static))" in error.message
    assert "the cluster 2 of the list (sources[1] (static))" in error.message
    assert failure(listed("a", "a")).reason == "same_name"


def test_a_format_tells_clusters_of_one_name_apart() -> None:
    found = hosts(listed("a"), listed("a", name_format="lab-{name}"))
    assert list(found.variables) == ["a", "lab-a"]


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (
            "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
            "arn-aws-eks-eu-west-1-123456789012-cluster-prod",
        ),
        ("admin@prod", "admin-prod"),
        ("_fleet", "fleet"),
        ("..", ""),
        ("{{ lookup('pipe', 'id') }}", "lookup-pipe-id"),
        ("a\n[all:vars]", "a-all-vars"),
        ("prod,test:all", "prod-test-all"),
        ("Ünï", "n"),
    ],
)
def test_names_of_hosts_hold_nothing_that_ansible_reads(name: str, host: str) -> None:
    assert host_name(name) == host


def test_a_long_name_stays_its_own() -> None:
    first, second = host_name("a" * 300 + "1"), host_name("a" * 300 + "2")
    assert first != second
    assert len(first) == len(second) == 100


def test_a_cluster_without_a_name_is_an_error() -> None:
    assert "no letter or digit" in failure(listed("--")).message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("static", "must be a dictionary with a type"),
        ({"type": "argo_cd"}, "did you mean 'argocd'"),
        ({"type": "static"}, "needs the key clusters"),
        (listed("a", clsters=[]), "no key 'clsters'"),
        (listed("a", name_format="{nam}"), "sources[0].name_format"),
        (listed("a", name_format="all"), "with one or several of the fields {name}"),
        ({"type": "static", "clusters": [{"name": "a", "api_key": "planted"}]}, "no key 'api_key'"),
        ({"type": "static", "clusters": [{"name": "a", "kubeconfig": {"users": "planted"}}]}, "kubeconfig"),
        ({"type": "static", "clusters": [{"name": "a", "kubeconfig": "users:\n- planted"}]}, "content"),
        ({"type": "static", "clusters": [{"name": "a", "hub_kubeconfig": "{planted}"}]}, "content"),
        ({"type": "static", "clusters": [{"name": "a", "proxy": "http://u:planted@p"}]}, "proxy of a"),
        (
            {
                "type": "static",
                "clusters": [{"name": "a", "kubeconfig_secret": {"namespace": "x", "name": "../y"}}],
            },
            "is not the name of a Secret",
        ),
    ],
)
def test_what_cannot_be_a_source_is_refused_and_not_quoted(source: Any, words: str) -> None:
    error = failure(source)
    assert error.reason == "bad_option"
    assert words in error.message
    assert "planted" not in str(error)


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "127.0.0.1"])
def test_names_that_ansible_keeps_are_refused(name: str) -> None:
    assert "Ansible keeps" in failure(listed(name)).message
    assert list(hosts(listed(name, name_format="cluster-{name}")).variables) == [f"cluster-{name}"]


def test_no_source_is_an_error() -> None:
    for value in (None, [], "static"):
        with pytest.raises(ScanError, match="sources"):
            read_sources(value)


def test_a_source_that_cannot_be_read_is_an_error_or_by_option_a_warning(tmp_path: Path) -> None:
    missing = {"type": "kubeconfig", "paths": ["gone.yml"]}
    error = failure(missing)
    assert error.reason == "bad_file"
    assert error.tried == "sources[0] (kubeconfig)"
    around = Surroundings({}, tmp_path)
    found = find_hosts(read_sources([{**missing, "required": False}, listed("a")]), (), (), around)
    assert list(found.variables) == ["a"]
    assert not found.is_complete
    assert "sources[0] (kubeconfig)" in around.warnings[0]
    assert "SCAN-103" in around.warnings[0]
