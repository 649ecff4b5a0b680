# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much work a regular expression can be, at worst, on a line of a given length.

Python's `re` tries one way to match after another. The number of ways is bounded here from the parsed pattern:
a repeat multiplies what follows it by the number of its lengths, unless what follows cannot begin where the
repeat could have gone on (`\\s*no`: behind each blank but the last stands a blank, which is no `n`). The bound
is never too low; it is often too high.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

try:
    from re import _parser as _sre  # type: ignore[attr-defined]
except ImportError:  # Python 3.10 and older
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import sre_parse as _sre

# A set of characters is a bit mask: one bit for each of ASCII, three for the kinds of all others, and one for
# the end of the line, where no character is.
_ASCII = (1 << 128) - 1
_WORD, _SPACE, _OTHER, _END = (1 << number for number in range(128, 132))
_BEYOND = _WORD | _SPACE | _OTHER
_CHARACTERS = _ASCII | _BEYOND
_ANYTHING = _CHARACTERS | _END
_CLASSES = {
    "CATEGORY_DIGIT": (r"\d", _WORD),
    "CATEGORY_WORD": (r"\w", _WORD),
    "CATEGORY_SPACE": (r"\s", _SPACE),
}
_INFINITE = float("inf")
# A round of a repeated group, or one of several choices, takes so many times a step's time: `re` notes each.
_ROUND = 6.0
MAXREPEAT = _sre.MAXREPEAT


class _Cost(NamedTuple):
    """`work`: steps until all ways are tried. `ways`: in how many the rest is tried in earnest. `misses`: steps
    until it is seen that the next character is none of `first`, with which it can begin."""

    work: float
    ways: float
    misses: float
    first: int


_MATCHED = _Cost(0.0, 1.0, 1.0, _ANYTHING)


@functools.lru_cache(maxsize=4096)
def search_steps(pattern: str, length: int) -> float:
    """The most steps that a search for `pattern` takes in a line of `length` characters; infinity where that is
    not known. A step takes one to two nanoseconds.

    :raises re.error: `pattern` cannot be read
    """
    parsed = parse_pattern(pattern)
    weigher = _Weigher(length, parsed.state.flags | _scoped_flags(parsed))
    try:
        cost = weigher.sequence(list(parsed), _MATCHED)
    except (_UnknownPartError, RecursionError):
        return _INFINITE
    starts = 1 if _is_anchored(list(parsed)) else length + 1
    return starts * (cost.work + cost.misses) + length


class _UnknownPartError(Exception):
    """A part of a pattern whose work is not known."""


