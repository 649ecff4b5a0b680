# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matchers: what a profile can expect of an attribute's value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable

from .evidence import NotKnownError
from .pattern_search import NotSearchedError, find_line
from .value_types import ANY, BOOLEAN, MODE, PATTERN, ValueType, identity_key, list_of


class IncomparableError(Exception):
    """The matcher cannot compare a value of this type. The expectation fails, negated or not."""


def _always(_kind: ValueType, _found: Any, _operand: Any) -> bool:
    return True


def _never(_kind: ValueType, _found: Any, _operand: Any) -> bool:
    return False


def _nothing(_kind: ValueType, _found: Any, _operand: Any) -> list[Any]:
    return []


@dataclass(frozen=True)
class Matcher:
    """One matcher.

    :ivar words: what follows "is expected to", with %s for the operand; without %s if the operand is true or
        false
    :ivar sign: what stands between attribute and operand in short ("uid = 0"), with or without %s likewise
    :ivar applies: type of an attribute -> whether it has this matcher
    :ivar operand: type of an attribute -> type of the operand; None: conditions on the entries of the list
    :ivar holds: (type, found value, operand) -> whether the expectation is met; raises IncomparableError,
        NotKnownError
    :ivar culprits: (type, found value, operand) -> the entries of a list that break the expectation
    :ivar sure_on_part: (type, part of a list, operand) -> if the part breaks the expectation: whether the
        whole list must break it too. For `none_outside: [a]` the part [b] is sure: nothing more can mend it.
        For `include: [a]` the part [b] is not: the rest can contain a.
    """

    name: str
    meaning: str
    words: str
    sign: str
    applies: Callable[[ValueType], bool]
    operand: Callable[[ValueType], Any]
    holds: Callable[[ValueType, Any, Any], bool]
    culprits: Callable[[ValueType, Any, Any], list[Any]] = _nothing
    sure_on_part: Callable[[ValueType, Any, Any], bool] = _never


def _to_every_type(_kind: ValueType) -> bool:
    return True


def _to_single_values(kind: ValueType) -> bool:
    return kind.element is None


def _to_lists(kind: ValueType) -> bool:
    return kind.element is not None or kind.flexible


def _to_lists_and_texts(kind: ValueType) -> bool:
    return _to_lists(kind) or kind.textual


def _to_ordered(kind: ValueType) -> bool:
    return kind.order_key is not None


def _to_texts(kind: ValueType) -> bool:
    return kind.textual


def _to_modes(kind: ValueType) -> bool:
    return kind is MODE


def _own_type(kind: ValueType) -> ValueType:
    return kind


def _list_of_own_type(kind: ValueType) -> ValueType:
    return list_of(kind)


def element_type(kind: ValueType) -> ValueType:
    """The type of the entries of a value of type `kind`. The entries of a text are texts."""
    return kind.element or (ANY if kind.flexible else kind)


def _list_of_elements(kind: ValueType) -> ValueType:
    return list_of(element_type(kind))


def _entries(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise IncomparableError("a value that is no list")
    return found


def _key(kind: ValueType, value: Any) -> Any:
    if kind.equal_key is identity_key:  # most types; a table may have thousands of rows
        return value
    try:
        return kind.equal_key(value)
    except ValueError as error:
        raise IncomparableError(str(error)) from error


def _keys(kind: ValueType, values: Any) -> list[Any]:
    element = element_type(kind)
    return (
        _entries(values)
        if element.equal_key is identity_key
        else [_key(element, value) for value in _entries(values)]
    )


def _equals(kind: ValueType, found: Any, operand: Any) -> bool:
    if kind.element is not None or isinstance(operand, list):
        return Counter(_keys(kind, found)) == Counter(_keys(kind, operand))
    return bool(_key(kind, found) == _key(kind, operand))


def _more_than_expected(_kind: ValueType, found: Any, operand: Any) -> bool:
    # Of partial values only a count has an order, and the count of the whole list is larger still.
    return isinstance(found, int) and found > operand


def _one_of(kind: ValueType, found: Any, operand: Any) -> bool:
    return _key(kind, found) in (
        operand if kind.equal_key is identity_key else [_key(kind, allowed) for allowed in operand]
    )


def _matches(_kind: ValueType, found: Any, operand: Any) -> bool:
    if isinstance(found, (bool, list, dict)):
        raise IncomparableError("a value that is no text")
    try:
        return find_line(operand, str(found)) is not None
    except NotSearchedError as error:
        raise NotKnownError("whether the pattern matches", str(error)) from error


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[ValueType, Any, Any], bool]:
    def holds(kind: ValueType, found: Any, operand: Any) -> bool:
        order_key = kind.order_key
        if order_key is None or isinstance(found, (list, dict)):
            raise IncomparableError("a value without an order")
        try:
            return compare(order_key(found), order_key(operand))
        except ValueError as error:
            raise IncomparableError("a value without an order") from error

    return holds


