# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard's policies have in common: their names, whom they are about, and what is asked of every
container that a scan adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .cel import Rule, at_most_keys, every, literal
from .objects import object_name
from .rights import Right
from .token import MAXIMUM_LIFETIME

PREFIX = object_name("")
EXEC, EPHEMERAL, HELPER, WRITES, ACCOUNTS, GRANTORS = (
    f"{PREFIX}guard-{part}" for part in ("exec", "ephemeral", "helper", "writes", "accounts", "grantors")
)
POLICIES = (EXEC, EPHEMERAL, HELPER, WRITES, ACCOUNTS, GRANTORS)

# The third part, and nothing before it: an operator's own account may live in a namespace that is called so.
IS_SCANNER = f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{PREFIX}[^:]+$')"
# Without the namespace that follows a dot where the ServiceAccounts of scans have a namespace of their own.
ACCOUNT = {"name": "account", "expression": "request.userInfo.username.split(':')[3].split('.')[0]"}

# What a scan sets in its containers, and what the API server adds to that.
CONTAINER_KEYS = (
    "name",
    "image",
    "imagePullPolicy",
    "command",
    "securityContext",
    "resources",
    "terminationMessagePath",
    "terminationMessagePolicy",
)
_SECURITY_KEYS = (
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "privileged",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "procMount",
    "capabilities",
    "seccompProfile",
)


# Given by the task: they are the approaches' own words, and this room lies below the approaches.
@dataclass(frozen=True)
class ScannerHabits:
    """What the approaches do: `shell` is the argv of every exec, `end_shell` the one that ends a container of
    ours; `idle` is the command of such containers, without its last arguments; their names start with
    `prefix`; helper pods mount at most `most_images` images at `mount_point`, each container with at most
    `resources` (quantities by name), and `helper_suffix` stands between the name of their ServiceAccount and
    their number. `rights`: what the Roles of scans hold."""

    shell: tuple[str, ...]
    end_shell: tuple[str, ...]
    idle: tuple[str, ...]
    prefix: str
    mount_point: str
    most_images: int
    resources: Mapping[str, str]
    helper_suffix: str
    rights: tuple[Right, ...]


@dataclass(frozen=True)
class GuardOptions:
    """`images`: those that a scanner's containers can have; any, where it is empty. `pull_secrets`: the names
    of Secrets that helper pods can use. `enter_targets`: whether scanners can enter containers that are not
    theirs (approach exec). `match_capabilities`: whether an ephemeral container beside a root target can hold
    the capabilities of that target's spec. `grantors` and `grantor_groups`: the users, and members of groups,
    that make accesses; they make none in `closed_namespaces`. `account_namespace`: the one namespace with the
    ServiceAccounts of scans, empty where these are in the targets' namespaces."""

    images: tuple[str, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    enter_targets: bool = True
    match_capabilities: bool = False
    grantors: tuple[str, ...] = ()
    grantor_groups: tuple[str, ...] = ()
    closed_namespaces: tuple[str, ...] = ()
    account_namespace: str = ""


def image_rules(options: GuardOptions) -> list[tuple[str, str]]:
    """The expression over a container `c` and its message; none where any image will do."""
    if not options.images:
        return []
    return [(f"c.?image.orValue('') in {literal(options.images)}", "has one of the allowed images")]


def about_each(containers: str, whose: str, rules: list[tuple[str, str]]) -> list[Rule]:
    """Rules over all containers, each from its expression over `c` and the rest of its message."""
    return [Rule(f"{containers}.all(c, {expression})", whose + words) for expression, words in rules]


def waits(habits: ScannerHabits, arguments: int) -> str:
    """The idle command and this number of arguments, of which the first is its seconds."""
    start = len(habits.idle)
    return every(
        [
            f"c.?command.orValue([]).size() == {start + arguments}",
            *(f"c.command[{number}] == {literal(part)}" for number, part in enumerate(habits.idle)),
            f"c.command[{start}].matches('^[0-9]{{1,5}}$')",
            f"int(c.command[{start}]) <= {MAXIMUM_LIFETIME}",
        ]
    )


def unprivileged() -> str:
    return every(
        [
            "!c.?securityContext.?privileged.orValue(false)",
            "!c.?securityContext.?allowPrivilegeEscalation.orValue(true)",
            "c.?securityContext.?readOnlyRootFilesystem.orValue(false)",
            "c.?securityContext.?procMount.orValue('Default') == 'Default'",
            at_most_keys("c.securityContext", _SECURITY_KEYS),
        ]
    )


def has_seccomp(context: str) -> str:
    return f"{context}.?seccompProfile.?type.orValue('') == 'RuntimeDefault'"


def no_capabilities() -> str:
    return (
        "c.?securityContext.?capabilities.?drop.orValue([]) == ['ALL'] && "
        "c.?securityContext.?capabilities.?add.orValue([]).size() == 0"
    )


def default_messages() -> str:
    """How a container says why it ended: as the API server has it where nothing is asked for."""
    return (
        "c.?terminationMessagePath.orValue('/dev/termination-log') == '/dev/termination-log' && "
        "c.?terminationMessagePolicy.orValue('File') == 'File'"
    )


def of_account(name: str, habits: ScannerHabits) -> str:
    """Whether it is the name of a helper pod of this very scan."""
    return f"{name}.matches('^' + variables.account + '{habits.helper_suffix}[0-9]+$')"
