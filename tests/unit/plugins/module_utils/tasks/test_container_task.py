# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_container as a whole, on the fake API server and this machine's shells: by each approach, and however it ends."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import (
    beside_target,
    with_image,
)

ROOT = pathlib.Path("/")


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


@pytest.mark.parametrize("approach", ["exec", "sidecar", "debug", "image"])
def test_each_approach_gives_the_same_verdicts_by_one_exec_with_the_scanners_token(
    scan: Scan, cluster: Cluster, approach: str
) -> None:
    if approach == "image":
        cluster.server.objects.meanwhile[:] = []
        cluster = Cluster(cluster.server, with_image(ROOT))
    cluster.add_pod("web-1", run_locally if approach == "exec" else no_shell, sidecar=beside_target(ROOT))
    result = scan(approach=approach)
    assert result["counts"] == {"selected": 1, "scanned": 1, "not_scanned": 0}, scan.outcomes()
    assert scan.outcomes() == {"web-1": approach}
    assert scan.verdicts("web-1") == ["passed", "passed"]
    (entered,) = cluster.execs()
    account = "system:serviceaccount:{}:securescan-".format("scans" if approach == "image" else "shop")
    assert entered.user.startswith(account)
    assert cluster.accesses() == []
