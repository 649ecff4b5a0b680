# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a task from outside: it is told to stop, and removes what it has made in the cluster on its way out.

Ansible ends its workers by SIGTERM when the operator presses Ctrl-C, and a worker that does nothing about it dies at
once, with the access still in the cluster. A job system that is not heeded kills ansible-playbook outright; its workers are
then told nothing, and would scan to the end for nobody.
"""

from __future__ import annotations

import contextvars
import os
import signal
import threading
from _thread import allocate_lock, start_new_thread
from collections.abc import Sequence
from typing import Any, Callable, TypeVar

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How often the main thread looks for a signal, and whether the process that started it is there. The kernel could tell the
# latter (PR_SET_PDEATHSIG), but it tells of the thread that forked, which may end before its process.
_LOOK_SECONDS = 0.1
Result = TypeVar("Result")


def run_interruptible(body: Callable[[], Result], cancel: threading.Event) -> Result:
    """What `body` returns or raises. It has a thread of its own; the main thread waits for it, and sets `cancel` at the first of
    SIGINT, SIGTERM, SIGHUP, the parent process's end and an exception that another signal's handler raises (Ansible's time-out).

    An exception out of a handler strikes between any two steps: in the middle of a removal, or where a lock is held that is
    then never given back. So none reaches `body`, which ends because all that it waits on looks at `cancel`.

    :raises KeyboardInterrupt: it was interrupted, and `body` has ended since
    """
    if threading.current_thread() is not threading.main_thread():
        return (
            body()
        )  # only a main thread may handle signals; whoever runs tasks in threads handles them itself
    thread = _BodyThread(body)
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number in _SIGNALS:
            signal.signal(number, lambda number, _frame: received.append(number))
        interruption = _wait(thread, received, cancel)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    result, error = thread.outcomes[0] if thread.outcomes else (None, None)
    raised = interruption or error
    if raised:
        raise raised
    return result  # type: ignore[return-value]  # there is one where nothing was raised


class _BodyThread:
    """A body in a thread of its own. Its state is in lists and in a lock of C's: an exception between any two steps of the
    main thread finds it whole. (A Thread's start, an Event and a Future hold locks that are written in Python.)"""

    def __init__(self, body: Callable[[], Any]) -> None:
        self._body = body
        # The first one decides: the thread runs the body, or the main thread has withdrawn it before that.
        self._claims: list[str] = []
        self._running = allocate_lock()
        self._running.acquire()
        # Ansible keeps what it knows of the task in context variables.
        self._context = contextvars.copy_context()
        # What it returned and what it raised; one, when it has ended.
        self.outcomes: list[tuple[Any, BaseException | None]] = []

    def start(self) -> None:
        start_new_thread(self._context.run, (self._run,))

    def withdraw(self) -> bool:
        """Whether it has not begun; then it never will."""
        if not self._claims:
            self._claims.append("main")
        return self._claims[0] == "main"

    def wait(self, seconds: float) -> None:
        self._running.acquire(timeout=seconds)

    def _run(self) -> None:
        self._claims.append("thread")
        if self._claims[0] == "thread":
            try:
                self.outcomes.append((self._body(), None))
            except BaseException as error:  # noqa: BLE001 - raised again in the main thread
                self.outcomes.append((None, error))
            self._running.release()


def _wait(thread: _BodyThread, received: Sequence[int], cancel: threading.Event) -> BaseException | None:
    """Start it and wait until it has ended; returns what has interrupted it.

    The whole stands within the `try`: an exception may strike at a loop's jump back and after the start as well. A signal counts
    even where the body has ended since: it was meant for whoever goes on."""
    parent = os.getppid()
    interruption: BaseException | None = None
    while True:
        try:
            if interruption is None:
                thread.start()
            while True:
                if received or os.getppid() != parent:  # a process whose parent ends gets another one
                    interruption = interruption or KeyboardInterrupt(
                        f"signal {received[0]}" if received else "the parent ended"
                    )
                if interruption and not cancel.is_set():
                    cancel.set()
                if thread.outcomes or (interruption and thread.withdraw()):
                    return interruption
                thread.wait(_LOOK_SECONDS)
        except BaseException as raised:  # noqa: BLE001 - out of another's handler; raised again when the body has ended
            interruption = interruption or raised
