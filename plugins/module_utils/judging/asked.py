# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What profiles ask of a target's sensitive facts, and what came of it, so that the facts themselves need not be kept.

Kept facts with these parts and answers give the same verdicts by the same profiles, messages included. An expectation
that nobody asked has no answer: it is not known, and never met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..collector.facts import BROKEN, MET, UNKNOWN, Asked, Fact, Facts, KeptAnswer
from ..kept.kept_facts import reduce_facts, with_parts
from ..profiles.compiled_profile import CompiledProfile
from ..vocabulary.evidence import EvaluationContext, Evidence, NotKnownError
from ..vocabulary.registry import RESOURCES
from ..vocabulary.resource import View
from .evaluation import expectation_id, failure_of

_Expectation = tuple[Mapping[str, Any], Mapping[str, Any], tuple[str, ...]]


def asked_of(profiles: Sequence[CompiledProfile], facts: Facts, context: EvaluationContext) -> Asked:
    """The parts of the facts that the profiles read, and the answers to the expectations that need more than these.

    An expectation with a sensitive input has no answer: its operand could be guessed from the answer's id.
    """
    parts: dict[str, dict[str, Fact]] = {}
    whole, kept = Evidence(facts, context, parts), reduce_facts(facts)
    told = [
        (expectation, _answer(expectation, whole)) for expectation in _about_reduced(profiles, facts, kept)
    ]
    reduced = Evidence(with_parts(kept, Asked(parts)), context)
    answers = {
        expectation_id(test, expectation): answer
        for (test, expectation, keys), answer in told
        if answer is not None
        and not expectation["masked"]
        and answer != _answer((test, expectation, keys), reduced)
    }
    return Asked(parts, answers)


def _about_reduced(
    profiles: Sequence[CompiledProfile], facts: Facts, reduced: Facts
) -> Iterator[_Expectation]:
    """(test, expectation, keys of its facts) of all expectations with a fact that is not kept whole."""
    changed = {key for key, fact in facts.items() if reduced[key] != fact}
    for test in (test for profile in profiles for test in _tests(profile)):
        for expectation in test["expect"]:
            attribute = RESOURCES[test["resource"]].attributes[expectation["attribute"]]
            keys = tuple(query.key for query in attribute.needs(test["params"]))
            if changed.intersection(keys):
                yield test, expectation, keys


def _tests(profile: CompiledProfile) -> Iterator[Mapping[str, Any]]:
    for control in profile.controls:
        if control["only_if"]:
            yield from (*control["only_if"]["tests"], *control["only_if"]["any_of"])
        yield from control["tests"]


def _answer(asked: _Expectation, evidence: Evidence) -> KeptAnswer | None:
    """What comes of an expectation; None where a defect of ours keeps it from being judged."""
    test, expectation, keys = asked
    description = expectation["description"]
    try:
        failure = failure_of(test, expectation, View(test["params"], evidence))
    except NotKnownError as missing:
        return KeptAnswer(description, keys, UNKNOWN, missing.cause, missing.what)
    except Exception:  # noqa: BLE001 - the judgement itself has made an error of it
        return None
    return KeptAnswer(description, keys, BROKEN if failure else MET, failure or "")
