# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan's access on the real cluster: what is made, what its token can and cannot do, and that it is gone afterwards."""

from __future__ import annotations

import os
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import Grant, PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import (
    request_token,
    wait_until_effective,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import exec_in_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext

TOKEN_CACHE = 15  # seconds; the API server remembers a token that it has accepted for 10


@pytest.fixture
def connection(cluster):
    return connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig)), {})


@pytest.fixture
def grantor(connection):
    return RestClient(connection)


@pytest.fixture
def manage(cluster):
    """Runs the task scan_access; all that it made under this test's run id is removed at the end."""
    run_id = "test-%s" % uuid.uuid4().hex[:8]

    def run(check_mode=False, **changes):
        params = {"kubeconfig": str(cluster.kubeconfig), "state": "present", "run_id": run_id, "owner": "tests@x y",
                  "lifetime": 600, "allow_empty": False, "namespaces": ["shop"], "label_selectors": [],
                  "field_selectors": [], "pods": [], "containers": [], **changes}
        return run_scan_access(params, TaskContext(check_mode=check_mode, environ=dict(os.environ)))

    run.run_id = run_id
    yield run
    run(state="absent")


API = {"label_selectors": ["app.kubernetes.io/name=api"]}


@pytest.fixture
def scanner(manage, connection, grantor):
    """The scanner's connection over the pods of `api`, ready to work, and the names of those pods."""
    (entry,) = manage(**API)["access"]["namespaces"]
    pods = tuple(PodRef(pod["name"], pod["uid"]) for pod in entry["pods"])
    token = request_token(grantor, manage.run_id, "shop", 600)
    scanner = connection.with_bearer_token(token.value)
    wait_until_effective(RestClient(scanner), Grant("shop", pods))
    return scanner, [pod.name for pod in pods]


def test_objects_are_labelled_owned_and_name_exactly_the_chosen_pods(manage, cluster):
    access = manage(**API)["access"]
    name = access["namespaces"][0]["service_account"]
    account = cluster.get("serviceaccount", name, "-n", "shop")
    role = cluster.get("role", name, "-n", "shop")
    binding = cluster.get("rolebinding", name, "-n", "shop")
    pods = sorted(pod["metadata"]["name"]
                  for pod in cluster.get("pods", "-n", "shop", "-l", "app.kubernetes.io/name=api")["items"])
    rules = {rule["resources"][0]: rule for rule in role["rules"]}
    assert sorted(rules) == ["pods", "pods/exec"]
    assert sorted(rules["pods/exec"]["verbs"]) == ["create", "get"]
    assert rules["pods"]["verbs"] == ["get"]
    for rule in rules.values():
        assert sorted(rule["resourceNames"]) == pods
    assert account["automountServiceAccountToken"] is False
    for item in (account, role, binding):
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "securescan.kubernetes"
        assert labels["securescan.kubernetes/run-id"] == manage.run_id
        assert labels["securescan.kubernetes/owner"] == "tests-x-y"
        assert labels["securescan.kubernetes/expires"].endswith("Z")
    for item in (role, binding):
        (owner,) = item["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ServiceAccount", account["metadata"]["uid"])


def test_a_second_time_changes_nothing_and_another_selection_changes_the_role(manage):
    assert manage(**API)["changed"] is True
    assert manage(**API)["changed"] is False
    assert manage(label_selectors=["app.kubernetes.io/name=legacy"])["changed"] is True
    assert manage(state="absent")["changed"] is True
    assert manage(state="absent")["changed"] is False


def test_check_mode_shows_the_rules_and_makes_nothing(manage, cluster):
    result = manage(check_mode=True, **API)
    assert result["changed"] is True
    assert "pods/exec" in result["diff"][0]["after"]
    name = result["access"]["namespaces"][0]["service_account"]
    assert cluster.kubectl_run("get", "serviceaccount", name, "-n", "shop").returncode != 0


def test_deleting_the_service_account_alone_takes_the_rest(manage, cluster):
    name = manage(**API)["access"]["namespaces"][0]["service_account"]
    cluster.kubectl("delete", "serviceaccount", name, "-n", "shop")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        left = cluster.kubectl("get", "role,rolebinding", "-n", "shop", "-o", "name")
        if name not in left:
            return
        time.sleep(0.2)
    pytest.fail("the garbage collector left %s" % left)


