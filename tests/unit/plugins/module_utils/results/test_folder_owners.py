# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of results that others may write to, or exchange, is refused, or said where that is allowed."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import path_owners
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.folder_owners import check_folder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import new_run_folder
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

SOMEBODY = 12345


@pytest.fixture
def above(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "above"
    folder.mkdir(mode=0o755)
    return folder


def give_away(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To another user; without the right to do so, whoever runs the test becomes another."""
    if os.geteuid() == 0:
        os.lchown(path, SOMEBODY, SOMEBODY)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)


def refusal(path: pathlib.Path) -> ScanError:
    with pytest.raises(ScanError) as caught:
        check_folder(str(path), allow_shared=False)
    return caught.value


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o555, 0o1777, 0o1775])
def test_a_folder_that_only_root_and_its_user_write_to_is_fine(above: pathlib.Path, mode: int) -> None:
    above.chmod(mode)
    assert check_folder(str(above / "results"), allow_shared=False) == []


@pytest.mark.parametrize("place", ["the folder", "above it"])
@pytest.mark.parametrize("mode", [0o777, 0o757, 0o702])
def test_a_folder_that_others_may_change_is_refused(
    above: pathlib.Path, monkeypatch: pytest.MonkeyPatch, place: str, mode: int
) -> None:
    results = above / "results"
    results.mkdir()
    open_folder = results if place == "the folder" else above
    open_folder.chmod(mode)
    error = refusal(results)
    assert error.reason == "shared_folder"
    assert f"{open_folder} is writable for everybody (mode 0{mode:o})" in error.message
    attack_ends_as("13-open-folder", outcome=error.reason)
    open_folder.chmod(0o755)
    give_away(open_folder, monkeypatch)
    error = refusal(results)
    assert "belongs to user" in error.message
    attack_ends_as("13-folder-of-another", outcome=error.reason)


def test_a_group_counts_as_others_but_for_ones_own_and_roots(
    above: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above.chmod(0o775)
    monkeypatch.setattr(path_owners, "_is_own_group", lambda gid: False)
    assert "is writable for the group" in refusal(above).message
    monkeypatch.setattr(path_owners, "_is_own_group", lambda gid: True)
    assert check_folder(str(above), allow_shared=False) == []


def test_links_are_followed_and_what_holds_them_counts(above: pathlib.Path, tmp_path: pathlib.Path) -> None:
    safe = tmp_path / "safe"
    safe.mkdir(mode=0o755)
    link = above / "link"
    link.symlink_to(safe)
    assert check_folder(str(link / "results"), allow_shared=False) == []
    above.chmod(0o777)
    error = refusal(link / "results")
    assert f"because {above} is writable" in error.message, "the link can be exchanged"
    attack_ends_as("13-link-through-open-folder", outcome=error.reason)
    above.chmod(0o755)
    safe.chmod(0o777)
    assert f"because {safe} is writable" in refusal(link / "results").message
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    check_folder(str(loop), allow_shared=False)


def test_a_link_in_a_sticky_folder_counts_by_its_owner(
    above: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """In /tmp somebody else's `latest` can lead to an older run of ours today, and elsewhere tomorrow."""
    run = tmp_path / "run-1"
    run.mkdir(mode=0o750)
    above.chmod(0o1777)
    latest = above / "latest"
    latest.symlink_to(run)
    assert check_folder(str(latest), allow_shared=False) == []
    give_away(latest, monkeypatch)
    assert "belongs to user" in refusal(latest).message
    attack_ends_as("13-link-of-another", outcome="shared_folder")


def test_it_is_said_where_it_is_allowed(above: pathlib.Path) -> None:
    above.chmod(0o777)
    (warning,) = check_folder(str(above / "results"), allow_shared=True)
    assert warning.startswith("others can replace the results in ")
    attack_ends_as("13-open-folder-allowed", outcome="a warning")


def test_folders_that_are_made_are_open_to_nobody_whatever_the_umask(tmp_path: pathlib.Path) -> None:
    before = os.umask(0)
    try:
        folder = new_run_folder(str(tmp_path / "a" / "b"), "run-1")
    finally:
        os.umask(before)
    assert check_folder(str(folder.path / "hdf"), allow_shared=False) == []
    for path in (tmp_path / "a", tmp_path / "a" / "b", folder.path, folder.path / "hdf"):
        assert path.stat().st_mode & 0o777 == 0o750
