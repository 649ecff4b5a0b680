# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run and its gate's decision as JUnit XML, for CI systems: one test suite per target.

A test case per profile and limit of the threshold, and one per control:

    passed           passed
    failed           failure where an unmet limit counts such controls, else skipped with a note: the threshold tolerates it
    not_reviewed     skipped, with the reason; a limit that asks for more reviewed controls is an error
    not_applicable   skipped; with the waiver's text where one sets the control aside
    profile_error    error where an unmet limit counts such controls, else skipped with a note

A failure says what was expected and found, and the profile's fix. What is not known is an error: a target that was not scanned or
not judged, a document that is not the run's, and a limit that is not met because too little was reviewed. Rules over the run as a
whole (coverage) stand in a suite of their own. Without a gate every control counts.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from re import Match
from typing import TextIO

from ..results.decision import Decision, Reason
from ..results.limits import COVERAGE_KEY, Limit, asks_for_more
from ..results.producer import COLLECTION
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_JUDGED, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.target_record import ErrorRecord, TargetRecord
from ..results.unmatched import Unmatched
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..safe_text import escape_text, one_line
from .per_control import PerControl
from .plain_event import UNREAD
from .report import Report
from .wording import exception_people, exception_until, target_label

_RUN_SUITE = "run"
_NUMBERS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_COUNTED = ("tests", *_NUMBERS)
_MOST_MESSAGE = 500
_MOST_TEXT = 2000
# More of a report is kept on disk until its numbers are known.
_IN_MEMORY = 1024 * 1024
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_SPECIAL = re.compile('[&<>"\r\n\t]')
_SPECIAL_IN_TEXT = re.compile("[&<>]")


def write_junit(run: Run, stream: TextIO) -> None:
    """Writes the document with its XML declaration, one suite after another. Their numbers stand before them."""
    numbers: Counter[str] = Counter()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n") as kept:
        for suite in _suites(run):
            numbers.update(suite.numbers())
            kept.write(suite.text())
        about = {"name": f"{COLLECTION} {run.run_id}", "time": _seconds(run.duration)}
        head = _attributes({**about, **{name: str(numbers[name]) for name in _COUNTED}})
        stream.write(f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites{head}>\n')
        kept.seek(0)
        shutil.copyfileobj(kept, stream)
    stream.write("</testsuites>\n")


REPORT = Report("junit", "gate.junit.xml", write_junit)


class _Suite:
    """One test suite; its cases are written as they come."""

    def __init__(self, run: Run, name: str, time: float, properties: Sequence[tuple[str, str]] = ()) -> None:
        self._about = {
            "name": name,
            "timestamp": run.started,
            "hostname": run.cluster,
            "time": _seconds(time),
        }
        self._properties = properties
        self._cases: list[str] = []
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._cases)

    def passed(self, place: str, said: str = "") -> None:
        """:param place: the attributes of a case. :param said: who says so, where it was a person"""
        output = f"<system-out>{_body(said)}</system-out>" if said else ""
        end = f">{output}</testcase>" if output else " />"
        self._cases.append(f'    <testcase{place} time="0"{end}\n')

    def ended(self, place: str, tag: str, kind: str, texts: Sequence[str]) -> None:
        """A case that did not pass. `tag` is failure, error or skipped; the first text is its message.

        :param kind: the type of a failure or an error
        """
        self._counts[tag] += 1
        of_kind = {} if tag == "skipped" else {"type": kind}
        message = _attributes({**of_kind, "message": one_line(texts[0], _MOST_MESSAGE)})
        body = _body("\n".join(texts)) if len(texts) > 1 or tag != "skipped" else ""
        end = f">{body}</{tag}>" if body else " />"
        self._cases.append(f'    <testcase{place} time="0">\n      <{tag}{message}{end}\n    </testcase>\n')

    def limit(self, place: str, key: str, texts: Sequence[str]) -> None:
        """The case of a limit: passed without texts, an error where too little is known, else a failure."""
        if texts:
            self.ended(place, "error" if asks_for_more(key) else "failure", key, texts)
        else:
            self.passed(place)

    def numbers(self) -> dict[str, int]:
        return {"tests": len(self._cases), **{name: self._counts[tag] for name, tag in _NUMBERS.items()}}

    def text(self) -> str:
        numbers = {name: str(number) for name, number in self.numbers().items()}
        properties = "".join(
            f"      <property{_attributes({'name': name, 'value': value})} />\n"
            for name, value in self._properties
        )
        if properties:
            properties = f"    <properties>\n{properties}    </properties>\n"
        return f"  <testsuite{_attributes({**self._about, **numbers})}>\n{properties}{''.join(self._cases)}  </testsuite>\n"


