# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON for reports, in ASCII: no character of a container reaches a terminal, and none that is no character a parser."""

from __future__ import annotations

import json
from typing import Any

from ..safe_text import kept_values
from ..strict_json import dump_json

_DUMP = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
# No text of a value that is as short as this has to be cut.
_SHORT = 10_000


def json_text(value: Any) -> str:
    """The value as `kept_values` gives it, on one line. What is short and has nothing to be escaped is not looked at twice."""
    data = dump_json(value)
    if len(data) < _SHORT and data.isascii() and b"\\u" not in data:
        return data.decode("ascii")
    return _DUMP(kept_values(value))


def opened(value: dict[str, Any]) -> str:
    """An object without its last brace, so that more fields can follow. It must not be empty."""
    return json_text(value)[:-1]


def fields(value: dict[str, Any]) -> str:
    """The fields of an object, without its braces."""
    return json_text(value)[1:-1]
