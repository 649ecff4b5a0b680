# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans from sidecars, in a namespace that enforces Pod Security's level restricted: what they see, what their token may do."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.lifecycle import (
    ensure_absent,
    ensure_present,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import (
    AccessPlan,
    Grant,
    PodRef,
    object_name,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import wait_until_effective
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import (
    JSON,
    MERGE,
    STRATEGIC,
    WEBSOCKET,
    Attempt,
    made,
)
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DISTROLESS,
    ENFORCED,
    LISTENS,
    Place,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.guard_fixtures import Identity
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import make, workload

# Containers by name: one with a shell, one without; another user, a group that only the node knows, Debian's packages.
CONTAINERS = ("web", "other", "db", "agent", "night")
NAMES = ("Deployment/web", "StatefulSet/db", "DaemonSet/agent", "CronJob/night")
MOMENTS = 10


@pytest.fixture(scope="module")
def world(cluster, sidecar):
    """Workloads of all kinds whose pods have their sidecars, and one without."""
    name = f"sidecar-{uuid.uuid4().hex[:8]}"
    make(
        cluster,
        "default",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": ENFORCED}},
    )
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sample"}}
    quiet = {"serviceAccountName": "sample"}
    make(
        cluster,
        name,
        account,
        workload(
            "Deployment",
            "web",
            container("web", **LISTENS),
            container("other", user=(10002, 10003)),
            spec={"replicas": 2},
            **quiet,
        ),
        workload("StatefulSet", "db", container("db", "securescan.local/debian:1"), **quiet),
        workload(
            "DaemonSet",
            "agent",
            container("agent", DISTROLESS, user=None, security={"runAsUser": 10001}, args=["8081"]),
            **quiet,
        ),
        workload("CronJob", "night", container("night"), **quiet),
        pod("without", container("without", DISTROLESS, args=["8082"]), **quiet),
    )
    for rolling in NAMES[:3]:
        cluster.kubectl("rollout", "status", rolling, "-n", name, "--timeout=120s")
    try:
        done = sidecar(name, *NAMES)
        assert not done.get("failed"), done["msg"]
        cluster.kubectl("create", "job", "tonight", "--from=cronjob/night", "-n", name)
        cluster.kubectl(
            "wait",
            "--for=condition=Ready",
            "pods",
            "-l",
            "batch.kubernetes.io/job-name=tonight",
            "-n",
            name,
            "--timeout=60s",
        )
        yield Place(cluster, name), done
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def pods(there):
    return there.cluster.get("pods", "-n", there.name, "--field-selector=metadata.name!=without")["items"]


def test_every_pod_has_the_sidecars_that_it_needs(world):
    there, done = world
    assert [record["rolled_out"] for record in done["workloads"]] == [True, True, True, False]
    assert [len(record["sidecars"]) for record in done["workloads"]] == [2, 1, 1, 1]
    assert done["workloads"][2]["sidecars"][0].startswith("securescan-sidecar-10001-"), (
        "the group is the node's to tell"
    )
    found = [one for one in pods(there) if "deletionTimestamp" not in one["metadata"]]
    assert len(found) == 5
    for one in found:
        assert one["spec"]["shareProcessNamespace"]
        assert all("running" in status["state"] for status in one["status"]["initContainerStatuses"])


def statuses(done, name):
    return {
        control: [status for status, _message in results] for control, results in done.verdicts(name).items()
    }


def unread(done, name):
    return done.hdf(name)["passthrough"]["securescan_kubernetes"].get("unread_facts")


def test_its_verdicts_are_those_of_debug_and_it_leaves_nothing(world, scan):
    there, _done = world
    by_sidecar = scan(there.name, approach="sidecar")
    assert set(by_sidecar.targets) == {*CONTAINERS, "without"}, "sidecars are no targets"
    assert (
        by_sidecar.error("without")["reason"] == "no_sidecar"
        and "scan_sidecar" in by_sidecar.error("without")["advice"]
    )
    assert by_sidecar.result["counts"]["scanned"] == 7 and not by_sidecar.result["changed"]
    # the pod of each as it is now, and one exec; `without` costs nothing
    assert by_sidecar.result["requests"]["exec"] == 7
    assert all("ephemeralContainers" not in one["spec"] for one in pods(there))
    by_debug = scan(there.name)
    for name in CONTAINERS:
        assert by_sidecar.said(name)["approach"] == "sidecar" and "footprint" not in by_sidecar.said(name)
        assert unread(by_sidecar, name) == unread(by_debug, name)
        assert statuses(by_sidecar, name) == statuses(by_debug, name), name
    assert by_sidecar.targets["web"]["counts"]["passed"] > 60


def test_auto_takes_it_before_anything_is_added(world, scan):
    there, _done = world
    done = scan(there.name, approach="auto", containers=["web", "other", "without"])
    assert {name: done.said(name)["approach"] for name in done.targets} == {
        "web": "sidecar",
        "other": "exec",
        "without": "debug",
    }
    assert {entry["approach"]: entry["reason"] for entry in done.said("without")["passed_over"]} == {
        "exec": "no_such_program",
        "sidecar": "no_sidecar",
    }


def test_a_preflight_says_so(world, debug_operator_kubeconfig):
    there, _done = world
    params = {name: rule.get("default") for name, rule in scan_target_info_spec().items()}
    params.update(
        kubeconfig=str(debug_operator_kubeconfig),
        namespaces=[there.name],
        explain=True,
        approach="sidecar",
        scanner_image=BUSYBOX,
    )
    found = run_scan_target_info(params, TaskContext(check_mode=False, environ=dict(os.environ)))
    verdicts = {
        target["container"]: target["approaches"]["sidecar"].get("reason")
        or target["approaches"]["sidecar"]["status"]
        for target in found["targets"]
    }
    assert verdicts == {**dict.fromkeys(CONTAINERS, "works"), "without": "no_sidecar"}
    assert found["explained"]["scannable"] == 7 and found["looked_at"]["left_out"]["own_sidecar"] == 7


def test_a_target_whose_identity_no_sidecar_has(world, scan, cluster):
    there, _done = world
    spec = next(one for one in pods(there) if one["metadata"]["name"] == "db-0")["spec"]
    (own,) = (one for one in spec["initContainers"])
    own = {key: value for key, value in own.items() if key != "volumeMounts"}
    target = container("misfit", user=(10009, 10009))
    like = {"initContainers": [own], "serviceAccountName": "sample"}
    make(
        cluster,
        there.name,
        pod("misfit", target, shareProcessNamespace=True, **like),
        pod("apart", dict(target, name="apart"), **like),
    )
    cluster.kubectl(
        "wait", "--for=condition=Ready", "pod/misfit", "pod/apart", "-n", there.name, "--timeout=60s"
    )
    done = scan(there.name, approach="sidecar", containers=["misfit", "apart"])
    cluster.kubectl("delete", "pod", "misfit", "apart", "-n", there.name)
    assert {done.error(name)["reason"] for name in ("misfit", "apart")} == {"sidecar_unfit"}
    assert (
        "10009:10009" in done.error("misfit")["message"]
        and "shareProcessNamespace" in done.error("apart")["cause"]
    )


PODS = "/api/v1/namespaces/{space}/pods"
ENTER = "/exec?container=%s&stdout=true&%s"
SHELL = "command=sh"
DENIED = (
    Attempt(
        "put an ephemeral container into a chosen pod",
        "PATCH",
        PODS + "/{pod}/ephemeralcontainers?dryRun=All",
        {"spec": {"ephemeralContainers": [{"name": "a", "image": BUSYBOX}]}},
        STRATEGIC,
    ),
    Attempt(
        "enter the sidecar of another pod",
        "GET",
        PODS + "/{other}" + ENTER % ("{sidecar}", SHELL),
        headers=WEBSOCKET,
    ),
    Attempt("read another pod", "GET", PODS + "/{other}"),
    Attempt("list pods", "GET", PODS),
    Attempt("change a chosen pod", "PATCH", PODS + "/{pod}", {"metadata": {"labels": {"a": "b"}}}, MERGE),
    Attempt(
        "change the workload",
        "PATCH",
        "/apis/apps/v1/namespaces/{space}/statefulsets/db",
        {"metadata": {"labels": {"a": "b"}}},
        MERGE,
    ),
    Attempt("read the workload", "GET", "/apis/apps/v1/namespaces/{space}/statefulsets/db"),
    Attempt("delete a chosen pod", "DELETE", PODS + "/{pod}"),
    Attempt(
        "create a pod",
        "POST",
        PODS,
        made("v1", "Pod", spec={"containers": [{"name": "a", "image": "none"}]}),
        JSON,
    ),
    Attempt(
        "attach to the sidecar",
        "GET",
        PODS + "/{pod}/attach?container={sidecar}&stdout=true",
        headers=WEBSOCKET,
    ),
)
INTO_SIDECAR = Attempt(
    "enter the sidecar", "GET", PODS + "/{pod}" + ENTER % ("{sidecar}", SHELL), headers=WEBSOCKET
)
INTO_APPLICATION = Attempt(
    "enter the application", "GET", PODS + "/{pod}" + ENTER % ("db", SHELL), headers=WEBSOCKET
)
OTHER_PROGRAM = Attempt(
    "start another program", "GET", PODS + "/{pod}" + ENTER % ("{sidecar}", "command=id"), headers=WEBSOCKET
)
TERMINAL = Attempt(
    "have a terminal", "GET", PODS + "/{pod}" + ENTER % ("{sidecar}", SHELL + "&tty=true"), headers=WEBSOCKET
)


@pytest.fixture
def scanner(world, cluster):
    """The identity of a scan by sidecar, over the StatefulSet's pod alone."""
    there, done = world
    connection = connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig)), {})
    run_id, now = f"sidecar-{uuid.uuid4().hex[:8]}", datetime.now(timezone.utc)
    grant = Grant(there.name, (PodRef("db-0", there.pod("db-0")["metadata"]["uid"]),), "sidecar")
    outcomes = ensure_present(
        RestClient(connection), AccessPlan(run_id, "tests", now + timedelta(seconds=3600), now, (grant,))
    )
    assert not outcomes[0].error
    (other,) = (one["metadata"]["name"] for one in pods(there) if one["metadata"]["name"].startswith("agent"))
    identity = Identity(
        cluster,
        connection,
        there.name,
        object_name(run_id),
        {"space": there.name, "pod": "db-0", "other": other, "sidecar": done["workloads"][1]["sidecars"][0]},
    )
    wait_until_effective(RestClient(connection.with_bearer_token(identity.token)), grant)
    yield identity
    ensure_absent(RestClient(connection), run_id, [there.name])


