# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests `make changed` chooses for a change."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.securescan.kubernetes.tests.environment.changed_tests import (
    changed_files,
    integration_tests,
    unit_tests,
)

ROOMS = "tests/unit/plugins/module_utils/"


def test_a_room_s_tests_are_chosen_and_those_of_the_rooms_above_it() -> None:
    chosen = unit_tests(["plugins/module_utils/results/hdf.py"])
    assert {ROOMS + "results", ROOMS + "reports", ROOMS + "tasks", "tests/unit/plugins/filter"} <= set(chosen)
    assert not {ROOMS + "collector", ROOMS + "network", ROOMS + "targets"} & set(chosen)


def test_a_room_of_one_file_has_the_tests_that_are_called_like_it() -> None:
    assert ROOMS + "test_safe_text.py" in unit_tests(["plugins/module_utils/safe_text.py"])


def test_what_tests_share_chooses_those_that_use_it() -> None:
    chosen = unit_tests(["tests/support/sample_pods.py"])
    assert ROOMS + "targets/test_replicas.py" in chosen
    assert not [name for name in chosen if "collector" in name]


def test_a_file_within_a_chosen_folder_is_not_named_again() -> None:
    chosen = unit_tests(["plugins/module_utils/targets/pod.py", ROOMS + "targets/test_replicas.py"])
    assert ROOMS + "targets" in chosen and ROOMS + "targets/test_replicas.py" not in chosen


def test_a_test_that_is_gone_is_not_chosen() -> None:
    assert unit_tests([ROOMS + "targets/test_that_is_gone.py"]) == []


def test_a_module_names_the_integration_tests_that_mention_it() -> None:
    assert "tests/integration/test_guard.py" in integration_tests(["plugins/modules/scan_guard.py"])
    assert integration_tests(["roles/scan/tasks/main.yml"]) == ["tests/integration/test_molecule.py"]
    assert integration_tests(["plugins/module_utils/targets/pod.py"]) == []


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_what_differs_is_what_came_after_the_base_committed_or_not(tmp_path: pathlib.Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    def write(name: str) -> None:
        (tmp_path / name).write_text("a change")

    git("init", "-b", "main")
    write("old")
    git("add", ".")
    git("commit", "-m", "x")
    git("switch", "-c", "work")
    write("committed")
    git("add", ".")
    git("commit", "-m", "x")
    git("switch", "main")
    write("of main")
    git("add", ".")
    git("commit", "-m", "x")
    git("switch", "work")
    write("new")
    write("old")
    (tmp_path / "old").write_text("another change")
    assert changed_files(tmp_path, "main") == ["committed", "new", "old"]
