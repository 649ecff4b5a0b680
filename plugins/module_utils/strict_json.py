# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that every program reads alike: no key stands twice in one object, and every number is a finite one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from .safe_text import one_line

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment, unused-ignore]

# Above these digits a whole number is read as a float: long numbers take time with the square of their digits.
_DIGITS = 20
_SHOWN = 60


def load_json(text: str | bytes) -> Any:
    """The value in a JSON text; bytes are UTF-8.

    :raises ValueError: for anything else than one JSON value, a key that stands twice in one object, and a number that is
        not finite
    :raises RecursionError: for what is nested too deeply
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_float=_number,
        parse_int=_whole_number,
        parse_constant=_refuse_constant,
    )


def load_own_json(data: bytes) -> Any:
    """The value in a file that this collection wrote, and whose digest says that it is still the same: nothing is checked
    again, which takes a fifth of the time.

    :raises ValueError: for what is not JSON
    :raises RecursionError: for what is nested too deeply
    """
    if orjson is not None:
        try:
            return orjson.loads(data)
        except ValueError:  # a lone surrogate
            pass
    return json.loads(data)


def dump_json(value: Any) -> bytes:
    """Compact JSON in UTF-8. A lone surrogate is written as \\udXXX.

    By orjson where it is installed, which takes a quarter of the time, the check of the types included. What it cannot write,
    and what it would write otherwise, is left to the library.

    :raises ValueError: a number that is not finite, or a value that contains itself
    :raises TypeError: what has no form in JSON, such as a date
    """
    if orjson is not None:
        try:
            data = bytes(orjson.dumps(value))
        except TypeError:
            pass
        else:
            # after orjson, which has refused what is nested too deeply
            if _is_plain((value,)):
                return data
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _is_plain(values: Iterable[Any]) -> bool:
    """Whether all is of JSON's own types, and each number finite: orjson writes dataclasses, dates and enums too, and null for
    other numbers."""
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is dict:
            plain = _is_plain(value.values())
        elif kind is list or kind is tuple:
            plain = _is_plain(value)
        elif kind is float:
            plain = math.isfinite(value)
        else:
            plain = value is None or kind is int or kind is bool
        if not plain:
            return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise ValueError(f"the key '{one_line(key, _SHOWN)}' stands twice in one object")
            seen.add(key)
    return found


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {one_line(digits, _SHOWN)} is too large")
    return number


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else _number(digits)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")
