# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's decision as JUnit XML, for CI systems: one test suite per target.

A test case per profile and limit of the threshold, and one per failed control: a failure when the control is of the
kind that an unmet limit counts, else skipped with a note (the threshold tolerates it). It says what was expected and found, and
the profile's fix. A control that a waiver sets aside is skipped with the waiver's text. What is not known is an error: a
target that was not scanned or not judged, and a limit that is not met because too little was reviewed. Rules over the run
as a whole (coverage) stand in a suite of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO
from xml.etree import ElementTree

from ..results.decision import Decision, Reason
from ..results.findings import WaivedControl
from ..results.limits import COVERAGE_KEY, Limit, asks_for_more
from ..results.producer import COLLECTION
from ..results.run import ControlCount, Run
from ..results.status import FAILED, NOT_JUDGED
from ..results.target_record import ErrorRecord, TargetRecord
from ..safe_text import one_line, printable
from .report import Report
from .wording import exception_people, exception_until, target_label

_RUN_SUITE = "run"
_NUMBERS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_INDENT = "  "


def write_junit(run: Run, stream: TextIO) -> None:
    """Writes the document with its XML declaration, one suite after another.

    The suites are made twice: their numbers stand before them.
    """
    suites = _Suites(run)
    root = _root(run, suites)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    if next(suites.each(), None) is None:
        stream.write(ElementTree.tostring(root, encoding="unicode") + "\n")
        return
    end = f"</{root.tag}>"
    empty = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    stream.write(empty[: -len(end)] + "\n")
    for suite in suites.each():
        ElementTree.indent(suite, _INDENT, level=1)
        stream.write(f"{_INDENT}{ElementTree.tostring(suite, encoding='unicode')}\n")
    stream.write(end + "\n")


def _root(run: Run, suites: _Suites) -> ElementTree.Element:
    """The document's element without its suites, with their numbers added up."""
    numbers: Counter[str] = Counter()
    for suite in suites.each():
        numbers.update({name: int(suite.get(name, "0")) for name in ("tests", *_NUMBERS)})
    attributes = {"name": f"{COLLECTION} {one_line(run.run_id)}", "time": _seconds(run.duration)}
    for name in ("tests", *_NUMBERS):
        attributes[name] = str(numbers[name])
    return ElementTree.Element("testsuites", attributes)


REPORT = Report("junit", "gate.junit.xml", write_junit)


