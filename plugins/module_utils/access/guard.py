# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: ValidatingAdmissionPolicies that hold scanner identities to what RBAC cannot express.

RBAC says which pods a scanner is allowed to enter and where to add a container. It does not see the program,
the terminal, or what the container is. These policies do, and they match no identity but the ServiceAccounts
of scans. Their rules are written in CEL as Kubernetes 1.30 has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .objects import LABEL_MANAGED_BY, MANAGED_BY, object_name
from .token import MAXIMUM_LIFETIME

GROUP_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_PREFIX = object_name("")
EXEC, EPHEMERAL, HELPER, WRITES = (
    _PREFIX + "guard-" + part for part in ("exec", "ephemeral", "helper", "writes")
)

# The third part, and nothing before it: an operator's own account may live in a namespace that is called so.
_IS_SCANNER = f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{_PREFIX}[^:]+$')"
_ACCOUNT = {"name": "account", "expression": "request.userInfo.username.split(':')[3]"}
# Fields that none of our containers has.
_NEVER_IN_CONTAINER = (
    "args",
    "env",
    "envFrom",
    "ports",
    "volumeDevices",
    "workingDir",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
)
_NEVER_IN_SECURITY = ("seLinuxOptions", "windowsOptions", "appArmorProfile")


# Given by the task: they are the approaches' own words, and this room lies below the approaches.
@dataclass(frozen=True)
class ScannerHabits:
    """What the approaches do: `shell` is the argv of every exec, `end_shell` the one that ends a container of
    ours; `idle` is the command of such containers, without its last arguments; their names start with
    `prefix`; helper pods mount images at `mount_point`, and `helper_suffix` stands between the name of their
    ServiceAccount and their number."""

    shell: tuple[str, ...]
    end_shell: tuple[str, ...]
    idle: tuple[str, ...]
    prefix: str
    mount_point: str
    helper_suffix: str


@dataclass(frozen=True)
class GuardOptions:
    """`images`: those that a scanner's containers can have; any, where it is empty. `enter_targets`: whether
    scanners can enter containers that are not theirs (approach exec). `match_capabilities`: whether an
    ephemeral container beside a root target can hold the capabilities of that target's spec."""

    images: tuple[str, ...] = ()
    enter_targets: bool = True
    match_capabilities: bool = False


@dataclass(frozen=True)
class _Rule:
    """A CEL expression that must be true, and what is said where it is not."""

    expression: str
    message: str


def guard_objects(habits: ScannerHabits, options: GuardOptions) -> list[dict[str, Any]]:
    """Policies and bindings, each policy before its binding, with every field that the API server would
    add."""
    made: list[dict[str, Any]] = []
    for name, match, variables, rules in (
        (EXEC, _match(["CONNECT"], ["pods/exec"]), _exec_variables(habits), _exec_rules(habits, options)),
        (
            EPHEMERAL,
            _match(["UPDATE"], ["pods/ephemeralcontainers"]),
            _ephemeral_variables(),
            _ephemeral_rules(habits, options),
        ),
        (HELPER, _match(["CREATE"], ["pods"]), [], _helper_rules(habits, options)),
        (WRITES, _match(["*"], ["*/*"], "*"), [], _write_rules(habits)),
    ):
        made += [
            _object(
                POLICY,
                name,
                {
                    "failurePolicy": "Fail",
                    "matchConstraints": match,
                    "matchConditions": [{"name": "scanner-identity", "expression": _IS_SCANNER}],
                    "variables": [_ACCOUNT, *variables],
                    "validations": [
                        {"expression": rule.expression, "message": rule.message, "reason": "Forbidden"}
                        for rule in rules
                    ],
                },
            ),
            _object(BINDING, name, {"policyName": name, "validationActions": ["Deny", "Audit"]}),
        ]
    return made


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": GROUP_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": {LABEL_MANAGED_BY: MANAGED_BY}},
        "spec": spec,
    }


def _match(operations: Sequence[str], resources: Sequence[str], group: str = "") -> dict[str, Any]:
    """What a policy looks at, with the API's defaults: they are part of what must not be changed by
    anybody."""
    return {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
        "resourceRules": [
            {
                "apiGroups": [group],
                "apiVersions": ["*" if group else "v1"],
                "operations": list(operations),
                "resources": list(resources),
                "scope": "*",
            }
        ],
    }


def _exec_variables(habits: ScannerHabits) -> list[dict[str, str]]:
    is_own = "object.?container.orValue('').startsWith({}) || {}".format(
        _text(habits.prefix), _of_account("request.name", habits)
    )
    return [{"name": "isOwn", "expression": is_own}]


def _exec_rules(habits: ScannerHabits, options: GuardOptions) -> list[_Rule]:
    command = "object.?command.orValue([])"
    rules = [
        _Rule(
            f"{command} == {_text(habits.shell)} || (variables.isOwn && {command} == "
            f"{_text(habits.end_shell)})",
            "a scanner runs nothing but: {}".format(" ".join(habits.shell)),
        ),
        _Rule("!object.?tty.orValue(false)", "a scanner has no terminal"),
        _Rule("object.?container.orValue('') != ''", "a scanner names the container that it enters"),
    ]
    if not options.enter_targets:
        rules.append(
            _Rule("variables.isOwn", f"a scanner enters only containers of its own ({habits.prefix}*)")
        )
    return rules


