# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An access whose ServiceAccounts live in a namespace of their own: no garbage collector takes its Roles, and all goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import lifecycle
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.made_access import as_result
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import PodRef
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.sweep import sweep
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import (
    AccessOptions,
    scan_access_spec,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.support.denials_table import DOCS

HOME = "securescan-accounts"
ACCOUNTS = f"/api/v1/namespaces/{HOME}/serviceaccounts"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
UIDS = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]


@pytest.fixture
def plan(plan):
    pods = tuple(PodRef(f"api-{number}", uid) for number, uid in enumerate(UIDS))
    return replace(
        plan, grants=tuple(replace(grant, pods=pods, account_namespace=HOME) for grant in plan.grants)
    )


def ours(server):
    return [path for path in server.objects.paths() if "/securescan-run" in path]


def test_there_is_one_account_for_each_namespace_and_none_in_it(client, plan, server):
    outcomes = lifecycle.ensure_present(client, plan)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    accounts = [path for path in ours(server) if "/serviceaccounts/" in path]
    assert accounts == [f"{ACCOUNTS}/securescan-run-1.billing", f"{ACCOUNTS}/securescan-run-1.shop"]
    role, binding = (
        server.objects.find(f"{RBAC}/shop/{kind}/securescan-run-1") for kind in ("roles", "rolebindings")
    )
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "securescan-run-1.shop", "namespace": HOME}
    ]
    # an owner of another namespace would have the cluster delete them at once
    assert "ownerReferences" not in role["metadata"] and "ownerReferences" not in binding["metadata"]
    assert not any(outcome.changed for outcome in lifecycle.ensure_present(client, plan))


@pytest.mark.parametrize("told", [HOME, ""], ids=["told where", "by the RoleBindings"])
def test_a_removal_takes_the_account_of_its_namespace_and_no_other(told, client, plan, server):
    lifecycle.ensure_present(client, plan)
    lifecycle.ensure_absent(client, "run-1", ["shop"], account_namespace=told)
    assert not [path for path in ours(server) if "shop" in path]
    assert len(ours(server)) == 3
    lifecycle.ensure_absent(client, "run-1", ["billing"], account_namespace=told)
    assert not ours(server)


def test_accounts_whose_roles_are_gone_are_found_by_their_labels(client, plan, server):
    lifecycle.ensure_present(client, plan)
    for path in ours(server):
        if "/serviceaccounts/" not in path:
            server.objects.remove(path)
    assert lifecycle.namespaces_of_run(client, "run-1") == [HOME]
    lifecycle.ensure_absent(client, "run-1", [HOME])
    assert not ours(server)


@pytest.mark.parametrize("kind", ["serviceaccounts", "roles", "rolebindings"])
def test_a_failure_leaves_nothing_of_its_namespace(kind, client, plan, server):
    where = f"{HOME}/serviceaccounts" if kind == "serviceaccounts" else f"billing/{kind}"
    fault = Fault("status", on=f"POST .*/{where}", status=403, reason="Forbidden", text="no")
    server.faults.append(fault)
    outcomes = {outcome.namespace: outcome for outcome in lifecycle.ensure_present(client, plan)}
    assert outcomes["billing"].error.reason == "access_incomplete"
    assert not [path for path in ours(server) if "billing" in path]


def test_an_interrupt_removes_what_was_made_in_all_namespaces(client, plan, server, monkeypatch):
    create = type(client).create

    def interrupted(self, path, body, query=None):
        made = create(self, path, body, query)
        if "/billing/rolebindings" in path:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(type(client), "create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.ensure_present(client, plan)
    assert not ours(server)


def test_what_a_killed_run_left_is_swept_by_its_labels(client, plan, server):
    """Also Roles whose ServiceAccount somebody has deleted: nothing else would take them."""
    lifecycle.ensure_present(client, plan)
    server.objects.remove(f"{ACCOUNTS}/securescan-run-1.shop")
    assert not sweep(client, plan.expires - timedelta(seconds=1)).removed
    done = sweep(client, plan.expires)
    assert (len(done.removed), done.failures) == (5, [])
    assert not ours(server)


def test_a_renewal_finds_its_account(client, connection, plan, server):
    outcomes = lifecycle.ensure_present(client, plan)
    access = ScannerAccess(client, connection, as_result(plan, outcomes))
    grant = access.regranted("shop", plan.grants[0].pods[:1])
    (outcome,) = lifecycle.ensure_renewed(client, "run-1", [grant])
    assert (outcome.error, outcome.expires) == (None, plan.expires)
    role = server.objects.find(f"{RBAC}/shop/roles/securescan-run-1")
    assert role["rules"][0]["resourceNames"] == ["api-0"]


def test_helper_pods_are_owned_by_the_role_beside_them(client, connection, plan, server):
    helpers = replace(plan.grants[0], namespace="helpers", approach="image")
    plan = replace(plan, grants=(helpers,))
    access = ScannerAccess(client, connection, as_result(plan, lifecycle.ensure_present(client, plan)))
    role = server.objects.find(f"{RBAC}/helpers/roles/securescan-run-1")
    assert access.helper_owner("helpers") == {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "name": "securescan-run-1",
        "uid": role["metadata"]["uid"],
    }


@pytest.mark.parametrize("name", ["a/b", "A", "*", "-a", "a\n", "x" * 64])
def test_what_is_no_name_of_a_namespace_is_refused(name):
    params = {option: rule.get("default") for option, rule in scan_access_spec().items()}
    with pytest.raises(ScanError) as caught:
        AccessOptions.from_params(dict(params, namespaces=["shop"], account_namespace=name))
    assert caught.value.reason == "bad_option" and "account_namespace" in str(caught.value)


def test_the_manifests_hold_the_grantors_rights_once():
    """Those of the one ClusterRole, divided between the targets' namespaces and that of the ServiceAccounts."""
    whole, targets, home = (
        yaml.safe_load((DOCS / "manifests" / f"{name}.yml").read_text(encoding="utf-8"))
        for name in ("grantor-clusterrole", "grantor-targets-clusterrole", "account-namespace")
    )
    (role,) = [item for item in home["items"] if item["kind"] == "Role"]
    assert len(role["rules"]) == 2
    assert sorted(map(str, [*targets["rules"], *role["rules"]])) == sorted(map(str, whole["rules"]))
    (quota,) = [item for item in home["items"] if item["kind"] == "ResourceQuota"]
    assert quota["spec"]["hard"] == {"pods": "0", "secrets": "0"}


@pytest.mark.parametrize("name", ["grantor-clusterrole", "grantor-targets-clusterrole"])
def test_the_right_to_the_clusters_id_stays_where_the_one_to_all_namespaces_is_removed(name):
    text = (DOCS / "manifests" / f"{name}.yml").read_text(encoding="utf-8")
    rules = [rule for rule in yaml.safe_load(text)["rules"] if rule["resources"] == ["namespaces"]]
    every, one = (
        {key: value for key, value in rule.items() if key not in ("apiGroups", "resources")} for rule in rules
    )
    assert every == {"verbs": ["get", "list"]}
    assert one == {"resourceNames": ["kube-system"], "verbs": ["get"]}
    comment = text[: text.index("    resourceNames: [kube-system]")].rpartition("verbs: [get, list]\n")[2]
    assert "where the optional rule above is removed" in comment
