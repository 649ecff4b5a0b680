# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of values in the profile language: how each is read, compared and ordered; versions are one of
them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..collector.query_rules import is_name_pattern
from ..targets.quantities import parse_quantity
from .patterns import check_pattern
from .value_text import show, show_list, show_mode

# apk marks what comes before a release with _alpha, _beta, _pre and _rc; Debian and rpm do with a tilde.
_APK_BEFORE_RELEASE = re.compile(r"_(?=alpha|beta|pre|rc)")
_PARTS = re.compile(r"(\D*)(\d*)")

# A number as (number of digits, digits): versions come from containers, and must not cost time if they are
# long.
_Number = tuple[int, str]
_Pair = tuple[tuple[int, ...], _Number]
_END: _Pair = ((0,), (0, ""))

# Hashable: lists of versions are compared by counting their keys.
VersionKey = tuple[_Number, tuple[_Pair, ...], tuple[_Pair, ...]]


def version_key(version: str) -> VersionKey:
    """A key that sorts versions by deb-version(7): epoch, upstream version, revision; digits as numbers, "~"
    before the end, letters before other characters. rpm's "^" sorts right after the end.
    """
    text = _APK_BEFORE_RELEASE.sub("~", version.strip())
    epoch, colon, rest = text.partition(":")
    if not (colon and epoch.isdigit()):
        epoch, rest = "0", text
    upstream, _dash, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return _number(epoch), _part_key(upstream), _part_key(revision)


def _number(digits: str) -> _Number:
    significant = digits.lstrip("0")
    return len(significant), significant


def _part_key(text: str) -> tuple[_Pair, ...]:
    # The end of a run of non-digits counts as 0, so that "~" (-1) comes before it and all others after it;
    # missing digits count as the number 0. Exactly one empty pair ends each key: "1" is above "1~", and ""
    # equals "0".
    pairs = [((*map(_weight, word), 0), _number(number)) for word, number in _PARTS.findall(text)]
    while pairs and pairs[-1] == _END:
        pairs.pop()
    return (*pairs, _END)


def _weight(char: str) -> int:
    if char == "~":
        return -1
    if char == "^":
        return 1
    return ord(char) if char.isalpha() else ord(char) + 0x110000


def identity_key(value: Any) -> Any:
    """The key of values that are compared as they are."""
    return value


@dataclass(frozen=True, eq=False)
class ValueType:
    """One type.

    :ivar name: its name in messages
    :ivar accept: the value of a profile -> the value that is compared (still JSON); raises ValueError
    :ivar schema: the JSON schema of the values in a profile
    :ivar equal_key: value -> what `==` compares; `order_key` likewise for `<`, None: the type has no order
    :ivar textual: whether patterns apply
    :ivar element: the type of a list's entries
    :ivar flexible: the type is only known when the value is seen, so every matcher applies
    """

    name: str
    accept: Callable[[Any], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)
    show: Callable[[Any], str] = show
    equal_key: Callable[[Any], Any] = identity_key
    order_key: Callable[[Any], Any] | None = None
    textual: bool = False
    element: ValueType | None = None
    flexible: bool = False


