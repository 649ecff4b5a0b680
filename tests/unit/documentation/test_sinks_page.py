# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/sinks.md has each system: what it was tested against, and a section with the options that it has."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.registry import SINKS

ROOT = pathlib.Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sinks.md").read_text()
ROWS = {
    found["name"]: found
    for found in re.finditer(
        r"^\| \[`(?P<name>\w+)`\]\(#\w+\) \|.*\| (?P<against>(real|contract double): [^|]+) \|$",
        PAGE,
        re.MULTILINE,
    )
}
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n### ")[1:]}


def test_the_table_has_each_system_in_the_order_of_its_name() -> None:
    assert list(ROWS) == sorted(SINKS)


@pytest.mark.parametrize("name", sorted(SINKS))
def test_the_tests_that_a_row_names_are_about_the_system(name: str) -> None:
    tests = re.findall(r"`(tests/[\w/.]+)`", ROWS[name]["against"])
    assert tests
    assert [test for test in tests if name not in (ROOT / test).read_text()] == []


@pytest.mark.parametrize("name", sorted(SINKS))
def test_a_section_names_every_option_that_is_the_systems_own(name: str) -> None:
    missing = [option for option in SINKS[name].options if f"`{option}`" not in SECTIONS[name]]
    assert missing == []
