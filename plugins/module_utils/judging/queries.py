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
    return any(True for control in profile.controls for _query in _control_queries(control))


def _profile_queries(profile: CompiledProfile) -> Iterator[Query]:
    yield from supports_queries(profile.supports)
    for control in profile.controls:
        for supports in control["supports"]:
            yield from supports_queries(supports)
        yield from _control_queries(control)


def _control_queries(control: Mapping[str, Any]) -> Iterator[Query]:
    only_if = control["only_if"]
    conditional = [*only_if["tests"], *only_if["any_of"]] if only_if else []
    for test in (*conditional, *control["tests"]):
        yield from _test_queries(test)


def _test_queries(test: Mapping[str, Any]) -> Iterator[Query]:
    resource = RESOURCES[test["resource"]]
    for expectation in test["expect"]:
        yield from resource.attributes[expectation["attribute"]].needs(test["params"])
