# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_access`: options in, access made, removed, swept or proven, result out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any, Callable

from ..access.access_diff import access_diff, sweep_diff
from ..access.kubeconfig_file import KubeconfigFile
from ..access.lifecycle import NamespaceOutcome, ensure_present, namespaces_of_run
from ..access.made_access import Failures, as_result, failure_warnings, failures_of, plan_access
from ..access.objects import Grant, new_run_id
from ..access.packed_pods import pack_pods
from ..access.revocation import revoke, revoke_when_back
from ..access.rights import RIGHTS, covers
from ..access.scanner import ScannerAccess
from ..access.scanner_kubeconfig import check_place, delete, run_of
from ..access.sweep import Sweep, sweep
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options.access import ABSENT, PRESENT, PROVEN, SWEPT, AccessOptions
from ..options.spec import Params
from ..preflight.denied_rights import read_rights
from ..preflight.permissions import Permission
from ..proof.proof import Proof, prove
from ..safe_text import one_line
from ..scanning.granted_pods import pod_ref
from ..targets.criteria import Selection
from ..targets.selection import SelectionReport, check_selected, resolve_namespaces, select_pods
from ..text_layout import number_of
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible

_LISTED_IN_RESULT = 50
_NAME_NAMESPACES = (
    "A credential for some namespaces sweeps these: name them (namespaces; scan_namespaces in the playbook). All "
    "namespaces need a credential that is allowed to list and delete everywhere what is named here."
)


