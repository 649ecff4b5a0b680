# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be judged: facts and API objects, with absence, partial lists and missing knowledge kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..collector.facts import ABSENT, OK, Facts, Query
from .value_text import bound_text


class NotKnownError(Exception):
    """What a test needs is not known, so the test can be neither passed nor failed.

    :param what: the fact's key, or the part of the API object
    :param cause: why it is not known; may come from the container, so it is bounded and escaped here
    """

    def __init__(self, what: str, cause: str) -> None:
        self.what = what
        self.cause = cause
        super().__init__(f"{what} is not known: {bound_text(cause)}")


@dataclass(frozen=True)
class Absent:
    """Seen not to be there. This is evidence: it fails what was expected of the thing and meets what was forbidden."""

    reason: str


@dataclass(frozen=True)
class Partial:
    """A list, or a count of it, that was cut short: it can show that a rule is broken, never that it holds."""

    value: Any
    what: str
    cause: str


@dataclass(frozen=True)
class EvaluationContext:
    """Who is judged: `Target.identity()`, the pod as the API showed it (v1 Pod), and the container's name."""

    target: Mapping[str, Any]
    pod: Mapping[str, Any]
    container_name: str


@dataclass
class Evidence:
    """The facts and the context of one target, with what was parsed from them kept for the next test."""

    facts: Facts
    context: EvaluationContext
    _parsed: dict[Any, Any] = field(default_factory=dict)

    def value_of(self, query: Query) -> Any:
        """The fact's value, or Absent. Raises NotKnownError for every other status."""
        fact = self.facts.get_fact(query)
        if fact.status == OK:
            return fact.value
        if fact.status == ABSENT:
            return Absent(fact.cause or "it does not exist")
        raise NotKnownError(query.key, fact.cause or fact.status)

    def parsed(self, key: Any, parse: Callable[[], Any]) -> Any:
        """`parse()` for the first call with this key, its result for the next ones; failures are not kept."""
        if key not in self._parsed:
            self._parsed[key] = parse()
        return self._parsed[key]
