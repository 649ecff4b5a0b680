# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs before a commit."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = pathlib.Path("tests", "quality", "changelog_fragment.sh")


def test_every_hook_is_a_program_of_this_checkout_and_fetches_nothing() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    for hook in repositories[0]["hooks"]:
        assert hook["language"] == "system"
        assert (ROOT / hook["entry"].split()[0]).exists(), hook["entry"]


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_a_change_for_users_wants_a_changelog_fragment(tmp_path: pathlib.Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    def change(name: str) -> int:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a change")
        git("add", ".")
        return subprocess.run([str(tmp_path / SCRIPT)], check=False, capture_output=True).returncode

    (tmp_path / SCRIPT).parent.mkdir(parents=True)
    shutil.copy2(ROOT / SCRIPT, tmp_path / SCRIPT)
    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "x")
    git("switch", "-c", "work")
    assert change("docs/results.md") == 0
    assert change("plugins/modules/scan_x.py") == 1
    git("commit", "-m", "x")
    assert change("changelogs/fragments/x.yml") == 0
