# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes text from containers and servers safe to keep and to show: nothing in it can steer a terminal, a
parser or a reader.

Every unsafe character becomes a visible escape. What is kept (`printable`, `kept_values`) stays otherwise as
it was; what is shown (`one_line`, `server_text`, `escape_text`) also loses characters that deceive the eye.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Control characters other than tab, line feed and carriage return; lone surrogates (how Python carries bytes
# that are not UTF-8); the two code points that XML forbids.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WHITESPACE = re.compile(r"\s+")
_LINE_BREAKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_CHARACTERS = 10_000
_MAX_SERVER_TEXT = 500
_SHORTEST_SECRET = 4


def _visible(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8
        return "\\x%02x" % (code - 0xDC00)
    if code < 0x100:
        return _LINE_BREAKS.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes as visible escapes (`\\x1b`); lines stay lines."""
    return _UNPRINTABLE.sub(lambda found: _visible(found.group()), text)


def kept_values(value: Any) -> Any:
    """A copy of plain JSON values in which every text is fit to be kept: printable, and cut where it is very
    long."""
    if isinstance(value, str):
        if len(value) > _MAX_CHARACTERS:
            value = f"{value[:_MAX_CHARACTERS]}... ({len(value) - _MAX_CHARACTERS} more characters)"
        return printable(value)
    if isinstance(value, dict):
        return {kept_values(str(name)): kept_values(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [kept_values(item) for item in value]
    return value


def escape_text(text: str) -> str:
    """`text` with every character as an escape that is not a visible one or a space; line breaks and tabs
    included.

    Not visible (`str.isprintable`) are also the characters that have no width or turn the direction of
    writing, and blanks other than the space: with them a name can look like another name.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def one_line(text: str, limit: int = 0) -> str:
    """`text` as `escape_text` gives it, but runs of blanks and line breaks become one space.

    `limit`: most characters of the result, the last being an ellipsis where it was cut; 0 for no limit.
    """
    line = escape_text(_WHITESPACE.sub(" ", text).strip())
    return line[: limit - 1] + "…" if limit and len(line) > limit else line


def server_text(text: str, secrets: Sequence[str] = (), limit: int = _MAX_SERVER_TEXT) -> str:
    """Text from a server on its way into a message: as `one_line`, with each of `secrets` replaced by
    asterisks.

    Some servers repeat the headers of a request that they refuse, the credential among them.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return one_line(text, limit)
