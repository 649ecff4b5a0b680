# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cluster itself, for real: it comes up, is left alone when well, replaced when not, and leaves nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.securescan.kubernetes.tests.cluster import (
    cgroups,
    daemons,
    health,
    leftovers,
    lifecycle,
    network,
    pause,
    processes,
)
from ansible_collections.securescan.kubernetes.tests.cluster.failure import ClusterError
from ansible_collections.securescan.kubernetes.tests.cluster.handle import Cluster, up
from ansible_collections.securescan.kubernetes.tests.cluster.places import cluster_folder
from ansible_collections.securescan.kubernetes.tests.cluster.state import existing

TESTS = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a cluster")

# what the daemons would make on the machine itself, did they see it
PLACES_OF_DAEMONS = [
    Path(place)
    for place in (
        "/var/lib/kubelet",
        "/var/lib/containerd",
        "/etc/cni",
        "/opt/containerd",
        "/usr/libexec/kubernetes",
    )
]
THERE_BEFORE = [place for place in PLACES_OF_DAEMONS if place.exists()]
PROGRAM = [sys.executable, str(TESTS / "cluster" / "cluster.py")]


def cluster_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], check=False, capture_output=True, text=True)


def kubectl(cluster: Cluster, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, input=given)


def run_pod(cluster: Cluster, name: str) -> None:
    """A pod of the one image that every cluster has, Running when this returns."""
    run = kubectl(cluster, "run", name, f"--image={pause.PAUSE_IMAGE}", "--image-pull-policy=Never")
    assert run.returncode == 0, run.stderr
    wait = kubectl(cluster, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=120s")
    assert wait.returncode == 0, kubectl(cluster, "describe", "pod", name).stdout


@pytest.fixture(scope="module", autouse=True)
def _nothing_of_an_earlier_run() -> None:
    for name in ("lifecycle-a", "lifecycle-b", "lifecycle-c", "lifecycle-stale", "lifecycle-cut"):
        assert cluster_program("down", name).returncode == 0


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def wait_until_well(cluster: Cluster) -> None:
    """A busy machine lets a daemon that is well answer late."""
    problem = health.lasting_problem(cluster.state)
    assert problem is None, problem


def supervisor_pid(cluster: Cluster) -> int:
    assert cluster.state.supervisor is not None
    return cluster.state.supervisor.pid


@pytest.fixture(scope="module")
def first() -> Iterator[Cluster]:
    """A cluster that two programs asked for at the same time."""
    asked = [
        subprocess.Popen(
            [*PROGRAM, "up", "lifecycle-a"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _number in range(2)
    ]
    answers = [one.communicate() for one in asked]
    try:
        assert [one.returncode for one in asked] == [0, 0], answers
        kubeconfig = str(cluster_folder("lifecycle-a") / "kubeconfig")
        assert [said.splitlines()[-1] for said, _unused in answers] == [kubeconfig, kubeconfig]
        assert sum("Starting the cluster" in told for _unused, told in answers) == 1, answers
        ready = [
            float(seconds)
            for _unused, told in answers
            for seconds in re.findall(r"ready after ([\d.]+) s", told)
        ]
        assert len(ready) == 1 and ready[0] <= 90.0
        yield Cluster(existing("lifecycle-a"))
    finally:
        cluster_program("down", "lifecycle-a")


@pytest.fixture(scope="module")
def second(first: Cluster) -> Iterator[Cluster]:
    """Another cluster beside the first."""
    try:
        yield up("lifecycle-b")
    finally:
        cluster_program("down", "lifecycle-b")


def test_it_is_the_pinned_kubernetes_with_a_ready_node(first: Cluster) -> None:
    version = json.loads(kubectl(first, "version", "-o", "json").stdout)
    assert version["serverVersion"]["gitVersion"] == "v1.37.2"
    assert version["serverVersion"]["minor"] == "37"
    node = json.loads(kubectl(first, "get", "node", first.node, "-o", "json").stdout)
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.2"
    run_pod(first, "at-once")  # ready means that pods run without more waiting


def test_a_healthy_cluster_is_left_alone_at_once(first: Cluster) -> None:
    before = supervisor_pid(first)
    again = cluster_program("up", first.name)
    assert "Starting" not in again.stderr
    assert again.stdout.splitlines()[-1] == str(first.kubeconfig)
    assert supervisor_pid(Cluster(existing(first.name))) == before


def test_the_kubeconfig_is_for_its_owner_only(first: Cluster) -> None:
    assert first.kubeconfig.is_absolute()
    assert first.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_everything_listens_on_loopback_only(first: Cluster) -> None:
    own = cgroups.processes(first.state.control_groups)
    sockets = subprocess.run(
        ["ss", "-Hlntup"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    addresses = [
        line.split()[4] for line in sockets if own & {int(pid) for pid in re.findall(r"pid=(\d+)", line)}
    ]
    assert {f"127.0.0.1:{port}" for port in first.state.ports.values()} == set(addresses)


def test_without_a_credential_only_health_can_be_asked(first: Cluster) -> None:
    context = ssl.create_default_context(cafile=str(first.folder / "pki" / "ca.crt"))

    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(first.server + path, context=context) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            return refusal.code

    assert [status(path) for path in ("/readyz", "/livez", "/version", "/api")] == [200, 200, 401, 401]


def test_pod_security_judges_pods(first: Cluster) -> None:
    restricted = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "strict", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    assert kubectl(first, "apply", "-f", "-", given=json.dumps(restricted)).returncode == 0
    # who makes it is quick, and not always quick enough; without it admission asks for it first
    account = ("serviceaccount/default", "--namespace=strict", "--timeout=60s")
    assert kubectl(first, "wait", "--for=create", *account).returncode == 0
    pod = kubectl(first, "run", "loose", f"--image={pause.PAUSE_IMAGE}", "--namespace=strict")
    assert "violates PodSecurity" in pod.stderr


def test_the_audit_log_counts_each_exec(first: Cluster) -> None:
    run_pod(first, "entered")
    assert not [call for call in first.exec_calls() if call["objectRef"]["name"] == "entered"]
    for _number in range(3):  # there is nothing to run in this image, but the API server lets us in
        kubectl(first, "exec", "entered", "--", "/nothing", "there")
    calls = [call for call in first.exec_calls() if call["objectRef"]["name"] == "entered"]
    assert len(calls) == 3
    for call in calls:
        assert call["user"]["username"] == "securescan-test-admin"
        assert call["verb"] == "get"
        assert call["responseStatus"]["code"] == 101
        assert "command=%2Fnothing&command=there" in call["requestURI"]


def test_image_tars_are_loaded_and_named(first: Cluster, tmp_path: Path) -> None:
    loaded = cluster_program("image", first.name, str(pause.pause_archive()))
    assert (loaded.returncode, loaded.stdout) == (0, f"{pause.PAUSE_IMAGE}\n")
    rubbish = tmp_path / "rubbish.tar"
    rubbish.write_text("no tar")
    refused = cluster_program("image", first.name, str(rubbish))
    assert refused.returncode == 1 and str(rubbish) in refused.stderr


def test_two_clusters_live_side_by_side(first: Cluster, second: Cluster) -> None:
    assert first.server != second.server
    run_pod(first, "mine")
    run_pod(second, "yours")
    assert kubectl(second, "get", "pod", "mine").returncode == 1
    assert kubectl(first, "get", "pod", "yours").returncode == 1
    table = cluster_program("status").stdout
    for cluster in (first, second):
        assert re.search(rf"^{cluster.name} +ready +v1\.37\.2 +{cluster.server} ", table, re.MULTILINE), table
        rows = [
            row
            for row in json.loads(cluster_program("status", "--json").stdout)
            if row["name"] == cluster.name
        ]
        assert rows[0]["kubeconfig"] == str(cluster.kubeconfig)
        assert rows[0]["memory"] > 100
        assert sorted(rows[0]["processes"]) == sorted(daemons.DAEMONS)


def test_a_daemon_can_be_stopped_started_and_restarted(second: Cluster) -> None:
    second.stop("kubelet")
    assert "kubelet" not in second.processes()
    # -9 where it took longer to end than it is given
    assert health.problem(second.state) in ("kubelet has ended (status 0)", "kubelet has ended (status -9)")
    second.start("kubelet")
    apiserver = second.processes()["kube-apiserver"]
    assert cluster_program("component", second.name, "kube-apiserver", "restart").returncode == 0
    assert second.processes()["kube-apiserver"] != apiserver
    second.wait_until_ready()
    wait_until_well(second)


@pytest.mark.parametrize(
    ("victim", "reason"),
    [
        ("kubelet", "kubelet has ended (status -9)"),
        ("etcd", "etcd has ended (status -9)"),
        ("supervisor", "its supervising process is gone"),
    ],
)
def test_a_half_dead_cluster_is_found_and_replaced(second: Cluster, victim: str, reason: str) -> None:
    broken = Cluster(existing(second.name))
    if victim == "supervisor":
        supervisor = broken.state.supervisor
        assert supervisor is not None
        os.kill(supervisor_pid(broken), signal.SIGKILL)
        wait_for(
            lambda: not cgroups.processes(broken.state.control_groups) and not supervisor.is_alive(),
            "everything was to end with the supervisor",
        )
    else:
        os.kill(broken.processes()[victim], signal.SIGKILL)
        wait_for(lambda: victim not in broken.processes(), f"{victim} was to end")
    replaced = cluster_program("up", broken.name)
    assert replaced.returncode == 0, replaced.stderr
    assert f"is not as it should be: {reason}" in replaced.stderr
    fresh = Cluster(existing(broken.name))
    assert supervisor_pid(fresh) != supervisor_pid(broken)
    wait_until_well(fresh)


def test_a_frozen_daemon_is_found(second: Cluster) -> None:
    cluster = Cluster(existing(second.name))
    scheduler = cluster.processes()["kube-scheduler"]
    os.kill(scheduler, signal.SIGSTOP)
    try:
        # of the others each may answer late for once
        wait_for(
            lambda: health.problem(cluster.state) == "kube-scheduler does not answer", "it was not found"
        )
    finally:
        os.kill(scheduler, signal.SIGCONT)
    wait_until_well(cluster)


def test_a_failing_start_names_the_part_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    right = daemons.command_lines
    taken: set[tuple[Path, int]] = set()

    def wrong(state: object) -> dict:
        taken.update(control_groups_of(state.control_groups))
        lines = right(state)
        lines["kube-scheduler"].append("--no-such-flag")
        return lines

    monkeypatch.setattr(daemons, "command_lines", wrong)
    with pytest.raises(ClusterError) as failure:
        up("lifecycle-c")
    text = str(failure.value)
    assert text.startswith("kube-scheduler ended with status 1.\nThe end of ")
    assert "unknown flag: --no-such-flag" in text
    assert not cluster_folder("lifecycle-c").exists()
    assert taken and not taken & {found for path, _number in taken for found in control_groups_of(path.name)}


def interfaces_of(slot: int) -> set[tuple[str, int]]:
    """The interfaces of a slot; a later one of the same name has another number."""
    numbers = {name: number for number, name in socket.if_nameindex()}
    return {(name, numbers[name]) for name in network.interfaces(slot) if name in numbers}


def control_groups_of(name: str) -> set[tuple[Path, int]]:
    """The trees of that name; a later one has another number."""
    return {(path, path.stat().st_ino) for path in Path("/sys/fs/cgroup").glob(f"*/{name}")} | {
        (path, path.stat().st_ino) for path in Path("/sys/fs/cgroup").glob(name)
    }


def test_down_leaves_nothing_behind(first: Cluster) -> None:
    run_pod(first, "still-there")
    state = first.state
    links = interfaces_of(state.slot)
    groups = control_groups_of(state.control_groups)
    before = processes.everyone()
    own = cgroups.processes(state.control_groups)
    began = {pid: processes.start_time(pid) for pid in own}
    spaces = processes.namespaces(own) - processes.namespaces({os.getpid()})
    assert len(links) >= 2  # the bridge, and one end of each pod's cable
    assert groups
    assert len(own & before) >= 10
    assert {space.partition(":")[0] for space in spaces} == {"mnt", "net", "pid"}
    folder = state.folder
    seen = processes.ticks_now()

    assert cluster_program("down", first.name).returncode == 0

    # its numbers and its slot may be another cluster's by now
    assert not [
        pid for pid, ticks in began.items() if ticks is not None and processes.start_time(pid) == ticks
    ]
    old = {pid for pid in processes.everyone() if (processes.start_time(pid) or seen + 1) <= seen}
    assert not spaces & processes.namespaces(old)
    assert not groups & control_groups_of(state.control_groups)
    assert not links & interfaces_of(state.slot)
    assert not folder.exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert [place for place in PLACES_OF_DAEMONS if place.exists()] == THERE_BEFORE
    again = cluster_program("down", first.name)
    assert again.returncode == 0 and "There is no cluster" in again.stderr


def test_a_stale_cluster_does_not_touch_the_one_that_took_its_slot(second: Cluster) -> None:
    """After a restart of the machine the folders are there still, but bridges and all else are given out anew."""
    stale = dataclasses.replace(second.state, name="lifecycle-stale", supervisor=None)
    stale.folder.mkdir()
    stale.save()
    assert cluster_program("down", "lifecycle-stale").returncode == 0
    assert not stale.folder.exists()
    wait_until_well(Cluster(existing(second.name)))


def test_a_stopped_daemon_does_not_keep_another_from_starting(second: Cluster) -> None:
    cluster = Cluster(existing(second.name))
    cluster.stop("kube-scheduler")
    cluster.restart("kubelet")
    cluster.start("kube-scheduler")
    cluster.wait_until_ready()


def test_what_is_left_behind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "PATIENCE_SECONDS", 0.1)
    child = subprocess.Popen(["sleep", "60"])
    try:
        ticks = processes.start_time(child.pid)
        started = frozenset({(child.pid, ticks)})
        had = leftovers.Traces("x", tmp_path, "securescan-none", started, frozenset(), 0)
        with pytest.raises(ClusterError, match=rf"left behind: process {child.pid}; folder {tmp_path}\."):
            leftovers.check(had)
    finally:
        child.kill()
        child.wait()


def test_names_that_cannot_be_are_refused() -> None:
    for name in ("../etc", "Upper", "-dash", "", "x" * 33):
        refused = cluster_program("up", "--", name)
        assert refused.returncode == 1 and "cannot name a cluster" in refused.stderr


def test_down_gives_up_the_slot_of_a_start_that_was_cut_short() -> None:
    """The slot is claimed before it is noted: a start that was killed between the two must not cost a slot for ever."""
    folder = cluster_folder("lifecycle-cut")
    folder.mkdir(parents=True)
    slot = network.claim(folder)
    assert network.is_owner(slot, folder)
    links = interfaces_of(slot)
    assert lifecycle.down("lifecycle-cut")
    assert links and not links & interfaces_of(slot)  # by now it may be another's
    assert not folder.exists()
