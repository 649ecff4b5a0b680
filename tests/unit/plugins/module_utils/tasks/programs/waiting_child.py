# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child that waits within a task, and says how that ended; its parent ends at once."""

from __future__ import annotations

import os
import threading

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
