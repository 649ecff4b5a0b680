# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities (512Mi, 250m), and the memory limit of a pod."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_QUANTITY = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,2})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?\Z"
)
# The API server writes no longer ones; the time for a longer one would grow with the square of its length.
_LONGEST = 64
_FACTORS = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}


def parse_quantity(value: Any) -> float:
    """The number that a quantity stands for: cores, bytes or whatever it counts.

    The grammar is that of the API's resource.Quantity: a decimal number with an exponent or a suffix.

    :raises ValueError: `value` is not a quantity
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = str(value) if is_number else value
    found = _QUANTITY.match(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    if found is None:
        raise ValueError("not a Kubernetes quantity such as 512Mi or 250m")
    number, exponent, suffix = found.groups()
    return float(f"{number}e{exponent or 0}") * _FACTORS.get(suffix, 1)


def memory_limit(pod: Mapping[str, Any]) -> int:
    """The memory limit of a v1 Pod in bytes, which its ephemeral containers share; 0 if it has none.

    The kubelet limits the pod's cgroup to the pod's own limit, or to the sum of its containers' limits if
    each has one, as the scheduler counts it (kubelet/cm ResourceConfigForPod, component-helpers/resource
    PodLimits).
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
    limits: list[int | None] = [_limit(container) for container in spec.get("containers") or []]
    known = [limit for limit in limits if limit]
    return max(most, sum(known) + beside) + overhead if known and len(known) == len(limits) else 0


def _limit(container: Mapping[str, Any]) -> int | None:
    return _memory((container.get("resources") or {}).get("limits"))


def _memory(quantities: Mapping[str, Any] | None) -> int | None:
    try:
        return int(parse_quantity((quantities or {})["memory"]))
    except (KeyError, ValueError):
        return None
