# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on the store has every query and every view, and the places that list its libraries agree."""

from __future__ import annotations

import pathlib
from dataclasses import fields

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.registry import QUESTIONS

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")


def test_every_query_has_its_row_with_its_views() -> None:
    rows = {
        line.split("|")[2]: line
        for line in PAGE.splitlines()
        if line.startswith("| ") and line.count("|") == 4
    }
    for question in QUESTIONS.values():
        (row,) = [line for cell, line in rows.items() if f"`{question.name}`" in cell]
        named = [view for view in question.views if f"`{view}`" in row]
        assert named == list(question.views)[: len(named)] and (named or not question.views), question.name


def test_every_query_has_its_columns() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 3]
    for question in QUESTIONS.values():
        (columns,) = [cells[2] for cells in rows if f"`{question.name}`" in cells[1]]
        assert columns.replace("`", "").strip().split(", ") == [field.name for field in fields(question.row)]


def test_every_error_of_the_store_is_told() -> None:
    for kind in KINDS.values():
        if kind.code.startswith("SCAN-83"):
            assert f"`{kind.reason}`" in PAGE, kind.reason


def test_an_execution_environment_has_what_the_store_needs() -> None:
    def lines(path: str) -> set[str]:
        text = (ROOT / path).read_text(encoding="utf-8")
        return {line for line in text.splitlines() if line and not line.startswith("#")}

    assert lines("requirements-store.txt") <= lines("execution_environment/requirements.txt")
