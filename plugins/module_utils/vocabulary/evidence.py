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

from ..collector.facts import ABSENT, OK, Fact, Facts, Query
from ..collector.families import KINDS
from ..secret_texts import secret_in_value, without_secret
from .value_text import bound_text


class NotKnownError(Exception):
    """A value that a test needs is not known, so the test neither passes nor fails.

    :param what: the fact's key, or the part of the API object
    :param cause: why it is not known; it can come from the container, so it is cut and escaped here, and not
        shown where something in it looks like a secret
    """

    def __init__(self, what: str, cause: str) -> None:
        self.what = what
        self.cause = cause = without_secret(cause)
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
    """The judged target: `Target.identity()`, its pod (v1 Pod), the name of its container, and whether the pod is a kept
    one, which has marks in the place of its texts."""

    target: Mapping[str, Any]
    pod: Mapping[str, Any]
    container_name: str
    is_kept: bool = False


@dataclass
class Evidence:
    """The facts and the context of one target. What is parsed from them is kept for the next test.

    `asked`: gets the parts that tests read, by the fact's key, where they are wanted.
    """

    facts: Facts
    context: EvaluationContext
    asked: dict[str, dict[str, Fact]] | None = None
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

    def rows_of(self, query: Query) -> Any:
        """The value of a fact that is a list, Absent, or Partial where it has a part of the list only.

        :raises NotKnownError: it has none
        """
        fact = self.facts.get_fact(query)
        if fact.status in (OK, ABSENT) or not isinstance(fact.value, list):
            return self.value_of(query)
        return Partial(fact.value, query.key, fact.cause)

    def part_of(self, query: Query, name: str, extract: Callable[[Any], Any], called: str = "") -> Any:
        """A part of the fact's value, or Absent. It is kept with the fact when the rest of the fact is not.

        :param name: of the part, unique within the fact
        :param extract: the fact's value -> the part, or Absent; raises NotKnownError
        :param called: what the part is called in the container, where that tells that it is a secret
        :raises NotKnownError: the part is not known
        """
        kept = self.facts.get_fact(query).parts.get(name)
        if kept is not None:
            return kept.value if kept.ok else Absent(kept.cause)
        value = self.value_of(query)
        part = value if isinstance(value, Absent) else extract(value)
        if self.asked is not None and not isinstance(value, Absent) and _can_be_kept(part, called):
            self.asked.setdefault(query.key, {})[name] = (
                Fact(ABSENT, cause=part.reason) if isinstance(part, Absent) else Fact(OK, part)
            )
        return part

    def parsed(self, key: Any, parse: Callable[[], Any]) -> Any:
        """The result of `parse()`, which is called once for each key.

        If it raises, it is called again next time.
        """
        if key not in self._parsed:
            self._parsed[key] = parse()
        return self._parsed[key]


def kept_whole(query: Query, row: Mapping[str, Any], name: str) -> Any:
    """What stands under `name` in a fact's value, or in a row of it, if that is there.

    :raises NotKnownError: it was not kept
    """
    if name not in row:
        sensitive = KINDS[query.kind].sensitive
        raise NotKnownError(query.key, sensitive.cause if sensitive else "it was not kept")
    return row[name]


def _can_be_kept(part: Any, called: str) -> bool:
    """Whether a part is one value or a list of such, and nothing in it looks like a secret; what holds more than was
    asked for is not kept."""
    values = part if isinstance(part, list) else [part]
    return all(isinstance(one, (str, int, float, Absent)) for one in values) and not secret_in_value(
        part, called
    )
