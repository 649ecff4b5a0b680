# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a selection looked at, and what each option left out: it shows which option was too narrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScanError
from ..text_layout import number_of
from .criteria import NAMED_KINDS, Name, Selection

# Words for what no option leaves out: sidecars that are proven to be a scan's own, further containers that a target
# stands for, and containers of pods that have ended.
OWN_SIDECAR, REPLICA_ALIKE, FINISHED = "own_sidecar", "replica_alike", "finished"
# How many names of a kind are remembered, for the question which one was meant.
_SEEN = 500
_NAMES_SHOWN = 5
# Options that leave out namespaces, and those that leave out pods.
_NAMESPACE_OPTIONS = ("namespaces", "exclude_namespaces")
_POD_OPTIONS = ("pods", "exclude_pods", "workloads", "exclude_workloads")


@dataclass
class SelectionReport:
    """Counts of one selection, filled while it is read.

    :ivar namespaces: namespace -> number of pods that the API server listed for the selectors, in order
    :ivar containers: number of containers in the pods that no option left out
    :ivar left_out: option -> number of namespaces, pods or containers that it left out, each counted once,
        under the first such option; OWN_SIDECAR -> number of sidecars that are proven to be ours; FINISHED ->
        number of containers of pods that have ended
    :ivar failures: namespace -> why it could not be looked into, or not to its end
    :ivar matched: the plain names (criteria.Name) that gave a target, or a container that one stands for
    :ivar left_out_of: plain name that holds something which was left out -> by which option or word, how often
    :ivar used: those of `Selection.watched` that were seen
    :ivar seen: kind of name -> some of the names that were seen
    :ivar goes_on: whether a namespace that cannot be looked into is a failure here, and the others are read
    :ivar unmatched: what was named and gave nothing, once `check_selected` has found that out
    :ivar selected: number of targets
    :ivar replicas_left_out: number of further containers that the targets stand for
    :ivar limit_reached: whether the limit left something out
    """

    namespaces: dict[str, int] = field(default_factory=dict)
    containers: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    selected: int = 0
    replicas_left_out: int = 0
    limit_reached: bool = False
    failures: dict[str, ScanError] = field(default_factory=dict)
    matched: set[Name] = field(default_factory=set)
    left_out_of: dict[Name, Counter[str]] = field(default_factory=dict)
    used: set[Name] = field(default_factory=set)
    seen: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in NAMED_KINDS})
    unmatched: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    goes_on: bool = True

    def leave_out(self, option: str, number: int = 1, names: Iterable[Name] = ()) -> None:
        """Counts what an option leaves out, also for the plain names among those that it has."""
        self.left_out[option] += number
        for name in names:
            self.left_out_of.setdefault(name, Counter())[option] += number

    def use(self, selection: Selection, *names: Name) -> None:
        """Notes which of the watched names are there."""
        if selection.watched:
            self.used |= selection.watched.intersection(names)

    def see(self, kind: str, name: str) -> None:
        names = self.seen[kind]
        if len(names) < _SEEN:
            names.add(name)

    @property
    def pods(self) -> int:
        return sum(self.namespaces.values())

    def left_out_by_no_option(self) -> dict[str, int]:
        """OWN_SIDECAR, REPLICA_ALIKE and FINISHED -> how many containers are no targets for that, though the options
        chose them; without those that are 0."""
        found = {
            OWN_SIDECAR: self.left_out[OWN_SIDECAR],
            REPLICA_ALIKE: self.replicas_left_out,
            FINISHED: self.left_out[FINISHED],
        }
        return {word: number for word, number in found.items() if number}

    def as_dict(self) -> dict[str, Any]:
        """namespaces, pods, containers, left_out, unmatched, as tasks return it."""
        return {
            "namespaces": dict(self.namespaces),
            "pods": self.pods,
            "containers": self.containers,
            "left_out": {option: number for option, number in self.left_out.items() if number},
            "unmatched": self.unmatched,
        }

    def summary_sentence(self) -> str:
        """The same in a sentence."""
        if not self.namespaces:
            return "No namespace was looked into{}".format(self._left_out(_NAMESPACE_OPTIONS, "; %s"))
        options = [option for option in self.left_out if option not in _NAMESPACE_OPTIONS]
        pod_options = [option for option in options if option in _POD_OPTIONS]
        text = "Looked into {}: {}{}".format(
            _count(len(self.namespaces), "namespace", list(self.namespaces)),
            _count(self.pods, "pod"),
            self._left_out(pod_options, " (%s)"),
        )
        if self.containers:
            rest = [option for option in options if option not in _POD_OPTIONS]
            text += ", {}{}".format(_count(self.containers, "container"), self._left_out(rest, " (%s)"))
        return text + self._left_out(_NAMESPACE_OPTIONS, "; of the namespaces, %s")

    def _left_out(self, options: Any, form: str) -> str:
        parts = [f"{option} left out {self.left_out[option]}" for option in options if self.left_out[option]]
        return form % ", ".join(parts) if parts else ""


def _count(number: int, noun: str, names: Any = ()) -> str:
    shown = list(names[:_NAMES_SHOWN]) + (["..."] if len(names) > _NAMES_SHOWN else [])
    return number_of(number, noun) + (f" ({', '.join(shown)})" if shown else "")
