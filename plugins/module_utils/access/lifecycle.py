# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes and removes a scan's access, one namespace at a time, with the grantor's credential."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .objects import (
    LABEL_OWNER,
    AccessPlan,
    Grant,
    account_name,
    collection_path,
    expiry_of,
    object_name,
    roles_and_bindings,
    service_account,
)
from .objects_in_cluster import REMOVAL_ORDER, find, find_account, remove
from .refusals import access_incomplete

# Ours is 30 s: the server must have given up before, or the object could come after we have taken back the
# rest.
_SERVER_TIMEOUT = {"timeout": "20s"}
# An answer with one of these says that the object was not made; any other failure leaves that open.
_NOT_MADE = frozenset(
    {"conflict", "not_permitted", "invalid_request", "not_found", "not_authenticated", "throttled"}
)
_CHANGED = ("rules", "subjects", "automountServiceAccountToken")
_UID_IN_CHECK_MODE = "(known after creation)"

Key = tuple[str, str]


@dataclass
class NamespaceOutcome:
    """What was done (or, in check mode, would be) in one namespace. `before` and `after` map "Kind name" to
    the object. `is_new`: there was no access of this run before. `expires`, `account_uid` and `role_uid` (of
    the first Role) are those of the access as it now is; they are only there without an error."""

    namespace: str
    changed: bool = False
    is_new: bool = False
    expires: datetime | None = None
    account_uid: str = ""
    role_uid: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    error: ScanError | None = None

    @property
    def left_nothing(self) -> bool:
        """Whether it failed and what was made was taken back, or nothing had been made."""
        return self.error is not None and self.error.reason == "access_incomplete"


def ensure_present(client: RestClient, plan: AccessPlan, check_mode: bool = False) -> list[NamespaceOutcome]:
    """Makes the access of each grant, or brings an existing one of the same run up to date.

    In a namespace where it fails, what was made is removed again and the outcome holds the error; the other
    namespaces' access stands. When it is cancelled, all that this call has made is removed.
    """
    convergences: list[_Convergence] = []
    try:
        for grant in plan.grants:
            convergences.append(_Convergence(client, plan, grant, check_mode))
            convergences[-1].run()
    except BaseException:
        for convergence in convergences:
            convergence.undo()
        raise
    return [convergence.outcome for convergence in convergences]


def ensure_renewed(client: RestClient, run_id: str, grants: Sequence[Grant]) -> list[NamespaceOutcome]:
    """Makes the access of a run, which is there, reach the grants' pods instead of those it reached; owner
    and expiry stay. Namespaces without a grant are left alone."""
    outcomes: list[NamespaceOutcome] = []
    for grant in grants:
        try:
            plan = _plan_in_cluster(client, run_id, grant)
        except ScanError as error:
            outcomes.append(NamespaceOutcome(grant.namespace, error=access_incomplete(error, ())))
            continue
        outcomes += ensure_present(client, plan)
    return outcomes


def ensure_absent(
    client: RestClient,
    run_id: str,
    namespaces: Iterable[str],
    check_mode: bool = False,
    account_namespace: str = "",
) -> list[NamespaceOutcome]:
    """Removes the access of a run to the namespaces, also when the client is cancelled; objects that are not
    ours are never touched.

    :param account_namespace: where the ServiceAccounts are; in the namespaces themselves when empty. One that
        a RoleBinding of the access names is removed wherever it is.
    """
    client = client.uncancelled()
    return [_revoke(client, run_id, namespace, account_namespace, check_mode) for namespace in namespaces]


def namespaces_of_run(client: RestClient, run_id: str) -> list[str]:
    """The namespaces that hold anything of the run (needs list on the three kinds over all namespaces)."""
    return sorted(
        {item["metadata"]["namespace"] for kind in REMOVAL_ORDER for item in find(client, kind, None, run_id)}
    )


def _plan_in_cluster(client: RestClient, run_id: str, grant: Grant) -> AccessPlan:
    account = find_account(client, grant.account(run_id), run_id)
    labels: Mapping[str, str] = account["metadata"]["labels"] if account else {}
    expires = expiry_of(labels)
    if expires is None:
        raise ScanError(
            "not_found",
            "namespace {} holds no access of run {}{}".format(
                grant.namespace, run_id, " with an expiry" if account else ""
            ),
            tried="renewing the access",
        )
    always = datetime.min.replace(tzinfo=timezone.utc)
    return AccessPlan(run_id, labels.get(LABEL_OWNER, ""), expires, always, (grant,))


