# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""servicenow.csv as Gnumeric shows it. ServiceNow itself cannot be had here: only the shape that it documents is checked."""

from __future__ import annotations

import pathlib

from .csv_table import rows as table_rows
from .csv_table import word
from .format_reader import FormatReader, Words


def rows(path: pathlib.Path) -> list[dict[str, str]]:
    """Its rows by their heads. A transform map coalesces on correlation_id, so no two rows have the same."""
    found = table_rows(path)
    ids = [row["correlation_id"] for row in found]
    assert len(set(ids)) == len(ids), "two rows have one correlation_id"
    assert all(0 < len(one) <= 100 for one in ids), "correlation_id takes 100 characters"
    assert all(name.replace("_", "").isalnum() and name.islower() for name in found[0]), (
        "not names of columns"
    )
    return found


def read(path: pathlib.Path) -> Words:
    return {
        (row["target_id"], row["profile"], row["control"]): word(row) for row in rows(path) if row["control"]
    }


def targets(path: pathlib.Path) -> dict[str, str]:
    return {row["target_id"]: row["status"] for row in rows(path) if not row["control"]}


READER = FormatReader(
    "servicenow", "Gnumeric 1.12 (ssconvert), and the documented shape of an import set alone", read, targets
)
