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
from _thread import start_new_thread
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks import interrupts
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
# Children that are interrupted while their task begins, hands out work as fast as it can, or removes what it has made, by a
# signal or by an exception out of a handler like Ansible's; prints how many did not end, and what those have seen that have not
# removed all of it.
INTERRUPTED = """
import os, random, signal, threading, time, traceback
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
        for _done in bounded_work.run_bounded(range(20), lambda item: time.sleep(0.0005), 4, cancel, lambda done: None):
            pass
    finally:
        for _thing in range(5):
            time.sleep(0.0004)
            steps.append("removed")

def run(ready):
    try:
        signal.signal(signal.SIGALRM, time_out)
        os.write(ready, b"x")
        run_interruptible(task, cancel)
    except (KeyboardInterrupt, TimeoutError, ScanError):
        return traceback.format_exc()

def child(ready, said):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raised = "nothing was raised"
    try:
        raised = run(ready)
    except TimeoutError:
        pass  # it came when all was over
    except BaseException:
        os.write(said, traceback.format_exc().encode())
    if len(steps) not in (0, 6):
        os.write(said, ("%s %s" % (steps, raised)).encode())

chance, hanging = random.Random(5), 0
wrong, said = os.pipe()
for moment in range(300):
    begun, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(ready, said)
        finally:
            os._exit(0)
    os.read(begun, 1)
    os.close(begun)
    os.close(ready)
    # two of three at its beginning, when the thread is started
    due = time.monotonic() + (chance.uniform(0, 0.0006) if moment % 3 else chance.uniform(0, 0.006))
    while time.monotonic() < due:
        pass
    os.kill(pid, signal.SIGALRM if moment % 2 else signal.SIGTERM)
    deadline, done = time.monotonic() + 10, 0
    while not done and time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.0005)
    if not done:
        hanging += 1
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    elif status:
        os.write(said, b"status %d" % status)
os.close(said)
print(hanging, os.read(wrong, 5000).decode())
"""


def test_the_end_of_the_parent_interrupts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "the parent ended\n")


def test_a_task_is_told_by_cancel_and_ends_before_the_interrupt_is_raised() -> None:
    before, cancel = signal.getsignal(signal.SIGTERM), threading.Event()
    ended: list[str] = []

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


def test_a_signal_counts_when_the_task_ends_before_it_is_looked_for() -> None:
    with pytest.raises(KeyboardInterrupt, match="signal 15"):
        run_interruptible(lambda: signal.raise_signal(signal.SIGTERM), threading.Event())


def test_what_is_interrupted_before_it_begins_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[Any] = []
    ran: list[str] = []

    def start_later(*arguments: Any) -> None:
        late.append(arguments)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(interrupts, "start_new_thread", start_later)
    cancel = threading.Event()
    with pytest.raises(KeyboardInterrupt, match="signal 15"):
        run_interruptible(lambda: ran.append("it ran"), cancel)
    ((run, arguments),) = late
    run(*arguments)
    assert cancel.is_set() and not ran


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


def test_an_exception_just_after_the_start_and_a_second_one_leave_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, cancel, ended = threading.Event(), threading.Event(), []

    def body() -> None:
        begun.set()
        assert cancel.wait(5)
        time.sleep(0.3)
        ended.append("cleaned up")

    def start_and_be_interrupted(*arguments: Any) -> None:
        start_new_thread(*arguments)
        assert begun.wait(5)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        raise TimeoutError("just after the start")

    monkeypatch.setattr(interrupts, "start_new_thread", start_and_be_interrupted)
    before = signal.signal(signal.SIGALRM, lambda *_signal: 1 // 0)
    try:
        with pytest.raises(TimeoutError, match="just after the start"):
            run_interruptible(body, cancel)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == ["cleaned up"]


def test_no_thread_to_be_had_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(interrupts, "start_new_thread", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run_interruptible(lambda: pytest.fail("it ran"), threading.Event())


def test_at_whatever_moment_it_is_interrupted_it_ends_and_cleans_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True, timeout=300, check=True
    )
    assert done.stdout == "0 \n"
