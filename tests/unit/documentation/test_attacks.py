# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of attacks says of each attempt what a test has seen."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.securescan.kubernetes.tests.support.attack_table import (
    APPROACHES,
    GRADES,
    attack_ends_as,
    attacks,
)

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROWS = [(attack, row) for attack in attacks() for row in attack.rows]


@pytest.mark.parametrize(("attack", "row"), ROWS, ids=[row.id for _attack, row in ROWS])
def test_each_row_is_checked_by_the_test_that_it_names(attack, row):
    assert row.id.startswith(f"{attack.number}-")
    assert row.approach in APPROACHES and row.grade in GRADES and row.tried and row.outcome
    path, _colons, name = row.test.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^ *def {name}\(", text, re.MULTILINE)
    assert row.id in text and "attack_ends_as" in text


def test_every_attack_has_its_rows():
    """27 that did what was promised not to happen, those of signed results, waivers, reports and requests, and 18 that held when
    they were first tried."""
    assert [attack.number for attack in attacks()] == [*(f"{number:02}" for number in range(1, 33)), "H"]
    assert all(attack.rows for attack in attacks())
    held = {row.id.split("-")[1] for attack, row in ROWS if attack.number == "H"}
    assert held == {f"{number:02}" for number in range(1, 19)}


def test_no_row_stands_twice():
    ids = [row.id for _attack, row in ROWS]
    assert len(ids) == len(set(ids))


def test_a_row_that_says_something_else_than_what_was_seen_is_an_error():
    row = ROWS[0][1]
    attack_ends_as(row.id, outcome=row.outcome, grade=row.grade)
    with pytest.raises(AssertionError):
        attack_ends_as(row.id, outcome="something else", grade=row.grade)
    with pytest.raises(AssertionError, match="0 rows"):
        attack_ends_as("99-nothing", outcome="x")
