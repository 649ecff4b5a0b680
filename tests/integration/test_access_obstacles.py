# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster can put in the way of an access: size, quotas, policies, webhooks, namespaces that are going away.

Each time the outcome names what stood in the way, and nothing half-made is left.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
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
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import (
    request_token,
    wait_until_effective,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority


@pytest.fixture
def refusal(manage, left):
    """The error with which an access over the namespaces fails; nothing is left then."""

    def look(*namespaces):
        with pytest.raises(ScanError) as caught:
            manage(namespaces=list(namespaces))
        assert caught.value.reason == "access_incomplete"
        assert not left(manage.run_id)
        return caught.value

    return look


def plan_over(run_id, namespace, pods):
    now = datetime.now(timezone.utc)
    return AccessPlan(run_id, "tests", now + timedelta(seconds=600), now, (Grant(namespace, tuple(pods)),))


def may_enter(client, namespace, pod):
    asked = {"namespace": namespace, "verb": "create", "resource": "pods", "subresource": "exec", "name": pod}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    return client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)["status"][
        "allowed"
    ]


def test_5000_pods_with_the_longest_names(grantor, connection, own_namespace, left):
    """RBAC takes names of pods that do not exist, so 5,000 names are 5,000 pods to it."""
    namespace, run_id = own_namespace(), "longest-run-id-that-an-access-can-have-40"[:40]
    pods = [PodRef((f"pod-{number:04d}-").ljust(253, "x"), f"uid-{number}") for number in range(5000)]
    try:
        (outcome,) = ensure_present(grantor, plan_over(run_id, namespace, pods))
        assert outcome.error is None
        made = left(run_id)
        assert [
            sum(f"/{kind}" in "/" + item.split(" ")[1] for item in made)
            for kind in ("ServiceAccount/", "Role/", "RoleBinding/")
        ] == [1, 5, 5]
        scanner = RestClient(
            connection.with_bearer_token(request_token(grantor, run_id, namespace, 600).value)
        )
        wait_until_effective(scanner, Grant(namespace, tuple(pods)))
        for pod in (pods[0], pods[2500], pods[-1]):
            assert may_enter(scanner, namespace, pod.name)
        assert not may_enter(scanner, namespace, "pod-5000-".ljust(253, "x"))
        # fewer pods: the surplus Roles go, and with them the rights
        (outcome,) = ensure_present(grantor, plan_over(run_id, namespace, pods[:3]))
        assert outcome.changed
        assert len(left(run_id)) == 3
    finally:
        (outcome,) = ensure_absent(grantor, run_id, [namespace])
        assert outcome.error is None
        assert not left(run_id)


@pytest.mark.parametrize(
    ("resource", "hard"), [("serviceaccounts", "1"), ("roles.rbac.authorization.k8s.io", "0")]
)
def test_a_quota_is_named(resource, hard, own_namespace, refusal, cluster):
    """The second quota strikes when the ServiceAccount is there already."""
    namespace = own_namespace()
    cluster.kubectl("create", "quota", "small", "-n", namespace, f"--hard=count/{resource}={hard}")
    wait_for(lambda: is_used_up(cluster, namespace, resource))
    assert refusal(namespace).cause == "The resource quota small is used up."


def is_used_up(cluster, namespace, resource):
    """Whether the API server has taken notice of the quota and of all that counts for it."""
    kind, _dot, _group = resource.partition(".")
    more = (
        ("role", "probe", "--verb=get", "--resource=pods") if kind == "roles" else ("serviceaccount", "probe")
    )
    tried = cluster.kubectl_run("create", *more, "-n", namespace, "--dry-run=server")
    return "exceeded quota: small" in tried.stderr


def test_where_one_namespace_refuses_the_others_stand(own_namespace, manage, cluster, left):
    namespace = own_namespace()
    cluster.kubectl("create", "quota", "small", "-n", namespace, "--hard=count/serviceaccounts=1")
    wait_for(lambda: is_used_up(cluster, namespace, "serviceaccounts"))
    result = manage(namespaces=[namespace, "shop"])
    assert [entry["namespace"] for entry in result["access"]["namespaces"]] == ["shop"]
    (failure,) = result["failures"]
    assert (failure["namespace"], failure["error"]["reason"]) == (namespace, "access_incomplete")
    assert {item.split(" ")[0] for item in left(manage.run_id)} == {"shop"}


