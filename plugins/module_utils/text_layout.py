# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for terminals: columns, lines that are wrapped, numbers with their noun. All of it is one line of safe text."""

from __future__ import annotations

import textwrap
import unicodedata

from .safe_text import one_line


def number_of(number: int, noun: str, plural: str = "") -> str:
    """For example 1 target, 2 targets, 0 entries (`plural`, if it is not the noun with an s)."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def were(number: int, noun: str) -> str:
    """For example 1 target was, 2 targets were."""
    return f"{number_of(number, noun)} {'was' if number == 1 else 'were'}"


def columns(text: str) -> int:
    """The terminal columns of a line: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def fit(text: str, width: int) -> str:
    """Exactly `width` columns: padded, or cut in the middle, because the names of replicas differ at their end."""
    if columns(text) > width:
        while columns(text) > width - 1:
            middle = len(text) // 2
            text = text[:middle] + text[middle + 1 :]
        middle = (len(text) + 1) // 2
        text = text[:middle] + "…" + text[middle:]
    return text + " " * (width - columns(text))


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most `width` columns; the first begins with `first`, the others with `rest`.

    A word that is longer than that is broken.
    """
    lines = textwrap.wrap(
        one_line(text), width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )
    return lines or [first]
