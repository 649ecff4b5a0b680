# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is interrupted: it is told to stop, and removes what it has made in the cluster on its way out.

Ansible ends its workers by SIGTERM when the operator presses Ctrl-C. A worker that handles no SIGTERM dies at
once, and the access stays in the cluster. A job system whose SIGTERM has no effect kills ansible-playbook;
its workers get no signal then, and would scan to the end although nobody waits for the result.

What this relies on in CPython, 3.9 to 3.13:

- Handlers in Python run in the main thread alone, between two instructions or within a call that waits; so an
  exception that a handler raises can come at any of these places. Modules/signalmodule.c
  (PyErr_CheckSignals), called by Python/ceval.c, since 3.12 by Python/ceval_gil.c.
- `acquire` of a lock of `_thread` runs the handlers when a signal comes, and then waits on for the rest of
  its time. Modules/_threadmodule.c (acquire_timed), since 3.13 Python/thread.c
  (PyThread_acquire_lock_timed_with_retries).
- `start_new_thread` starts the thread in one call of C. `Thread.start` does more in Python: it takes a lock
  of its module, and waits for an Event, so an exception may leave that lock held. Modules/_threadmodule.c;
  Lib/threading.py.
- `append` to a list is one step for all threads, so they agree on the first entry. Objects/listobject.c.
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
# How often the main thread looks for a signal, and whether its parent process is still there. The kernel
# could tell the latter (PR_SET_PDEATHSIG), but it does so when the thread that forked ends, which can be
# before its process does.
_LOOK_SECONDS = 0.1
Result = TypeVar("Result")


def run_interruptible(body: Callable[[], Result], cancel: threading.Event) -> Result:
    """Runs `body` in a thread of its own, and returns or raises what it does. The main thread waits for it,
    and sets `cancel` at the first of: SIGINT, SIGTERM, SIGHUP, the end of the parent process, an exception
    that another signal's handler raises (Ansible's time-out).

    An exception that a handler raises can come between any two instructions: in the middle of a removal, or
    while a lock is held, which then is never released. So no such exception reaches `body`. It ends because
    everything that it waits on looks at `cancel`.

    :raises KeyboardInterrupt: when it was interrupted; `body` has ended by then, and what it has raised is the cause
    """
    if threading.current_thread() is not threading.main_thread():
        # only a main thread is allowed to handle signals; whoever runs tasks in threads handles them itself
        return body()
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
    if interruption:
        raise interruption from error
    if error:
        raise error
    return result  # type: ignore[return-value]  # there is one where nothing was raised


class _BodyThread:
    """A body in a thread of its own. Its state is in lists and in a lock of `_thread`: an exception between
    any two instructions of the main thread finds it whole. A Thread's start, an Event and a Future hold locks
    that are written in Python."""

    def __init__(self, body: Callable[[], Any]) -> None:
        self._body = body
        # The first entry decides: "thread" runs the body, "main" has withdrawn it before that.
        self._claims: list[str] = []
        self._running = allocate_lock()
        self._running.acquire()
        # Ansible keeps the task's state in context variables.
        self._context = contextvars.copy_context()
        # Empty while the body runs, then one pair: what it has returned, and what it has raised.
        self.outcomes: list[tuple[Any, BaseException | None]] = []

    def start(self) -> None:
        start_new_thread(self._context.run, (self._run,))

    def withdraw(self) -> bool:
        """Keeps the body from starting; True if it had not started yet."""
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
    """Starts the thread and waits until it has ended. What has interrupted it, None for nothing.

    Everything is within the `try`, because an exception can also come where a loop jumps back, and just after
    the start. A signal counts even if the body has ended by then: it is meant for whatever the process would
    do next."""
    parent = os.getppid()
    interruption: BaseException | None = None
    while True:
        try:
            if interruption is None:
                thread.start()
            while True:
                if received or os.getppid() != parent:  # a process whose parent has ended gets another parent
                    interruption = interruption or KeyboardInterrupt(
                        f"signal {received[0]}" if received else "the parent ended"
                    )
                if interruption and not cancel.is_set():
                    cancel.set()
                if thread.outcomes or (interruption and thread.withdraw()):
                    return interruption
                thread.wait(_LOOK_SECONDS)
        except BaseException as raised:  # noqa: BLE001 - raised again when the body has ended
            interruption = interruption or raised
