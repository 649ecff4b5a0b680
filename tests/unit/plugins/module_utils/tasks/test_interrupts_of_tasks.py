# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task is interrupted by a signal, by Ansible's time-out and by the end of the process that started it; it cleans up first."""

from __future__ import annotations

import contextvars
import signal
import subprocess
import sys
import threading
import time
from typing import List

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.interrupts import run_interruptible

# A child that waits within a task, and says how that ended; its parent ends at once.
CHILD = """
import os, threading
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.interrupts import run_interruptible
ready, child = os.pipe()
if os.fork():
    os.read(ready, 1)
    os.kill(os.getpid(), 9)
cancel = threading.Event()
def body():
    os.write(child, b"x")
    cancel.wait(60)
try:
    run_interruptible(body, cancel)
except KeyboardInterrupt as interrupt:
    print(interrupt, flush=True)
"""
# Children that are interrupted while their task hands out work as fast as it can, or removes what it has made, by a signal or
# by an exception out of a handler like Ansible's; prints how many did not end, and how many have not removed all of it.
INTERRUPTED = """
import os, random, signal, threading, time
from ansible_collections.securescan.kubernetes.plugins.module_utils import bounded_work
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.interrupts import run_interruptible

bounded_work._PROGRESS_INTERVAL = 0.0002
cancel, steps = threading.Event(), []

def time_out(*_signal):
    raise TimeoutError

def task():
    steps.append("begun")
    try:
        for _done in bounded_work.run_bounded(range(40), lambda item: time.sleep(0.0005), 4, cancel, lambda done: None):
            pass
    finally:
        for _thing in range(5):
            time.sleep(0.001)
            steps.append("removed")

def child():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, time_out)
    try:
        run_interruptible(task, cancel)
    except (KeyboardInterrupt, TimeoutError, ScanError):
        pass
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    os._exit(1 if len(steps) not in (0, 6) else 0)

chance, hanging, remaining = random.Random(5), 0, 0
for moment in range(200):
    pid = os.fork()
    if pid == 0:
        child()
    time.sleep(chance.uniform(0.004, 0.016))
    os.kill(pid, signal.SIGALRM if moment % 2 else signal.SIGTERM)
    deadline, done = time.monotonic() + 10, 0
    while not done and time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.0005)
    if not done:
        hanging += 1
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    elif os.WIFEXITED(status):
        remaining += os.WEXITSTATUS(status)
print(hanging, remaining)
"""


def test_the_end_of_the_parent_interrupts() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "the parent ended\n")


def test_a_task_is_told_by_cancel_and_ends_before_the_interrupt_is_raised() -> None:
    before, cancel = signal.getsignal(signal.SIGTERM), threading.Event()
    ended: List[str] = []

    def body() -> None:
        signal.raise_signal(signal.SIGTERM)
        assert cancel.wait(5)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.3)
        ended.append("cleaned up")

    with pytest.raises(KeyboardInterrupt, match="signal 15"):
        run_interruptible(body, cancel)
    assert ended == ["cleaned up"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_another_handler_raises_is_raised_when_the_task_has_ended() -> None:
    def time_out(*_signal: object) -> None:
        raise TimeoutError("Ansible's")

    cancel, ended = threading.Event(), []

    def body() -> None:
        ended.append(cancel.wait(5))

    before = signal.signal(signal.SIGALRM, time_out)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(TimeoutError, match="Ansible's"):
            run_interruptible(body, cancel)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == [True]


def test_results_errors_and_context_pass() -> None:
    variable = contextvars.ContextVar("variable", default="nothing")
    variable.set("Ansible's")
    assert run_interruptible(variable.get, threading.Event()) == "Ansible's"
    with pytest.raises(ZeroDivisionError):
        run_interruptible(lambda: 1 // 0, threading.Event())


def test_at_whatever_moment_it_is_interrupted_it_ends_and_cleans_up() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    assert done.stdout == "0 0\n"
