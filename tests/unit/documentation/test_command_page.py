# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the command says what the command does."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.securescan.kubernetes.plugins.module_utils.command.exit_status import MEANINGS
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.main import SUBCOMMANDS

PAGE = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "command.md").read_text(encoding="utf-8")


def test_each_exit_status_is_there_with_its_meaning() -> None:
    for number, meaning in MEANINGS.items():
        assert f"| {number} | {meaning} |" in PAGE


def test_each_flag_on_the_page_is_a_flag() -> None:
    known = {name for each in SUBCOMMANDS.values() for name in each.line().all_names}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert named <= known, named - known


def test_each_subcommand_is_there() -> None:
    for name in SUBCOMMANDS:
        assert f"`{name}" in PAGE or f"securescan {name}" in PAGE or name == "scan", name
