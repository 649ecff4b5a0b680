# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: ValidatingAdmissionPolicies that hold scanner identities to what RBAC cannot express.

RBAC says which pods a scanner may enter and where it may add a container. It does not see the program, the terminal, or what
the container is. These policies do, and they match no identity but the ServiceAccounts of scans. Their rules are written in
CEL as Kubernetes 1.30 has it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

from .objects import LABEL_MANAGED_BY, MANAGED_BY, object_name
from .token import MAXIMUM_LIFETIME

GROUP_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_PREFIX = object_name("")
EXEC, EPHEMERAL, HELPER, WRITES = (_PREFIX + "guard-" + part for part in ("exec", "ephemeral", "helper", "writes"))

# The third part, and nothing before it: an operator's own account may live in a namespace that is called so.
_IS_SCANNER = "request.userInfo.username.matches('^system:serviceaccount:[^:]+:%s[^:]+$')" % _PREFIX
_ACCOUNT = {"name": "account", "expression": "request.userInfo.username.split(':')[3]"}
# Fields that none of our containers has.
_NEVER_IN_CONTAINER = ("args", "env", "envFrom", "ports", "volumeDevices", "workingDir", "lifecycle", "livenessProbe",
                       "readinessProbe", "startupProbe")
_NEVER_IN_SECURITY = ("seLinuxOptions", "windowsOptions", "appArmorProfile")


@dataclass(frozen=True)
class ScannerHabits:
    """What the approaches do: `shell` is the argv of every exec, `end_shell` the one that ends a container of ours; `idle` is
    the command of such containers, without its last arguments; their names start with `prefix`; helper pods mount images at
    `mount_point`, and `helper_suffix` stands between the name of their ServiceAccount and their number."""

    shell: Tuple[str, ...]
    end_shell: Tuple[str, ...]
    idle: Tuple[str, ...]
    prefix: str
    mount_point: str
    helper_suffix: str


@dataclass(frozen=True)
class GuardOptions:
    """`images`: those that a scanner's containers may have; any, where it is empty. `enter_targets`: whether scanners may
    enter containers that are not theirs (approach exec). `match_capabilities`: an ephemeral container beside a root target
    may hold what that target's spec has."""

    images: Tuple[str, ...] = ()
    enter_targets: bool = True
    match_capabilities: bool = False


@dataclass(frozen=True)
class _Rule:
    """A CEL expression that must be true, and what is said where it is not."""

    expression: str
    message: str


def guard_objects(habits: ScannerHabits, options: GuardOptions) -> List[Dict[str, Any]]:
    """Policies and bindings, each policy before its binding, with every field that the API server would add."""
    made: List[Dict[str, Any]] = []
    for name, match, variables, rules in (
            (EXEC, _match(["CONNECT"], ["pods/exec"]), _exec_variables(habits), _exec_rules(habits, options)),
            (EPHEMERAL, _match(["UPDATE"], ["pods/ephemeralcontainers"]), _ephemeral_variables(),
             _ephemeral_rules(habits, options)),
            (HELPER, _match(["CREATE"], ["pods"]), [], _helper_rules(habits, options)),
            (WRITES, _match(["*"], ["*/*"], "*"), [], _write_rules(habits))):
        made += [_object(POLICY, name, {
            "failurePolicy": "Fail",
            "matchConstraints": match,
            "matchConditions": [{"name": "scanner-identity", "expression": _IS_SCANNER}],
            "variables": [_ACCOUNT, *variables],
            "validations": [{"expression": rule.expression, "message": rule.message, "reason": "Forbidden"} for rule in rules]}),
            _object(BINDING, name, {"policyName": name, "validationActions": ["Deny", "Audit"]})]
    return made


def _object(kind: str, name: str, spec: Dict[str, Any]) -> Dict[str, Any]:
    return {"apiVersion": GROUP_VERSION, "kind": kind,
            "metadata": {"name": name, "labels": {LABEL_MANAGED_BY: MANAGED_BY}}, "spec": spec}


def _match(operations: Sequence[str], resources: Sequence[str], group: str = "") -> Dict[str, Any]:
    """What a policy looks at, with the API's defaults: they are part of what must not be changed by anybody."""
    return {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {},
            "resourceRules": [{"apiGroups": [group], "apiVersions": ["*" if group else "v1"], "operations": list(operations),
                               "resources": list(resources), "scope": "*"}]}


def _exec_variables(habits: ScannerHabits) -> List[Dict[str, str]]:
    is_own = ("object.?container.orValue('').startsWith(%s) || %s"
              % (_text(habits.prefix), _of_account("request.name", habits)))
    return [{"name": "isOwn", "expression": is_own}]


