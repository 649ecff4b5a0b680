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
from _thread import start_new_thread
from queue import Empty, SimpleQueue
from typing import Callable, List, Optional, Sequence, Tuple, TypeVar

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
        return body()  # only a main thread may handle signals; whoever runs tasks in threads handles them itself
    outcomes: List[Tuple[Optional[Result], Optional[BaseException]]] = []
    ended: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        try:
            outcomes.append((body(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            outcomes.append((None, error))
        ended.put(None)

    received: List[int] = []
    before = {number: signal.signal(number, lambda number, _frame: received.append(number)) for number in _SIGNALS}
    try:
        # Ansible keeps what it knows of the task in context variables. Not a Thread: its start holds a lock written in Python.
        start_new_thread(contextvars.copy_context().run, (run,))
        interruption = _wait(outcomes, ended, received, cancel)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    result, error = outcomes[0]
    if interruption or error:
        raise interruption or error  # type: ignore[misc]  # one of them is there
    return result  # type: ignore[return-value]  # there is one where there is no error


def _wait(outcomes: Sequence[object], ended: SimpleQueue[None], received: Sequence[int],
          cancel: threading.Event) -> Optional[BaseException]:
    """Until there is an outcome; returns what has interrupted it. It holds no lock, and loses nothing at whatever step it is
    interrupted itself: what counts is in the lists."""
    parent, interruption = os.getppid(), None  # type: int, Optional[BaseException]
    while True:
        try:
            if received or os.getppid() != parent:  # a process whose parent ends gets another one
                interruption = interruption or KeyboardInterrupt("signal %d" % received[0] if received else "the parent ended")
            if interruption:
                cancel.set()
            if outcomes:
                return interruption
            ended.get(timeout=_LOOK_SECONDS)
        except Empty:
            pass
        except BaseException as raised:  # noqa: BLE001 - out of another's handler; raised again when the body has ended
            interruption = interruption or raised
