# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: ValidatingAdmissionPolicies that hold the identities of scans to what RBAC cannot express.

RBAC says which pods a scanner is allowed to enter and where to add a container. It does not see the program,
the terminal, or what the container is, nor can it hold a grantor to names that are not known beforehand. These
policies do. All but one match the ServiceAccounts of scans, or the grantors that the options name, and nobody
else; that one keeps everybody from using such a ServiceAccount. Their rules are written in CEL as Kubernetes
1.30 has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .cel import Rule
from .guard_grantors import (
    ACCOUNT_REQUESTS,
    GRANTOR_REQUESTS,
    account_rules,
    grantor_rules,
    is_grantor,
    uses_account,
)
from .guard_helpers import helper_rules, helper_variables
from .guard_scanners import ephemeral_rules, ephemeral_variables, exec_rules, exec_variables, write_rules
from .guard_terms import (
    ACCOUNT,
    ACCOUNTS,
    EPHEMERAL,
    EXEC,
    GRANTORS,
    HELPER,
    IS_SCANNER,
    WRITES,
    GuardOptions,
    ScannerHabits,
)
from .objects import LABEL_MANAGED_BY, MANAGED_BY

GROUP_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"

# (operations, resources, API group)
Requests = tuple[Sequence[str], Sequence[str], str]


def guard_objects(habits: ScannerHabits, options: GuardOptions) -> list[dict[str, Any]]:
    """Policies and bindings, each policy before its binding, with every field that the API server would
    add."""
    scanner = {"name": "scanner-identity", "expression": IS_SCANNER}
    grantor = {"name": "grantor-identity", "expression": is_grantor(options)}
    policies = (
        _policy(
            EXEC,
            [(["CONNECT"], ["pods/exec"], "")],
            scanner,
            [ACCOUNT, *exec_variables(habits)],
            exec_rules(habits, options),
        ),
        _policy(
            EPHEMERAL,
            [(["UPDATE"], ["pods/ephemeralcontainers"], "")],
            scanner,
            [ACCOUNT, *ephemeral_variables()],
            ephemeral_rules(habits, options),
        ),
        _policy(
            HELPER,
            [(["CREATE"], ["pods"], "")],
            scanner,
            [ACCOUNT, *helper_variables()],
            helper_rules(habits, options),
        ),
        _policy(WRITES, [(["*"], ["*/*"], "*")], scanner, [ACCOUNT], write_rules(habits)),
        _policy(
            ACCOUNTS,
            ACCOUNT_REQUESTS,
            {"name": "account-of-a-scan", "expression": uses_account(options)},
            [],
            account_rules(options),
        ),
        _policy(GRANTORS, GRANTOR_REQUESTS, grantor, [], grantor_rules(habits, options)),
    )
    return [item for policy in policies for item in (policy, _binding(policy["metadata"]["name"]))]


def _policy(
    name: str,
    requests: Sequence[Requests],
    condition: dict[str, str],
    variables: Sequence[dict[str, str]],
    rules: Sequence[Rule],
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": _match(requests),
        "matchConditions": [condition],
        "validations": [
            {"expression": rule.expression, "message": rule.message, "reason": "Forbidden"} for rule in rules
        ],
    }
    if variables:
        spec["variables"] = list(variables)
    return _object(POLICY, name, spec)


def _binding(name: str) -> dict[str, Any]:
    return _object(BINDING, name, {"policyName": name, "validationActions": ["Deny", "Audit"]})


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": GROUP_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": {LABEL_MANAGED_BY: MANAGED_BY}},
        "spec": spec,
    }


def _match(requests: Sequence[Requests]) -> dict[str, Any]:
    """What a policy looks at, with the API's defaults: they are part of what must not be changed by
    anybody."""
    return {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "resourceRules": [
            {
                "apiGroups": [group],
                "apiVersions": ["v1"] if group == "" else ["*"],
                "operations": list(operations),
                "resources": list(resources),
                "scope": "*",
            }
            for operations, resources, group in requests
        ],
    }
