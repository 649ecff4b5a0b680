# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged is what was scanned: the pod is looked at before its container is entered, and afterwards."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import looks
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.looks import (
    PodLook,
    is_settled,
)
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
BY_EXEC = ("exec", run_locally)
ENTERING = ("exec", "sidecar", "debug")
TOKEN, EXEC = "POST .*/serviceaccounts/.*/token", "GET .*/exec"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:  # noqa: F811
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(looks, "_SETTLE_PAUSE", 0.05)


def add_pod(cluster: Cluster, approach: str) -> None:
    cluster.add_pod(
        "web-1",
        run_locally if approach == "exec" else no_shell,
        sidecar=beside_target(ROOT) if approach == "sidecar" else None,
    )


def changed(cluster: Cluster, change: Change, name: str = "web-1") -> None:
    pod = cluster.server.objects.find(PODS + name)
    assert pod is not None
    change(pod)
    cluster.server.objects.put(PODS + name, pod)


def meanwhile(cluster: Cluster, on: str, change: Change) -> None:
    cluster.server.faults.append(Fault("meanwhile", on=on, times=1, action=lambda: changed(cluster, change)))


def status_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return found


def restarts(pod: dict[str, Any]) -> None:
    status_of(pod)["containerID"] = "containerd://" + "9" * 64


def runs_another_image(pod: dict[str, Any]) -> None:
    restarts(pod)
    status_of(pod)["imageID"] = "registry.test/app@sha256:" + "9" * 64


def is_to_run_another_image(pod: dict[str, Any]) -> None:
    """The spec says so; the node has not reported it yet."""
    pod["spec"]["containers"][0]["image"] = "registry.test/evil:1"


CHANGES: list[Change] = [restarts, runs_another_image, is_to_run_another_image]


@pytest.mark.parametrize("approach", ENTERING)
@pytest.mark.parametrize("change", CHANGES)
def test_a_container_that_was_replaced_after_the_selection_is_not_entered(
    scan: Scan, cluster: Cluster, approach: str, change: Change
) -> None:
    add_pod(cluster, approach)
    meanwhile(cluster, TOKEN, change)
    result = scan(approach=approach)
    assert scan.outcomes() == {"web-1": "container_replaced"} and cluster.execs() == []
    assert result["footprint"]["added"] == 0, "a container was added to a pod that is not the target's"


@pytest.mark.parametrize("approach", ENTERING)
@pytest.mark.parametrize("change", CHANGES)
def test_a_container_that_is_replaced_between_the_looks_gives_no_result(
    scan: Scan, cluster: Cluster, approach: str, change: Change
) -> None:
    add_pod(cluster, approach)
    meanwhile(cluster, EXEC, change)
    scan(approach=approach)
    assert scan.outcomes() == {"web-1": "container_replaced"} and len(cluster.execs()) == 1
    error = scan.targets["web-1"]["error"]
    assert error["message"] and "look" in error["tried"]


