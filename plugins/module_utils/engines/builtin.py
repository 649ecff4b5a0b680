# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in engine: profiles in the collection's own language, judged by facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..collector.facts import Asked, Facts, Query
from ..judging.asked import asked_of
from ..judging.evaluation import evaluate
from ..judging.queries import asks_for_content, required_queries
from ..judging.verdict_memory import VerdictMemory
from ..profiles.compiled_profile import CompiledProfile
from ..results.model import ProfileResult
from ..vocabulary.evidence import EvaluationContext
from ..vocabulary.pattern_search import searching
from .engine import Subject, Verdicts

NAME = CompiledProfile.engine


class BuiltinEngine:
    name = NAME
    needs_session = False

    def __init__(self, profiles: Sequence[CompiledProfile]) -> None:
        self._profiles = tuple(profiles)
        self._of_pod = frozenset(profile.name for profile in self._profiles if not asks_for_content(profile))
        self._memory = VerdictMemory()

    def queries(self) -> tuple[Query, ...]:
        """What the profiles' tests will look up."""
        return required_queries(self._profiles)

    def judge(self, subject: Subject) -> Verdicts:
        """All profiles over the same facts. Nothing is asked of the target here."""
        with searching(subject.seconds, subject.cancel):
            context = _context(subject)
            return Verdicts([self._evaluate(profile, subject.facts, context) for profile in self._profiles])

    def _evaluate(self, profile: CompiledProfile, facts: Facts, context: EvaluationContext) -> ProfileResult:
        result = evaluate(profile, facts, context, memory=self._memory)
        return replace(result, of_pod=profile.name in self._of_pod)

    def asked(self, subject: Subject) -> Asked:
        with searching(subject.seconds, subject.cancel):
            return asked_of(self._profiles, subject.facts, _context(subject))


def _context(subject: Subject) -> EvaluationContext:
    target, pod = subject.selected.target, subject.selected.pod
    return EvaluationContext(target.identity(), pod.object(), target.container, pod.is_kept)
