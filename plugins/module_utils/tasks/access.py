# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_access`: options in, access made or removed, result out."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ..access.lifecycle import NamespaceOutcome, ensure_absent, ensure_present, namespaces_of_run
from ..access.objects import AccessPlan, Grant, PodRef, check_run_id, new_run_id, object_name
from ..access.token import MINIMUM_LIFETIME
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options import selection
from ..targets.selection import SelectedTarget, resolve_namespaces, select_pods
from .context import TaskContext
from .grantor import connect_grantor


def run_scan_access(params: Mapping[str, Any], context: TaskContext) -> Dict[str, Any]:
    """Result keys: changed, access, failures, diff."""
    client = RestClient(connect_grantor(params, context))
    return _present(params, client, context) if params["state"] == "present" else _absent(params, client, context)


def _present(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> Dict[str, Any]:
    run_id = check_run_id(params["run_id"] or new_run_id(datetime.now(timezone.utc)))
    grants = _grants(params, client)
    if not grants and not params["allow_empty"]:
        raise ScanError("no_targets", "no pod of %s matches" % ", ".join(params["namespaces"]),
                        tried="choosing the pods of the access")
    outcomes = ensure_present(client, _plan(params, run_id, grants), context.check_mode)
    failures = _failures(outcomes)
    if failures and len(failures) == len(outcomes):
        raise failures[0][1]
    refused = {namespace for namespace, _error in failures}
    made = [grant for grant in grants if grant.namespace not in refused]
    return _result(outcomes, failures, context, access=_described(params, run_id, made))


def _plan(params: Mapping[str, Any], run_id: str, grants: Sequence[Grant]) -> AccessPlan:
    lifetime = params["lifetime"]
    if lifetime < MINIMUM_LIFETIME:
        raise ScanError("bad_option", "lifetime is %d s; the API's minimum is %d s" % (lifetime, MINIMUM_LIFETIME),
                        tried="reading the option lifetime")
    now = datetime.now(timezone.utc)
    return AccessPlan(run_id, params["owner"], now + timedelta(seconds=lifetime),
                      now + timedelta(seconds=lifetime / 2), tuple(grants))


def _described(params: Mapping[str, Any], run_id: str, grants: Sequence[Grant]) -> Dict[str, Any]:
    """The access as `scan_access` returns it and `ScannerAccess` reads it."""
    return {"run_id": run_id, "lifetime": params["lifetime"],
            "namespaces": [{"namespace": grant.namespace, "service_account": object_name(run_id),
                            "pods": [{"name": pod.name, "uid": pod.uid} for pod in grant.pods]} for grant in grants]}


@contextmanager
def scan_access_of(params: Mapping[str, Any], context: TaskContext, client: RestClient, run_id: str,
                   targets: Sequence[SelectedTarget]) -> Iterator[Mapping[str, Any]]:
    """The access that a scan works with: the one in the option `access`, else one of its own over the pods of the
    targets that run, which is removed at the end, whatever happens.

    A namespace where none can be made is left out, with a warning; its targets then say why they were not scanned.

    :raises ScanError: access_remains at the end, when something could not be removed
    """
    if params["access"]:
        yield params["access"]
        return
    plan = _plan(params, run_id, grants_of(targets))
    try:
        outcomes = ensure_present(client, plan)
        failures = _failures(outcomes)
        _warn(failures, context)
        refused = {namespace for namespace, _error in failures}
        yield _described(params, run_id, [grant for grant in plan.grants if grant.namespace not in refused])
    finally:
        _revoke(client, run_id, [grant.namespace for grant in plan.grants])


def planned_access(params: Mapping[str, Any], client: RestClient, run_id: str,
                   targets: Sequence[SelectedTarget]) -> List[Dict[str, str]]:
    """The diff of the access that `scan_access_of` would make."""
    return _diff(ensure_present(client, _plan(params, run_id, grants_of(targets)), check_mode=True))


def grants_of(targets: Sequence[SelectedTarget]) -> List[Grant]:
    """One grant per namespace, over the pods that hold a target which can be entered."""
    pods: Dict[str, Dict[str, PodRef]] = {}
    for selected in targets:
        target = selected.target
        if target.state == "running" and selected.operating_system == "linux":
            pods.setdefault(target.namespace, {})[target.pod] = PodRef(target.pod, target.pod_uid)
    return [Grant(namespace, tuple(found.values())) for namespace, found in pods.items()]


def _absent(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> Dict[str, Any]:
    if not params["run_id"]:
        raise ScanError("bad_option", "state=absent needs the run_id of the access", tried="reading the options")
    run_id = check_run_id(params["run_id"])
    namespaces = (resolve_namespaces(client, selection(params)) if params["namespaces"]
                  else namespaces_of_run(client, run_id))
    outcomes = _revoke(client, run_id, namespaces, context.check_mode)
    return _result(outcomes, [], context, access={"run_id": run_id, "namespaces": []})


def _revoke(client: RestClient, run_id: str, namespaces: Sequence[str],
            check_mode: bool = False) -> List[NamespaceOutcome]:
    outcomes = ensure_absent(client, run_id, namespaces, check_mode)
    failures = _failures(outcomes)
    if failures:
        raise ScanError("access_remains", "; ".join("%s: %s" % (namespace, error.message)
                                                    for namespace, error in failures),
                        tried="removing the access of run %s" % run_id)
    return outcomes


def _grants(params: Mapping[str, Any], client: RestClient) -> List[Grant]:
    chosen = selection(params)
    grants = []
    for namespace in resolve_namespaces(client, chosen):
        pods = tuple(PodRef(pod["metadata"]["name"], pod["metadata"]["uid"])
                     for pod in select_pods(client, namespace, chosen))
        if pods:
            grants.append(Grant(namespace, pods))
    return grants


def _failures(outcomes: List[NamespaceOutcome]) -> List[Tuple[str, ScanError]]:
    return [(outcome.namespace, outcome.error) for outcome in outcomes if outcome.error]


def _result(outcomes: List[NamespaceOutcome], failures: List[Tuple[str, ScanError]], context: TaskContext,
            access: Dict[str, Any]) -> Dict[str, Any]:
    _warn(failures, context)
    return {"changed": any(outcome.changed for outcome in outcomes), "access": access, "diff": _diff(outcomes),
            "failures": [{"namespace": namespace, "error": error.record()} for namespace, error in failures]}


def _warn(failures: List[Tuple[str, ScanError]], context: TaskContext) -> None:
    for namespace, error in failures:
        context.warnings.append("no access to namespace %s: %s" % (namespace, error))


def _diff(outcomes: List[NamespaceOutcome]) -> List[Dict[str, str]]:
    return [{"before_header": outcome.namespace, "after_header": outcome.namespace,
             "before": _as_text(outcome.before), "after": _as_text(outcome.after)} for outcome in outcomes]


def _as_text(objects: Mapping[str, Any]) -> str:
    return json.dumps(objects, indent=2, sort_keys=True) + "\n" if objects else ""
