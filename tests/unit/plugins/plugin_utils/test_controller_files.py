# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Relative files are looked for as Ansible looks for them, then in the current directory; errors name every place."""

from __future__ import annotations

import pathlib

import pytest

pytest.importorskip("ansible", reason="action plugins belong to Ansible")

from ansible.parsing.dataloader import DataLoader
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.controller_files import (
    ControllerFiles,
    looks_like_content,
)

COLLECTION = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture
def places(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    for name in ("role", "play", "here"):
        (tmp_path / name / "files").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def files(places: pathlib.Path, *more: str) -> ControllerFiles:
    """Of a task in a role of a play."""
    loader = DataLoader()
    loader.set_basedir(str(places / "play"))
    return ControllerFiles([*more, str(places / "role"), str(places / "play")], loader)


def test_the_nearest_place_comes_first_and_the_current_directory_last(places: pathlib.Path) -> None:
    order = ["role/files", "role", "play/files", "play", "here"]
    for place in reversed(order):
        (places / place / "x.yml").write_text("", encoding="utf-8")
        assert files(places).find("x.yml", "waivers") == str(places / place / "x.yml")
    for place in order:
        (places / place / "x.yml").unlink()
    with pytest.raises(ScanError) as caught:
        files(places).find("x.yml", "waivers")
    assert caught.value.reason == "bad_file" and caught.value.tried == "reading the option waivers"
    tried = ", ".join(str(places / place / "x.yml") for place in order)
    assert caught.value.message == f"x.yml does not exist; looked at {tried}"


def test_an_absolute_path_is_looked_at_alone(places: pathlib.Path) -> None:
    assert files(places).find(str(places), "profiles") == str(places)
    with pytest.raises(ScanError, match=r"looked at /nothere/x\.yml"):
        files(places).find("/nothere/x.yml", "waivers")


def test_a_path_in_the_home_folder_is_expanded(places: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(places / "role"))
    assert files(places).find("~/files", "profiles") == str(places / "role" / "files")


def test_the_collections_own_files_are_never_found_by_a_relative_name(places: pathlib.Path) -> None:
    role, playbooks = COLLECTION / "roles" / "scan", COLLECTION / "playbooks"
    loader = DataLoader()
    loader.set_basedir(str(playbooks))
    found = ControllerFiles([str(role), str(playbooks)], loader)
    for name in ("README.md", "scan.yml", "tasks/main.yml"):
        with pytest.raises(ScanError) as caught:
            found.find(name, "waivers")
        assert caught.value.message.endswith(f"looked at {places / 'here' / name}")
    (places / "here" / "scan.yml").write_text("", encoding="utf-8")
    assert found.find("scan.yml", "waivers") == str(places / "here" / "scan.yml")


@pytest.mark.parametrize("text", ["a: 1", "a:\n  b: 1", "{}", "[1]", "pod-x:", "one\ntwo", "x: {"])
def test_content_in_the_place_of_a_path_is_told(places: pathlib.Path, text: str) -> None:
    assert looks_like_content(text)
    with pytest.raises(ScanError, match="the path of a file, a dictionary, or one in JSON is expected"):
        files(places).find(text, "threshold")


@pytest.mark.parametrize("path", ["a.yml", "a b.yml", "./x", "~/x", "/a:b", "C:/x", "{{x}}.yml"[2:]])
def test_a_path_is_no_content(path: str) -> None:
    assert not looks_like_content(path)


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_what_can_be_no_path_does_not_exist(places: pathlib.Path, path: str) -> None:
    with pytest.raises(ScanError, match="does not exist"):
        files(places).find(path, "waivers")
