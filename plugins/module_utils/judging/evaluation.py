# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges one target by one compiled profile: from facts and the pod's API object it makes controls with
segments.

No control passes because something is missing. A test without its facts is skipped, with the cause. Then the
control's passed tests are skipped too, because readers of HDF count a control with one passed and one skipped
segment as passed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Callable

from ..collector.facts import BROKEN, MET, Facts, KeptAnswer
from ..errors import ScanError
from ..profiles.compiled_profile import CompiledProfile
from ..profiles.inputs import Input
from ..results.model import (
    SEGMENT_ERROR,
    SEGMENT_FAILED,
    SEGMENT_PASSED,
    SEGMENT_SKIPPED,
    ControlResult,
    ProfileResult,
    Segment,
)
from ..secret_texts import without_secret
from ..vocabulary.conditions import found_text, unmet
from ..vocabulary.evidence import Absent, EvaluationContext, Evidence, NotKnownError
from ..vocabulary.pattern_search import searching
from ..vocabulary.registry import RESOURCES
from ..vocabulary.resource import Resource, View
from ..vocabulary.supports import unsupported_reason
from ..vocabulary.value_text import bound_text
from .verdict_memory import Verdict, VerdictMemory

__all__ = ["MANUAL", "EvaluationContext", "evaluate"]

MANUAL = "A human must check this; record the outcome as an attestation."
_ERROR_LIMIT = 500


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def evaluate(
    profile: CompiledProfile,
    facts: Facts,
    context: EvaluationContext,
    now: Callable[[], datetime] = _utc_now,
    memory: VerdictMemory | None = None,
) -> ProfileResult:
    """Judge the target. Nothing that the target sent raises an error: a control that cannot be judged says so
    in its result.

    :param now: the clock for `start_time`; it returns times with a time zone
    :param memory: what came of the profile's controls on other targets
    :raises ScanError: cancelled
    """
    evidence = Evidence(facts, context)
    memory = memory or VerdictMemory()
    result = ProfileResult(
        name=profile.name,
        title=profile.title,
        version=profile.version,
        sha256=profile.sha256,
        controls=[],
        maintainer=profile.maintainer,
        summary=profile.summary,
        license=profile.license,
        copyright=profile.copyright,
        supports=[dict(entry) for entry in profile.supports],
        attributes=[Input(**entry).attribute() for entry in profile.inputs],
    )
    try:
        reason = unsupported_reason(profile.supports, evidence) or _nothing_fits(profile, evidence)
    except NotKnownError as missing:
        judge: Callable[[_Control], Verdict] = _undecided("whether this profile applies", missing)
    else:
        judge = _judge_or_recall
        if reason:
            result.status = "skipped"
            result.status_message = f"Skipping profile: '{profile.name}': {reason}."
            return result
    started = now().isoformat()  # of all controls: a profile takes a millisecond
    with searching():
        for control in profile.controls:
            result.controls.append(_control_result(_Control(control, evidence, started, memory), judge))
    return result


def _nothing_fits(profile: CompiledProfile, evidence: Evidence) -> str | None:
    """Why nothing of a profile applies that only takes over controls, if none of the profiles they are from fits."""
    why = ""
    for control in profile.controls:
        try:
            reasons = [unsupported_reason(supports, evidence) for supports in control["supports"]]
        except NotKnownError:
            return None
        why = next(filter(None, reasons), "")
        if not why:
            return None
    return f"{why} by any profile that its controls are from" if why else None


@dataclasses.dataclass(frozen=True)
class _Control:
    """A compiled control while it is judged."""

    data: Mapping[str, Any]
    evidence: Evidence
    started: str
    memory: VerdictMemory

    def skipped(self, reason: str) -> Segment:
        """A skipped segment for the whole control."""
        return Segment(SEGMENT_SKIPPED, self.data["title"], self.started, skip_message=reason)


def _undecided(what: str, missing: NotKnownError) -> Callable[[_Control], Verdict]:
    def judge(control: _Control) -> Verdict:
        return [control.skipped(f"Not reviewed: {what} could not be decided: {missing}.")], control.data[
            "impact"
        ]

    return judge


def _control_result(control: _Control, judge: Callable[[_Control], Verdict]) -> ControlResult:
    data = control.data
    try:
        segments, impact = judge(control)
    except ScanError as error:
        if error.reason == "cancelled":
            raise
        segments, impact = _defect(error, control)
    except Exception as error:  # noqa: BLE001 - a defect of ours must not end the run, nor stay hidden
        segments, impact = _defect(error, control)
    return ControlResult(
        id=data["id"],
        title=data["title"],
        desc=data["desc"],
        impact=impact,
        results=segments,
        descriptions=dict(data["descriptions"]),
        tags=dict(data["tags"]),
        refs=[dict(ref) for ref in data["refs"]],
        code=data["code"],
        source_file=data["file"],
        source_line=data["line"],
        manual=bool(data["manual"]),
    )


def _defect(error: Exception, control: _Control) -> Verdict:
    message = (
        f"The control could not be judged: {type(error).__name__}: {bound_text(str(error), _ERROR_LIMIT)}"
    )
    segment = Segment(SEGMENT_ERROR, control.data["title"], control.started, message=message)
    return [segment], control.data["impact"]


def _judge_or_recall(control: _Control) -> Verdict:
    numbers, known = control.memory.recall(control.data, control.evidence.facts)
    if known is not None:
        segments, impact = known
        return [dataclasses.replace(segment, start_time=control.started) for segment in segments], impact
    verdict = _judge(control)
    control.memory.keep(control.data, numbers, verdict)
    return verdict


