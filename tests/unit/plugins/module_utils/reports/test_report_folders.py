# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A format of several files: how they are called, and what is left in their folder."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import (
    ReportFolder,
    ReportPart,
    part_file_name,
    write_report,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import make_run, make_target
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE, NO_SHELL

HOSTILE_NAMES = (
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "",
    ".",
    "a/b",
    "a\\b",
    "nul\0",
    "two\nlines",
    "CON",
    "\udcff",
    "x" * 5000,
    "~" * 3,
    HOSTILE,
)


def parts(run: Run) -> Iterator[ReportPart]:
    for target in run.targets:
        yield ReportPart((target.target_id, "p"), lambda stream, pod=target.pod: stream.write(pod))  # type: ignore[misc]


FORMAT = ReportFolder("x", "xs", ".x.xml", parts)
RUN = make_run([], [(make_target("one"), NO_SHELL), (make_target("two"), NO_SHELL)], None)


def content(folder: pathlib.Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_each_part_has_a_file_named_by_what_it_is_about(tmp_path: pathlib.Path) -> None:
    folder = write_report(FORMAT, RUN, tmp_path)
    assert folder == tmp_path / "xs"
    assert sorted(content(folder).values()) == ["one", "two"]
    assert all(
        re.fullmatch("[a-z0-9.-]*(one|two)[a-z0-9.-]*-p~[0-9a-f]{16}.x.xml", name) for name in content(folder)
    )


def test_what_is_no_longer_due_is_removed_and_nothing_else(tmp_path: pathlib.Path) -> None:
    folder = write_report(FORMAT, RUN, tmp_path)
    others = {"mine.x.xml": "1", "one~0123.x.xml": "2", part_file_name(("a",), ".y.xml"): "3"}
    for name, text in others.items():
        (folder / name).write_text(text)
    before = content(folder)
    write_report(FORMAT, RUN, tmp_path)
    assert content(folder) == before
    write_report(FORMAT, replace(RUN, targets=RUN.targets[1:]), tmp_path)
    assert sorted(content(folder).values()) == ["1", "2", "3", "two"]


def test_no_name_makes_a_path_and_none_is_anothers(tmp_path: pathlib.Path) -> None:
    names = {part_file_name((name,), ".x") for name in HOSTILE_NAMES}
    names |= {part_file_name(about, ".x") for about in (("a", "b"), ("a-b",), ("a-", "b"), ("A", "b"))}
    assert len(names) == len(HOSTILE_NAMES) + 4
    for name in names:
        (tmp_path / name).write_text("")
        assert name.strip(".") == name
    assert {path.name for path in tmp_path.iterdir()} == names
    assert len({name.lower() for name in names}) == len(names), (
        "also where the case of letters does not count"
    )


def test_a_folder_behind_a_link_is_not_written_to(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "xs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ScanError, match="it is a link"):
        write_report(FORMAT, RUN, tmp_path)
    assert not content(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("folder", "suffix"), [("../x", ".x"), ("x", "/x"), ("summary.json", ".x"), ("", ".x")]
)
def test_a_format_with_other_names_is_none(folder: str, suffix: str) -> None:
    with pytest.raises(ValueError, match="no names"):
        ReportFolder("x", folder, suffix, parts)
