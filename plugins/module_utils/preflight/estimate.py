# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight in numbers: what is expected of the targets, counted, and how long a scan of them would take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..approaches.registry import KINDS, kind_of
from ..results.run import Run
from .preflight_check import Expectation
from .verdict import REFUSED, UNKNOWN, WORKS, Verdict

# How many of each are shown by name, the most frequent first.
_MOST_REASONS, _MOST_EXAMPLES, _MOST_NAMESPACES = 20, 3, 50


def count_verdicts(expectations: Sequence[Expectation], used: Sequence[str]) -> dict[str, Any]:
    """{targets, scannable, not_scannable, namespaces, namespaces_left_out, tried, cross_checks,
    approaches}.

    :param used: the approaches that are asked for
    """
    scannable = sum(bool(expected.tried) for expected in expectations)
    places: dict[str, Counter[str]] = {}
    for expected in expectations:
        target = expected.selected.target
        places.setdefault(target.namespace, Counter())[target.workload_kind] += 1
    largest = sorted(places, key=lambda name: (-sum(places[name].values()), name))
    return {
        "targets": len(expectations),
        "scannable": scannable,
        "not_scannable": len(expectations) - scannable,
        "namespaces": {name: dict(places[name].most_common()) for name in sorted(largest[:_MOST_NAMESPACES])},
        "namespaces_left_out": max(0, len(largest) - _MOST_NAMESPACES),
        "tried": [
            {"approaches": list(tried), "targets": number}
            for tried, number in Counter(expected.tried for expected in expectations).most_common()
        ],
        "cross_checks": [
            {"approach": approach, "targets": number}
            for approach, number in Counter(
                expected.checked_by for expected in expectations if expected.checked_by is not None
            ).most_common()
        ],
        "approaches": {kind.name: _approach(kind.name, expectations) for kind in KINDS if kind.name in used},
    }


def _approach(approach: str, expectations: Sequence[Expectation]) -> dict[str, Any]:
    groups: dict[tuple[str, ...], list[Expectation]] = {}
    for expected in expectations:
        groups.setdefault(expected.verdicts[approach].kind, []).append(expected)
    by_status = Counter(expected.verdicts[approach].status for expected in expectations)
    largest = sorted(groups.values(), key=lambda group: -len(group))
    return {
        WORKS: by_status[WORKS],
        UNKNOWN: by_status[UNKNOWN],
        REFUSED: by_status[REFUSED],
        "reasons": [_reason(group[0].verdicts[approach], group) for group in largest[:_MOST_REASONS]],
        "reasons_left_out": max(0, len(largest) - _MOST_REASONS),
    }


def _reason(verdict: Verdict, group: Sequence[Expectation]) -> dict[str, Any]:
    """The first target's verdict stands for all; its message may speak of that one."""
    return dict(
        verdict.record(),
        targets=len(group),
        examples=[expected.selected.target.path for expected in group[:_MOST_EXAMPLES]],
    )


# Where the seconds of an approach (ApproachKind.seconds) were measured, for those that no earlier run has.
TEST_BED_NAME = "test bed"
# What is done once for each namespace: its access and its token, made and removed.
_PER_NAMESPACE = 0.3


def estimate(expectations: Sequence[Expectation], concurrency: int, earlier: Run | None) -> dict[str, Any]:
    """{seconds, concurrency, namespaces, seconds_per_namespace, parts}: `parts` has for each approach how
    often it is used, the seconds of one use, and where those were measured (a run id, or TEST_BED_NAME).

    A target that may need a second approach, or that a second one checks, counts with both. Containers of
    one image are one use of an approach that mounts images.

    :param earlier: an earlier run, whose durations are taken for the approaches that it has
    """
    measured = _measured(earlier) if earlier else {}
    uses: dict[str, int] = {}
    images: set[str] = set()
    for expected in expectations:
        for approach in (*expected.tried, *([expected.checked_by] if expected.checked_by else [])):
            if kind_of(approach).makes_pods:
                if expected.selected.target.image_id in images:
                    continue
                images.add(expected.selected.target.image_id)
            uses[approach] = uses.get(approach, 0) + 1
    parts: list[dict[str, Any]] = [
        {
            "approach": approach,
            "uses": number,
            "seconds": round(measured.get(approach, kind_of(approach).seconds), 2),
            "measured_in": earlier.run_id if earlier and approach in measured else TEST_BED_NAME,
        }
        for approach, number in uses.items()
    ]
    namespaces = {expected.selected.target.namespace for expected in expectations if expected.tried}
    busy = sum(part["uses"] * part["seconds"] for part in parts)
    most = max((part["seconds"] for part in parts), default=0.0)
    return {
        "seconds": math.ceil(max(busy / concurrency, most) + _PER_NAMESPACE * len(namespaces)),
        "concurrency": concurrency,
        "namespaces": len(namespaces),
        "seconds_per_namespace": _PER_NAMESPACE,
        "parts": parts,
    }


def _measured(run: Run) -> dict[str, float]:
    """The mean seconds of a container that was scanned, by approach."""
    durations: dict[str, list[float]] = {}
    for target in run.targets:
        if target.is_scanned:
            durations.setdefault(target.approach, []).append(target.duration)
    return {approach: sum(values) / len(values) for approach, values in durations.items()}
