# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments of scans by image: the sweep takes access and helper pods, and a new scan works."""

from __future__ import annotations

import json
import multiprocessing
import random
import time

import pytest
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    ENFORCED,
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    ACCOUNT,
    IMAGE_MANIFEST,
    NAMESPACE,
    shipped_cluster_role,
)

OURS = "app.kubernetes.io/managed-by=securescan.kubernetes"
ACCESS = "serviceaccounts,roles,rolebindings"
MOMENTS = 10


@pytest.fixture
def helpers(place, cluster, helper_operator_kubeconfig):
    """A namespace for the helper pods of this test alone: what it sweeps belongs to no other scan."""
    there = place(ENFORCED)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "securescan-grantor-image", "namespace": there.name},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": shipped_cluster_role(IMAGE_MANIFEST)["metadata"]["name"],
        },
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT + "-helpers", "namespace": NAMESPACE}],
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(binding))
    return there


def names(cluster, namespace, kinds):
    return set(cluster.kubectl("get", kinds, "-n", namespace, "-l", OURS, "-o", "name").split())


def test_what_killed_scans_leave_is_swept_and_a_new_one_works(
    place, helpers, scan, cluster, helper_operator_kubeconfig
):
    there = place(ENFORCED)
    there.add(pod("a", container("a", **LISTENS)), pod("b", container("b", BUSYBOX)))
    forked = multiprocessing.get_context("fork")
    chance = random.Random(5)

    def run():
        return scan(
            there.name,
            approach="image",
            helper_namespace=helpers.name,
            concurrency=1,
            kubeconfig=str(helper_operator_kubeconfig),
        )

    began = time.monotonic()
    assert run().result["counts"]["scanned"] == 2
    duration = time.monotonic() - began
    assert names(cluster, helpers.name, ACCESS) == set(), "one that is not killed leaves nothing"
    for moment in range(MOMENTS):
        known = names(cluster, helpers.name, "pods")
        process = forked.Process(target=run)
        process.start()
        if moment % 2:
            # how far a scan is depends on what else the machine does: each other one has its helper pod
            while process.is_alive() and names(cluster, helpers.name, "pods") <= known:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.3))
        else:
            time.sleep(chance.uniform(0, min(duration, 3.0)))
        process.kill()
        process.join()
    left, pods = names(cluster, helpers.name, ACCESS), names(cluster, helpers.name, "pods")
    within, with_pods = sum(name.startswith("serviceaccount/") for name in left), len(pods)
    assert within >= 3 and with_pods >= 1, (
        "too few of the moments lay within a scan, so this shows too little"
    )
    sweep = {"state": "swept", "namespaces": [helpers.name, there.name]}
    assert run_task(helper_operator_kubeconfig, **sweep)["changed"] is False, "nothing has expired yet"
    assert names(cluster, helpers.name, ACCESS) == left
    # the shortest access lives for 10 minutes: their expiry is put into the past
    for namespace in (helpers.name, there.name):
        cluster.kubectl(
            "label",
            "--overwrite",
            ACCESS,
            "-n",
            namespace,
            "-l",
            OURS,
            "securescan.kubernetes/expires=20200101T000000Z",
        )
    swept = run_task(helper_operator_kubeconfig, **sweep)
    assert swept["swept"]["removed_count"] >= within and swept["swept"]["kept_count"] == 0, swept
    deadline = time.monotonic() + 60
    while names(cluster, helpers.name, ACCESS + ",pods") and time.monotonic() < deadline:
        time.sleep(0.2)
    for namespace in (helpers.name, there.name):
        assert names(cluster, namespace, ACCESS + ",pods") == set()
    assert not any(there.entries(name) for name in "ab")
    assert run().result["counts"] == {
        "selected": 2,
        "scanned": 2,
        "not_scanned": 0,
        "not_judged": 0,
        "carried": 0,
    }
