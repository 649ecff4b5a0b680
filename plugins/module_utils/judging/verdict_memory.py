# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of controls, by the facts that they were judged by. Replicas of one image have mostly the same facts, and the
same facts give the same verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..collector.facts import Facts, Query
from ..results.model import SEGMENT_FAILED, SEGMENT_PASSED, Segment
from .queries import deciding_queries

_MOST_VERDICTS = 64

Numbers = tuple[int, ...]
# The segments of a control, and its impact.
Verdict = tuple[list[Segment], float]


@dataclass
class _Seen:
    """The verdicts on one control by the numbers of the facts that it needs; no needs: none are remembered."""

    needs: tuple[Query, ...]
    by_numbers: dict[Numbers, Verdict] = field(default_factory=dict)


class VerdictMemory:
    """For the profiles of one engine, which must live as long as this. Threads share it."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def recall(self, control: Mapping[str, Any], facts: Facts) -> tuple[Numbers, Verdict | None]:
        """(what to `keep` the verdict by, the verdict if it is known). Nothing to keep it by: ()."""
        seen = self._seen.get(id(control))
        if seen is None:
            seen = self._seen[id(control)] = _Seen(deciding_queries(control))
        numbers = tuple([facts.get_fact(query).answer_number for query in seen.needs])
        if not numbers or 0 in numbers or facts.answers:
            return (), None
        return numbers, seen.by_numbers.get(numbers)

    def keep(self, control: Mapping[str, Any], numbers: Numbers, verdict: Verdict) -> None:
        """Remembers a verdict that is certain: what was not known could be known next time."""
        segments, impact = verdict
        certain = (SEGMENT_PASSED, SEGMENT_FAILED)
        if not numbers or (impact and any(segment.status not in certain for segment in segments)):
            return
        verdicts = self._seen[id(control)].by_numbers
        if len(verdicts) >= _MOST_VERDICTS:
            verdicts.clear()
        verdicts[numbers] = verdict
