# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of n replicas."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import (
    IDLE,
    NO_CAPABILITIES,
    security_context,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod_template import template_key
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectionReport
from ansible_collections.securescan.kubernetes.tests.support.sample_pods import (
    RUNNING,
    Api,
    owned,
    pod,
    select,
)

WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}
DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def replica(name, template="5d", **changes):
    return pod(name, ("ReplicaSet", "api-" + template), labels={"pod-template-hash": template}, **changes)


def one(pods, **changes):
    api = Api(
        pods=pods,
        replicasets=[owned("api-5d", "Deployment", "api"), owned("api-6e", "Deployment", "api")],
        jobs=[owned(f"night-{number}", "CronJob", "night") for number in range(3)],
    )
    return [
        (each.target.pod, each.target.container, each.replicas)
        for each in select(api, replicas="one", **changes)
    ]


def test_the_first_by_name_of_those_that_run():
    pods = [
        replica("api-c"),
        replica("api-a", state=WAITING),
        replica("api-b"),
        replica("api-0", metadata=DELETED),
    ]
    assert one(pods) == [("api-b", "app", 4)]
    assert one(list(reversed(pods))) == [("api-b", "app", 4)]


def test_one_that_is_being_deleted_comes_before_one_that_does_not_run():
    assert one([replica("api-a", state=WAITING), replica("api-b", metadata=DELETED)]) == [("api-b", "app", 2)]
    assert one([replica("api-b", state=WAITING), replica("api-a", state=WAITING)]) == [("api-a", "app", 2)]


def test_each_container_of_a_pod_is_a_group():
    both = ("app", "proxy")
    assert one([replica("api-a", containers=both), replica("api-b", containers=both)]) == [
        ("api-a", "app", 2),
        ("api-a", "proxy", 2),
    ]


def test_templates_images_and_contents_are_told_apart():
    assert one([replica("api-a"), replica("api-b", "6e")]) == [("api-a", "app", 1), ("api-b", "app", 1)]
    assert one([replica("api-a"), replica("api-b", image="x:2")]) == [
        ("api-a", "app", 1),
        ("api-b", "app", 1),
    ]
    # the same name, but the node of api-b pulled something else under it
    assert one([replica("api-a"), replica("api-b", image_id="other")]) == [
        ("api-a", "app", 1),
        ("api-b", "app", 1),
    ]


def test_content_that_is_not_known_yet_is_no_content_of_its_own():
    assert one([replica("api-a", image_id="", state=WAITING), replica("api-b")]) == [("api-b", "app", 2)]
    assert one([replica("api-a", image_id="", state=WAITING)]) == [("api-a", "app", 1)]


def job_pod(number, **spec):
    token = f"kube-api-access-{number}"
    each = pod(
        f"night-{number}-x", ("Job", f"night-{number}"), volumes=[{"name": token, "projected": {}}], **spec
    )
    each["spec"]["containers"][0]["volumeMounts"] = [{"name": token, "mountPath": "/var/run"}]
    each["spec"].update(nodeName=f"n{number}", hostname=f"night-{number}")
    return each


def test_without_a_template_label_the_spec_is_compared():
    assert one([job_pod(0), job_pod(1)]) == [("night-0-x", "app", 2)]
    assert one([job_pod(0), job_pod(1, hostNetwork=True)]) == [
        ("night-0-x", "app", 1),
        ("night-1-x", "app", 1),
    ]


ADOPTED = [
    {"hostNetwork": True},
    {"hostPID": True},
    {"securityContext": {"runAsUser": 0}},
    {"serviceAccountName": "admin"},
    {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
    {"volumes": [{"name": "kube-api-access-x", "hostPath": {"path": "/"}}]},
    {"initContainers": [{"name": "first", "image": "x:1"}]},
    {"ephemeralContainers": [{"name": "debugger", "image": "x:1"}]},
    {"ephemeralContainers": [{"name": "securescan-0123456789-1", "image": "x:1"}]},
    {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}]},
    {"somethingNew": {"of": "a later version"}},
]


@pytest.mark.parametrize("spec", ADOPTED, ids=",".join)
def test_a_pod_that_a_controller_adopted_by_its_labels_is_no_replica_where_its_spec_differs(spec):
    assert one([replica("api-a"), replica("api-b", **spec)]) == [("api-a", "app", 1), ("api-b", "app", 1)]


def test_a_container_of_an_adopted_pod_that_differs_is_no_replica():
    evil = replica("api-b")
    evil["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    assert one([replica("api-a"), evil]) == [("api-a", "app", 1), ("api-b", "app", 1)]


@pytest.mark.parametrize(
    "annotation",
    ["container.apparmor.security.beta.kubernetes.io/app", "seccomp.security.alpha.kubernetes.io/pod"],
)
def test_an_annotation_that_weakens_a_container_makes_it_no_replica(annotation):
    weak = replica("api-b", metadata={"annotations": {annotation: "unconfined", "of-its-own": "1"}})
    other = replica("api-c", metadata={"annotations": {"of-its-own": "2"}})
    assert one([replica("api-a"), weak, other]) == [("api-a", "app", 2), ("api-b", "app", 1)]


def test_labels_count_besides():
    assert one([replica("api-a"), replica("api-b", template="6e")]) == [
        ("api-a", "app", 1),
        ("api-b", "app", 1),
    ]


def claimed(number, claim="data-db-{}"):
    return pod(
        f"db-{number}",
        ("StatefulSet", "db"),
        labels={"controller-revision-hash": "db-1", "statefulset.kubernetes.io/pod-name": f"db-{number}"},
        hostname=f"db-{number}",
        subdomain="db",
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim.format(number)}}],
    )


