# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's side of an access: one client per namespace, each with its own token, and what it may
touch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from ..cluster.connection import ClusterConnection
from ..cluster.request_log import RequestLog
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..targets.identity import Target
from ..times import parse_api_time
from .objects import API_VERSIONS, FIRST_APPROACH, Grant, PodRef, object_name, owner_reference
from .packed_pods import unpack_pods
from .rights import RIGHTS, covers, makes_pods
from .token import MINIMUM_LIFETIME, request_token, wait_until_effective

# How `scan_access` writes a time (UTC).
_LET_IN_SECONDS = 5.0


@dataclass(frozen=True)
class NamespaceScanner:
    """What a scan of one namespace works with: the scanner's connection and client, and the grant they stand
    for."""

    connection: ClusterConnection
    client: RestClient
    grant: Grant


class ScannerAccess:
    """Gives each target the scanner of its namespace. A namespace's token is asked for when its first target
    comes."""

    def __init__(
        self,
        grantor: RestClient,
        connection: ClusterConnection,
        access: Mapping[str, Any],
        cancel: threading.Event | None = None,
    ) -> None:
        """:param access: the `access` value that the task scan_access returned
        :param cancel: ends a request that is under way
        """
        self._grantor = grantor
        self._connection = connection
        self._cancel = cancel
        self._approach = approach_of(access)
        self._run_id, self._grants, self._expiries = _read_access(access)
        self._uids = {namespace: _uids(grant) for namespace, grant in self._grants.items()}
        self._entries = {str(entry["namespace"]): entry for entry in access["namespaces"]}
        self._not_made = _read_refused(access)
        self._scanners: dict[str, NamespaceScanner] = {}
        self._refusals: dict[str, ScanError] = {}
        self._locks = {namespace: threading.Lock() for namespace in self._grants}

    @property
    def log(self) -> RequestLog:
        """What is asked of the cluster by the scanner and the grantor."""
        return self._connection.log

    @property
    def run_id(self) -> str:
        return self._run_id

    def approach_in(self, namespace: str) -> str:
        """The approach that the access to that namespace was made for."""
        grant = self._grants.get(namespace)
        return grant.approach if grant else self._approach

    @property
    def pod_uids(self) -> AbstractSet[str]:
        """The pods that the access reaches."""
        return {pod.uid for grant in self._grants.values() for pod in grant.pods}

    @property
    def requests(self) -> int:
        """API requests made with scanner identities so far."""
        return sum(scanner.client.requests for scanner in self._scanners.values())

    def for_target(self, target: Target, approach: str = FIRST_APPROACH) -> NamespaceScanner:
        """The scanner that is allowed to enter the target by that approach; ScanError where the access does not cover
        it."""
        grant = self._grants.get(target.namespace)
        tried = f"scanning {target.path}"
        if target.namespace in self._not_made:
            raise self._not_made[target.namespace]
        if grant is None:
            raise ScanError(
                "not_permitted",
                f"the access does not cover namespace {target.namespace}",
                tried=tried,
                cause="The namespace was not part of the access.",
            )
        uids = self._uids[target.namespace]
        if target.pod not in uids:
            raise ScanError("pod_replaced", "the pod came after the access was made", tried=tried)
        if uids[target.pod] != target.pod_uid:
            raise ScanError(
                "pod_replaced",
                f"the access is for pod uid {uids[target.pod]}, the pod now has {target.pod_uid}",
                tried=tried,
            )
        if not makes_pods(approach) and not covers(grant.approach, approach):
            lacking = _read_lacking(self._entries[target.namespace])
            raise ScanError(
                "not_permitted",
                lacking.message if lacking else f"the access was made for the approach {grant.approach}",
                tried=f"{tried} by {approach}",
                cause=lacking.cause if lacking else f"It does not hold what {approach} needs.",
                advice="Grant the grantor what the cause names, or leave the approach out (approaches).",
            )
        return self._scanner(grant)

    @property
    def grants(self) -> list[Grant]:
        """What the access reaches, a grant for each namespace."""
        return list(self._grants.values())

    def for_namespace(self, namespace: str) -> NamespaceScanner:
        """The scanner of a namespace of `grants`. :raises ScanError: where it is not let in"""
        return self._scanner(self._grants[namespace])

    def for_helpers(self, namespace: str) -> NamespaceScanner:
        """The scanner that makes helper pods in the namespace; ScanError where the access does not hold
        that."""
        if namespace in self._not_made:
            raise self._not_made[namespace]
        if not self.has_helpers(namespace):
            raise ScanError(
                "not_permitted",
                f"the access holds no helper pods in namespace {namespace}",
                tried="starting a helper pod",
                cause="It was made for another approach or another helper_namespace.",
            )
        return self._scanner(self._grants[namespace])

    def wait_for_rbac(self, namespace: str) -> None:
        """Waits until the API server lets the namespace's scanner in, which it did before; ScanError
        not_permitted where that takes too long, for all further targets of the namespace, too."""
        with self._locks[namespace]:
            if namespace in self._refusals:
                raise self._refusals[namespace]
            try:
                wait_until_effective(
                    self._scanners[namespace].client, self._grants[namespace], _LET_IN_SECONDS
                )
            except ScanError as error:
                self._refusals[namespace] = error
                raise

    def has_helpers(self, namespace: str) -> bool:
        """Whether the access was made for helper pods in that namespace."""
        grant = self._grants.get(namespace)
        return grant is not None and makes_pods(grant.approach)

    def regranted(self, namespace: str, pods: Sequence[PodRef]) -> Grant:
        """What the access to a namespace would be over these pods."""
        grant = self._grants.get(namespace) or Grant(namespace, (), self._approach)
        return replace(grant, pods=tuple(pods))

    def helper_owner(self, namespace: str) -> dict[str, str]:
        """The owner reference of helper pods in that namespace. It names the ServiceAccount, or the scan's
        Role where the ServiceAccount is in another one: an owner is in the namespace of what it owns."""
        grant, entry = self._grants[namespace], self._entries[namespace]
        account = grant.account(self._run_id)
        if account.namespace == namespace:
            kind, name, uid = "ServiceAccount", account.name, entry.get("service_account_uid")
        else:
            kind, name, uid = "Role", object_name(self._run_id), entry.get("role_uid")
        metadata = {"name": name, "uid": str(uid or "")}
        return owner_reference({"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata})

    def expires(self, namespace: str) -> datetime:
        """When the access to that namespace ends (UTC)."""
        return self._expiries[namespace]

    def remaining(self, namespace: str) -> int:
        """Seconds until then, at least those that a token lives."""
        return remaining_lifetime(self._expiries[namespace])

    def _scanner(self, grant: Grant) -> NamespaceScanner:
        namespace = grant.namespace
        with self._locks[namespace]:
            refusal = self._refusals.get(namespace)
            if refusal:
                raise refusal
            if namespace not in self._scanners:
                try:
                    self._scanners[namespace] = self._open(grant)
                except ScanError as error:
                    # asked once: every other target of the namespace gets the same answer without another
                    # request
                    self._refusals[namespace] = error
                    raise
            return self._scanners[namespace]

    def replace_grants(self, grants: Sequence[Grant]) -> dict[str, ScanError]:
        """From now on these namespaces are reached as their grants say; a failure by namespace, where the API
        server does not let the scanner in."""
        refused: dict[str, ScanError] = {}
        for grant in grants:
            with self._locks[grant.namespace]:
                self._grants[grant.namespace] = grant
                self._uids[grant.namespace] = _uids(grant)
                self._refusals.pop(grant.namespace, None)
                before = self._scanners.get(grant.namespace)
                if before is None:
                    continue
                try:
                    wait_until_effective(before.client, grant)
                    self._scanners[grant.namespace] = NamespaceScanner(
                        before.connection, before.client, grant
                    )
                except ScanError as error:
                    refused[grant.namespace] = self._refusals[grant.namespace] = error
        return refused

    def _open(self, grant: Grant) -> NamespaceScanner:
        lifetime = remaining_lifetime(self._expiries[grant.namespace])
        token = request_token(self._grantor, self._run_id, grant.namespace, lifetime, grant.account_namespace)
        connection = self._connection.with_bearer_token(token.value)
        client = RestClient(connection, cancel=self._cancel)
        wait_until_effective(client, grant)
        return NamespaceScanner(connection, client, grant)


def approach_of(access: Mapping[str, Any], default: str = FIRST_APPROACH) -> str:
    """The approach that an access, or its part of one namespace, was made for; ScanError bad_option where it
    names none that there is."""
    approach = str(access.get("approach", default))
    if approach not in RIGHTS:
        raise _garbled(KeyError("approach"))
    return approach


def check_covers(access: Mapping[str, Any], approach: str) -> None:
    """Whether an access lets a scan work by that approach.

    :raises ScanError: bad_option
    """
    made_for = approach_of(access)
    if makes_pods(approach):
        raise ScanError(
            "bad_option",
            f"the approach {approach} makes its own access, for helper pods that it plans itself",
            tried="reading the option access",
            advice="Leave the option out.",
        )
    if not covers(made_for, approach):
        raise ScanError(
            "bad_option",
            f"the access was made for the approach {made_for}, not for {approach}",
            tried="reading the option access",
            advice=f"Make it by scan_access with approach={approach}.",
        )


def _uids(grant: Grant) -> dict[str, str]:
    return {pod.name: pod.uid for pod in grant.pods}


def remaining_lifetime(expires: datetime) -> int:
    """Seconds for a token that is asked for now: to the end of its access, but not below the API's
    minimum."""
    return max(MINIMUM_LIFETIME, int((expires - datetime.now(timezone.utc)).total_seconds()))


def _read_access(access: Mapping[str, Any]) -> tuple[str, dict[str, Grant], dict[str, datetime]]:
    grants: dict[str, Grant] = {}
    expiries: dict[str, datetime] = {}
    try:
        pods = unpack_pods(access["packed_pods"])
        for entry in access["namespaces"]:
            namespace = str(entry["namespace"])
            account_namespace = str(entry.get("service_account_namespace") or namespace)
            grants[namespace] = Grant(
                namespace,
                pods[namespace],
                approach_of(entry, approach_of(access)),
                account_namespace if account_namespace != namespace else "",
            )
            expiries[namespace] = parse_api_time(entry["expires"])
        return str(access["run_id"]), grants, expiries
    except (KeyError, TypeError, ValueError) as error:
        raise _garbled(error) from error


def _read_lacking(entry: Mapping[str, Any]) -> ScanError | None:
    """Why the access to a namespace holds less than was asked for; None where it holds all."""
    try:
        return ScanError.from_record(entry["lacking"]) if entry.get("lacking") else None
    except (KeyError, TypeError) as error:
        raise _garbled(error) from error


def _read_refused(access: Mapping[str, Any]) -> dict[str, ScanError]:
    """The namespaces where the access could not be made, and why."""
    try:
        return {
            str(entry["namespace"]): ScanError.from_record(entry["error"])
            for entry in access.get("refused", ())
        }
    except (KeyError, TypeError) as error:
        raise _garbled(error) from error


def _garbled(error: Exception) -> ScanError:
    return ScanError(
        "bad_option",
        f"access lacks or garbles {error}",
        tried="reading the option access",
        advice="Pass the value `access` of a scan_access task unchanged.",
    )