def kind_of(value: Any) -> str:
    """What messages call a value of a profile: text 'x', number 5, a list, a mapping, nothing."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"boolean {show(value)}"
    if isinstance(value, str):
        return f"text '{show(value)}'" if value else "an empty text"
    if isinstance(value, (int, float)):
        return f"number {show(value)}"
    return "a list" if isinstance(value, list) else "a mapping"


def _expect(condition: bool, value: Any) -> Any:
    if not condition:
        raise ValueError(f"found {kind_of(value)}")
    return value


def _accept_text(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        raise ValueError(f"found {kind_of(value)}; put it in quotes")
    return _expect(isinstance(value, str) and value != "", value)


def _accept_integer(value: Any) -> Any:
    return _expect(isinstance(value, int) and not isinstance(value, bool), value)


def _accept_number(value: Any) -> Any:
    return _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value)


def _accept_boolean(value: Any) -> Any:
    return _expect(isinstance(value, bool), value)


def _accept_mode(value: Any) -> Any:
    # A number is refused: 416 can mean 416 or 0416, or be what another YAML reader made of 0640.
    return int(_expect(isinstance(value, str) and re.match(r"[0-7]{3,4}\Z", value) is not None, value), 8)


def _accept_scalar(value: Any) -> Any:
    _expect(isinstance(value, (str, int, float)), value)
    if isinstance(value, bool):
        raise ValueError(f"found {kind_of(value)}; put it in quotes")
    return str(value)


def _accept_quantity(value: Any) -> Any:
    try:
        parse_quantity(value)
    except ValueError as error:
        raise ValueError(f"found {kind_of(value)}") from error
    return value


def _accept_path(value: Any) -> Any:
    _accept_text(value)
    return _expect(value.startswith("/"), value)


def _accept_file_name(value: Any) -> Any:
    return _expect(is_name_pattern(value), value)


def _accept_pattern(value: Any) -> Any:
    _accept_text(value)
    try:
        check_pattern(value)
    except ValueError as error:
        raise ValueError(f"found {kind_of(value)}: {error}") from error
    return value


def _accept_port(value: Any) -> Any:
    return _expect(_accept_integer(value) in range(1, 65536), value)


def _accept_any(value: Any) -> Any:
    return _expect(value is not None and not isinstance(value, dict), value)


def _any_key(value: Any) -> Any:
    # True == 1 in Python, but not in the files that values come from.
    if isinstance(value, bool):
        return (bool, value)
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


_NUMERIC = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?\Z")


def _number_key(value: Any) -> float:
    # Python's float() also reads nan (which equals nothing), inf and 1_000.
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMERIC.match(value)):
        raise ValueError("it is no number")
    return float(value)


def _pattern_shown(value: Any) -> str:
    return f"/{show(value)}/"


_ONE_LINE = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number"}

TEXT = ValueType("a text", _accept_text, _ONE_LINE, textual=True)
INTEGER = ValueType("a whole number", _accept_integer, {"type": "integer"}, order_key=identity_key)
NUMBER = ValueType("a number", _accept_number, _NUMBER, order_key=identity_key)
BOOLEAN = ValueType("true or false", _accept_boolean, {"type": "boolean"})
MODE = ValueType(
    'permission bits as octal digits in quotes, such as "0640"',
    _accept_mode,
    {"type": "string", "pattern": "^[0-7]{3,4}$"},
    show=show_mode,
)
VERSION = ValueType(
    'a version in quotes, such as "1.2.3"',
    _accept_text,
    _ONE_LINE,
    equal_key=version_key,
    order_key=version_key,
    textual=True,
)
SCALAR = ValueType(
    "a text or a number", _accept_scalar, {"type": ["string", "number"]}, order_key=_number_key, textual=True
)
QUANTITY = ValueType(
    "a Kubernetes quantity, such as 512Mi or 250m",
    _accept_quantity,
    {"type": ["string", "number"]},
    equal_key=parse_quantity,
    order_key=parse_quantity,
)
ANY = ValueType(
    "a text, a number, true, false or a list",
    _accept_any,
    {"type": ["string", "number", "boolean", "array"]},
    equal_key=_any_key,
    order_key=_number_key,
    textual=True,
    flexible=True,
)
PATH = ValueType("an absolute path", _accept_path, {"type": "string", "pattern": "^/"})
FILE_NAME = ValueType(
    "a file's name of letters, digits, . _ - * and ?",
    _accept_file_name,
    {"type": "string", "pattern": "^[A-Za-z0-9._*?][A-Za-z0-9._*?-]{0,199}$"},
)
PATTERN = ValueType("a regular expression", _accept_pattern, _ONE_LINE, show=_pattern_shown)
PORT = ValueType(
    "a port number from 1 to 65535",
    _accept_port,
    {"type": "integer", "minimum": 1, "maximum": 65535},
    order_key=identity_key,
)


@functools.cache
def list_of(element: ValueType) -> ValueType:
    """A list of `element`. In a profile one element can stand for a list of one."""

    def accept(value: Any) -> list[Any]:
        return [element.accept(entry) for entry in (value if isinstance(value, list) else [value])]

    def show_entries(values: Any) -> str:
        return show_list(values, element.show)

    return ValueType(
        f"a list whose entries are each {element.name}",
        accept,
        _list_schema(element),
        show=show_entries,
        element=element,
    )


def _list_schema(element: ValueType) -> dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": dict(element.schema)}, dict(element.schema)]}


def one_of_words(*words: str) -> ValueType:
    """A text that is one of the given words."""

    def accept(value: Any) -> Any:
        return _expect(value in words, value)

    return ValueType("one of {}".format(", ".join(words)), accept, {"enum": list(words)})
