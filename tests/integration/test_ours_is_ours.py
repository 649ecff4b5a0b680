# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on what a scan takes for its own, and for its target: containers that were prepared to be entered or left out,
containers that are replaced before or while they are scanned, pods that are passed off as replicas, and debug containers
that are kept from their end."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import (
    ApproachOptions,
    open_approach,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugContainer,
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import (
    ExecLimits,
    Means,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    DISTROLESS,
    ENFORCED,
    LISTENS,
    SLEEPS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import make, with_sidecars

# Who it is that answers: Debian's image has this file, busybox' has not.
WHICH = make_request([Query("file", "/etc/debian_version")])
# A shell that looks at a clean folder instead of the target's root, in a volume that is mounted over /bin.
LIE = (
    "cp /bin/busybox /e/busybox; for p in sleep sed cat; do ln -s busybox /e/$p; done; "
    "printf '#!/bin/busybox sh\\nexec /bin/busybox sh \"$@\"\\n' >/e/sh; chmod 755 /e/*"
)
TOOLS = {"name": "e", "emptyDir": {}}
OVER_BIN = {"volumeMounts": [{"name": "e", "mountPath": "/bin"}]}
ROUNDS = 6


def fills_volume():
    return dict(
        container("first", BUSYBOX, ("sh", "-c", LIE)), volumeMounts=[{"name": "e", "mountPath": "/e"}]
    )


def first_sidecar(made, **changes):
    """The pod, its sidecar changed."""
    made["spec"]["initContainers"][0].update(changes)
    return made


@pytest.fixture(scope="module")
def pretenders(cluster):
    """A namespace with pods that bring what looks like a sidecar of scans."""
    name = f"ours-{uuid.uuid4().hex[:8]}"
    make(
        cluster,
        "default",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": ENFORCED}},
    )
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sample"}}
    # with a token: what admission adds to each container is no difference
    quiet = {"serviceAccountName": "sample", "automountServiceAccountToken": True}
    image = first_sidecar(with_sidecars(pod("image", container("image", **LISTENS), **quiet)), image=DEBIAN)
    volume = first_sidecar(
        with_sidecars(pod("volume", container("volume", **LISTENS), **quiet, volumes=[TOOLS])), **OVER_BIN
    )
    volume["spec"]["initContainers"].insert(0, fills_volume())
    honest = with_sidecars(pod("honest", container("honest", **LISTENS), **quiet))
    make(cluster, name, account, image, volume, honest)
    cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "-n", name, "--timeout=180s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_a_foreign_sidecar_is_not_entered(pretenders, scan):
    done = scan(pretenders, approach="sidecar")
    assert done.error("image")["reason"] == done.error("volume")["reason"] == "foreign_scanner"
    assert "the image of securescan-sidecar-" in done.error("image")["message"]
    assert "the volumeMounts of securescan-sidecar-" in done.error("volume")["message"]
    attack_ends_as("05-foreign-image", outcome=done.error("image")["reason"])
    attack_ends_as("05-foreign-volume", outcome=done.error("volume")["reason"])
    said = done.said("honest")["scanner_container"]
    assert said["image"] == BUSYBOX and said["image_id"] and said["container_id"].startswith("containerd://")
    # what only looks like one is a target, and the one that is proven is counted
    assert {name for name in done.targets if name.startswith("securescan-")} == {
        "securescan-sidecar-10001-10001"
    }
    summary = json.loads((done.run_dir / "summary.json").read_text(encoding="utf-8"))
    assert summary["left_out"] == done.result["left_out"] == {"own_sidecar": 1}
    assert sum(target["container"].startswith("securescan-") for target in summary["targets"]) == 2
    attack_ends_as("06-called-a-sidecar", outcome="is a target")


def test_auto_passes_over_a_foreign_sidecar_and_comes_to_debug(pretenders, scan):
    done = scan(pretenders, approach="auto", containers=["image", "volume"])
    for name in ("image", "volume"):
        said = done.said(name)
        assert said["approach"] == "debug" and said["scanner_container"]["image"] == BUSYBOX
        assert {"approach": "sidecar", "reason": "foreign_scanner"} in said["passed_over"]
    grade = (said.get("evidence") or {}).get("grade", "")
    attack_ends_as("05-auto", outcome="scanned by debug", grade=grade)


@pytest.mark.parametrize("keep_alive", [0, 600])
def test_a_debug_container_that_somebody_has_prepared_is_not_used(place, scan, cluster, keep_alive):
    there = place(ENFORCED)
    target = pod("a", container(**LISTENS), volumes=[TOOLS])
    target["spec"]["initContainers"] = [fills_volume()]
    there.add(target)
    # what a scan itself would add, with a volume over /bin; anybody with kubectl debug can
    options = DebugOptions(BUSYBOX, keep_alive=86000)
    (selected,) = select_targets(
        RestClient(connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig)), {})),
        "test",
        Selection((there.name,)),
    )
    seen = there.pod("a")
    prepared = {
        **DebugContainer(seen, selected.target, options, run_id="mine", lifetime=86000).entry(seen, ""),
        **OVER_BIN,
    }
    cluster.kubectl(
        "patch", "pod", "a", "-n", there.name, "--subresource=ephemeralcontainers", "--type=strategic",
        "-p", json.dumps({"spec": {"ephemeralContainers": [prepared]}}),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while there.states("a").get(prepared["name"]) != "running" and time.monotonic() < deadline:
        time.sleep(0.2)
    done = scan(there.name, debug_keep_alive=keep_alive)
    said = done.said()
    assert said["footprint"]["ephemeral_container"] != prepared["name"] and said["footprint"]["is_new"]
    assert said["scanner_container"]["name"] == said["footprint"]["ephemeral_container"]
    grade = (said.get("evidence") or {}).get("grade", "")
    attack_ends_as(
        "07-prepared-and-kept" if keep_alive else "07-prepared",
        outcome="a container of the run's own is used",
        grade=grade,
    )


@pytest.fixture
def racing(place, cluster, debug_operator_kubeconfig):
    """A pod whose image changes, and approaches to it."""
    there = place()
    target = with_sidecars(pod("web", container("app", BUSYBOX), restartPolicy="Always"))
    there.add(target)
    connection = connect(ConnectionOptions(kubeconfig=str(debug_operator_kubeconfig)), {})
    grantor = RestClient(connection)
    access = run_task(debug_operator_kubeconfig, namespaces=[there.name], approach="debug")["access"]
    scanner = ScannerAccess(grantor, connection, access)

    class Racing:
        def selected(self):
            choice = Selection((there.name,), containers=("app",))
            (one,) = select_targets(grantor, "test", choice)
            return one

        def image(self, image):
            cluster.kubectl("set", "image", "pod/web", f"app={image}", "-n", there.name)

        def settled(self, image):
            """Waits until the node reports that the pod runs that image."""
            deadline = time.monotonic() + 180
            while time.monotonic() < deadline:
                one = self.selected().target
                seen = there.pod("web")
                if (
                    one.image == image
                    and one.state == "running"
                    and seen["status"].get("observedGeneration") == seen["metadata"].get("generation")
                    and seen["status"]["containerStatuses"][0]["image"] == image
                ):
                    return
                time.sleep(0.1)
            raise AssertionError(there.pod("web")["status"])

        def ends_with(self, name, selected):
            """(reason,) of the error, or the image that has answered."""
            means = Means(
                scanner, threading.BoundedSemaphore(2), ExecLimits(60.0, 1 << 20), threading.Event()
            )
            opened = open_approach(means, ApproachOptions(name, DebugOptions(BUSYBOX), ImageOptions()))
            try:
                facts = opened.collect(selected, WHICH).facts
                exists = facts.get_fact(WHICH.queries[0]).value
            except ScanError as error:
                return error.reason
            finally:
                opened.close()
            return DEBIAN if exists and exists.get("type") else BUSYBOX

    yield Racing()
    run_task(debug_operator_kubeconfig, state="absent", run_id=access["run_id"], namespaces=[there.name])


@pytest.mark.parametrize(
    ("row", "approach"),
    [("09-before-exec", "exec"), ("09-before-sidecar", "sidecar"), ("09-before-debug", "debug")],
)
def test_a_container_that_was_restarted_with_another_image_after_the_selection_is_not_scanned(
    racing, row, approach
):
    assert racing.ends_with(approach, racing.selected()) == BUSYBOX
    for image in (DEBIAN, BUSYBOX):
        selected = racing.selected()
        racing.image(image)
        racing.settled(image)
        outcome = racing.ends_with(approach, selected)
        attack_ends_as(row, outcome=outcome)
        assert racing.ends_with(approach, racing.selected()) == image


def test_no_moment_of_a_change_gives_facts_of_one_image_under_the_name_of_the_other(racing):
    """A node reports a new container up to seconds after it has begun to answer."""
    chance, ends = random.Random(9), []
    recorded = BUSYBOX
    for number in range(ROUNDS):
        image = DEBIAN if recorded == BUSYBOX else BUSYBOX
        selected = racing.selected()
        assert selected.target.image == recorded
        racing.image(image)
        if number % 3 == 2:  # and back, so that nothing of the spec tells
            time.sleep(chance.uniform(0.1, 0.8))
            racing.image(recorded)
        else:
            time.sleep(chance.uniform(0, 1.5))
        ends += [(racing.ends_with("exec", selected), recorded) for _attempt in range(3)]
        if number % 3 == 2:
            racing.settled(recorded)
            continue
        racing.settled(image)
        # the node may take longer for the change than all that: this one comes after it
        ends.append((racing.ends_with("exec", selected), recorded))
        recorded = image
    wrong = [
        (answered, name) for answered, name in ends if answered in (DEBIAN, BUSYBOX) and answered != name
    ]
    assert wrong == [], ends
    assert "container_replaced" in {answered for answered, _name in ends}
    attack_ends_as("09-race", outcome="container_replaced, or the image that is named")


def test_a_container_that_is_replaced_while_its_slow_shell_is_scanned_gives_no_result(place, scan, cluster):
    there = place()
    there.add(pod("web", container("app", BUSYBOX)))
    done = []
    # its shell says that it was entered, and waits before it does what it is told
    slow = (
        "rm /bin/sh; printf '#!/bin/busybox sh\\n: >/entered\\nsleep 45\\nexec /bin/busybox sh \"$@\"\\n' >/bin/sh; "
        "chmod 755 /bin/sh; : >/changed"
    )
    there.add(
        pod("slow", container("slow", BUSYBOX, ("busybox", "sh", "-c", slow + "; " + SLEEPS[2]), user=None,
                              security={"runAsNonRoot": False, "runAsUser": 0, "readOnlyRootFilesystem": False}))
    )  # fmt: skip

    def wait_for(file):
        deadline = time.monotonic() + 60
        there_is = ("exec", "slow", "-n", there.name, "--", "busybox", "test", "-e", file)
        while cluster.kubectl_run(*there_is).returncode:
            assert time.monotonic() < deadline, f"there is no {file}"
            time.sleep(0.1)

    wait_for("/changed")
    running = threading.Thread(
        target=lambda: done.append(scan(there.name, approach="exec", containers=["slow"]))
    )
    running.start()
    wait_for("/entered")
    cluster.kubectl("set", "image", "pod/slow", f"slow={DEBIAN}", "-n", there.name)
    running.join(120)
    error = done[0].error("slow")
    assert error["reason"] in ("container_replaced", "collector_failed", "connection_lost"), error
    attack_ends_as("09-during-exec", outcome="not scanned")


def evil_pod():
    """One that a ReplicaSet will take for its own, and that is nothing like its others."""
    evil = pod("evil", container("app", BUSYBOX, user=None))
    evil["metadata"]["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": "2147483647"}
    evil["spec"]["hostPID"] = True
    evil["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    return evil


def pods_of(there):
    found = there.cluster.get("pods", "-n", there.name)["items"]
    return [one for one in found if not one["metadata"].get("deletionTimestamp")]


def test_a_privileged_pod_that_a_replica_set_adopted_is_a_target_of_its_own(place, scan, cluster):
    there = place()
    labels = {"app": "web"}
    # it runs before it has their labels, and the controller is told to let it live
    make(cluster, there.name, evil_pod())
    template = {"metadata": {"labels": labels}, "spec": pod("web", container("app", BUSYBOX))["spec"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
    }
    make(cluster, there.name, deployment)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/evil", "-n", there.name, "--timeout=60s")
    cluster.kubectl("rollout", "status", "deployment/web", "-n", there.name, "--timeout=90s")
    found = cluster.get("pods", "-n", there.name, "-l", "app=web")["items"]
    ours = [f"{key}={value}" for key, value in found[0]["metadata"]["labels"].items()]
    cluster.kubectl("label", "pod", "evil", "-n", there.name, *ours)
    deadline = time.monotonic() + 60
    while len(pods_of(there)) != 3 or not there.pod("evil")["metadata"].get("ownerReferences"):
        assert time.monotonic() < deadline, "the ReplicaSet did not adopt it"
        time.sleep(0.2)
    done = scan(there.name, approach="exec", replicas="one")
    summary = json.loads((done.run_dir / "summary.json").read_text(encoding="utf-8"))
    assert "evil" in {target["pod"] for target in summary["targets"]} and len(summary["targets"]) == 2
    assert {target["workload"] for target in summary["targets"]} == {"web"}
    assert summary["left_out"]["replica_alike"] >= 1
    attack_ends_as("10-adopted", outcome="is a target of its own")


# Stops what waits or works beside it for a scan: it has the same user, and sees it.
STOPS = (
    "while :; do for p in /proc/[0-9]*; do "
    "if grep -q 'securesca[n]' $p/cmdline 2>/dev/null; then kill -STOP ${p#/proc/}; fi; "
    "done 2>/dev/null; %s; done"
)


@pytest.mark.parametrize(("row", "pause"), [("16-stopped-at-times", "sleep 3"), ("16-stopped-always", ":")])
def test_a_debug_container_that_the_target_stops_ends_or_is_named(place, scan, row, pause):
    there = place(ENFORCED)
    there.add(pod("a", container("app", BUSYBOX, ("sh", "-c", STOPS % pause))))
    done = scan(there.name)
    name = done.said()["footprint"]["ephemeral_container"]
    named = [entry["name"] for entry in done.result["footprint"]["not_ended"]]
    running = there.states("a")[name] == "running"
    # one that is slow to end may have ended since it was looked at
    assert name in named or not running, "what runs is named"
    assert bool(named) == any("did not end" in warning for warning in done.warnings)
    if row == "16-stopped-always":
        assert named == [name] and running
        attack_ends_as(row, outcome="named in footprint.not_ended")
    else:
        # it may be the shell that tells it to end which is stopped
        assert named in ([], [name])
        attack_ends_as(row, outcome="it ended, or is named in footprint.not_ended")


def test_by_image_the_image_of_the_selection_is_named_and_that_it_was_that_of_the_selection(
    scan, place, helper_operator_kubeconfig
):
    there = place()
    there.add(pod("web", container("app", DISTROLESS, args=["8080"])))
    done = scan(
        there.name,
        approach="image",
        helper_namespace=HELPERS,
        kubeconfig=str(helper_operator_kubeconfig),
    )
    said = done.said()
    assert said["target_seen"] == "at_selection" and said["scanner_container"]["image"] == BUSYBOX
    grade = (said.get("evidence") or {}).get("grade", "")
    attack_ends_as("09-image", outcome="the image of the selection, and the document says so", grade=grade)
