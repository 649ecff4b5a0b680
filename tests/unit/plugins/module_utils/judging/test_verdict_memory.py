# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of other targets never changes a verdict."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    Fact,
    Facts,
    KeptAnswer,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.cases import Case, read_cases
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.verdict_memory import (
    VerdictMemory,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import read_kept_target
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

ROOT = pathlib.Path(__file__).resolve().parents[5]
SHIPPED = [path.parent.name for path in sorted((ROOT / "profiles").glob("*/profile.yml"))]
CONTEXT = EvaluationContext({}, {}, "app")


def numbered(facts: Facts, numbers: dict[str, int]) -> Facts:
    """The same facts, equal ones of one key with equal numbers."""
    by_key = {}
    for key, fact in facts.items():
        by_key[key] = fact.of_answer(numbers.setdefault(f"{key} {fact!r}", len(numbers) + 1))
    return dataclasses.replace(facts, by_key=by_key)


def facts_of(case: Case) -> Facts:
    """Those of the case over those of the container that it is about; kept answers are left out."""
    file = case.kept_facts
    kept = read_kept_target(file.read_bytes(), str(file)).facts if file else {}
    return Facts({**kept, **case.given_facts()})


def told(result) -> list:
    """The verdicts, without times."""
    return [
        (control.id, control.impact, [(one.status, one.message, one.skip_message) for one in control.results])
        for control in result.controls
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_memory_of_all_other_cases_changes_no_verdict(name):
    folder = ROOT / "profiles" / name
    profile = load_profile(str(folder), [], {})
    memory, numbers, recalled = VerdictMemory(), {}, 0
    cases = read_cases(folder / "profile.yml")
    for case in [*cases, *cases]:
        facts = numbered(facts_of(case), numbers)
        context = EvaluationContext({}, case.pod, case.container)
        recalled += sum(memory.recall(control, facts)[1] is not None for control in profile.controls)
        assert told(evaluate(profile, facts, context, memory=memory)) == told(
            evaluate(profile, facts, context)
        )
    if name == "container-baseline":
        assert recalled > 100


@pytest.fixture
def profile(tmp_path):
    def load(tests: str):
        file = tmp_path / "p.yml"
        file.write_text(
            "name: p\ntitle: T\nversion: 1.0.0\ncontrols:\n  - id: c-1\n    title: T\n    impact: high\n    tests:\n"
            + "".join(f"      {line}\n" for line in tests.splitlines())
        )
        return load_profile(str(file), [], {})

    return load


def uid_of_a(number: int, uid: int, **more) -> Facts:
    stat = {"type": "file", "mode": 0o644, "uid": uid, "gid": 0, "size": 5, "mtime": 0, "link_target": None}
    return Facts({"file:/a": Fact("ok", stat).of_answer(number)}, **more)


def status(profile, facts, memory) -> str:
    (control,) = evaluate(profile, facts, CONTEXT, memory=memory).controls
    return control.results[0].status


def test_facts_of_one_number_have_one_verdict_and_others_their_own(profile):
    loaded, memory = profile("- file: /a\n  expect: {uid: 0}"), VerdictMemory()
    assert status(loaded, uid_of_a(1, 0), memory) == "passed"
    assert status(loaded, uid_of_a(2, 7), memory) == "failed"
    # a lie about the number shows that the memory was asked
    assert status(loaded, uid_of_a(1, 7), memory) == "passed"


def test_facts_without_a_number_and_kept_answers_are_judged_anew(profile):
    loaded, memory = profile("- file: /a\n  expect: {uid: 0}"), VerdictMemory()
    assert status(loaded, uid_of_a(0, 0), memory) == "passed"
    assert status(loaded, uid_of_a(0, 7), memory) == "failed"
    assert status(loaded, uid_of_a(1, 0), memory) == "passed"
    answers = {"other": KeptAnswer("asked", ("file:/a",), "met")}
    assert status(loaded, uid_of_a(1, 7, answers=answers), memory) == "failed"


def test_what_was_not_known_is_asked_again(profile):
    loaded, memory = profile("- file: /a\n  expect: {uid: 0}"), VerdictMemory()
    unread = Fact("timed_out").of_answer(1)
    assert status(loaded, Facts({"file:/a": unread}), memory) == "skipped"
    assert status(loaded, uid_of_a(1, 7), memory) == "failed"


@pytest.mark.parametrize(
    "test", ["- pod: {}\n  expect: {host_network: false}", "- drift: {paths: [/a]}\n  expect: {count: 0}"]
)
def test_a_control_that_reads_the_pod_is_never_remembered(profile, test):
    loaded = profile(test)
    both = profile(test + "\n- file: /a\n  expect: {uid: 0}")
    for one in (loaded, both):
        assert VerdictMemory().recall(one.controls[0], uid_of_a(1, 0)) == ((), None)


def test_a_verdict_has_the_time_of_its_own_scan(profile):
    from datetime import datetime, timezone

    loaded, memory = profile("- file: /a\n  expect: {uid: 0}"), VerdictMemory()
    days = [datetime(2026, 1, day, tzinfo=timezone.utc) for day in (1, 2)]
    seen = [
        evaluate(loaded, uid_of_a(1, 0), CONTEXT, lambda day=day: day, memory)
        .controls[0]
        .results[0]
        .start_time
        for day in days
    ]
    assert seen == [day.isoformat() for day in days]
