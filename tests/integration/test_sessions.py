# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions on a real cluster: by each approach that enters a pod, three requests are one exec, and nothing is left running."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import (
    ApproachOptions,
    open_approach,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
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
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    ENFORCED,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import with_sidecars

USERS, PROCESSES = Query("passwd"), Query("processes")
REQUESTS = [make_request([query]) for query in (USERS, Query("sysctl", "kernel.pid_max"), PROCESSES)]
SECONDS = 30.0


@pytest.fixture
def approach(place, cluster, debug_operator_kubeconfig):
    """Opens approaches to the one container of a pod that has a shell and a sidecar: (target, approach)."""
    there = place(ENFORCED)
    there.add(with_sidecars(pod("web", container())))
    connection = connect(ConnectionOptions(kubeconfig=str(debug_operator_kubeconfig)), {})
    grantor = RestClient(connection)
    of_namespace = {"namespaces": [there.name], "approach": "debug"}
    access = run_task(debug_operator_kubeconfig, **of_namespace)["access"]
    (target,) = select_targets(grantor, "test", Selection((there.name,), containers=("app",)))
    scanner = ScannerAccess(grantor, connection, access)
    means = Means(
        scanner, threading.BoundedSemaphore(4), ExecLimits(SECONDS, 1 << 20), threading.Event(), [target]
    )

    def open_one(name, **debug):
        options = ApproachOptions(name, DebugOptions(BUSYBOX, **debug), ImageOptions())
        return target, open_approach(means, options)

    open_one.place = there
    yield open_one
    run_task(debug_operator_kubeconfig, state="absent", run_id=access["run_id"], namespaces=[there.name])


def shells(there):
    """Processes of the pod's containers that read a session's requests."""
    listing = there.cluster.kubectl("exec", "web", "-n", there.name, "-c", "app", "--", "ps", "-o", "args")
    return [line for line in listing.splitlines() if line.strip() == "sh"]


@pytest.mark.parametrize("name", ["exec", "sidecar", "debug"])
def test_three_requests_are_one_exec_and_their_facts_are_those_of_execs_of_their_own(approach, cluster, name):
    target, opened = approach(name, keep_alive=120)
    alone = [opened.collect(target, request).facts for request in REQUESTS]
    before = opened.execs
    cluster.forget_audit()
    with opened.enter(target) as session:
        found = [session.collect(request) for request in REQUESTS]
        assert session.run(b"echo over") == b"over\n"
        assert session.entered.approach == name
    assert opened.execs - before == 1
    seen = cluster.exec_requests()
    assert seen is None or len(seen) == 1
    assert [fact.ok for facts in found for fact in facts.values()] == [True] * len(REQUESTS)
    assert [dict(facts) for facts in found[:2]] == [dict(facts) for facts in alone[:2]]
    assert [facts.collector for facts in found] == [facts.collector for facts in alone]
    commands = [process["cmdline"] for process in found[2].get_fact(PROCESSES).value]
    assert ["sh"] not in commands, "the session's shell is no process of the target"


def test_a_session_by_debug_ends_its_container_and_one_of_a_kept_container_does_not(approach):
    for kept, state in ((0, "terminated"), (300, "running")):
        target, opened = approach("debug", keep_alive=kept)
        with opened.enter(target) as session:
            name = session.entered.place.container
            assert session.entered.footprint.ephemeral_container == name
            session.run(b":")
        # less than it would live if nobody told it to end
        deadline = time.monotonic() + 40
        while approach.place.states("web")[name] != state and time.monotonic() < deadline:
            time.sleep(0.2)
        assert approach.place.states("web")[name] == state


def test_a_session_that_is_closed_leaves_no_shell_in_the_target(approach):
    target, opened = approach("exec")
    session = opened.enter(target)
    assert len(shells(approach.place)) == 1
    session.close()
    # its input has ended, which it may notice a moment later
    deadline = time.monotonic() + 60
    while shells(approach.place):
        assert time.monotonic() < deadline, "its shell goes on"
        time.sleep(0.1)


def test_a_pod_that_is_deleted_under_a_session_is_its_cause(approach, cluster):
    target, opened = approach("exec")
    with opened.enter(target) as session:
        cluster.kubectl("delete", "pod", "web", "-n", approach.place.name, "--now")
        with pytest.raises(ScanError) as raised:
            for _attempt in range(20):
                session.run(b"sleep 1")
    assert raised.value.reason == "pod_gone"
