# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who borrows a scanner's ServiceAccount, or makes of a grantor an administrator: as it was done, and what keeps it off."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    ACCOUNTS,
    GRANTORS,
    HELPER,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.lifecycle import (
    ensure_absent,
    ensure_present,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import (
    AccessPlan,
    Grant,
    PodRef,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left as accesses_left
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import (
    JSON,
    MERGE,
    WEBSOCKET,
    Attempt,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, container, pod
from ansible_collections.securescan.kubernetes.tests.support.guard_attempts import helper
from ansible_collections.securescan.kubernetes.tests.support.guard_fixtures import (
    EFFECTIVE_SECONDS,
    Guarded,
    Identity,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    HELPERS,
    MANIFEST,
    NAMESPACE,
    make_operator,
)

ACCOUNT_NAMESPACE = MANIFEST.with_name("account-namespace.yml")
TARGETS_ROLE = MANIFEST.with_name("grantor-targets-clusterrole.yml")
HOME, RBAC = "securescan-accounts", "rbac.authorization.k8s.io/v1"
GIVES_TOKEN_AWAY = ("sh", "-c", "cat /var/run/secrets/kubernetes.io/serviceaccount/token")
ANNOTATION = "kubernetes.io/service-account.name"
CONTROLLER = "/api/v1/namespaces/kube-system/serviceaccounts/clusterrole-aggregation-controller/token"
TOKEN_REQUEST = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}


def made(client, plan):
    """The access. Policies that another test has removed are in force for a moment longer."""
    deadline = time.monotonic() + EFFECTIVE_SECONDS
    while True:
        (outcome,) = ensure_present(client, plan)
        if outcome.error is None:
            return outcome
        assert time.monotonic() < deadline, outcome.error
        time.sleep(0.5)


class Attacked:
    """A namespace with a pod that a scan is about to enter, and somebody who is allowed to make pods there."""

    def __init__(self, cluster):
        self.cluster = cluster
        connection = connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig)), {})
        self.client, self.place = RestClient(connection), Guarded(cluster, connection)
        self.names = self.place.start_targets()
        rules = [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "delete"]},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "get"]},
            {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "list"]},
        ]
        role = f"{self.place.targets}-dev"
        self.place.make((RBAC, "ClusterRole", role, None, {"rules": rules}))
        # as of somebody whose right to make pods holds in all namespaces
        self.dev = self.place.account("dev", self.names, ("ClusterRoleBinding", None, "ClusterRole", role))
        self.grantor = self.place.grantor(self.names)
        self.dev.send_until(Attempt("see", "GET", self.pod), lambda status, _body: status == 200)
        self.grantor.send_until(Attempt("see", "GET", self.pod), lambda status, _body: status == 200)

    @property
    def pod(self):
        return f"/api/v1/namespaces/{self.place.targets}/pods/target"

    def make_access(self, account_namespace=""):
        """As a scan by exec makes it; the ServiceAccount's name."""
        uid = self.cluster.get("pod", "target", "-n", self.place.targets)["metadata"]["uid"]
        now = datetime.now(timezone.utc)
        pods = (PodRef("target", uid),)
        grant = Grant(self.place.targets, pods, account_namespace=account_namespace)
        plan = AccessPlan(self.place.run_id, "tests", now + timedelta(seconds=600), now, (grant,))
        made(self.client, plan)
        return grant.account(self.place.run_id).name

    def borrowing(self, account, namespace=None):
        """A pod that runs as the account and shows its token."""
        body = pod("borrower", container(command=GIVES_TOKEN_AWAY))
        body["spec"].update(
            serviceAccountName=account, automountServiceAccountToken=True, restartPolicy="Never"
        )
        space = namespace or self.place.targets
        return Attempt("borrow", "POST", f"/api/v1/namespaces/{space}/pods", body, JSON)

    def secret(self, account, namespace=None):
        """A Secret that the cluster fills with the account's token."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "borrower", "annotations": {ANNOTATION: account}},
        }
        space = namespace or self.place.targets
        return Attempt("borrow", "POST", f"/api/v1/namespaces/{space}/secrets", body, JSON)

    def token_of(self, secret):
        """What a container of the borrowing pod has shown."""
        path = f"/api/v1/namespaces/{self.place.targets}/pods/borrower/log"
        log = Attempt("log", "GET", path)
        status, token = self.dev.send_until(log, lambda status, body: status == 200 and body.count(".") == 2)
        assert status == 200, token
        return token.strip()

    def enter(self, token):
        """The status of an exec into the target."""
        query = "exec?container=app&command=sh&stdin=true&stdout=true"
        return self.dev.send(Attempt("enter", "GET", f"{self.pod}/{query}", headers=WEBSOCKET), token)[0]

    def remove(self):
        for home in ("", HOME):
            ensure_absent(self.client, self.place.run_id, [self.place.targets], account_namespace=home)
        self.place.remove()


@pytest.fixture(scope="module")
def attacked(cluster):
    attacked = Attacked(cluster)
    yield attacked
    attacked.remove()


@pytest.fixture(scope="module")
def account_namespace(cluster):
    cluster.kubectl("apply", "-f", str(ACCOUNT_NAMESPACE))
    deadline = time.monotonic() + 60
    # a quota refuses once the controller has counted what there is
    while "hard" not in cluster.get("resourcequota", "securescan-no-pods", "-n", HOME).get("status", {}):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield HOME
    cluster.kubectl("delete", "namespace", HOME, "--wait=false")


def test_a_borrowed_scanner_enters_where_neither_guard_nor_namespace_keeps_it(attacked):
    """The honest limit: who is allowed to make pods beside the targets is trusted then."""
    account = attacked.make_access()
    assert attacked.enter(attacked.dev.token) == 403
    status, body = attacked.dev.send(attacked.borrowing(account))
    assert status == 201, body
    token = attacked.token_of("borrower")
    assert attacked.enter(token) == 101
    attack_ends_as("08-pod-without-either", outcome="entered")
    # and it is over with the scan
    ensure_absent(attacked.client, attacked.place.run_id, [attacked.place.targets])
    gone = Attempt("enter", "GET", attacked.pod + "/exec?container=app&command=sh", headers=WEBSOCKET)
    deadline = time.monotonic() + 60
    while attacked.dev.send(gone, token)[0] != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_guard_keeps_pods_and_secrets_from_the_account_of_a_scan(attacked, guard):
    account = attacked.make_access()
    guard()
    for attempt, row in (
        (attacked.borrowing(account), "08-pod-guard"),
        (attacked.secret(account), "08-secret-guard"),
    ):
        dry = Attempt("borrow", "POST", attempt.path + "?dryRun=All", attempt.body, JSON)
        attacked.dev.send_until(dry, lambda status, _body: status == 403)
        status, body = attacked.dev.send(attempt)
        assert status == 403 and f"ValidatingAdmissionPolicy '{ACCOUNTS}'" in body, body
        attack_ends_as(row, outcome=f"refused by {ACCOUNTS}")
    # by what makes pods of templates, too: the workload is there, and its pods are refused
    attacked.cluster.kubectl(
        "create", "-n", attacked.place.targets, "-f", "-", stdin=json.dumps(_deployment(account))
    )
    deadline = time.monotonic() + 60
    while not any(
        f"ValidatingAdmissionPolicy '{ACCOUNTS}'" in event.get("message", "")
        for event in attacked.cluster.get("events", "-n", attacked.place.targets)["items"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    guard(state="absent")


def _deployment(account):
    template = pod("borrower", container(command=GIVES_TOKEN_AWAY))
    template["metadata"] = {"labels": {"app": "borrower"}}
    template["spec"]["serviceAccountName"] = account
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "borrower"},
        "spec": {
            "selector": {"matchLabels": {"app": "borrower"}},
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    }


def answer_without_the_guard(identity, attempt):
    """A policy that another test has just removed is in force for a moment longer."""
    deadline = time.monotonic() + 60
    while True:
        status, body = identity.send(attempt)
        if "ValidatingAdmissionPolicy" not in body or time.monotonic() > deadline:
            return status, body
        time.sleep(0.3)


def test_an_account_elsewhere_is_out_of_reach(attacked, account_namespace):
    """No guard is needed for that; the quota keeps also those out whose rights hold in all namespaces."""
    account = attacked.make_access(HOME)
    status, body = attacked.dev.send(attacked.borrowing(account))
    assert status == 403 and "error looking up service account" in body and "not found" in body, body
    attack_ends_as("08-pod-account-namespace", outcome="no such ServiceAccount")
    for attempt in (attacked.borrowing(account, HOME), attacked.secret(account, HOME)):
        status, body = answer_without_the_guard(attacked.dev, attempt)
        assert status == 403 and "exceeded quota: securescan-no-pods" in body, body
    attack_ends_as("08-pod-in-account-namespace", outcome="refused by the quota")
    ensure_absent(attacked.client, attacked.place.run_id, [attacked.place.targets])


@pytest.fixture
def home_operator(cluster, account_namespace, helper_operator_kubeconfig, tmp_path_factory):
    """The kubeconfig of a grantor that has no right on ServiceAccounts and tokens but in their own namespace."""
    folder = tmp_path_factory.mktemp("home-operator")
    more = [MANIFEST.with_name(f"grantor-{part}-clusterrole.yml") for part in ("debug", "image")]
    path = make_operator(cluster, folder, "operator-home", TARGETS_ROLE, *more)
    cluster.kubectl(
        *("create", "rolebinding", "securescan-grantor-accounts", "-n", HOME),
        "--role=securescan-grantor-accounts",
        f"--serviceaccount={NAMESPACE}:operator-home",
    )
    yield path
    cluster.kubectl("delete", "clusterrolebinding", "securescan-grantor-image-operator-home")


def test_whole_scans_work_with_accounts_elsewhere_under_the_guard(
    attacked, guard, scan, home_operator, cluster, account_namespace
):
    """By each approach, with a grantor whose rights are divided as the manifests have it; nothing is left."""
    guard(
        grantors=[f"system:serviceaccount:{NAMESPACE}:operator-home"],
        account_namespace=HOME,
        scanner_images=[BUSYBOX],
    )
    before = set(accesses_left(cluster).split())
    for approach in ("exec", "debug", "image"):
        done = scan(
            attacked.place.targets,
            approach=approach,
            kubeconfig=str(home_operator),
            helper_namespace=HELPERS,
            account_namespace=HOME,
            pods=["target"],
            containers=["app"],
        )
        assert done.targets["app"]["outcome"] == "scanned", done.targets["app"]["error"]
        # what is in namespaces of other tests may go meanwhile
        assert set(accesses_left(cluster).split()) - before == set()
    assert not cluster.get("pods", "-n", HELPERS)["items"]
    guard(state="absent")


def test_a_grantor_of_the_whole_cluster_is_an_administrator_without_the_guard(attacked):
    """The attack as it was done, on a ClusterRole of this test's own."""
    status, body = attacked.grantor.send(Attempt("token", "POST", CONTROLLER, TOKEN_REQUEST, JSON))
    assert status == 201, body
    token = json.loads(body)["status"]["token"]
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    role = attacked.grantor.names["grantor_role"]
    path = f"/apis/{RBAC}/clusterroles/{role}"
    before = attacked.cluster.get("clusterrole", role)["rules"]
    secrets = Attempt("read", "GET", "/api/v1/namespaces/kube-system/secrets?limit=1")
    assert attacked.grantor.send(secrets)[0] == 403
    patch = Attempt("escalate", "PATCH", path, {"rules": [*before, everything]}, MERGE)
    assert attacked.grantor.send(patch, token)[0] == 200
    try:
        assert attacked.grantor.send_until(secrets, lambda status, _body: status == 200)[0] == 200
    finally:
        attacked.cluster.kubectl(
            "patch", "clusterrole", role, "--type=merge", "-p", json.dumps({"rules": before})
        )
    attack_ends_as("17-token-without-guard", outcome="reads all Secrets")
    attacked.grantor.send_until(secrets, lambda status, _body: status == 403)


