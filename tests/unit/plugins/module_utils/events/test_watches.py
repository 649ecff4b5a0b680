# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rollouts and upgrades become requests, and that each becomes one once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import VersionTooOldError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.overdue import overdue_requests
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.rollouts import (
    ROLLED_OUT,
    RolloutWatch,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.upgrades import cluster_software
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.age import PlaceAge

DEPLOYMENT = {kind.name: kind for kind in ROLLED_OUT}["Deployment"]


def deployment(
    name: str = "api", image: str = "api:1", *, updated: int = 2, version: str = "5"
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "generation": 2,
            "resourceVersion": version,
        },
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
        "status": {
            "observedGeneration": 2,
            "replicas": 2,
            "updatedReplicas": updated,
            "availableReplicas": 2,
        },
    }


class Cluster:
    """What a RestClient answers. `changes` is what the next watch tells."""

    def __init__(self, *workloads: dict[str, Any]) -> None:
        self.workloads = list(workloads)
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[tuple[str, str]] = []
        self.is_expired = False

    def get(self, path: str, query: Any = None) -> dict[str, Any]:
        return {"gitVersion": "v1.36.0"} if path == "/version" else {"metadata": {"resourceVersion": "5"}}

    def list_items(self, path: str) -> Iterator[dict[str, Any]]:
        yield from copy.deepcopy(self.workloads)

    def watch(self, path: str, version: str, seconds: int) -> list[tuple[str, dict[str, Any]]]:
        self.asked.append((path, version))
        if self.is_expired:
            self.is_expired = False
            raise VersionTooOldError("not_found", "too old", tried="watch")
        changes, self.changes = self.changes, []
        return changes


def watch_of(cluster: Cluster, known: dict[str, str] | None = None) -> RolloutWatch:
    watch = RolloutWatch(cluster, DEPLOYMENT, "shop")  # type: ignore[arg-type]
    watch.remember(known)
    return watch


def take(watch: RolloutWatch) -> list[str]:
    """The titles of what is told, which then is known."""
    found = watch.wait(1)
    watch.known.update((one.uid, one.template) for one in found)
    return [one.ref.title for one in found]


def test_what_is_there_at_the_very_first_look_is_no_news() -> None:
    cluster = Cluster(deployment())
    watch = watch_of(cluster)

    assert take(watch) == []
    assert take(watch) == []
    assert cluster.asked == [("/apis/apps/v1/namespaces/shop/deployments", "5")]


def test_a_rollout_is_told_when_it_is_complete_and_once() -> None:
    cluster = Cluster(deployment())
    watch = watch_of(cluster)
    take(watch)
    cluster.changes = [("MODIFIED", deployment(image="api:2", updated=1, version="6"))]
    assert take(watch) == []
    cluster.changes = [("MODIFIED", deployment(image="api:2", version="7"))]
    assert take(watch) == ["Deployment/api"]
    cluster.changes = [("MODIFIED", deployment(image="api:2", version="8"))]
    assert take(watch) == []
    assert [version for _path, version in cluster.asked] == ["5", "6", "7"]


def test_a_new_workload_is_a_rollout_and_a_deleted_one_is_forgotten() -> None:
    cluster = Cluster()
    watch = watch_of(cluster)
    take(watch)
    cluster.changes = [("ADDED", deployment())]
    assert take(watch) == ["Deployment/api"]
    cluster.changes = [
        ("ADDED", deployment("web")),
        ("DELETED", deployment("web")),
        ("DELETED", deployment()),
    ]
    assert take(watch) == []
    assert watch.known == {}


def test_what_was_rolled_out_while_nobody_looked_is_found_later() -> None:
    watch = watch_of(Cluster(deployment()))
    take(watch)
    later = watch_of(Cluster(deployment(image="api:2"), deployment("web")), dict(watch.known))

    assert take(later) == ["Deployment/api", "Deployment/web"]


def test_when_the_server_knows_the_version_no_more_the_list_is_read_again() -> None:
    cluster = Cluster(deployment())
    watch = watch_of(cluster)
    take(watch)
    cluster.is_expired, cluster.workloads = True, [deployment(image="api:2")]

    assert take(watch) == []
    assert take(watch) == ["Deployment/api"]


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 1},
        {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0},
        {"replicas": 3},
        {"availableReplicas": 1},
        {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]},
    ],
    ids=str,
)
def test_what_is_not_complete_is_not_told(status: dict[str, Any]) -> None:
    found = deployment()
    found["status"].update(status)

    assert take(watch_of(Cluster(found), {})) == []


def test_a_request_of_a_rollout_names_the_workload_and_its_template() -> None:
    (one,) = watch_of(Cluster(deployment()), {}).wait(1)
    (other,) = watch_of(Cluster(deployment(image="api:2")), {}).wait(1)
    request = one.request("prod")

    assert (request.cluster, request.namespaces, request.workloads) == (
        "prod",
        ("shop",),
        ("Deployment/api",),
    )
    assert request.fingerprint != other.request("prod").fingerprint


def node(kubelet: str, name: str = "n") -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {"nodeInfo": {"kubeletVersion": kubelet, "osImage": "Debian"}},
    }


def test_other_software_on_a_node_is_an_upgrade_and_a_node_more_is_none() -> None:
    def software(*nodes: dict[str, Any]) -> Any:
        return cluster_software(Cluster(*nodes))  # type: ignore[arg-type]

    before = software(node("v1.35.0", "a"), node("v1.35.0", "b"))

    assert software(node("v1.35.0", "a"), node("v1.35.0", "b"), node("v1.35.0", "c")) == before
    after = software(node("v1.36.0", "a"), node("v1.35.0", "b"))
    request = after.request("prod", before.states)
    assert after.digest != before.digest
    assert (request.action, request.revision) == ("health", f"software:{after.digest}")
    assert "v1.36.0" in request.because


def test_a_name_that_cannot_be_asked_for_costs_no_scan() -> None:
    """Kind and name of a workload are what the owner of a pod has chosen."""

    class Known:
        def ask(self, _name: str, _asked: Any) -> Any:
            places = ("prod/shop/Deployment/api/web", "prod/shop/Kind§/x/web", "prod/other/Job/j/web")
            rows = [
                PlaceAge("prod", place.split("/")[1], "", "", place, None, 9, None, overdue=1)
                for place in places
            ]
            return SimpleNamespace(rows=rows)

    other, shop = overdue_requests(Known())  # type: ignore[arg-type]

    assert (other.namespaces, other.workloads) == (("other",), ("Job/j",))
    # all of the namespace
    assert (shop.namespaces, shop.workloads) == (("shop",), ())
