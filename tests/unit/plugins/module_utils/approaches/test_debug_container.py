# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put beside a target, worked out from its pod; and which container that is there serves as well."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugContainer,
    DebugOptions,
    target_view,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target

TARGET = Target("cluster", "shop", "Pod", "edge", "edge", "uid-1", "app")
OPTIONS = DebugOptions("tools:1")
CONTAINER_ID = "0423231cfa4f1b277af5807c6f342dc0bc67ee114fdddf8ca707a38a68b22193"


def pod_of(user=(10001, 10002), security=None, pod_security=None, **metadata):
    status = {"name": "app", "containerID": "containerd://" + CONTAINER_ID, "state": {"running": {}}}
    if user:
        status["user"] = {"linux": {"uid": user[0], "gid": user[1], "supplementalGroups": [user[1]]}}
    return {
        "metadata": {"name": "edge", "namespace": "shop", "uid": "uid-1", **metadata},
        "spec": {
            "nodeName": "node",
            "containers": [{"name": "app", "image": "edge:1", "securityContext": security or {}}],
            "securityContext": pod_security or {},
        },
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def wanted(pod, options=OPTIONS, run_id="run-1", lifetime=90, target=TARGET):
    return DebugContainer(pod, target, options, run_id=run_id, lifetime=lifetime)


def context_of(pod, options=OPTIONS):
    return wanted(pod, options).entry(pod, "")["securityContext"]


def with_entry(pod, entry, state):
    """The pod with the entry in it, in that state."""
    found = copy.deepcopy(pod)
    found["spec"].setdefault("ephemeralContainers", []).append(entry)
    statuses = found["status"].setdefault("ephemeralContainerStatuses", [])
    if state is not None:
        statuses.append({"name": entry["name"], "state": state})
    return found


def running(ago=0):
    started = datetime.now(timezone.utc) - timedelta(seconds=ago)
    return {"running": {"startedAt": started.strftime("%Y-%m-%dT%H:%M:%SZ")}}


@pytest.mark.parametrize(
    ("pod", "identity"),
    [
        (pod_of((10001, 10002), {"runAsUser": 1, "runAsGroup": 2}), (10001, 10002)),
        (pod_of(None, {"runAsUser": 1, "runAsGroup": 2}, {"runAsUser": 3, "runAsGroup": 4}), (1, 2)),
        (pod_of(None, {"runAsUser": 1}, {"runAsUser": 3, "runAsGroup": 4}), (1, 4)),
        (pod_of((5, 0), {}), (5, 0)),
    ],
    ids=["the node's word first", "then the container's", "then the pod's", "group 0 is a group"],
)
def test_user_and_group_are_the_targets(pod, identity):
    context = context_of(pod)
    assert (context["runAsUser"], context["runAsGroup"]) == identity
    assert context["runAsNonRoot"] is True


@pytest.mark.parametrize(
    ("pod", "missing"),
    [
        (pod_of(None), "user"),
        (pod_of(None, {"runAsUser": 1}), "group"),
        (pod_of(None, {"runAsGroup": 1}), "user"),
        (pod_of(None, {"runAsUser": "1", "runAsGroup": 2}), "user"),
    ],
)
def test_an_unknown_identity_is_not_guessed(pod, missing):
    with pytest.raises(ScanError) as caught:
        wanted(pod)
    assert caught.value.reason == "identity_unknown" and f"container's {missing}" in caught.value.message


def test_root_without_capabilities_is_root_without_capabilities():
    context = context_of(pod_of((0, 0), {"capabilities": {"drop": ["all"]}}))
    assert context["runAsUser"] == 0 and "runAsNonRoot" not in context
    assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    "security",
    [
        {},
        {"capabilities": {"drop": ["NET_RAW"]}},
        {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}},
        {"privileged": True, "capabilities": {"drop": ["ALL"]}},
    ],
)
def test_root_with_capabilities_is_refused(security):
    with pytest.raises(ScanError) as caught:
        wanted(pod_of((0, 0), security))
    assert caught.value.reason == "target_privileged"


