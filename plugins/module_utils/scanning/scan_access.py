# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access that a scan works with: the one that was given, or one of its own, which ends with the scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ..access.access_diff import Diff, access_diff
from ..access.lifecycle import NamespaceOutcome, ensure_present
from ..access.made_access import as_result, failure_warnings, failures_of, named_namespaces, plan_access
from ..access.objects import AccessPlan, Grant, PodRef, check_run_id, new_run_id
from ..access.refusals import is_escalation
from ..access.revocation import revoke_when_back
from ..access.rights import covers, makes_pods, widest
from ..access.scanner import approach_of, check_covers
from ..approaches.choice import ApproachOptions
from ..approaches.image import NAME as IMAGE
from ..approaches.image_helper import helper_name, plan_helpers
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options.scan import ScanOptions
from ..targets.selection import SelectedTarget
from .granted_pods import grants_of


def run_id_of(options: ScanOptions) -> str:
    """The run id of the access that was given, the one that was given beside it, or a new one.

    :raises ScanError: bad_option, where the given one cannot be part of an object's name
    """
    given = (options.access or {}).get("run_id") or options.run_id
    return check_run_id(str(given)) if given else new_run_id(datetime.now(timezone.utc))


@contextmanager
def scan_access_of(
    options: ScanOptions,
    client: RestClient,
    run_id: str,
    targets: Sequence[SelectedTarget],
    warnings: list[str],
) -> Iterator[Mapping[str, Any]]:
    """The access that a scan works with: the one that was given, or one of its own over the pods of the
    targets that run, which is removed at the end, whatever happens.

    A namespace where none can be made is left out, with a warning; its targets then say why they were not
    scanned.

    :raises ScanError: bad_option, where the given access is for another approach; access_remains at the end,
        when something could not be removed
    """
    if options.access:
        for approach in options.approach.chosen():
            check_covers(options.access, approach)
        yield options.access
        return
    plan = _plan(options, run_id, targets)
    namespaces = [grant.namespace for grant in plan.grants]
    try:
        outcomes = ensure_present(client, plan)
        plan, outcomes, lacking = _with_less(options.approach, client, plan, outcomes, targets)
        # where nothing was left there is nothing to remove, and looking for it would fail as the making did
        namespaces = [outcome.namespace for outcome in outcomes if not outcome.left_nothing]
        warnings += failure_warnings(failures_of(outcomes)) + _lacking_warnings(lacking)
        yield as_result(plan, outcomes, lacking)
    finally:
        revoke_when_back(client, run_id, namespaces, options.grant.account_namespace)


def _with_less(
    options: ApproachOptions,
    client: RestClient,
    plan: AccessPlan,
    outcomes: list[NamespaceOutcome],
    targets: Sequence[SelectedTarget],
) -> tuple[AccessPlan, list[NamespaceOutcome], dict[str, ScanError]]:
    """The access once more where the grantor does not hold what one of several approaches needs, for the others: what is
    missing for the one must not end the scan by the rest. Also why, by namespace."""
    grants = {grant.namespace: grant for grant in plan.grants}
    made, lacking = list(outcomes), {}
    for number, outcome in enumerate(outcomes):
        grant, error = grants[outcome.namespace], outcome.error
        while error is not None and error.reason == "access_incomplete" and is_escalation(error):
            less = _narrower(options, grant)
            if less is None:
                break
            inside = [one for one in targets if one.target.namespace == outcome.namespace]
            chosen = [name for name in options.used() if covers(less, name)]
            found = grants_of(inside, less, chosen, options.forbidden)
            if not found:
                break
            grant = replace(found[0], account_namespace=grant.account_namespace)
            (again,) = ensure_present(client, replace(plan, grants=(grant,)))
            if again.error is None:
                grants[outcome.namespace], made[number] = grant, again
                lacking[outcome.namespace] = error
            elif not again.left_nothing:
                made[number] = again
            error = again.error
    return replace(plan, grants=tuple(grants.values())), made, lacking


def _narrower(options: ApproachOptions, grant: Grant) -> str | None:
    """Of the approaches that are tried the one with the most rights, but fewer than the grant has."""
    if makes_pods(grant.approach):
        return None
    fewer = [
        name
        for name in options.used()
        if not makes_pods(name) and covers(grant.approach, name) and not covers(name, grant.approach)
    ]
    return widest(fewer) or None


def _lacking_warnings(lacking: Mapping[str, ScanError]) -> list[str]:
    """One for namespaces that lack the same."""
    places: dict[str, list[str]] = {}
    for namespace, error in lacking.items():
        places.setdefault(error.cause, []).append(namespace)
    return [
        f"the access to {named_namespaces(namespaces)} holds less than was asked for, and only the approaches that it "
        f"serves are tried: {cause}"
        for cause, namespaces in places.items()
    ]


def planned_access(
    options: ScanOptions, client: RestClient, run_id: str, targets: Sequence[SelectedTarget]
) -> Diff:
    """The diff of the access that `scan_access_of` would make."""
    if options.access:
        return []
    return access_diff(ensure_present(client, _plan(options, run_id, targets), check_mode=True))


def witnesses_in(options: ScanOptions) -> tuple[str, ...]:
    """The approaches that are tried for cross-checks: of an access that was given those that it covers."""
    names = options.approach.witnesses()
    if not options.access:
        return names
    made_for = approach_of(options.access)
    return tuple(name for name in names if not makes_pods(name) and covers(made_for, name))


def scan_grants(options: ApproachOptions, run_id: str, targets: Sequence[SelectedTarget]) -> list[Grant]:
    """What a scan's own access has to reach: the pods of its targets, and helper pods."""
    chosen = options.used()
    inside = widest(chosen)
    grants = grants_of(targets, inside, chosen, options.forbidden) if inside else []
    if options.has_helpers():
        names = [
            helper_name(run_id, helper.number) for helper in plan_helpers(options.looked_at_by_image(targets))
        ]
        if names:
            grants.append(Grant(options.image.namespace, tuple(PodRef(name, "") for name in names), IMAGE))
    return grants


def _plan(options: ScanOptions, run_id: str, targets: Sequence[SelectedTarget]) -> AccessPlan:
    home = options.grant.account_namespace
    grants = [
        replace(grant, account_namespace=home) for grant in scan_grants(options.approach, run_id, targets)
    ]
    return plan_access(run_id, options.grant.owner, options.grant.lifetime, grants)


def scanners_of(access: Mapping[str, Any]) -> dict[str, str]:
    """{namespace: the user that the API server sees} of an access, as `scan_access_of` gives it."""
    found = {}
    for entry in access.get("namespaces") or ():
        name, namespace = entry.get("service_account"), str(entry.get("namespace") or "")
        if name:
            home = entry.get("service_account_namespace") or namespace
            found[namespace] = f"system:serviceaccount:{home}:{name}"
    return found
