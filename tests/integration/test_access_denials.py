# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real scanner's token cannot do, tried one by one, and that it is dead when its access is over."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import uuid

import pytest
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import API, pods_of, run_task
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
    request,
    row,
    word,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.denials_table import check_or_write, page

TOKEN_CACHE = 15  # seconds; the API server remembers a token that it has accepted for 10
# Seconds: what was deleted reaches the API server's authorizer and authenticator a moment later.
SPREADING = 5
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE_REF = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
ALL = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
DEBUGGER = {
    "spec": {"ephemeralContainers": [{"name": "debugger", "image": "none", "targetContainerName": "api"}]}
}


def bound(kind):
    return made(
        "rbac.authorization.k8s.io/v1",
        kind,
        roleRef=ROLE_REF,
        subjects=[{"kind": "ServiceAccount", "name": "{account}", "namespace": "shop"}],
    )


DENIED = [
    Attempt(
        "enter another pod of the namespace", "GET", PODS + "/{other}" + EXEC % "legacy", headers=WEBSOCKET
    ),
    Attempt("the same by POST, as SPDY does", "POST", PODS + "/{other}" + EXEC % "legacy"),
    Attempt("read another pod of the namespace", "GET", PODS + "/{other}"),
    Attempt("read a pod that does not exist", "GET", PODS + "/nobody"),
    Attempt(
        "enter a pod of another namespace",
        "GET",
        "/api/v1/namespaces/kube-system/pods/{pod}" + EXEC % "api",
        headers=WEBSOCKET,
    ),
    Attempt("list the pods of another namespace", "GET", "/api/v1/namespaces/kube-system/pods"),
    Attempt("list pods", "GET", PODS),
    Attempt("list a chosen pod by its name", "GET", PODS + "?fieldSelector=metadata.name={pod}"),
    Attempt("list pods of all namespaces", "GET", "/api/v1/pods"),
    Attempt("watch pods", "GET", PODS + "?watch=true"),
    Attempt("watch a chosen pod", "GET", PODS + "?watch=true&fieldSelector=metadata.name={pod}"),
    Attempt("read the log of a chosen pod", "GET", PODS + "/{pod}/log"),
    Attempt(
        "attach to a chosen pod", "GET", PODS + "/{pod}/attach?container=api&stdout=true", headers=WEBSOCKET
    ),
    Attempt(
        "forward a port of a chosen pod",
        "GET",
        PODS + "/{pod}/portforward?ports=8080",
        headers=dict(WEBSOCKET, **{"Sec-WebSocket-Protocol": "v4.channel.k8s.io"}),
    ),
    Attempt("reach a chosen pod through the API server's proxy", "GET", PODS + "/{pod}/proxy/"),
    Attempt(
        "reach a service through the API server's proxy",
        "GET",
        "/api/v1/namespaces/default/services/https:kubernetes:443/proxy/",
    ),
    Attempt(
        "put an ephemeral container into a chosen pod",
        "PATCH",
        PODS + "/{pod}/ephemeralcontainers",
        DEBUGGER,
        STRATEGIC,
    ),
    Attempt(
        "resize a chosen pod",
        "PATCH",
        PODS + "/{pod}/resize",
        {"spec": {"containers": [{"name": "api"}]}},
        STRATEGIC,
    ),
    Attempt(
        "evict a chosen pod", "POST", PODS + "/{pod}/eviction", made("policy/v1", "Eviction", "{pod}"), JSON
    ),
    Attempt(
        "change the labels of a chosen pod",
        "PATCH",
        PODS + "/{pod}",
        {"metadata": {"labels": {"a": "b"}}},
        MERGE,
    ),
    Attempt("change the status of a chosen pod", "PATCH", PODS + "/{pod}/status", {"status": {}}, MERGE),
    Attempt("delete a chosen pod", "DELETE", PODS + "/{pod}"),
    Attempt("delete all pods", "DELETE", PODS),
    Attempt(
        "create a pod",
        "POST",
        PODS,
        made("v1", "Pod", spec={"containers": [{"name": "a", "image": "none"}]}),
        JSON,
    ),
    Attempt(
        "bind a pod to a node",
        "POST",
        PODS + "/{pod}/binding",
        made("v1", "Binding", "{pod}", target={"kind": "Node", "name": "{node}"}),
        JSON,
    ),
    Attempt("list secrets", "GET", SHOP + "/secrets"),
    Attempt("read a secret by its name", "GET", SHOP + "/secrets/anything"),
    Attempt(
        "create a long-lived token for itself",
        "POST",
        SHOP + "/secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": "attempt",
                "annotations": {"kubernetes.io/service-account.name": "{account}"},
            },
        },
        JSON,
    ),
    Attempt("list config maps", "GET", SHOP + "/configmaps"),
    Attempt("read the namespace's CA config map", "GET", SHOP + "/configmaps/kube-root-ca.crt"),
    Attempt("list events", "GET", SHOP + "/events"),
    Attempt("list service accounts", "GET", SHOP + "/serviceaccounts"),
    Attempt(
        "ask for a token for itself",
        "POST",
        SHOP + "/serviceaccounts/{account}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        JSON,
    ),
    Attempt(
        "ask for a token of another service account",
        "POST",
        SHOP + "/serviceaccounts/default/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        JSON,
    ),
    Attempt(
        "extend its own life by its label",
        "PATCH",
        SHOP + "/serviceaccounts/{account}",
        {"metadata": {"labels": {"securescan.kubernetes/expires": "20991231T000000Z"}}},
        MERGE,
    ),
    Attempt("read its own Role", "GET", RBAC + "/namespaces/shop/roles/{account}"),
    Attempt("widen its own Role", "PATCH", RBAC + "/namespaces/shop/roles/{account}", {"rules": ALL}, MERGE),
    Attempt(
        "create a Role",
        "POST",
        RBAC + "/namespaces/shop/roles",
        made("rbac.authorization.k8s.io/v1", "Role", rules=ALL),
        JSON,
    ),
    Attempt(
        "bind itself to cluster-admin in the namespace",
        "POST",
        RBAC + "/namespaces/shop/rolebindings",
        bound("RoleBinding"),
        JSON,
    ),
    Attempt(
        "bind itself to cluster-admin",
        "POST",
        RBAC + "/clusterrolebindings",
        bound("ClusterRoleBinding"),
        JSON,
    ),
    Attempt(
        "bind others by its own RoleBinding",
        "PATCH",
        RBAC + "/namespaces/shop/rolebindings/{account}",
        {
            "subjects": [
                {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}
            ]
        },
        MERGE,
    ),
    Attempt("delete its own RoleBinding", "DELETE", RBAC + "/namespaces/shop/rolebindings/{account}"),
    Attempt("act as a user", "GET", PODS, headers={"Impersonate-User": "admin"}),
    Attempt(
        "act as a member of system:masters",
        "GET",
        PODS,
        headers={"Impersonate-User": "admin", "Impersonate-Group": "system:masters"},
    ),
    Attempt(
        "act as another service account",
        "GET",
        PODS,
        headers={"Impersonate-User": "system:serviceaccount:kube-system:default"},
    ),
    Attempt("list nodes", "GET", "/api/v1/nodes"),
    Attempt("reach the kubelet through the API server", "GET", "/api/v1/nodes/{node}/proxy/pods"),
    Attempt(
        "enter a chosen pod by the kubelet through the API server",
        "POST",
        "/api/v1/nodes/{node}/proxy/run/shop/{pod}/api?cmd=id",
    ),
    Attempt("list namespaces", "GET", "/api/v1/namespaces"),
    Attempt("create a namespace", "POST", "/api/v1/namespaces", made("v1", "Namespace"), JSON),
    Attempt(
        "scale the Deployment of the chosen pods",
        "PATCH",
        "/apis/apps/v1/namespaces/shop/deployments/api/scale",
        {"spec": {"replicas": 0}},
        MERGE,
    ),
    Attempt(
        "ask for a client certificate",
        "POST",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        made(
            "certificates.k8s.io/v1",
            "CertificateSigningRequest",
            spec={
                "request": "YQ==",
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["client auth"],
            },
        ),
        JSON,
    ),
    Attempt(
        "have a token reviewed",
        "POST",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "a"}},
        JSON,
    ),
    Attempt(
        "ask what another may do",
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "admin"}},
        JSON,
    ),
    Attempt(
        "take a webhook out of the way",
        "DELETE",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/anything",
    ),
    Attempt("read the API server's metrics", "GET", "/metrics"),
    Attempt("list pods at the kubelet's own port", "GET", "/pods", at="kubelet"),
    Attempt(
        "enter a chosen pod at the kubelet's own port", "POST", "/run/shop/{pod}/api?cmd=id", at="kubelet"
    ),
    Attempt(
        "the same by the kubelet's exec",
        "GET",
        "/exec/shop/{pod}/api?command=id&output=1",
        headers=WEBSOCKET,
        at="kubelet",
    ),
    Attempt(
        "read a chosen pod's log at the kubelet's own port",
        "GET",
        "/containerLogs/shop/{pod}/api",
        at="kubelet",
    ),
    Attempt("read the node's log files at the kubelet's own port", "GET", "/logs/", at="kubelet"),
    Attempt("read the kubelet's metrics", "GET", "/metrics", at="kubelet"),
]