def test_what_its_token_cannot_do(scanner, guard):
    for attempt in DENIED:
        status, body = scanner.send(attempt)
        assert status == 403 and "system:serviceaccount:sidecar-" in json.loads(body)["message"], (
            attempt.what,
            body,
        )
    # RBAC cannot tell containers apart, nor programs; the guard can
    for attempt in (INTO_SIDECAR, INTO_APPLICATION, OTHER_PROGRAM):
        assert scanner.send(attempt)[0] == 101, attempt.what
    guard(scanner_images=[BUSYBOX], enter_targets=False)
    for attempt, says in (
        (INTO_APPLICATION, "containers of its own"),
        (OTHER_PROGRAM, "runs nothing but"),
        (TERMINAL, "no terminal"),
    ):
        status, body = scanner.send_until(attempt, lambda status, _body: status == 403)
        assert status == 403 and "securescan-guard-exec" in body and says in body, (attempt.what, body)
    assert scanner.send(INTO_SIDECAR)[0] == 101


def test_scans_work_under_a_guard_that_closes_all_targets(world, scan, guard, scanner):
    there, _done = world
    guard(scanner_images=[BUSYBOX], enter_targets=False)
    assert scanner.send_until(INTO_APPLICATION, lambda status, _body: status == 403)[0] == 403
    done = scan(there.name, approach="sidecar", containers=list(CONTAINERS))
    assert {target["outcome"] for target in done.targets.values()} == {"scanned"}
    by_exec = scan(there.name, approach="exec", containers=["db"])
    assert by_exec.error("db")["reason"] == "not_permitted"
    guard(state="absent")
    scanner.send_until(INTO_APPLICATION, lambda status, _body: status == 101)


