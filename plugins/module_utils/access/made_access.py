# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An access as a value: planned, described for whoever scans with it, and where it could not be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

from ..errors import ScanError
from ..times import api_time
from .lifecycle import NamespaceOutcome
from .objects import FIRST_APPROACH, AccessPlan, Grant
from .packed_pods import pack_pods
from .rights import makes_pods

# The limit of namespaces that are named one by one in warnings and messages.
NAMED_NAMESPACES = 10
_NAMES_CHARACTERS = 2000

Failures = list[tuple[str, ScanError]]


def plan_access(run_id: str, owner: str, lifetime: int, grants: Sequence[Grant]) -> AccessPlan:
    """:param lifetime: seconds from now; an access that is there is renewed in its second half"""
    # whole seconds, as the label has them
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return AccessPlan(
        run_id,
        owner,
        now + timedelta(seconds=lifetime),
        now + timedelta(seconds=lifetime / 2),
        tuple(grants),
    )


def as_result(
    plan: AccessPlan,
    outcomes: Sequence[NamespaceOutcome],
    lacking: Mapping[str, ScanError] = MappingProxyType({}),
) -> dict[str, Any]:
    """The access as `scan_access` returns it and `ScannerAccess` reads it: the namespaces where it could be
    made, and those where it could not.

    :param lacking: by namespace why the access holds less than was asked for
    """
    grants = {grant.namespace: grant for grant in plan.grants}
    made = [(outcome, outcome.expires) for outcome in outcomes if outcome.expires]
    made_for = next(
        (grant.approach for grant in plan.grants if not makes_pods(grant.approach)), FIRST_APPROACH
    )
    return {
        "run_id": plan.run_id,
        "approach": made_for,
        "namespaces": [
            {
                **_as_entry(plan, grants[outcome.namespace], outcome, expires),
                **({"lacking": lacking[outcome.namespace].record()} if outcome.namespace in lacking else {}),
            }
            for outcome, expires in made
        ],
        "packed_pods": pack_pods(
            {outcome.namespace: grants[outcome.namespace].pods for outcome, _expires in made}
        ),
        "refused": [
            {"namespace": namespace, "error": error.record()} for namespace, error in failures_of(outcomes)
        ],
    }


def _as_entry(plan: AccessPlan, grant: Grant, outcome: NamespaceOutcome, expires: datetime) -> dict[str, Any]:
    account = grant.account(plan.run_id)
    return {
        "namespace": grant.namespace,
        "service_account": account.name,
        "service_account_namespace": account.namespace,
        "service_account_uid": outcome.account_uid,
        # helper pods are owned by it where the ServiceAccount is elsewhere
        **({"role_uid": outcome.role_uid} if makes_pods(grant.approach) else {}),
        "approach": grant.approach,
        "expires": api_time(expires),
        "pods": len(grant.pods),
    }


def failures_of(outcomes: Sequence[NamespaceOutcome]) -> Failures:
    """The namespaces where something failed, each with its error."""
    return [(outcome.namespace, outcome.error) for outcome in outcomes if outcome.error]


def named_namespaces(namespaces: Sequence[str]) -> str:
    """The first of them by name, and how many more."""
    more = len(namespaces) - NAMED_NAMESPACES
    word = "namespace" if len(namespaces) == 1 else "namespaces"
    return f"{word} {', '.join(namespaces[:NAMED_NAMESPACES])}" + (f" and {more} more" if more > 0 else "")


def failure_warnings(failures: Failures) -> list[str]:
    """A warning for each of the first namespaces without an access, and one that names the others."""
    warnings = [
        f"no access to namespace {namespace}: {error}" for namespace, error in failures[:NAMED_NAMESPACES]
    ]
    more = [namespace for namespace, _error in failures[NAMED_NAMESPACES:]]
    if more:
        warnings.append(f"no access to {len(more)} more namespaces: {', '.join(more)[:_NAMES_CHARACTERS]}")
    return warnings
