# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of attributes and parameters: what a profile may write for them, and how values compare and are shown."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional

from ..targets.quantities import parse_quantity
from .patterns import check_pattern
from .shown import show, show_list, show_mode
from .versions import version_key


def same(value: Any) -> Any:
    """The key of values that compare as they are."""
    return value


@dataclass(frozen=True, eq=False)
class ValueType:
    """One type.

    `name` is how messages call it. `accept` turns what a profile says into what is compared (still JSON), or raises
    ValueError. `schema` is the JSON schema of what a profile may say. `equal_key` and `order_key` turn a value into
    what `==` and `<` compare; no `order_key`: the type has no order. `textual`: patterns apply. `element`: the type
    of a list's entries. `flexible`: the value's own type is known only when it is seen, so every matcher applies.
    """

    name: str
    accept: Callable[[Any], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)
    show: Callable[[Any], str] = show
    equal_key: Callable[[Any], Any] = same
    order_key: Optional[Callable[[Any], Any]] = None
    textual: bool = False
    element: Optional[ValueType] = None
    flexible: bool = False


def kind_of(value: Any) -> str:
    """How messages call a value that a profile says: text 'x', number 5, a list, a mapping, nothing."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "boolean %s" % show(value)
    if isinstance(value, str):
        return "text '%s'" % show(value) if value else "an empty text"
    if isinstance(value, (int, float)):
        return "number %s" % show(value)
    return "a list" if isinstance(value, list) else "a mapping"


def _expect(condition: bool, value: Any) -> Any:
    if not condition:
        raise ValueError("found %s" % kind_of(value))
    return value


def _accept_text(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        raise ValueError("found %s; put it in quotes" % kind_of(value))
    return _expect(isinstance(value, str) and value != "", value)


def _accept_integer(value: Any) -> Any:
    return _expect(isinstance(value, int) and not isinstance(value, bool), value)


def _accept_number(value: Any) -> Any:
    return _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value)


def _accept_boolean(value: Any) -> Any:
    return _expect(isinstance(value, bool), value)


def _accept_mode(value: Any) -> Any:
    # A number is refused: nobody knows whether 416 was meant, or 0416, or is 0640 as another YAML reader gave it.
    return int(_expect(isinstance(value, str) and re.match(r"[0-7]{3,4}\Z", value) is not None, value), 8)


def _accept_scalar(value: Any) -> Any:
    _expect(isinstance(value, (str, int, float)), value)
    if isinstance(value, bool):
        raise ValueError("found %s; put it in quotes" % kind_of(value))
    return str(value)


def _accept_quantity(value: Any) -> Any:
    try:
        parse_quantity(value)
    except ValueError as error:
        raise ValueError("found %s" % kind_of(value)) from error
    return value


def _accept_path(value: Any) -> Any:
    _accept_text(value)
    return _expect(value.startswith("/"), value)


def _accept_pattern(value: Any) -> Any:
    _accept_text(value)
    try:
        check_pattern(value)
    except ValueError as error:
        raise ValueError("found %s: %s" % (kind_of(value), error)) from error
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
    # Python's float() also reads nan, which compares as nobody expects, inf and 1_000.
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMERIC.match(value)):
        raise ValueError("it is no number")
    return float(value)


def _pattern_shown(value: Any) -> str:
    return "/%s/" % show(value)


_ONE_LINE = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number"}

TEXT = ValueType("a text", _accept_text, _ONE_LINE, textual=True)
INTEGER = ValueType("a whole number", _accept_integer, {"type": "integer"}, order_key=same)
NUMBER = ValueType("a number", _accept_number, _NUMBER, order_key=same)
BOOLEAN = ValueType("true or false", _accept_boolean, {"type": "boolean"})
MODE = ValueType("permission bits as octal digits in quotes, such as \"0640\"", _accept_mode,
                 {"type": "string", "pattern": "^[0-7]{3,4}$"}, show=show_mode)
VERSION = ValueType("a version in quotes, such as \"1.2.3\"", _accept_text, _ONE_LINE, equal_key=version_key,
                    order_key=version_key, textual=True)
SCALAR = ValueType("a text or a number", _accept_scalar, {"type": ["string", "number"]}, order_key=_number_key,
                   textual=True)
QUANTITY = ValueType("a Kubernetes quantity, such as 512Mi or 250m", _accept_quantity, {"type": ["string", "number"]},
                     equal_key=parse_quantity, order_key=parse_quantity)
ANY = ValueType("a text, a number, true, false or a list", _accept_any,
                {"type": ["string", "number", "boolean", "array"]}, equal_key=_any_key, order_key=_number_key,
                textual=True, flexible=True)
PATH = ValueType("an absolute path", _accept_path, {"type": "string", "pattern": "^/"})
PATTERN = ValueType("a regular expression", _accept_pattern, _ONE_LINE, show=_pattern_shown)
PORT = ValueType("a port number from 1 to 65535", _accept_port, {"type": "integer", "minimum": 1, "maximum": 65535},
                 order_key=same)


@functools.cache
def list_of(element: ValueType) -> ValueType:
    """A list of `element`. A profile may also write one element where a list of one is meant."""

    def accept(value: Any) -> List[Any]:
        return [element.accept(entry) for entry in (value if isinstance(value, list) else [value])]

    def show_entries(values: Any) -> str:
        return show_list(values, element.show)

    return ValueType("a list whose entries are each %s" % element.name, accept, _list_schema(element),
                     show=show_entries, element=element)


def _list_schema(element: ValueType) -> Dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": dict(element.schema)}, dict(element.schema)]}


def one_of_words(*words: str) -> ValueType:
    """A text that is one of the given words."""

    def accept(value: Any) -> Any:
        return _expect(value in words, value)

    return ValueType("one of %s" % ", ".join(words), accept, {"enum": list(words)})
