# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever the target runs as: a debug scan says what an exec into it says, or why it cannot look and what would work."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    DEBIAN,
    DISTROLESS,
    ENFORCED,
    SLEEPS,
    container,
    pod,
)

ROOT = {"user": (0, 0), "security": {"runAsNonRoot": False}}
DEFAULT_CAPABILITIES = {"runAsNonRoot": False, "capabilities": {}}
MANY = [
    "sh",
    "-c",
    "trap 'exit 0' TERM; for n in 1 2 3 4 5; do sleep 3600 & done; (sleep 3600 & wait) & wait",
]

WORKS = {
    "not root": pod("a", container()),
    "another group": pod("a", container(user=(10001, 20002))),
    "group root": pod("a", container(user=(10001, 0))),
    "supplementary groups": pod(
        "a", container(), securityContext={"supplementalGroups": [30003, 30004], "fsGroup": 30005}
    ),
    "user and group of the pod": pod(
        "a", container(user=None), securityContext={"runAsUser": 10001, "runAsGroup": 10002}
    ),
    "a user without a group in the spec": pod("a", container(user=None, security={"runAsUser": 10001})),
    "root without capabilities": pod("a", container(**ROOT)),
    "not root, with added capabilities": pod(
        "a",
        container(security={"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SYS_PTRACE"]}}),
    ),
    "not root, with the default capabilities": pod(
        "a", container(security={"capabilities": {}, "allowPrivilegeEscalation": True})
    ),
    "several processes": pod("a", container(command=MANY)),
    "a read-only root": pod("a", container(security={"readOnlyRootFilesystem": True})),
    "a volume": pod(
        "a",
        container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
        volumes=[{"name": "data", "emptyDir": {}}],
    ),
    "no seccomp": pod("a", container(security={"seccompProfile": {"type": "Unconfined"}})),
    "the node's processes in sight": pod("a", container(), hostPID=True),
    "the node's network": pod("a", container(), hostNetwork=True),
}

JUDGE_ALL_PROCESSES = ("cb-service-managers", "cb-forbidden-processes")
JUDGE_ALL_LISTENERS = ("cb-forbidden-ports", "cb-root-listeners")


