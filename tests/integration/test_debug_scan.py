# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The approach debug on a real cluster: containers without a shell, in a namespace that enforces Pod Security restricted."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.cluster import audit
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    ENFORCED,
    LISTENS,
    SLEEPS,
    container,
    pod,
)


def deployment(name, *containers):
    made = pod(name, *containers)
    labels = {"app.kubernetes.io/name": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": made["spec"] | {"terminationGracePeriodSeconds": 1},
            },
        },
    }


def ended(there, name, patience=40.0):
    """Waits until no ephemeral container of the pod runs, as the kubelet reports it; for less than one would run if nobody told
    it to end."""
    deadline = time.monotonic() + patience
    while "running" in there.states(name).values() and time.monotonic() < deadline:
        time.sleep(0.1)
    return set(there.states(name).values()) == {"terminated"}


def test_distroless_in_a_restricted_namespace_gets_verdicts_without_any_privilege(place, scan, cluster):
    there = place(ENFORCED)
    there.add(deployment("edge", container("edge", user=(65532, 65532), **LISTENS)), wait=False)
    cluster.kubectl("rollout", "status", "deployment/edge", "-n", there.name, "--timeout=60s")
    cluster.forget_audit()
    done = scan(there.name)
    assert done.result["changed"] is True
    assert done.result["counts"] == {
        "selected": 2,
        "scanned": 2,
        "not_scanned": 0,
        "not_judged": 0,
        "carried": 0,
    }
    assert done.result["footprint"]["added"] == 2
    target = done.targets["edge"]
    assert target["approach"] == "debug"
    assert target["counts"]["passed"] > 15 and target["counts"]["profile_error"] == 0
    said = done.said("edge")
    assert said["approach"] == "debug"
    (entry,) = there.entries(target["pod"])
    assert said["footprint"] == {"ephemeral_container": entry["name"], "is_new": True}
    assert {"namespace": there.name, "pod": target["pod"], "name": entry["name"]} in (
        done.result["footprint"]["ephemeral_containers"]
    )
    asked = [
        event["requestObject"]["spec"]["ephemeralContainers"]
        for event in audit.ephemeral_containers(cluster.audit_events() or [])
        if event["objectRef"]["namespace"] == there.name
    ]
    if cluster.made_here:
        assert len(asked) == 2
    for (added,) in asked:
        assert "privileged" not in json.dumps(added)
        assert added["securityContext"] == {
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert added["targetContainerName"] == "edge"
        assert set(added) == {
            "name",
            "image",
            "imagePullPolicy",
            "targetContainerName",
            "command",
            "securityContext",
        }
        assert added["command"][-1] == done.result["run_id"]


@pytest.mark.parametrize("image", [BUSYBOX, DEBIAN])
def test_it_is_told_to_end_when_its_target_is_done(image, place, scan):
    there = place(ENFORCED)
    there.add(pod("edge", container(**LISTENS)))
    scan(there.name, scanner_image=image)
    assert ended(there, "edge")
    (status,) = there.pod("edge")["status"]["ephemeralContainerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 0
    assert there.pod("edge")["status"]["containerStatuses"][0]["restartCount"] == 0


def test_one_that_is_kept_is_used_again_by_scans_that_keep_theirs(place, scan):
    there = place(ENFORCED)
    there.add(pod("edge", container(**LISTENS)))
    first = scan(there.name, debug_keep_alive=300)
    second = scan(there.name, debug_keep_alive=300)
    assert second.result["changed"] is False and second.result["requests"]["exec"] == 1
    assert second.said()["footprint"] == {
        "ephemeral_container": first.said()["footprint"]["ephemeral_container"],
        "is_new": False,
    }
    assert first.verdicts() == second.verdicts()
    assert list(there.states("edge").values()) == ["running"], "who has not added it does not end it"
    # another image or another user is another container; so is one that would end in the middle of the scan
    third = scan(there.name, scanner_image=DEBIAN, debug_keep_alive=300)
    assert third.said()["footprint"]["is_new"] is True
    fourth = scan(there.name, timeout=300.0, debug_keep_alive=300)
    assert fourth.said()["footprint"]["is_new"] is True
    # one that keeps nothing uses nothing that was there, and ends only its own
    fifth = scan(there.name)
    own = fifth.said()["footprint"]["ephemeral_container"]
    assert fifth.said()["footprint"]["is_new"] is True
    deadline = time.monotonic() + 40
    while there.states("edge")[own] == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    states = there.states("edge")
    assert states.pop(own) == "terminated" and list(states.values()) == ["running"] * 3, states
    assert len(there.entries("edge")) == 4


def test_each_container_of_a_pod_has_its_own(place, scan):
    there = place(ENFORCED)
    there.add(pod("duo", container("web", user=(10002, 10002)), container("worker", **LISTENS)))
    done = scan(there.name)
    assert done.result["counts"]["scanned"] == 2
    assert {
        entry["targetContainerName"]: entry["securityContext"]["runAsUser"] for entry in there.entries("duo")
    } == {"web": 10002, "worker": 10001}
    assert done.hdf("web")["platform"] != done.hdf("worker")["platform"], (
        "each sees the system of its own target"
    )


def test_debug_and_exec_agree_about_a_container_that_has_a_shell(place, scan):
    there = place(ENFORCED)
    there.add(pod("app", container(image=DEBIAN)))
    by_exec, by_debug = scan(there.name, approach="exec"), scan(there.name)
    assert by_exec.result["changed"] is False and not by_exec.result["footprint"]["added"]
    assert by_debug.hdf()["platform"] == by_exec.hdf()["platform"]
    assert by_debug.verdicts() == by_exec.verdicts()


def test_check_mode_says_what_would_be_added_and_adds_nothing(place, scan, cluster):
    there = place(ENFORCED)
    there.add(pod("edge", container(**LISTENS)))
    cluster.forget_audit()
    would = scan(there.name, check_mode=True, debug_keep_alive=300)
    assert would.result["changed"] is True
    assert there.entries("edge") == []
    if cluster.made_here:
        assert not audit.ephemeral_containers(cluster.audit_events())
    done = scan(there.name, debug_keep_alive=300)
    assert would.result["footprint"] == done.result["footprint"]
    after = scan(there.name, check_mode=True, debug_keep_alive=300)
    assert after.result["changed"] is False and after.result["footprint"]["added"] == 0


def test_an_access_made_beforehand_serves_when_it_is_for_debug(place, scan, debug_operator_kubeconfig):
    there = place(ENFORCED)
    there.add(pod("edge", container(**LISTENS), container("shell")))
    made = run_task(debug_operator_kubeconfig, namespaces=[there.name])["access"]
    with pytest.raises(ScanError) as caught:
        scan(there.name, access=made)
    assert caught.value.reason == "bad_option" and "approach exec" in caught.value.message
    assert there.entries("edge") == []
    made = run_task(
        debug_operator_kubeconfig, namespaces=[there.name], run_id=made["run_id"], approach="debug"
    )["access"]
    assert made["approach"] == "debug"
    assert scan(there.name, access=made).targets["app"]["outcome"] == "scanned"
    assert (
        scan(there.name, access=made, approach="exec", containers=["shell"]).targets["shell"]["outcome"]
        == "scanned"
    )
    run_task(debug_operator_kubeconfig, state="absent", run_id=made["run_id"], namespaces=[there.name])


def test_the_playbook_scans_by_debug(place, playbooks, debug_operator_kubeconfig):
    there = place(ENFORCED)
    there.add(pod("edge", container(**LISTENS)), pod("shell", container(command=SLEEPS)))
    run = playbooks.run(
        "securescan.kubernetes.scan",
        scan_kubeconfig=str(debug_operator_kubeconfig),
        scan_namespaces=there.name,
        scan_approach="debug",
        scan_scanner_image=BUSYBOX,
        scan_fail_on="error",
        scan_output_dir=str(playbooks.folder / "results"),
    )
    assert run.status == 0, run.output[-3000:]
