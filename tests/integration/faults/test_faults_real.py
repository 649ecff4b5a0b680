# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a real cluster, which these tests have for themselves: each goes through the whole scan."""

from __future__ import annotations

import json
import os
import pathlib
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.tests.cluster import handle, lifecycle
from ansible_collections.securescan.kubernetes.tests.cluster.images.image_cache import build_images
from ansible_collections.securescan.kubernetes.tests.environment.sample_cluster import SampleCluster
from ansible_collections.securescan.kubernetes.tests.integration.faults import real_cases as cases
from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import FaultTable, Row
from ansible_collections.securescan.kubernetes.tests.integration.faults.faulty_scan import (
    ScanEnd,
    check_kept_out,
    check_record,
    scan,
)
from ansible_collections.securescan.kubernetes.tests.integration.faults.real_cases import (
    HEALTHY,
    namespace_objects,
    pod,
)

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("KUBECONFIG")), reason="breaks daemons of the cluster it runs on"
)
TABLE = FaultTable("Real cluster", cases.ROWS)
LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
# What the node's pods may use more than they do, in bytes: enough for a healthy scan.
NODE_SPARE = 64 << 20
WAIT_SECONDS = 180.0


@pytest.fixture(scope="module")
def faulty() -> Iterator[SampleCluster]:
    """A cluster of its own, so that its daemons can be stopped; new, and taken down at the end."""
    lifecycle.down("faults")
    made = handle.up("faults")
    try:
        made.load_images(build_images(["busybox", "distroless-static"]))
        yield SampleCluster(made.kubeconfig, str(made.kubectl), made)
    finally:
        made.down()


class Scene:
    """A namespace of its own with pods, and a scan that something happens to."""

    def __init__(self, cluster: SampleCluster, folder: pathlib.Path, name: str) -> None:
        self.cluster = cluster
        self.namespace = "faults-" + name
        self._folder = folder / name
        self._threads = ThreadPoolExecutor(1)

    def make(self, *pods: dict[str, Any]) -> None:
        apply(self.cluster, [*namespace_objects(self.namespace), *pods])
        wait_for(
            lambda: all(is_running(self.cluster, self.namespace, item["metadata"]["name"]) for item in pods),
            f"the pods of {self.namespace} run",
        )

    def pod(self, name: str, shell: str = "") -> dict[str, Any]:
        return pod(name, self.namespace, shell=shell)

    def start(self, *others: str, **options: Any) -> Future[ScanEnd]:
        """A scan of the namespace (and others) in the background, one container after the other by their names."""
        return self._threads.submit(
            scan,
            str(self.cluster.kubeconfig),
            self._folder,
            [self.namespace, *others],
            concurrency=1,
            timeout=180.0,
            **options,
        )

    def wait_until_entered(self, name: str) -> None:
        """Until the collector's shell runs in the pod."""
        wait_for(
            lambda: (
                self.cluster.kubectl_run(
                    "exec", name, "-n", self.namespace, "--", "/bin/ls", "/tmp/entered"
                ).returncode
                == 0
            ),
            f"{name} is entered",
        )

    def let_go(self, name: str) -> None:
        """The shell that is held in the pod goes on."""
        self.cluster.kubectl("exec", name, "-n", self.namespace, "--", "/bin/touch", "/tmp/go")

    def replace(self, name: str) -> None:
        self.delete_pod(name)
        apply(self.cluster, [self.pod(name)])
        wait_for(lambda: is_running(self.cluster, self.namespace, name), f"{name} runs again")

    def delete_pod(self, name: str) -> None:
        self.cluster.kubectl("delete", "pod", name, "-n", self.namespace, "--grace-period=0", "--force")

    def left(self) -> str:
        return left(self.cluster, "-n", self.namespace)


