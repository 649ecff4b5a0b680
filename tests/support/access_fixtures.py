# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of accesses share: the operator's client, a run that is cleaned up, namespaces of their own."""

from __future__ import annotations

import json
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task

KINDS = "serviceaccounts,roles,rolebindings"
OURS = "app.kubernetes.io/managed-by=securescan.kubernetes"


@pytest.fixture(scope="session")
def connection(operator_kubeconfig):
    return connect(ConnectionOptions(kubeconfig=str(operator_kubeconfig)), {})


@pytest.fixture(scope="session")
def grantor(connection):
    return RestClient(connection)


@pytest.fixture
def manage(operator_kubeconfig):
    """Runs the task scan_access; all that it made under this test's run id is removed at the end."""
    run_id = f"test-{uuid.uuid4().hex[:8]}"

    def run(check_mode=False, **changes):
        return run_task(
            check_mode=check_mode, **{"kubeconfig": operator_kubeconfig, "run_id": run_id, **changes}
        )

    run.run_id = run_id
    yield run
    run_task(operator_kubeconfig, state="absent", run_id=run_id, namespaces=[])


@pytest.fixture
def left(cluster):
    """What a run has in the cluster now, as "namespace kind/name"."""

    def look(run_id):
        selector = f"{OURS},securescan.kubernetes/run-id={run_id}"
        items = cluster.get(KINDS, "-A", "-l", selector)["items"]
        return sorted(
            "{} {}/{}".format(item["metadata"]["namespace"], item["kind"], item["metadata"]["name"])
            for item in items
        )

    return look


@pytest.fixture
def own_namespace(cluster):
    """Makes namespaces with one pod that never starts (nothing has to run to be named in a Role)."""
    made = []

    def make(**metadata):
        name = f"access-{uuid.uuid4().hex[:8]}"
        made.append(name)
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "waiting", "namespace": name, **metadata},
            "spec": {
                "schedulingGates": [{"name": "tests/never"}],
                "serviceAccountName": "app",
                "containers": [{"name": "app", "image": "none"}],
            },
        }
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        # of its own: a pod must have one, and that named default comes a moment later
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "app", "namespace": name},
        }
        cluster.kubectl(
            "create",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [space, account, pod]}),
        )
        return name

    yield make
    for name in made:
        cluster.kubectl("delete", "namespace", name, "--wait=false")
