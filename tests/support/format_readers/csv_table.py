# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""results.csv as Gnumeric shows it. No cell of it is a formula."""

from __future__ import annotations

import pathlib

from .format_reader import FormatReader, Words
from .programs import FORMULA, spreadsheet


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    """Its rows by their heads."""
    heads, *found = spreadsheet(path)
    assert not [text for row in found for text, kind in row if kind == FORMULA], "a cell is a formula"
    names = [text for text, _kind in heads]
    return [dict(zip(names, [text for text, _kind in row])) for row in found]


def word(row: dict[str, str]) -> str:
    marks = [name for name in ("waived", "attested") if row[name] == "yes"]
    if row["counts_for_nothing"]:
        marks.append(f"{row['exception']} counts for nothing")
    return ", ".join((row["status"], *marks))


def read(path: pathlib.Path) -> Words:
    found = rows(path)
    return {(row["target_id"], row["profile"], row["control"]): word(row) for row in found if row["control"]}


def targets(path: pathlib.Path) -> dict[str, str]:
    return {row["target_id"]: row["status"] for row in rows(path) if not row["control"]}


READER = FormatReader("csv", "Gnumeric 1.12 (ssconvert), a spreadsheet program", read, targets)
