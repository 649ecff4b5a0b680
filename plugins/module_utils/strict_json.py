# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that every program reads alike: no key stands twice in one object, and every number is a finite one."""

from __future__ import annotations

import json
import math
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


def dump_json(value: Any) -> bytes:
    """Compact JSON in UTF-8. A lone surrogate is written as \\udXXX.

    By orjson where it is installed, which takes a tenth of the time. What it cannot write, it leaves to the library. Numbers
    must be finite: orjson writes null for others, and the library refuses them.

    :raises ValueError: a number that is not finite, without orjson
    """
    if orjson is not None:
        try:
            return bytes(orjson.dumps(value))
        except TypeError:
            pass
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


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
