# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing targets on the real cluster: every kind of workload and of container, in every state it can be in."""

from __future__ import annotations

import json
import os
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.tests.support import access_tasks
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import make_namespace

NAME = f"targets-{uuid.uuid4().hex[:6]}"
PATIENCE = 120.0
# path of the pod (its start) -> (workload, state, reason) once everything is in its place
EXPECTED = {
    "db-0": ("StatefulSet/db", "running", ""),
    "db-1": ("StatefulSet/db", "running", ""),
    "log-": ("DaemonSet/log", "running", ""),
    "once-": ("Job/once", "terminated", "Completed"),
    "night-now-": ("CronJob/night", "terminated", "Completed"),
    "set-": ("ReplicaSet/set", "running", ""),
    "rc-": ("ReplicationController/rc", "running", ""),
    "owned-": ("ConfigMap/stand-in", "running", ""),
    "bare": ("Pod/bare", "running", ""),
    "leaving": ("Pod/leaving", "running", "Terminating"),
    "homeless": ("Pod/homeless", "waiting", "Unschedulable"),
    "windows": ("Pod/windows", "waiting", "Unschedulable"),
}


def pod_spec(command="sleep 600", image="busybox", **spec):
    return {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        **spec,
        "containers": [
            {
                "name": "main",
                "image": f"securescan.local/{image}:1",
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", "-c", command],
            }
        ],
    }


def template(name, **spec):
    return {"metadata": {"labels": {"app": name}}, "spec": pod_spec(**spec)}


def made(kind, name, api_version="apps/v1", metadata=None, **spec):
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAME, **(metadata or {})},
        "spec": spec,
    }


def selected(name):
    return {"selector": {"matchLabels": {"app": name}}, "template": template(name)}


def job(**more):
    return {"template": template("job", command="true", restartPolicy="Never"), **more}


def manifests():
    init = {"name": "setup", "image": "securescan.local/busybox:1", "command": ["true"]}
    mesh = {
        "name": "mesh",
        "image": "securescan.local/debian:1",
        "command": ["/bin/sh", "-c", "sleep 600"],
        "restartPolicy": "Always",
    }
    return [
        made(
            "StatefulSet",
            "db",
            replicas=2,
            podManagementPolicy="Parallel",
            serviceName="db",
            **selected("db"),
        ),
        made("DaemonSet", "log", **selected("log")),
        made("Job", "once", "batch/v1", **job()),
        made("CronJob", "night", "batch/v1", schedule="0 0 1 1 *", suspend=True, jobTemplate={"spec": job()}),
        made("ReplicaSet", "set", replicas=1, **selected("set")),
        made(
            "ReplicationController", "rc", "v1", replicas=1, selector={"app": "rc"}, template=template("rc")
        ),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stand-in", "namespace": NAME}},
        made("Pod", "bare", "v1", **pod_spec(image="debian", initContainers=[init, mesh])),
        made("Pod", "leaving", "v1", **{**pod_spec(), "terminationGracePeriodSeconds": 600}),
        made("Pod", "homeless", "v1", **pod_spec(nodeSelector={"no-node-has": "this"})),
        made(
            "Pod",
            "windows",
            "v1",
            **pod_spec(os={"name": "windows"}, nodeSelector={"kubernetes.io/os": "windows"}),
        ),
    ]


@pytest.fixture(scope="module")
def namespace(cluster):
    """A namespace with all of them; removed at the end."""

    def apply(*objects):
        cluster.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    make_namespace(cluster, NAME, {"test": NAME})
    try:
        apply(*manifests())
        # the stand-in for an operator's own kind, as Argo's Rollout owns ReplicaSets
        owner = cluster.get("configmap", "stand-in", "-n", NAME)["metadata"]
        apply(
            made(
                "ReplicaSet",
                "owned",
                replicas=1,
                **selected("owned"),
                metadata={
                    "ownerReferences": [
                        {
                            "apiVersion": "v1",
                            "kind": "ConfigMap",
                            "name": "stand-in",
                            "uid": owner["uid"],
                            "controller": True,
                        }
                    ]
                },
            )
        )
        cluster.kubectl("create", "job", "night-now", "--from=cronjob/night", "-n", NAME)
        wait_for(cluster, lambda pods: pods.get("leaving") == "Running" and pods.get("bare") == "Running")
        cluster.kubectl("delete", "pod", "leaving", "-n", NAME, "--wait=false")
        cluster.kubectl(
            "debug",
            "bare",
            "-n",
            NAME,
            "--image=securescan.local/busybox:1",
            "--attach=false",
            "--image-pull-policy=IfNotPresent",
            "--container=debug",
            "--",
            "sleep",
            "600",
        )
        wait_for(
            cluster,
            lambda pods: (
                len(pods) == len(EXPECTED)
                and "ContainerCreating" not in pods.values()
                and sorted(pods.values()) == sorted(["Running"] * 8 + ["Succeeded"] * 2 + ["Pending"] * 2)
            ),
        )
        yield NAME
    finally:
        cluster.kubectl_run("delete", "pod", "leaving", "-n", NAME, "--grace-period=0", "--force")
        cluster.kubectl_run("delete", "namespace", NAME, "--wait=false")