@pytest.mark.parametrize(
    ("besides", "outcome"),
    [
        (lambda pod: None, "container_replaced"),
        (lambda pod: pod["spec"].update(restartPolicy="Never"), "exec"),
        (lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"), "exec"),
    ],
    ids=["may start again", "never starts again", "is being deleted"],
)
def test_a_container_that_ends_while_it_is_scanned_was_scanned_only_where_nothing_can_have_taken_its_place(
    scan: Scan, cluster: Cluster, besides: Change, outcome: str
) -> None:
    def ends_then(pod: dict[str, Any]) -> None:
        status_of(pod)["state"] = {"terminated": {"exitCode": 0}}
        besides(pod)

    def program(argv: list[str], streams: ExecStreams) -> int:
        changed(cluster, ends_then)
        return run_locally(argv, streams)

    cluster.add_pod("web-1", program)
    scan()
    assert scan.outcomes() == {"web-1": outcome}


def test_a_spec_that_was_changed_and_changed_back_between_the_looks_gives_no_result(
    scan: Scan, cluster: Cluster
) -> None:
    """The node has not reported what ran meanwhile, and nothing of the spec tells."""
    add_pod(cluster, "exec")
    changed(cluster, lambda pod: pod["metadata"].update(generation=1))
    meanwhile(cluster, EXEC, lambda pod: pod["metadata"].update(generation=3))
    scan()
    assert scan.outcomes() == {"web-1": "container_replaced"}
    assert "spec was changed" in scan.targets["web-1"]["error"]["message"]


def test_a_debug_container_of_somebody_else_is_no_change_of_the_target(scan: Scan, cluster: Cluster) -> None:
    add_pod(cluster, "exec")
    changed(cluster, lambda pod: pod["metadata"].update(generation=1))

    def is_debugged(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = 2
        pod["spec"]["ephemeralContainers"] = [{"name": "debugger-x", "image": "busybox"}]

    meanwhile(cluster, EXEC, is_debugged)
    scan()
    assert scan.outcomes() == {"web-1": "exec"}


def test_what_was_changed_and_changed_back_while_containers_were_added_shows_when_the_node_has_seen_it(
    scan: Scan, cluster: Cluster
) -> None:
    """Three containers are added in one change, the image is changed in the second, and changed back in the third."""
    add_pod(cluster, "exec")

    def is_settled_at_5(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = pod["status"]["observedGeneration"] = 5

    def is_debugged(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = 8
        pod["spec"]["ephemeralContainers"] = [{"name": f"x-{n}", "image": "busybox"} for n in range(3)]

    def is_seen(pod: dict[str, Any]) -> None:
        pod["status"]["observedGeneration"] = 8
        restarts(pod)

    changed(cluster, is_settled_at_5)
    meanwhile(cluster, EXEC, is_debugged)
    asked = iter(range(100))
    cluster.server.faults.append(
        Fault(
            "meanwhile",
            on="GET .*/pods/web-1$",
            action=lambda: changed(cluster, is_seen) if cluster.execs() and next(asked) == 1 else None,
        )
    )
    scan()
    assert scan.outcomes() == {"web-1": "container_replaced"}
    assert "it was containerd://" in scan.targets["web-1"]["error"]["message"]


@pytest.mark.usefixtures("impatient")
def test_a_node_that_does_not_see_a_spec_that_was_changed_between_the_looks_gives_no_result(
    scan: Scan, cluster: Cluster
) -> None:
    add_pod(cluster, "exec")

    def is_debugged(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = 6
        pod["spec"]["ephemeralContainers"] = [{"name": "x", "image": "busybox"}]

    changed(cluster, lambda pod: pod["metadata"].update(generation=5))
    changed(cluster, lambda pod: pod["status"].update(observedGeneration=5))
    meanwhile(cluster, EXEC, is_debugged)
    scan()
    assert scan.outcomes() == {"web-1": "container_replaced"}
    assert "has not taken notice" in scan.targets["web-1"]["error"]["message"]


def test_a_node_that_has_not_taken_notice_of_the_spec_is_waited_for(scan: Scan, cluster: Cluster) -> None:
    add_pod(cluster, "exec")

    def is_seen(pod: dict[str, Any]) -> None:
        pod["status"]["observedGeneration"] = 2

    def is_new(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = 2
        pod["status"]["observedGeneration"] = 1

    changed(cluster, is_new)
    asked = iter(range(100))
    cluster.server.faults.append(
        Fault(
            "meanwhile",
            on="GET .*/pods/web-1$",
            action=lambda: changed(cluster, is_seen) if next(asked) == 2 else None,
        )
    )
    scan()
    assert scan.outcomes() == {"web-1": "exec"}


@pytest.mark.usefixtures("impatient")
def test_a_node_that_takes_no_notice_of_the_spec_in_time_gives_no_result(
    scan: Scan, cluster: Cluster
) -> None:
    add_pod(cluster, "exec")

    def is_new(pod: dict[str, Any]) -> None:
        pod["metadata"]["generation"] = 2
        pod["status"]["observedGeneration"] = 1

    changed(cluster, is_new)
    scan()
    assert scan.outcomes() == {"web-1": "container_replaced"} and cluster.execs() == []


@pytest.mark.parametrize(
    ("before", "later", "expected"),
    [
        ((None, 0, False), (None, 0, False), True),
        ((1, 0, False), (1, 0, False), True),
        ((1, 0, False), (2, 0, False), False),
        ((1, 1, False), (3, 3, False), True),
        ((1, 1, False), (2, 3, False), False),
        ((5, 0, False), (8, 3, False), False),
        ((5, 0, False), (8, 3, False, True), True),
        ((5, 0, False), (9, 3, False, True), False),
        ((1, 1, False), (4, 3, False), False),
        ((1, 0, False), (2, 0, True), True),
        ((2, 0, True), (3, 0, True), False),
        ((1, 0, False), (None, 0, False), False),
        ((1, 0, False), (None, 1, False), False),
        ((None, 0, False), (2, 0, False), False),
        ((None, 0, False), (1, 1, False), True),
    ],
)
def test_only_added_containers_and_a_deletion_explain_another_generation(
    before: Any, later: Any, expected: bool
) -> None:
    assert PodLook(*before).explains(PodLook(*later)) is expected


def test_an_api_server_or_node_that_counts_no_generations_is_believed() -> None:
    assert is_settled({"metadata": {}, "status": {}})
    assert is_settled({"metadata": {"generation": 5}, "status": {}})
    assert is_settled({"metadata": {"generation": 5}, "status": {"observedGeneration": 5}})
    assert not is_settled({"metadata": {"generation": 5}, "status": {"observedGeneration": 4}})


def test_a_sidecar_that_is_replaced_between_the_looks_gives_no_result(scan: Scan, cluster: Cluster) -> None:
    add_pod(cluster, "sidecar")
    meanwhile(
        cluster,
        EXEC,
        lambda pod: pod["status"]["initContainerStatuses"][0].update(containerID="containerd://other"),
    )
    scan(approach="sidecar")
    assert scan.outcomes() == {"web-1": "container_replaced"}
    assert "securescan-sidecar-1000-1000" in scan.targets["web-1"]["error"]["message"]


def test_a_sidecar_that_is_changed_between_the_looks_gives_no_result(scan: Scan, cluster: Cluster) -> None:
    add_pod(cluster, "sidecar")
    meanwhile(cluster, EXEC, lambda pod: pod["spec"]["initContainers"][0].update(image="evil:1"))
    scan(approach="sidecar")
    assert scan.outcomes() == {"web-1": "foreign_scanner"}


def test_a_failure_of_the_exec_is_told_and_no_look_hides_it(scan: Scan, cluster: Cluster) -> None:
    def dies(argv: list[str], streams: ExecStreams) -> int:
        return 3

    cluster.add_pod("web-1", dies)
    meanwhile(cluster, EXEC, restarts)
    scan()
    assert scan.outcomes() == {"web-1": "collector_failed"}


@pytest.mark.parametrize("renew", [False, True])
def test_what_has_taken_the_containers_place_is_scanned_where_that_is_asked_for(
    scan: Scan, cluster: Cluster, renew: bool
) -> None:
    add_pod(cluster, "exec")
    meanwhile(cluster, TOKEN, runs_another_image)
    scan(renew_access=renew)
    assert scan.outcomes() == {"web-1": "exec" if renew else "container_replaced"}
    assert scan.targets["web-1"]["image_digest"].endswith(("9" if renew else "1") * 64)
    assert cluster.accesses() == []


# What each approach asks for one target: (method, last part of the path), with the scanner's token, but for the
# attempts of the token itself
COSTS = {
    "exec": [("GET", "web-1"), ("GET", "exec"), ("GET", "web-1")],
    "sidecar": [("GET", "web-1"), ("GET", "exec"), ("GET", "web-1")],
    "debug": [
        ("GET", "web-1"),
        ("PATCH", "ephemeralcontainers"),
        ("GET", "web-1"),
        ("GET", "exec"),
        ("GET", "exec"),
        ("GET", "web-1"),
    ],
    "image": [],
}


@pytest.mark.parametrize("approach", COSTS)
def test_the_looks_cost_one_request_more_for_a_target(scan: Scan, cluster: Cluster, approach: str) -> None:
    if approach == "image":
        cluster.server.objects.meanwhile[:] = []
        cluster = Cluster(cluster.server, with_image(ROOT))
    add_pod(cluster, approach)
    scan(approach=approach)
    assert scan.outcomes() == {"web-1": approach}
    entering = next(
        number
        for number, request in enumerate(cluster.server.requests)
        if request.path.endswith("/token") and request.method == "POST"
    )
    asked = [
        (request.method, request.path.rpartition("/")[2])
        for request in cluster.server.requests[entering:]
        if request.path.startswith(PODS + "web-1") and request.user.startswith("system:serviceaccount:")
    ]
    # the first look shows that the token works, too
    assert asked[-len(COSTS[approach]) :] == COSTS[approach] if COSTS[approach] else not asked


def document(scan: Scan, pod: str = "web-1") -> dict[str, Any]:
    text = (scan.run_dir / scan.targets[pod]["hdf"]).read_text()
    found: dict[str, Any] = json.loads(text)["passthrough"]["securescan_kubernetes"]["scan"]
    return found


@pytest.mark.parametrize("approach", COSTS)
def test_a_document_names_the_container_whose_shell_answered(
    scan: Scan, cluster: Cluster, approach: str
) -> None:
    if approach == "image":
        cluster.server.objects.meanwhile[:] = []
        cluster = Cluster(cluster.server, with_image(ROOT))
    add_pod(cluster, approach)
    scan(approach=approach)
    said = document(scan)
    assert said["target_seen"] == ("at_selection" if approach == "image" else "before_and_after")
    if approach == "exec":
        assert "scanner_container" not in said
        return
    named = said["scanner_container"]
    assert (named["image"], set(named)) == (IMAGE, {"name", "image", "container_id", "image_id"})
    if approach == "sidecar":
        assert named["container_id"] == "containerd://side"
