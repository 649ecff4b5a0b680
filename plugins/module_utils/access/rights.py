# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each approach needs of the scanner's Role: verbs on the chosen pods, by name, and nothing else.

For the approach `image` the chosen pods are the scan's own helper pods; it needs nothing on the targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Right:
    """Some verbs on pods or on a subresource of pods, as RBAC names it (`pods/exec`); on those that the Role names, or, where
    RBAC cannot name them (create), on any of the namespace."""

    resource: str
    verbs: tuple[str, ...]
    by_name: bool = True

    @property
    def subresource(self) -> str:
        return self.resource.partition("/")[2]


# A WebSocket exec is an HTTP GET: `get` on pods/exec was enough before Kubernetes 1.35, `create` is asked for since
# (AuthorizePodWebsocketUpgradeCreatePermission).
_ENTER = Right("pods/exec", ("create", "get"))
# To see that a pod is still the one that was chosen, and that an ephemeral container has started.
_SEE = Right("pods", ("get",))
# An ephemeral container is added by a patch; `update`, which would do as well, is not needed.
_ADD = Right("pods/ephemeralcontainers", ("patch",))

RIGHTS: Mapping[str, tuple[Right, ...]] = {
    "exec": (_ENTER, _SEE),
    "sidecar": (_ENTER, _SEE),
    "debug": (_ENTER, _SEE, _ADD),
    # over helper pods, in a namespace of their own
    "image": (_ENTER, Right("pods", ("delete", "get")), Right("pods", ("create",), by_name=False)),
}


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
