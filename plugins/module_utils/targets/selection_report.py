# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a selection looked at, and what each option left out: it shows which option was too narrow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..text_layout import number_of

# Words for what no option leaves out: sidecars that are proven to be a scan's own, and further containers that a
# target stands for.
OWN_SIDECAR, REPLICA_ALIKE = "own_sidecar", "replica_alike"
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
        under the first such option; OWN_SIDECAR -> number of sidecars that are proven to be ours
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
    warnings: list[str] = field(default_factory=list)

    @property
    def pods(self) -> int:
        return sum(self.namespaces.values())

    def left_out_by_no_option(self) -> dict[str, int]:
        """OWN_SIDECAR and REPLICA_ALIKE -> how many containers are no targets for that, though the options chose
        them; without those that are 0."""
        found = {OWN_SIDECAR: self.left_out[OWN_SIDECAR], REPLICA_ALIKE: self.replicas_left_out}
        return {word: number for word, number in found.items() if number}

    def as_dict(self) -> dict[str, Any]:
        """namespaces, pods, containers, left_out, as tasks return it."""
        return {
            "namespaces": dict(self.namespaces),
            "pods": self.pods,
            "containers": self.containers,
            "left_out": dict(self.left_out),
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