def _exec_rules(habits: ScannerHabits, options: GuardOptions) -> List[_Rule]:
    command = "object.?command.orValue([])"
    rules = [
        _Rule("%s == %s || (variables.isOwn && %s == %s)" % (command, _text(habits.shell), command, _text(habits.end_shell)),
              "a scanner runs nothing but: %s" % " ".join(habits.shell)),
        _Rule("!object.?tty.orValue(false)", "a scanner has no terminal"),
        _Rule("object.?container.orValue('') != ''", "a scanner names the container that it enters")]
    if not options.enter_targets:
        rules.append(_Rule("variables.isOwn", "a scanner enters only containers of its own (%s*)" % habits.prefix))
    return rules


def _ephemeral_variables() -> List[Dict[str, str]]:
    """`added`: the new ephemeral containers. The API server itself refuses to change or remove those that are there, and
    ignores everything else of the pod."""
    names = "oldObject.spec.?ephemeralContainers.orValue([]).map(c, c.name)"
    added = "object.spec.?ephemeralContainers.orValue([]).filter(c, !(c.name in variables.namesBefore))"
    statuses = "object.?status.?containerStatuses.orValue([]) + object.?status.?initContainerStatuses.orValue([])"
    return [{"name": "namesBefore", "expression": names}, {"name": "added", "expression": added},
            {"name": "targets", "expression": "object.spec.containers + object.spec.?initContainers.orValue([])"},
            {"name": "users", "expression": "(%s).filter(s, s.?user.?linux.hasValue())" % statuses}]


def _ephemeral_rules(habits: ScannerHabits, options: GuardOptions) -> List[_Rule]:
    container = "an ephemeral container of a scanner "
    capabilities = _no_capabilities()
    if options.match_capabilities:
        capabilities = "(%s) || (%s)" % (capabilities, _capabilities_of_target())
    rules = [
        ("c.name.startsWith(%s)" % _text(habits.prefix), "is named %s*" % habits.prefix),
        ("%s && variables.account == %s + c.command[%d]" % (_command(habits, 3), _text(_PREFIX), len(habits.idle) + 2),
         "does nothing but wait for its scan, for a day at most"),
        ("%s && %s" % (_unprivileged(), _seccomp("c.?securityContext")),
         "has no privileges, a read-only root and seccomp RuntimeDefault"),
        (capabilities, "drops all capabilities%s" % (
            " that its target does not have" if options.match_capabilities else " and adds none")),
        ("has(c.targetContainerName) && %s && %s" % (_user_of_target("uid", "runAsUser"), _user_of_target("gid", "runAsGroup")),
         "names its target, and runs as that one's user and group"),
        ("!has(c.volumeMounts) && " + _nothing_else(),
         "has no volumes, no environment, no arguments and no terminal"),
        *_image_rule(options)]
    return [_Rule("variables.added.all(c, %s)" % expression, container + words) for expression, words in rules]


