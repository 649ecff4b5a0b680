# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the token of a scanner by debug cannot do, tried one by one."""

from __future__ import annotations

import json
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import pods_of, run_task
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import (
    EXEC,
    JSON,
    MERGE,
    PODS,
    SHOP,
    STRATEGIC,
    WEBSOCKET,
    Attempt,
    Scanner,
    made,
    row,
)
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    SLEEPS,
    container,
)
from ansible_collections.securescan.kubernetes.tests.support.denials_table import (
    DEBUG_PAGE,
    check_or_write,
    debug_page,
)

EDGE = {"label_selectors": ["app.kubernetes.io/name=edge"]}
ADD = "/ephemeralcontainers"


def adding(**changes):
    entry = {
        "name": "attempt",
        "image": BUSYBOX,
        "targetContainerName": "edge",
        "command": list(SLEEPS),
        **changes,
    }
    return {"spec": {"ephemeralContainers": [entry]}}


DENIED = [
    Attempt(
        "put an ephemeral container into another pod", "PATCH", PODS + "/{other}" + ADD, adding(), STRATEGIC
    ),
    Attempt("the same as a dry run", "PATCH", PODS + "/{other}" + ADD + "?dryRun=All", adding(), STRATEGIC),
    Attempt(
        "put one into a pod of another namespace",
        "PATCH",
        "/api/v1/namespaces/kube-system/pods/{pod}" + ADD,
        adding(),
        STRATEGIC,
    ),
    Attempt("put one into a pod that does not exist", "PATCH", PODS + "/nobody" + ADD, adding(), STRATEGIC),
    Attempt(
        "replace a chosen pod's ephemeral containers",
        "PUT",
        PODS + "/{pod}" + ADD,
        made("v1", "Pod", "{pod}"),
        JSON,
    ),
    Attempt(
        "create ephemeral containers as such", "POST", PODS + "/{pod}" + ADD, made("v1", "Pod", "{pod}"), JSON
    ),
    Attempt("read a chosen pod's ephemeral containers as such", "GET", PODS + "/{pod}" + ADD),
    Attempt("delete a chosen pod's ephemeral containers", "DELETE", PODS + "/{pod}" + ADD),
    Attempt("put one into a chosen pod by patching the pod", "PATCH", PODS + "/{pod}", adding(), STRATEGIC),
    Attempt(
        "change the image of a chosen pod",
        "PATCH",
        PODS + "/{pod}",
        {"spec": {"containers": [{"name": "edge", "image": BUSYBOX}]}},
        STRATEGIC,
    ),
    Attempt(
        "change the labels of a chosen pod",
        "PATCH",
        PODS + "/{pod}",
        {"metadata": {"labels": {"a": "b"}}},
        MERGE,
    ),
    Attempt("change the status of a chosen pod", "PATCH", PODS + "/{pod}/status", {"status": {}}, MERGE),
    Attempt(
        "resize a chosen pod",
        "PATCH",
        PODS + "/{pod}/resize",
        {"spec": {"containers": [{"name": "edge"}]}},
        STRATEGIC,
    ),
    Attempt(
        "attach to its ephemeral container",
        "GET",
        PODS + "/{pod}/attach?container={debug}&stdout=true",
        headers=WEBSOCKET,
    ),
    Attempt("read the log of its ephemeral container", "GET", PODS + "/{pod}/log?container={debug}"),
    Attempt(
        "forward a port of a chosen pod",
        "GET",
        PODS + "/{pod}/portforward?ports=8080",
        headers=dict(WEBSOCKET, **{"Sec-WebSocket-Protocol": "v4.channel.k8s.io"}),
    ),
    Attempt("enter another pod", "GET", PODS + "/{other}" + EXEC % "legacy", headers=WEBSOCKET),
    Attempt("read another pod", "GET", PODS + "/{other}"),
    Attempt("list pods", "GET", PODS),
    Attempt("watch a chosen pod", "GET", PODS + "?watch=true&fieldSelector=metadata.name={pod}"),
    Attempt(
        "create a pod",
        "POST",
        PODS,
        made("v1", "Pod", spec={"containers": [{"name": "a", "image": "none"}]}),
        JSON,
    ),
    Attempt("delete a chosen pod", "DELETE", PODS + "/{pod}"),
    Attempt(
        "evict a chosen pod", "POST", PODS + "/{pod}/eviction", made("policy/v1", "Eviction", "{pod}"), JSON
    ),
    Attempt("read a secret by its name", "GET", SHOP + "/secrets/anything"),
    Attempt(
        "ask for a token for itself",
        "POST",
        SHOP + "/serviceaccounts/{account}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        JSON,
    ),
    Attempt(
        "reach more pods by its Role",
        "PATCH",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/{account}",
        {"rules": []},
        MERGE,
    ),
]