@pytest.fixture
def scene(faulty: SampleCluster, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Scene:
    """Its namespace is called like the test, as far as a namespace's name can be so long."""
    name = request.node.name[len("test_") :].replace("_", "-")
    return Scene(faulty, tmp_path, name[:40].rstrip("-"))


def apply(cluster: SampleCluster, objects: Sequence[dict[str, Any]]) -> None:
    """Until it is done: an API server that has just begun refuses some things."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    wait_for(
        lambda: cluster.kubectl_run("apply", "-f", "-", stdin=text).returncode == 0, "objects are applied"
    )


def left(cluster: SampleCluster, *where: str) -> str:
    """The names of what belongs to an access."""
    return cluster.kubectl("get", "serviceaccounts,roles,rolebindings", *where, "-l", LABEL, "-o", "name")


def is_running(cluster: SampleCluster, namespace: str, name: str) -> bool:
    statuses = cluster.get("pod", name, "-n", namespace)["status"].get("containerStatuses", [])
    return bool(statuses) and all("running" in status["state"] for status in statuses)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"not in {WAIT_SECONDS:g} s: {what}"
        time.sleep(0.2)


def check(end: ScanEnd, failed: dict[str, Row], scanned: Collection[str]) -> None:
    """The targets with a fault have their records and no verdict; all others were scanned."""
    assert end.problems == []
    for name, row in failed.items():
        TABLE.note(row, check_kept_out(end, name, row.reasons))
    assert end.scanned() == set(scanned)


# Faults that pods have from the beginning: all in one run.


@pytest.fixture(scope="module")
def static(faulty: SampleCluster, tmp_path_factory: pytest.TempPathFactory) -> ScanEnd:
    apply(faulty, cases.static_objects())
    entered = [
        *HEALTHY,
        *(row[0] for row in cases.HOSTILE),
        "policy",
        "no-shell",
        "not-executable",
        "no-interpreter",
    ]
    wait_for(lambda: all(is_running(faulty, cases.STATIC, name) for name in entered), "the pods run")
    wait_for(lambda: has_crashed(faulty), "a pod has crashed")
    wait_for(
        lambda: (
            faulty.kubectl_run("exec", "policy", "-n", cases.STATIC, "--", "sh", "-c", ":").returncode != 0
        ),
        "the policy works",
    )
    return scan(
        str(faulty.kubeconfig),
        tmp_path_factory.mktemp("static"),
        [cases.STATIC],
        concurrency=30,
        timeout=30.0,
        output_limit=1 << 20,
    )


def has_crashed(cluster: SampleCluster) -> bool:
    (status,) = cluster.get("pod", "crashing", "-n", cases.STATIC)["status"].get("containerStatuses") or [{}]
    return bool(status) and status["restartCount"] > 0 and "running" not in status["state"]


@pytest.mark.parametrize("row", cases.STATIC_ROWS, ids=[row.name for row in cases.STATIC_ROWS])
def test_a_container_that_cannot_be_scanned_is_a_record_with_its_reason(static: ScanEnd, row: Row) -> None:
    TABLE.note(row, check_kept_out(static, row.name, row.reasons))


def test_the_healthy_containers_beside_them_are_scanned(static: ScanEnd, faulty: SampleCluster) -> None:
    assert (static.error, static.problems) == (None, [])
    assert static.scanned() == set(HEALTHY)
    assert left(faulty, "-A") == ""


def test_a_name_that_no_container_has_ends_the_run_with_its_reason(
    faulty: SampleCluster, tmp_path: pathlib.Path
) -> None:
    end = scan(str(faulty.kubeconfig), tmp_path, [cases.STATIC], containers=["no-such-container"])
    assert end.error is not None and end.error.reason in cases.WRONG_NAME.reasons
    check_record(end.error.record())
    TABLE.note(cases.WRONG_NAME, end.error.record())
    assert (end.targets, end.problems) == ({}, [])


# Faults that come while a scan is under way.


def deleted(scene: Scene) -> None:
    scene.make(scene.pod("a"), scene.pod("b", "slow"), scene.pod("c"))
    running = scene.start()
    scene.wait_until_entered("b")
    scene.delete_pod("b")
    end = running.result()
    check(end, {"b": cases.DELETED}, ["a", "c"])
    assert (end.error, scene.left()) == (None, "")


def killed(scene: Scene) -> None:
    scene.make(scene.pod("a"), scene.pod("b", "slow"), scene.pod("c"))
    running = scene.start()
    scene.wait_until_entered("b")
    # it may not come to its own end: the container takes it along
    scene.cluster.kubectl_run("exec", "b", "-n", scene.namespace, "--", "/bin/kill", "1")
    end = running.result()
    check(end, {"b": cases.KILLED}, ["a", "c"])
    assert (end.error, scene.left()) == (None, "")


def gone_and_replaced(scene: Scene) -> None:
    scene.make(scene.pod("a", "held"), scene.pod("b"), scene.pod("c"), scene.pod("d"))
    running = scene.start()
    scene.wait_until_entered("a")
    scene.delete_pod("b")
    scene.replace("c")
    scene.let_go("a")
    end = running.result()
    check(end, {"b": cases.GONE, "c": cases.REPLACED}, ["a", "d"])
    assert (end.error, scene.left()) == (None, "")


def access_options(scene: Scene, **options: Any) -> dict[str, Any]:
    defaults = {name: rule.get("default") for name, rule in scan_access_spec().items()}
    return dict(defaults, kubeconfig=str(scene.cluster.kubeconfig), namespaces=[scene.namespace], **options)


def replaced_before(scene: Scene) -> None:
    scene.make(scene.pod("a"), scene.pod("b"))
    options = access_options(scene, run_id="replaced-before")
    context = TaskContext(check_mode=False, environ={})
    made = run_scan_access(options, context)
    scene.replace("a")
    end = scene.start(access=made["access"]).result()
    run_scan_access(dict(options, state="absent"), context)
    check(end, {"a": cases.REPLACED_BEFORE}, ["b"])
    assert (end.error, scene.left()) == (None, "")


def without(kinds: str, case: Row, *, at_once: bool) -> Callable[[Scene], None]:
    """The scan's own objects of a kind go in the middle of it; what they own goes at once, or is collected a moment later."""

    def happens(scene: Scene) -> None:
        scene.make(scene.pod("a", "held"), scene.pod("b"))
        running = scene.start()
        scene.wait_until_entered("a")
        scene.cluster.kubectl("delete", kinds, "-l", LABEL, "-n", scene.namespace)
        if not at_once:
            # until then the API server, which remembers the token for ten seconds, may let it in
            wait_for(lambda: scene.left() == "", "the account's Role and RoleBinding are collected")
        scene.let_go("a")
        end = running.result()
        # nobody is allowed to look at what was entered any more, so nothing proves that it was `a`
        check(end, {"a": case, "b": case}, [])
        assert (end.error, scene.left()) == (None, "")

    return happens


def terminating(scene: Scene) -> None:
    lasting = scene.pod("a")
    lasting["metadata"]["finalizers"] = ["securescan.test/stay"]
    lasting["spec"].update(terminationGracePeriodSeconds=120)
    lasting["spec"]["containers"][0]["command"] = ["/bin/sleep", "3600"]
    scene.make(lasting)
    other = Scene(scene.cluster, pathlib.Path("unused"), "others")
    other.make(other.pod("b"))
    scene.cluster.kubectl("delete", "namespace", scene.namespace, "--wait=false")
    try:
        end = scene.start(other.namespace).result()
    finally:
        scene.cluster.kubectl(
            "patch",
            "pod",
            "a",
            "-n",
            scene.namespace,
            "--type=merge",
            "-p",
            '{"metadata": {"finalizers": null}}',
        )
        scene.delete_pod("a")
    check(end, {"a": cases.TERMINATING}, ["b"])
    assert (end.error, other.left(), scene.left()) == (None, "", "")


WHILE_SCANNING: dict[str, Callable[[Scene], None]] = {
    "deleted": deleted,
    "killed": killed,
    "gone_and_replaced": gone_and_replaced,
    "replaced_before": replaced_before,
    "role": without("roles", cases.ROLE, at_once=True),
    "account": without("serviceaccounts", cases.ACCOUNT, at_once=False),
    "terminating": terminating,
}


@pytest.fixture(scope="module")
def under_way(
    static: ScanEnd, faulty: SampleCluster, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[None]]:
    """All of them at once: they mostly wait, and each has its own namespace."""
    folder = tmp_path_factory.mktemp("under_way")
    with ThreadPoolExecutor(len(WHILE_SCANNING)) as pool:
        return {
            name: pool.submit(happens, Scene(faulty, folder, name.replace("_", "-")))
            for name, happens in WHILE_SCANNING.items()
        }


@pytest.mark.parametrize("name", list(WHILE_SCANNING))
def test_what_happens_in_the_middle_of_a_scan_keeps_out_its_own_target_only(
    under_way: dict[str, Future[None]], name: str
) -> None:
    under_way[name].result()


# Last: the cluster's own daemons, one after the other.


def while_a_daemon(scene: Scene, disturb: Callable[[], None], repair: Callable[[], None]) -> ScanEnd:
    """A scan of three pods; the daemon is disturbed while the second is entered."""
    scene.make(scene.pod("a"), scene.pod("b", "slow"), scene.pod("c"))
    running = scene.start()
    try:
        scene.wait_until_entered("b")
        disturb()
        return running.result()
    finally:
        repair()
        scene.cluster.made_here.wait_until_ready()


def test_a_kubelet_that_stops_keeps_out_what_is_entered_then(scene: Scene) -> None:
    made = scene.cluster.made_here
    end = while_a_daemon(scene, lambda: made.stop("kubelet"), lambda: made.start("kubelet"))
    check(end, {"b": cases.KUBELET_IN, "c": cases.KUBELET_OUT}, ["a"])
    assert (end.error, scene.left()) == (None, "")


def test_a_containerd_that_stops_keeps_out_what_is_entered_then(scene: Scene) -> None:
    made = scene.cluster.made_here
    end = while_a_daemon(scene, lambda: made.stop("containerd"), lambda: made.start("containerd"))
    check(end, {"b": cases.CONTAINERD_IN, "c": cases.CONTAINERD_OUT}, ["a"])
    assert (end.error, scene.left()) == (None, "")


def test_a_node_without_memory_keeps_out_the_target_whose_collector_is_killed(scene: Scene) -> None:
    made = scene.cluster.made_here
    # the pods have no limits of their own: what ends the collector is what all pods of the node have together
    scene.make(scene.pod("a"), scene.pod("b", "eats"), scene.pod("c"))
    made.limit_memory(NODE_SPARE)
    try:
        end = scene.start().result()
    finally:
        made.limit_memory(None)
    check(end, {"b": cases.OUT_OF_MEMORY}, ["a", "c"])
    assert "signal 9" in end.targets["b"]["error"]["cause"]
    assert (end.error, scene.left()) == (None, "")


def test_a_restart_of_the_api_server_keeps_out_what_is_entered_then(scene: Scene) -> None:
    made = scene.cluster.made_here
    end = while_a_daemon(scene, lambda: made.restart("kube-apiserver"), lambda: None)
    if "c" not in end.scanned():
        # on a slow machine the server takes longer to come back, and to know its Roles, than we try again
        check_kept_out(end, "c", ["unreachable", "not_permitted"])
    check(end, {"b": cases.SERVER_IN}, {"a", "c"} & end.scanned() | {"a"})
    assert (end.error, scene.left()) == (None, "")


def test_an_api_server_that_stays_away_ends_the_run_and_its_advice_helps(scene: Scene) -> None:
    made = scene.cluster.made_here
    end = while_a_daemon(scene, lambda: made.stop("kube-apiserver"), lambda: made.start("kube-apiserver"))
    check(end, {"b": cases.SERVER_STOPPED_IN, "c": cases.SERVER_STOPPED_OUT}, ["a"])
    assert end.error is not None and end.error.reason in cases.SERVER_STOPPED_RUN.reasons
    check_record(end.error.record())
    TABLE.note(cases.SERVER_STOPPED_RUN, end.error.record())
    assert scene.left() != "", "it says that something remains"
    (run,) = (path.name for path in end.output_dir.glob("*/*") if path.is_dir() and not path.is_symlink())
    run_scan_access(
        access_options(scene, state="absent", run_id=run), TaskContext(check_mode=False, environ={})
    )
    assert scene.left() == "", "what the advice says helps"


def test_nothing_is_left_anywhere(faulty: SampleCluster) -> None:
    assert left(faulty, "-A") == ""


def test_the_page_is_current() -> None:
    TABLE.check()