ALLOWED = [
    Attempt("see that a chosen pod is the same", "GET", PODS + "/{pod}"),
    Attempt("enter a chosen pod", "GET", PODS + "/{pod}" + EXEC % "api", headers=WEBSOCKET),
    Attempt(
        "ask what it may do itself",
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "shop"}},
        },
        JSON,
    ),
    Attempt(
        "ask who it is",
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        JSON,
    ),
    Attempt("see which resources there are", "GET", "/api/v1"),
    Attempt("see the cluster's version", "GET", "/version"),
    Attempt("read the public keys of the cluster's tokens", "GET", "/openid/v1/jwks"),
]


@pytest.fixture(scope="module")
def scanner(cluster, connection, grantor, operator_kubeconfig):
    run_id = f"test-{uuid.uuid4().hex[:8]}"
    pods = pods_of(run_task(operator_kubeconfig, run_id=run_id, **API)["access"])
    yield Scanner(cluster, connection, grantor, run_id, pods)
    run_task(operator_kubeconfig, state="absent", run_id=run_id)


@pytest.fixture(scope="module")
def answers(scanner):
    """(status, body) by attempt, all tried with one token."""
    return {
        attempt.what: scanner.send(attempt)
        for attempt in [*DENIED, *ALLOWED]
        if attempt.at == "api" or scanner.kubelet
    }