def test_the_scanner_enters_the_chosen_pods(scanner):
    connection, pods = scanner
    outcome = exec_in_container(connection, "shop", pods[0], "api", ["sh"], b"echo hello; exit 3\n", timeout=20,
                                output_limit=1000)
    assert (outcome.exit_code, outcome.stdout) == (3, b"hello\n")


DENIED = [
    ("list pods", "GET", "/api/v1/namespaces/shop/pods"),
    ("read a secret list", "GET", "/api/v1/namespaces/shop/secrets"),
    ("read config maps", "GET", "/api/v1/namespaces/shop/configmaps"),
    ("read pods of another namespace", "GET", "/api/v1/namespaces/kube-system/pods"),
    ("read nodes", "GET", "/api/v1/nodes"),
    ("read the log of a chosen pod", "GET", "/api/v1/namespaces/shop/pods/{pod}/log"),
    ("read its own role", "GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/{role}"),
    ("delete a chosen pod", "DELETE", "/api/v1/namespaces/shop/pods/{pod}"),
    ("delete its own binding", "DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/{role}"),
    ("make a token for itself", "POST", "/api/v1/namespaces/shop/serviceaccounts/{role}/token"),
    ("create a pod", "POST", "/api/v1/namespaces/shop/pods"),
]


@pytest.mark.parametrize(("what", "method", "path"), DENIED, ids=[row[0] for row in DENIED])
def test_the_scanner_cannot(what, method, path, scanner, manage):
    connection, pods = scanner
    client = RestClient(connection)
    path = path.format(pod=pods[0], role="securescan-%s" % manage.run_id)
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}}
    if path.endswith("/token"):
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    calls = {"GET": lambda: client.get(path), "DELETE": lambda: client.delete(path),
             "POST": lambda: client.create(path, body)}
    with pytest.raises(ScanError) as caught:
        calls[method]()
    assert caught.value.reason == "not_permitted", what


def test_the_scanner_cannot_enter_another_pod(scanner, cluster):
    connection, _pods = scanner
    other = cluster.get("pods", "-n", "shop", "-l", "app.kubernetes.io/name=legacy")["items"][0]["metadata"]["name"]
    with pytest.raises(ScanError) as caught:
        exec_in_container(connection, "shop", other, "legacy", ["true"], b"", timeout=20, output_limit=10)
    assert caught.value.reason == "not_permitted"


def test_the_token_is_dead_when_the_access_is_removed(scanner, manage):
    connection, pods = scanner
    manage(state="absent")
    with pytest.raises(ScanError) as caught:
        exec_in_container(connection, "shop", pods[0], "api", ["true"], b"", timeout=20, output_limit=10)
    assert caught.value.reason in ("not_permitted", "not_authenticated"), "its rights are gone at once"
    deadline = time.monotonic() + TOKEN_CACHE
    client = RestClient(connection)
    while True:
        with pytest.raises(ScanError) as caught:
            client.get("/api/v1/namespaces/shop/pods/%s" % pods[0])
        if caught.value.reason == "not_authenticated":
            return
        assert time.monotonic() < deadline, "the token still authenticates"
        time.sleep(0.5)


def test_objects_that_are_not_ours_are_never_touched(manage, cluster):
    name = "securescan-%s" % manage.run_id
    cluster.kubectl("create", "serviceaccount", name, "-n", "shop")
    try:
        with pytest.raises(ScanError) as caught:
            manage(**API)
        assert "not managed by" in caught.value.message
        with pytest.raises(ScanError):
            manage(state="absent")
        assert cluster.get("serviceaccount", name, "-n", "shop")
    finally:
        cluster.kubectl("delete", "serviceaccount", name, "-n", "shop")


def test_nothing_matches(manage):
    with pytest.raises(ScanError) as caught:
        manage(label_selectors=["app.kubernetes.io/name=nobody"])
    assert caught.value.reason == "no_targets"


def test_too_short_a_lifetime_is_refused(manage):
    with pytest.raises(ScanError) as caught:
        manage(lifetime=60)
    assert "600" in caught.value.message