def run_scan_access(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff; access, failures and scanner_kubeconfig, or swept or proof with table (lines for a terminal);
    failed, msg, error."""
    options = AccessOptions.from_params(params)
    if options.state == PRESENT and options.kubeconfig_file:
        check_place(options.kubeconfig_file)
    also_allowed = read_rights(options.also_allowed, "also_allowed")
    tasks: Mapping[str, Callable[[AccessOptions, RestClient, TaskContext], dict[str, Any]]] = {
        PRESENT: _present,
        ABSENT: _absent,
        SWEPT: _swept,
        PROVEN: partial(_proven, also_allowed),
    }
    task = tasks[options.state]
    client = RestClient(connect_grantor(options.connection, context), cancel=context.cancel)
    return run_interruptible(lambda: task(options, client, context), context.cancel)


def _present(options: AccessOptions, client: RestClient, context: TaskContext) -> dict[str, Any]:
    run_id = options.run_id or new_run_id(datetime.now(timezone.utc))
    path = options.kubeconfig_file
    found = check_place(path) if path else None
    grants = _grants(options, client, context)
    plan = plan_access(run_id, options.grant.owner, options.grant.lifetime, grants)
    context.leaves = "what this task had made of the access was removed"
    outcomes = ensure_present(client, plan, context.check_mode)
    failures = failures_of(outcomes)
    if failures and len(failures) == len(outcomes):
        raise failures[0][1]
    access = as_result(plan, outcomes)
    access["refused"] = access["refused"][:_LISTED_IN_RESULT]
    result = _as_result(outcomes, failures, context, access)
    try:
        if context.cancel.is_set():
            raise ScanError(
                "cancelled",
                "cancelled when the access was just made",
                tried=f"making the access of run {run_id}",
            )
        if path and len(failures) < len(outcomes):
            diff = KubeconfigFile(path, found).ensure(client, plan, outcomes, context.check_mode)
            result["changed"] |= bool(diff)
            result["diff"] += diff
            result["scanner_kubeconfig"] = str(path)
    except BaseException:
        # the caller is told of a failure: what was made for it must not stay
        if not context.check_mode:
            made = [outcome.namespace for outcome in outcomes if outcome.is_new]
            revoke(client, run_id, made, account_namespace=options.grant.account_namespace)
        raise
    return result


def _grants(options: AccessOptions, client: RestClient, context: TaskContext) -> list[Grant]:
    """One grant for each namespace that has a pod of the selection.

    :raises ScanError: no_targets, unless that is allowed
    """
    chosen, looked_at = options.selection or Selection(), SelectionReport()
    # the rights of debug include those of exec
    ways = [way for way in RIGHTS if covers(options.approach, way)]
    grants = []
    for namespace in resolve_namespaces(client, chosen, looked_at):
        refs = [
            pod_ref(pod, options.approach, ways, options.forbidden)
            for pod in select_pods(client, namespace, chosen, looked_at)
        ]
        pods = tuple(ref for ref in refs if ref)
        if pods:
            grants.append(Grant(namespace, pods, options.approach, options.grant.account_namespace))
        if looked_at.limit_reached:
            break
    context.warnings += check_selected(client, chosen, looked_at, options.allow_empty)
    return grants


def _absent(options: AccessOptions, client: RestClient, context: TaskContext) -> dict[str, Any]:
    run_id = options.run_id
    file = _own_kubeconfig(options, context)
    namespaces = _named_namespaces(options, client)
    if namespaces is None:
        try:
            namespaces = namespaces_of_run(client, run_id)
        except ScanError as error:
            if error.reason == "not_permitted":
                error.advice = (
                    "Name the namespaces of the access (namespaces), where the credential is allowed to look."
                )
            raise
    try:
        outcomes = revoke(client, run_id, namespaces, context.check_mode, options.grant.account_namespace)
    finally:
        if file and not context.check_mode:
            delete(file.path)
    nothing = {"run_id": run_id, "namespaces": [], "packed_pods": pack_pods({})}
    result = _as_result(outcomes, [], context, nothing)
    if file:
        result["changed"] = True
        result["diff"] += file.diff(None)
    return result


def _proven(
    also_allowed: Sequence[Permission], options: AccessOptions, client: RestClient, context: TaskContext
) -> dict[str, Any]:
    """Proves an access: the one that was given, or one of its own, which is removed again."""
    if options.access:
        return _proof_of(options.access, also_allowed, client, context)
    run_id = options.run_id or new_run_id(datetime.now(timezone.utc))
    grants = _grants(options, client, context)
    if context.check_mode or not grants:
        why = "check mode makes no access" if context.check_mode else "there is no pod to reach"
        context.warnings.append(f"nothing was proven: {why}")
        return {"changed": False, "proof": Proof(run_id).as_result(0), "table": [f"PROOF: none, {why}"]}
    plan = plan_access(run_id, options.grant.owner, options.grant.lifetime, grants)
    context.leaves = "what this task had made of the access was removed"
    home = options.grant.account_namespace
    namespaces = [grant.namespace for grant in grants]
    try:
        outcomes = ensure_present(client, plan)
        namespaces = [outcome.namespace for outcome in outcomes if not outcome.left_nothing]
        failures = failures_of(outcomes)
        if failures:
            # an access that is not whole is not the one of the scan
            raise failures[0][1]
        return _proof_of(as_result(plan, outcomes), also_allowed, client, context)
    finally:
        revoke_when_back(client, run_id, namespaces, home)


def _proof_of(
    access: Mapping[str, Any], also_allowed: Sequence[Permission], client: RestClient, context: TaskContext
) -> dict[str, Any]:
    scanner = ScannerAccess(client, client.connection, access, context.cancel)
    proof = prove(scanner, client, also_allowed)
    result = {"changed": False, "proof": proof.as_result(_LISTED_IN_RESULT), "table": proof.lines()}
    if not proof.is_proven:
        error = proof.failure()
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def _own_kubeconfig(options: AccessOptions, context: TaskContext) -> KubeconfigFile | None:
    """The file of this run, where there is one. Any other file is left alone, and does not stop the removal
    of the access."""
    path = options.kubeconfig_file
    try:
        found = check_place(path) if path else None
    except ScanError as error:
        context.warnings.append(f"the scanner's kubeconfig was left alone: {error}")
        return None
    if path is None or found is None:
        return None
    if run_of(found) != options.run_id:
        context.warnings.append(f"{path} was left alone: it is for the run {run_of(found)}")
        return None
    return KubeconfigFile(path, found)


def _swept(options: AccessOptions, client: RestClient, context: TaskContext) -> dict[str, Any]:
    namespaces, home = _named_namespaces(options, client), options.grant.account_namespace
    if namespaces is not None and home and home not in namespaces:
        namespaces.append(home)
    done = sweep(client, datetime.now(timezone.utc), namespaces, context.check_mode, home or "")
    result: dict[str, Any] = {
        "changed": bool(done.removed),
        "diff": sweep_diff(done),
        "swept": {
            "removed_count": len(done.removed),
            "removed": done.removed[:_LISTED_IN_RESULT],
            "kept_count": len(done.kept),
            "kept": done.kept[:_LISTED_IN_RESULT],
        },
        "table": _swept_lines(done, context.check_mode),
    }
    if done.failures:
        error = _sweep_failure(done, is_everywhere=namespaces is None)
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def _sweep_failure(done: Sweep, *, is_everywhere: bool) -> ScanError:
    """Why a sweep is not whole; of one that was not allowed to look everywhere it is not known that anything is
    left."""
    reasons = {error.reason for _what, error in done.failures}
    was_blind = is_everywhere and reasons == {"not_permitted"} and not done.removed and not done.kept
    return ScanError(
        "not_permitted" if was_blind else "access_remains",
        "; ".join(f"{what}: {error.message}" for what, error in done.failures[:_LISTED_IN_RESULT]),
        tried="sweeping all namespaces" if is_everywhere else "sweeping",
        cause=done.failures[0][1].cause,
        advice=_NAME_NAMESPACES
        if is_everywhere
        else "Sweep again with a credential that is allowed to list and delete what is named here.",
    )


def _swept_lines(done: Sweep, check_mode: bool) -> list[str]:
    """Each object that was removed (or would be), and each that was kept with the reason; the first of both."""
    verb = "would be removed" if check_mode else "removed"
    lines = [f"SWEEP: {number_of(len(done.removed), 'object')} {verb}, {len(done.kept)} kept"]
    for title, items in ((verb, done.removed), ("kept", done.kept)):
        for item in items[:_LISTED_IN_RESULT]:
            place = "{} {}/{}".format(item["kind"], item["namespace"], item["name"])
            lines.append(
                "  " + one_line(f"{title}: {place}" + (f" ({item['why']})" if item.get("why") else ""))
            )
        if len(items) > _LISTED_IN_RESULT:
            lines.append(f"  {title}: {len(items) - _LISTED_IN_RESULT} more")
    return lines


def _named_namespaces(options: AccessOptions, client: RestClient) -> list[str] | None:
    """The namespaces that the task names, by whatever option; None where it names none."""
    return resolve_namespaces(client, options.selection) if options.selection else None


def _as_result(
    outcomes: Sequence[NamespaceOutcome], failures: Failures, context: TaskContext, access: dict[str, Any]
) -> dict[str, Any]:
    context.warnings += failure_warnings(failures)
    return {
        "changed": any(outcome.changed for outcome in outcomes),
        "access": access,
        "diff": access_diff(outcomes),
        "failure_count": len(failures),
        "failures": [
            {"namespace": namespace, "error": error.record()}
            for namespace, error in failures[:_LISTED_IN_RESULT]
        ],
    }
