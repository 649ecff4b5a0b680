# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's rules for what a scanner does: entering containers, adding ephemeral ones, and nothing else."""

from __future__ import annotations

from .cel import Rule, every, literal, only_keys
from .guard_terms import (
    CONTAINER_KEYS,
    PREFIX,
    GuardOptions,
    ScannerHabits,
    about_each,
    default_messages,
    has_seccomp,
    image_rules,
    no_capabilities,
    of_account,
    unprivileged,
    waits,
)


def exec_variables(habits: ScannerHabits) -> list[dict[str, str]]:
    is_own = "object.?container.orValue('').startsWith({}) || {}".format(
        literal(habits.prefix), of_account("request.name", habits)
    )
    return [{"name": "isOwn", "expression": is_own}]


def exec_rules(habits: ScannerHabits, options: GuardOptions) -> list[Rule]:
    command = "object.?command.orValue([])"
    rules = [
        Rule(
            f"{command} == {literal(habits.shell)} || (variables.isOwn && {command} == "
            f"{literal(habits.end_shell)})",
            "a scanner runs nothing but: {}".format(" ".join(habits.shell)),
        ),
        Rule("!object.?tty.orValue(false)", "a scanner has no terminal"),
        Rule("object.?container.orValue('') != ''", "a scanner names the container that it enters"),
    ]
    if not options.enter_targets:
        rules.append(
            Rule("variables.isOwn", f"a scanner enters only containers of its own ({habits.prefix}*)")
        )
    return rules


def ephemeral_variables() -> list[dict[str, str]]:
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


def ephemeral_rules(habits: ScannerHabits, options: GuardOptions) -> list[Rule]:
    capabilities = no_capabilities()
    if options.match_capabilities:
        capabilities = f"({capabilities}) || ({_capabilities_of_target()})"
    rules = [
        (f"c.name.startsWith({literal(habits.prefix)})", f"is named {habits.prefix}*"),
        (
            f"{waits(habits, 3)} && variables.account == {literal(PREFIX)} + "
            f"c.command[{len(habits.idle) + 2}]",
            "does nothing but wait for its scan, for a day at most",
        ),
        (
            "{} && {}".format(unprivileged(), has_seccomp("c.?securityContext")),
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
            every(
                [
                    only_keys("c", (*CONTAINER_KEYS, "targetContainerName")),
                    # the API server allows none here, and writes an empty object
                    only_keys("c.?resources.orValue({})", ()),
                    default_messages(),
                ]
            ),
            "has no volumes, no environment, no arguments and no terminal, nor anything else",
        ),
        *image_rules(options),
    ]
    return about_each("variables.added", "an ephemeral container of a scanner ", rules)


def write_rules(habits: ScannerHabits) -> list[Rule]:
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
        Rule(
            f"(request.resource.group == '' && {literal(allowed)}.exists(a, a == {what})) || ({reviews})",
            "a scanner enters pods, and adds what its approach needs; it changes nothing else",
        ),
        Rule(
            "request.operation != 'DELETE' || (oldObject != null && {})".format(
                of_account("oldObject.metadata.name", habits)
            ),
            "a scanner deletes no pods but those of its scan",
        ),
    ]


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