def _judge(control: _Control) -> Verdict:
    """The segments, and the impact: 0.0 if the control does not apply, which HDF reads as Not Applicable."""
    data = control.data
    if data["manual"]:
        return [control.skipped(MANUAL)], data["impact"]
    for supports in data["supports"]:
        try:
            unsupported = unsupported_reason(supports, control.evidence)
        except NotKnownError as missing:
            return _undecided("whether this control applies", missing)(control)
        if unsupported:
            return [
                control.skipped(f"Not applicable: {unsupported} by the profile that this control is from.")
            ], 0.0
    only_if = data["only_if"]
    if only_if:
        try:
            unmet_condition = _first_unmet(only_if["tests"], control) or _all_unmet(
                only_if["any_of"], control
            )
        except NotKnownError as missing:
            return _undecided("whether this control applies", missing)(control)
        if unmet_condition:
            return [
                control.skipped("Not applicable: applies {} ({}).".format(only_if["reason"], unmet_condition))
            ], 0.0
    segments = [segment for test in data["tests"] for segment in _judge_test(test, control)]
    return _withhold_passes(segments), data["impact"]


def _withhold_passes(segments: list[Segment]) -> list[Segment]:
    """With a skipped segment and no failed one, passed segments become skipped: it is not known whether the
    control holds."""
    skipped = next((segment for segment in segments if segment.status == SEGMENT_SKIPPED), None)
    if skipped is None or any(segment.status == SEGMENT_FAILED for segment in segments):
        return segments
    reason = f"Passed, but withheld: the control is incomplete because {skipped.skip_message}"
    return [
        dataclasses.replace(segment, status=SEGMENT_SKIPPED, skip_message=reason)
        if segment.status == SEGMENT_PASSED
        else segment
        for segment in segments
    ]


def _judge_test(test: Mapping[str, Any], control: _Control) -> list[Segment]:
    resource = RESOURCES[test["resource"]]
    view = View(test["params"], control.evidence)
    segments = []
    for expectation in test["expect"]:
        begun = time.perf_counter()
        status, message, skip_message = SEGMENT_PASSED, "", ""
        try:
            failure = failure_of(test, expectation, view)
            if failure:
                status, message = SEGMENT_FAILED, failure
        except NotKnownError as missing:
            status, skip_message = SEGMENT_SKIPPED, f"{missing}."
        segments.append(
            Segment(
                status,
                expectation["description"],
                control.started,
                round(time.perf_counter() - begun, 6),
                message,
                skip_message,
                resource.name,
                test["id"] or test["title"],
            )
        )
    return segments


def _first_unmet(tests: list[dict[str, Any]], control: _Control) -> str | None:
    """The failure of the first expectation that is not met; None if all are met.

    :raises NotKnownError: a needed value is not known
    """
    for test in tests:
        view = View(test["params"], control.evidence)
        for expectation in test["expect"]:
            failure = failure_of(test, expectation, view)
            if failure:
                return failure
    return None


def _all_unmet(alternatives: list[dict[str, Any]], control: _Control) -> str | None:
    """The failures of all alternatives; None if there are none, or if one of them is met.

    :raises NotKnownError: none is met, and a value that one of them needs is not known
    """
    failures: list[str] = []
    not_known: list[NotKnownError] = []
    for test in alternatives:
        try:
            failure = _first_unmet([test], control)
        except NotKnownError as missing:
            not_known.append(missing)
            continue
        if failure is None:
            return None
        failures.append(failure)
    if not_known:
        raise not_known[0]
    return "; ".join(failures) or None


def expectation_id(test: Mapping[str, Any], expectation: Mapping[str, Any]) -> str:
    """A name of all that an expectation's outcome depends on, but for the facts: SHA-256 in hex."""
    asked = [test["resource"], test["params"], expectation["attribute"], expectation["conditions"]]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def failure_of(test: Mapping[str, Any], expectation: Mapping[str, Any], view: View) -> str | None:
    """What was expected, what was found and where; None if the expectation is met. Kept facts can hold the answer.

    :raises NotKnownError: a needed value is not known
    """
    answers = view.evidence.facts.answers
    answer = answers.get(expectation_id(test, expectation)) if answers and not expectation["masked"] else None
    if answer is not None:
        return _failure_again(answer)
    try:
        return _failure(expectation, RESOURCES[test["resource"]], view)
    except RecursionError:
        # The container chooses how deep its file is nested.
        raise NotKnownError(
            expectation["attribute"], "the value is nested too deeply to be compared and shown"
        ) from None


def _failure_again(answer: KeptAnswer) -> str | None:
    if answer.status == BROKEN:
        return answer.text
    if answer.status == MET:
        return None
    raise NotKnownError(answer.what, answer.text)


def _failure(expectation: Mapping[str, Any], resource: Resource, view: View) -> str | None:
    attribute = resource.attributes[expectation["attribute"]]
    found = attribute.read(view)
    condition = unmet(expectation["conditions"], attribute.type, found)
    if condition is None:
        return None
    parts = [
        expectation["expected"],
        ", found ",
        found_text(condition, attribute, found, expectation["masked"], attribute.called(view.params)),
    ]
    if not attribute.predicate:
        parts += [" ", resource.place(view.params)]
    if isinstance(found, Absent):
        parts += [": ", bound_text(found.reason)]
    detail = "" if isinstance(found, Absent) or not attribute.detail else attribute.detail(view)
    return "".join([*parts, ": ", without_secret(detail)] if detail else parts)