@pytest.mark.parametrize("case", WORKS)
def test_it_says_what_an_exec_says(case, place, scan):
    there = place()
    there.add(WORKS[case])
    by_exec, by_debug = scan(there.name, approach="exec"), scan(there.name)
    assert by_debug.hdf()["platform"] == by_exec.hdf()["platform"]
    ours, theirs = by_debug.verdicts(), by_exec.verdicts()
    spec = WORKS[case]["spec"]
    if spec.get("hostNetwork") or spec.get("hostPID"):
        # on the node others start, listen and end meanwhile: what an exec says before and after
        afterwards = scan(there.name, approach="exec").verdicts()
        steady = {name for name, verdict in theirs.items() if afterwards[name] == verdict}
        assert len(theirs) - len(steady) <= 3
        ours, theirs = (
            {name: verdict for name, verdict in told.items() if name in steady} for told in (ours, theirs)
        )
        # what listens for less than a second is in one of three scans: which ports those are is left out
        for name in JUDGE_ALL_LISTENERS:
            for told in (ours, theirs):
                told.update({name: [status for status, _message in told[name]]} if name in told else {})
    if spec.get("hostPID"):
        # an exec sees the processes of the whole node, debug those of its target
        for name in JUDGE_ALL_PROCESSES:
            ours.pop(name, None), theirs.pop(name, None)
    assert ours == theirs
    (entry,) = there.entries("a")
    (status,) = there.pod("a")["status"]["ephemeralContainerStatuses"]
    (target,) = there.pod("a")["status"]["containerStatuses"]
    assert status["user"] == target["user"], "the same user, group and supplementary groups"
    assert entry["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert target["restartCount"] == 0


def test_a_user_that_only_the_image_names(place, scan, cluster):
    """Nothing in the spec says who it is; the node does."""
    there = place()
    there.add(
        pod(
            "a",
            {
                "name": "app",
                "image": DEBIAN,
                "imagePullPolicy": "IfNotPresent",
                "command": list(SLEEPS),
                "securityContext": {"capabilities": {"drop": ["ALL"]}},
            },
        )
    )
    done = scan(there.name)
    user = there.pod("a")["status"]["containerStatuses"][0]["user"]["linux"]
    context = there.entries("a")[0]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (user["uid"], user["gid"])
    assert done.verdicts()


REFUSED = {
    "root with the default capabilities": (
        container(**{**ROOT, "security": DEFAULT_CAPABILITIES}),
        "default capabilities",
    ),
    "root with added capabilities": (
        container(
            **{
                **ROOT,
                "security": {
                    "runAsNonRoot": False,
                    "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "SYS_PTRACE"]},
                },
            }
        ),
        "NET_ADMIN",
    ),
    "privileged": (
        container(
            user=(0, 0),
            security={
                "runAsNonRoot": False,
                "privileged": True,
                "capabilities": {},
                "allowPrivilegeEscalation": True,
            },
        ),
        "privileged",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_capabilities_hide_a_target_and_the_record_says_what_would_work(case, place, scan):
    target, said = REFUSED[case]
    there = place()
    there.add(pod("a", target))
    error = scan(there.name).error()
    assert error["reason"] == "target_privileged"
    assert said in error["message"] and "by exec" in error["advice"]
    assert there.entries("a") == [], "nothing is added in vain"
    assert scan(there.name, check_mode=True).result["changed"] is False


@pytest.mark.parametrize("case", [case for case in REFUSED if case != "privileged"])
def test_with_the_targets_own_capabilities_it_can_be_seen(case, place, scan):
    target, _said = REFUSED[case]
    there = place()
    there.add(pod("a", target))
    # first by exec: later the debug container stands in the pod, too, and is judged as every container of it
    by_exec, by_debug = scan(there.name, approach="exec"), scan(there.name, debug_match_capabilities=True)
    assert by_debug.verdicts() == by_exec.verdicts()
    context = there.entries("a")[0]["securityContext"]
    wanted = target["securityContext"]["capabilities"]
    assert context.get("capabilities", {}) == wanted and not context.get("privileged")


def test_one_that_is_privileged_is_not_matched(place, scan):
    there = place()
    there.add(pod("a", REFUSED["privileged"][0]))
    assert scan(there.name, debug_match_capabilities=True).error()["reason"] == "target_privileged"
    assert there.entries("a") == []


def test_containers_that_share_their_processes_are_told_apart(place, scan):
    there = place(ENFORCED)
    there.add(
        pod(
            "a",
            container("busybox"),
            container("debian", image=DEBIAN),
            container("static", image=DISTROLESS, args=["8080"]),
            shareProcessNamespace=True,
        )
    )
    by_debug = scan(there.name)
    by_exec = scan(there.name, approach="exec", containers=["busybox", "debian"])
    assert by_debug.result["counts"]["scanned"] == 3
    for name in ("busybox", "debian"):
        assert by_debug.hdf(name)["platform"] == by_exec.hdf(name)["platform"]
    platforms = [
        by_debug.hdf(name)["platform"]["release"] + by_debug.hdf(name)["platform"]["name"]
        for name in ("busybox", "debian", "static")
    ]
    assert len(set(platforms)) >= 2
    assert by_debug.verdicts("debian") == by_exec.verdicts("debian")


def test_a_sidecar_among_the_init_containers(place, scan):
    there = place(ENFORCED)
    there.add(pod("a", container(), initContainers=[container("side", restartPolicy="Always")]))
    done = scan(there.name, container_kinds=["init"])
    assert done.said("side")["footprint"]["is_new"]


def test_a_user_namespace_of_the_pod(place, scan):
    there = place(ENFORCED)
    there.add(pod("a", container(), hostUsers=False), wait=False)
    waited = there.cluster.kubectl_run(
        "wait", "--for=condition=Ready", "pod/a", "-n", there.name, "--timeout=90s"
    )
    if waited.returncode != 0:
        # a runtime without it: the record says that nothing runs, and nothing is added
        assert scan(there.name).error()["reason"] == "container_not_running"
        assert there.entries("a") == []
        pytest.skip(
            "the node makes no user namespaces: they need runc 1.2 or later, and a /proc without mounts "
            "inside it"
        )
    by_exec, by_debug = scan(there.name, approach="exec"), scan(there.name)
    assert by_debug.verdicts() == by_exec.verdicts()