def test_matched_capabilities_are_those_of_the_spec_and_never_privileged():
    options = DebugOptions("tools:1", match_capabilities=True)
    asked = {"drop": ["ALL"], "add": ["CHOWN"]}
    assert context_of(pod_of((0, 0), {"capabilities": asked}), options)["capabilities"] == asked
    assert context_of(pod_of((0, 0)), options)["capabilities"] == {}
    # a user other than root holds none, whatever the spec adds
    assert context_of(pod_of((7, 7), {"capabilities": asked}), options)["capabilities"] == {"drop": ["ALL"]}
    with pytest.raises(ScanError):
        wanted(pod_of((0, 0), {"privileged": True}), options)


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (pod_of(annotations={"kubernetes.io/config.mirror": "x"}), "platform_unsupported"),
        (dict(pod_of(), spec={"containers": []}), "container_not_running"),
        (pod_of(deletionTimestamp="2026-11-23T00:00:00Z"), ""),
    ],
)
def test_what_cannot_be_visited(pod, reason):
    if not reason:
        assert wanted(pod), "a container of a pod that is being deleted still runs"
        return
    with pytest.raises(ScanError) as caught:
        wanted(pod)
    assert caught.value.reason == reason


def test_a_container_that_has_stopped_meanwhile():
    pod = pod_of()
    pod["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    with pytest.raises(ScanError) as caught:
        wanted(pod)
    assert caught.value.reason == "container_not_running" and "CrashLoopBackOff" in caught.value.message


def test_the_view_is_the_id_of_the_container_that_runs_now():
    pod = pod_of()
    assert target_view(pod, TARGET).container_id == CONTAINER_ID
    pod["status"]["containerStatuses"][0]["containerID"] = "odd://../../etc"
    with pytest.raises(ScanError) as caught:
        target_view(pod, TARGET)
    assert caught.value.reason == "platform_unsupported"


KEPT = DebugOptions("tools:1", keep_alive=600)


def kept(pod, **changes):
    return wanted(pod, KEPT, **{"lifetime": 600, **changes})


def test_two_runs_that_keep_theirs_choose_the_same_name_and_only_one_can_have_it():
    pod = pod_of()
    first, second = kept(pod, run_id="a").entry(pod, ""), kept(pod, run_id="b").entry(pod, "")
    assert first["name"] == second["name"] and first != second
    assert len(first["name"]) <= 63


def test_the_name_of_one_that_is_not_kept_cannot_be_guessed():
    pod = pod_of()
    names = [wanted(pod).entry(pod, "")["name"] for _number in range(3)]
    assert len({*names}) == 3 and all(
        len(name.rpartition("-")[2]) >= 16 and len(name) <= 63 for name in names
    )


def test_names_differ_by_image_identity_and_target():
    pod = pod_of()
    names = {
        kept(pod).entry(pod, "")["name"],
        wanted(pod, DebugOptions("tools:2", keep_alive=600)).entry(pod, "")["name"],
        kept(pod_of((1, 1))).entry(pod, "")["name"],
    }
    assert len(names) == 3


STATES = [
    (running, True),
    (None, True),
    ({"waiting": {"reason": "ContainerCreating"}}, True),
    (lambda: running(595), False),
    ({"terminated": {"exitCode": 0}}, False),
    ({"running": {"startedAt": "garbled"}}, False),
    ({"running": None}, False),
]


@pytest.mark.parametrize(("state", "is_used"), STATES)
def test_a_kept_one_that_lives_long_enough_is_used_again_by_a_scan_that_keeps_its_own(state, is_used):
    pod = pod_of()
    state = state() if callable(state) else state
    other = kept(pod, run_id="other")
    found = with_entry(pod, other.entry(pod, ""), state)
    mine = kept(found, run_id="mine")
    again = mine.find(found, set(), set(), needed=30)
    assert bool(again) is is_used
    if again:
        assert not again.is_own and again.is_kept
        assert mine.find(found, {again.name}, set(), 30).is_own
        assert mine.find(found, set(), {again.name}, 30) is None
    assert mine.entry(found, "")["name"] not in {
        entry["name"] for entry in found["spec"]["ephemeralContainers"]
    }


@pytest.mark.parametrize("how", [kept, wanted], ids=["kept", "not kept"])
def test_a_scan_that_keeps_nothing_uses_only_what_it_has_added(how):
    pod = pod_of()
    found = with_entry(pod, how(pod, run_id="mine").entry(pod, ""), running())
    name = found["spec"]["ephemeralContainers"][0]["name"]
    mine = wanted(found, run_id="mine")
    assert mine.find(found, set(), set(), 1) is None, (
        "the run's id stands in the entry, where anybody reads it"
    )
    assert bool(mine.find(found, {name}, set(), 1)) is (how is wanted)


def test_one_that_is_not_kept_is_not_used_by_a_scan_that_keeps_its_own():
    pod = pod_of()
    found = with_entry(pod, wanted(pod).entry(pod, ""), running())
    assert kept(found).find(found, set(), set(), 1) is None, "its own scan ends it"


# what an API server writes into an entry
DEFAULTS = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


def test_what_an_api_server_adds_to_an_entry_is_no_difference():
    pod = pod_of()
    found = with_entry(pod, {**kept(pod).entry(pod, ""), **DEFAULTS}, running())
    assert kept(found).find(found, set(), set(), 1)


FOREIGN = [
    {"image": "evil:1"},
    {"targetContainerName": "other"},
    {"command": ["sh", "-c", "evil", "securescan", "90", "keep", "x"]},
    {"command": None},
    {"securityContext": None},
    {"name": "debugger-abcde"},
    {"volumeMounts": [{"name": "e", "mountPath": "/bin"}]},
    {"env": [{"name": "LD_PRELOAD", "value": "/x"}]},
    {"env": []},
    {"envFrom": [{"secretRef": {"name": "x"}}]},
    {"args": ["x"]},
    {"workingDir": "/x"},
    {"lifecycle": {"postStart": {"exec": {"command": ["sh"]}}}},
    {"stdin": True},
    {"tty": True},
    {"terminationMessagePath": "/etc/passwd"},
    {"volumeDevices": [{"name": "e", "devicePath": "/x"}]},
    {"resizePolicy": [], "somethingNew": 1},
]


@pytest.mark.parametrize("change", FOREIGN, ids=[next(reversed(change)) for change in FOREIGN])
def test_one_of_which_anything_differs_is_not_used(change):
    pod = pod_of()
    found = with_entry(pod, dict(kept(pod).entry(pod, ""), **change), running())
    assert kept(found).find(found, set(), set(), 1) is None


@pytest.mark.parametrize(
    "change",
    [
        {"capabilities": {}},
        {"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}},
        {"privileged": False},
        {"appArmorProfile": {"type": "Unconfined"}},
        {"runAsUser": 0},
    ],
)
def test_one_whose_security_context_differs_is_not_used(change):
    pod = pod_of()
    entry = kept(pod).entry(pod, "")
    entry["securityContext"] = dict(entry["securityContext"], **change)
    found = with_entry(pod, entry, running())
    assert kept(found).find(found, set(), set(), 1) is None


def test_one_that_would_wait_for_more_than_a_day_is_not_used():
    pod = pod_of()
    entry = kept(pod).entry(pod, "")
    entry["command"][-3] = "999999"
    assert kept(pod).find(with_entry(pod, entry, running()), set(), set(), 1) is None


def test_an_entry_that_a_webhook_has_changed_is_refused_and_the_field_is_named():
    pod = pod_of()
    mine = wanted(pod)
    entry = mine.entry(pod, "")
    mine.check_unchanged(with_entry(pod, {**entry, **DEFAULTS}, running()), entry["name"], "")
    with pytest.raises(ScanError) as raised:
        mine.check_unchanged(with_entry(pod, dict(entry, env=[{"name": "X"}]), running()), entry["name"], "")
    assert (
        raised.value.reason == "foreign_scanner" and "the env of the debug container" in raised.value.message
    )


def test_a_pod_takes_no_more_than_a_hundred():
    pod = pod_of()
    pod["spec"]["ephemeralContainers"] = [{"name": f"securescan-{number}"} for number in range(100)]
    with pytest.raises(ScanError) as caught:
        wanted(pod).entry(pod, "")
    assert caught.value.reason == "debug_refused"