def _helper_rules(habits: ScannerHabits, options: GuardOptions) -> List[_Rule]:
    pod = "a helper pod of a scanner "
    owner = ("object.metadata.?ownerReferences.orValue([]).map(o, [o.apiVersion, o.kind, o.name, o.uid]) == "
             "[['v1', 'ServiceAccount', variables.account, request.userInfo.uid]]")
    host = " && ".join(["!object.spec.?%s.orValue(false)" % field
                        for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")]
                       + ["!has(object.spec.nodeName)", "!object.spec.?priorityClassName.orValue('').startsWith('system-')"])
    security = " && ".join([_seccomp("object.spec.?securityContext"),
                            "!object.spec.?securityContext.?sysctls.hasValue()", _no_security("object.spec.?securityContext")])
    rules = [
        _Rule(_of_account("object.metadata.name", habits), pod + "is named after the scan"),
        _Rule(owner, pod + "is owned by the scan's ServiceAccount"),
        _Rule("!object.spec.?automountServiceAccountToken.orValue(true) && "
              "object.spec.?serviceAccountName.orValue('default') == 'default'", pod + "has no ServiceAccount's token"),
        _Rule(host, pod + "shares nothing with its node, does not choose it, and is not urgent"),
        _Rule("object.spec.?restartPolicy.orValue('') == 'Never' && object.spec.?activeDeadlineSeconds.orValue(0) > 0 && "
              "object.spec.activeDeadlineSeconds <= %d" % MAXIMUM_LIFETIME, pod + "ends by itself, within a day"),
        _Rule("object.spec.?volumes.orValue([]).all(v, has(v.image)) && !has(object.spec.resourceClaims)",
              pod + "has no volumes but images"),
        _Rule(security, pod + "has seccomp RuntimeDefault and no sysctls"),
        _Rule("!has(object.spec.initContainers)", pod + "has no init containers")]
    container_rules = [
        (_command(habits, 1), "does nothing but wait for its scan, for a day at most"),
        ("%s && c.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') == 'RuntimeDefault'" % _unprivileged(),
         "has no privileges and a read-only root"),
        (_no_capabilities(), "drops all capabilities and adds none"),
        ("c.?securityContext.?runAsUser.orValue(0) > 0 && c.?securityContext.?runAsGroup.orValue(0) > 0", "is not root"),
        ("c.?volumeMounts.orValue([]).all(m, m.mountPath == %s && m.?readOnly.orValue(false)) && %s"
         % (_text(habits.mount_point), _nothing_else()),
         "has nothing but its image at %s, read-only" % habits.mount_point),
        *_image_rule(options)]
    return rules + [_Rule("object.spec.containers.all(c, %s)" % expression, "a container of %s%s" % (pod, words))
                    for expression, words in container_rules]


def _write_rules(habits: ScannerHabits) -> List[_Rule]:
    """What a scanner may do at all besides reading, whatever RBAC lets it do."""
    what = "[request.operation, request.resource.resource, request.?subResource.orValue('')]"
    allowed = [["CONNECT", "pods", "exec"], ["UPDATE", "pods", "ephemeralcontainers"], ["CREATE", "pods", ""],
               ["DELETE", "pods", ""]]
    # most releases let these past all policies
    reviews = ("request.operation == 'CREATE' && request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'] "
               "&& request.resource.resource.startsWith('selfsubject')")
    return [_Rule("(request.resource.group == '' && %s.exists(a, a == %s)) || (%s)" % (_text(allowed), what, reviews),
                  "a scanner enters pods, and adds what its approach needs; it changes nothing else"),
            _Rule("request.operation != 'DELETE' || (oldObject != null && %s)" % _of_account("oldObject.metadata.name", habits),
                  "a scanner deletes no pods but those of its scan")]


def _image_rule(options: GuardOptions) -> List[Tuple[str, str]]:
    return [("c.?image.orValue('') in %s" % _text(options.images), "has one of the allowed images")] if options.images else []


def _command(habits: ScannerHabits, arguments: int) -> str:
    """The idle command and so many arguments, of which the first is its seconds (five digits: a day and some)."""
    start = len(habits.idle)
    same = " && ".join("c.command[%d] == %s" % (number, _text(part)) for number, part in enumerate(habits.idle))
    return ("c.?command.orValue([]).size() == %d && %s && c.command[%d].matches('^[0-9]{1,5}$')"
            % (start + arguments, same, start))


def _unprivileged() -> str:
    return ("!c.?securityContext.?privileged.orValue(false) && !c.?securityContext.?allowPrivilegeEscalation.orValue(true) && "
            "c.?securityContext.?readOnlyRootFilesystem.orValue(false) && "
            "c.?securityContext.?procMount.orValue('Default') == 'Default' && " + _no_security("c.?securityContext"))


def _no_security(context: str) -> str:
    return " && ".join("!%s.?%s.hasValue()" % (context, field) for field in _NEVER_IN_SECURITY)


def _seccomp(context: str) -> str:
    return "%s.?seccompProfile.?type.orValue('') == 'RuntimeDefault'" % context


def _no_capabilities() -> str:
    return ("c.?securityContext.?capabilities.?drop.orValue([]) == ['ALL'] && "
            "c.?securityContext.?capabilities.?add.orValue([]).size() == 0")


def _capabilities_of_target() -> str:
    """At most those that the target's spec gives it; only root keeps any."""
    def of(container: str, key: str) -> str:
        return "%s.?securityContext.?capabilities.?%s.orValue([])" % (container, key)

    return ("c.?securityContext.?runAsUser.orValue(1) == 0 && variables.targets.exists(t, "
            "has(c.targetContainerName) && t.name == c.targetContainerName && !t.?securityContext.?privileged.orValue(false) && "
            "%s.all(a, a in %s) && %s.all(d, d in %s))" % (of("c", "add"), of("t", "add"), of("t", "drop"), of("c", "drop")))


def _user_of_target(reported: str, field: str) -> str:
    """The target's user (or group) as the node reports it, else as its container's spec, else as its pod's spec has it."""
    known = " + ".join([
        "variables.users.filter(s, s.name == c.targetContainerName).map(s, s.user.linux.%s)" % reported,
        "variables.targets.filter(t, t.name == c.targetContainerName && t.?securityContext.?%s.hasValue())"
        ".map(t, t.securityContext.%s)" % (field, field),
        "(object.spec.?securityContext.?%s.hasValue() ? [object.spec.securityContext.%s] : [])" % (field, field)])
    return "c.?securityContext.?%s.orValue(-1) == (%s)[?0].orValue(-2)" % (field, known)


def _nothing_else() -> str:
    return " && ".join(["!has(c.%s)" % field for field in _NEVER_IN_CONTAINER]
                       + ["!c.?stdin.orValue(false)", "!c.?tty.orValue(false)"])


def _of_account(name: str, habits: ScannerHabits) -> str:
    """Whether it is the name of a helper pod of this very scan."""
    return "%s.matches('^' + variables.account + '%s[0-9]+$')" % (name, habits.helper_suffix)


def _text(value: Any) -> str:
    """A literal: JSON's strings and lists are CEL's, too."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)
