# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: a threshold's decision over every profile of every target. It fails closed.

Whatever the threshold says, the gate fails without documents, on a document that is not whole, when a target that
counts as scanned has no document, has two, or was not expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from .comparison import (
    Control,
    Failures,
    Place,
    collect_failures,
    document_place,
    failed_controls,
    unknown_controls,
)
from .deadlines import Overdue
from .decision import (
    DOCUMENTS_KEY,
    EXPECTED_KEY,
    Decision,
    ExpectedTarget,
    FailedControl,
    Reason,
    TargetDecision,
)
from .evidence import Evidence, document_evidence
from .hdf import check_document, document_target_id
from .limits import (
    COVERAGE_KEY,
    EVIDENCE_KEY,
    NEW_FAILURES_KEY,
    OVERDUE_KEY,
    OVERDUE_SCANS_KEY,
    SKIPPED_PROFILES_KEY,
    Limit,
    shorten_ids,
)
from .percent import exact, percentage, rounded_down
from .status import FAIL, NOT_JUDGED, NOT_SCANNED, PASS, PASSED, SCANNED, STATUS_WORDS
from .summary import Counts, ProfileSummary, merge_counts, summarize
from .threshold import Threshold

_NO_DEADLINES = "the run has no deadlines: scan with `deadlines` (scan_deadlines)"


def decide(
    threshold: Threshold,
    documents: Iterable[tuple[str, Mapping[str, Any]]],
    expected: Sequence[ExpectedTarget],
    baseline: Failures | None = None,
    given: Sequence[Reason] = (),
    *,
    is_empty: bool = False,
    not_compared: str = "",
    overdue: Overdue | None = None,
) -> Decision:
    """Judges every profile of every document by every limit, each on its own as SAF judges a file.

    :param documents: (source, HDF document); a document that is not whole is a reason, not an exception
    :param expected: every target that was to be scanned. Without any, coverage is not known: a threshold that asks for
        it fails.
    :param baseline: what failed in an earlier run. With it no failure may be new, if the threshold does not allow some;
        without it a threshold that asks for new failures fails.
    :param given: reasons that stand already, such as those of a `RunCheck`. They are read after the documents.
    :param is_empty: nothing was to be scanned, and that is allowed: without documents no limit is asked
    :param not_compared: why a baseline that was asked for is None; then, too, no failure may be new
    :param overdue: what is late now; without it a threshold that asks for it fails
    """
    if baseline is not None or not_compared:
        threshold = threshold.with_limits([Limit(NEW_FAILURES_KEY, 0)])
    gate = _Gate(threshold, baseline, not_compared or "there is no baseline run to compare with", overdue)
    return gate.decide(documents, expected, given) if not is_empty else gate.decide_nothing(documents, given)


