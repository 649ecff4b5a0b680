# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that hold what scans by debug have left are replaced on a real cluster, with the shipped rights and no others."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.recycle import scan_recycle_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.recycle import run_scan_recycle
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    MANIFEST,
    make_operator,
)

RECYCLE_MANIFEST = MANIFEST.with_name("recycle-clusterrole.yml")
REPLACED = {"edge", "db", "agent", "batch"}


def busy(name, code):
    """A Job whose pod ends with this exit code when it is stopped."""
    stops = container(name, command=("sh", "-c", f"trap 'exit {code}' TERM; sleep 3600 & wait"))
    return workload(
        "Job",
        name,
        "batch/v1",
        pod={"restartPolicy": "Never", "containers": [stops], "terminationGracePeriodSeconds": 30},
    )


def workload(kind, name, version="apps/v1", **spec):
    labels = {"app.kubernetes.io/name": name}
    template = {
        "metadata": {"labels": labels},
        "spec": dict(pod(name, container(name, **LISTENS))["spec"], **spec.pop("pod", {})),
    }
    selector = {} if kind == "Job" else {"selector": {"matchLabels": labels}}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**selector, "template": template, **spec},
    }


def budget(name):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}},
    }


@pytest.fixture(scope="module")
def recycler_kubeconfig(cluster, tmp_path_factory):
    return make_operator(cluster, tmp_path_factory.mktemp("operator"), "recycler", RECYCLE_MANIFEST)


@pytest.fixture
def recycle(recycler_kubeconfig):
    def run(namespace, check_mode=False, **changes):
        params = {name: rule.get("default") for name, rule in scan_recycle_spec().items()}
        params.update(
            {"kubeconfig": str(recycler_kubeconfig), "namespaces": [namespace], "wait_timeout": 240.0},
            **changes,
        )
        return run_scan_recycle(params, TaskContext(check_mode=check_mode, environ=dict(os.environ)))

    return run


def pods(there):
    """{uid: pod} of those that are not on their way out."""
    return {
        item["metadata"]["uid"]: item
        for item in there.cluster.get("pods", "-n", there.name)["items"]
        if not item["metadata"].get("deletionTimestamp")
    }


def unready(there):
    """The names of the workloads of which a pod is not ready."""
    return {
        item["spec"]["containers"][0]["name"]
        for item in pods(there).values()
        if not any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in item["status"].get("conditions", [])
        )
    }


def held(there):
    """The names of the workloads whose pods hold entries."""
    return {
        item["spec"]["containers"][0]["name"]
        for item in pods(there).values()
        if item["spec"].get("ephemeralContainers")
    }


def wait_until(holds, patience=120.0):
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def reasons(result):
    return {record["workload"]: record["error"]["reason"] for record in result["not_recycled"]}


def test_pods_are_replaced_as_budgets_allow(
    place, scan, recycle, playbooks, debug_operator_kubeconfig, recycler_kubeconfig
):
    there = place()
    there.add(
        workload("Deployment", "edge", replicas=2),
        budget("edge"),
        workload("StatefulSet", "db", serviceName="db"),
        workload("DaemonSet", "agent"),
        busy("batch", 1),
        busy("ends", 0),
        workload("Deployment", "kept"),
        budget("kept"),
        pod("bare", container("bare", **LISTENS)),
        wait=False,
    )
    wait_until(lambda: len(pods(there)) == 8 and not unready(there))
    before = set(pods(there))
    assert scan(there.name).result["counts"]["scanned"] == 8
    wait_until(
        lambda: all(
            set(there.states(item["metadata"]["name"]).values()) == {"terminated"}
            for item in pods(there).values()
        )
    )
    assert held(there) == REPLACED | {"kept", "bare", "ends"}

    would = recycle(there.name, check_mode=True)
    assert would["counts"] == {"pods": 8, "recycled": 6, "not_recycled": 2, "gone": 0} and would["changed"]
    assert reasons(would) == {"kept": "eviction_refused", "bare": "pod_not_replaceable"}
    assert "Deployment edge" in would["diff"][0]["before"] and "bare" not in would["diff"][0]["before"]
    assert set(pods(there)) == before, "a dry run replaces nothing"

    denied = recycle(there.name, kubeconfig=str(debug_operator_kubeconfig))
    assert denied["changed"] is False and set(pods(there)) == before, "who scans by debug cannot evict"
    assert {reasons(denied)[name] for name in REPLACED} == {"not_permitted"}

    done = recycle(
        there.name, exclude_workloads=["Deployment/kept"]
    )  # a Job replaces its pod when its back-off is over
    assert done["counts"] == {"pods": 7, "recycled": 5, "not_recycled": 2, "gone": 0}, json.dumps(
        done["not_recycled"]
    )
    assert {record["workload"] for record in done["recycled"]} == REPLACED
    (ended,) = (record for record in done["not_recycled"] if record["workload"] == "ends")
    assert ended["evicted"] and "its Job ends has ended (" in ended["error"]["message"], ended
    assert held(there) == {"kept", "bare"} and len(pods(there)) == 7
    assert len(set(pods(there)) & before) == 2
    assert "edge" not in unready(there), "both of its pods were replaced one after the other"

    refused = recycle(there.name, workloads=["Deployment/kept"], wait_timeout=1.0)
    assert reasons(refused) == {"kept": "eviction_refused"} and refused["changed"] is False
    assert "PodDisruptionBudget" in refused["not_recycled"][0]["error"]["cause"]
    lifted = threading.Timer(1.0, lambda: there.cluster.kubectl("delete", "pdb", "kept", "-n", there.name))
    lifted.start()
    assert recycle(there.name, workloads=["Deployment/kept"])["counts"]["recycled"] == 1, (
        "it is tried until the budget allows it"
    )
    lifted.join()

    run = playbooks.run(
        "securescan.kubernetes.recycle",
        "--diff",
        scan_kubeconfig=str(recycler_kubeconfig),
        scan_namespaces=there.name,
    )
    assert run.status == 0 and "changed=0" in run.output and "no controller owns it" in run.output, (
        run.output[-3000:]
    )
    assert json.dumps(sorted(held(there))) == '["bare"]'
