# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the way of a debug container on a real cluster: each obstacle is told apart, and named."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DISTROLESS,
    ENFORCED,
    LISTENS,
    container,
    pod,
)

IMAGES = {
    "one that the registry does not give": (
        "securescan.local/none:1",
        "IfNotPresent",
        "image_pull_failed",
        "rrImagePull",
    ),
    "one that may not be pulled": (
        "securescan.local/none:1",
        "Never",
        "image_pull_failed",
        "scanner_image_pull_policy",
    ),
    "one that has no valid name": (
        "Not/A:valid:name",
        "IfNotPresent",
        "image_pull_failed",
        "InvalidImageName",
    ),
    "one without a shell": (DISTROLESS, "IfNotPresent", "debug_failed", "has no sh"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_an_image_that_does_not_serve(case, place, scan):
    image, policy, reason, said = IMAGES[case]
    there = place(ENFORCED)
    there.add(pod("a", container(**LISTENS)))
    done = scan(there.name, scanner_image=image, scanner_image_pull_policy=policy, timeout=90.0)
    error = done.error()
    assert error["reason"] == reason
    assert said in error["message"] + error["cause"] + error["advice"]
    assert done.result["changed"] is True and done.result["footprint"]["added"] == 1, (
        "the entry stays, so it is told"
    )
    assert done.targets["app"]["duration"] < 60, "it is not waited for till the time-out"


def test_an_image_that_cannot_be_pulled_leaves_one_entry_however_often_it_is_tried(place, scan):
    there = place(ENFORCED)
    there.add(pod("a", container(**LISTENS)))
    for attempt in range(3):
        done = scan(there.name, scanner_image="securescan.local/none:1")
        assert done.error()["reason"] == "image_pull_failed"
        assert done.result["changed"] is (attempt == 0)
    assert len(there.entries("a")) == 1
    assert scan(there.name).said()["footprint"]["is_new"], "another image is another container"


def test_a_pod_that_breaks_its_namespaces_level_is_told_apart(place, scan, cluster):
    """Pod Security judges the whole pod again: one that is older than the label refuses every debug container."""
    there = place()
    there.add(
        pod("old", container(), container("careless", security={"allowPrivilegeEscalation": True})),
        pod("good", container("fine")),
    )
    cluster.kubectl("label", "namespace", there.name, *("{}={}".format(*item) for item in ENFORCED.items()))
    done = scan(there.name)
    for name in ("app", "careless"):
        error = done.error(name)
        assert error["reason"] == "pod_violates_policy"
        assert 'container "careless"' in error["message"] and "the pod itself" in error["cause"]
    assert done.said("fine")["approach"] == "debug"
    assert there.entries("old") == []


def policy(name, namespace):
    """Nobody may add an ephemeral container in the namespace."""
    version = "admissionregistration.k8s.io/v1"
    return [
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["UPDATE"],
                            "resources": ["pods/ephemeralcontainers"],
                        }
                    ]
                },
                "validations": [{"expression": "false", "message": "no debugging here"}],
            },
        },
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
                },
            },
        },
    ]


def test_a_policy_that_forbids_ephemeral_containers_is_named(place, scan, cluster):
    there = place(ENFORCED)
    there.add(pod("a", container(**LISTENS)))
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": policy(there.name, there.name)})
    cluster.kubectl("create", "-f", "-", stdin=text)
    try:
        deadline = time.monotonic() + 60
        while (
            cluster.kubectl_run(
                "debug", "a", "-n", there.name, "--image", BUSYBOX, "--profile=restricted", "--attach=false"
            ).returncode
            == 0
            and time.monotonic() < deadline
        ):
            time.sleep(0.5)  # a policy takes a moment to be in force
        before = len(there.entries("a"))
        error = scan(there.name).error()
        assert error["reason"] == "debug_refused"
        assert there.name in error["cause"] and "no debugging here" in error["message"]
        assert len(there.entries("a")) == before
    finally:
        cluster.kubectl("delete", "-f", "-", stdin=text)


def test_quota_and_limits_are_not_in_the_way(place, scan, cluster):
    """An ephemeral container counts for no quota: a namespace that is full can be scanned."""
    there = place(ENFORCED)
    cluster.kubectl(
        "create", "quota", "full", "-n", there.name, "--hard=pods=1,limits.memory=64Mi,limits.cpu=500m"
    )
    # until it knows what is used, a quota refuses every pod
    cluster.kubectl(
        "wait", "quota/full", "-n", there.name, "--for=jsonpath={.status.used.pods}", "--timeout=60s"
    )
    there.add(pod("a", container(resources={"limits": {"memory": "64Mi", "cpu": "500m"}}, **LISTENS)))
    assert scan(there.name).said()["approach"] == "debug"


def test_an_operator_who_may_not_hand_it_out_is_told_so(place, scan, operator_kubeconfig):
    there = place(ENFORCED)
    there.add(pod("a", container(**LISTENS)))
    error = scan(there.name, kubeconfig=str(operator_kubeconfig)).error()
    assert error["reason"] == "access_incomplete"
    assert "the grantor lacks patch on pods/ephemeralcontainers" in error["cause"]


def test_without_an_image_no_cluster_is_touched(place, scan, cluster):
    with pytest.raises(Exception, match="scanner_image"):
        scan("nowhere", scanner_image=None)


def test_a_program_that_hides_its_process_is_a_record(place, scan):
    """Linux shows nothing of a process whose program its own user may not read."""
    there = place(ENFORCED)
    mount = {"volumeMounts": [{"name": "program", "mountPath": "/program"}]}
    copy = ["sh", "-c", "cp /bin/busybox /program/sleep && chmod 0111 /program/sleep"]
    there.add(
        pod(
            "a",
            container(command=["/program/sleep", "3600"], **mount),
            initContainers=[container("copy", command=copy, **mount)],
            volumes=[{"name": "program", "emptyDir": {}}],
        )
    )
    assert scan(there.name).error()["reason"] == "target_unreadable"
    assert scan(there.name, approach="exec").verdicts()


def test_a_pod_with_too_many_entries_is_left_alone(place, scan, cluster):
    there = place(ENFORCED)
    there.add(pod("a", container(**LISTENS)))
    entries = [
        {
            "name": f"securescan-{number}",
            "image": BUSYBOX,
            "imagePullPolicy": "Never",
            "command": ["true"],
            "securityContext": container()["securityContext"],
        }
        for number in range(100)
    ]
    path = f"/api/v1/namespaces/{there.name}/pods/a/ephemeralcontainers"
    whole = there.pod("a")
    del whole["metadata"]["resourceVersion"]  # the kubelet may write its status meanwhile
    whole["spec"]["ephemeralContainers"] = entries
    cluster.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(whole))
    error = scan(there.name).error()
    assert error["reason"] == "debug_refused" and "rollout restart" in error["advice"]