def _suites(run: Run) -> Iterator[_Suite]:
    """Those that have anything in them, the one of the run first."""
    decided = _Decided(run)
    suite = decided.run_suite()
    if len(suite):
        yield suite
    for target in run_verdicts(run):
        yield decided.target_suite(target)
    for gap in run.gaps:
        yield _gap_suite(run, gap)


class _Decided:
    """The suites of a run. Reasons are looked up, not searched for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._gate = run.gate
        self._limits: Sequence[Limit] = run.gate.threshold.all_limits if run.gate else ()
        self._keys_of_run = frozenset(limit.key for limit in self._limits if limit.is_of_run)
        self._reasons: dict[str, list[Reason]] = {}
        for reason in run.gate.reasons if run.gate else ():
            self._reasons.setdefault(reason.target_id, []).append(reason)
        self._names = PerControl(_control_name)
        self._known = {
            (one.profile, one.id): ControlText(one.profile, one.id, one.title, one.severity, "", "", "", {})
            for one in run.failed_controls
        }

    def run_suite(self) -> _Suite:
        """Reasons and limits that are about no single target of the run."""
        suite = _Suite(self._run, _RUN_SUITE, self._run.duration)
        if self._gate is not None:
            known = {target.target_id for target in self._run.targets}
            reasons = [reason for reason in self._gate.reasons if reason.target_id not in known]
            coverage = {limit.key for limit in self._limits if limit.key == COVERAGE_KEY}
            for key in sorted(coverage | {reason.key for reason in reasons}):
                texts = [_with_target(reason) for reason in reasons if reason.key == key]
                suite.limit(_place(_RUN_SUITE, _limit_name(self._gate, key)), key, texts)
        return suite

    def target_suite(self, target: TargetVerdicts) -> _Suite:
        record = target.record
        names = ("approach", "image", "image_digest", "node", "hdf")
        properties = [(name, getattr(record, name)) for name in names]
        if self._run.cluster_uid:
            properties.append(("cluster_uid", self._run.cluster_uid))
        properties.append(("evidence", record.evidence.grade if record.evidence else ""))
        suite = _Suite(self._run, record.target_id, record.duration, properties)
        label = target_label(record)
        reasons = self._reasons.get(record.target_id, [])
        self._limits_of_target(suite, label, [reason for reason in reasons if not reason.profile])
        if record.error is not None:
            suite.ended(_place(label, "scanned"), "error", record.error.reason, _error_texts(record.error))
        if target.unread:
            suite.ended(_place(label, "document"), "error", UNREAD, [target.unread])
        if record.result == NOT_JUDGED:
            why = [reason.text for reason in reasons] or [*record.skipped_profiles.values()]
            why = why or ["too few controls were reviewed"]
            suite.ended(_place(label, "judged"), "error", NOT_JUDGED, why)
        for name, message in record.skipped_profiles.items():
            suite.ended(_place(f"{label}.{name}", "profile"), "skipped", "", [message])
        for profile in record.profiles:
            self._profile_cases(suite, target, label, profile.name, reasons)
        return suite

    def _profile_cases(
        self, suite: _Suite, target: TargetVerdicts, label: str, profile: str, reasons: Sequence[Reason]
    ) -> None:
        own = [reason for reason in reasons if reason.profile == profile]
        classname = f"{label}.{profile}"
        self._limits_of_profile(suite, classname, profile, own)
        start = _attributes({"classname": one_line(classname)})
        for verdict in target.controls or self._failed_of(target.record, profile):
            if verdict.about.profile != profile:
                continue
            place = start + self._names.of(verdict.about)
            if verdict.status == PASSED:
                suite.passed(place, verdict.text)
            else:
                self._control_case(suite, place, verdict, own)

    def _failed_of(self, record: TargetRecord, profile: str) -> Iterator[Verdict]:
        """What the summary says of a target whose document is not at hand: which controls failed."""
        for control_id in record.failed.get(profile, ()):
            about = self._known.get((profile, control_id))
            if about is not None:
                yield Verdict(about, FAILED, text=_NO_TEXT)

    def _control_case(self, suite: _Suite, place: str, verdict: Verdict, reasons: Sequence[Reason]) -> None:
        """The case of a control that has not passed."""
        tag, said = _NOT_PASSED[verdict.status]
        texts = [self._waived_text(verdict) if verdict.waived else verdict.text or said]
        if verdict.status == FAILED and verdict.about.fix:
            texts.append(f"What to do: {verdict.about.fix}")
        if verdict.waiver_note:
            texts.append(verdict.waiver_note)
        if verdict.status == NOT_REVIEWED:
            texts[0] = f"{said}: {verdict.text}" if verdict.text else said
        elif tag != "skipped" and not self._counts(verdict, reasons):
            tag, texts = "skipped", [f"{said}, but the threshold tolerates it", *texts]
        suite.ended(place, tag, "control", texts)

    def _waived_text(self, verdict: Verdict) -> str:
        waiver = verdict.exceptions[0]
        people = exception_people(waiver)
        who = f" by {people}" if waiver.owner else f", {people}" if people else ""
        return f"waived{who}, {exception_until(waiver, self._run)}: {waiver.reason}"

    def _counts(self, verdict: Verdict, reasons: Sequence[Reason]) -> bool:
        """Whether the gate stays closed for such controls, or for this very one; without a gate all count."""
        if self._gate is None:
            return True
        family = _FAMILIES[verdict.status]
        kinds = {"compliance", f"{family}.total", f"{family}.{verdict.about.severity}"}
        for reason in reasons:
            if reason.key.rpartition(".")[0] in kinds or reason.key in kinds:
                return True
            is_named = isinstance(reason.found, (list, dict)) and verdict.about.id in reason.found
            if is_named and reason.key in self._keys_of_run:
                return True
        return False

    def _limits_of_target(self, suite: _Suite, label: str, reasons: Sequence[Reason]) -> None:
        """What is about the target and no profile of it: its evidence; a missing document, two of them, ..."""
        keys = [limit.key for limit in self._limits if limit.is_of_target]
        for key in dict.fromkeys((*keys, *(reason.key for reason in reasons))):
            name = _limit_name(self._gate, key) if self._gate else key
            suite.limit(_place(label, name), key, [reason.text for reason in reasons if reason.key == key])

    def _limits_of_profile(
        self, suite: _Suite, classname: str, profile: str, reasons: Sequence[Reason]
    ) -> None:
        if self._gate is None:
            return
        for limit in self._limits:
            is_of_other = limit.must_pass_profile not in ("", profile)
            if not (limit.key == COVERAGE_KEY or limit.is_of_target or is_of_other):
                texts = [reason.text for reason in reasons if reason.key == limit.key]
                suite.limit(_place(classname, _limit_name(self._gate, limit.key)), limit.key, texts)


# What a control that has not passed is, and what is said where the results say nothing. And the word of its limits.
_NOT_PASSED = {
    FAILED: ("failure", "failed"),
    NOT_REVIEWED: ("skipped", "Not Reviewed"),
    NOT_APPLICABLE: ("skipped", "Not Applicable"),
    PROFILE_ERROR: ("error", "ended with an error"),
}
_NO_TEXT = "the control failed; the results file holds what was expected and found"
_FAMILIES = {FAILED: "failed", PROFILE_ERROR: "error"}


def _gap_suite(run: Run, gap: Unmatched) -> _Suite:
    suite = _Suite(run, gap.target_id, 0.0)
    suite.ended(_place(f"{gap.kind} {gap.name}", "scanned"), "error", gap.error.reason, [gap.error.message])
    return suite


def _control_name(about: ControlText) -> str:
    """The attribute of a case."""
    return _attributes({"name": one_line(f"control: {about.id} ({about.severity}) {about.title}", 300)})


def _with_target(reason: Reason) -> str:
    return f"{reason.target_id}: {reason.text}" if reason.target_id else reason.text


def _error_texts(error: ErrorRecord) -> list[str]:
    return [error.message, *filter(None, (error.cause, error.advice))]


def _limit_name(gate: Decision, key: str) -> str:
    value = next((f" = {limit.value}" for limit in gate.threshold.all_limits if limit.key == key), "")
    return one_line(f"gate: {key}{value}", 200)


def _place(classname: str, name: str) -> str:
    return _attributes({"classname": one_line(classname), "name": one_line(name)})


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(
        f' {name}="{_SPECIAL.sub(_escaped, one_line(value, _MOST_TEXT))}"' for name, value in values.items()
    )


def _body(text: str) -> str:
    """Its lines stay lines."""
    lines = "\n".join(map(escape_text, text[:_MOST_TEXT].replace("\r\n", "\n").split("\n")))
    return _SPECIAL_IN_TEXT.sub(_escaped, lines)


def _escaped(match: Match[str]) -> str:
    return _ESCAPES[match.group()]


def _seconds(value: float) -> str:
    return f"{value:.3f}"
