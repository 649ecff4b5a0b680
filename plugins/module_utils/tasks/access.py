# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_access`: options in, access made or removed, result out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Mapping, Tuple

from ..access.lifecycle import NamespaceOutcome, ensure_absent, ensure_present, namespaces_of_run
from ..access.objects import AccessPlan, Grant, PodRef, check_run_id, new_run_id, object_name
from ..access.token import MINIMUM_LIFETIME
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options import selection
from ..targets.selection import resolve_namespaces, select_pods
from .context import TaskContext
from .grantor import connect_grantor


def run_scan_access(params: Mapping[str, Any], context: TaskContext) -> Dict[str, Any]:
    """Result keys: changed, access, failures, diff."""
    client = RestClient(connect_grantor(params, context))
    return _present(params, client, context) if params["state"] == "present" else _absent(params, client, context)


def _present(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> Dict[str, Any]:
    if params["lifetime"] < MINIMUM_LIFETIME:
        raise ScanError("bad_option", "lifetime is %d s; the API's minimum is %d s"
                        % (params["lifetime"], MINIMUM_LIFETIME), tried="reading the option lifetime")
    now = datetime.now(timezone.utc)
    run_id = check_run_id(params["run_id"] or new_run_id(now))
    grants = _grants(params, client)
    if not grants and not params["allow_empty"]:
        raise ScanError("no_targets", "no pod of %s matches" % ", ".join(params["namespaces"]),
                        tried="choosing the pods of the access")
    plan = AccessPlan(run_id, params["owner"], now + timedelta(seconds=params["lifetime"]),
                      now + timedelta(seconds=params["lifetime"] / 2), tuple(grants))
    outcomes = ensure_present(client, plan, context.check_mode)
    failures = _failures(outcomes)
    if failures and len(failures) == len(outcomes):
        raise failures[0][1]
    refused = {namespace for namespace, _error in failures}
    access = {
        "run_id": run_id, "lifetime": params["lifetime"],
        "namespaces": [{"namespace": grant.namespace, "service_account": object_name(run_id),
                        "pods": [{"name": pod.name, "uid": pod.uid} for pod in grant.pods]}
                       for grant in grants if grant.namespace not in refused],
    }
    return _result(outcomes, failures, context, access=access)


def _absent(params: Mapping[str, Any], client: RestClient, context: TaskContext) -> Dict[str, Any]:
    if not params["run_id"]:
        raise ScanError("bad_option", "state=absent needs the run_id of the access", tried="reading the options")
    run_id = check_run_id(params["run_id"])
    namespaces = (resolve_namespaces(client, selection(params)) if params["namespaces"]
                  else namespaces_of_run(client, run_id))
    outcomes = ensure_absent(client, run_id, namespaces, context.check_mode)
    failures = _failures(outcomes)
    if failures:
        raise ScanError("access_remains", "; ".join("%s: %s" % (namespace, error.message)
                                                    for namespace, error in failures),
                        tried="removing the access of run %s" % run_id)
    return _result(outcomes, failures, context, access={"run_id": run_id, "namespaces": []})


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
    for namespace, error in failures:
        context.warnings.append("no access to namespace %s: %s" % (namespace, error))
    diff = [{"before_header": outcome.namespace, "after_header": outcome.namespace,
             "before": _as_text(outcome.before), "after": _as_text(outcome.after)} for outcome in outcomes]
    return {"changed": any(outcome.changed for outcome in outcomes), "access": access, "diff": diff,
            "failures": [{"namespace": namespace, "error": error.record()} for namespace, error in failures]}


def _as_text(objects: Mapping[str, Any]) -> str:
    return json.dumps(objects, indent=2, sort_keys=True) + "\n" if objects else ""