@pytest.mark.parametrize("attempt", DENIED, ids=[attempt.what for attempt in DENIED])
def test_the_scanner_cannot(attempt, answers):
    if attempt.what not in answers:
        pytest.skip("the kubelet's port of a foreign cluster is not known")
    status, body = answers[attempt.what]
    assert status == 403, body
    if attempt.at == "api":
        said = json.loads(body)
        assert said["reason"] == "Forbidden"
        # RBAC refused, not some check that comes after it
        assert "system:serviceaccount:shop:securescan-" in said["message"]
    else:
        assert "system:serviceaccount:shop:securescan-" in body
    attack_ends_as("H-16-token", outcome="refused")


@pytest.mark.parametrize("attempt", ALLOWED, ids=[attempt.what for attempt in ALLOWED])
def test_the_scanner_can(attempt, answers):
    """Without it, a token that is refused everything would pass for one that is held to its rights."""
    assert answers[attempt.what][0] in (101, 200, 201), answers[attempt.what]


def test_nothing_came_of_the_attempts(answers, cluster):
    assert cluster.kubectl_run("get", "namespace", "attempt").returncode != 0
    for kind in ("pod", "role", "rolebinding", "secret"):
        assert cluster.kubectl_run("get", kind, "attempt", "-n", "shop").returncode != 0
    assert cluster.kubectl_run("get", "clusterrolebinding", "attempt").returncode != 0