def test_the_guard_holds_the_grantor_to_accesses(attacked, guard):
    guard(grantors=[attacked.grantor.user])
    attempt = Attempt("token", "POST", CONTROLLER, TOKEN_REQUEST, JSON)
    status, body = attacked.grantor.send_until(attempt, lambda status, _body: status == 403)
    assert status == 403 and f"ValidatingAdmissionPolicy '{GRANTORS}'" in body, body
    attack_ends_as("17-token-guard", outcome=f"refused by {GRANTORS}")
    # also as a member of a group
    guard(state="absent")
    assert attacked.grantor.send_until(attempt, lambda status, _body: status == 201)[0] == 201
    guard(grantor_groups=[f"system:serviceaccounts:{attacked.place.others}"])
    status, body = attacked.grantor.send_until(attempt, lambda status, _body: status == 403)
    assert status == 403 and f"ValidatingAdmissionPolicy '{GRANTORS}'" in body, body
    guard(state="absent")


def test_no_field_of_a_pod_gets_past_the_guard_but_those_of_scans(attacked, guard, cluster):
    """Each field that the API server's own schema has, by itself: a newer Kubernetes has more of them."""
    schemas = json.loads(cluster.kubectl("get", "--raw", "/openapi/v3/api/v1"))["components"]["schemas"]
    run = attacked.place.run_id
    now = datetime.now(timezone.utc)
    grant = Grant(attacked.place.helpers, (PodRef(f"securescan-{run}-h1", ""),), "image")
    plan = AccessPlan(run, "tests", now + timedelta(seconds=600), now, (grant,))
    outcome = made(attacked.client, plan)
    account = f"securescan-{run}"
    names = {**attacked.names, "account": account, "uid": outcome.account_uid}
    scanner = Identity(cluster, attacked.place.connection, attacked.place.helpers, account, names)
    guard()
    path = f"/api/v1/namespaces/{attacked.place.helpers}/pods?dryRun=All"
    own = helper()

    def ask(change):
        body = json.loads(json.dumps(own))
        change(body)
        return Attempt("make", "POST", path, body, JSON)

    assert scanner.send_until(ask(lambda body: None), lambda status, _body: status == 201)[0] == 201
    scanner.send_until(
        ask(lambda body: body["metadata"].update(labels={"a": "b"})), lambda status, _body: status == 403
    )
    places = {
        "PodSpec": lambda body: body["spec"],
        "PodSecurityContext": lambda body: body["spec"]["securityContext"],
        "Container": lambda body: body["spec"]["containers"][0],
        "SecurityContext": lambda body: body["spec"]["containers"][0]["securityContext"],
        "VolumeMount": lambda body: body["spec"]["containers"][0]["volumeMounts"][0],
        "Affinity": lambda body: body["spec"]["affinity"],
    }
    refused, passed = 0, []
    for kind, place in places.items():
        for name, schema in schemas[f"io.k8s.api.core.v1.{kind}"]["properties"].items():
            if name in place(own):
                continue
            value = _some_value(name, schema, schemas)
            status, body = scanner.send(
                ask(lambda body, place=place, name=name, value=value: place(body).update({name: value}))
            )
            if status == 403 and f"ValidatingAdmissionPolicy '{HELPER}'" in body:
                refused += 1
            elif status == 201 and place(json.loads(body)).get(name) is not None:
                # else the server has left it out
                passed.append(f"{kind}.{name}: {value}")
    assert refused >= 40, refused
    # what the API server would say itself
    assert passed == [
        "PodSpec.preemptionPolicy: PreemptLowerPriority",
        "Container.terminationMessagePolicy: File",
        "SecurityContext.runAsNonRoot: True",
    ]
    ensure_absent(attacked.client, run, [attacked.place.helpers])
    guard(state="absent")
    attack_ends_as("21-new-fields", outcome=f"refused by {HELPER}")


def _some_value(name, schema, schemas, depth=0):
    """A value of the type that the schema says, with what it requires."""
    for part in schema.get("allOf", ()):
        schema = {**schema, **part}
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if "enum" in schema:
        return schema["enum"][-1]
    if kind == "object" and depth < 4:
        return {
            key: _some_value(key, schema["properties"][key], schemas, depth + 1)
            for key in schema.get("required", list(schema.get("properties", {}))[:1])
        }
    if kind == "array":
        return [_some_value(name, schema["items"], schemas, depth + 1)] if depth < 4 else []
    return {"integer": 1, "number": 1, "boolean": True, "string": "x"}.get(kind, "x")