def wait_for(cluster, holds):
    deadline = time.monotonic() + PATIENCE
    while True:
        pods = {
            pod["metadata"]["name"]: pod["status"].get("phase")
            for pod in cluster.get("pods", "-n", NAME)["items"]
        }
        if holds(pods):
            return
        assert time.monotonic() < deadline, pods
        time.sleep(0.3)


@pytest.fixture
def info(cluster, namespace):
    """Runs the task scan_target_info over the namespace; `warnings` are those of the last call."""

    def run(**changes):
        params = {name: rule.get("default") for name, rule in scan_target_info_spec().items()}
        fixed = {"kubeconfig": str(cluster.kubeconfig), "namespaces": [namespace], "finished_pods": True}
        params.update({**fixed, **changes})
        context = TaskContext(check_mode=False, environ=dict(os.environ))
        result = run_scan_target_info(params, context)
        run.warnings = context.warnings
        return result

    return run


def pods_of(result):
    return {target["pod"] for target in result["targets"]}


def test_every_workload_and_state_is_a_record(info):
    found = info()
    seen = {}
    for target in found["targets"]:
        if target["container"] == "main":
            (start,) = [start for start in EXPECTED if target["pod"].startswith(start)]
            seen[start] = (
                "{}/{}".format(target["workload_kind"], target["workload"]),
                target["state"],
                target["state_reason"],
            )
    assert seen == EXPECTED
    assert {target["pod"]: target["operating_system"] for target in found["targets"]}["windows"] == "windows"
    # bare has its sidecar too
    assert found["counts"]["by_state"] == {"running": 9, "terminated": 2, "waiting": 2} and not info.warnings
    assert found["counts"]["by_workload_kind"]["StatefulSet"] == 2 and found["counts"]["targets"] == 13


def test_all_kinds_of_containers_of_a_pod(info):
    found = info(pods=["bare"], container_kinds=["container", "init", "ephemeral"])["targets"]
    # the kubelet may not have begun with the debug container yet
    assert {
        (target["container"], target["container_kind"], target["state"] * (target["container"] != "debug"))
        for target in found
    } == {
        ("main", "container", "running"),
        ("setup", "init", "terminated"),
        ("mesh", "init", "running"),
        ("debug", "ephemeral", ""),
    }
    assert [target["container"] for target in info(pods=["bare"])["targets"]] == ["main", "mesh"]


@pytest.mark.parametrize(
    ("conditions", "starts"),
    [
        ({"workloads": ["StatefulSet/db"]}, ["db-0", "db-1"]),
        ({"workloads": ["ds/*", "*/night"]}, ["log-", "night-now-"]),
        ({"workloads": ["configmap/*"]}, ["owned-"]),
        ({"images": ["*/debian:*"]}, ["bare"]),
        (
            {"pods": ["[hs]*-*", "home*", "bare"], "exclude_pods": ["ba?e"], "exclude_workloads": ["rs/*"]},
            ["homeless"],
        ),
        ({"label_selectors": ["app in (rc, db)"], "exclude_workloads": ["rc/rc"]}, ["db-0", "db-1"]),
        ({"field_selectors": ["status.phase=Succeeded"]}, ["night-now-", "once-"]),
        ({"workloads": ["sts/*"], "replicas": "one"}, ["db-0"]),
    ],
)
def test_each_condition_chooses_its_pods(info, conditions, starts):
    assert (
        sorted(start for start in EXPECTED for pod in pods_of(info(**conditions)) if pod.startswith(start))
        == starts
    )


def test_namespaces_by_label_and_by_pattern(info, namespace):
    by_label = info(namespaces=[], namespace_selectors=[f"test={namespace}"])
    assert pods_of(by_label) == pods_of(
        info(
            namespaces=["targets-*"], exclude_namespaces=["kube-*"], namespace_selectors=[f"test={namespace}"]
        )
    )
    assert len(pods_of(by_label)) == len(EXPECTED)


def test_pods_that_have_ended_are_left_out_and_counted_unless_they_are_asked_for(info):
    found = info(finished_pods=False)
    states = {target["state"] for target in found["targets"]}
    assert states == {"running", "waiting"} and found["looked_at"]["left_out"]["finished"] == 2
    assert len(info()["targets"]) == len(found["targets"]) + 2
    named = info(finished_pods=False, workloads=["StatefulSet/db", "CronJob/night"])["looked_at"]["unmatched"]
    assert [(gap["kind"], gap["name"]) for gap in named] == [("workload", "CronJob/night")]
    assert "which finished_pods takes" in named[0]["error"]["message"]