LOOK = ALLOWED[0]
WHO = ALLOWED[3]


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_token_says_what_was_asked_for(scanner, cluster):
    claims = claims_of(scanner.token)
    assert claims["exp"] - claims["iat"] == 600
    assert claims["sub"] == "system:serviceaccount:shop:securescan-" + scanner.run_id
    account = cluster.get("serviceaccount", scanner.names["account"], "-n", "shop")
    assert claims["kubernetes.io"]["serviceaccount"]["uid"] == account["metadata"]["uid"]
    assert len(claims["aud"]) == 1


def signed(claims, header, key):
    """A token as the API server would sign it, by its own key."""

    def part(content):
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    text = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    der = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(key)], input=text, capture_output=True, check=True
    ).stdout
    # ASN.1 SEQUENCE of two INTEGERs -> the two numbers of 32 bytes that ES256 wants
    numbers, at = b"", 2
    for _number in range(2):
        length = der[at + 1]
        numbers += der[at + 2 : at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return (text + b"." + part(numbers)).decode()


@pytest.fixture(scope="module")
def aged(scanner):
    """The scanner's own token, signed anew by the cluster's key with other times: `aged(seconds since its end)`."""
    if not scanner.cluster.made_here:
        pytest.skip("the signing key of a foreign cluster is not ours")
    part = scanner.token.split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert header["alg"] == "ES256"

    def make(since_end):
        end = int(time.time()) - since_end
        claims = dict(claims_of(scanner.token), exp=end, iat=end - 600, nbf=end - 600)
        return signed(claims, header, scanner.cluster.made_here.state.certificates / "tokens.key")

    return make


@pytest.fixture(scope="module")
def endings(scanner, answers, aged, operator_kubeconfig):
    """(when, request, status), in order; the access is removed on the way, so this comes last."""
    seen = [
        ("before its end", LOOK, scanner.send(LOOK, aged(-300))[0]),
        ("half a minute after its end", LOOK, scanner.send(LOOK, aged(30))[0]),
        ("two minutes after its end", LOOK, scanner.send(LOOK, aged(120))[0]),
    ]
    unused, in_use = [scanner.new_token() for _token in range(SPREADING * 2)], scanner.new_token()
    entering = ALLOWED[1]
    seen.append(("before the removal", entering, scanner.send(entering, in_use)[0]))
    run_task(operator_kubeconfig, state="absent", run_id=scanner.run_id)
    removed = time.monotonic()
    status = scanner.send(entering, in_use)[0]
    while status == 101 and time.monotonic() < removed + SPREADING:
        time.sleep(0.1)
        status = scanner.send(entering, in_use)[0]
    # where a removal takes so long that the token has been forgotten, it is refused for that
    status = 403 if status == 401 else status
    seen.append(("at once after the removal, a token that was in use", entering, status))
    for token in unused:
        status = scanner.send(WHO, token)[0]
        if status == 401:
            break
        time.sleep(0.5)
    seen.append(("at once after the removal, a token that was never used", WHO, status))
    deadline = time.monotonic() + TOKEN_CACHE
    while scanner.send(WHO, in_use)[0] != 401 and time.monotonic() < deadline:
        time.sleep(0.5)
    seen.append(
        (
            "at most ten seconds after the removal, the token that was in use",
            WHO,
            scanner.send(WHO, in_use)[0],
        )
    )
    # an account of the same name does not bring the old one's token back to life
    run_task(operator_kubeconfig, run_id=scanner.run_id, **API)
    seen.append(("when the access is made anew under the same names", WHO, scanner.send(WHO, in_use)[0]))
    return seen


def test_a_token_is_dead_after_its_end_and_after_the_removal_of_its_access(endings):
    # half a minute after its end it still works: the API server's check of `exp` is a minute lenient
    assert [status for _when, _attempt, status in endings] == [200, 200, 401, 101, 403, 401, 401, 401]


def test_the_page_says_what_came_out(answers, endings, cluster):
    version = json.loads(cluster.kubectl("get", "--raw", "/version"))["gitVersion"]
    check_or_write(
        page(
            version.lstrip("v"),
            [row(attempt, answers[attempt.what][0]) for attempt in DENIED],
            [row(attempt, answers[attempt.what][0]) for attempt in ALLOWED],
            [(when, request(attempt), word(status)) for when, attempt, status in endings],
        )
    )
