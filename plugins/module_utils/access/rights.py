# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scanner's Role holds: verbs on the chosen pods, by name, and nothing else.

The approaches say which rights they need; here a Role is made of them. For an approach that makes helper pods
the chosen pods are these; it needs nothing on the targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Right:
    """Some verbs on pods or on a subresource of pods, as RBAC names it (`pods/exec`); on those that the Role
    names, or, where RBAC cannot name them (create), on any of the namespace."""

    resource: str
    verbs: tuple[str, ...]
    by_name: bool = True

    @property
    def subresource(self) -> str:
        return self.resource.partition("/")[2]


# A WebSocket exec is an HTTP GET: `get` on pods/exec was enough before Kubernetes 1.35, `create` is asked for
# since (AuthorizePodWebsocketUpgradeCreatePermission).
ENTER = Right("pods/exec", ("create", "get"))
# To see that a pod is still the one that was chosen, and that an ephemeral container has started.
SEE = Right("pods", ("get",))

# By the name of an approach. Filled by the list of approaches (approaches/registry.py): an access is handed
# from task to task as names, and this room knows no approach.
RIGHTS: dict[str, tuple[Right, ...]] = {}


def rules(
    approach: str, pods: Sequence[str], less: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The rules of a Role for that approach over the pods of these names.

    :param less: pods over which only the rights of another approach are meant, by name
    """
    made: list[dict[str, Any]] = []
    for right in RIGHTS[approach]:
        names = holders(right, approach, pods, less)
        if names or not right.by_name:  # a rule without names would be one over all pods
            made.append(
                dict(
                    {"apiGroups": [""], "resources": [right.resource], "verbs": list(right.verbs)},
                    **({"resourceNames": names} if right.by_name else {}),
                )
            )
    return made


def holders(right: Right, approach: str, pods: Sequence[str], less: Mapping[str, str]) -> list[str]:
    """Those of the pods over which the right is meant; parameters as of `rules`."""
    return [pod for pod in pods if right in RIGHTS[less.get(pod, approach)]]


def covers(approach: str, wanted: str) -> bool:
    """Whether an access that was made for one approach lets a scan work by another, too."""
    return set(RIGHTS[wanted]) <= set(RIGHTS.get(approach, ()))


def widest(approaches: Sequence[str]) -> str:
    """The one whose access serves most of them, empty where none enters a target's pod."""
    entering = [name for name in RIGHTS if name in approaches and not makes_pods(name)]
    return max(entering, key=lambda name: sum(covers(name, other) for other in entering), default="")


def makes_pods(approach: str) -> bool:
    """Whether its scanner makes helper pods, and touches no pod of a target."""
    return are_for_helpers(RIGHTS[approach])


def are_for_helpers(rights: Sequence[Right]) -> bool:
    """Whether rights are those over helper pods: only what makes pods has one that names none."""
    return any(not right.by_name for right in rights)
