# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight found, counted: small enough for a task's result, whatever the number of targets."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Sequence, Tuple

from .explanation import APPROACHES, Expectation
from .verdict import REFUSED, UNKNOWN, WORKS, Verdict

# Of each of these so many are shown by name, the most frequent first.
_MOST_REASONS, _MOST_EXAMPLES, _MOST_NAMESPACES = 20, 3, 50


def counted(expectations: Sequence[Expectation]) -> Dict[str, Any]:
    """{targets, scannable, not_scannable, namespaces, namespaces_left_out, tried, approaches}."""
    scannable = sum(bool(expected.tried) for expected in expectations)
    places: Dict[str, Counter[str]] = {}
    for expected in expectations:
        target = expected.selected.target
        places.setdefault(target.namespace, Counter())[target.workload_kind] += 1
    largest = sorted(places, key=lambda name: (-sum(places[name].values()), name))
    return {
        "targets": len(expectations), "scannable": scannable, "not_scannable": len(expectations) - scannable,
        "namespaces": {name: dict(places[name].most_common()) for name in sorted(largest[:_MOST_NAMESPACES])},
        "namespaces_left_out": max(0, len(largest) - _MOST_NAMESPACES),
        "tried": [{"approaches": list(tried), "targets": number}
                  for tried, number in Counter(expected.tried for expected in expectations).most_common()],
        "approaches": {approach: _approach(approach, expectations) for approach in APPROACHES}}


def _approach(approach: str, expectations: Sequence[Expectation]) -> Dict[str, Any]:
    groups: Dict[Tuple[str, str, str], List[Expectation]] = {}
    for expected in expectations:
        groups.setdefault(expected.verdicts[approach].kind, []).append(expected)
    by_status = Counter(expected.verdicts[approach].status for expected in expectations)
    largest = sorted(groups.values(), key=lambda group: -len(group))
    return {WORKS: by_status[WORKS], UNKNOWN: by_status[UNKNOWN], REFUSED: by_status[REFUSED],
            "reasons": [_reason(group[0].verdicts[approach], group) for group in largest[:_MOST_REASONS]],
            "reasons_left_out": max(0, len(largest) - _MOST_REASONS)}


def _reason(verdict: Verdict, group: Sequence[Expectation]) -> Dict[str, Any]:
    """The first target's verdict stands for all; its message may speak of that one."""
    return dict(verdict.record(), targets=len(group),
                examples=[expected.selected.target.path for expected in group[:_MOST_EXAMPLES]])
