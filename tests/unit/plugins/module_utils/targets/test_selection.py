# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection: which containers are meant, and whose they are."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    resolve_namespaces,
    select_targets,
)

DIGEST = "sha256:" + "a" * 64


def pod(name, owner=None, containers=("app",), image_id="docker.io/library/x@" + DIGEST, **spec):
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": "uid-" + name, "ownerReferences": owners,
                     "managedFields": [{"big": 1}],
                     "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"}},
        "spec": {"nodeName": "n1", "containers": [{"name": each, "image": "x:1"} for each in containers], **spec},
        "status": {"containerStatuses": [{"name": each, "imageID": image_id, "containerID": "containerd://1",
                                          "state": {"running": {}}} for each in containers]},
    }


class Api:
    """Answers lists from a table of path -> items; notes what was asked."""

    def __init__(self, **lists):
        self.lists = {"/api/v1/namespaces/shop/pods": lists.get("pods", []),
                      "/apis/apps/v1/namespaces/shop/replicasets": lists.get("replicasets", []),
                      "/apis/batch/v1/namespaces/shop/jobs": lists.get("jobs", []),
                      "/api/v1/namespaces": lists.get("namespaces", [])}
        self.asked = []

    def list_items(self, path, query=None):
        self.asked.append((path, query))
        answer = self.lists[path]
        if isinstance(answer, ScanError):
            raise answer
        return iter(answer)


def owned(name, kind, owner):
    return {"metadata": {"name": name, "ownerReferences": [{"kind": kind, "name": owner, "controller": True}]}}


def select(api, **changes):
    return [each.target for each in select_targets(api, "c", Selection(namespaces=("shop",), **changes))]


def test_the_workload_behind_a_replica_set_and_a_job():
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d")), pod("api-2", ("ReplicaSet", "api-5d")),
                    pod("night-1", ("Job", "night-1")), pod("db-0", ("StatefulSet", "db")), pod("bare")],
              replicasets=[owned("api-5d", "Deployment", "api")], jobs=[owned("night-1", "CronJob", "night")])
    found = select(api)
    assert [(each.workload_kind, each.workload) for each in found] == [
        ("Deployment", "api"), ("Deployment", "api"), ("CronJob", "night"), ("StatefulSet", "db"), ("Pod", "bare")]
    assert [path for path, _query in api.asked].count("/apis/apps/v1/namespaces/shop/replicasets") == 1


def test_without_the_right_to_list_replica_sets_the_replica_set_stands():
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d"))], replicasets=ScanError("not_permitted", "no"))
    assert [(each.workload_kind, each.workload) for each in select(api)] == [("ReplicaSet", "api-5d")]


def test_any_other_failure_of_that_list_is_not_swallowed():
    api = Api(pods=[pod("api-1", ("ReplicaSet", "api-5d"))], replicasets=ScanError("server_error", "no"))
    with pytest.raises(ScanError):
        select(api)


@pytest.mark.parametrize(("image_id", "digest"), [
    ("docker.io/library/x@" + DIGEST, DIGEST),
    (DIGEST, ""),
    ("", ""),
    ("docker.io/library/x@sha256:short", ""),
])
def test_only_a_registry_digest_is_a_digest(image_id, digest):
    (target,) = select(Api(pods=[pod("a", image_id=image_id)]))
    assert (target.image_id, target.image_digest) == (image_id, digest)


def test_patterns_choose_pods_and_containers():
    api = Api(pods=[pod("api-1", containers=("app", "proxy")), pod("web-1")])
    assert [each.path for each in select(api, pods=("api-*",), containers=("pro?y",))] == ["shop/api-1/proxy"]


def test_selectors_go_to_the_server():
    api = Api(pods=[])
    select(api, label_selectors=("a=b", "c in (d)"), field_selectors=("spec.nodeName=n1",))
    assert api.asked[0][1] == {"labelSelector": "a=b,c in (d)", "fieldSelector": "spec.nodeName=n1"}


def test_namespaces_by_pattern_are_resolved_and_named_once():
    api = Api(namespaces=[{"metadata": {"name": name}} for name in ("shop", "shop-eu", "other")])
    assert resolve_namespaces(api, Selection(namespaces=("shop", "shop*"))) == ["shop", "shop-eu"]


@pytest.mark.parametrize(("changes", "said"), [
    ({"namespaces": ()}, "no namespace"),
    ({"namespaces": ("Shop_1",)}, "Shop_1"),
    ({"namespaces": ("shop",), "pods": ("a/b",)}, "a/b"),
    ({"namespaces": ("shop",), "containers": ("../x",)}, "../x"),
])
def test_what_can_be_no_name_is_refused(changes, said):
    with pytest.raises(ScanError, match="SCAN-102") as caught:
        Selection(**changes)
    assert said in str(caught.value)


def test_windows_is_told_from_the_pod():
    selected = list(select_targets(Api(pods=[pod("w", os={"name": "windows"}), pod("x")]), "c",
                                   Selection(namespaces=("shop",))))
    assert [each.operating_system for each in selected] == ["windows", "linux"]


def test_a_waiting_container_is_a_target_with_its_reason():
    waiting = pod("a")
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    unseen = pod("b")
    unseen["status"] = {}
    assert [(each.state, each.state_reason) for each in select(Api(pods=[waiting, unseen]))] == [
        ("waiting", "CrashLoopBackOff"), ("unknown", "")]


def test_init_and_ephemeral_containers_are_chosen_when_asked_for():
    each = pod("a", initContainers=[{"name": "setup", "image": "i"}])
    found = select(Api(pods=[each]), container_kinds=("init",))
    assert [(target.container, target.container_kind) for target in found] == [("setup", "init")]


def test_a_snapshot_is_small_and_whole():
    snapshot = PodSnapshot.from_object(pod("a"))
    assert snapshot.object()["metadata"]["annotations"] == {"kept": "yes"}
    assert "managedFields" not in snapshot.object()["metadata"]
    assert snapshot.object()["spec"]["nodeName"] == "n1"


def test_identity_names_the_target_over_a_fleet():
    (target,) = select(Api(pods=[pod("bare")]))
    assert target.identity()["target_id"] == "c/shop/Pod/bare/bare/app"
