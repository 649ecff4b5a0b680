# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose pods they are, and selecting by it."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectionReport
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    Api,
    owned,
    pod,
    reference,
    select,
)

REPLICASETS = "/apis/apps/v1/namespaces/shop/replicasets"
ARGO = "argoproj.io/v1alpha1"


def everything(**changes):
    given = {
        "pods": [
            pod("api-1", ("ReplicaSet", "api-5d")),
            pod("api-2", ("ReplicaSet", "api-5d")),
            pod("old-1", ("ReplicaSet", "old")),
            pod("canary-1", ("ReplicaSet", "canary-7f")),
            pod("night-1", ("Job", "night-1")),
            pod("once-1", ("Job", "once")),
            pod("db-0", ("StatefulSet", "db")),
            pod("log-x", ("DaemonSet", "log")),
            pod("rc-1", ("ReplicationController", "rc")),
            pod("step-1", ("Workflow", "build", ARGO)),
            pod("task-1", ("Job", "once", "batch.volcano.sh/v1alpha1")),
            pod("etcd-n1", ("Node", "n1")),
            pod("bare"),
        ],
        "replicasets": [
            owned("api-5d", "Deployment", "api"),
            {"metadata": {"name": "old"}},
            owned("canary-7f", "Rollout", "canary", ARGO),
        ],
        "jobs": [owned("night-1", "CronJob", "night"), owned("once", "Mission", "moon", "space.example/v1")],
    }
    return Api(**{**given, **changes})


def workloads(selected):
    return [f"{each.target.workload_kind}/{each.target.workload}" for each in selected]


def test_the_workload_behind_every_kind_of_owner():
    api = everything()
    assert workloads(select(api)) == [
        "Deployment/api",
        "Deployment/api",
        "ReplicaSet/old",
        "Rollout/canary",
        "CronJob/night",
        "Mission/moon",
        "StatefulSet/db",
        "DaemonSet/log",
        "ReplicationController/rc",
        "Workflow/build",
        "Job/once",
        "Node/n1",
        "Pod/bare",
    ]
    assert api.times_asked(REPLICASETS) == 1 and api.times_asked("/apis/batch/v1/namespaces/shop/jobs") == 1


def test_lists_are_asked_for_only_when_a_pod_needs_them():
    api = Api(pods=[pod("db-0", ("StatefulSet", "db")), pod("bare")])
    select(api)
    assert len(api.asked) == 1


def test_an_owner_that_does_not_control_is_none():
    each = pod("bare")
    each["metadata"]["ownerReferences"] = [reference("ConfigMap", "x", controller=False)]
    assert workloads(select(Api(pods=[each]))) == ["Pod/bare"]


def test_a_mirror_pod_without_owner_is_its_nodes():
    each = pod("etcd", metadata={"annotations": {"kubernetes.io/config.mirror": "abc"}})
    assert workloads(select(Api(pods=[each]))) == ["Node/n1"]


def test_a_replica_set_that_came_after_the_list_is_looked_up_once():
    def came_later(query):
        return (
            [owned("api-5d", "Deployment", "api")]
            if query.get("fieldSelector") == "metadata.name=api-5d"
            else []
        )

    api = everything(replicasets=came_later)
    assert workloads(select(api, workloads=("Deployment/api",))) == ["Deployment/api", "Deployment/api"]
    assert api.asked.count((REPLICASETS, {"fieldSelector": "metadata.name=api-5d"})) == 1
    assert "ReplicaSet/canary-7f" in workloads(select(api)), "one that is gone stands for itself"


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("Deployment/api", ["Deployment/api"]),
        ("deployment/api", ["Deployment/api"]),
        ("deploy/a*", ["Deployment/api"]),
        ("Deployments/*", ["Deployment/api"]),
        ("*/api", ["Deployment/api"]),
        ("sts/db", ["StatefulSet/db"]),
        ("ds/*", ["DaemonSet/log"]),
        ("cj/*", ["CronJob/night"]),
        ("jobs/*", ["Job/once"]),
        ("rs/*", ["ReplicaSet/old"]),
        ("po/*", ["Pod/bare"]),
        ("no/n1", ["Node/n1"]),
        ("rollout/*", ["Rollout/canary"]),
        ("*set/*", ["ReplicaSet/old", "StatefulSet/db", "DaemonSet/log"]),
        ("deployment/web", []),
    ],
)
def test_workloads_are_chosen_by_kind_and_name(pattern, chosen):
    found = workloads(select(everything(), workloads=(pattern,)))
    assert list(dict.fromkeys(found)) == chosen
    rest = workloads(select(everything(), exclude_workloads=(pattern,)))
    assert not set(rest) & set(chosen) and len(rest) + len(found) == 13


def test_without_the_right_to_list_replica_sets_the_replica_set_stands_and_that_is_said():
    looked_at = SelectionReport()
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d"))], replicasets=ScanError("not_permitted", "no"))
    assert workloads(select(api, looked_at)) == ["ReplicaSet/api-5d"]
    assert looked_at.warnings == [
        "namespace shop: the credential is not allowed to list ReplicaSets, so each of them counts as a workload"
    ]


@pytest.mark.parametrize("option", ["workloads", "exclude_workloads"])
def test_without_that_right_nothing_is_chosen_by_workload(option):
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d"))], replicasets=ScanError("not_permitted", "no"))
    with pytest.raises(ScanError, match="SCAN-205"):
        select(api, **{option: ("Deployment/legacy",)})


def test_any_other_failure_of_that_list_is_not_swallowed():
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d"))], replicasets=ScanError("server_error", "no"))
    with pytest.raises(ScanError, match="SCAN-209"):
        select(api)