class _Convergence:
    """Brings the objects of one namespace to what is wanted, and can take back what it made."""

    def __init__(self, client: RestClient, plan: AccessPlan, grant: Grant, check_mode: bool) -> None:
        self.outcome = NamespaceOutcome(grant.namespace)
        self._client = client
        self._plan = plan
        self._grant = grant
        self._check_mode = check_mode
        self._made: set[Key] = set()

    def run(self) -> None:
        """Does it; a ScanError becomes the outcome's error."""
        outcome = self.outcome
        try:
            account = self._ensure_account()
            found = {
                _key(item): item
                for kind in ("Role", "RoleBinding")
                for item in find(self._client, kind, outcome.namespace, self._plan.run_id)
            }
            for wanted in roles_and_bindings(self._plan, self._grant, account):
                there = self._ensure(wanted, found.pop(_key(wanted), None))
                if _key(wanted) == ("Role", object_name(self._plan.run_id)):
                    outcome.role_uid = str(there["metadata"].get("uid", ""))
            for surplus in sorted(found.values(), key=lambda item: REMOVAL_ORDER.index(item["kind"])):
                self._drop(surplus)
        except ScanError as error:
            if error.reason == "cancelled":
                raise
            outcome.error = access_incomplete(error, self.undo())
            outcome.changed = False
            return
        outcome.expires = self._plan.expires
        outcome.account_uid = account["metadata"]["uid"]

    def undo(self) -> list[str]:
        """Removes what `run` has made; what could not be removed, as texts."""
        left: list[str] = []
        client = self._client.uncancelled()
        made, self._made = self._made, set()
        for kind in REMOVAL_ORDER:
            if not any(key[0] == kind for key in made):
                continue
            try:
                for item in find(client, kind, self._namespace_of(kind), self._plan.run_id):
                    if _key(item) in made:
                        remove(client, item)
            except ScanError as error:
                left.append(f"{kind}: {error.message}")
        return left

    def _namespace_of(self, kind: str) -> str:
        """Where the objects of a kind are."""
        account = self._grant.account(self._plan.run_id)
        return account.namespace if kind == "ServiceAccount" else self.outcome.namespace

    def _ensure_account(self) -> Mapping[str, Any]:
        run_id = self._plan.run_id
        found = find_account(self._client, self._grant.account(run_id), run_id)
        if found is None:
            self.outcome.is_new = True
        else:
            expires = expiry_of(found["metadata"]["labels"])
            if expires is not None and expires > self._plan.renew_before:
                self._plan = replace(self._plan, expires=expires)
        return self._ensure(service_account(self._plan, self._grant), found)

    def _ensure(self, wanted: dict[str, Any], found: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Creates the object, or changes the one that is there; returns it as it then is."""
        outcome, path = self.outcome, collection_path(wanted["kind"], wanted["metadata"]["namespace"])
        outcome.after[_title(wanted)] = wanted
        if found is None:
            outcome.changed = True
            if self._check_mode:
                return dict(wanted, metadata=dict(wanted["metadata"], uid=_UID_IN_CHECK_MODE))
            return self._create(path, wanted)
        before = outcome.before[_title(wanted)] = _comparable(found, wanted)
        if before == wanted:
            return found
        outcome.changed = True
        if self._check_mode:
            return found
        if before.get("roleRef") != wanted.get("roleRef"):
            remove(self._client, found)  # what a binding binds cannot be changed
            return self._create(path, wanted)
        changes: dict[str, Any] = {key: wanted[key] for key in _CHANGED if key in wanted}
        changes["metadata"] = {
            key: wanted["metadata"][key] for key in ("labels", "ownerReferences") if key in wanted["metadata"]
        }
        return self._client.patch(
            "{}/{}".format(path, wanted["metadata"]["name"]),
            changes,
            "application/merge-patch+json",
            _SERVER_TIMEOUT,
        )

    def _create(self, path: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        self._made.add(_key(wanted))
        try:
            # seen through when it is cancelled: an answer that is not waited for leaves open what there is to
            # be taken back
            return self._client.uncancelled().create(path, wanted, _SERVER_TIMEOUT)
        except ScanError as error:
            if error.reason in _NOT_MADE:
                self._made.discard(_key(wanted))
            raise

    def _drop(self, surplus: Mapping[str, Any]) -> None:
        self.outcome.changed = True
        self.outcome.before[_title(surplus)] = _comparable(surplus, surplus)
        if not self._check_mode:
            remove(self._client, surplus)


def _revoke(
    client: RestClient, run_id: str, namespace: str, account_namespace: str, check_mode: bool
) -> NamespaceOutcome:
    outcome = NamespaceOutcome(namespace)
    homes = {account_namespace: None}
    for kind in REMOVAL_ORDER:
        try:
            for item in _of_run(client, kind, namespace, run_id, tuple(homes)):
                homes.update((home, None) for home in _homes(item))
                outcome.before[_title(item)] = _comparable(item, item)
                outcome.changed = True
                if not check_mode:
                    remove(client, item)
        except ScanError as error:
            # go on with the other kinds: each one that is removed takes something from the scanner
            outcome.error = outcome.error or ScanError(
                "access_remains", error.message, tried=error.tried, cause=error.cause
            )
    return outcome


def _homes(item: Mapping[str, Any]) -> list[str]:
    """The other namespaces of ServiceAccounts that a RoleBinding names: who removes an access need not know
    how it was made."""
    own = item["metadata"]["namespace"]
    named = [subject.get("namespace") for subject in item.get("subjects") or ()]
    return [str(namespace) for namespace in named if namespace and namespace != own]


def _of_run(
    client: RestClient, kind: str, namespace: str, run_id: str, homes: Sequence[str]
) -> list[dict[str, Any]]:
    if kind != "ServiceAccount":
        return list(find(client, kind, namespace, run_id))
    # by its name: one that has lost its labels still gives tokens, and must not pass for removed
    named = [find_account(client, account_name(run_id, namespace, home), run_id) for home in homes]
    # else it may be the namespace of the ServiceAccounts, which holds those for others
    return [account for account in named if account] or list(find(client, kind, namespace, run_id))


def _key(item: Mapping[str, Any]) -> Key:
    return item["kind"], item["metadata"]["name"]


def _title(item: Mapping[str, Any]) -> str:
    return "{} {}".format(*_key(item))


def _comparable(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The object cut down to what we set, so that it can be compared with, and shown beside, what is
    wanted."""
    metadata = {
        key: found["metadata"][key]
        for key in ("name", "namespace", "labels", "ownerReferences")
        if key in found["metadata"] and key in wanted["metadata"]
    }
    keys = ("automountServiceAccountToken", "rules", "roleRef", "subjects")
    return dict(
        {key: found[key] for key in keys if key in found},
        metadata=metadata,
        kind=wanted["kind"],
        apiVersion=wanted["apiVersion"],
    )
