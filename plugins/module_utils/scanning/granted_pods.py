# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods an access holds, and by which approach each of them is allowed to be entered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..access.objects import Grant, PodRef
from ..approaches.choice import ways_into
from ..approaches.forbidden import Rules, permitted
from ..targets.selection import SelectedTarget


def grants_of(
    targets: Sequence[SelectedTarget], approach: str, chosen: Sequence[str], rules: Rules
) -> list[Grant]:
    """One grant for each namespace, over the pods with a target that a chosen approach can enter."""
    pods: dict[str, dict[str, PodRef]] = {}
    for selected in targets:
        target = selected.target
        if target.state == "running" and selected.operating_system == "linux":
            ref = (
                pod_ref(selected.pod.object(), approach, chosen, rules)
                if rules
                else PodRef(target.pod, target.pod_uid)
            )
            if ref:
                pods.setdefault(target.namespace, {})[target.pod] = ref
    return [Grant(namespace, tuple(found.values()), approach) for namespace, found in pods.items()]


def pod_ref(pod: Mapping[str, Any], approach: str, chosen: Sequence[str], rules: Rules) -> PodRef | None:
    """What an access for `approach` holds over a v1 Pod. None: each chosen approach that enters the pod is
    forbidden. Where only `approach` itself is forbidden, the access holds the rights of the first chosen one
    that is not."""
    ways = ways_into(pod, chosen)
    left = permitted(rules, ways, pod) if rules else (approach,)
    if not left:
        return None
    return PodRef(pod["metadata"]["name"], pod["metadata"]["uid"], "" if approach in left else left[0])
