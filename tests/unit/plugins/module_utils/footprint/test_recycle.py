# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods are replaced one at a time, by whom and in which cases, and what is done where the cluster refuses."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.footprint.recycle import (
    LeftPod,
    Recycler,
    by_workload,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot

BUDGET = "Cannot evict pod as it would violate the pod's disruption budget."


def pod(name, kind="ReplicaSet", ready=True, **changes):
    group = {"Job": "batch/v1", "Rollout": "argoproj.io/v1"}.get(kind, "apps/v1")
    owners = (
        [{"apiVersion": group, "kind": kind, "name": "app", "uid": "owner", "controller": True}]
        if kind
        else []
    )
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": "uid-" + name,
        "ownerReferences": owners,
        "labels": {"pod-template-hash": "1"},
        **changes,
    }
    return {
        "metadata": metadata,
        "spec": {"nodeName": "n", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def left(made, running=()):
    return LeftPod(PodSnapshot.from_object(made), "Deployment", "app", ("securescan-1",), running)


class Cluster:
    """A ReplicaSet that makes a pod for each that is evicted. `answers`: what is raised for the next evictions, in turn."""

    connection = None
    requests = 0

    def __init__(self, *pods, answers=(), replaces=True):
        self.pods, self.answers, self.replaces = list(pods), list(answers), replaces
        self.log, self.queries, self.jobs = [], [], []

    def list_items(self, path, query=None):
        if path.endswith("/jobs"):
            if isinstance(self.jobs, ScanError):
                raise self.jobs
            return self.jobs
        self.queries.append(query)
        self.log.append("look")
        name = (query or {}).get("fieldSelector", "").partition("metadata.name=")[2]
        return [item for item in self.pods if not name or item["metadata"]["name"] == name]

    def create(self, path, body, query=None):
        name = body["metadata"]["name"]
        answers, self.answers = self.answers[:1], self.answers[1:]
        for answer in answers:
            if not getattr(answer, "done", False):
                raise answer
        there = [
            item
            for item in self.pods
            if item["metadata"]["uid"] == body["deleteOptions"]["preconditions"]["uid"]
        ]
        if not there:
            raise ScanError("not_found", "no such pod")
        self.log.append(
            "evict {}{}".format(name, " dry" if body["deleteOptions"].get("dryRun") and query else "")
        )
        if query is None:
            self.pods.remove(there[0])
            if self.replaces:
                self.pods.append(pod(name + "x"))
        for answer in answers:
            raise answer


def run(cluster, pods, timeout=0.5, **options):
    return list(Recycler(cluster, cluster, timeout, **options).recycle(pods))


def said(outcomes):
    return [outcome.error.reason if outcome.error else outcome.evicted for outcome in outcomes]


def test_the_next_is_evicted_when_the_one_before_is_replaced():
    a, b = pod("a"), pod("b")
    cluster = Cluster(a, b)
    assert said(run(cluster, [left(a), left(b)])) == [True, True]
    assert cluster.log == ["look", "evict a", "look", "look", "evict b", "look"]
    assert cluster.queries[0] == {"labelSelector": "pod-template-hash=1"}


def test_the_rest_of_a_workload_is_left_alone_when_one_is_not_replaced():
    a, b = pod("a"), pod("b")
    cluster = Cluster(a, b, replaces=False)
    outcomes = run(cluster, [left(a), left(b)])
    assert (
        said(outcomes) == ["not_replaced", "recycle_stopped"]
        and outcomes[0].evicted
        and not outcomes[1].evicted
    )
    assert "1 of 2 pods of its ReplicaSet are ready" in outcomes[0].error.message and cluster.pods == [b]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            {"type": "SuccessCriteriaMet", "status": "True", "message": "done"},
            "its Job app has ended (SuccessCriteriaMet: done)",
        ),
        (
            {"type": "Failed", "status": "True", "message": "BackoffLimit"},
            "its Job app has ended (Failed: BackoffLimit)",
        ),
        ({"type": "Failed", "status": "False"}, "0 of 1 pods of its Job"),
        (None, "0 of 1 pods of its Job"),
    ],
)
def test_a_job_that_has_ended_makes_no_other_pod(job, words):
    a = pod("a", kind="Job")
    cluster = Cluster(a, replaces=False)
    cluster.jobs = [{"status": {"conditions": [job]}}] if job else ScanError("not_permitted", "jobs")
    (outcome,) = run(cluster, [left(a)])
    assert outcome.evicted and outcome.error.reason == "not_replaced" and words in outcome.error.message