HELD = [
    Attempt(
        "change the image of a container",
        "PATCH",
        PODS + "/{pod}" + ADD,
        {"spec": {"containers": [{"name": "edge", "image": BUSYBOX}]}},
        STRATEGIC,
    ),
    Attempt(
        "change an ephemeral container that is there",
        "PATCH",
        PODS + "/{pod}" + ADD,
        adding(name="{debug}", command=["id"]),
        STRATEGIC,
    ),
    Attempt(
        "remove the ephemeral containers",
        "PATCH",
        PODS + "/{pod}" + ADD,
        {"spec": {"ephemeralContainers": None}},
        MERGE,
    ),
    Attempt(
        "give one more memory than its pod has",
        "PATCH",
        PODS + "/{pod}" + ADD,
        adding(resources={"limits": {"memory": "1Gi"}}),
        STRATEGIC,
    ),
    Attempt(
        "mount a part of a volume",
        "PATCH",
        PODS + "/{pod}" + ADD,
        adding(volumeMounts=[{"name": "any", "mountPath": "/any", "subPath": "part"}]),
        STRATEGIC,
    ),
    Attempt(
        "add it to the pod of that name, whichever that is now",
        "PATCH",
        PODS + "/{pod}" + ADD,
        dict(adding(), metadata={"uid": "00000000-0000-0000-0000-000000000000"}),
        STRATEGIC,
    ),
]

ALLOWED = [
    Attempt("see a chosen pod", "GET", PODS + "/{pod}"),
    Attempt(
        "put an ephemeral container into a chosen pod",
        "PATCH",
        PODS + "/{pod}" + ADD + "?dryRun=All",
        adding(),
        STRATEGIC,
    ),
    Attempt(
        "enter the ephemeral container of a chosen pod",
        "GET",
        PODS + "/{pod}" + EXEC % "{debug}",
        headers=WEBSOCKET,
    ),
]


@pytest.fixture(scope="module")
def scanner(cluster, debug_operator_kubeconfig):
    run_id = f"test-{uuid.uuid4().hex[:8]}"
    connection = connect(ConnectionOptions(kubeconfig=str(debug_operator_kubeconfig)), {})
    pods = pods_of(run_task(debug_operator_kubeconfig, run_id=run_id, approach="debug", **EDGE)["access"])
    scanner = Scanner(cluster, connection, RestClient(connection), run_id, pods, approach="debug")
    scanner.names["debug"] = put_in(cluster, pods[0].name)
    yield scanner
    run_task(debug_operator_kubeconfig, state="absent", run_id=run_id)
    cluster.kubectl("delete", "pod", pods[0].name, "-n", "shop")  # with the entry that was put in
    cluster.kubectl("rollout", "status", "deployment/edge", "-n", "shop", "--timeout=60s")


def put_in(cluster, pod):
    """An ephemeral container that sleeps in the pod; its name."""
    name = f"debug-{uuid.uuid4().hex[:6]}"
    entry = dict(container(name, user=(65532, 65532)), targetContainerName="edge")
    whole = cluster.get("pod", pod, "-n", "shop")
    del whole["metadata"]["resourceVersion"]  # the kubelet may write its status meanwhile
    whole["spec"]["ephemeralContainers"] = [*whole["spec"].get("ephemeralContainers", []), entry]
    cluster.kubectl(
        "replace",
        "--raw",
        f"/api/v1/namespaces/shop/pods/{pod}/ephemeralcontainers",
        "-f",
        "-",
        stdin=json.dumps(whole),
    )
    cluster.kubectl(
        "wait",
        "pod",
        pod,
        "-n",
        "shop",
        "--timeout=90s",
        f"--for=jsonpath={{.status.ephemeralContainerStatuses[?(@.name=='{name}')].state.running}}",
    )
    return name


@pytest.fixture(scope="module")
def before(scanner, cluster):
    return cluster.get("pod", scanner.names["pod"], "-n", "shop")["spec"]


@pytest.fixture(scope="module")
def answers(scanner, before):
    return {attempt.what: scanner.send(attempt) for attempt in [*DENIED, *HELD, *ALLOWED]}


@pytest.mark.parametrize("attempt", DENIED, ids=[attempt.what for attempt in DENIED])
def test_a_debug_scanner_cannot(attempt, answers):
    status, body = answers[attempt.what]
    assert status == 403, body
    said = json.loads(body)
    assert said["reason"] == "Forbidden"
    # RBAC refused, not some check that comes after it
    assert "system:serviceaccount:shop:securescan-" in said["message"]


@pytest.mark.parametrize("attempt", HELD, ids=[attempt.what for attempt in HELD])
def test_what_rbac_lets_in_changes_nothing(attempt, answers):
    status, body = answers[attempt.what]
    assert status in (200, 422), body


def test_the_pod_is_as_it_was(answers, before, scanner, cluster):
    assert cluster.get("pod", scanner.names["pod"], "-n", "shop")["spec"] == before


@pytest.mark.parametrize("attempt", ALLOWED, ids=[attempt.what for attempt in ALLOWED])
def test_a_debug_scanner_can(attempt, answers):
    assert answers[attempt.what][0] in (101, 200), answers[attempt.what]


def test_the_page_about_debug_says_what_came_out(answers, cluster):
    version = json.loads(cluster.kubectl("get", "--raw", "/version"))["gitVersion"]
    rows = [
        [row(attempt, answers[attempt.what][0]) for attempt in attempts]
        for attempts in (DENIED, HELD, ALLOWED)
    ]
    check_or_write(debug_page(version.lstrip("v"), *rows), DEBUG_PAGE)
