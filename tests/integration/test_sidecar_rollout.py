# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_sidecar waits for rollouts, tells why one fails, and a failed one can be taken back."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import ANNOTATION
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    DISTROLESS,
    ENFORCED,
    container,
)
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import (
    make,
    template,
    workload,
)


@pytest.fixture
def filled(place, cluster):
    """A namespace with workloads whose pods are ready."""

    def fill(*items, labels=None):
        space = place(labels)
        make(cluster, space.name, *items)
        for item in items:
            cluster.kubectl(
                "rollout",
                "status",
                "{}/{}".format(item["kind"], item["metadata"]["name"]),
                "-n",
                space.name,
                "--timeout=90s",
            )
        return space

    return fill


def leaving(there, name):
    return [
        item["metadata"]["name"]
        for item in there.cluster.get("pods", "-l", "app=" + name, "-n", there.name)["items"]
        if item["metadata"].get("deletionTimestamp")
    ]


def failure(done):
    assert done["failed"] and done["changed"], done
    (record,) = done["workloads"]
    assert record["rolled_out"] is False and record["error"] == done["error"]
    return done["error"]


def test_a_sidecar_that_cannot_start_is_told_at_once_and_taken_back(filled, sidecar, cluster):
    space = filled(workload("Deployment", "web", container()), labels=ENFORCED)
    web = "Deployment/web"
    before = template(cluster.get(web, "-n", space.name))
    error = failure(sidecar(space.name, web, scanner_image="securescan.local/nothing:1"))
    assert error["reason"] == "image_pull_failed" and "securescan.local/nothing:1" in error["message"]
    error = failure(sidecar(space.name, web, scanner_image=DISTROLESS))
    assert (
        error["reason"] == "rollout_failed"
        and "sh" in error["message"]
        and f"pod {space.name}/web" in error["tried"]
    )
    # what was wrong with an earlier template is not held against the next
    done = sidecar(space.name, web)
    assert not done.get("failed") and done["workloads"][0]["rolled_out"]
    done = sidecar(space.name, web, state="absent")
    assert done["workloads"][0] == {
        "workload": web,
        "changed": True,
        "sidecars": [],
        "rolled_out": True,
        "not_served": {},
    }
    found = cluster.get(web, "-n", space.name)
    assert template(found) == before and ANNOTATION not in found["metadata"]["annotations"]
    cluster.kubectl("rollout", "pause", web, "-n", space.name)
    assert "paused" in failure(sidecar(space.name, web))["message"]
    assert sidecar(space.name, web, wait=False, state="absent")["workloads"][0]["rolled_out"] is False


def test_the_old_pods_have_gone_when_the_rollout_is_over(filled, sidecar, cluster):
    """A scan that follows finds none that is on its way out; one that a finalizer holds is not waited for without end."""
    slow = container(command=("sh", "-c", "trap 'sleep 4; exit 0' TERM; sleep 3600 & wait"))
    space = filled(workload("Deployment", "web", slow, terminationGracePeriodSeconds=20))
    done = sidecar(space.name, "Deployment/web")
    assert done["workloads"][0]["rolled_out"] and leaving(space, "web") == []
    (held,) = (
        item["metadata"]["name"] for item in cluster.get("pods", "-l", "app=web", "-n", space.name)["items"]
    )
    cluster.kubectl(
        "patch",
        "pod",
        held,
        "-n",
        space.name,
        "--type=merge",
        "-p",
        json.dumps({"metadata": {"finalizers": ["securescan.test/held"]}}),
    )
    try:
        done = sidecar(space.name, "Deployment/web", state="absent", wait_timeout=60)
        assert done["workloads"][0]["rolled_out"] and leaving(space, "web") == [held]
    finally:
        cluster.kubectl(
            "patch", "pod", held, "-n", space.name, "--type=merge", "-p", '{"metadata": {"finalizers": []}}'
        )


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_pods_that_pod_security_refuses(kind, filled, sidecar, cluster):
    """Their own template breaks the level, which came after they did; the sidecar only brings it to light."""
    space = filled(workload(kind, "old", container(security={"allowPrivilegeEscalation": True})))
    cluster.kubectl("label", "namespace", space.name, *("{}={}".format(*label) for label in ENFORCED.items()))
    error = failure(sidecar(space.name, kind + "/old"))
    assert error["reason"] == "rollout_failed" and "Pod Security (restricted" in error["cause"], error
    assert "allowPrivilegeEscalation" in error["message"] and "state=absent" in error["advice"]


def test_a_quota_and_a_wait_that_runs_out(filled, sidecar, cluster):
    space = filled(workload("Deployment", "web", container(resources={"requests": {"cpu": "1m"}})))
    make(
        cluster,
        space.name,
        workload("StatefulSet", "db", container(), spec={"updateStrategy": {"type": "OnDelete"}}),
    )
    done = sidecar(space.name, "sts/db")
    assert done["workloads"][0]["rolled_out"] is False and "OnDelete" in sidecar.warnings[0]
    cluster.kubectl("create", "quota", "little", "--hard=requests.cpu=5m", "-n", space.name)
    cluster.kubectl(
        "wait", "quota/little", "-n", space.name, "--for=jsonpath={.status.hard}", "--timeout=30s"
    )
    error = failure(sidecar(space.name, "Deployment/web"))
    assert error["reason"] == "rollout_failed" and "quota little" in error["cause"], error
    sidecar(space.name, "Deployment/web", state="absent")
    never = [{"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"tests/never": "true"}}]
    cluster.kubectl("delete", "quota", "little", "-n", space.name)
    cluster.kubectl("patch", "Deployment/web", "-n", space.name, "--type=json", "-p", json.dumps(never))
    error = failure(sidecar(space.name, "Deployment/web", wait_timeout=2))
    assert error["reason"] == "timed_out" and "wait_timeout" in error["cause"] and "web" in error["tried"]
