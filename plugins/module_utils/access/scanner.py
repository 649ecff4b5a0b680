# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's side of an access: one client per namespace, each with its own token, and what it may touch."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

from ..cluster.connection import ClusterConnection
from ..cluster.limiter import Limiter
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..targets.identity import Target
from .objects import Grant, PodRef
from .token import request_token, wait_until_effective


@dataclass(frozen=True)
class NamespaceScanner:
    """What a scan of one namespace works with: the scanner's connection and client, and the grant they stand for."""

    connection: ClusterConnection
    client: RestClient
    grant: Grant


class ScannerAccess:
    """Gives each target the scanner of its namespace. A namespace's token is asked for when its first target comes."""

    def __init__(self, grantor: RestClient, connection: ClusterConnection, access: Mapping[str, Any],
                 limiter: Limiter) -> None:
        """:param access: the `access` value that the task scan_access returned"""
        self._grantor = grantor
        self._connection = connection
        self._limiter = limiter
        self._run_id, self._lifetime, self._grants = _read_access(access)
        self._scanners: Dict[str, NamespaceScanner] = {}
        self._refusals: Dict[str, ScanError] = {}
        self._locks = {namespace: threading.Lock() for namespace in self._grants}

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def requests(self) -> int:
        """API requests made with scanner identities so far."""
        return sum(scanner.client.requests for scanner in self._scanners.values())

    def for_target(self, target: Target) -> NamespaceScanner:
        """The scanner that may enter the target; ScanError where the access does not cover it."""
        grant = self._grants.get(target.namespace)
        tried = "scanning %s" % target.path
        if grant is None:
            raise ScanError("not_permitted", "the access does not cover namespace %s" % target.namespace, tried=tried,
                            cause="The namespace was not part of the access, or its access could not be made.")
        uids = {pod.name: pod.uid for pod in grant.pods}
        if target.pod not in uids:
            raise ScanError("pod_replaced", "the pod came after the access was made", tried=tried)
        if uids[target.pod] != target.pod_uid:
            raise ScanError("pod_replaced", "the access is for pod uid %s, the pod now has %s"
                            % (uids[target.pod], target.pod_uid), tried=tried)
        with self._locks[target.namespace]:
            refusal = self._refusals.get(target.namespace)
            if refusal:
                raise refusal
            if target.namespace not in self._scanners:
                try:
                    self._scanners[target.namespace] = self._open(grant)
                except ScanError as error:
                    # asked once: every other target of the namespace gets the same answer without another request
                    self._refusals[target.namespace] = error
                    raise
            return self._scanners[target.namespace]

    def _open(self, grant: Grant) -> NamespaceScanner:
        token = request_token(self._grantor, self._run_id, grant.namespace, self._lifetime)
        connection = self._connection.with_bearer_token(token.value)
        client = RestClient(connection, limiter=self._limiter)
        wait_until_effective(client, grant)
        return NamespaceScanner(connection, client, grant)


def _read_access(access: Mapping[str, Any]) -> Tuple[str, int, Dict[str, Grant]]:
    try:
        grants: List[Grant] = [
            Grant(str(entry["namespace"]), tuple(PodRef(str(pod["name"]), str(pod["uid"])) for pod in entry["pods"]))
            for entry in access["namespaces"]]
        return str(access["run_id"]), int(access["lifetime"]), {grant.namespace: grant for grant in grants}
    except (KeyError, TypeError, ValueError) as error:
        raise ScanError("bad_option", "access lacks or garbles %s" % error, tried="reading the option access",
                        advice="Pass the value `access` of a scan_access task unchanged.") from error
