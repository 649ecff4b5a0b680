# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of the execution environment's containers: what a command leaves is waited for, and signals are passed on."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

INIT = pathlib.Path(__file__).resolve().parents[3] / "execution_environment" / "init.py"


def first_process(*command: str) -> subprocess.CompletedProcess[str]:
    """What a command does below it, in a process namespace of its own, as in a container."""
    if os.geteuid() != 0:
        pytest.skip("a process namespace needs root")
    return subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", sys.executable, str(INIT), *command],
        check=False,
        text=True,
        capture_output=True,
        timeout=60,
    )


@pytest.mark.parametrize(("command", "status"), [("true", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_it_ends_with_the_status_of_the_command(command: str, status: int) -> None:
    assert first_process("sh", "-c", command).returncode == status


def test_what_the_command_left_is_waited_for() -> None:
    done = first_process("sh", "-c", "setsid sh -c 'sleep 1; echo removed' & exit 5")
    assert (done.stdout, done.returncode) == ("removed\n", 5)


def test_a_signal_goes_to_the_command_and_not_to_what_it_left() -> None:
    # 1 is the first process of the namespace
    done = first_process("sh", "-c", "setsid sh -c 'sleep 1; echo removed' & kill -TERM 1; exec sleep 50")
    assert (done.stdout, done.returncode) == ("removed\n", 143)