def test_one_replica_stands_for_the_others(info):
    found = info(workloads=["StatefulSet/db"], replicas="one")
    assert [(target["pod"], target["replicas"]) for target in found["targets"]] == [("db-0", 2)]
    assert found["counts"]["replicas_left_out"] == 1


def test_a_limit_is_said(info):
    found = info(limit=3)
    assert len(found["targets"]) == 3 and found["limit_reached"]
    assert ["limit: 3 containers" in warning for warning in info.warnings] == [True]


@pytest.mark.parametrize(
    ("conditions", "option"),
    [
        ({"label_selectors": ["a=b=c"]}, "label_selectors"),
        ({"field_selectors": ["spec.colour=red"], "label_selectors": ["app=db"]}, "field_selectors"),
        ({"namespace_selectors": ["-x-=y"]}, "namespace_selectors"),
    ],
)
def test_a_selector_that_the_server_refuses(info, conditions, option):
    with pytest.raises(ScanError, match="SCAN-102") as caught:
        info(**conditions)
    assert option in caught.value.tried and repr(conditions[option][0]) in caught.value.message


def test_nothing_matched_says_what_was_looked_at(info, namespace):
    with pytest.raises(ScanError, match="SCAN-401") as caught:
        info(workloads=["StatefulSet/dc"])
    assert caught.value.cause == (
        f"Looked into 1 namespace ({namespace}): 12 pods (workloads left out 12); no pod in namespace {namespace} belongs to "
        "StatefulSet/dc."
    )
    with pytest.raises(ScanError, match="SCAN-401") as caught:
        info(label_selectors=["app=none"])
    assert f"{namespace} has pods, but none that meets label_selectors" in caught.value.cause
    with pytest.raises(ScanError, match="SCAN-401") as caught:
        info(namespaces=["no-such-namespace"])
    assert "namespace no-such-namespace does not exist" in caught.value.cause
    assert len(info(namespaces=[namespace, "no-such-namespace"])["targets"]) == 13
    assert info.warnings == ["namespace no-such-namespace does not exist"]


def test_with_the_right_to_list_pods_and_nothing_else(info, cluster, namespace):
    cluster.kubectl("create", "clusterrole", NAME, "--verb=list", "--resource=pods")
    try:
        cluster.kubectl("create", "clusterrolebinding", NAME, "--clusterrole", NAME, "--user", NAME)
        access_tasks.wait_until_allowed(cluster, NAME, "list", "pods", namespace)
        found = info(impersonate_user=NAME, pods=["owned*", "db-*"])
        assert {target["workload_kind"] for target in found["targets"]} == {"ReplicaSet", "StatefulSet"}
        assert ["not allowed to list ReplicaSets" in warning for warning in info.warnings] == [True]
        (gap,) = info(impersonate_user=NAME, exclude_workloads=["Deployment/*"])["looked_at"]["unmatched"]
        assert (gap["name"], gap["error"]["code"]) == (namespace, "SCAN-205")
        assert "which lead from pods to their workloads" in gap["error"]["message"]
        with pytest.raises(ScanError, match="SCAN-205") as caught:
            info(impersonate_user=NAME, namespaces=["targets-*"])
        assert "Name the namespaces" in caught.value.advice
        with pytest.raises(ScanError, match="SCAN-401") as caught:
            info(impersonate_user=NAME, namespaces=["no-such-namespace"])
        assert "or does not exist" in caught.value.cause
    finally:
        cluster.kubectl_run("delete", "clusterrolebinding,clusterrole", NAME)


def test_access_is_for_the_pods_of_the_chosen_containers(cluster, namespace):
    params = {name: rule.get("default") for name, rule in scan_access_spec().items()}
    params.update(
        kubeconfig=str(cluster.kubeconfig),
        namespaces=[namespace],
        run_id=f"test-{NAME}",
        lifetime=600,
        images=["*/debian:*"],
        containers=["mesh"],
    )
    made_for = run_scan_access(params, TaskContext(check_mode=True, environ=dict(os.environ)))["access"]
    assert [pod.name for pod in access_tasks.pods_of(made_for, namespace)] == ["bare"]


def test_the_role_passes_the_options_on(playbooks, namespace):
    results = playbooks.folder / "results"
    run = playbooks.run(
        "securescan.kubernetes.scan",
        scan_namespaces=namespace,
        scan_replicas="one",
        scan_workloads=["sts/*", "Pod/windows"],
        scan_fail_on="never",
        scan_output_dir=str(results),
    )
    assert run.status == 0, run.output[-4000:]
    summary = json.loads((results / "sample" / "latest" / "summary.json").read_text(encoding="utf-8"))
    found = {target["pod"]: target for target in summary["targets"]}
    assert sorted(found) == ["db-0", "windows"]
    assert found["db-0"]["outcome"] == "scanned"
    assert found["windows"]["error"]["reason"] == "platform_unsupported"
