# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_access with state=proven: what a token cannot do is shown, what it can do and should not is named, and nothing is left."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

RUN = "tests-1"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"


class AccessTask(TaskRunner):
    def __call__(self, state: str = "proven", *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        given = {"state": state, "run_id": RUN, "namespaces": ["shop"], "pods": ["web-*"]}
        return super().__call__(check_mode=check_mode, **{**given, **changes})


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    """A namespace with a chosen pod and another one, and a second namespace."""
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    cluster.add_pod("db-1", run_locally)
    cluster.add_pod("web-1", run_locally)
    server.add_pod("billing", "web-2", {"app": no_shell})
    return cluster


@pytest.fixture
def proof(cluster: Cluster) -> AccessTask:
    return AccessTask(cluster.server, run_scan_access, scan_access_spec)


def grant_to_scanner(server: FakeApiServer, verbs: str, resource: str) -> None:
    """A role of somebody else, bound to the scanner of the run."""
    rule = {"apiGroups": [""], "resources": [resource], "verbs": verbs.split()}
    server.objects.put(f"{RBAC}/roles/wide", {"kind": "Role", "rules": [rule]})
    subject = {"kind": "ServiceAccount", "namespace": "shop", "name": f"securescan-{RUN}"}
    binding = {"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "wide"}, "subjects": [subject]}
    server.objects.put(f"{RBAC}/rolebindings/wide", binding)


def tried(server: FakeApiServer) -> list[str]:
    return [f"{request.method} {request.path}" for request in server.requests]


def test_what_the_token_cannot_do_is_asked_listed_and_tried_and_nothing_is_left(
    proof: AccessTask, cluster: Cluster
) -> None:
    result = proof()
    found = result["proof"]
    assert (found["proven"], found["allowed"], found["namespaces"], found["pods"]) == (True, [], 1, 1)
    refused = {(one["how"], one["what"]) for one in found["refused"]}
    assert {
        ("asked", "create pods/exec"),
        ("asked", "impersonate users"),
        ("tried", "enter a pod that was not chosen"),
        ("tried", "bind itself to cluster-admin"),
    } <= refused
    assert not result.get("failed") and not result["changed"] and cluster.accesses() == []
    assert cluster.server.token not in json.dumps(result)
    assert any("/namespaces/shop/pods/db-1/exec" in line for line in tried(cluster.server)), (
        "no pod was tried"
    )


@pytest.mark.parametrize(
    ("verbs", "resource", "named"),
    [
        ("list", "secrets", {"asked", "listed", "tried"}),
        ("get create", "pods/exec", {"asked", "listed", "tried"}),
        ("create", "pods", {"asked", "listed", "tried"}),
        # nobody thought of it: the API server's own list tells
        ("list", "endpoints", {"listed"}),
    ],
)
def test_what_is_allowed_and_should_not_be_fails_and_is_named(
    verbs: str, resource: str, named: set[str], proof: AccessTask, cluster: Cluster
) -> None:
    grant_to_scanner(cluster.server, verbs, resource)
    result = proof()
    found = result["proof"]
    assert (result["failed"], result["error"]["reason"], found["proven"]) == (True, "access_too_wide", False)
    assert {one["how"] for one in found["allowed"]} == named
    said = {one["what"] for one in found["allowed"]}
    assert {f"{verb} {resource}" for verb in verbs.split()} <= said
    assert [path for path in cluster.accesses() if "/wide" not in path] == []


def test_what_every_identity_is_meant_to_have_is_no_failure(proof: AccessTask, cluster: Cluster) -> None:
    grant_to_scanner(cluster.server, "list", "endpoints")
    assert proof(also_allowed=["list endpoints"])["proof"]["proven"]
    with pytest.raises(ScanError, match="no right such as"):
        proof(also_allowed=["endpoints"])


def test_an_access_that_was_given_is_proven_and_stays(proof: AccessTask, cluster: Cluster) -> None:
    access = proof("present")["access"]
    there = cluster.accesses()
    assert proof(access=access, run_id=None, pods=[])["proof"]["proven"]
    assert cluster.accesses() == there


def test_the_option_access_belongs_to_the_proof(proof: AccessTask, cluster: Cluster) -> None:
    with pytest.raises(ScanError, match="state=proven"):
        proof("present", access={"run_id": RUN})
    assert cluster.server.requests == []


def test_check_mode_makes_nothing_and_proves_nothing(proof: AccessTask, cluster: Cluster) -> None:
    result = proof(check_mode=True)
    assert result["proof"]["proven"] is False and proof.warnings == [
        "nothing was proven: check mode makes no access"
    ]
    assert [request for request in cluster.server.requests if request.method != "GET"] == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", on="GET .*/pods/db-1/exec", status=401, reason="Unauthorized", text="no"),
        Fault("status", on="GET .*/secrets", status=500, reason="InternalError", text="no"),
        Fault("status", on="POST .*/selfsubjectrulesreviews", status=500, reason="InternalError", text="no"),
    ],
    ids=["a token that is not known", "a server that fails", "no list of rules"],
)
def test_what_could_not_be_asked_or_tried_proves_nothing(
    fault: Fault, proof: AccessTask, cluster: Cluster
) -> None:
    cluster.server.faults.append(fault)
    with pytest.raises(ScanError):
        proof()
    assert cluster.accesses() == []


def test_a_refusal_by_admission_shows_that_rbac_let_it_through(proof: AccessTask, cluster: Cluster) -> None:
    cluster.server.faults.append(
        Fault(
            "status", on="POST .*/pods.dryRun", status=403, reason="Forbidden", text="exceeded quota: small"
        )
    )
    (allowed,) = proof()["proof"]["allowed"]
    assert (allowed["how"], allowed["what"]) == ("tried", "create a pod") and "quota" in allowed["answer"]