class _Suites:
    """The test suites of a run, made one at a time. Reasons and controls are looked up, not searched for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._gate = run.gate
        self._limits: Sequence[Limit] = run.gate.threshold.all_limits if run.gate else ()
        self._keys_of_run = frozenset(limit.key for limit in self._limits if limit.is_of_run)
        self._reasons: dict[str, list[Reason]] = {}
        for reason in run.gate.reasons if run.gate else ():
            self._reasons.setdefault(reason.target_id, []).append(reason)
        self._controls = {(control.profile, control.id): control for control in run.failed_controls}

    def each(self) -> Iterator[ElementTree.Element]:
        """Those that have anything in them, the one of the run first."""
        suite = self._run_suite()
        if len(suite):
            yield suite
        for target in self._run.targets:
            yield self._target_suite(target)
        for gap in self._run.gaps:
            suite = self._suite(gap.target_id, 0.0)
            case = _case(suite, one_line(f"{gap.kind} {gap.name}"), "scanned")
            _complain(case, "error", gap.error.reason, [gap.error.message])
            yield _counted(suite)

    def _run_suite(self) -> ElementTree.Element:
        """Reasons and limits that are about no single target of the run."""
        suite = self._suite(_RUN_SUITE, self._run.duration)
        if self._gate is not None:
            known = {target.target_id for target in self._run.targets}
            reasons = [reason for reason in self._gate.reasons if reason.target_id not in known]
            coverage = {limit.key for limit in self._limits if limit.key == COVERAGE_KEY}
            for key in sorted(coverage | {reason.key for reason in reasons}):
                case = _case(suite, _RUN_SUITE, _limit_name(self._gate, key))
                _fail(case, key, [_with_target(reason) for reason in reasons if reason.key == key])
        return _counted(suite)

    def _target_suite(self, target: TargetRecord) -> ElementTree.Element:
        suite = self._suite(target.target_id, target.duration)
        properties = ElementTree.SubElement(suite, "properties")
        for name in ("approach", "image", "image_digest", "node", "hdf"):
            ElementTree.SubElement(properties, "property", name=name, value=one_line(getattr(target, name)))
        if self._run.cluster_uid:
            value = one_line(self._run.cluster_uid)
            ElementTree.SubElement(properties, "property", name="cluster_uid", value=value)
        grade = target.evidence.grade if target.evidence else ""
        ElementTree.SubElement(properties, "property", name="evidence", value=grade)
        label = target_label(target)
        reasons = self._reasons.get(target.target_id, [])
        self._general_cases(suite, label, [reason for reason in reasons if not reason.profile])
        if target.error is not None:
            _error_case(suite, label, target.error)
        if target.result == NOT_JUDGED:
            why = [reason.text for reason in reasons] or [*target.skipped_profiles.values()]
            why = why or ["too few controls were reviewed"]
            _complain(_case(suite, label, "judged"), "error", NOT_JUDGED, why)
        for name, message in target.skipped_profiles.items():
            skipped = _case(suite, f"{label}.{one_line(name)}", "profile")
            ElementTree.SubElement(skipped, "skipped", message=one_line(message, 500))
        for profile in target.profiles:
            own = [reason for reason in reasons if reason.profile == profile.name]
            classname = f"{label}.{one_line(profile.name)}"
            self._limit_cases(suite, classname, profile.name, own)
            for control_id in target.failed.get(profile.name, ()):
                control = self._controls[profile.name, control_id]
                self._control_case(suite, classname, target.target_id, control, own)
            for waived in self._run.findings.waived.get(target.target_id, ()):
                if waived.profile == profile.name:
                    self._waived_case(suite, classname, waived)
        return _counted(suite)

    def _general_cases(self, suite: ElementTree.Element, label: str, reasons: Sequence[Reason]) -> None:
        """What is about the target and no profile of it: its evidence; a missing document, two of them, ..."""
        keys = [limit.key for limit in self._limits if limit.is_of_target]
        for key in dict.fromkeys((*keys, *(reason.key for reason in reasons))):
            name = _limit_name(self._gate, key) if self._gate else key
            _fail(_case(suite, label, name), key, [reason.text for reason in reasons if reason.key == key])

    def _limit_cases(
        self, suite: ElementTree.Element, classname: str, profile: str, reasons: Sequence[Reason]
    ) -> None:
        if self._gate is None:
            return
        for limit in self._limits:
            if not (limit.key == COVERAGE_KEY or limit.is_of_target) and limit.must_pass_profile in (
                "",
                profile,
            ):
                case = _case(suite, classname, _limit_name(self._gate, limit.key))
                _fail(case, limit.key, [reason.text for reason in reasons if reason.key == limit.key])

    def _control_case(
        self,
        suite: ElementTree.Element,
        classname: str,
        target_id: str,
        control: ControlCount,
        reasons: Sequence[Reason],
    ) -> None:
        case = _case(suite, classname, _control_name(control.id, control.severity, control.title))
        findings = self._run.findings
        found = findings.text_of(target_id, control.profile, control.id)
        of_control = findings.failures.get((control.profile, control.id))
        texts = [found or "the control failed; the results file holds what was expected and found"]
        if of_control is not None and of_control.fix:
            texts.append(f"What to do: {of_control.fix}")
        if self._gate is None or any(self._counts(reason, control) for reason in reasons):
            _fail(case, "control", texts)
        else:
            message = "failed, but the threshold tolerates it"
            skipped = ElementTree.SubElement(case, "skipped", message=message)
            skipped.text = printable("\n".join(texts)) if found else None

    def _waived_case(self, suite: ElementTree.Element, classname: str, waived: WaivedControl) -> None:
        record = waived.waiver.record
        case = _case(suite, classname, _control_name(waived.control_id, waived.severity, waived.title))
        people = exception_people(record)
        who = f" by {people}" if record.owner else f", {people}" if people else ""
        text = f"waived{who}, {exception_until(record, self._run)}: {record.reason}"
        ElementTree.SubElement(case, "skipped", message=one_line(text, 500))

    def _counts(self, reason: Reason, control: ControlCount) -> bool:
        """Whether a reason counts controls of this kind, or is about this very one: a new failure, or one that must pass."""
        kinds = {"compliance", FAILED + ".total", f"{FAILED}.{control.severity}"}
        if reason.key.rpartition(".")[0] in kinds or reason.key in kinds:
            return True
        is_named = isinstance(reason.found, (list, dict)) and control.id in reason.found
        return is_named and reason.key in self._keys_of_run

    def _suite(self, name: str, seconds: float) -> ElementTree.Element:
        return ElementTree.Element(
            "testsuite",
            {
                "name": one_line(name),
                "timestamp": one_line(self._run.started),
                "hostname": one_line(self._run.cluster),
                "time": _seconds(seconds),
            },
        )


def _control_name(control_id: str, severity: str, title: str) -> str:
    return one_line(f"control: {control_id} ({severity}) {title}", 300)


def _with_target(reason: Reason) -> str:
    return f"{reason.target_id}: {reason.text}" if reason.target_id else reason.text


def _error_case(suite: ElementTree.Element, label: str, error: ErrorRecord) -> None:
    case = _case(suite, label, "scanned")
    element = ElementTree.SubElement(
        case, "error", type=one_line(error.reason), message=one_line(error.message)
    )
    element.text = printable(f"{error.cause}\n{error.advice}")


def _limit_name(gate: Decision, key: str) -> str:
    value = next((f" = {limit.value}" for limit in gate.threshold.all_limits if limit.key == key), "")
    return one_line(f"gate: {key}{value}", 200)


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": "0"})


def _fail(case: ElementTree.Element, key: str, texts: list[str]) -> None:
    """One failure, or error where too little is known, with all texts; none leaves the case passed."""
    _complain(case, "error" if asks_for_more(key) else "failure", key, texts)


def _complain(case: ElementTree.Element, tag: str, kind: str, texts: list[str]) -> None:
    if texts:
        element = ElementTree.SubElement(case, tag, type=one_line(kind), message=one_line(texts[0], 500))
        element.text = printable("\n".join(texts))


def _counted(suite: ElementTree.Element) -> ElementTree.Element:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in _NUMBERS.items():
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    return suite


def _seconds(value: float) -> str:
    return f"{value:.3f}"
