# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of real parts: rows in their sections, kept until the same is shown again."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.tests.support.real_systems import (
    SECTIONS,
    read,
    shown,
    written,
)

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "evidence" / "tested-with.md"


def test_the_page_is_as_its_writer_writes_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(read(page)) == page


def test_a_row_is_kept_until_the_same_is_shown_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.md"
    monkeypatch.setenv("SECURESCAN_REAL_TABLE", str(table))
    shown("Podman", "4.3", "builds the image", SECTIONS[0])
    shown("NATS", "2.9", "takes events", SECTIONS[1])
    shown("Podman", "4.9", "builds the image", SECTIONS[0])
    page = table.read_text(encoding="utf-8")
    assert [line[2:].split(" | ")[:2] for line in page.splitlines() if " | 20" in line] == [
        ["Podman", "4.9"],
        ["NATS", "2.9"],
    ]
    assert page.index("## AWX") < page.index("Podman") < page.index("## Events")


def test_a_row_that_would_break_the_table_is_refused_in_every_run() -> None:
    with pytest.raises(AssertionError):
        shown("Podman", "4.9", "a | b", SECTIONS[0])
    with pytest.raises(AssertionError, match="no section"):
        shown("Podman", "4.9", "builds", "Others")
