# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task is interrupted by a signal, by Ansible's time-out and by the end of the process that started it; it cleans up first."""

from __future__ import annotations

import contextvars
import pathlib
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

PROGRAMS = pathlib.Path(__file__).parent / "programs"


def test_the_end_of_the_parent_interrupts() -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "waiting_child.py")],
        stdout=subprocess.PIPE,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "the parent ended\n")


def test_a_task_is_told_by_cancel_and_ends_before_the_interrupt_is_raised() -> None:
    before, cancel = signal.getsignal(signal.SIGTERM), threading.Event()
    ended: list[str] = []

    def body() -> None:
        signal.raise_signal(signal.SIGTERM)
        assert cancel.wait(60)
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
        ended.append(cancel.wait(60))

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
        assert cancel.wait(60)
        time.sleep(0.3)
        ended.append("cleaned up")

    def start_and_be_interrupted(*arguments: Any) -> None:
        start_new_thread(*arguments)
        assert begun.wait(60)
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
        [sys.executable, str(PROGRAMS / "interrupted_children.py")],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout == "0 \n"
