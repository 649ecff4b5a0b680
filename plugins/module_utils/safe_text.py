# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes text from containers safe to keep and to show: nothing in it can steer a terminal, a parser or a reader."""

from __future__ import annotations

import re
from re import Match
from typing import Any

# Control characters other than tab, line feed and carriage return; lone surrogates (how Python carries bytes that
# are not UTF-8); the two code points that XML forbids.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Line and paragraph separators, and characters that have no width or turn the direction of writing: with them a
# name can look like another name.
_DECEPTIVE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WHITESPACE = re.compile(r"\s+")
_MAX_CHARACTERS = 10_000


def _visible(match: Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8
        return "\\x%02x" % (code - 0xDC00)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes as visible escapes (`\\x1b`); lines stay lines."""
    return _UNPRINTABLE.sub(_visible, text)


def kept_values(value: Any) -> Any:
    """A copy of plain JSON values in which every text is fit to be kept: printable, and cut where it is very long."""
    if isinstance(value, str):
        if len(value) > _MAX_CHARACTERS:
            value = f"{value[:_MAX_CHARACTERS]}... ({len(value) - _MAX_CHARACTERS} more characters)"
        return printable(value)
    if isinstance(value, dict):
        return {kept_values(str(name)): kept_values(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [kept_values(item) for item in value]
    return value


def one_line(text: str, limit: int = 0) -> str:
    """`text` on one line: whitespace runs become one space, deceptive characters visible escapes too.

    `limit`: most characters of the result, the last being an ellipsis where it was cut; 0 for no limit.
    """
    line = _DECEPTIVE.sub(_visible, printable(_WHITESPACE.sub(" ", text).strip()))
    return line[: limit - 1] + "…" if limit and len(line) > limit else line
