# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of n replicas: which containers are alike, and which of them is selected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .criteria import Name
from .identity import SelectedTarget, Target

# Workload kinds whose pods are never replicas of each other: pods without an owner, and static pods of a
# node.
SINGLE_KINDS = ("Pod", "Node")


@dataclass
class _Group:
    """Containers that are alike: the best one so far, and how many were seen."""

    best: SelectedTarget
    names: frozenset[Name]
    seen: int = 1

    def add(self, selected: SelectedTarget, names: frozenset[Name], seen: int = 1) -> None:
        self.seen += seen
        self.names |= names
        self.best = min(self.best, selected, key=_rank)


class OneOfEach:
    """Selects one of the containers with the same workload, container, image and pod template in one
    namespace.

    Memory grows with the number of such groups, not with the number of pods. Containers with the same image
    name but different image ids are not alike; a container whose image id is not known yet counts with the
    others.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], dict[str, _Group]] = {}

    def add(self, selected: SelectedTarget) -> None:
        target = selected.target
        key = (
            target.workload_kind,
            target.workload,
            target.container_kind,
            target.container,
            target.image,
            selected.template,
        )
        contents = self._groups.setdefault(key, {})
        if target.image_id in contents:
            contents[target.image_id].add(selected, selected.names)
        else:
            contents[target.image_id] = _Group(selected, selected.names)

    def chosen(self) -> Iterator[SelectedTarget]:
        """One of each group, in the order in which the groups were first seen, with the number of its
        replicas."""
        for contents in self._groups.values():
            not_known = contents.pop("", None)
            groups = list(contents.values())
            if not_known and groups:
                groups[0].add(not_known.best, not_known.names, not_known.seen)
            elif not_known:
                groups = [not_known]
            for group in groups:
                yield replace(group.best, replicas=group.seen, names=group.names)


def _rank(selected: SelectedTarget) -> tuple[int, str]:
    """Running ones first, those that are being deleted after them, then by name."""
    target: Target = selected.target
    if target.state != "running":
        return 2, target.pod
    return int(bool(target.state_reason)), target.pod
