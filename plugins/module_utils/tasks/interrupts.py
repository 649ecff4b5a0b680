# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a task from outside: turned into an exception, so that what was made in the cluster is removed on the way out.

Ansible ends its workers by SIGTERM when the operator presses Ctrl-C, and a worker that does nothing about it dies at
once, with the access still in the cluster. A job system that is not heeded kills ansible-playbook outright; its workers are
then told nothing, and would scan to the end for nobody.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How often a task looks whether the process that started it is there. The kernel could tell (PR_SET_PDEATHSIG), but it tells
# of the thread that forked, which may end before its process.
_LOOK_SECONDS = 0.5


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it, the first of SIGINT, SIGTERM, SIGHUP and the parent process's end raises KeyboardInterrupt in the main thread.

    Later ones are ignored until the end: they would interrupt the removal that the first has set off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only a main thread may handle signals; whoever runs tasks in threads handles them itself
        return
    raised = False

    def interrupt(number: int, _frame: Optional[FrameType]) -> None:
        nonlocal raised
        if not raised:
            raised = True
            raise KeyboardInterrupt("signal %d" % number)

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    over = threading.Event()
    watch = threading.Thread(target=_watch_parent, args=(os.getppid(), threading.get_ident(), over), daemon=True,
                             name="watch-parent")
    watch.start()
    try:
        yield
    finally:
        # before the handlers go: what it sends would end the process
        over.set()
        watch.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch_parent(parent: int, thread: int, over: threading.Event) -> None:
    """Sends the thread SIGTERM when the parent is gone: a process whose parent ends gets another one."""
    while not over.wait(_LOOK_SECONDS):
        if os.getppid() != parent:
            signal.pthread_kill(thread, signal.SIGTERM)
            return
