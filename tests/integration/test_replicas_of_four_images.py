# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty pods of four images, two of them without a shell, in a namespace that enforces Pod Security's level restricted."""

from __future__ import annotations

import json

from ansible_collections.securescan.kubernetes.tests.cluster import audit
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    ENFORCED,
    LISTENS,
    container,
)
from ansible_collections.securescan.kubernetes.tests.support.parity_workloads import CONTAINERS
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, gone, run_scan
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import workload

REPLICAS = 5
NO_SHELL = ("static", "python")
(PYTHON,) = (one for one in CONTAINERS if one["name"] == "python")
IMAGES = (container("static", **LISTENS), PYTHON, container("debian", DEBIAN), container("busybox", BUSYBOX))


def test_by_image_by_debug_and_by_auto(place, cluster, helper_operator_kubeconfig, tmp_path):
    there = place(ENFORCED)
    deployments = [workload("Deployment", one["name"], one, spec={"replicas": REPLICAS}) for one in IMAGES]
    cluster.load_images(json.dumps(deployments))
    there.add(*deployments, wait=False)
    for one in IMAGES:
        cluster.kubectl("rollout", "status", "deployment/" + one["name"], "-n", there.name, "--timeout=300s")

    def scanned(approach, count, **changes):
        run = Run(
            run_scan(
                helper_operator_kubeconfig,
                tmp_path / approach,
                approach=approach,
                namespaces=[there.name],
                **changes,
            )
        )
        assert run.result["counts"] == {
            "selected": count,
            "scanned": count,
            "not_scanned": 0,
            "not_judged": 0,
            "carried": 0,
        }
        assert all(target["counts"]["passed"] > 15 for target in run.targets)
        return run

    by_image = scanned("image", REPLICAS * len(IMAGES))
    assert by_image.result["requests"]["exec"] == len(IMAGES), "one collection for each digest"
    assert len({target["image_id"] for target in by_image.targets}) == len(IMAGES)

    cluster.forget_audit()
    scanned("debug", REPLICAS * len(NO_SHELL), containers=list(NO_SHELL))
    by_auto = scanned("auto", REPLICAS * len(IMAGES))
    assert {(target["container"], target["approach"]) for target in by_auto.targets} == {
        ("static", "debug"),
        ("python", "debug"),
        ("debian", "exec"),
        ("busybox", "exec"),
    }
    added = [
        event
        for event in audit.ephemeral_containers(cluster.audit_events() or [])
        if event["objectRef"]["namespace"] == there.name
    ]
    assert len(added) == 2 * REPLICAS * len(NO_SHELL) or not cluster.made_here
    assert "privileged" not in json.dumps(added)
    assert gone(cluster)
