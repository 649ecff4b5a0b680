# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests judge: facts and API objects.

An absent thing, a partial list and an unknown value are kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..collector.facts import ABSENT, OK, Facts, Query
from .value_text import bound_text


class NotKnownError(Exception):
    """A value that a test needs is not known, so the test neither passes nor fails.

    :param what: the fact's key, or the part of the API object
    :param cause: why it is not known; it can come from the container, so it is cut and escaped here
    """

    def __init__(self, what: str, cause: str) -> None:
        self.what = what
        self.cause = cause
        super().__init__(f"{what} is not known: {bound_text(cause)}")


@dataclass(frozen=True)
class Absent:
    """The thing does not exist, for certain. Conditions on it fail, negated ones hold."""

    reason: str


@dataclass(frozen=True)
class Partial:
    """An incomplete list, or its length. It can show that a rule is broken, never that the rule holds."""

    value: Any
    what: str
    cause: str


@dataclass(frozen=True)
class EvaluationContext:
    """The judged target: `Target.identity()`, its pod (v1 Pod), and the name of its container."""

    target: Mapping[str, Any]
    pod: Mapping[str, Any]
    container_name: str


@dataclass
class Evidence:
    """The facts and the context of one target. What is parsed from them is kept for the next test."""

    facts: Facts
    context: EvaluationContext
    _parsed: dict[Any, Any] = field(default_factory=dict)

    def value_of(self, query: Query) -> Any:
        """The value of the fact, or Absent.

        :raises NotKnownError: the fact has any other status
        """
        fact = self.facts.get_fact(query)
        if fact.status == OK:
            return fact.value
        if fact.status == ABSENT:
            return Absent(fact.cause or "it does not exist")
        raise NotKnownError(query.key, fact.cause or fact.status)

    def parsed(self, key: Any, parse: Callable[[], Any]) -> Any:
        """The result of `parse()`, which is called once for each key.

        If it raises, it is called again next time.
        """
        if key not in self._parsed:
            self._parsed[key] = parse()
        return self._parsed[key]
