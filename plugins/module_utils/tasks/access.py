# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_access`: options in, access made, removed or swept, result out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ..access.lifecycle import NamespaceOutcome, ensure_absent, ensure_present, namespaces_of_run
from ..access.objects import (
    FIRST_APPROACH,
    AccessPlan,
    Grant,
    PodRef,
    check_run_id,
    new_run_id,
    object_name,
)
from ..access.packed_pods import pack_pods
from ..access.rights import RIGHTS, covers, makes_pods, widest
from ..access.scanner import check_covers, remaining_lifetime
from ..access.scanner_kubeconfig import (
    check_place,
    delete,
    is_current,
    kubeconfig,
    run_of,
    shown,
    write_private,
)
from ..access.sweep import Sweep, sweep
from ..access.token import MAXIMUM_LIFETIME, MINIMUM_LIFETIME, request_token, wait_until_effective
from ..approaches.choice import ways_into
from ..approaches.forbidden import Rules, permitted
from ..approaches.image import NAME as IMAGE
from ..approaches.image_helper import helper_name, plan_helpers
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options import approach_options, forbidden_rules, selection
from ..targets.selection import (
    SelectedTarget,
    SelectionReport,
    check_selected,
    resolve_namespaces,
    select_pods,
)
from ..times import api_time
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible

_LISTED_IN_RESULT = 50
# After a failed removal: how long an API server that is away is waited for, how often it is asked, and the pauses before
# the next attempts once it answers.
_RETURN_SECONDS = 20.0
_RETURN_ATTEMPTS = 20
_RETURN_PAUSES = (0.5, 1.5)
# So many pods of a Role are shown by name in a diff, and of the namespaces as many as make so many characters.
_NAMES_IN_DIFF = 100
_DIFF_CHARACTERS = 100_000
# So many namespaces are told of in full, in warnings and in a message.
_TOLD_NAMESPACES = 10


