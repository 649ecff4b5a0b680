# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How values are written in descriptions and messages: cut to a length, with escapes for unsafe characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from ..safe_text import escape_text

MASK = "***"
_TEXT_LIMIT = 200
_LIST_LIMIT = 10


def bound_text(text: str, limit: int = _TEXT_LIMIT) -> str:
    """`text`, escaped, and cut after `limit` characters; then its length is added."""
    escaped = escape_text(text[: limit + 1])
    if len(text) <= limit and len(escaped) <= limit:
        return escaped
    return f"{escaped[:limit]}... ({len(text)} characters in all)"


def show(value: Any) -> str:
    """Any JSON-like value for people: texts without quotes, lists in brackets with at most ten entries."""
    if value is None:
        return "nothing"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return bound_text(value) if value else '""'
    if isinstance(value, (list, tuple)):
        return show_list(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return bound_text(str(value))


def show_list(values: Sequence[Any], show_entry: Callable[[Any], str] = show) -> str:
    """A list in brackets; entries after the tenth are only counted."""
    shown = ", ".join(map(show_entry, values[:_LIST_LIMIT]))
    if len(values) > _LIST_LIMIT:
        shown += f", ... ({len(values)} in all)"
    return f"[{shown}]"


def show_mode(mode: int) -> str:
    """Permission bits as four octal digits."""
    return f"{mode:04o}"
