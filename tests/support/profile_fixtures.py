# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: profiles made from a few lines, judged over facts made from plain values."""

from __future__ import annotations

import textwrap

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

HEAD = """\
name: sample
title: Sample
version: 1.0.0
"""
CONTROL = """\
controls:
  - id: c-1
    title: Something holds
    impact: medium
"""


def _as_facts(values):
    return Facts(
        {key: value if isinstance(value, Fact) else Fact("ok", value) for key, value in values.items()}
    )


@pytest.fixture(scope="session")
def as_facts():
    """Facts from {key: value or Fact}."""
    return _as_facts


@pytest.fixture
def load(tmp_path):
    """Load a profile from its text, with inputs."""

    def run(text, **inputs):
        file = tmp_path / "profile.yml"
        file.write_text(text, encoding="utf-8")
        return load_profile(str(file), [], inputs)

    return run


@pytest.fixture
def load_tests(load):
    """Load a profile of one control from the text of its tests, and of its inputs."""

    def run(tests, inputs="", more="", **given):
        text = (
            HEAD
            + (("inputs:\n" + textwrap.indent(textwrap.dedent(inputs), "  ") + "\n") if inputs else "")
            + CONTROL
        )
        text += textwrap.indent(textwrap.dedent(more), "    ") + "\n"
        text += "    tests:\n" + textwrap.indent(textwrap.dedent(tests), "      ") + "\n"
        return load(text, **given)

    return run


@pytest.fixture
def judge(load_tests):
    """The control of such a profile, judged over facts. Every fact that is looked up must have been asked for."""

    def run(tests, facts=None, pod=None, container="app", target=None, **options):
        profile = load_tests(tests, **options)
        given = _as_facts(facts or {})
        wanted = {query.key for query in required_queries([profile])}
        assert set(given) <= wanted, f"the facts {set(given)} are given, but the profile asks for {wanted}"
        result = evaluate(profile, given, EvaluationContext(target or {}, pod or {}, container))
        return result.controls[0]

    return run


@pytest.fixture
def verdict(judge):
    """Status and text of a control with one expectation: (passed|failed|skipped|error, message)."""

    def run(tests, facts=None, **options):
        (segment,) = judge(tests, facts, **options).results
        return segment.status, segment.message or segment.skip_message

    return run
