# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped ClusterRole: enough for everything that the operator's credential is for, and nothing too much."""

from __future__ import annotations

import json
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import request_token
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import (
    API,
    run_task,
    wait_until_allowed,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    shipped_cluster_role,
)

OPTIONAL = {"namespaces", "replicasets", "jobs"}


def rights():
    """(API group, resource, verb) of the shipped ClusterRole, one by one."""
    return [
        (group, resource, verb)
        for rule in shipped_cluster_role()["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


NEEDED = [right for right in rights() if right[1] not in OPTIONAL]


def role_of(name, kept):
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": [verb]} for group, resource, verb in kept
    ]
    version = "rbac.authorization.k8s.io/v1"
    return [
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": version,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
        },
    ]


@pytest.fixture(scope="module")
def users(cluster):
    """Users that lack one right each, by that right; under None one without the optional rights."""
    prefix = f"tests-{uuid.uuid4().hex[:6]}-"
    users = {right: prefix + str(number) for number, right in enumerate(NEEDED)}
    users[None] = prefix + "none"
    items = [
        item
        for right, name in users.items()
        for item in role_of(name, [kept for kept in NEEDED if kept != right])
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("create", "-f", "-", stdin=text)
    # the last one's rights reach the authorizer last
    wait_until_allowed(cluster, users[None], "list", "pods", "shop")
    yield users
    cluster.kubectl("delete", "--wait=false", "-f", "-", stdin=text)


def everything(cluster, user):
    """What the operator's credential is for, as the user: make, change, use, remove. The first error, or None."""
    run_id = f"test-{uuid.uuid4().hex[:8]}"
    me = {"kubeconfig": str(cluster.kubeconfig), "impersonate_user": user, "run_id": run_id}
    try:
        run_task(**me, **API)
        run_task(**me, owner="somebody-else", **API)
        request_token(client_of(cluster, user), run_id, "shop", 600)
        run_task(**me, state="absent", namespaces=[])
    except ScanError as error:
        return error
    finally:
        run_task(cluster.kubeconfig, run_id=run_id, state="absent")
    return None


def client_of(cluster, user):
    return RestClient(
        connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig), impersonate_user=user), {})
    )


def test_it_is_enough_without_its_optional_rules(users, cluster):
    assert everything(cluster, users[None]) is None


@pytest.mark.parametrize("right", NEEDED, ids=[f"{verb} {resource}" for _group, resource, verb in NEEDED])
def test_without_this_right_something_fails_and_names_it(right, users, cluster):
    _group, resource, verb = right
    error = everything(cluster, users[right])
    assert error is not None
    assert (
        f'cannot {verb} resource "{resource}"' in str(error)
        or f"the grantor lacks {verb} on {resource}" in error.cause
    ), error


def test_it_cannot_give_more_than_it_has():
    for _group, resource, verb in rights():
        assert verb not in ("escalate", "bind", "impersonate", "*")
        assert resource not in ("*", "secrets")


def test_without_the_optional_rules_less_is_known(users, cluster):
    client = client_of(cluster, users[None])
    kinds = {
        selected.target.workload_kind for selected in select_targets(client, "test", Selection(("shop",)))
    }
    assert kinds == {"ReplicaSet", "Pod"}
    with pytest.raises(ScanError) as caught:
        list(select_targets(client, "test", Selection(("sh*",))))
    assert "list on namespaces" in caught.value.advice


def test_a_whole_scan_with_the_operators_credential(playbooks, operator_kubeconfig):
    run = playbooks.scan(
        scan_kubeconfig=str(operator_kubeconfig),
        scan_fail_on="never",
        **{"scan_" + name: value for name, value in API.items()},
    )
    assert run.status == 0, run.output[-3000:]
    assert [(target["workload_kind"], target["outcome"]) for target in run.summary["targets"]] == [
        ("Deployment", "scanned")
    ] * 2


def test_the_role_makes_and_sweeps(playbooks, operator_kubeconfig, tmp_path):
    """The role `access` with each of its states."""
    role = {"name": "securescan.kubernetes.access"}
    tasks = [
        {"ansible.builtin.include_role": role, "vars": variables}
        for variables in (
            {
                "access_namespaces": ["shop"],
                "access_label_selectors": API["label_selectors"],
                "access_scanner_kubeconfig": str(tmp_path / "scanner"),
            },
            {"access_state": "swept"},
            {
                "access_state": "absent",
                "access_run_id": "{{ access_granted.run_id }}",
                "access_scanner_kubeconfig": str(tmp_path / "scanner"),
            },
        )
    ]
    tasks.insert(
        1,
        {
            "ansible.builtin.stat": {"path": str(tmp_path / "scanner")},
            "register": "file",
            "failed_when": "file.stat.mode != '0600'",
        },
    )
    play = tmp_path / "play.json"
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    run = playbooks.run(str(play), "-v", access_kubeconfig=str(operator_kubeconfig))
    assert run.status == 0, run.output[-3000:]
    assert "eyJ" not in run.output
    assert not (tmp_path / "scanner").exists()