_at_least = _order(lambda found, limit: bool(found >= limit))
_at_most = _order(lambda found, limit: bool(found <= limit))


def _between(kind: ValueType, found: Any, operand: Any) -> bool:
    return _at_least(kind, found, operand[0]) and _at_most(kind, found, operand[1])


def _no_wider_than(_kind: ValueType, found: Any, operand: Any) -> bool:
    return not found & ~operand


def _include(kind: ValueType, found: Any, operand: Any) -> bool:
    if isinstance(found, str):
        return all(part in found for part in operand)
    present = _keys(kind, found)
    return all(key in present for key in _keys(kind, operand))


def _forbidden(kind: ValueType, found: Any, operand: Any) -> list[Any]:
    if isinstance(found, str):
        return [part for part in operand if part in found]
    element, forbidden = element_type(kind), _keys(kind, operand)
    return [value for value in _entries(found) if _key(element, value) in forbidden]


def _outside(kind: ValueType, found: Any, operand: Any) -> list[Any]:
    element, allowed = element_type(kind), _keys(kind, operand)
    return [value for value in _entries(found) if _key(element, value) not in allowed]


def _duplicates(kind: ValueType, found: Any, _operand: Any) -> list[Any]:
    element = element_type(kind)
    counts = Counter(_keys(kind, found))
    first = {_key(element, value): value for value in reversed(found)}
    return [value for key, value in first.items() if counts[key] > 1]


def _breaking(kind: ValueType, found: Any, operand: Any) -> list[Any]:
    element = element_type(kind)
    return [value for value in _entries(found) if not meets(operand, element, value)]


def _meeting(kind: ValueType, found: Any, operand: Any) -> list[Any]:
    element = element_type(kind)
    return [value for value in _entries(found) if meets(operand, element, value)]


def _empty(_kind: ValueType, found: Any, operand: Any) -> bool:
    if not isinstance(found, (str, list)):
        raise IncomparableError("a value that is no list and no text")
    return (len(found) == 0) is operand


def _all_unless_empty_wanted(_kind: ValueType, found: Any, operand: Any) -> list[Any]:
    return found if operand and isinstance(found, list) else []


def _asks_for_empty(_kind: ValueType, _found: Any, operand: Any) -> bool:
    return bool(operand)


def _nested(_kind: ValueType) -> None:
    return None