def test_a_workload_that_is_not_ready_is_not_asked_to_be():
    a = pod("a", ready=False)
    assert said(run(Cluster(a), [left(a)])) == [True]


def test_a_refusal_by_a_budget_is_tried_again_and_told_in_the_end():
    a, b = pod("a"), pod("b")
    refusal = ScanError("throttled", BUDGET)
    assert said(run(Cluster(a, answers=[refusal]), [left(a)], timeout=60)) == [True]
    outcomes = run(Cluster(a, b, answers=[refusal] * 99), [left(a), left(b)])
    assert (
        said(outcomes) == ["eviction_refused", "recycle_stopped"]
        and "PodDisruptionBudget" in outcomes[0].error.cause
    )


def test_other_failures_of_one_pod_do_not_keep_the_next():
    a, b = pod("a"), pod("b")
    outcomes = run(Cluster(a, b, answers=[ScanError("not_permitted", "no")]), [left(a), left(b)])
    assert said(outcomes) == ["not_permitted", True]


def test_a_lost_answer_is_asked_for_again_and_the_eviction_counts():
    a = pod("a")
    lost = ScanError("connection_lost", "gone")
    lost.done = True
    assert said(run(Cluster(a, answers=[lost]), [left(a)], timeout=60)) == [True]
    a = pod("a")
    assert said(
        run(
            Cluster(a, answers=[ScanError("server_error", "two budgets")] * 9),
            [left(a)],
            timeout=60,
        )
    ) == ["server_error"]


def test_a_pod_that_somebody_else_has_replaced_is_left_alone():
    a = pod("a")
    outcomes = run(Cluster(dict(a, metadata=dict(a["metadata"], uid="other"))), [left(a)])
    assert said(outcomes) == [False]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (pod("a", kind=""), "no controller owns it"),
        (pod("a", kind="Rollout"), "owned by Rollout app"),
        (pod("a", kind="", annotations={"kubernetes.io/config.mirror": "x"}), "static pod of node n"),
        (dict(pod("a", kind="Job"), status={"phase": "Succeeded"}), "it has ended (Succeeded)"),
    ],
)
def test_what_nothing_would_replace_is_not_evicted(made, words):
    cluster = Cluster(made)
    (outcome,) = run(cluster, [left(made)])
    assert (
        outcome.error.reason == "pod_not_replaceable" and words in outcome.error.message and cluster.log == []
    )


def test_a_pod_in_which_a_scan_is_at_work_is_not_evicted():
    a, b = pod("a"), pod("b")
    assert said(run(Cluster(a, b), [left(a, ("securescan-1",)), left(b)])) == [
        "debug_in_use",
        True,
    ]


def test_check_mode_asks_by_dry_runs_and_waits_for_nothing():
    a, b = pod("a"), pod("b")
    cluster = Cluster(a, b, answers=[ScanError("throttled", BUDGET)])
    assert said(run(cluster, [left(a), left(b)], check_mode=True)) == ["eviction_refused", True]
    assert cluster.log == ["evict b dry"] and cluster.pods == [a, b]


def test_workloads_are_told_apart_by_namespace_kind_and_name():
    other = LeftPod(left(pod("c")).pod, "StatefulSet", "app", ())
    assert by_workload([left(pod("a")), other, left(pod("b"))]) == [[left(pod("a")), left(pod("b"))], [other]]