class _Weigher:
    """Bounds for one length of line and the flags of one pattern."""

    def __init__(self, length: int, flags: int) -> None:
        self._length = length
        self._ignores_case = bool(flags & re.IGNORECASE)
        # Only then do \\w and \\W say other things of characters beyond ASCII than the table above.
        self._is_ascii = bool(flags & (re.ASCII | re.LOCALE))

    def sequence(self, items: Sequence[Any], rest: _Cost) -> _Cost:
        """`items` and then `rest`: its `first` and `misses` count, its work does not."""
        behind = _Cost(0.0, 1.0, rest.misses, rest.first)
        for name, argument in reversed(items):
            cost = self._item(str(name), argument, behind)
            behind = _Cost(
                cost.work + cost.ways * behind.work, cost.ways * behind.ways, cost.misses, cost.first
            )
        return behind

    def _item(self, name: str, argument: Any, rest: _Cost) -> _Cost:
        characters = self._characters(name, argument)
        if characters is not None:
            return _Cost(1.0, 1.0, 1.0, characters)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(argument[0], argument[1], argument[2], rest)
        if name == "SUBPATTERN":
            return self.sequence(list(argument[-1]), rest)
        if name == "ATOMIC_GROUP":
            return self.sequence(list(argument), rest)
        if name == "BRANCH":
            return self._branch([list(branch) for branch in argument[1]], rest)
        if name == "AT":
            ends = str(argument) in ("AT_END", "AT_END_STRING", "AT_END_LINE")
            return _Cost(1.0, 1.0, 1.0 if ends else 1.0 + rest.misses, _END if ends else rest.first)
        if name in ("ASSERT", "ASSERT_NOT"):
            return self._assertion(name, argument[0], list(argument[1]), rest)
        raise _UnknownPartError(name)

    def _assertion(self, name: str, direction: int, inner: list[Any], rest: _Cost) -> _Cost:
        cost = self.sequence(inner, _MATCHED)
        misses = cost.misses + rest.misses
        if direction < 0:  # behind stands a fixed number of characters; they say nothing of the next one
            return _Cost(cost.work + 1.0, 1.0, misses, _ANYTHING)
        first = cost.first if name == "ASSERT" else cost.first | rest.first
        return _Cost(cost.work + 1.0, 1.0, misses, first)

    def _branch(self, branches: list[list[Any]], rest: _Cost) -> _Cost:
        costs = [self.sequence(branch, rest) for branch in branches]
        work, misses, first, are_apart = 0.0, 1.0, 0, True
        for cost in costs:
            are_apart = are_apart and not first & cost.first
            first |= cost.first
            work += cost.work + _ROUND
            misses += cost.misses
        # Where no two can begin with the same character, one at most is tried in earnest.
        ways = max(cost.ways for cost in costs) if are_apart else sum(cost.ways for cost in costs)
        return _Cost(work, ways, misses, first)

    def _repeat(self, least: int, most: int, body: Any, rest: _Cost) -> _Cost:
        items = list(body)
        characters = self._characters(*_named(items[0])) if len(items) == 1 else None
        if characters is not None:
            longest = min(most, self._length)
            lengths = max(1, longest - least + 1)
            ways = 1.0 if least == most or not characters & rest.first else float(lengths)
            first = characters if least else characters | rest.first
            misses = 1.0 if least else 1.0 + rest.misses
            return _Cost(longest + lengths * (1.0 + rest.misses), ways, misses, first)
        return self._repeat_of_group(least, most, body, rest)

    def _repeat_of_group(self, least: int, most: int, body: Any, rest: _Cost) -> _Cost:
        items, narrowest = list(body), body.getwidth()[0]
        begin = self.sequence(items, _Cost(0.0, 1.0, rest.misses, 0)).first
        again = self.sequence(items, _Cost(0.0, 1.0, rest.misses + 1.0, begin | rest.first))
        rounds = min(most, self._length // narrowest if narrowest else self._length + least)
        parts = (again.work + again.misses + rest.misses + _ROUND) * (rounds + 1)
        if again.ways <= 1.0:
            ways = 1.0 if narrowest and not begin & rest.first else float(rounds + 1)
            work = parts
        else:
            ways = _power(again.ways, rounds) * (rounds + 1)
            work = ways * parts
        if least == most and again.ways <= 1.0:
            ways = 1.0
        first = again.first if least else again.first | rest.first
        misses = again.misses if least else again.misses + rest.misses
        return _Cost(work, ways, misses, first)

    def _characters(self, name: str, argument: Any) -> int | None:
        """The characters that a part of one character's width stands for; None for any other part."""
        if name == "LITERAL":
            return self._one(argument)
        if name == "NOT_LITERAL":
            return self._all_but(1 << argument if argument < 128 else 0)
        if name == "ANY":
            return _CHARACTERS
        if name != "IN":
            return None
        found, is_negated, is_sure = 0, False, True
        for kind, value in argument:
            if str(kind) == "NEGATE":
                is_negated = True
                continue
            mask, is_whole = self._member(str(kind), value)
            found |= mask
            is_sure = is_sure and is_whole
        if not is_negated:
            return found
        # Of a kind beyond ASCII that is only met in part, the rest is still allowed.
        return self._all_but(found if is_sure else found & _ASCII)

    def _member(self, kind: str, value: Any) -> tuple[int, bool]:
        """A part of a class in brackets, and whether it holds all of the kinds beyond ASCII that it has."""
        if kind == "LITERAL":
            return self._one(value), value < 128 and not self._ignores_case
        if kind == "RANGE":
            low, high = value
            mask = ((1 << min(high, 127) + 1) - 1) & ~((1 << low) - 1) if low < 128 else 0
            mask = self._in_both_cases(mask)
            if high >= 128:
                return _CHARACTERS if self._ignores_case else mask | _BEYOND, False
            return mask, not self._ignores_case
        if kind == "CATEGORY":
            # A digit beyond ASCII is of the kind of words, and not all of that kind are digits.
            return self._category(str(value)), "DIGIT" not in str(value) and not self._is_ascii
        raise _UnknownPartError(kind)

    def _category(self, name: str) -> int:
        positive = name.replace("CATEGORY_NOT_", "CATEGORY_")
        if positive not in _CLASSES:
            raise _UnknownPartError(name)
        expression, beyond = _CLASSES[positive]
        mask = _ascii_mask(expression)
        if positive == name:
            return mask | (_BEYOND if self._is_ascii else beyond)
        without = 0 if self._is_ascii or positive == "CATEGORY_DIGIT" else beyond
        return _CHARACTERS & ~(mask | without)

    def _one(self, code: int) -> int:
        if code < 128:
            return self._in_both_cases(1 << code)
        return _CHARACTERS if self._ignores_case else _kind_beyond(chr(code))

    def _in_both_cases(self, mask: int) -> int:
        if not self._ignores_case:
            return mask
        letters = [chr(code) for code in range(128) if mask >> code & 1 and chr(code).isalpha()]
        for letter in letters:
            mask |= 1 << ord(letter.lower()) | 1 << ord(letter.upper()) | _WORD  # as the Kelvin sign is a K
        return mask

    def _all_but(self, mask: int) -> int:
        # Which case a negated letter leaves out does not matter: more is allowed than can be.
        return _CHARACTERS & ~mask if not self._ignores_case else _CHARACTERS


def _named(item: Any) -> tuple[str, Any]:
    return str(item[0]), item[1]


def _kind_beyond(character: str) -> int:
    if character.isalnum():
        return _WORD
    return _SPACE if character.isspace() else _OTHER


@functools.lru_cache(maxsize=8)
def _ascii_mask(expression: str) -> int:
    compiled = re.compile(expression)
    return sum(1 << code for code in range(128) if compiled.match(chr(code)))


def _power(base: float, exponent: int) -> float:
    try:
        return base**exponent
    except OverflowError:
        return _INFINITE


def _is_anchored(items: Sequence[Any]) -> bool:
    """Whether a match can begin at the start of the line only."""
    if not items:
        return False
    name, argument = _named(items[0])
    if name == "AT":
        return str(argument) in ("AT_BEGINNING", "AT_BEGINNING_LINE", "AT_BEGINNING_STRING")
    if name == "SUBPATTERN":
        return _is_anchored(list(argument[-1]))
    if name == "BRANCH":
        return all(_is_anchored(list(branch)) for branch in argument[1])
    return False


def _scoped_flags(parsed: Any) -> int:
    """The flags that groups such as (?i:...) add anywhere in the pattern."""
    flags = 0
    for name, argument in parsed:
        if str(name) == "SUBPATTERN" and isinstance(argument[1], int):
            flags |= argument[1]
        for inner in inner_patterns(argument):
            flags |= _scoped_flags(inner)
    return flags


def parse_pattern(pattern: str) -> Any:
    """The parts of a pattern, as Python's own parser gives them.

    :raises re.error, OverflowError, RecursionError: it cannot be read
    """
    return _sre.parse(pattern, re.MULTILINE)


def inner_patterns(argument: Any) -> Iterator[Any]:
    """The patterns within a parsed part's argument."""
    if isinstance(argument, _sre.SubPattern):
        yield argument
    elif isinstance(argument, (list, tuple)):
        for item in argument:
            yield from inner_patterns(item)