def test_pods_of_a_stateful_set_are_alike_though_each_has_its_name_and_its_claim():
    assert one([claimed(0), claimed(1)]) == [("db-0", "app", 2)]
    assert one([claimed(0), claimed(1, "other-db-{}")]) == [("db-0", "app", 1), ("db-1", "app", 1)]
    assert one([claimed(0), claimed(1, "data-db-7")]) == [("db-0", "app", 1), ("db-1", "app", 1)]


def on_node(number, key="metadata.name"):
    term = {"matchFields": [{"key": key, "operator": "In", "values": [f"n{number}"]}]}
    affinity = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    }
    return pod(f"agent-{number}", ("DaemonSet", "agent"), affinity=affinity, nodeName=f"n{number}")


def test_pods_of_a_daemon_set_are_alike_though_each_names_its_node():
    assert one([on_node(1), on_node(2)]) == [("agent-1", "app", 2)]
    assert one([on_node(1), on_node(2, key="other")]) == [("agent-1", "app", 1), ("agent-2", "app", 1)]


def test_what_a_scan_has_left_in_one_of_them_changes_nothing():
    left = debug_entry("securescan-0123456789-1")
    assert one([replica("api-a"), replica("api-b", ephemeralContainers=[left])]) == [("api-a", "app", 2)]
    for change in ({"volumeMounts": [{"name": "x", "mountPath": "/x"}]}, {"name": "debugger"}):
        foreign = replica("api-b", ephemeralContainers=[dict(left, **change)])
        assert one([replica("api-a"), foreign]) == [("api-a", "app", 1), ("api-b", "app", 1)]


@pytest.mark.parametrize(
    ("uid", "capabilities", "targets", "alike"),
    [
        (0, NO_CAPABILITIES, None, True),
        (0, {"add": ["NET_ADMIN", "SYS_PTRACE"]}, None, False),
        (0, {"add": ["NET_ADMIN"]}, {"add": ["NET_ADMIN"]}, True),
        (0, {"add": ["NET_ADMIN", "SYS_PTRACE"]}, {"add": ["NET_ADMIN"]}, False),
        (0, {}, {}, True),
        (0, {"add": ["SYS_ADMIN"]}, "privileged", False),
        (1000, {"add": ["NET_ADMIN"]}, {"add": ["NET_ADMIN"]}, False),
    ],
)
def test_a_debug_container_with_capabilities_that_no_scan_gives_it_makes_another_pod(
    uid, capabilities, targets, alike
):
    context = {"privileged": True} if targets == "privileged" else {"capabilities": targets or {}}
    spec = {"containers": [{"name": "app", "image": "app:1", "securityContext": context}]}
    entry = dict(
        debug_entry("securescan-0123456789-1"), securityContext=security_context(uid, uid, capabilities)
    )
    made, left = (
        {"metadata": {}, "spec": dict(spec, **more)} for more in ({}, {"ephemeralContainers": [entry]})
    )
    assert (template_key(made) == template_key(left)) is alike


def test_a_debug_container_of_another_image_than_the_scanners_makes_another_pod():
    entry = debug_entry("securescan-0123456789-1")
    made = {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    left = {"metadata": {}, "spec": dict(made["spec"], ephemeralContainers=[entry])}
    assert template_key(made, entry["image"]) == template_key(left, entry["image"])
    assert template_key(made, "other:1") != template_key(left, "other:1")


def debug_entry(name):
    return {
        "name": name,
        "image": "registry.test/scanner:1",
        "imagePullPolicy": "IfNotPresent",
        "targetContainerName": "app",
        "command": [*IDLE, "90", "end", "20261130t091500-84c8df"],
        "securityContext": security_context(1000, 1000, NO_CAPABILITIES),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "resources": {},
    }


def test_pods_without_owner_and_static_pods_are_no_replicas():
    assert one([pod("a"), pod("b"), pod("etcd-n1", ("Node", "n1")), pod("web-n1", ("Node", "n1"))]) == [
        ("a", "app", 1),
        ("b", "app", 1),
        ("etcd-n1", "app", 1),
        ("web-n1", "app", 1),
    ]


def test_the_number_left_out_is_told():
    looked_at = SelectionReport()
    assert one([replica("api-a"), replica("api-b"), replica("api-c"), pod("bare")], looked_at=looked_at) == [
        ("bare", "app", 1),
        ("api-a", "app", 3),
    ]
    assert (looked_at.selected, looked_at.replicas_left_out) == (2, 2)
    assert looked_at.left_out_by_no_option() == {"replica_alike": 2}


def test_all_is_the_default():
    found = select(
        Api(
            pods=[replica("api-a", state=RUNNING), replica("api-b")],
            replicasets=[owned("api-5d", "Deployment", "api")],
        )
    )
    assert [(each.target.pod, each.replicas) for each in found] == [("api-a", 1), ("api-b", 1)]
