# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each approach does where the cluster refuses it, loses an answer, or is changed by somebody else meanwhile."""

from __future__ import annotations

import pathlib
import threading
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import revocation
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import Node
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    ExecStreams,
    no_shell,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (  # noqa: F401
    authority,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    IMAGE,
    PODS,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import (
    beside_target,
    with_image,
)

ROOT = pathlib.Path("/")
PULL = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
WEBHOOK = 'admission webhook "policy.test" denied the request: no such containers'
RBAC = 'pods "web-1" is forbidden: User "x" cannot get resource "pods/exec" in API group "" in the namespace "shop"'


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:  # noqa: F811
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def with_helpers(server: FakeApiServer) -> Cluster:  # noqa: F811
    """A cluster where what a scan adds are helper pods with an image."""
    return Cluster(server, with_image(ROOT))


@pytest.fixture
def scan(server: FakeApiServer, cluster: Cluster, tmp_path: pathlib.Path) -> Scan:  # noqa: F811
    return Scan(cluster, tmp_path)


@pytest.fixture
def scan_images(with_helpers: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(with_helpers, tmp_path)


def entries(cluster: Cluster, pod: str = "web-1") -> list[dict[str, Any]]:
    found = cluster.server.objects.find(PODS + pod) or {}
    listed: list[dict[str, Any]] = found["spec"].get("ephemeralContainers") or []
    return listed


def refuse(cluster: Cluster, method: str, part: str, text: str) -> None:
    """Admission refuses that besides what RBAC refuses."""
    allowed = cluster.server.grants.deny
    cluster.server.grants.deny = lambda user, done, path: (
        text if done == method and part in path else allowed(user, done, path)
    )


# Every approach that enters a pod


def test_a_refusal_while_rbac_still_spreads_is_tried_once_more(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(Fault("status", on="GET .*/exec", status=403, text=RBAC, times=1))
    scan()
    assert scan.outcomes() == {"web-1": "exec"} and len(cluster.execs()) == 2


def test_a_refusal_by_a_policy_is_not_tried_again(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(Fault("status", on="GET .*/exec", status=403, text=WEBHOOK))
    scan()
    assert scan.outcomes() == {"web-1": "not_permitted"} and len(cluster.execs()) == 1
    assert "policy.test" in scan.targets["web-1"]["error"]["cause"]


@pytest.mark.parametrize("approach", ["exec", "sidecar"])
def test_a_pod_that_goes_while_it_is_entered_is_told_as_gone(
    scan: Scan, cluster: Cluster, approach: str
) -> None:
    def goes(argv: list[str], streams: ExecStreams) -> int:
        cluster.server.objects.remove(PODS + "web-1")
        return 137

    cluster.add_pod("web-1", goes, sidecar=goes)
    scan(approach=approach)
    assert scan.outcomes() == {"web-1": "pod_gone"} and cluster.accesses() == []


def test_no_more_targets_are_entered_at_a_time_than_asked_for(scan: Scan, cluster: Cluster) -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    now, most = 0, 0

    def counted(argv: list[str], streams: ExecStreams) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait(60)  # until there are two: one alone would wait in vain
        code = run_locally(argv, streams)
        with lock:
            now -= 1
        return code

    for number in range(6):
        cluster.add_pod(f"web-{number}", counted)
    assert scan(concurrency=2)["counts"]["scanned"] == 6
    assert most == 2


# debug


def test_a_debug_container_that_cannot_start_is_told_and_stands_in_the_footprint(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.server.objects.meanwhile[:] = [Node(cluster.server, beside_target(ROOT), {IMAGE: PULL})]
    cluster.add_pod("web-1", no_shell)
    result = scan(approach="debug")
    assert scan.outcomes() == {"web-1": "image_pull_failed"} and cluster.execs() == []
    assert result["changed"] and result["footprint"]["added"] == 1 == len(entries(cluster))


def test_a_debug_container_that_admission_refuses_leaves_nothing(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", no_shell)
    refuse(cluster, "PATCH", "/ephemeralcontainers", WEBHOOK)
    result = scan(approach="debug")
    assert scan.outcomes() == {"web-1": "debug_refused"} and not result["changed"]
    assert result["footprint"]["added"] == 0 and entries(cluster) == []


def test_an_answer_that_is_lost_does_not_add_a_second_debug_container(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", no_shell)
    cluster.server.faults.append(Fault("cut", on="PATCH .*/ephemeralcontainers", after=0, times=1))
    result = scan(approach="debug")
    assert scan.outcomes() == {"web-1": "debug"} and len(entries(cluster)) == 1
    assert result["footprint"]["added"] == 1, "what was added without an answer is not reported"
    assert cluster.node.ended == ["web-1/" + entries(cluster)[0]["name"]]


@pytest.mark.parametrize(("keep_alive", "number"), [(600, 1), (0, 2)])
def test_a_debug_container_that_another_run_adds_at_the_same_moment_serves_both_only_where_both_keep_theirs(
    scan: Scan, cluster: Cluster, tmp_path: pathlib.Path, keep_alive: int, number: int
) -> None:
    cluster.add_pod("web-1", no_shell)
    (tmp_path / "other").mkdir()
    other = Scan(cluster, tmp_path / "other")
    cluster.server.faults.append(
        Fault(
            "meanwhile",
            on="PATCH .*/ephemeralcontainers",
            times=1,
            action=lambda: other(approach="debug", debug_keep_alive=600),
        )
    )
    result = scan(approach="debug", debug_keep_alive=keep_alive)
    assert scan.outcomes() == other.outcomes() == {"web-1": "debug"} and len(entries(cluster)) == number
    assert result["changed"] is (number == 2)
    assert len(cluster.node.ended) == number - 1, (
        "the other run's, who keeps it, was ended, or its own was not"
    )


def test_a_kept_debug_container_that_ends_before_it_is_entered_is_passed_over(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", no_shell)
    scan(approach="debug", debug_keep_alive=600)
    cluster.server.faults.append(
        Fault("plain_status", on="GET .*/exec", status=500, text='container not found ("x")', times=1)
    )
    result = scan(approach="debug", debug_keep_alive=600)
    assert scan.outcomes() == {"web-1": "debug"} and result["footprint"]["added"] == 1
    assert len(entries(cluster)) == 2


def test_a_kept_debug_container_that_does_not_start_any_more_is_passed_over(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", no_shell)
    scan(approach="debug", debug_keep_alive=600)
    pod = cluster.server.objects.find(PODS + "web-1")
    assert pod is not None
    pod["status"]["ephemeralContainerStatuses"][0]["state"] = {"waiting": {"reason": "CreateContainerError"}}
    cluster.server.objects.put(PODS + "web-1", pod)
    assert scan(approach="debug", debug_keep_alive=600)["footprint"]["added"] == 1
    assert scan.outcomes() == {"web-1": "debug"} and len(entries(cluster)) == 2


def test_a_debug_container_that_is_starting_when_the_scan_is_cancelled_is_ended_when_it_runs(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", no_shell)
    # the node does not start it: the scan is cancelled while it waits for that
    cluster.server.objects.meanwhile[:] = [lambda: scan.cancel.set() if entries(cluster) else None]
    attempts = iter(range(100))
    cluster.server.faults.append(
        Fault(
            "meanwhile",
            on="GET .*/exec",
            action=lambda: cluster.node() if next(attempts) == 2 else None,
        )
    )
    with pytest.raises(ScanError) as caught:
        scan(approach="debug")
    assert caught.value.reason == "cancelled" and len(cluster.node.ended) == 1 and cluster.accesses() == []


def test_a_root_target_is_scanned_by_debug_with_the_capabilities_of_its_own_spec(
    scan: Scan, cluster: Cluster
) -> None:
    pod = cluster.add_pod("web-1", no_shell, user=0)
    pod["spec"]["containers"][0]["securityContext"] = {
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    }
    cluster.server.objects.put(PODS + "web-1", pod)
    scan(approach="debug")
    assert scan.outcomes() == {"web-1": "target_privileged"} and entries(cluster) == []
    scan(approach="debug", debug_match_capabilities=True)
    assert scan.outcomes() == {"web-1": "debug"}
    capabilities = entries(cluster)[0]["securityContext"]["capabilities"]
    assert capabilities == {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}


# sidecar


def test_a_pod_without_a_sidecar_costs_no_request(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    scan(approach="sidecar")
    assert scan.outcomes() == {"web-1": "no_sidecar"}
    assert not [each for each in cluster.server.requests if each.path.startswith(PODS + "web-1")]


def test_a_sidecar_of_another_user_or_one_that_does_not_run_is_not_entered(
    scan: Scan, cluster: Cluster
) -> None:
    other = cluster.add_pod("other-1", no_shell, sidecar=beside_target(ROOT))
    other["status"]["containerStatuses"][0]["user"] = {"linux": {"uid": 7, "gid": 7}}
    waiting = cluster.add_pod("waiting-1", no_shell, sidecar=beside_target(ROOT))
    waiting["status"]["initContainerStatuses"][0]["state"] = PULL
    for pod in (other, waiting):
        cluster.server.objects.put(PODS + pod["metadata"]["name"], pod)
    scan(approach="sidecar")
    assert (
        scan.outcomes() == {"other-1": "sidecar_unfit", "waiting-1": "no_sidecar"} and cluster.execs() == []
    )


# image


def test_an_image_that_failed_once_is_not_asked_again(scan_images: Scan, with_helpers: Cluster) -> None:
    for number in range(2):
        with_helpers.add_pod(f"web-{number}", no_shell)
    with_helpers.server.faults.append(Fault("cut", on="GET .*/exec"))
    scan_images(approach="image")
    assert scan_images.outcomes() == {"web-0": "connection_lost", "web-1": "connection_lost"}
    assert len(with_helpers.execs()) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (WEBHOOK, "helper_refused"),
        ('namespaces "scans" not found', "helper_refused"),
        ("exceeded quota: small, requested: pods=1", "helper_refused"),
    ],
)
def test_a_helper_pod_that_is_refused_costs_the_targets_of_its_images(
    scan_images: Scan, with_helpers: Cluster, text: str, reason: str
) -> None:
    with_helpers.add_pod("web-1", no_shell)
    refuse(with_helpers, "POST", "/scans/pods", text)
    scan_images(approach="image")
    assert scan_images.outcomes() == {"web-1": reason} and with_helpers.accesses() == []
    assert not [
        each for each in with_helpers.server.requests if each.method == "DELETE" and "/pods/" in each.path
    ]


def test_a_helper_pod_whose_answer_is_lost_is_deleted(scan_images: Scan, with_helpers: Cluster) -> None:
    with_helpers.add_pod("web-1", no_shell)
    with_helpers.server.faults.append(Fault("cut", on="POST .*/scans/pods", after=0, times=1))
    scan_images(approach="image")
    assert scan_images.outcomes() == {"web-1": "connection_lost"}
    deleted = [
        each for each in with_helpers.server.requests if each.method == "DELETE" and "/pods/" in each.path
    ]
    assert len(deleted) == 1 and with_helpers.objects("scans/pods") == []


def test_a_helper_pod_whose_image_cannot_be_had_is_told(scan_images: Scan, with_helpers: Cluster) -> None:
    with_helpers.server.objects.meanwhile[:] = [Node(with_helpers.server, with_image(ROOT), {IMAGE: PULL})]
    with_helpers.add_pod("web-1", no_shell)
    scan_images(approach="image")
    assert scan_images.outcomes() == {"web-1": "image_pull_failed"} and with_helpers.execs() == []
    assert with_helpers.objects("scans/pods") == []


def test_a_target_whose_image_nobody_knows_makes_no_helper(scan_images: Scan, with_helpers: Cluster) -> None:
    pod = with_helpers.add_pod("web-1", no_shell)
    pod["status"]["containerStatuses"][0]["imageID"] = ""
    with_helpers.server.objects.put(PODS + "web-1", pod)
    scan_images(approach="image")
    assert scan_images.outcomes() == {"web-1": "image_unknown"}
    assert not [each for each in with_helpers.server.requests if each.path.endswith("/scans/pods")]


# The access


def test_a_scan_whose_access_remains_fails_and_keeps_its_results(
    scan: Scan, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "_RETURN_PAUSES", (0.0, 0.0))
    cluster.add_pod("web-1", run_locally)
    refuse(cluster, "DELETE", "/serviceaccounts/", "no")
    result = scan()
    assert result["failed"] and result["error"]["reason"] == "access_remains"
    assert scan.outcomes() == {"web-1": "exec"} and result["counts"]["scanned"] == 1


def test_an_access_that_could_not_be_made_and_left_nothing_is_no_access_that_remains(
    scan: Scan, cluster: Cluster
) -> None:
    """The grantor is not allowed to do anything with RoleBindings: not even to look whether one is left."""
    cluster.add_pod("web-1", run_locally)
    for method in ("GET", "POST", "DELETE"):
        refuse(cluster, method, "/rolebindings", "no")
    result = scan()
    assert "failed" not in result
    assert scan.outcomes() == {"web-1": "access_incomplete"}
    assert not [path for path in cluster.server.objects.paths() if "/serviceaccounts/" in path]


def test_an_api_server_that_comes_back_is_asked_again_for_the_removal(
    scan: Scan, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "_RETURN_PAUSES", (0.0, 0.0))
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(
        Fault("status", on="DELETE .*/serviceaccounts", status=403, text="no", times=1)
    )
    result = scan()
    assert "failed" not in result and cluster.accesses() == []
