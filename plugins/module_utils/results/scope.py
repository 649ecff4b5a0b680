# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which targets a waiver or an attestation applies: our key `targets` in an entry of such a file.

    targets:
      - namespace: shop
        workload: Deployment/legacy
      - container: "*-proxy"

An entry without the key applies to every target. A rule of the list means the targets for which all that it says holds,
the list means what any of its rules means. Values are names or shell patterns; letters' case counts, but for a kind.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..editor_schema import Schema, closed_object, described, list_of
from ..errors import ScanError
from ..suggestions import unknown_name

_NAMES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "cluster": lambda identity: str(identity["cluster"]),
    "namespace": lambda identity: str(identity["namespace"]),
    "workload": lambda identity: _workload(str(identity["workload_kind"]), str(identity["workload"])),
    "pod": lambda identity: str(identity["pod"]),
    "container": lambda identity: str(identity["container"]),
    "image": lambda identity: str(identity["image"]),
}


@dataclass(frozen=True)
class Scope:
    """Rules of (name, pattern); without any, every target is meant."""

    rules: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def is_everywhere(self) -> bool:
        """Whether it means every target, also where that is said by patterns."""
        return not self.rules or any(
            all(not pattern.strip("*/") for _name, pattern in rule) for rule in self.rules
        )

    def text(self) -> str:
        """Such as: namespace=shop workload=deployment/legacy, or container=*-proxy. Empty for every target."""
        return ", or ".join(" ".join(f"{name}={pattern}" for name, pattern in rule) for rule in self.rules)

    def covers(self, identity: Mapping[str, Any]) -> bool:
        """:param identity: `Target.identity()`"""
        return not self.rules or any(
            all(fnmatch.fnmatchcase(_NAMES[name](identity), pattern) for name, pattern in rule)
            for rule in self.rules
        )


EVERY_TARGET = Scope()


def scope_schema() -> Schema:
    """Of the key `targets` of an entry."""
    name: Schema = {"type": "string", "minLength": 1}
    names = dict.fromkeys(_NAMES, described(name, "a name or a shell pattern"))
    names["workload"] = {
        "type": "string",
        "pattern": "^[^/]+/(?:.|\\s)+$",
        "description": "KIND/NAME, each a name or a shell pattern, such as Deployment/api or */api",
    }
    return described(
        list_of(closed_object(names, least=1)),
        "the targets that it is for: those for which all holds that one of these rules says; all targets without this key",
    )


def read_scope(entry: Mapping[str, Any], refuse: Callable[[str], ScanError]) -> Scope:
    """The scope of one entry of a file.

    :param refuse: makes the error out of what is wrong with the entry
    :raises ScanError: what `refuse` made
    """
    if "targets" not in entry:
        return EVERY_TARGET
    rules = entry["targets"]
    if not isinstance(rules, list) or not rules:
        raise refuse(
            "targets must be a list of rules such as {namespace: shop, container: app}; leave the key out "
            "for "
            "every target"
        )
    return Scope(tuple(_rule(rule, refuse) for rule in rules))


def _rule(rule: Any, refuse: Callable[[str], ScanError]) -> tuple[tuple[str, str], ...]:
    if not isinstance(rule, Mapping) or not rule:
        raise refuse(
            f"targets must be a list of rules such as {{namespace: shop, container: app}}, found {rule!r}"
        )
    for name, pattern in rule.items():
        if name not in _NAMES:
            raise refuse(f"targets: {unknown_name('key', name, _NAMES)}")
        if not isinstance(pattern, str) or not pattern:
            raise refuse(f"targets: {name} must be a name or a pattern, found {pattern!r}")
        if name == "workload" and not all(pattern.partition("/")):
            raise refuse(
                f"targets: workload must be KIND/NAME, such as Deployment/api or */api, found {pattern!r}"
            )
    return tuple(
        (name, _workload(*pattern.split("/", 1)) if name == "workload" else pattern)
        for name, pattern in rule.items()
    )


def _workload(kind: str, name: str) -> str:
    return f"{kind.lower()}/{name}"
