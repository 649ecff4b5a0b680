# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether results can be written to a folder is found out by writing, and leaves nothing."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.output_folder import (
    check_can_write,
    check_output_folder,
)


def refusal(path: str) -> ScanError:
    with pytest.raises(ScanError) as caught:
        check_output_folder(path, False)
    assert caught.value.reason == "write_failed" and caught.value.tried == "reading the option output_dir"
    return caught.value


@pytest.mark.parametrize("name", ["", "results", "a/b/c"])
def test_a_folder_that_can_be_made_or_written_to_is_left_as_it_was(tmp_path: pathlib.Path, name: str) -> None:
    assert check_output_folder(str(tmp_path / name), False) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_or_a_broken_link_in_the_place_of_a_folder_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for path in ("file", "file/run", "link", "link/run"):
        assert f"{tmp_path / path} cannot be written to: " in refusal(str(tmp_path / path)).message
        assert "it is not a folder" in refusal(str(tmp_path / path)).message


@pytest.mark.parametrize("path", ["/proc/x", "/sys/x/y"])
def test_a_file_system_that_takes_no_folder_is_refused_also_for_root(path: str) -> None:
    assert refusal(path).message.startswith(f"{path} cannot be written to: {path[:5].rstrip('/')}")


def test_a_relative_folder_is_told_by_its_absolute_path(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ScanError, match=str(tmp_path / "file" / "x")):
        check_can_write(pathlib.Path("file/x"))


def test_a_folder_that_others_can_change_is_refused(tmp_path: pathlib.Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ScanError, match="SCAN-105"):
        check_output_folder(str(tmp_path / "results"), False)
    assert len(check_output_folder(str(tmp_path / "results"), True)) == 1
