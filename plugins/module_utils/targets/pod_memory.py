# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the node lets a pod have, from its spec."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from .quantities import parse_quantity


def memory_limit(pod: Mapping[str, Any]) -> int:
    """Bytes that all containers of a v1 Pod may take together, ephemeral ones included; 0 where nothing limits that.

    The kubelet limits the pod's own cgroup to the pod's limit, or where each of its containers has one to their sum, as the
    scheduler would count it (kubelet/cm ResourceConfigForPod, component-helpers/resource PodLimits).
    """
    spec = pod["spec"]
    overhead = _memory(spec.get("overhead")) or 0
    whole = _memory((spec.get("resources") or {}).get("limits"))
    if whole:
        return whole + overhead
    beside, most = 0, 0
    for container in spec.get("initContainers") or []:
        limit = _limit(container)
        if not limit:
            return 0
        if container.get("restartPolicy") == "Always":
            beside += limit
            most = max(most, beside)
        else:
            most = max(most, beside + limit)
    limits: List[Optional[int]] = [_limit(container) for container in spec.get("containers") or []]
    known = [limit for limit in limits if limit]
    return max(most, sum(known) + beside) + overhead if known and len(known) == len(limits) else 0


def _limit(container: Mapping[str, Any]) -> Optional[int]:
    return _memory((container.get("resources") or {}).get("limits"))


def _memory(quantities: Optional[Mapping[str, Any]]) -> Optional[int]:
    try:
        return int(parse_quantity((quantities or {})["memory"]))
    except (KeyError, ValueError):
        return None
