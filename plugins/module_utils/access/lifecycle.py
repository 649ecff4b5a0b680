# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes and removes a scan's access, one namespace at a time, with the grantor's credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ..cluster.rest import RestClient
from ..errors import ScanError
from .objects import (
    EXPIRES_FORMAT,
    LABEL_EXPIRES,
    LABEL_MANAGED_BY,
    LABEL_RUN,
    MANAGED_BY,
    AccessPlan,
    Grant,
    collection_path,
    object_name,
    role,
    role_binding,
    service_account,
)

# What is removed first takes the scanner's rights away at once; the ServiceAccount, which its token hangs on, is last.
_REMOVAL_ORDER = ("RoleBinding", "Role", "ServiceAccount")


@dataclass
class NamespaceOutcome:
    """What was done (or, in check mode, would be) in one namespace. `before` and `after` map a kind to its object."""

    namespace: str
    changed: bool = False
    before: Dict[str, Any] = field(default_factory=dict)
    after: Dict[str, Any] = field(default_factory=dict)
    error: Optional[ScanError] = None


def ensure_present(client: RestClient, plan: AccessPlan, check_mode: bool = False) -> List[NamespaceOutcome]:
    """Makes the access of each grant, or brings an existing one of the same run up to date.

    A namespace where it fails is left as it was found (what was made there is removed again), with its error;
    the other namespaces' access stands.
    """
    return [_grant(client, plan, grant, check_mode) for grant in plan.grants]


def ensure_absent(client: RestClient, run_id: str, namespaces: Iterable[str],
                  check_mode: bool = False) -> List[NamespaceOutcome]:
    """Removes the access of a run from the namespaces; objects that are not ours are never touched."""
    return [_revoke(client, run_id, namespace, check_mode) for namespace in namespaces]


def namespaces_of_run(client: RestClient, run_id: str) -> List[str]:
    """The namespaces that hold a ServiceAccount of the run (needs list on serviceaccounts over all namespaces)."""
    query = {"labelSelector": "%s=%s,%s=%s" % (LABEL_MANAGED_BY, MANAGED_BY, LABEL_RUN, run_id)}
    return sorted({item["metadata"]["namespace"] for item in client.list_items("/api/v1/serviceaccounts", query)})


def _grant(client: RestClient, plan: AccessPlan, grant: Grant, check_mode: bool) -> NamespaceOutcome:
    outcome = NamespaceOutcome(grant.namespace)
    convergence = _Convergence(client, plan, outcome, check_mode)
    try:
        owner = convergence.ensure(service_account(plan, grant))
        for build in (role, role_binding):
            convergence.ensure(build(plan, grant, owner))
    except BaseException as error:
        # also on an interrupt: a half-made access must not outlive the attempt
        convergence.undo()
        if not isinstance(error, ScanError):
            raise
        outcome.changed = False
        outcome.error = ScanError("access_incomplete", error.message, tried=error.tried, cause=error.cause,
                                  advice=error.advice if error.reason != "not_permitted" else "")
    return outcome


class _Convergence:
    """Brings the objects of one namespace to what is wanted, and can take back what it made."""

    def __init__(self, client: RestClient, plan: AccessPlan, outcome: NamespaceOutcome, check_mode: bool) -> None:
        self._client = client
        self._plan = plan
        self._outcome = outcome
        self._check_mode = check_mode
        self._made: List[str] = []

    def ensure(self, wanted: Dict[str, Any]) -> Mapping[str, Any]:
        """Creates the object, or replaces rules and labels of the one that is there; returns it as it then is."""
        kind, name = wanted["kind"], wanted["metadata"]["name"]
        outcome, path = self._outcome, collection_path(kind, self._outcome.namespace)
        found = _read(self._client, kind, name, outcome.namespace)
        outcome.after[kind] = wanted
        if found is None:
            outcome.changed = True
            if self._check_mode:
                return dict(wanted, metadata=dict(wanted["metadata"], uid="(known after creation)"))
            self._made.append(kind)
            return self._client.create(path, wanted)
        _refuse_foreign(found, kind, name, outcome.namespace)
        expires = found["metadata"]["labels"].get(LABEL_EXPIRES, "")
        if expires > self._plan.renew_before.astimezone(timezone.utc).strftime(EXPIRES_FORMAT):
            wanted["metadata"]["labels"][LABEL_EXPIRES] = expires
        outcome.before[kind] = _comparable(found, wanted)
        if outcome.before[kind] == wanted:
            return found
        outcome.changed = True
        if self._check_mode:
            return found
        changes: Dict[str, Any] = {"metadata": {"labels": wanted["metadata"]["labels"]}}
        changes.update((key, wanted[key]) for key in ("rules", "automountServiceAccountToken") if key in wanted)
        return self._client.patch("%s/%s" % (path, name), changes, "application/merge-patch+json")

    def undo(self) -> None:
        for kind in reversed(self._made):
            _delete(self._client, kind, self._plan.run_id, self._outcome.namespace)


def _revoke(client: RestClient, run_id: str, namespace: str, check_mode: bool) -> NamespaceOutcome:
    outcome = NamespaceOutcome(namespace)
    for kind in _REMOVAL_ORDER:
        try:
            found = _read(client, kind, object_name(run_id), namespace)
            if found is None:
                continue
            _refuse_foreign(found, kind, object_name(run_id), namespace)
            outcome.before[kind] = _comparable(found, found)
            outcome.changed = True
            if not check_mode:
                _delete(client, kind, run_id, namespace)
        except ScanError as error:
            # go on with the other kinds: each one that is removed takes something from the scanner
            outcome.error = ScanError("access_remains", error.message, tried=error.tried, cause=error.cause)
    return outcome


def _read(client: RestClient, kind: str, name: str, namespace: str) -> Optional[Dict[str, Any]]:
    try:
        return client.get("%s/%s" % (collection_path(kind, namespace), name))
    except ScanError as error:
        if error.reason == "not_found":
            return None
        raise


def _delete(client: RestClient, kind: str, run_id: str, namespace: str) -> None:
    try:
        client.delete("%s/%s" % (collection_path(kind, namespace), object_name(run_id)))
    except ScanError as error:
        if error.reason != "not_found":
            raise


def _refuse_foreign(found: Mapping[str, Any], kind: str, name: str, namespace: str) -> None:
    labels = found["metadata"].get("labels") or {}
    if labels.get(LABEL_MANAGED_BY) != MANAGED_BY:
        raise ScanError("conflict", "%s %s in namespace %s is not managed by %s" % (kind, name, namespace, MANAGED_BY),
                        tried="managing the scan's access", advice="Choose another run id; the object was not touched.")


def _comparable(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Dict[str, Any]:
    """The object cut down to what we set, so that it can be compared with, and shown beside, what is wanted."""
    metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels", "ownerReferences")
                if key in found["metadata"] and key in wanted["metadata"]}
    keys = ("automountServiceAccountToken", "rules", "roleRef", "subjects")
    return dict({key: found[key] for key in keys if key in found}, metadata=metadata, kind=wanted["kind"],
                apiVersion=wanted["apiVersion"])
