# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task is interrupted by a signal and by the end of the process that started it, once, and not after its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import List

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.interrupts import interruptible

# A child that waits within a task, and says how that ended; its parent ends at once.
CHILD = """
import os, threading
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.interrupts import interruptible
ready, child = os.pipe()
if os.fork():
    os.read(ready, 1)
    os.kill(os.getpid(), 9)
try:
    with interruptible():
        os.write(child, b"x")
        threading.Event().wait(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_the_end_of_the_parent_interrupts() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "interrupted\n")


def test_one_signal_interrupts_and_the_next_are_ignored_until_the_end() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ended: List[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            ended.append("cleaned up")
    assert ended == ["cleaned up"]
    assert signal.getsignal(signal.SIGTERM) is before
    assert not [thread for thread in threading.enumerate() if thread.name == "watch-parent"]
