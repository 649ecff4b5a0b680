# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: a SAF threshold file, and the decision over every profile of every target. It fails closed.

Beside SAF's keys there is `coverage: {min: 100}`, the percentage of expected targets that must have been scanned.
Whatever the threshold says, the gate fails without documents, on a document that is not whole, when a target that
counts as scanned has no document, has two, or was not expected.
"""

from __future__ import annotations

import collections
import math
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import ScanError
from .decision import Decision, Reason, TargetDecision
from .hdf import check_document, document_target_id
from .limits import COVERAGE_KEY, Limit, parse_limits
from .strict_yaml import load_yaml
from .summary import Counts, merge_counts, summarize

SCANNED = "scanned"
NOT_SCANNED = "not_scanned"
_DOCUMENTS = "documents"
_EXPECTED = "expected"


@dataclass(frozen=True)
class Threshold:
    """The limits of one threshold; `coverage_min` is a percentage, None where the threshold does not ask for it."""

    source: str
    limits: Tuple[Limit, ...]
    coverage_min: Optional[float] = None

    def as_dict(self) -> Dict[str, Any]:
        """{source, limits: {dotted key: value}}, coverage among them."""
        limits = {limit.key: limit.value for limit in self.limits}
        if self.coverage_min is not None:
            limits[COVERAGE_KEY] = self.coverage_min
        return {"source": self.source, "limits": limits}


def load_threshold(content: Union[str, Mapping[str, Any]], source: str) -> Threshold:
    """The threshold in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: `bad_threshold`, naming the key, when anything in it is not understood or it has no limit
    """
    loaded = load_yaml(content, source, "bad_threshold") if isinstance(content, str) else content
    if not isinstance(loaded, Mapping) or not loaded:
        raise ScanError("bad_threshold", "%s: %s" % (source, "must be keys with limits" if loaded else "has no limits"),
                        tried="read threshold")
    limits = parse_limits(loaded, source)
    coverage = next((limit.value for limit in limits if limit.key == COVERAGE_KEY), None)
    return Threshold(source, tuple(limit for limit in limits if limit.key != COVERAGE_KEY), coverage)


DEFAULT_THRESHOLD = load_threshold({
    "failed": {"critical": {"max": 0}, "high": {"max": 0}},
    "error": {"total": {"max": 0}},
    "coverage": {"min": 100},
}, "the default threshold")


def decide(threshold: Threshold, documents: Sequence[Tuple[str, Mapping[str, Any]]],
           expected: Sequence[Mapping[str, Any]]) -> Decision:
    """Judges every profile of every document by every limit, each on its own as SAF judges a file.

    :param documents: (source, HDF document); a document that is not whole is a reason, not an exception
    :param expected: {target_id, outcome (`scanned` or `not_scanned`), error (record or None)} per target that was to be
        scanned. Without any, coverage is not known: a threshold that asks for it fails.
    """
    return _Gate(threshold).decide(documents, expected)


class _Gate:
    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self.reasons: List[Reason] = []
        self.judged: Dict[str, str] = {}  # target id -> source of its document
        self.counts: List[Counts] = []

    def decide(self, documents: Sequence[Tuple[str, Mapping[str, Any]]],
               expected: Sequence[Mapping[str, Any]]) -> Decision:
        if not documents:
            self._refuse("", _DOCUMENTS, "there are no results to judge", found=0)
        for source, document in documents:
            self._judge_document(source, document)
        outcomes = self._compare_with_expected(expected)
        scanned = sum(outcome == SCANNED for outcome in outcomes.values())
        coverage = self._judge_coverage(len(outcomes), scanned) if expected or self.threshold.coverage_min else None
        for target_id in self.judged:
            outcomes.setdefault(target_id, SCANNED)
        numbers = collections.Counter(reason.target_id for reason in self.reasons)
        targets = [TargetDecision(target_id, outcome, outcome == SCANNED and not numbers[target_id], numbers[target_id])
                   for target_id, outcome in outcomes.items()]
        return Decision(not self.reasons, self.reasons, targets, self.threshold.as_dict(), coverage, len(expected),
                        scanned, merge_counts(self.counts))

    def _refuse(self, target_id: str, key: str, text: str, limit: Any = None, found: Any = None) -> None:
        self.reasons.append(Reason(target_id, "", key, limit, found, text))

    def _judge_document(self, source: str, document: Mapping[str, Any]) -> None:
        try:
            checked = check_document(document, source)
            summary = summarize(checked, source)
        except ScanError as error:
            self._refuse("", _DOCUMENTS, error.message)
            return
        target_id = document_target_id(checked, source)
        if target_id in self.judged:
            self._refuse(target_id, _DOCUMENTS, "has two documents, %s and %s" % (self.judged[target_id], source))
        self.judged[target_id] = source
        self.counts.append(summary.counts)
        for profile in summary.profiles:
            for limit in self.threshold.limits:
                found = limit.find(profile)
                if not limit.is_met(found):
                    self.reasons.append(Reason(target_id, profile.name, limit.key, limit.value, found,
                                               limit.explain(found, profile)))

    def _compare_with_expected(self, expected: Sequence[Mapping[str, Any]]) -> Dict[str, str]:
        """Target id -> outcome of each expected target, in order. Scanned is only what also has a document."""
        outcomes: Dict[str, str] = {}
        for record in expected:
            target_id = str(record["target_id"])
            if target_id in outcomes:
                self._refuse(target_id, _EXPECTED, "is expected twice")
            says_scanned = record["outcome"] == SCANNED
            has_document = target_id in self.judged
            if says_scanned and not has_document:
                self._refuse(target_id, _DOCUMENTS, "counts as scanned, but no document of it can be used")
            if has_document and not says_scanned:
                self._refuse(target_id, _EXPECTED, "counts as not scanned, but %s holds results of it"
                             % self.judged[target_id])
            outcomes[target_id] = SCANNED if says_scanned and has_document else NOT_SCANNED
        if expected:
            for target_id, source in self.judged.items():
                if target_id not in outcomes:
                    self._refuse(target_id, _EXPECTED, "was not expected, but %s holds results of it" % source)
        return outcomes

    def _judge_coverage(self, expected: int, scanned: int) -> Optional[float]:
        demanded = self.threshold.coverage_min
        if not expected:
            self._refuse("", COVERAGE_KEY, "%s: it is not known which targets were expected" % COVERAGE_KEY, demanded)
            return None
        coverage = math.floor(10000 * scanned / expected) / 100  # never rounded up to what was demanded
        if demanded is not None and 100 * scanned < demanded * expected:
            self._refuse("", COVERAGE_KEY, "%s: at least %s %% of the expected targets must be scanned, but %d of %d "
                         "were not" % (COVERAGE_KEY, demanded, expected - scanned, expected), demanded, coverage)
        return coverage
