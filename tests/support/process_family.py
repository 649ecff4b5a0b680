# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process and all that it has started, and how it is brought to its end."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

# ansible-core itself hangs now and then when the signal comes while one of its workers hands over a result: the worker
# ends with the lock of the queue, and the main process waits for it in strategy/__init__.py, cleanup (seen with
# ansible-core 2.19, once in many runs).
ANSIBLES_OWN_HANG = re.compile(
    r"multiprocessing/queues\.py\", line \d+ in put\n.*strategy/__init__\.py\", line \d+ in cleanup"
)


def family_of(root: int) -> set:
    """A process and all below it; Ansible's workers are in sessions of their own."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    family, grew = {root}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grew = bool(more)
    return family


def kill_family(root: int) -> None:
    for pid in family_of(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def output_of(process: subprocess.Popen[str], seconds: float = 60) -> str:
    """What a process wrote until its end. One that hangs is made to say where: faulthandler (PYTHONFAULTHANDLER=1) answers
    SIGABRT with each thread's stack."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        for pid in sorted(family_of(process.pid), reverse=True):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGABRT)
        output = process.communicate(timeout=30)[0]
        if ANSIBLES_OWN_HANG.search(output):
            return output
        pytest.fail(f"it did not end within {seconds:g} s:\n{output}")
