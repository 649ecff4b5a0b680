# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile contents in every format of the registry: what is written is well-formed, inert and bounded.

tests/integration/test_formats.py has the formats' own readers read the same.
"""

from __future__ import annotations

import csv
import io
import json
import pathlib
import re
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.hostile_contents import (
    HOSTILE_TEXTS,
    LONG,
    write_hostile_run,
)

# Control characters but the end of a line and a tab, what turns the direction of writing or has no width, what is no character.
STEERING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
# A text of a megabyte stands in about 40 places of a document: this is a hundredth of what was given.
MOST_BYTES = 40 * LONG // 10


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_hostile_run(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", REPORTS)
def test_every_format_is_well_formed_inert_and_bounded(name: str, run: Run, tmp_path: pathlib.Path) -> None:
    path = write_report(REPORTS[name], run, tmp_path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    assert {one.name for one in tmp_path.iterdir()} == {path.name}, "no name has led anywhere else"
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for file in files:
        text = file.read_bytes().decode("utf-8")
        if file.suffix != ".html":  # its script is our own
            found = STEERING.search(text)
            assert found is None, (file.name, text[max(found.start() - 100, 0) : found.end() + 20])
            assert "\r" not in text.replace("\r\n", "\n")
        well_formed(file.suffix, text)
    attack_ends_as("30-reports", outcome="well-formed, inert, bounded")


def well_formed(suffix: str, text: str) -> None:
    if suffix in (".json", ".sarif", ".cklb"):
        json.loads(text, object_pairs_hook=once)
    elif suffix == ".jsonl":
        assert text.endswith("\n")
        for line in text[:-1].split("\n"):
            json.loads(line, object_pairs_hook=once)
    elif suffix in (".xml", ".ckl"):
        assert "<!ENTITY" not in text and "<!DOCTYPE" not in text
        ElementTree.fromstring(text.encode("utf-8"))
    elif suffix == ".csv":
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
        assert not [
            cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "|"))
        ]
    elif suffix == ".md":
        assert "<" not in text.replace("<br>", "")
        assert not re.search(r"(?<!\\)\]\((?!hdf/)", text)
    elif suffix == ".html":
        assert "pwned" not in text and "evil.example" not in text, "the data is packed"


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON in which no key stands twice."""
    found = dict(pairs)
    assert len(found) == len(pairs), [name for name, _value in pairs]
    return found


def test_the_texts_are_what_they_are_called() -> None:
    assert len(HOSTILE_TEXTS["long"]) == LONG and "\x1b" in HOSTILE_TEXTS["ansi"]
