# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the grantor is allowed to do, asked of the API server by permission reviews, and the rules that are
missing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..access.objects import RBAC_GROUP
from ..access.rights import RIGHTS
from ..cluster.rest import RestClient
from ..errors import ScanError

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_EVERYWHERE = ""


@dataclass(frozen=True, order=True)
class Permission:
    """A verb on a resource, as a rule of RBAC names them: `resource` may be pods/exec, `group` is empty for
    core."""

    group: str
    resource: str
    verb: str


# To make, find and remove the access, in the namespace of the targets.
MAKE_ROLES: tuple[Permission, ...] = tuple(
    Permission(RBAC_GROUP, resource, verb)
    for resource in ("rolebindings", "roles")
    for verb in ("create", "delete", "list")
)
# The same for the scanner's identity, and to get its token: in the namespace of its ServiceAccount.
MAKE_ACCOUNT: tuple[Permission, ...] = (
    *(Permission("", "serviceaccounts", verb) for verb in ("create", "delete", "list")),
    Permission("", "serviceaccounts/token", "create"),
)


def handed_out(approach: str) -> list[Permission]:
    """What the scanner gets for an approach. RBAC lets nobody hand out what they do not hold."""
    return sorted(
        {Permission("", right.resource, verb) for right in RIGHTS[approach] for verb in right.verbs}
    )


class Reviews:
    """Asks each thing once: for all namespaces first, and for one only where that is refused. Safe for
    several threads."""

    def __init__(self, client: RestClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Permission], bool] = {}
        self._asking: dict[tuple[str, Permission], threading.Lock] = {}

    def missing(self, namespace: str, wanted: Iterable[Permission]) -> list[Permission]:
        """Those of the wanted permissions that the grantor does not hold in the namespace."""
        return [
            permission
            for permission in wanted
            if not self.allows(_EVERYWHERE, permission) and not self.allows(namespace, permission)
        ]

    def allows(self, namespace: str, permission: Permission) -> bool:
        """Whether it is held in that namespace; in the whole cluster for an empty one."""
        key = (namespace, permission)
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            if key not in self._known:
                self._known[key] = self._ask(namespace, permission)
            return self._known[key]

    def _ask(self, namespace: str, permission: Permission) -> bool:
        resource, _slash, subresource = permission.resource.partition("/")
        attributes = {
            "namespace": namespace,
            "group": permission.group,
            "resource": resource,
            "subresource": subresource,
            "verb": permission.verb,
        }
        reply = self._client.create(
            _REVIEWS,
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        return bool((reply.get("status") or {}).get("allowed"))


def own_name(client: RestClient) -> str:
    """The user that the API server takes the credential for; "the grantor" where it does not say (before
    Kubernetes 1.28)."""
    try:
        reply = client.create(_SELF, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    except ScanError as error:
        if error.reason not in ("not_found", "not_permitted"):
            raise
        return "the grantor"
    return str(((reply.get("status") or {}).get("userInfo") or {}).get("username") or "the grantor")


@dataclass(frozen=True)
class Lack:
    """Permissions that are missing in one namespace for some approaches."""

    namespace: str
    approach: str
    permissions: tuple[Permission, ...]


def rules_to_add(lacks: Iterable[Lack]) -> list[dict[str, Any]]:
    """What to grant: for each set of namespaces the rules that are missing there, and the approaches that
    need them.

    Each entry: {namespaces, approaches, rules}, the rules as a Role or ClusterRole has them.
    """
    places: dict[Permission, set[str]] = {}
    needed_by: dict[Permission, set[str]] = {}
    for lack in lacks:
        for permission in lack.permissions:
            places.setdefault(permission, set()).add(lack.namespace)
            needed_by.setdefault(permission, set()).add(lack.approach)
    together: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Permission]] = {}
    for permission in sorted(places):
        key = tuple(sorted(places[permission])), tuple(sorted(needed_by[permission]))
        together.setdefault(key, []).append(permission)
    return [
        {"namespaces": list(namespaces), "approaches": list(approaches), "rules": _rules(permissions)}
        for (namespaces, approaches), permissions in sorted(together.items())
    ]


def _rules(permissions: Sequence[Permission]) -> list[Mapping[str, Any]]:
    """Few rules for many permissions: one for each group and set of verbs."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for permission in permissions:
        verbs.setdefault((permission.group, permission.resource), []).append(permission.verb)
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), words in verbs.items():
        merged.setdefault((group, tuple(words)), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(words)}
        for (group, words), resources in merged.items()
    ]
