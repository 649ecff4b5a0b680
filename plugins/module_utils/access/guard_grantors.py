# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's rules for those who are no scanners: nobody borrows the ServiceAccount of a scan, and who makes
accesses makes nothing else.

Objects of several kinds meet here, so `dyn` keeps the API server's check of types from looking for a field of
one kind in another.
"""

from __future__ import annotations

from .cel import Rule, every, literal
from .guard_terms import PREFIX, GuardOptions, ScannerHabits
from .objects import LABEL_MANAGED_BY, MANAGED_BY, RBAC_GROUP
from .rights import Right

# What the two policies look at: (operations, resources, API group).
ACCOUNT_REQUESTS = (
    (("CREATE",), ("pods", "serviceaccounts", "serviceaccounts/token"), ""),
    (("CREATE", "UPDATE"), ("secrets",), ""),
)
GRANTOR_REQUESTS = (
    (("CREATE", "UPDATE", "DELETE"), ("serviceaccounts", "serviceaccounts/token"), ""),
    (("CREATE", "UPDATE", "DELETE"), ("roles", "rolebindings"), RBAC_GROUP),
    (("CREATE", "UPDATE", "DELETE", "CONNECT"), ("pods", "pods/exec", "pods/ephemeralcontainers"), ""),
)
_KIND, _PART = "request.resource.resource", "request.?subResource.orValue('')"
_IS_TOKEN = f"({_KIND} == 'serviceaccounts' && {_PART} == 'token')"
_OBJECT, _BEFORE = "dyn(object)", "dyn(oldObject)"


def uses_account(options: GuardOptions) -> str:
    """Whether a request is about a ServiceAccount of a scan: itself, its token, a Secret for that, or a pod
    that runs as it; or about any pod in their namespace. It is evaluated for everybody, so it fails on no
    object."""
    annotation = "kubernetes.io/service-account.name"
    used = {
        "secrets": f"{_OBJECT}.?metadata.?annotations[?{literal(annotation)}].orValue('')",
        "pods": f"{_OBJECT}.?spec.?serviceAccountName.orValue('')",
        # a token's request has the name of its ServiceAccount; a ServiceAccount that is made may have none yet
        "serviceaccounts": f"({_PART} == 'token' ? request.name : {_OBJECT}.?metadata.?name.orValue(''))",
    }
    parts = [
        f"({name}.startsWith({literal(PREFIX)}) && {_KIND} == {literal(kind)})" for kind, name in used.items()
    ]
    if options.account_namespace:
        parts.append(f"({_KIND} == 'pods' && request.namespace == {literal(options.account_namespace)})")
    return " || ".join(parts)


def account_rules(options: GuardOptions) -> list[Rule]:
    """For everybody, as far as `uses_account` holds."""
    if options.grantors or options.grantor_groups:
        # made beforehand, it would be known to somebody else when a scan of that run id gives it rights
        token = Rule(
            f"{_KIND} != 'serviceaccounts' || {is_grantor(options)}",
            "only a grantor makes the ServiceAccount of a scan, or gets its token",
        )
    else:
        # who makes accesses is not known then; no pod uses such an account, so no node needs its token
        token = Rule(
            f"!{_IS_TOKEN} || !request.userInfo.?groups.orValue([]).exists(g, g == 'system:nodes')",
            "no node gets the token of a scan's ServiceAccount",
        )
    return [
        Rule(
            f"{_KIND} != 'pods'",
            f"no pod runs as the ServiceAccount of a scan ({PREFIX}*), or in the namespace for these",
        ),
        Rule(f"{_KIND} != 'secrets'", f"no Secret holds a token of a scan's ServiceAccount ({PREFIX}*)"),
        token,
    ]


def is_grantor(options: GuardOptions) -> str:
    """Nobody, where the options name nobody."""
    return (
        f"(request.userInfo.username in {literal(options.grantors)} || "
        f"request.userInfo.?groups.orValue([]).exists(g, g in {literal(options.grantor_groups)}))"
    )


def grantor_rules(habits: ScannerHabits, options: GuardOptions) -> list[Rule]:
    made = f"(request.operation in ['CREATE', 'UPDATE'] && {_KIND} != 'pods' && !{_IS_TOKEN})"
    found = f"(request.operation in ['UPDATE', 'DELETE'] && {_KIND} != 'pods')"
    rules = [
        (f"{_KIND} != 'pods' || request.?dryRun.orValue(false)", "enters no pod, and makes and changes none"),
        (
            f"!{_IS_TOKEN} || request.name.startsWith({literal(PREFIX)})",
            f"gets no tokens but those of scans ({PREFIX}*)",
        ),
        (
            f"(!{made} || {_is_ours(_OBJECT)}) && (!{found} || (oldObject != null && {_is_ours(_BEFORE)}))",
            f"makes, changes and deletes nothing but the accesses of scans ({PREFIX}*, with their label)",
        ),
        (
            f"!({made} && {_KIND} == 'serviceaccounts') || {_same_secrets()}",
            "makes ServiceAccounts without Secrets, and mounts no token of theirs",
        ),
        (
            f"!({made} && {_KIND} == 'roles') || {_only_rights(habits.rights)}",
            "hands out nothing but the rights of scans",
        ),
        (
            f"!({made} && {_KIND} == 'rolebindings') || {_binds_scanner(options)}",
            "binds nothing but a scan's own Role, to a scan's ServiceAccount",
        ),
        (
            f"request.operation == 'DELETE' || !(request.namespace in {literal(options.closed_namespaces)})",
            "makes no access in this namespace, which is closed to scans",
        ),
    ]
    if options.account_namespace:
        rules.append(
            (
                f"{_KIND} != 'serviceaccounts' || request.operation == 'DELETE' || "
                f"request.namespace == {literal(options.account_namespace)}",
                f"has the ServiceAccounts of scans in the namespace {options.account_namespace}",
            )
        )
    return [Rule(expression, "a grantor " + words) for expression, words in rules]


def _is_ours(item: str) -> str:
    return (
        f"({item}.?metadata.?name.orValue('').startsWith({literal(PREFIX)}) && "
        f"{item}.?metadata.?labels[?{literal(LABEL_MANAGED_BY)}].orValue('') == {literal(MANAGED_BY)})"
    )


def _same_secrets() -> str:
    """None at first; what others add later, such as a controller, a grantor leaves as it is."""
    same = (
        f"{_OBJECT}.?{field}.orValue([]) == (oldObject == null ? [] : {_BEFORE}.?{field}.orValue([]))"
        for field in ("secrets", "imagePullSecrets")
    )
    return f"({every([*same, _OBJECT + '.?automountServiceAccountToken.orValue(true) == false'])})"


def _only_rights(rights: tuple[Right, ...]) -> str:
    """Each rule of the Role is one that a scan's Role has, over pods that it names where it can."""

    def lists(by_name: bool) -> str:
        known = {(right.resource, *right.verbs): None for right in rights if right.by_name is by_name}
        return literal([list(each) for each in known])

    held = "r.?resources.orValue([]) + r.verbs"
    return (
        f"{_OBJECT}.?rules.orValue([]).all(r, r.?apiGroups.orValue([]) == [''] && "
        "!r.?nonResourceURLs.hasValue() && "
        f"(r.?resourceNames.orValue([]).size() > 0 ? {held} in {lists(True)} : {held} in {lists(False)}))"
    )


def _binds_scanner(options: GuardOptions) -> str:
    where = (
        f" && s.?namespace.orValue('') == {literal(options.account_namespace)}"
        if options.account_namespace
        else ""
    )
    return (
        f"({_OBJECT}.roleRef.kind == 'Role' && {_OBJECT}.roleRef.name == {_OBJECT}.metadata.name && "
        f"{_OBJECT}.?subjects.orValue([]).all(s, s.kind == 'ServiceAccount' && "
        f"s.name.startsWith({literal(PREFIX)}){where}))"
    )
