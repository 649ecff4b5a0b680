# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""summary.md as a renderer of Markdown has it: tables of cells, each under its heading."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from markdown_it import MarkdownIt

from .format_reader import FormatReader, Words

_TARGETS = "Targets"
_COUNTS = ("Passed", "Failed", "Not Reviewed", "Not Applicable", "Profile Error")


def tables(path: pathlib.Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """(heading, rows by the heads of the columns) of each table."""
    heading, rows, heads, row = "", [], [], []
    tag = ""
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        if token.type in ("heading_open", "th_open", "td_open"):
            tag = token.type
        elif token.type == "inline":
            text = "".join(child.content for child in token.children or ())
            if tag == "heading_open":
                heading = text
            elif tag == "th_open":
                heads.append(text)
            elif tag == "td_open":
                row.append(text)
            tag = ""
        elif token.type == "tr_close" and row:
            rows.append(dict(zip(heads, row)))
            row = []
        elif token.type == "table_close":
            yield heading, rows
            heads, rows = [], []


def _rows(path: pathlib.Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(target, its row). Of the sample's names: the workload's is in one cell, the pod's in another."""
    for heading, rows in tables(path):
        for row in rows if heading == _TARGETS else ():
            names, _space, kind = row["Workload"].rpartition(" (")
            namespace, _slash, workload = names.partition("/")
            yield f"demo/{namespace}/{kind.rstrip(')')}/{workload}/{row['Pod/container']}", row


def read(path: pathlib.Path) -> Words:
    """It lists failures, and counts the rest: the control is not named."""
    amended = {
        row["Where"]: heading.lower()
        for heading, rows in tables(path)
        for row in rows
        if heading in ("Waivers", "Attestations")
    }
    words: Words = {}
    for target_id, row in _rows(path):
        counted = [name for name in _COUNTS if row[name] == "1"]
        where = "/".join((target_id.split("/")[1], row["Pod/container"]))
        if counted:
            named = [f"named under {amended[where]}"] if where in amended else []
            words[target_id, "", ""] = ", ".join([f"counted as {counted[0]}", *named])
    return words


def targets(path: pathlib.Path) -> dict[str, str]:
    return {
        target_id: row["Result"]
        for target_id, row in _rows(path)
        if not any(row[name] == "1" for name in _COUNTS)
    }


READER = FormatReader("markdown", "markdown-it-py 4", read, targets)
