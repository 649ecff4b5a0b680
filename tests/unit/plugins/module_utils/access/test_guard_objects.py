# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's objects as such: the shipped manifest, what the options change, and clusters that cannot have it.

What the rules do is shown on a real cluster (tests/integration/test_guard_denials.py); only that can tell.
"""

from __future__ import annotations

import json
import re

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard import BINDING, POLICY
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_in_cluster import (
    ensure_guard,
    remove_guard,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    ACCOUNTS,
    EPHEMERAL,
    EXEC,
    GRANTORS,
    HELPER,
    POLICIES,
    WRITES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import object_name
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import helper_name
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import (
    guard_options,
    scan_guard_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import guard_of
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.support.denials_table import DOCS, check_or_write

MANIFEST = DOCS / "manifests" / "guard.yml"
_HEAD = """\
# The guard as scan_guard makes it with its default options: docs/guard.md. Made by
# tests/unit/plugins/module_utils/access/test_guard_objects.py with SECURESCAN_WRITE_DOCS=FOLDER of docs/manifests.
#
#     kubectl apply -f guard.yml
"""


class _Indented(yaml.SafeDumper):
    """Lists stand deeper than their keys, as in the other manifests."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def made(**changes):
    params = {name: rule.get("default") for name, rule in scan_guard_spec().items()}
    return guard_of(guard_options(dict(params, **changes)))


def policies(**changes):
    return {item["metadata"]["name"]: item["spec"] for item in made(**changes) if item["kind"] == POLICY}


def test_the_shipped_manifest_is_what_the_module_makes():
    text = yaml.dump(
        {"apiVersion": "v1", "kind": "List", "items": made()}, Dumper=_Indented, sort_keys=False, width=90
    )
    assert yaml.safe_load(text)["items"] == made()
    check_or_write(_HEAD + "---\n" + text, MANIFEST)


def test_the_operators_role_names_exactly_the_guards_objects():
    role = yaml.safe_load(MANIFEST.with_name("guard-clusterrole.yml").read_text(encoding="utf-8"))
    assert {item["metadata"]["name"] for item in made()} == set(role["rules"][1]["resourceNames"])
    assert role["rules"][0]["verbs"] == ["create"]
    assert all(
        rule["resources"] == ["validatingadmissionpolicies", "validatingadmissionpolicybindings"]
        for rule in role["rules"]
    )


def test_every_policy_fails_closed_and_is_bound_and_those_for_scanners_match_nobody_else():
    items = made()
    bound = {
        item["spec"]["policyName"]: item["spec"]["validationActions"]
        for item in items
        if item["kind"] == BINDING
    }
    assert bound == {name: ["Deny", "Audit"] for name in POLICIES}
    (condition,) = {
        json.dumps(policies()[name]["matchConditions"]) for name in (EXEC, EPHEMERAL, HELPER, WRITES)
    }
    expression = json.loads(condition)[0]["expression"]
    pattern = re.search(r"matches\('(.*)'\)$", expression).group(1)
    for spec in policies().values():
        assert spec["failurePolicy"] == "Fail"
    for user, is_scanner in {
        "system:serviceaccount:shop:" + object_name("run-1"): True,
        "system:serviceaccount:securescan-operators:operator": False,
        "system:serviceaccount:shop:not-securescan-1": False,
        "securescan-admin": False,
        "oidc:system:serviceaccount:shop:securescan-1": False,
        "system:node:securescan-1": False,
    }.items():
        assert bool(re.search(pattern, user)) is is_scanner, user


def test_the_names_of_helper_pods_are_those_of_their_account():
    (rule,) = [
        rule["expression"] for rule in policies()[HELPER]["validations"] if "named after" in rule["message"]
    ]
    suffix = re.search(r"variables\.account \+ '([^']*)\$'", rule).group(1)
    for number in (1, 200):
        assert re.fullmatch(object_name("run-1") + suffix, helper_name("run-1", number))
    assert not re.fullmatch(object_name("run-1") + suffix, helper_name("run-1-hello", 1))


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"scanner_images": ["a.example/b@sha256:" + "0" * 64]}, {EPHEMERAL, HELPER}),
        ({"enter_targets": False}, {EXEC}),
        ({"debug_match_capabilities": True}, {EPHEMERAL}),
        ({"scanner_image_pull_secrets": ["registry"]}, {HELPER}),
        ({"grantors": ["system:serviceaccount:ops:scanner"]}, {ACCOUNTS, GRANTORS}),
        ({"grantor_groups": ["scanners"]}, {ACCOUNTS, GRANTORS}),
        ({"closed_namespaces": []}, {GRANTORS}),
        ({"account_namespace": "securescan-accounts"}, {ACCOUNTS, GRANTORS}),
    ],
)
def test_an_option_changes_what_it_is_about(changes, changed):
    before, after = policies(), policies(**changes)
    assert {name for name in before if before[name] != after[name]} == changed


def test_an_image_cannot_leave_its_literal():
    hostile = 'a"] || true || ["'
    (rule,) = [
        rule
        for rule in policies(scanner_images=[hostile])[HELPER]["validations"]
        if "allowed images" in rule["message"]
    ]
    literal = rule["expression"].split(" in ", 1)[1].rstrip(")")
    assert json.loads(literal) == [hostile]


@pytest.mark.parametrize("kind", ["status", "plain_status"])
def test_a_cluster_without_such_policies_is_named(kind, server, client):
    """An API server that does not serve a group's version, as Kubernetes before 1.30 answers; plain where it serves no
    version of the group."""
    server.faults.append(
        Fault(kind, on="GET .*/admissionregistration.k8s.io/v1/", status=404, text="404 page not found")
    )
    for check_mode in (False, True):
        with pytest.raises(ScanError) as caught:
            ensure_guard(client, made(), check_mode)
        assert caught.value.reason == "guard_unsupported"
        assert "1.30" in caught.value.advice
        assert not remove_guard(client, made(), check_mode).changed
    assert {request.method for request in server.requests} == {"GET"}


def test_the_page_names_every_policy():
    text = (DOCS / "guard.md").read_text(encoding="utf-8")
    for name in POLICIES:
        assert f"`{name}`" in text
