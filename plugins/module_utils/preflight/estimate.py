# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a scan will take: the seconds that containers took in an earlier run, or on the test bed, times what is to do."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from ..approaches import image
from .explanation import Expectation

# Seconds for one container, eight at a time, on the test bed: two cores for cluster and controller together.
TEST_BED_NAME = "test bed"
TEST_BED: Mapping[str, float] = {"exec": 0.9, "sidecar": 0.9, "debug": 3.0, "image": 3.0}
# What is done once for each namespace: its access and its token, made and removed.
_PER_NAMESPACE = 0.3


def estimate(expectations: Sequence[Expectation], concurrency: int, earlier: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """{seconds, concurrency, namespaces, seconds_per_namespace, parts}: `parts` has for each approach how often it is used,
    the seconds of one use, and where those were measured (a run id, or TEST_BED_NAME).

    A target that may need a second approach counts with both. Containers of one image are one use of the approach image.

    :param earlier: the summary of an earlier run, whose durations are taken for the approaches that it has
    """
    measured = _measured(earlier) if earlier else {}
    uses: Dict[str, int] = {}
    images: Set[str] = set()
    for expected in expectations:
        for approach in expected.tried:
            if approach == image.NAME:
                if expected.selected.target.image_id in images:
                    continue
                images.add(expected.selected.target.image_id)
            uses[approach] = uses.get(approach, 0) + 1
    parts: List[Dict[str, Any]] = [
        {"approach": approach, "uses": number, "seconds": round(measured.get(approach, TEST_BED[approach]), 2),
         "measured_in": str(earlier["run_id"]) if earlier and approach in measured else TEST_BED_NAME}
        for approach, number in uses.items()]
    namespaces = {expected.selected.target.namespace for expected in expectations if expected.tried}
    busy = sum(part["uses"] * part["seconds"] for part in parts)
    most = max((part["seconds"] for part in parts), default=0.0)
    return {"seconds": math.ceil(max(busy / concurrency, most) + _PER_NAMESPACE * len(namespaces)),
            "concurrency": concurrency, "namespaces": len(namespaces), "seconds_per_namespace": _PER_NAMESPACE, "parts": parts}


def _measured(summary: Mapping[str, Any]) -> Dict[str, float]:
    """The mean seconds of a container that was scanned, by approach."""
    durations: Dict[str, List[float]] = {}
    for target in summary["targets"]:
        if target["outcome"] == "scanned":
            durations.setdefault(target["approach"], []).append(target["duration"])
    return {approach: sum(values) / len(values) for approach, values in durations.items()}
