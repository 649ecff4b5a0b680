# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on many items: bounded, in the order of finishing, and it ends when it is cancelled."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import bounded_work
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError


def collect(items, work, concurrency=4, cancel=None, say=lambda done: None):
    return list(bounded_work.run_bounded(items, work, concurrency, cancel or threading.Event(), say))


def test_every_item_is_done_once_and_never_more_than_allowed_at_a_time():
    running, most, lock = 0, 0, threading.Lock()

    def work(item):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return item * 2

    assert sorted(collect(range(50), work)) == [(item, item * 2) for item in range(50)]
    assert 2 <= most <= 4


def test_items_are_taken_as_they_are_needed():
    taken = []

    def source():
        for item in range(100):
            taken.append(item)
            yield item

    results = bounded_work.run_bounded(source(), lambda item: item, 2, threading.Event(), lambda done: None)
    next(results)
    assert len(taken) <= 6
    results.close()


def test_progress_is_said_about_once_a_second(monkeypatch):
    monkeypatch.setattr(bounded_work, "_PROGRESS_INTERVAL", 0.05)
    said, begun = [], time.monotonic()
    collect(range(8), lambda item: time.sleep(0.05), concurrency=2, say=said.append)
    assert said == sorted(said)
    assert 1 <= len(said) <= (time.monotonic() - begun) / 0.05


def test_when_it_is_cancelled_nothing_new_is_begun():
    cancel, begun = threading.Event(), []

    def work(item):
        begun.append(item)
        cancel.wait(60)

    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(ScanError, match="SCAN-507"):
        collect(range(100), work, concurrency=2, cancel=cancel)
    assert len(begun) == 2


def test_a_caller_that_stops_cancels_it():
    cancel = threading.Event()
    results = bounded_work.run_bounded(
        range(100), lambda item: item and cancel.wait(60), 2, cancel, lambda done: None
    )
    assert next(results) == (0, 0)
    results.close()
    assert cancel.is_set()


def test_what_work_raises_stops_the_caller():
    def work(item):
        raise ValueError(item)

    cancel = threading.Event()
    with pytest.raises(ValueError, match="0"):
        collect([0, 0], work, cancel=cancel)
    assert cancel.is_set()