def _ephemeral_variables() -> list[dict[str, str]]:
    """`added`: the new ephemeral containers. The API server itself refuses to change or remove those that are
    there, and ignores everything else of the pod."""
    names = "oldObject.spec.?ephemeralContainers.orValue([]).map(c, c.name)"
    added = "object.spec.?ephemeralContainers.orValue([]).filter(c, !(c.name in variables.namesBefore))"
    statuses = (
        "object.?status.?containerStatuses.orValue([]) + object.?status.?initContainerStatuses.orValue([])"
    )
    return [
        {"name": "namesBefore", "expression": names},
        {"name": "added", "expression": added},
        {"name": "targets", "expression": "object.spec.containers + object.spec.?initContainers.orValue([])"},
        {"name": "users", "expression": f"({statuses}).filter(s, s.?user.?linux.hasValue())"},
    ]


def _ephemeral_rules(habits: ScannerHabits, options: GuardOptions) -> list[_Rule]:
    container = "an ephemeral container of a scanner "
    capabilities = _no_capabilities()
    if options.match_capabilities:
        capabilities = f"({capabilities}) || ({_capabilities_of_target()})"
    rules = [
        (f"c.name.startsWith({_text(habits.prefix)})", f"is named {habits.prefix}*"),
        (
            f"{_command(habits, 3)} && variables.account == {_text(_PREFIX)} + "
            f"c.command[{len(habits.idle) + 2}]",
            "does nothing but wait for its scan, for a day at most",
        ),
        (
            "{} && {}".format(_unprivileged(), _seccomp("c.?securityContext")),
            "has no privileges, a read-only root and seccomp RuntimeDefault",
        ),
        (
            capabilities,
            "drops all capabilities%s"
            % (" that its target does not have" if options.match_capabilities else " and adds none"),
        ),
        (
            "has(c.targetContainerName) && {} && {}".format(
                _user_of_target("uid", "runAsUser"), _user_of_target("gid", "runAsGroup")
            ),
            "names its target, and runs as that one's user and group",
        ),
        (
            "!has(c.volumeMounts) && " + _nothing_else(),
            "has no volumes, no environment, no arguments and no terminal",
        ),
        *_image_rule(options),
    ]
    return [_Rule(f"variables.added.all(c, {expression})", container + words) for expression, words in rules]


def _helper_rules(habits: ScannerHabits, options: GuardOptions) -> list[_Rule]:
    pod = "a helper pod of a scanner "
    owner = (
        "object.metadata.?ownerReferences.orValue([]).map(o, [o.apiVersion, o.kind, o.name, o.uid]) == "
        "[['v1', 'ServiceAccount', variables.account, request.userInfo.uid]]"
    )
    host = " && ".join(
        [
            f"!object.spec.?{field}.orValue(false)"
            for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
        ]
        + ["!has(object.spec.nodeName)", "!object.spec.?priorityClassName.orValue('').startsWith('system-')"]
    )
    security = " && ".join(
        [
            _seccomp("object.spec.?securityContext"),
            "!object.spec.?securityContext.?sysctls.hasValue()",
            _no_security("object.spec.?securityContext"),
        ]
    )
    rules = [
        _Rule(_of_account("object.metadata.name", habits), pod + "is named after the scan"),
        _Rule(owner, pod + "is owned by the scan's ServiceAccount"),
        _Rule(
            "!object.spec.?automountServiceAccountToken.orValue(true) && "
            "object.spec.?serviceAccountName.orValue('default') == 'default'",
            pod + "has no ServiceAccount's token",
        ),
        _Rule(host, pod + "shares nothing with its node, does not choose it, and is not urgent"),
        _Rule(
            "object.spec.?restartPolicy.orValue('') == 'Never' && "
            "object.spec.?activeDeadlineSeconds.orValue(0) > 0 && "
            f"object.spec.activeDeadlineSeconds <= {MAXIMUM_LIFETIME}",
            pod + "ends by itself, within a day",
        ),
        _Rule(
            "object.spec.?volumes.orValue([]).all(v, has(v.image)) && !has(object.spec.resourceClaims)",
            pod + "has no volumes but images",
        ),
        _Rule(security, pod + "has seccomp RuntimeDefault and no sysctls"),
        _Rule("!has(object.spec.initContainers)", pod + "has no init containers"),
    ]
    container_rules = [
        (_command(habits, 1), "does nothing but wait for its scan, for a day at most"),
        (
            f"{_unprivileged()} && c.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') == "
            "'RuntimeDefault'",
            "has no privileges and a read-only root",
        ),
        (_no_capabilities(), "drops all capabilities and adds none"),
        (
            "c.?securityContext.?runAsUser.orValue(0) > 0 && c.?securityContext.?runAsGroup.orValue(0) > 0",
            "is not root",
        ),
        (
            f"c.?volumeMounts.orValue([]).all(m, m.mountPath == {_text(habits.mount_point)} && "
            f"m.?readOnly.orValue(false)) && {_nothing_else()}",
            f"has nothing but its image at {habits.mount_point}, read-only",
        ),
        *_image_rule(options),
    ]
    return rules + [
        _Rule(f"object.spec.containers.all(c, {expression})", f"a container of {pod}{words}")
        for expression, words in container_rules
    ]


