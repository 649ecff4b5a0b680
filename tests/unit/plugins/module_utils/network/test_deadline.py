# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline ends what waits for it, and so does its cancel."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline


def test_deadline_passes() -> None:
    Deadline(60, tried="list pods").check()
    deadline = Deadline(0.05, tried="list pods")
    with pytest.raises(ScanError) as caught:
        deadline.sleep(5)
    assert (caught.value.reason, caught.value.tried) == ("timed_out", "list pods")
    assert deadline.remaining() == 0


def test_deadline_is_cancelled_soon() -> None:
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(ScanError) as caught:
        Deadline(30, cancel).sleep(30)
    assert caught.value.reason == "cancelled"
    assert time.monotonic() - started < 25


def test_narrowed_keeps_the_earlier_end_and_the_cancel() -> None:
    cancel = threading.Event()
    outer = Deadline(1, cancel)
    assert outer.narrowed(30).remaining() <= 1
    assert outer.narrowed(0.1).remaining() <= 0.1
    assert outer.narrowed(0.1).cancel is cancel
