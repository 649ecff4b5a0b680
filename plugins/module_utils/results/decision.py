# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate decided, with every reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .summary import Counts


@dataclass(frozen=True)
class Reason:
    """Why a gate did not open. `target_id` and `profile` are empty where the reason is about the run as a whole.

    `key` is the threshold's key, or one of the gate's own rules: documents, expected. `limit` and `found` are what
    was demanded and what there was (number, text, list of ids, or status by id; null where that has no meaning).
    """

    target_id: str
    profile: str
    key: str
    limit: Any
    found: Any
    text: str


@dataclass(frozen=True)
class TargetDecision:
    """The decision on one target. A target that was not scanned never passes; coverage says how many may be so."""

    target_id: str
    outcome: str
    passed: bool
    reasons: int


@dataclass(frozen=True)
class Decision:
    """The gate's decision. `coverage` is the percentage of expected targets that were scanned (null: not known).

    `baseline` names the run that was compared with (empty: none), `new_failures` what did not fail in it: {place,
    profile, control} with place cluster/namespace/kind/workload/container.
    """

    passed: bool
    reasons: list[Reason]
    targets: list[TargetDecision]
    threshold: dict[str, Any]
    coverage: Any = None
    expected: int = 0
    scanned: int = 0
    counts: Counts = field(default_factory=Counts)
    baseline: str = ""
    new_failures: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The decision as plain JSON values; `counts` is {targets: {expected, scanned}, controls: as in a summary}."""
        return {
            "passed": self.passed,
            "threshold": self.threshold,
            "coverage": self.coverage,
            "baseline": self.baseline,
            "new_failures": self.new_failures,
            "counts": {
                "targets": {"expected": self.expected, "scanned": self.scanned},
                "controls": self.counts.as_dict(),
            },
            "reasons": [asdict(reason) for reason in self.reasons],
            "targets": [asdict(target) for target in self.targets],
        }
