# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import (
    one_line,
    printable,
)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain, ünïcode, 漢字", "plain, ünïcode, 漢字"),
        ("two\nlines\tand\r", "two\nlines\tand\r"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("nul\x00bell\x07del\x7fcsi\x9b", "nul\\x00bell\\x07del\\x7fcsi\\x9b"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("\ufffe\uffff", "\\ufffe\\uffff"),
    ],
)
def test_what_a_terminal_would_act_on_is_shown_as_an_escape(text: str, safe: str) -> None:
    assert printable(text) == safe
    printable(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("  a\n\nb\r\n\tc ", "a b c"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("line\u2028end", "line end"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ],
)
def test_a_text_becomes_one_line(text: str, safe: str) -> None:
    assert one_line(text) == safe


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("abcdef", 6) == "abcdef"
    assert one_line("abcdefg", 6) == "abcde…"
