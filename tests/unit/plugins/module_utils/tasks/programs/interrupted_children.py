# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Children that are interrupted while their task begins, hands out work as fast as it can, or removes what it has made, by a
signal or by an exception out of a handler like Ansible's.

Prints how many did not end, and what those have seen that have not removed all of it.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import traceback

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
        for _done in bounded_work.run_bounded(
            range(20), lambda item: time.sleep(0.0005), 4, cancel, lambda done: None
        ):
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
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        os.write(said, traceback.format_exc().encode())
    if len(steps) not in (0, 6):
        os.write(said, (f"{steps} {raised}").encode())


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
    deadline, done = time.monotonic() + 60, 0
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
