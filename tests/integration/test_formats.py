# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each format's own readers read: the cells of docs/formats.md, made anew; and hostile contents in each format."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.tests.environment.formats_page import (
    NOTHING,
    Column,
    columns,
    formats_page,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.cases_run import (
    CASES,
    GAP,
    NOT_PASSED,
    NOT_SCANNED,
    UNREAD,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import all_readers
from ansible_collections.securescan.kubernetes.tests.support.hostile_contents import write_hostile_run

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Words by which a reader says that something is met.
PASSED_WORDS = ("pass", "notafinding", "not_a_finding", "not a finding", "satisfied", "success", "ok")
NOT_MET_WORDS = ("not-satisfied", "not satisfied", "not passed")


@pytest.fixture(scope="module")
def found() -> list[Column]:
    return columns()


def says_passed(word: str) -> bool:
    text = word.lower()
    for other in NOT_MET_WORDS:
        text = text.replace(other, "")
    return any(text.startswith(one) or f" {one}" in text for one in PASSED_WORDS)


def test_every_format_has_a_reader() -> None:
    assert set(all_readers()) == set(REPORTS)


def test_the_page_is_what_the_readers_read(found: list[Column]) -> None:
    kept = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert formats_page(found) == kept, "run `make docs`, and read what has changed"


def test_no_format_says_of_anything_that_has_not_passed_that_it_has(found: list[Column]) -> None:
    wrong = [
        f"{column.name}: {case}: {column.words[case]}"
        for column in found
        for case in NOT_PASSED
        if says_passed(column.words[case])
    ]
    assert not wrong


def test_passed_is_told_from_all_that_is_not(found: list[Column]) -> None:
    for column in found:
        same = [case for case in NOT_PASSED if column.words[case] == column.words["passed"]]
        assert not same or column.words["passed"] == NOTHING, (column.name, same)


# Formats that say so much of each target that what was not seen must be in them.
COMPLETE = ("markdown", "junit", "html", "hdf", "jsonl", "csv", "sarif", "sarif_problems")


def test_what_was_not_seen_is_told(found: list[Column]) -> None:
    missing = [
        (column.name, case)
        for column in found
        if column.name in COMPLETE
        for case in (NOT_SCANNED, UNREAD, GAP)
        if column.words[case] == NOTHING and (column.name, case) not in {("html", GAP), ("markdown", GAP)}
    ]
    assert not missing


def test_the_table_has_all_cases(found: list[Column]) -> None:
    assert all(tuple(column.words) == CASES for column in found)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_hostile_run(tmp_path_factory.mktemp("hostile"))


# Readers that count one control of a container, while here each has three: they are asked whether they take it.
@pytest.mark.parametrize("name", REPORTS)
def test_hostile_contents_are_inert_in_every_reader(name: str, hostile: Run, tmp_path: pathlib.Path) -> None:
    reader = all_readers()[name]
    path = write_report(REPORTS[name], hostile, tmp_path)
    words = reader.read(path)
    reader.targets(path)
    wrong = {key: word for key, word in words.items() if says_passed(word)}
    assert not wrong, "nothing of this run has passed"
    attack_ends_as("30-readers", outcome="nothing is computed, run or asked for")
