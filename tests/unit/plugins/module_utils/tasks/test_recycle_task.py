# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_recycle from its options to its result: pods that hold entries of scans are evicted and replaced, and no others."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.footprint import recycle as recycle_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.recycle import scan_recycle_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import IDLE
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.recycle import run_scan_recycle
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import ReplicaSets
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner

LONG_AGO = "2026-01-01T00:00:00Z"
PODS = "/api/v1/namespaces/shop/pods/"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/"


def put_left(
    server: FakeApiServer,
    name: str,
    *,
    owner: str = "web-1",
    kind: str = "ReplicaSet",
    entries: int = 1,
    state: str = "terminated",
    started: str = "",
) -> None:
    """A pod that has so many entries of ours, started at that time, or now."""
    names = [f"securescan-0123456789-{number + 1}" for number in range(entries)]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    since = {"startedAt": started or now, "exitCode": 0}
    owners = [{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u-" + owner, "controller": True}]
    server.objects.put(
        PODS + name,
        {
            "metadata": {
                "namespace": "shop",
                "labels": {"app": owner, "pod-template-hash": owner},
                "ownerReferences": owners if kind else [],
            },
            "spec": {
                "nodeName": "node-1",
                "containers": [{"name": "app", "image": "registry.test/app:1"}],
                "ephemeralContainers": [
                    {"name": entry, "command": [*IDLE, "90", "end", "run-1"], "targetContainerName": "app"}
                    for entry in names
                ],
            },
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "app", "state": {"running": {}}}],
                "ephemeralContainerStatuses": [{"name": entry, "state": {state: since}} for entry in names],
            },
        },
    )


