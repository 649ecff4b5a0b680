# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for ServiceAccounts: each may do what the Roles say that RoleBindings of its namespace give it, and nothing else.

    server.use_rbac()

As plugin/pkg/auth/authorizer/rbac. Other users may do everything; there are no ClusterRoles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .objects import Object, ObjectStore

_PREFIX = "system:serviceaccount:"
_ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/"
_VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


@dataclass(frozen=True)
class Attributes:
    """What a request wants to do; `resource` with its subresource, as pods/exec."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Rbac:
    """The rule for Grants.deny, and the answer to reviews."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def deny(self, user: str, method: str, path: str) -> str | None:
        """The message of a 403, None where the request is allowed."""
        for wanted in _attributes(method, path):
            if not self.allows(user, wanted):
                resource = wanted.resource.partition("/")[0]
                return (
                    f'{resource} "{wanted.name}" is forbidden: User "{user}" cannot {wanted.verb} resource '
                    f'"{wanted.resource}" in API group "{wanted.group}" in the namespace "{wanted.namespace}"'
                )
        return None

    def review(self, user: str, spec: Mapping[str, Any]) -> bool:
        """The answer to a SelfSubjectAccessReview."""
        wanted = spec.get("resourceAttributes") or {}
        parts = [wanted.get("resource", ""), wanted.get("subresource", "")]
        return self.allows(
            user,
            Attributes(
                wanted.get("verb", ""),
                wanted.get("group", ""),
                "/".join(filter(None, parts)),
                wanted.get("namespace", ""),
                wanted.get("name", ""),
            ),
        )

    def listed(self, user: str, namespace: str) -> Object:
        """The status of a SelfSubjectRulesReview: what the Roles give, and what everybody has."""
        everybody = {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        }
        return {
            "resourceRules": [everybody, *self._rules(user, namespace)],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/version"]}],
            "incomplete": False,
        }

    def allows(self, user: str, wanted: Attributes) -> bool:
        if not user.startswith(_PREFIX):
            return True
        # every authenticated user may review its own access (system:basic-user)
        if wanted.resource in ("selfsubjectaccessreviews", "selfsubjectrulesreviews"):
            return True
        return any(_permits(rule, wanted) for rule in self._rules(user, wanted.namespace))

    def _rules(self, user: str, namespace: str) -> Iterator[Mapping[str, Any]]:
        of, _colon, name = user[len(_PREFIX) :].partition(":")
        for path in self._objects.paths():
            if not path.startswith(f"{_ROLES}{namespace}/rolebindings/"):
                continue
            binding: Object = self._objects.find(path) or {}
            subjects = [
                (each.get("kind"), each.get("namespace"), each.get("name"))
                for each in binding.get("subjects") or []
            ]
            if ("ServiceAccount", of, name) in subjects:
                role = self._objects.find(f"{_ROLES}{namespace}/roles/{binding['roleRef']['name']}") or {}
                yield from role.get("rules") or []


def _permits(rule: Mapping[str, Any], wanted: Attributes) -> bool:
    names = rule.get("resourceNames") or []
    return (
        wanted.verb in rule["verbs"]
        and wanted.group in rule["apiGroups"]
        and wanted.resource in rule["resources"]
        and (not names or wanted.name in names)
    )


def _attributes(method: str, path: str) -> Iterator[Attributes]:
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis"):  # no resource: system:public-info-viewer lets everybody read /version
        return
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource, name, sub = rest[0], rest[1] if len(rest) > 1 else "", "/".join(rest[2:])
    verb = _VERBS.get(method) or ("get" if name else "list")
    # the name of an object that is being created is in its body, which RBAC does not see
    yield Attributes(
        verb,
        group,
        "/".join(filter(None, (resource, sub))),
        namespace,
        "" if verb == "create" and not sub else name,
    )
    if sub == "exec" and method == "GET":  # Kubernetes 1.35 and later ask for this one, too
        yield Attributes("create", group, "pods/exec", namespace, name)
