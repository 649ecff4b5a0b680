# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One play over many clusters: the real one under two names, and fake ones that are slow, refusing, cutting or dead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.tests.support.fleet_of_clusters import FleetOfClusters


@pytest.fixture(scope="module")
def fleet(operator_kubeconfig, tmp_path_factory) -> Iterator[FleetOfClusters]:
    with FleetOfClusters(tmp_path_factory.mktemp("fleet")) as made:
        for name in ("prod-eu", "Prod.US"):
            made.hosts[name] = {
                "scan_kubeconfig": str(operator_kubeconfig),
                "scan_workloads": ["Deployment/api"],
                "fleet_groups": {"region": name[-2:].lower()},
            }
        made.add_fine("lab")
        made.add_refusing("refusing")
        made.add_cutting("cutting")
        made.add_dead("dead")
        made.hosts["odd"] = {"scan_kubeconfig": "{{ nobody_defined_this }}"}
        yield made


def test_each_failure_is_an_entry_with_its_cause(fleet: FleetOfClusters) -> None:
    status, output = fleet.play()
    print(output)
    run = fleet.latest()
    found = {entry.cluster: (entry.state, entry.error.code if entry.error else "") for entry in run.clusters}
    assert found == {
        "prod-eu": ("scanned", ""),
        "Prod.US": ("scanned", ""),
        "lab": ("scanned", ""),
        "refusing": ("refused", "SCAN-204"),
        "cutting": ("not_scanned", ""),
        "dead": ("unreachable", "SCAN-202"),
        "odd": ("broken", "SCAN-824"),
    }
    assert status == 2