class RecycleTask(TaskRunner):
    def __call__(self, *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        return super().__call__(
            check_mode=check_mode, **{"namespaces": ["shop"], "wait_timeout": 60.0, **changes}
        )


@pytest.fixture
def recycle(server: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> RecycleTask:
    for name in ("_FIRST_PAUSE", "_LONGEST_PAUSE", "_LONGEST_LOOK"):
        monkeypatch.setattr(recycle_module, name, 0.01)
    return RecycleTask(server, run_scan_recycle, scan_recycle_spec)


def keep_pods(server: FakeApiServer) -> None:
    """From now on the controllers replace what is taken from them."""
    server.objects.meanwhile.append(ReplicaSets(server.objects))


def pods(server: FakeApiServer) -> list[str]:
    return [path[len(PODS) :] for path in server.objects.paths() if path.startswith(PODS)]


def evictions(server: FakeApiServer) -> list[str]:
    return [
        request.path[len(PODS) :].partition("/")[0]
        for request in server.requests
        if request.method == "POST" and request.path.endswith("/eviction") and not request.query
    ]


def test_pods_that_hold_entries_are_replaced_and_others_are_left_alone(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    put_left(server, "web-a", entries=2)
    put_left(server, "web-b", entries=0)
    put_left(server, "db-a", owner="db-1")
    keep_pods(server)
    result = recycle()
    assert sorted(evictions(server)) == ["db-a", "web-a"]
    assert "web-b" in pods(server) and len(pods(server)) == 3
    assert result["changed"] and result["counts"] == {"pods": 2, "recycled": 2, "not_recycled": 0, "gone": 0}
    assert result["recycled"][1] == {
        "namespace": "shop",
        "pod": "web-a",
        "workload_kind": "ReplicaSet",
        "workload": "web-1",
        "ephemeral_containers": ["securescan-0123456789-1", "securescan-0123456789-2"],
    }
    assert result["diff"][0]["before"].splitlines()[0].startswith("shop/db-a (ReplicaSet db-1): securescan-")
    assert result["requests"] == len(server.requests) and recycle.warnings == []
    assert "evicted shop/web-a (ReplicaSet web-1)" in recycle.said


def test_one_that_runs_past_its_own_time_does_not_keep_its_pod_from_being_replaced(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    put_left(server, "web-a", state="running", started=LONG_AGO)
    put_left(server, "db-a", owner="db-1", state="running")
    keep_pods(server)
    result = recycle()
    assert evictions(server) == ["web-a"]
    assert [(one["pod"], one["error"]["reason"]) for one in result["not_recycled"]] == [
        ("db-a", "debug_in_use")
    ]


@pytest.mark.parametrize("seconds", ["99999999", "9" * 5000, "x", ""])
def test_one_that_says_it_waits_for_longer_than_a_day_is_believed_for_a_day(
    recycle: RecycleTask, server: FakeApiServer, seconds: str
) -> None:
    put_left(server, "web-a", state="running", started=LONG_AGO)
    found = server.objects.find(PODS + "web-a")
    assert found is not None
    found["spec"]["ephemeralContainers"][0]["command"][-3] = seconds
    server.objects.put(PODS + "web-a", found)
    keep_pods(server)
    recycle()
    assert evictions(server) == ["web-a"]


def test_a_second_run_finds_nothing_to_do(recycle: RecycleTask, server: FakeApiServer) -> None:
    put_left(server, "web-a")
    keep_pods(server)
    recycle()
    server.requests.clear()
    result = recycle()
    assert not result["changed"] and result["diff"] == [] and evictions(server) == []
    assert {request.method for request in server.requests} == {"GET"}


def test_pods_of_one_workload_are_replaced_one_after_the_other(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    for name in ("web-a", "web-b", "web-c"):
        put_left(server, name)
    keep_pods(server)
    there: list[int] = []
    server.faults.append(
        Fault("meanwhile", on="POST .*/eviction", action=lambda: there.append(len(pods(server))))
    )
    assert recycle(concurrency=3)["counts"]["recycled"] == 3
    assert there == [3, 3, 3], "one was evicted while another was missing"


def test_check_mode_asks_and_evicts_nobody(recycle: RecycleTask, server: FakeApiServer) -> None:
    put_left(server, "web-a")
    result = recycle(check_mode=True)
    assert result["changed"] and result["counts"]["recycled"] == 1 and result["diff"][0]["before"]
    assert result["table"][0] == "RECYCLE: 1 pod would be replaced" and len(result["table"]) == 2
    assert evictions(server) == [] and pods(server) == ["web-a"]
    asked = [request for request in server.requests if request.path.endswith("/eviction")]
    assert [request.query for request in asked] == [[("dryRun", "All")]]


def test_a_budget_that_does_not_allow_it_is_told_and_the_rest_of_the_workload_is_left_alone(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    for name in ("web-a", "web-b"):
        put_left(server, name)
    put_left(server, "db-a", owner="db-1")
    keep_pods(server)
    selector = {"matchLabels": {"app": "web-1"}}
    server.objects.put(BUDGETS + "web", {"spec": {"selector": selector}, "status": {"disruptionsAllowed": 0}})
    result = recycle(wait_timeout=1.0)
    assert [entry["error"]["reason"] for entry in result["not_recycled"]] == [
        "eviction_refused",
        "recycle_stopped",
    ]
    assert "PodDisruptionBudget" in result["not_recycled"][0]["error"]["cause"]
    assert result["table"][0] == "RECYCLE: 1 pod replaced, 2 not"
    assert sum(line.startswith("  not ") for line in result["table"]) == 2
    assert result["counts"] == {"pods": 3, "recycled": 1, "not_recycled": 2, "gone": 0} and result["changed"]
    assert recycle.warnings == [
        "2 of 3 pods that hold what scans have left were not replaced; not_recycled says why"
    ]
    assert [name for name in pods(server) if name.startswith("web")] == ["web-a", "web-b"]


def test_the_ends_of_the_lists_say_how_to_see_the_rest(recycle: RecycleTask, server: FakeApiServer) -> None:
    for number in range(21):
        put_left(server, f"web-{number}", owner=f"web-{number}")
        put_left(server, f"alone-{number}", kind="")
    result = recycle(check_mode=True)
    assert "  and 1 more; --diff lists all" in result["table"]
    assert len(result["diff"][0]["before"].splitlines()) == 21
    assert result["table"][-1] == "  and 1 more that were not; choose fewer namespaces to see them"


def test_a_budget_that_allows_it_in_the_end_is_waited_for(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    put_left(server, "web-a")
    keep_pods(server)
    budget: dict[str, Any] = {"spec": {"selector": {"matchLabels": {}}}, "status": {"disruptionsAllowed": 0}}
    server.objects.put(BUDGETS + "web", budget)
    allowed = {**budget, "status": {"disruptionsAllowed": 1}}
    looks = iter(range(100))
    server.faults.append(
        Fault(
            "meanwhile",
            on="POST .*/eviction",
            action=lambda: server.objects.put(BUDGETS + "web", allowed) if next(looks) == 2 else None,
        )
    )
    assert recycle()["counts"]["recycled"] == 1 and evictions(server) == ["web-a"] * 3


def test_one_that_is_not_replaced_is_told_of_and_counts_as_evicted(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    put_left(server, "web-a")
    result = recycle(wait_timeout=1.0)
    (entry,) = result["not_recycled"]
    assert entry["error"]["reason"] == "not_replaced" and entry["evicted"] is True and result["changed"]
    assert result["recycled"] == [] and result["counts"]["recycled"] == 0
    assert result["diff"][0]["before"].startswith("shop/web-a ") and pods(server) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": ""}, "pod_not_replaceable"),
        ({"kind": "Rollout"}, "pod_not_replaceable"),
        ({"state": "running"}, "debug_in_use"),
    ],
)
def test_a_pod_that_must_stay_is_not_evicted(
    recycle: RecycleTask, server: FakeApiServer, changes: dict[str, Any], reason: str
) -> None:
    put_left(server, "web-a", **changes)
    result = recycle()
    assert [entry["error"]["reason"] for entry in result["not_recycled"]] == [reason]
    assert not result["changed"] and evictions(server) == [] and pods(server) == ["web-a"]


def test_a_pod_that_another_has_replaced_meanwhile_is_left_alone(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    put_left(server, "web-0", kind="StatefulSet")

    def replace() -> None:
        server.objects.remove(PODS + "web-0")
        put_left(server, "web-0", kind="StatefulSet", entries=0)

    server.faults.append(Fault("meanwhile", on="POST .*/eviction", times=1, action=replace))
    result = recycle()
    assert (
        result["counts"] == {"pods": 1, "recycled": 0, "not_recycled": 0, "gone": 1} and not result["changed"]
    )
    assert pods(server) == ["web-0"]


@pytest.mark.parametrize("option", ["wait_timeout", "concurrency"])
def test_an_option_that_cannot_be_meant_is_refused_before_the_cluster_is_asked(
    recycle: RecycleTask, server: FakeApiServer, option: str
) -> None:
    with pytest.raises(ScanError) as caught:
        recycle(**{option: 0})
    assert caught.value.reason == "bad_option" and option in caught.value.message and server.requests == []


def test_a_selection_without_pods_fails_unless_that_is_allowed(
    recycle: RecycleTask, server: FakeApiServer
) -> None:
    with pytest.raises(ScanError) as caught:
        recycle()
    assert caught.value.reason == "no_targets"
    assert recycle(allow_empty=True)["counts"]["pods"] == 0
