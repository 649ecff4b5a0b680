# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts that profiles need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..collector.facts import Query
from ..profiles.compiled_profile import CompiledProfile
from ..vocabulary.registry import RESOURCES
from ..vocabulary.supports import supports_queries


def required_queries(profiles: Iterable[CompiledProfile]) -> tuple[Query, ...]:
    """Every query that the profiles need, each once, in the order of first use."""
    queries: dict[str, Query] = {}
    for profile in profiles:
        for query in _profile_queries(profile):
            queries.setdefault(query.key, query)
    return tuple(queries.values())


def asks_for_content(profile: CompiledProfile) -> bool:
    """Whether its controls ask for anything of the container, and not for settings of its pod alone."""
    return any(True for control in profile.controls for _query in control_queries(control))


def _profile_queries(profile: CompiledProfile) -> Iterator[Query]:
    yield from supports_queries(profile.supports)
    for control in profile.controls:
        for supports in control["supports"]:
            yield from supports_queries(supports)
        yield from control_queries(control)


def control_queries(control: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of a control's tests and of its condition, in the order of use; one can come twice."""
    for needs in _needs(control):
        yield from needs


def deciding_queries(control: Mapping[str, Any]) -> tuple[Query, ...]:
    """The queries whose facts alone decide on the control; none where a test reads the target's pod."""
    if not all(_needs(control)) or any(RESOURCES[test["resource"]].reads_pod for test in _tests(control)):
        return ()
    supported = [query for supports in control["supports"] for query in supports_queries(supports)]
    return (*supported, *control_queries(control))


def _tests(control: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    only_if = control["only_if"]
    conditional = [*only_if["tests"], *only_if["any_of"]] if only_if else []
    return [*conditional, *control["tests"]]


def _needs(control: Mapping[str, Any]) -> Iterator[tuple[Query, ...]]:
    """The queries of each expectation; none where it reads the pod."""
    for test in _tests(control):
        for expectation in test["expect"]:
            yield RESOURCES[test["resource"]].attributes[expectation["attribute"]].needs(test["params"])
