# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells for spreadsheets. Nothing in them is computed.

A spreadsheet takes a cell that begins with =, +, -, @, a tab or a line break for a formula. Such a text gets an apostrophe in
front. So does a formula behind a semicolon: where that separates the cells of a file, a new one begins there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from ..safe_text import one_line

# The last four are the wide ones of East Asian scripts, which spreadsheets there take for the others.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BEHIND_SEMICOLON = re.compile(f"(;[\\s\"']*)(?=[{re.escape(''.join(_FORMULA))}])")


def safe_cell(value: object, limit: int = 0) -> object:
    """A number as it is, nothing as an empty cell, a text on one line in which no spreadsheet sees a formula.

    :param limit: most characters of a text; 0 for no limit
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    line = one_line(value, limit)
    if ";" in line:
        line = _BEHIND_SEMICOLON.sub(r"\1'", line)
    return f"'{line}" if line.startswith(_FORMULA) or value.startswith(_FORMULA) else line


def cells(values: Iterable[object], limit: int = 0) -> str:
    """Cells with commas between them, as RFC 4180 has it: without the end of the line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([safe_cell(value, limit) for value in values])
    return line.getvalue()