_ALL = (
    Matcher(
        "equals",
        "the same value; for lists the same entries in any order",
        "equal %s",
        "= %s",
        _to_every_type,
        _own_type,
        _equals,
        sure_on_part=_more_than_expected,
    ),
    Matcher(
        "one_of",
        "one of the listed values",
        "be one of %s",
        "one of %s",
        _to_single_values,
        _list_of_own_type,
        _one_of,
    ),
    Matcher(
        "matches",
        "a line of the text in which the regular expression is found",
        "match %s",
        "matches %s",
        _to_texts,
        lambda _kind: PATTERN,
        _matches,
    ),
    Matcher("at_least", "the value or more", "be at least %s", ">= %s", _to_ordered, _own_type, _at_least),
    Matcher(
        "at_most",
        "the value or less",
        "be at most %s",
        "<= %s",
        _to_ordered,
        _own_type,
        _at_most,
        sure_on_part=_always,
    ),
    Matcher(
        "more_than",
        "more than the value",
        "be more than %s",
        "> %s",
        _to_ordered,
        _own_type,
        _order(lambda found, limit: bool(found > limit)),
    ),
    Matcher(
        "less_than",
        "less than the value",
        "be less than %s",
        "< %s",
        _to_ordered,
        _own_type,
        _order(lambda found, limit: bool(found < limit)),
        sure_on_part=_always,
    ),
    Matcher(
        "between",
        "from the first to the second value, both included",
        "be between %s",
        "between %s",
        _to_ordered,
        _list_of_own_type,
        _between,
    ),
    Matcher(
        "no_wider_than",
        "no permission bit that is not in the given mode",
        "be no wider than %s",
        "no wider than %s",
        _to_modes,
        _own_type,
        _no_wider_than,
    ),
    Matcher(
        "include",
        "every listed value is an entry of the list, or a part of the text",
        "include %s",
        "includes %s",
        _to_lists_and_texts,
        _list_of_elements,
        _include,
    ),
    Matcher(
        "include_none",
        "no listed value is an entry of the list, or a part of the text",
        "include none of %s",
        "includes none of %s",
        _to_lists_and_texts,
        _list_of_elements,
        lambda kind, found, operand: not _forbidden(kind, found, operand),
        _forbidden,
        _always,
    ),
    Matcher(
        "include_any",
        "at least one listed value is an entry of the list, or a part of the text",
        "include any of %s",
        "includes any of %s",
        _to_lists_and_texts,
        _list_of_elements,
        lambda kind, found, operand: bool(_forbidden(kind, found, operand)),
    ),
    Matcher(
        "none_outside",
        "no entry but the listed ones",
        "have none outside %s",
        "has none outside %s",
        _to_lists,
        _list_of_elements,
        lambda kind, found, operand: not _outside(kind, found, operand),
        _outside,
        _always,
    ),
    Matcher(
        "each",
        "every entry meets the expectation (an empty list does)",
        "have each %s",
        "has each %s",
        _to_lists,
        _nested,
        lambda kind, found, operand: not _breaking(kind, found, operand),
        _breaking,
        _always,
    ),
    Matcher(
        "none",
        "no entry meets the expectation (an empty list does)",
        "have none %s",
        "has none %s",
        _to_lists,
        _nested,
        lambda kind, found, operand: not _meeting(kind, found, operand),
        _meeting,
        _always,
    ),
    Matcher(
        "any",
        "at least one entry meets the expectation",
        "have any %s",
        "has any %s",
        _to_lists,
        _nested,
        lambda kind, found, operand: bool(_meeting(kind, found, operand)),
    ),
    Matcher(
        "unique",
        "true: no entry stands in the list twice",
        "have unique entries",
        "has unique entries",
        _to_lists,
        lambda _kind: BOOLEAN,
        lambda kind, found, operand: (not _duplicates(kind, found, operand)) is operand,
        _duplicates,
        _asks_for_empty,
    ),
    Matcher(
        "empty",
        "true: the list has no entries, or the text is empty",
        "be empty",
        "is empty",
        _to_lists_and_texts,
        lambda _kind: BOOLEAN,
        _empty,
        _all_unless_empty_wanted,
        _asks_for_empty,
    ),
)

MATCHERS: dict[str, Matcher] = {matcher.name: matcher for matcher in _ALL}

NESTED: tuple[str, ...] = tuple(matcher.name for matcher in _ALL if matcher.operand is _nested)


def meets(conditions: list[dict[str, Any]], kind: ValueType, value: Any) -> bool:
    """Whether `value`, of type `kind`, meets every compiled condition. None (absent) meets only negated ones.

    :raises NotKnownError: a matcher cannot decide
    """
    for condition in conditions:  # noqa: SIM110 - all() takes twice the time, and tables have many rows
        if not meets_one(condition, kind, value):
            return False
    return True


def meets_one(condition: dict[str, Any], kind: ValueType, value: Any) -> bool:
    """The same for one condition: {matcher, operand, negated}."""
    negated: bool = condition["negated"]
    if value is None:
        return negated
    try:
        return MATCHERS[condition["matcher"]].holds(kind, value, condition["operand"]) is not negated
    except IncomparableError:
        return False
