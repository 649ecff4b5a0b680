# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of profiles: the cases beside them, judged without a cluster, and expectations not met."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engines.builtin import BuiltinEngine
from ..engines.engine import Subject
from ..errors import ScanError
from ..judging.cases import Case, Expectation, read_cases
from ..judging.evaluation import evaluate
from ..kept.kept_target import KeptTarget, read_kept_target
from ..profiles.compiled_profile import CompiledProfile
from ..profiles.inputs import check_given
from ..profiles.loader import find_profile, load_profile
from ..results.hdf import hdf_control
from ..results.model import ControlResult, ProfileResult
from ..results.status import control_status
from ..vocabulary.evidence import EvaluationContext

_LISTED_IN_MESSAGE = 10


@dataclass(frozen=True)
class CasesOutcome:
    """One profile with its cases: its expectations, those that were not met, and those of its own controls that none names:
    what it takes over from others is tested with these."""

    profile: CompiledProfile
    cases: int
    expectations: int
    failures: list[dict[str, str]]
    untested: list[str]

    def as_result(self) -> dict[str, Any]:
        return {
            "profile": self.profile.name,
            "cases": self.cases,
            "expectations": self.expectations,
            "failures": self.failures,
            "untested": self.untested,
        }


def run_cases(
    names: Sequence[str], search: Sequence[pathlib.Path], inputs: Mapping[str, Any]
) -> list[CasesOutcome]:
    """The tests of each profile. `inputs` hold for all cases; those that a case gives go before them.

    :raises ScanError: as `load_profile`; bad_profile for a case that breaks its rules, and for a profile
        without any
    """
    tested = [_test_profile(find_profile(name, search), search, inputs) for name in names]
    check_given(inputs, {entry["name"]: True for one in tested for entry in one.profile.inputs})
    return tested


def failures_error(tested: Sequence[CasesOutcome]) -> ScanError | None:
    """The error that names the first expectations that were not met, None where all were."""
    failures = [failure for one in tested for failure in one.failures]
    if not failures:
        return None
    lines = [
        "{place}: case '{case}': control '{control}' is {found}, expected {expected}: {message}".format(
            **failure
        )
        for failure in failures[:_LISTED_IN_MESSAGE]
    ]
    return ScanError(
        "profile_tests_failed",
        "{} of {} expectations are not met: {}".format(
            len(failures), sum(one.expectations for one in tested), " | ".join(lines)
        ),
    )


def _test_profile(
    file: pathlib.Path, search: Sequence[pathlib.Path], inputs: Mapping[str, Any]
) -> CasesOutcome:
    cases = read_cases(file)
    failures: list[dict[str, str]] = []
    for case in cases:
        profile = _load(file, search, inputs, case)
        case.check(profile)
        verdicts = _verdicts(profile, _judge(case, profile))
        unmet = [
            expectation
            for expectation in case.expected
            if verdicts[expectation.control][0] != expectation.status
        ]
        failures += [_failure(case, expectation, *verdicts[expectation.control]) for expectation in unmet]
    named = {expectation.control for case in cases for expectation in case.expected}
    return CasesOutcome(
        profile,
        len(cases),
        sum(len(case.expected) for case in cases),
        failures,
        [
            control["id"]
            for control in profile.controls
            if control["id"] not in named and _folder(control["file"]) == _folder(profile.file)
        ],
    )


def _folder(file: str) -> str:
    """The profile's folder, by the name of one of its files as results show it."""
    return file.partition("/")[0]


def _load(
    file: pathlib.Path, search: Sequence[pathlib.Path], inputs: Mapping[str, Any], case: Case
) -> CompiledProfile:
    try:
        return load_profile(str(file), search, {**inputs, **case.inputs})
    except ScanError as error:
        if error.reason != "bad_option":
            raise
        case.cursor.fail(f"case '{case.name}': {error.message}")


def _judge(case: Case, profile: CompiledProfile) -> ProfileResult:
    facts = case.given_facts()
    if case.kept_facts is None:
        return evaluate(profile, facts, EvaluationContext({}, case.pod, case.container))
    kept = _read_kept(case, case.kept_facts)
    together = kept.facts.overlaid(facts.by_key)
    (result,) = BuiltinEngine([profile]).judge(Subject(kept.selected, together)).results
    return result


def _read_kept(case: Case, path: pathlib.Path) -> KeptTarget:
    place = case.cursor.child("kept_facts")
    try:
        return read_kept_target(path.read_bytes(), str(path))
    except OSError as error:
        place.fail(f"case '{case.name}': {path} cannot be read: {error.strerror or error}")
    except ScanError as error:
        place.fail(f"case '{case.name}': {error.message}")


def _verdicts(profile: CompiledProfile, result: ProfileResult) -> dict[str, tuple[str, str]]:
    """Control -> its status, and why. A profile that does not support the target has a verdict on none."""
    judged = {
        control.id: (control_status(hdf_control(control)), _why(control)) for control in result.controls
    }
    return {
        control["id"]: judged.get(control["id"], ("not judged", result.status_message))
        for control in profile.controls
    }


def _why(control: ControlResult) -> str:
    """The messages of a control's tests; for one that passed, what they were."""
    messages = [segment.message or segment.skip_message for segment in control.results]
    return " ".join(filter(None, messages)) or " ".join(segment.code_desc for segment in control.results)


def _failure(case: Case, expectation: Expectation, found: str, message: str) -> dict[str, str]:
    document = expectation.cursor.document
    return {
        "place": f"{document.file}:{expectation.cursor.line}",
        "case": case.name,
        "control": expectation.control,
        "expected": expectation.status,
        "found": found,
        "message": message,
    }