def _write_rules(habits: ScannerHabits) -> list[_Rule]:
    """What a scanner is allowed to do at all besides reading, whatever RBAC allows."""
    what = "[request.operation, request.resource.resource, request.?subResource.orValue('')]"
    allowed = [
        ["CONNECT", "pods", "exec"],
        ["UPDATE", "pods", "ephemeralcontainers"],
        ["CREATE", "pods", ""],
        ["DELETE", "pods", ""],
    ]
    # most releases let these past all policies
    reviews = (
        "request.operation == 'CREATE' && request.resource.group in ['authentication.k8s.io', "
        "'authorization.k8s.io'] "
        "&& request.resource.resource.startsWith('selfsubject')"
    )
    return [
        _Rule(
            f"(request.resource.group == '' && {_text(allowed)}.exists(a, a == {what})) || ({reviews})",
            "a scanner enters pods, and adds what its approach needs; it changes nothing else",
        ),
        _Rule(
            "request.operation != 'DELETE' || (oldObject != null && {})".format(
                _of_account("oldObject.metadata.name", habits)
            ),
            "a scanner deletes no pods but those of its scan",
        ),
    ]


def _image_rule(options: GuardOptions) -> list[tuple[str, str]]:
    return (
        [(f"c.?image.orValue('') in {_text(options.images)}", "has one of the allowed images")]
        if options.images
        else []
    )


def _command(habits: ScannerHabits, arguments: int) -> str:
    """The idle command and this number of arguments, of which the first is its seconds (five digits: a day
    and some)."""
    start = len(habits.idle)
    same = " && ".join(f"c.command[{number}] == {_text(part)}" for number, part in enumerate(habits.idle))
    seconds = f"c.command[{start}].matches('^[0-9]{{1,5}}$')"
    return f"c.?command.orValue([]).size() == {start + arguments} && {same} && {seconds}"


def _unprivileged() -> str:
    return (
        "!c.?securityContext.?privileged.orValue(false) && "
        "!c.?securityContext.?allowPrivilegeEscalation.orValue(true) && "
        "c.?securityContext.?readOnlyRootFilesystem.orValue(false) && "
        "c.?securityContext.?procMount.orValue('Default') == 'Default' && "
        + _no_security("c.?securityContext")
    )


def _no_security(context: str) -> str:
    return " && ".join(f"!{context}.?{field}.hasValue()" for field in _NEVER_IN_SECURITY)


def _seccomp(context: str) -> str:
    return f"{context}.?seccompProfile.?type.orValue('') == 'RuntimeDefault'"


def _no_capabilities() -> str:
    return (
        "c.?securityContext.?capabilities.?drop.orValue([]) == ['ALL'] && "
        "c.?securityContext.?capabilities.?add.orValue([]).size() == 0"
    )


def _capabilities_of_target() -> str:
    """At most those that the target's spec gives it; only root keeps any."""

    def of(container: str, key: str) -> str:
        return f"{container}.?securityContext.?capabilities.?{key}.orValue([])"

    return (
        "c.?securityContext.?runAsUser.orValue(1) == 0 && variables.targets.exists(t, "
        "has(c.targetContainerName) && t.name == c.targetContainerName && "
        "!t.?securityContext.?privileged.orValue(false) && "
        "{}.all(a, a in {}) && {}.all(d, d in {}))".format(
            of("c", "add"), of("t", "add"), of("t", "drop"), of("c", "drop")
        )
    )


def _user_of_target(reported: str, field: str) -> str:
    """The target's user (or group) as the node reports it, else as its container's spec, else as its pod's
    spec has it."""
    known = " + ".join(
        [
            f"variables.users.filter(s, s.name == c.targetContainerName).map(s, s.user.linux.{reported})",
            "variables.targets.filter(t, t.name == c.targetContainerName && "
            f"t.?securityContext.?{field}.hasValue())"
            f".map(t, t.securityContext.{field})",
            f"(object.spec.?securityContext.?{field}.hasValue() ? [object.spec.securityContext.{field}] : "
            "[])",
        ]
    )
    return f"c.?securityContext.?{field}.orValue(-1) == ({known})[?0].orValue(-2)"


def _nothing_else() -> str:
    return " && ".join(
        [f"!has(c.{field})" for field in _NEVER_IN_CONTAINER]
        + ["!c.?stdin.orValue(false)", "!c.?tty.orValue(false)"]
    )


def _of_account(name: str, habits: ScannerHabits) -> str:
    """Whether it is the name of a helper pod of this very scan."""
    return f"{name}.matches('^' + variables.account + '{habits.helper_suffix}[0-9]+$')"


def _text(value: Any) -> str:
    """A literal: JSON's strings and lists are CEL's, too."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)
