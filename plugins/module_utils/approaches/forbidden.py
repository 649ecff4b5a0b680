# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which approaches the operator forbids for which pods. Decided by the pod as it was selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..collector.request import CollectionRequest
from ..errors import ScanError
from ..safe_text import server_text
from ..targets.label_selectors import Requirement, all_hold, read_label_selectors
from ..targets.patterns import DNS_LABEL, check_names, matches
from ..targets.selection import SelectedTarget
from .approach import Approach, Collected
from .session import Footprint, Session

OPTION = "forbidden_approaches"


@dataclass(frozen=True)
class ForbiddenRule:
    """`approaches` that must not be used on pods in one of the `namespaces` (names or shell patterns) that
    meet all `label_selectors`; a condition that is empty holds for every pod. `reason` is the operator's
    text, `place` says which rule of the option it is.

    :raises ScanError: bad_option, for a rule that names no approach or no pod, or whose namespace or selector
        cannot exist
    """

    approaches: tuple[str, ...]
    namespaces: tuple[str, ...] = ()
    label_selectors: tuple[str, ...] = ()
    reason: str = ""
    place: str = OPTION
    _labels: tuple[Requirement, ...] = field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        tried = f"reading the option {self.place}"
        if not self.approaches:
            raise ScanError("bad_option", "it names no approach", tried=tried)
        if not self.namespaces and not self.label_selectors:
            raise ScanError(
                "bad_option",
                "it names neither namespaces nor label_selectors",
                tried=tried,
                advice="Name what it is about; namespaces: ['*'] means all.",
            )
        check_names(self.place + ".namespaces", self.namespaces, DNS_LABEL)
        object.__setattr__(
            self, "_labels", read_label_selectors(self.place + ".label_selectors", self.label_selectors)
        )

    def applies(self, approach: str, namespace: str, labels: Mapping[str, str]) -> bool:
        return (
            approach in self.approaches
            and (not self.namespaces or matches(namespace, self.namespaces))
            and all_hold(self._labels, labels)
        )

    def refusal(self, approach: str, tried: str) -> ScanError:
        conditions = [
            "{} {}".format(name, ", ".join(values))
            for name, values in (("namespaces", self.namespaces), ("label_selectors", self.label_selectors))
            if values
        ]
        return ScanError(
            "approach_forbidden",
            "{} is forbidden here{}".format(approach, ": " + server_text(self.reason) if self.reason else ""),
            tried=tried,
            cause="{} forbids it for {}.".format(self.place, " and ".join(conditions)),
        )


Rules = tuple[ForbiddenRule, ...]


def read_rules(given: Sequence[Mapping[str, Any]]) -> Rules:
    """The rules of the option; ScanError bad_option as ForbiddenRule."""
    return tuple(
        ForbiddenRule(
            tuple(rule.get("approaches") or ()),
            tuple(rule.get("namespaces") or ()),
            tuple(rule.get("label_selectors") or ()),
            str(rule.get("reason") or ""),
            f"{OPTION}[{number}]",
        )
        for number, rule in enumerate(given)
    )


def permitted(rules: Rules, approaches: Sequence[str], pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the approaches that no rule forbids for a v1 Pod."""
    return tuple(approach for approach in approaches if _rule_for(rules, approach, pod) is None)


def check_permitted(rules: Rules, approach: str, selected: SelectedTarget) -> None:
    """:raises ScanError: approach_forbidden, by the first rule that says so"""
    rule = _rule_for(rules, approach, selected.pod.object()) if rules else None
    if rule:
        raise rule.refusal(approach, f"scanning {selected.target.path} by {approach}")


def _rule_for(rules: Rules, approach: str, pod: Mapping[str, Any]) -> ForbiddenRule | None:
    metadata = pod["metadata"]
    labels: Mapping[str, str] = metadata.get("labels") or {}
    return next((rule for rule in rules if rule.applies(approach, str(metadata["namespace"]), labels)), None)


class PermittedApproach:
    """An approach that touches no target for which a rule forbids it."""

    def __init__(self, approach: Approach, rules: Rules) -> None:
        self.name = approach.name
        self._approach = approach
        self._rules = rules

    @property
    def execs(self) -> int:
        return self._approach.execs

    @property
    def added(self) -> list[Footprint]:
        return self._approach.added

    @property
    def not_ended(self) -> list[Footprint]:
        return self._approach.not_ended

    def enter(self, selected: SelectedTarget) -> Session:
        """As the approach; besides approach_forbidden."""
        check_permitted(self._rules, self.name, selected)
        return self._approach.enter(selected)

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        """As the approach; besides approach_forbidden."""
        check_permitted(self._rules, self.name, selected)
        return self._approach.collect(selected, request)

    def close(self) -> None:
        self._approach.close()
