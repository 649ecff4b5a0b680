# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole scans with a cross-check: what they cost, what their results say, and what a given access lets them do."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    HELPERS,
    IMAGE,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import (
    beside_target,
    with_image,
)

ROOT = pathlib.Path("/")


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:  # noqa: F811
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


def said(scan: Scan, result: dict[str, Any], pod: str = "web-1") -> dict[str, Any]:
    document = json.loads((pathlib.Path(result["run_dir"]) / scan.targets[pod]["hdf"]).read_text())
    found: dict[str, Any] = document["passthrough"]["securescan_kubernetes"]["scan"]
    return found


def test_a_check_by_debug_is_one_look_more_and_its_container_is_counted(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    scan()
    alone = len(cluster.execs())
    result = scan(scanner_image=IMAGE, cross_check="required")
    assert scan.outcomes() == {"web-1": "exec"}
    assert len(cluster.execs()) - alone == alone + 1
    assert result["footprint"]["added"] == 1 and result["changed"] is True
    check = said(scan, result)["cross_check"]
    assert check["approach"] == "debug" and check["compared"] >= 1 and check["drifted"] == []
    assert scan.targets["web-1"]["evidence"]["grade"] == "target"
    assert cluster.accesses() == []


def test_a_check_by_image_looks_at_each_image_once(
    server: FakeApiServer,  # noqa: F811
    tmp_path: pathlib.Path,
) -> None:
    cluster = Cluster(server, with_image(ROOT))
    scan = Scan(cluster, tmp_path)
    for number in range(3):
        cluster.add_pod(f"web-{number}", run_locally)
    given = {"scanner_image": IMAGE, "helper_namespace": HELPERS, "approaches": ["exec", "image"]}
    result = scan(cross_check="required", **given)
    assert set(scan.outcomes().values()) == {"exec"} and result["footprint"]["added"] == 0
    assert len(cluster.execs()) == 3 + 1, "each container, and their image"
    assert said(scan, result, "web-0")["cross_check"]["approach"] == "image"


def test_with_drift_the_same_helper_pods_serve_both(
    server: FakeApiServer,  # noqa: F811
    tmp_path: pathlib.Path,
) -> None:
    cluster = Cluster(server, with_image(ROOT))
    scan = Scan(cluster, tmp_path)
    cluster.add_pod("web-1", run_locally)
    result = scan(drift=True, drift_paths=["/etc/ssl"], cross_check="possible", approaches=["exec", "image"])
    assert said(scan, result)["cross_check"]["approach"] == "image"
    made = [
        one
        for one in cluster.server.requests
        if one.method == "POST" and one.path.endswith(f"{HELPERS}/pods")
    ]
    assert len(made) == 1


@pytest.mark.parametrize(("mode", "outcome"), [("possible", "exec"), ("required", "not_cross_checked")])
def test_an_access_that_was_given_bounds_the_check(
    scan: Scan, cluster: Cluster, mode: str, outcome: str
) -> None:
    cluster.add_pod("web-1", run_locally)
    access = TaskRunner(cluster.server, run_scan_access, scan_access_spec)(namespaces=["shop"])["access"]
    scan(access=access, scanner_image=IMAGE, cross_check=mode)
    assert scan.outcomes() == {"web-1": outcome}
    if mode == "possible":
        assert "there was none (sidecar: no_sidecar)" in scan.targets["web-1"]["evidence"]["reasons"][0]
    assert not cluster.node.ended, "no debug container was added"


def test_auto_that_prefers_trust_asks_the_targets_own_shell_last(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    scan(approach="auto", approaches=["exec", "debug"], prefer="trust")
    assert scan.outcomes() == {"web-1": "debug"}
    assert scan.targets["web-1"]["evidence"]["grade"] == "beside"
    scan(approach="auto", approaches=["exec", "debug"])
    assert scan.outcomes() == {"web-1": "exec"}


def test_auto_without_a_shell_in_the_target_is_checked_by_what_is_left(
    server: FakeApiServer,  # noqa: F811
    tmp_path: pathlib.Path,
) -> None:
    cluster = Cluster(server, with_image(ROOT))
    scan = Scan(cluster, tmp_path)
    cluster.add_pod("web-1", no_shell)
    result = scan(approach="auto", approaches=["exec", "image"], cross_check="possible")
    assert scan.outcomes() == {"web-1": "image"}
    assert said(scan, result)["cross_check"]["approach"] == ""
    assert "exec: no_such_program" in scan.targets["web-1"]["evidence"]["reasons"][0]
