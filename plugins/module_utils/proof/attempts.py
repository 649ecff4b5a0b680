# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that a scanner's token must be refused.

Each is harmless if it is not: it reads, or it is a dry run, or it asks to enter a pod without the upgrade of the connection that
an exec needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..access.objects import AccountName
from ..cluster.api_errors import ApiError
from ..cluster.rest import Query, RestClient
from ..errors import ScanError

_DRY_RUN: Query = {"dryRun": "All"}
_ONE: Query = {"limit": 1}
_ENTER: Query = {"command": "true", "stdout": "true"}
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NAME = "securescan-proof"
_MERGE = "application/merge-patch+json"
# An authorizer's words. What comes after the authorizers (admission, RBAC's rule of escalation) has others, and shows that the
# request was let through so far.
_NOT_AUTHORIZED = re.compile(r'User "[^"]*" cannot \S+ (?:resource|path) ')
_FORBIDDEN, _UNAUTHORIZED, _SERVER_ERROR = 403, 401, 500


@dataclass(frozen=True)
class Attempt:
    """One request, in words and as it is sent."""

    what: str
    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, client: RestClient) -> str:
        """What the API server answered although it should not have; empty where it refused.

        :raises ScanError: it is not known whether it would have refused: it did not answer, or did not know the token
        """
        try:
            self._send(client)
        except ApiError as error:
            if error.status == _UNAUTHORIZED or error.status >= _SERVER_ERROR:
                raise
            if error.status == _FORBIDDEN and _NOT_AUTHORIZED.search(error.message):
                return ""
            return f"{error.status}: {error.message}"
        except ScanError as error:
            if error.reason != "bad_reply":
                raise
        return "it was answered"

    def _send(self, client: RestClient) -> None:
        send: Mapping[str, Callable[[], Any]] = {
            "GET": lambda: client.get(self.path, self.query),
            "POST": lambda: client.create(self.path, self.body, self.query),
            "PATCH": lambda: client.patch(self.path, self.body, _MERGE, self.query),
            "DELETE": lambda: client.delete(self.path, query=self.query),
        }
        send[self.method]()


def attempts_in(
    namespace: str, chosen: str, other: str, elsewhere: str, account: AccountName
) -> Iterator[Attempt]:
    """What is tried in one namespace of an access.

    :param chosen: a pod that the access reaches
    :param other: a pod of the namespace that it must not reach
    :param elsewhere: another namespace
    :param account: the scanner's own ServiceAccount
    """
    here, its = f"/api/v1/namespaces/{namespace}", f"/api/v1/namespaces/{account.namespace}/serviceaccounts"
    pods, roles = f"{here}/pods", f"{_RBAC}/namespaces/{namespace}"
    yield Attempt("enter a pod that was not chosen", "GET", f"{pods}/{other}/exec", _ENTER)
    yield Attempt("read a pod that was not chosen", "GET", f"{pods}/{other}")
    yield Attempt(
        "enter a pod of another namespace",
        "GET",
        f"/api/v1/namespaces/{elsewhere}/pods/{other}/exec",
        _ENTER,
    )
    yield Attempt("list pods", "GET", pods, _ONE)
    yield Attempt("list pods of all namespaces", "GET", "/api/v1/pods", _ONE)
    yield Attempt("delete a chosen pod", "DELETE", f"{pods}/{chosen}", _DRY_RUN)
    yield Attempt(
        "label a chosen pod",
        "PATCH",
        f"{pods}/{chosen}",
        _DRY_RUN,
        {"metadata": {"labels": {_NAME: "tried"}}},
    )
    yield Attempt(
        "create a pod",
        "POST",
        pods,
        _DRY_RUN,
        _made("v1", "Pod", spec={"containers": [{"name": "none", "image": "none"}]}),
    )
    yield Attempt("list secrets", "GET", f"{here}/secrets", _ONE)
    yield Attempt("list config maps", "GET", f"{here}/configmaps", _ONE)
    yield Attempt(
        "get a further token for itself",
        "POST",
        f"{its}/{account.name}/token",
        _DRY_RUN,
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )
    yield Attempt(
        "live longer than its access",
        "PATCH",
        f"{its}/{account.name}",
        _DRY_RUN,
        {"metadata": {"labels": {_NAME: "tried"}}},
    )
    yield Attempt(
        "bind itself to cluster-admin",
        "POST",
        f"{roles}/rolebindings",
        _DRY_RUN,
        _made(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            roleRef={
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            subjects=[{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
        ),
    )
    yield Attempt("list namespaces", "GET", "/api/v1/namespaces", _ONE)
    yield Attempt("list nodes", "GET", "/api/v1/nodes", _ONE)


def _made(version: str, kind: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": _NAME}, **rest}
