# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a task: turned into an exception, so that what was made in the cluster is removed on the way out.

Ansible ends its workers by SIGTERM when the operator presses Ctrl-C, and a worker that does nothing about it dies at
once, with the access still in the cluster.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it, the first of SIGINT, SIGTERM and SIGHUP raises KeyboardInterrupt in the main thread.

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
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
