# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is to expect, and what it decided, with every reason.

Each reason is of one of four kinds, which are also the words of a failed task's `error.reason`:

    bad_results   the run is not the one that is to be judged: altered, incomplete, too old
    gate_failed   something was found that the threshold does not allow
    not_scanned   fewer targets were scanned than the threshold asks for
    not_judged    nothing was found, but the threshold asks for more than could be judged

The kind of a decision is the first of them that it has a reason of: what was found counts whatever could not be seen besides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .checked_json import JsonObject, JsonRecord, plain
from .limits import (
    COVERAGE_KEY,
    MUST_PASS_KEY,
    NEW_FAILURES_KEY,
    OVERDUE_KEY,
    OVERDUE_SCANS_KEY,
    asks_for_more,
)
from .status import (
    NOT_JUDGED,
    NOT_REVIEWED,
    NOT_SCANNED,
    PASS,
    PROFILE_ERROR,
    RESULTS,
    SCANNED,
    STATUS_WORDS,
)
from .summary import Counts
from .threshold import Threshold

# The keys of the gate's own rules: what is in the documents, which targets are expected, the summary, its age.
DOCUMENTS_KEY = "documents"
EXPECTED_KEY = "expected"
SUMMARY_KEY = "summary"
MAX_AGE_KEY = "max_age"
_OWN_RULES = frozenset({DOCUMENTS_KEY, EXPECTED_KEY, SUMMARY_KEY, MAX_AGE_KEY})

BAD_RESULTS = "bad_results"
GATE_FAILED = "gate_failed"
KINDS_OF_REASONS = (BAD_RESULTS, GATE_FAILED, NOT_SCANNED, NOT_JUDGED)
_COULD_NOT_BE_JUDGED = frozenset(STATUS_WORDS[status] for status in (NOT_REVIEWED, PROFILE_ERROR))


@dataclass(frozen=True)
class ExpectedTarget:
    """A target that was to be scanned, and what its run says of it: `outcome` is scanned or not_scanned, `is_carried` whether an
    earlier run scanned it."""

    target_id: str
    outcome: str
    is_carried: bool = False


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

    @property
    def kind(self) -> str:
        """One of KINDS_OF_REASONS. Of coverage, not_scanned: only the decision knows whether all were scanned."""
        if self.key == COVERAGE_KEY or self.says_no_results:
            return NOT_SCANNED
        if self.key == OVERDUE_SCANS_KEY and self.found is not None:
            return NOT_SCANNED
        if self.key in _OWN_RULES:
            return BAD_RESULTS
        return NOT_JUDGED if asks_for_more(self.key) or self._is_missing else GATE_FAILED

    @property
    def says_no_results(self) -> bool:
        """Whether it says that the run has no document at all."""
        return self.key == DOCUMENTS_KEY and not self.target_id and self.found == 0

    @property
    def _is_missing(self) -> bool:
        """Whether there is nothing to compare a limit with: no baseline, no such control, or none that was reviewed."""
        family = self.key.partition(".")[0]
        if family == MUST_PASS_KEY and isinstance(self.found, dict):
            return _COULD_NOT_BE_JUDGED.issuperset(self.found.values())
        if self.key in (OVERDUE_KEY, OVERDUE_SCANS_KEY):
            return self.found is None
        return not self.target_id and (family == MUST_PASS_KEY or self.key == NEW_FAILURES_KEY)


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
    `scanned`, `judged` and `carried` are numbers of targets; one that was scanned is judged when each profile judged something,
    and carried when an earlier run scanned it.
    `decided_at` (RFC 3339) and `decided_by` (the user's name on the machine that decided) are empty in older runs.
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
    decided_at: str = ""
    decided_by: str = ""
    carried: int = 0

    @property
    def kind(self) -> str:
        """The first of KINDS_OF_REASONS that there is a reason of; empty where there is none."""
        return next((kind for kind, number in self.reason_counts.items() if number), "")

    @property
    def reason_counts(self) -> dict[str, int]:
        """{kind: number of reasons}, of all KINDS_OF_REASONS."""
        numbers = Counter(self.kind_of(reason) for reason in self.reasons)
        return {kind: numbers[kind] for kind in KINDS_OF_REASONS}

    def kind_of(self, reason: Reason) -> str:
        """Coverage that is too low though all were scanned is a matter of what could be judged."""
        if reason.key == COVERAGE_KEY and 0 < self.expected == self.scanned:
            return NOT_JUDGED
        return reason.kind

    def is_like(self, other: Decision) -> bool:
        """Whether the other one says the same by the same threshold, whoever took it and when."""
        return replace(self, decided_at="", decided_by="") == replace(other, decided_at="", decided_by="")

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
            decided_at=given.text_or_empty("decided_at"),
            decided_by=given.text_or_empty("decided_by"),
            carried=targets.whole_number("carried") if "carried" in targets.values else 0,
        )

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values; `counts` is {targets: {expected, scanned, judged, carried}, controls: as in
        a summary}."""
        return {
            "passed": self.passed,
            "decided_at": self.decided_at,
            "decided_by": self.decided_by,
            "threshold": self.threshold.to_json(),
            "coverage": self.coverage,
            "baseline": self.baseline,
            "new_failures": plain(self.new_failures),
            "no_longer_failed": plain(self.no_longer_failed),
            "counts": {
                "targets": {
                    "expected": self.expected,
                    "scanned": self.scanned,
                    "judged": self.judged,
                    "carried": self.carried,
                },
                "controls": self.counts.to_json(),
            },
            "reasons": plain(self.reasons),
            "targets": plain(self.targets),
        }