# As the module runs it.
SCAN = """
import json, os, sys
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
params = json.load(sys.stdin)
params["compiled_profiles"] = [profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])]
run_scan_container(params, TaskContext(False, dict(os.environ)))
"""


def collecting(there, name, sidecar_name):
    """The command lines of shells in the pod that a scan has started."""
    script = 'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null; echo; done'
    found = there.cluster.kubectl(
        "exec", name, "-n", there.name, "-c", sidecar_name, "--", "sh", "-c", script
    )
    return [line for line in found.splitlines() if line.strip() == "sh"]


def test_killed_at_random_moments_nothing_stays_but_the_sidecar(
    world, scan, cluster, tmp_path, debug_operator_kubeconfig
):
    there, _done = world
    chance, within = random.Random(7), 0
    before = {one["metadata"]["name"]: one["spec"] for one in pods(there)}
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update(
        kubeconfig=str(debug_operator_kubeconfig),
        namespaces=[there.name],
        containers=["web", "other", "db"],
        approach="sidecar",
        scanner_image=BUSYBOX,
        concurrency=1,
        output_dir=str(tmp_path),
    )
    for _moment in range(MOMENTS):
        known = accounts(there)
        with subprocess.Popen([sys.executable, "-c", SCAN], stdin=subprocess.PIPE, text=True) as process:
            process.stdin.write(json.dumps(params))
            process.stdin.close()
            while process.poll() is None and accounts(there) <= known:
                pass
            time.sleep(chance.uniform(0, 0.6))
            within += process.poll() is None
            process.kill()
    assert within >= MOMENTS // 2, "too few of the moments lay within a scan, so this shows too little"
    assert (
        scan(there.name, approach="sidecar", containers=["web", "other", "db"]).result["counts"][
            "not_scanned"
        ]
        == 0
    )
    deadline = time.monotonic() + 60
    for one in pods(there):
        name, (sidecar_name, *_more) = (
            one["metadata"]["name"],
            [made["name"] for made in one["spec"]["initContainers"]],
        )
        while collecting(there, name, sidecar_name):
            assert time.monotonic() < deadline, f"a collector is still at work in {name}"
            time.sleep(0.3)
        assert all(status["restartCount"] == 0 for status in one["status"]["initContainerStatuses"])
    assert {one["metadata"]["name"]: one["spec"] for one in pods(there)} == before
    for kind in ("serviceaccounts", "roles", "rolebindings"):
        cluster.kubectl(
            "delete", kind, "-n", there.name, "-l", "app.kubernetes.io/managed-by=securescan.kubernetes"
        )
    assert there.name not in left(cluster)


def accounts(there):
    return set(
        there.cluster.kubectl(
            "get",
            "serviceaccounts",
            "-n",
            there.name,
            "-o",
            "name",
            "-l",
            "app.kubernetes.io/managed-by=securescan.kubernetes",
        ).split()
    )