def run_scan_access(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff; access, failures and scanner_kubeconfig, or swept; failed, msg, error."""
    task = {"present": _present, "absent": _absent, "swept": _swept}[params["state"]]
    client = RestClient(connect_grantor(params, context), cancel=context.cancel)
    return run_interruptible(lambda: task(params, client, context), context.cancel)


def _present(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> dict[str, Any]:
    forbidden_rules(params)  # a rule that cannot be understood is told before anything is asked
    run_id = check_run_id(params["run_id"] or new_run_id(datetime.now(timezone.utc)))
    path = _kubeconfig_path(params)
    found = check_place(path) if path else None
    plan = _plan(params, run_id, _grants(params, client, context))
    outcomes = ensure_present(client, plan, context.check_mode)
    failures = _failures(outcomes)
    if failures and len(failures) == len(outcomes):
        raise failures[0][1]
    access = _described(plan, outcomes)
    access["refused"] = access["refused"][:_LISTED_IN_RESULT]
    result = _result(outcomes, failures, context, access)
    try:
        if context.cancel.is_set():
            raise ScanError(
                "cancelled",
                "cancelled when the access was just made",
                tried=f"making the access of run {run_id}",
            )
        if path and len(failures) < len(outcomes):
            diff = _KubeconfigFile(path, found).ensure(client, plan, outcomes, context.check_mode)
            result["changed"] |= bool(diff)
            result["diff"] += diff
            result["scanner_kubeconfig"] = str(path)
    except BaseException:
        # the caller is told of a failure: what was made for it must not stay
        if not context.check_mode:
            _revoke(client, run_id, [outcome.namespace for outcome in outcomes if outcome.is_new])
        raise
    return result


def _kubeconfig_path(params: Mapping[str, Any]) -> Path | None:
    return Path(params["scanner_kubeconfig"]).expanduser() if params.get("scanner_kubeconfig") else None


class _KubeconfigFile:
    """Where the scanner's kubeconfig is to be, and what stands there now."""

    def __init__(self, path: Path, found: Mapping[str, Any] | None) -> None:
        self.path = path
        self._found = found

    def ensure(
        self, client: RestClient, plan: AccessPlan, outcomes: Sequence[NamespaceOutcome], check_mode: bool
    ) -> list[dict[str, str]]:
        """Writes the file, with new tokens, where it is not current; the diff, empty then."""
        connection = client.connection
        expiries = {outcome.namespace: outcome.expires for outcome in outcomes if outcome.expires}
        accounts = {outcome.namespace: outcome.account_uid for outcome in outcomes if outcome.expires}
        expires = min(expiries.values())
        wanted = kubeconfig(connection, plan.run_id, accounts, expires)
        if is_current(self._found, wanted):
            return []
        if not check_mode:
            tokens = {
                namespace: request_token(client, plan.run_id, namespace, remaining_lifetime(ends))
                for namespace, ends in expiries.items()
            }
            for grant in plan.grants:
                if grant.namespace in tokens:
                    token = tokens[grant.namespace].value
                    wait_until_effective(RestClient(connection.with_bearer_token(token)), grant)
            write_private(self.path, kubeconfig(connection, plan.run_id, accounts, expires, tokens))
        return self.diff(wanted)

    def diff(self, after: Mapping[str, Any] | None) -> list[dict[str, str]]:
        before, then = (_as_text(shown(document)) if document else "" for document in (self._found, after))
        return [
            {"before_header": str(self.path), "after_header": str(self.path), "before": before, "after": then}
        ]


def _plan(params: Mapping[str, Any], run_id: str, grants: Sequence[Grant]) -> AccessPlan:
    lifetime = params["lifetime"]
    if not MINIMUM_LIFETIME <= lifetime <= MAXIMUM_LIFETIME:
        raise ScanError(
            "bad_option",
            f"lifetime is {lifetime} s; it must be at least {MINIMUM_LIFETIME} s, the API's minimum, and at "
            f"most {MAXIMUM_LIFETIME} s",
            tried="reading the option lifetime",
        )
    # whole seconds, as the label has them
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return AccessPlan(
        run_id,
        params["owner"],
        now + timedelta(seconds=lifetime),
        now + timedelta(seconds=lifetime / 2),
        tuple(grants),
    )


def _described(plan: AccessPlan, outcomes: Sequence[NamespaceOutcome]) -> dict[str, Any]:
    """The access as `scan_access` returns it and `ScannerAccess` reads it: the namespaces where it could be made, and
    those where it could not."""
    grants = {grant.namespace: grant for grant in plan.grants}
    made = [outcome for outcome in outcomes if outcome.expires]
    made_for = next(
        (grant.approach for grant in plan.grants if not makes_pods(grant.approach)), FIRST_APPROACH
    )
    return {
        "run_id": plan.run_id,
        "approach": made_for,
        "namespaces": [
            {
                "namespace": outcome.namespace,
                "service_account": object_name(plan.run_id),
                "service_account_uid": outcome.account_uid,
                "approach": grants[outcome.namespace].approach,
                "expires": api_time(outcome.expires),
                "pods": len(grants[outcome.namespace].pods),
            }
            for outcome in made
            if outcome.expires
        ],
        "packed_pods": pack_pods({outcome.namespace: grants[outcome.namespace].pods for outcome in made}),
        "refused": [
            {"namespace": namespace, "error": error.record()} for namespace, error in _failures(outcomes)
        ],
    }


@contextmanager
def scan_access_of(
    params: Mapping[str, Any],
    context: TaskContext,
    client: RestClient,
    run_id: str,
    targets: Sequence[SelectedTarget],
) -> Iterator[Mapping[str, Any]]:
    """The access that a scan works with: the one in the option `access`, else one of its own over the pods of the
    targets that run, which is removed at the end, whatever happens.

    A namespace where none can be made is left out, with a warning; its targets then say why they were not scanned.

    :raises ScanError: access_remains at the end, when something could not be removed
    """
    if params["access"]:
        for approach in approach_options(params).chosen():
            check_covers(params["access"], approach)
        yield params["access"]
        return
    plan = _plan(params, run_id, scan_grants(params, run_id, targets))
    try:
        outcomes = ensure_present(client, plan)
        _warn(_failures(outcomes), context)
        yield _described(plan, outcomes)
    finally:
        _revoke_when_back(client, run_id, [grant.namespace for grant in plan.grants])


def planned_access(
    params: Mapping[str, Any], client: RestClient, run_id: str, targets: Sequence[SelectedTarget]
) -> list[dict[str, str]]:
    """The diff of the access that `scan_access_of` would make."""
    grants = scan_grants(params, run_id, targets)
    return _diff(ensure_present(client, _plan(params, run_id, grants), check_mode=True))


def scan_grants(params: Mapping[str, Any], run_id: str, targets: Sequence[SelectedTarget]) -> list[Grant]:
    """What a scan's own access has to reach: the pods of its targets, and the helper pods of the approach image."""
    options = approach_options(params)
    chosen = options.chosen()
    inside = widest(chosen)
    grants = grants_of(targets, inside, chosen, options.forbidden) if inside else []
    if options.has_helpers():
        names = [
            helper_name(run_id, helper.number) for helper in plan_helpers(options.looked_at_by_image(targets))
        ]
        if names:
            grants.append(Grant(options.image.namespace, tuple(PodRef(name, "") for name in names), IMAGE))
    return grants


def grants_of(
    targets: Sequence[SelectedTarget], approach: str, chosen: Sequence[str], rules: Rules
) -> list[Grant]:
    """One grant per namespace, over the pods that hold a target which can be entered by one of the chosen approaches."""
    pods: dict[str, dict[str, PodRef]] = {}
    for selected in targets:
        target = selected.target
        if target.state == "running" and selected.operating_system == "linux":
            ref = (
                pod_ref(selected.pod.object(), approach, chosen, rules)
                if rules
                else PodRef(target.pod, target.pod_uid)
            )
            if ref:
                pods.setdefault(target.namespace, {})[target.pod] = ref
    return [Grant(namespace, tuple(found.values()), approach) for namespace, found in pods.items()]


def pod_ref(pod: Mapping[str, Any], approach: str, chosen: Sequence[str], rules: Rules) -> PodRef | None:
    """What an access for `approach` holds over a v1 Pod: nothing, where each of the approaches that enter it is forbidden or
    not chosen, and no right to add anything to it, where debug is."""
    ways = ways_into(pod, chosen)
    left = permitted(rules, ways, pod) if rules else (approach,)
    if not left:
        return None
    return PodRef(pod["metadata"]["name"], pod["metadata"]["uid"], "" if approach in left else left[0])


def _absent(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> dict[str, Any]:
    if not params["run_id"]:
        raise ScanError(
            "bad_option", "state=absent needs the run_id of the access", tried="reading the options"
        )
    run_id = check_run_id(params["run_id"])
    file = _own_kubeconfig(params, run_id, context)
    namespaces = _named_namespaces(params, client)
    if namespaces is None:
        namespaces = namespaces_of_run(client, run_id)
    try:
        outcomes = _revoke(client, run_id, namespaces, context.check_mode)
    finally:
        if file and not context.check_mode:
            delete(file.path)
    result = _result(
        outcomes, [], context, {"run_id": run_id, "namespaces": [], "packed_pods": pack_pods({})}
    )
    if file:
        result["changed"] = True
        result["diff"] += file.diff(None)
    return result


def _own_kubeconfig(params: Mapping[str, Any], run_id: str, context: TaskContext) -> _KubeconfigFile | None:
    """The file of this run, where it is there. Any other stays, which must not keep the access from its removal."""
    path = _kubeconfig_path(params)
    try:
        found = check_place(path) if path else None
    except ScanError as error:
        context.warnings.append(f"the scanner's kubeconfig was left alone: {error}")
        return None
    if path is None or found is None:
        return None
    if run_of(found) != run_id:
        context.warnings.append(f"{path} was left alone: it is for the run {run_of(found)}")
        return None
    return _KubeconfigFile(path, found)


def _swept(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> dict[str, Any]:
    done = sweep(client, datetime.now(timezone.utc), _named_namespaces(params, client), context.check_mode)
    result: dict[str, Any] = {
        "changed": bool(done.removed),
        "diff": [_swept_diff(done)] if done.removed else [],
        "swept": {
            "removed_count": len(done.removed),
            "removed": done.removed[:_LISTED_IN_RESULT],
            "kept_count": len(done.kept),
            "kept": done.kept[:_LISTED_IN_RESULT],
        },
    }
    if done.failures:
        error = ScanError(
            "access_remains",
            "; ".join(f"{what}: {error.message}" for what, error in done.failures[:_LISTED_IN_RESULT]),
            tried="sweeping",
            cause=done.failures[0][1].cause,
            advice="Sweep again with a credential that may list and delete what is named here.",
        )
        result.update(failed=True, msg=str(error), error=error.record())
    return result


def _swept_diff(done: Sweep) -> dict[str, str]:
    lines = [
        "{kind} {namespace}/{name} (run {run_id}, expired {expires})\n".format(**item)
        for item in done.removed
    ]
    more = ["and %d more\n" % (len(lines) - _LISTED_IN_RESULT)] if len(lines) > _LISTED_IN_RESULT else []
    return {
        "before_header": "expired",
        "after_header": "expired",
        "after": "",
        "before": "".join(lines[:_LISTED_IN_RESULT] + more),
    }


def _revoke(
    client: RestClient, run_id: str, namespaces: Sequence[str], check_mode: bool = False
) -> list[NamespaceOutcome]:
    outcomes = ensure_absent(client, run_id, namespaces, check_mode)
    failures = _failures(outcomes)
    if failures:
        more = (
            ["and %d more namespaces" % (len(failures) - _TOLD_NAMESPACES)]
            if len(failures) > _TOLD_NAMESPACES
            else []
        )
        raise ScanError(
            "access_remains",
            "; ".join(
                [f"{namespace}: {error.message}" for namespace, error in failures[:_TOLD_NAMESPACES]] + more
            ),
            tried=f"removing the access of run {run_id}",
            cause=failures[0][1].cause,
        )
    return outcomes


def _revoke_when_back(client: RestClient, run_id: str, namespaces: Sequence[str]) -> None:
    """Removes an access, once more where the API server was only away: one that restarts comes back within seconds, and
    knows its Roles a second later."""
    for pause in _RETURN_PAUSES:
        try:
            _revoke(client, run_id, namespaces)
            return
        except ScanError:
            try:
                RestClient(client.connection, patience=_RETURN_SECONDS, attempts=_RETURN_ATTEMPTS).get(
                    "/version"
                )
            except ScanError:
                break  # the last attempt then says what remains
            time.sleep(pause)
    _revoke(client, run_id, namespaces)


def _grants(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> list[Grant]:
    """One grant per namespace that has a pod of the selection; ScanError no_targets, unless that is allowed."""
    chosen, looked_at, rules = selection(params), SelectionReport(), forbidden_rules(params)
    # what enters by debug can scan by exec, too
    ways = [way for way in RIGHTS if covers(params["approach"], way)]
    grants = []
    for namespace in resolve_namespaces(client, chosen, looked_at):
        refs = [
            pod_ref(pod, params["approach"], ways, rules)
            for pod in select_pods(client, namespace, chosen, looked_at)
        ]
        pods = tuple(ref for ref in refs if ref)
        if pods:
            grants.append(Grant(namespace, pods, params["approach"]))
    context.warnings += check_selected(client, chosen, looked_at, params["allow_empty"])
    return grants


def _named_namespaces(params: Mapping[str, Any], client: RestClient) -> list[str] | None:
    """The namespaces that the task names, by whatever option; None where it names none."""
    named = params["namespaces"] or params.get("namespace_selectors")
    return resolve_namespaces(client, selection(params)) if named else None


def _failures(outcomes: Sequence[NamespaceOutcome]) -> list[tuple[str, ScanError]]:
    return [(outcome.namespace, outcome.error) for outcome in outcomes if outcome.error]


def _result(
    outcomes: list[NamespaceOutcome],
    failures: list[tuple[str, ScanError]],
    context: TaskContext,
    access: dict[str, Any],
) -> dict[str, Any]:
    _warn(failures, context)
    return {
        "changed": any(outcome.changed for outcome in outcomes),
        "access": access,
        "diff": _diff(outcomes),
        "failure_count": len(failures),
        "failures": [
            {"namespace": namespace, "error": error.record()}
            for namespace, error in failures[:_LISTED_IN_RESULT]
        ],
    }


def _warn(failures: list[tuple[str, ScanError]], context: TaskContext) -> None:
    for namespace, error in failures[:_TOLD_NAMESPACES]:
        context.warnings.append(f"no access to namespace {namespace}: {error}")
    if len(failures) > _TOLD_NAMESPACES:
        context.warnings.append(
            "no access to {} more namespaces: {}".format(
                len(failures) - _TOLD_NAMESPACES,
                ", ".join(namespace for namespace, _error in failures[_TOLD_NAMESPACES:])[:2000],
            )
        )


def _diff(outcomes: list[NamespaceOutcome]) -> list[dict[str, str]]:
    """One entry per namespace, as many as a person would read; the last one counts the rest."""
    entries: list[dict[str, str]] = []
    size = 0
    for outcome in outcomes:
        before, after = _as_text(outcome.before), _as_text(outcome.after)
        size += len(before) + len(after)
        if entries and size > _DIFF_CHARACTERS:
            rest = outcomes[len(entries) :]
            entries.append(
                {
                    "before_header": "further namespaces",
                    "after_header": "further namespaces",
                    "before": "",
                    "after": f"{len(rest)} more namespaces, {sum(each.changed for each in rest)} of them with changes\n",
                }
            )
            break
        entries.append(
            {
                "before_header": outcome.namespace,
                "after_header": outcome.namespace,
                "before": before,
                "after": after,
            }
        )
    return entries


def _as_text(objects: Mapping[str, Any]) -> str:
    return json.dumps(_shortened(objects), indent=2, sort_keys=True) + "\n" if objects else ""


def _shortened(value: Any) -> Any:
    """The value with no list longer than what a person reads; the hash shows that the rest differs."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) > _NAMES_IN_DIFF:
        rest = hashlib.sha256(json.dumps(value).encode("utf-8")).hexdigest()[:12]
        return [*value[:_NAMES_IN_DIFF], f"... {len(value)} in all, sha256 {rest}"]
    return [_shortened(item) for item in value] if isinstance(value, list) else value
