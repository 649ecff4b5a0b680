# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's token: asked for by the grantor, held in memory only, and known to work before it is used.

What it is bound to: the ServiceAccount's uid, which the API server checks at each use, so the token dies with
the ServiceAccount and does not come alive again with another of the same name. TokenRequest can bind it to a
Pod, Secret or Node besides. None of them helps: a scanner runs in no pod and on no node of the cluster, and
for a Secret the grantor would need rights on secrets, only to have a second object whose deletion says what
that of the ServiceAccount says.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from .objects import Grant, account_name, parts
from .rights import RIGHTS, holders

# TokenRequest (authentication.k8s.io/v1) refuses less than 10 minutes.
MINIMUM_LIFETIME = 600
# Ours: no scan takes longer, and what is forgotten is dead a day later.
MAXIMUM_LIFETIME = 86400


@dataclass(frozen=True)
class ScannerToken:
    """A bearer token of one namespace's scanner. Its text never shows in a representation of the object."""

    namespace: str
    value: str
    expires: str

    def __repr__(self) -> str:
        return f"ScannerToken(namespace={self.namespace!r}, expires={self.expires!r})"


def request_token(
    client: RestClient, run_id: str, namespace: str, lifetime: int, account_namespace: str = ""
) -> ScannerToken:
    """A token for the run's ServiceAccount that reaches the namespace, from the grantor's client.

    :param lifetime: seconds, at least 600
    :param account_namespace: where the ServiceAccount is, as in a Grant
    """
    account = account_name(run_id, namespace, account_namespace)
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": lifetime},
    }
    path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}/token"
    reply = client.create(path, body)
    status = reply.get("status") or {}
    if not status.get("token"):
        raise ScanError(
            "bad_reply",
            "the reply to the TokenRequest holds no token",
            tried=f"requesting a token for {account.namespace}/{account.name}",
        )
    return ScannerToken(namespace, status["token"], str(status.get("expirationTimestamp", "")))


def wait_until_effective(scanner: RestClient, grant: Grant, patience: float = 10.0) -> None:
    """Waits until the API server lets the scanner in; RBAC reaches the authorizer a moment after it is
    written.

    :param scanner: a client with the scanner's token
    :param patience: seconds to wait before the access is taken as refused
    :raises ScanError: not_permitted, naming the verbs that are still refused
    """
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        refused = list(_refused(scanner, grant))
        if not refused:
            return
        if time.monotonic() >= deadline:
            raise ScanError(
                "not_permitted",
                "{} is still refused after {:g} s".format(", ".join(refused), patience),
                tried=f"checking the scanner's access in namespace {grant.namespace}",
                cause="The Role or RoleBinding was removed or changed, or another authorizer denies it.",
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _refused(scanner: RestClient, grant: Grant) -> Iterator[str]:
    """What the scanner is not allowed to do of what its approach needs, as "create and get on pods/exec"."""
    less, cut = grant.less, [[pod.name for pod in part] for part in parts(grant)]
    for right in RIGHTS[grant.approach]:
        # one pod of each part: each part's Role and RoleBinding reach the authorizer on their own
        pods = [names[0] for names in (holders(right, grant.approach, part, less) for part in cut) if names]
        # a Role takes effect as a whole: what stands in a subresource's rule tells of the plain one's, too
        verbs = [
            verb
            for verb in right.verbs
            if right.subresource
            and not all(_allowed(scanner, grant.namespace, pod, verb, right.subresource) for pod in pods)
        ]
        if verbs:
            yield "{} on {}".format(" and ".join(verbs), right.resource)


def _allowed(scanner: RestClient, namespace: str, pod: str, verb: str, subresource: str) -> bool:
    attributes: dict[str, Any] = {
        "namespace": namespace,
        "verb": verb,
        "resource": "pods",
        "subresource": subresource,
        "name": pod,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    reply = scanner.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool((reply.get("status") or {}).get("allowed"))
