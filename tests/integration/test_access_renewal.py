# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that are replaced while a scan runs, on the real cluster: a record with its cause, or one renewal."""

from __future__ import annotations

import copy
import json
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.renewal import LOST, renew_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.exec import ExecApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import (
    ExecLimits,
    Means,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)

REQUEST = make_request([Query("os")])


@pytest.fixture
def namespace(own_namespace, cluster):
    """Two replicas of the sample's api, in a namespace where they may be replaced."""
    name = own_namespace()
    deployment = copy.deepcopy(cluster.get("deployment", "api", "-n", "shop"))
    deployment["metadata"] = {"name": "api", "namespace": name}
    deployment["spec"]["template"]["spec"].update(
        serviceAccountName="app", serviceAccount="app", terminationGracePeriodSeconds=0
    )
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(deployment))
    return name


def running(grantor, namespace, without=()):
    """The two running containers of the Deployment, none of them in one of the given pods."""
    selection = Selection((namespace,), containers=("api",))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = [
            selected
            for selected in select_targets(grantor, "test", selection)
            if selected.target.state == "running" and selected.target.pod_uid not in without
        ]
        if len(found) == 2:
            return found
        time.sleep(0.1)
    return pytest.fail("the pods did not come")


def collected(approach, selected):
    """The reason why the target could not be scanned, or "scanned"."""
    try:
        approach.collect(selected, REQUEST)
    except ScanError as error:
        return error.reason
    return "scanned"


def test_a_replaced_pod_is_a_record_and_after_one_renewal_its_successor_is_scanned(
    namespace, manage, grantor, connection, cluster, left
):
    before = running(grantor, namespace)
    access = ScannerAccess(grantor, connection, manage(namespaces=[namespace], containers=["api"])["access"])
    approach = ExecApproach(
        Means(
            access, threading.BoundedSemaphore(4), ExecLimits(timeout=60, output=1_000_000), threading.Event()
        )
    )
    lost, kept = before
    assert collected(approach, kept) == "scanned"
    cluster.kubectl("delete", "pod", lost.target.pod, "-n", namespace, "--now")
    now = running(grantor, namespace, without={lost.target.pod_uid})
    (successor,) = [selected for selected in now if selected.target.pod_uid != kept.target.pod_uid]

    assert collected(approach, lost) == "pod_gone"
    assert collected(approach, successor) == "pod_replaced"
    assert {"container_replaced", "pod_gone", "pod_replaced"} == LOST

    labels = cluster.get("role", "securescan-" + manage.run_id, "-n", namespace)["metadata"]["labels"]
    renewal = renew_access(grantor, access, [lost], now)
    assert renewal.failures == {}
    assert [(old.target.pod, new.target.pod) for old, new in renewal.again] == [
        (lost.target.pod, successor.target.pod)
    ]
    assert collected(approach, successor) == "scanned"
    role = cluster.get("role", "securescan-" + manage.run_id, "-n", namespace)
    assert {name for rule in role["rules"] for name in rule["resourceNames"]} == {successor.target.pod}
    assert role["metadata"]["labels"] == labels, "owner and expiry stay"
    assert len(left(manage.run_id)) == 3


def test_where_the_access_is_gone_there_is_nothing_to_renew(namespace, manage, grantor, connection):
    found = running(grantor, namespace)
    given = manage(namespaces=[namespace], pods=[found[0].target.pod])["access"]
    access = ScannerAccess(grantor, connection, given)
    manage(state="absent", namespaces=[namespace])
    renewal = renew_access(grantor, access, [found[0]], found)
    assert renewal.again == []
    assert renewal.failures[namespace].reason == "access_incomplete"
    assert "holds no access of run" in renewal.failures[namespace].message