def test_an_admission_policy_is_named(own_namespace, refusal, cluster):
    namespace = own_namespace()
    name = "no-bindings-" + namespace
    scope = {
        "resourceRules": [
            {
                "apiGroups": ["rbac.authorization.k8s.io"],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["rolebindings"],
            }
        ],
        "namespaceSelector": only(namespace),
    }
    version = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": scope,
            "validations": [{"expression": "false", "message": "nobody binds here"}],
        },
    }
    binding = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    with applied(cluster, policy, binding):
        wait_for(
            lambda: (
                cluster.kubectl_run(
                    "create",
                    "rolebinding",
                    "probe",
                    "-n",
                    namespace,
                    "--clusterrole=view",
                    "--user=nobody",
                    "--dry-run=server",
                ).returncode
            )
        )
        error = refusal(namespace)
        assert error.cause == f"The ValidatingAdmissionPolicy {name} (binding {name}) denied it."
        assert "nobody binds here" in error.message


def test_a_webhook_that_does_not_answer_is_named(own_namespace, refusal, cluster, tmp_path):
    """It strikes at the last object, so that two are there to be taken back."""
    namespace = own_namespace()
    authority = Authority(tmp_path)
    with silent_server() as port:
        hook = {
            "name": "silent.tests.example",
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": only(namespace),
            "clientConfig": {
                "url": f"https://127.0.0.1:{port}/",
                "caBundle": base64.b64encode(authority.ca.read_bytes()).decode(),
            },
            "rules": [
                {
                    "apiGroups": ["rbac.authorization.k8s.io"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "DELETE"],
                    "resources": ["rolebindings"],
                }
            ],
        }
        configuration = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "silent-" + namespace},
            "webhooks": [hook],
        }
        with applied(cluster, configuration):
            wait_for(
                lambda: (
                    cluster.kubectl_run(
                        "create",
                        "rolebinding",
                        "probe",
                        "-n",
                        namespace,
                        "--user=nobody",
                        "--clusterrole=view",
                        "--dry-run=server",
                    ).returncode
                )
            )
            assert refusal(namespace).cause == "The admission webhook silent.tests.example did not answer."


def test_a_namespace_that_is_going_away_is_named(own_namespace, refusal, cluster):
    namespace = own_namespace(finalizers=["tests.example/hold"])
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    wait_for(lambda: cluster.get("namespace", namespace)["status"]["phase"] == "Terminating")
    try:
        error = refusal(namespace)
        assert error.cause == "The namespace is being deleted."
        assert "Leave the namespace out" in error.advice
    finally:
        cluster.kubectl(
            "patch",
            "pod",
            "waiting",
            "-n",
            namespace,
            "--type=merge",
            "-p",
            '{"metadata": {"finalizers": null}}',
        )


def test_what_cannot_be_taken_back_is_said(own_namespace, manage, cluster, left):
    """A policy that lets nothing be created after the ServiceAccount, and nothing be deleted."""
    namespace = own_namespace()
    name = "no-way-back-" + namespace
    rules = [
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["roles"],
        },
        {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["DELETE"],
            "resources": ["serviceaccounts"],
        },
    ]
    version = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "validations": [{"expression": "false", "message": "no"}],
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": only(namespace)},
        },
    }
    binding = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    with applied(cluster, policy, binding):
        wait_for(
            lambda: (
                cluster.kubectl_run(
                    "create",
                    "role",
                    "probe",
                    "-n",
                    namespace,
                    "--verb=get",
                    "--resource=pods",
                    "--dry-run=server",
                ).returncode
            )
        )
        with pytest.raises(ScanError) as caught:
            manage(namespaces=[namespace])
        assert caught.value.reason == "access_remains"
        assert "not removed again: ServiceAccount" in caught.value.message
        assert len(left(manage.run_id)) == 1
        with pytest.raises(ScanError) as caught:
            manage(state="absent", namespaces=[namespace])
        assert caught.value.reason == "access_remains"
        assert name in caught.value.cause
    wait_for(lambda: absent_works(manage, namespace))


def absent_works(manage, namespace):
    with contextlib.suppress(ScanError):
        return manage(state="absent", namespaces=[namespace])
    return None


def only(namespace):
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


@contextlib.contextmanager
def applied(cluster, *objects):
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    cluster.kubectl("apply", "-f", "-", stdin=text)
    try:
        yield
    finally:
        cluster.kubectl("delete", "-f", "-", stdin=text)


@contextlib.contextmanager
def silent_server():
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in kept:
            connection.close()


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