class _Gate:
    def __init__(
        self,
        threshold: Threshold,
        baseline: Failures | None,
        without_baseline: str,
        overdue: Overdue | None,
    ) -> None:
        self.threshold = threshold
        self.overdue = overdue
        self.baseline = baseline
        self.without_baseline = without_baseline
        self.reasons: list[Reason] = []
        self.judged: dict[str, str] = {}  # target id -> source of its document
        self.judged_nothing: set[str] = set()  # ids of targets with a profile that judged no control
        self.fits_none: list[str] = []  # ids of those among them that no profile fits
        self.counts: list[Counts] = []
        self.failed: dict[
            str, tuple[Place, set[Control]]
        ] = {}  # target id -> where it is, and what failed on it
        self.unknown: list[tuple[Place, set[Control]]] = []
        self.seen: set[tuple[str, str]] = set()  # (key, control id) of controls that must pass and are there

    def decide(
        self,
        documents: Iterable[tuple[str, Mapping[str, Any]]],
        expected: Sequence[ExpectedTarget],
        given: Sequence[Reason],
    ) -> Decision:
        number = 0
        for source, document in documents:
            number += 1
            self._judge_document(source, document)
        self.reasons[:0] = given
        if not number:
            self._refuse("", DOCUMENTS_KEY, "there are no results to judge", found=0)
        self._judge_presence()
        new_failures = self._judge_new_failures()
        self._judge_overdue()
        self._judge_overdue_scans()
        outcomes = self._compare_with_expected(expected)
        scanned = [target_id for target_id, outcome in outcomes.items() if outcome == SCANNED]
        judged = [target_id for target_id in scanned if target_id not in self.judged_nothing]
        coverage = (
            self._judge_coverage(len(outcomes), len(scanned), len(judged))
            if expected or self.threshold.coverage_min
            else None
        )
        for target_id in self.judged:
            outcomes.setdefault(target_id, SCANNED)
        return Decision(
            not self.reasons,
            tuple(self.reasons),
            tuple(self._decide_targets(outcomes)),
            self.threshold,
            coverage,
            len(expected),
            len(scanned),
            len(judged),
            merge_counts(self.counts),
            self.baseline.name if self.baseline else "",
            tuple(new_failures),
            tuple(self._found().mended_since(self.baseline)) if self.baseline else (),
            carried=sum(one.is_carried for one in expected if outcomes[one.target_id] == SCANNED),
        )

    def decide_nothing(
        self, documents: Iterable[tuple[str, Mapping[str, Any]]], given: Sequence[Reason]
    ) -> Decision:
        """The decision on a run that was to scan nothing: it must not have results either."""
        for source, _document in documents:
            self._refuse("", DOCUMENTS_KEY, f"nothing was to be scanned, but {source} holds results")
        self.reasons[:0] = given
        baseline = self.baseline.name if self.baseline else ""
        return Decision(not self.reasons, tuple(self.reasons), (), self.threshold, baseline=baseline)

    def _decide_targets(self, outcomes: Mapping[str, str]) -> Iterator[TargetDecision]:
        kinds: dict[str, list[str]] = {}
        for reason in self.reasons:
            kinds.setdefault(reason.target_id, []).append(reason.kind)
        for target_id, outcome in outcomes.items():
            own = kinds.get(target_id, [])
            yield TargetDecision(target_id, outcome, self._result(target_id, outcome, own), len(own))

    def _result(self, target_id: str, outcome: str, kinds: Sequence[str]) -> str:
        """:param kinds: of the reasons about the target"""
        if any(kind != NOT_JUDGED for kind in kinds):
            return FAIL
        if outcome == NOT_SCANNED:
            return NOT_SCANNED
        return NOT_JUDGED if kinds or target_id in self.judged_nothing else PASS

    def _refuse(self, target_id: str, key: str, text: str, limit: Any = None, found: Any = None) -> None:
        self.reasons.append(Reason(target_id, "", key, limit, found, text))

    def _judge_document(self, source: str, document: Mapping[str, Any]) -> None:
        try:
            checked = check_document(document, source)
            summary = summarize(checked, source)
        except ScanError as error:
            self._refuse("", DOCUMENTS_KEY, error.message)
            return
        target_id = document_target_id(checked, source)
        if target_id in self.judged:
            self._refuse(
                target_id, DOCUMENTS_KEY, f"has two documents, {self.judged[target_id]} and {source}"
            )
        self.judged[target_id] = source
        if summary.judged_nothing:
            self.judged_nothing.add(target_id)
        if summary.fits_none:
            self.fits_none.append(target_id)
            if self.threshold.coverage_min is None:  # else coverage says so
                self._refuse(target_id, DOCUMENTS_KEY, "no profile fits it, so that nothing was judged")
        self.counts.append(summary.counts)
        place = document_place(checked, source)
        self.failed[target_id] = (place, failed_controls(summary))
        self.unknown.append((place, unknown_controls(summary)))
        self._judge_evidence(target_id, document_evidence(checked, source))
        self._judge_skipped(target_id, summary.skipped)
        for profile in summary.profiles:
            self._judge_must_pass(target_id, profile)
            for limit in self.threshold.limits:
                found = limit.find(profile)
                if not limit.is_met(found):
                    self.reasons.append(
                        Reason(
                            target_id,
                            profile.name,
                            limit.key,
                            limit.value,
                            limit.shown(found),
                            limit.explain(found, profile),
                        )
                    )

    def _judge_evidence(self, target_id: str, evidence: Evidence | None) -> None:
        """What nobody graded meets no limit."""
        demanded = self.threshold.evidence_min
        if demanded is None or (evidence is not None and evidence.is_at_least(demanded)):
            return
        found = evidence.grade if evidence is not None else None
        why = f" ({'; '.join(evidence.reasons)})" if evidence is not None and evidence.reasons else ""
        text = f"{EVIDENCE_KEY}: found {found or 'no grade'}{why}, must be at least {demanded}"
        self._refuse(target_id, EVIDENCE_KEY, text, demanded, found)

    def _judge_skipped(self, target_id: str, skipped: Mapping[str, str]) -> None:
        most = self.threshold.skipped_profiles_max
        if most is not None and len(skipped) > most:
            text = f"found {len(skipped)} ({shorten_ids(sorted(skipped))}), must be at most {int(most)}"
            self._refuse(
                target_id, SKIPPED_PROFILES_KEY, f"{SKIPPED_PROFILES_KEY}: {text}", most, len(skipped)
            )

    def _judge_must_pass(self, target_id: str, profile: ProfileSummary) -> None:
        statuses = {control.id: control.status for control in profile.controls}
        for limit in self.threshold.must_pass:
            if limit.must_pass_profile in ("", profile.name):
                there = [control_id for control_id in limit.value if control_id in statuses]
                self.seen.update((limit.key, control_id) for control_id in there)
                found = {one: STATUS_WORDS[statuses[one]] for one in there if statuses[one] != PASSED}
                if found:
                    text = shorten_ids(["{} is {}".format(*pair) for pair in found.items()])
                    self.reasons.append(
                        Reason(
                            target_id,
                            profile.name,
                            limit.key,
                            limit.value,
                            found,
                            f"{limit.key}: must be Passed: {text}",
                        )
                    )

    def _judge_presence(self) -> None:
        for limit in self.threshold.must_pass:
            missing = [one for one in limit.value if (limit.key, one) not in self.seen]
            if missing:
                self._refuse(
                    "",
                    limit.key,
                    f"{limit.key}: on no target there is {shorten_ids(missing)}",
                    limit.value,
                    missing,
                )

    def _judge_new_failures(self) -> list[FailedControl]:
        """What is new is counted once for all replicas of a workload, and is a reason on each of them."""
        most = self.threshold.new_failures_max
        if most is None:
            return []
        if self.baseline is None:
            self._refuse("", NEW_FAILURES_KEY, f"{NEW_FAILURES_KEY}: {self.without_baseline}", most)
            return []
        new = self._found().not_in(self.baseline)
        if len(new) > most:
            for target_id, (place, controls) in self.failed.items():
                for profile in sorted({profile for profile, _id in controls}):
                    ids = sorted(
                        control[1]
                        for control in controls
                        if control[0] == profile and not self.baseline.has(place, control)
                    )
                    if ids:
                        text = (
                            f"{NEW_FAILURES_KEY}: found {len(new)} in all, must be at most {int(most)}; "
                            f"did not fail in {self.baseline.name}: {shorten_ids(ids)}"
                        )
                        self.reasons.append(Reason(target_id, profile, NEW_FAILURES_KEY, most, ids, text))
        return new

    def _judge_overdue(self) -> None:
        """A finding is counted once for all replicas of a workload, and is a reason on each of them."""
        most = self.threshold.overdue_max
        if most is None:
            return
        if self.overdue is None:
            self._refuse("", OVERDUE_KEY, f"{OVERDUE_KEY}: {_NO_DEADLINES}", most)
            return
        late = self.overdue.findings
        if len(late) <= most:
            return
        said = f"{OVERDUE_KEY}: found {len(late)} in all, must be at most {int(most)}; not fixed in time: "
        told = set()
        for target_id, (place, _controls) in self.failed.items():
            place_id = "/".join(place)
            told.add(place_id)
            for profile, ids in self.overdue.ids_at(place_id).items():
                text = said + shorten_ids(ids)
                self.reasons.append(Reason(target_id, profile, OVERDUE_KEY, most, ids, text))
        untold = sorted({place.place_id for place, _finding in late} - told)
        if untold:
            self._refuse("", OVERDUE_KEY, said + f"findings of {shorten_ids(untold)}", most, len(late))

    def _judge_overdue_scans(self) -> None:
        most = self.threshold.overdue_scans_max
        if most is None:
            return
        if self.overdue is None:
            self._refuse("", OVERDUE_SCANS_KEY, f"{OVERDUE_SCANS_KEY}: {_NO_DEADLINES}", most)
            return
        late = [place.place_id for place in self.overdue.places]
        if len(late) > most:
            text = f"found {len(late)} ({shorten_ids(late)}), must be at most {int(most)}"
            self._refuse("", OVERDUE_SCANS_KEY, f"{OVERDUE_SCANS_KEY}: {text}", most, len(late))

    def _found(self) -> Failures:
        return collect_failures("this run", self.failed.values(), self.unknown)

    def _compare_with_expected(self, expected: Sequence[ExpectedTarget]) -> dict[str, str]:
        """Target id -> outcome of each expected target, in order. Scanned is only what also has a document."""
        outcomes: dict[str, str] = {}
        for one in expected:
            target_id = one.target_id
            if target_id in outcomes:
                self._refuse(target_id, EXPECTED_KEY, "is expected twice")
            says_scanned = one.outcome == SCANNED
            has_document = target_id in self.judged
            if says_scanned and not has_document:
                self._refuse(target_id, DOCUMENTS_KEY, "counts as scanned, but no document of it can be used")
            if has_document and not says_scanned:
                self._refuse(
                    target_id,
                    EXPECTED_KEY,
                    f"counts as not scanned, but {self.judged[target_id]} holds results of it",
                )
            outcomes[target_id] = SCANNED if says_scanned and has_document else NOT_SCANNED
        if expected:
            for target_id, source in self.judged.items():
                if target_id not in outcomes:
                    self._refuse(
                        target_id, EXPECTED_KEY, f"was not expected, but {source} holds results of it"
                    )
        return outcomes

    def _judge_coverage(self, expected: int, scanned: int, judged: int) -> float | None:
        demanded = self.threshold.coverage_min
        if not expected:
            self._refuse(
                "", COVERAGE_KEY, f"{COVERAGE_KEY}: it is not known which targets were expected", demanded
            )
            return None
        found = percentage(judged, expected)
        coverage = rounded_down(found)
        if demanded is not None and found < exact(demanded):
            parts = []
            if scanned < expected:
                parts.append(f"{expected - scanned} of {expected} were not")
            unfit = len(self.fits_none)
            if unfit:
                parts.append(f"no profile fits {unfit} of {expected} ({shorten_ids(self.fits_none)})")
            if judged + unfit < scanned:
                parts.append(f"on {scanned - judged - unfit} of {expected} a profile judged no control")
            text = f"at least {demanded} % of the expected targets must be scanned, but {' and '.join(parts)}"
            self._refuse("", COVERAGE_KEY, f"{COVERAGE_KEY}: {text}", demanded, coverage)
        return coverage
