# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is to expect, and what it decided, with every reason."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .checked_json import JsonObject, JsonRecord, plain
from .status import NOT_SCANNED, PASS, RESULTS, SCANNED
from .summary import Counts
from .threshold import Threshold

# The key of reasons about the documents themselves.
DOCUMENTS_KEY = "documents"


@dataclass(frozen=True)
class ExpectedTarget:
    """A target that was to be scanned, and what its run says of it: `outcome` is scanned or not_scanned."""

    target_id: str
    outcome: str


@dataclass(frozen=True)
class Reason(JsonRecord):
    """Why a gate did not open. `target_id` and `profile` are empty where the reason is about the run as a whole.

    `key` is the threshold's key, or one of the gate's own rules: documents, expected, summary, max_age. `limit` and `found` are
    what was demanded and what there was (number, text, grade, list of ids, or status by id; null where that has no meaning).
    """

    target_id: str
    profile: str
    key: str
    limit: Any
    found: Any
    text: str

    @classmethod
    def from_json(cls, given: JsonObject) -> Reason:
        texts = {name: given.text(name) for name in ("target_id", "profile", "key", "text")}
        return cls(limit=given.values.get("limit"), found=given.values.get("found"), **texts)


@dataclass(frozen=True)
class TargetDecision(JsonRecord):
    """The decision on one target. `result` is

    fail          where one of the reasons is held against it,
    not_judged    where all of them ask for more (controls reviewed, evidence), or a profile judged nothing on it,
    not_scanned   where there are no results of it: coverage says how many may be so,
    pass          else.
    """

    target_id: str
    outcome: str
    result: str
    reasons: int

    @property
    def passed(self) -> bool:
        return self.result == PASS

    @classmethod
    def from_json(cls, given: JsonObject) -> TargetDecision:
        return cls(
            given.text("target_id"),
            given.one_of("outcome", (SCANNED, NOT_SCANNED)),
            given.one_of("result", RESULTS),
            given.whole_number("reasons"),
        )


@dataclass(frozen=True)
class FailedControl(JsonRecord):
    """A control that failed at a place: cluster/namespace/kind/workload/container."""

    place: str
    profile: str
    control: str

    @classmethod
    def from_json(cls, given: JsonObject) -> FailedControl:
        return cls(**{each.name: given.text(each.name) for each in fields(cls)})


@dataclass(frozen=True)
class Decision(JsonRecord):
    """The gate's decision. `coverage` is the percentage of expected targets that were judged (None: not known).

    `baseline` names the run that was compared with (empty: none), `new_failures` what did not fail in it and
    `no_longer_failed` what failed only in it, on containers that were scanned now, too. `expected`,
    `scanned` and `judged` are numbers of targets; one that was scanned is judged when each profile judged something.
    """

    passed: bool
    reasons: tuple[Reason, ...]
    targets: tuple[TargetDecision, ...]
    threshold: Threshold
    coverage: float | None = None
    expected: int = 0
    scanned: int = 0
    judged: int = 0
    counts: Counts = field(default_factory=Counts)
    baseline: str = ""
    new_failures: tuple[FailedControl, ...] = ()
    no_longer_failed: tuple[FailedControl, ...] = ()

    @classmethod
    def from_json(cls, given: JsonObject) -> Decision:
        counts = given.object("counts")
        targets = counts.object("targets")
        return cls(
            passed=given.truth("passed"),
            reasons=tuple(Reason.from_json(reason) for reason in given.objects("reasons")),
            targets=tuple(TargetDecision.from_json(target) for target in given.objects("targets")),
            threshold=Threshold.from_json(given.object("threshold")),
            coverage=None if given.values.get("coverage") is None else given.number("coverage"),
            expected=targets.whole_number("expected"),
            scanned=targets.whole_number("scanned"),
            judged=targets.whole_number("judged"),
            counts=Counts.from_json(counts.object("controls")),
            baseline=given.text_or_empty("baseline"),
            new_failures=tuple(FailedControl.from_json(one) for one in given.objects("new_failures")),
            no_longer_failed=tuple(FailedControl.from_json(one) for one in given.objects("no_longer_failed")),
        )

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values; `counts` is {targets: {expected, scanned, judged}, controls: as in a summary}."""
        return {
            "passed": self.passed,
            "threshold": self.threshold.to_json(),
            "coverage": self.coverage,
            "baseline": self.baseline,
            "new_failures": plain(self.new_failures),
            "no_longer_failed": plain(self.no_longer_failed),
            "counts": {
                "targets": {"expected": self.expected, "scanned": self.scanned, "judged": self.judged},
                "controls": self.counts.to_json(),
            },
            "reasons": plain(self.reasons),
            "targets": plain(self.targets),
        }
