# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines and the limiter."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.limiter import Limiter
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline


def test_deadline_passes() -> None:
    deadline = Deadline(0.05, tried="list pods")
    deadline.check()
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
    assert time.monotonic() - started < 5


def test_narrowed_keeps_the_earlier_end_and_the_cancel() -> None:
    cancel = threading.Event()
    outer = Deadline(1, cancel)
    assert outer.narrowed(30).remaining() <= 1
    assert outer.narrowed(0.1).remaining() <= 0.1
    assert outer.narrowed(0.1).cancel is cancel


def test_caps_hold_for_cluster_node_and_namespace() -> None:
    limiter = Limiter(per_cluster=6, per_node=3, per_namespace=4)
    lock = threading.Lock()
    held: dict[str, int] = {}
    most: dict[str, int] = {}

    def work(number: int) -> None:
        keys = ["cluster", f"node-{number % 3}", f"ns-{number % 2}"]
        with limiter.slot(node=keys[1], namespace=keys[2]):
            with lock:
                for key in keys:
                    held[key] = held.get(key, 0) + 1
                    most[key] = max(most.get(key, 0), held[key])
            time.sleep(0.005)
            with lock:
                for key in keys:
                    held[key] -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert most["cluster"] == 6
    assert max(most[f"node-{number}"] for number in range(3)) == 3
    assert max(most[f"ns-{number}"] for number in range(2)) <= 4
    assert limiter.in_flight() == 0


def test_a_full_node_does_not_hold_up_another() -> None:
    limiter = Limiter(per_node=1)
    with (
        limiter.slot(node="a"),
        limiter.slot(node="b"),
        pytest.raises(ScanError) as caught,
        limiter.slot(node="a", deadline=Deadline(0.05)),
    ):
        pass
    assert caught.value.reason == "timed_out"
    with limiter.slot(node="a"):
        pass


def test_waiting_for_a_slot_can_be_cancelled() -> None:
    limiter = Limiter(per_cluster=1)
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    started = time.monotonic()
    with limiter.slot(), pytest.raises(ScanError) as caught, limiter.slot(deadline=Deadline(30, cancel)):
        pass
    assert caught.value.reason == "cancelled"
    assert time.monotonic() - started < 5
    assert limiter.in_flight() == 0


def test_the_rate_is_kept_after_the_burst() -> None:
    limiter = Limiter(rate=100, burst=5)
    started = time.monotonic()
    times: list[float] = []
    for _number in range(15):
        limiter.pace(Deadline(5))
        times.append(time.monotonic() - started)
    assert times[4] < 0.05
    assert 0.09 <= times[14] < 0.3


def test_a_slot_is_given_back_when_the_work_fails() -> None:
    limiter = Limiter(per_cluster=1)
    with pytest.raises(ZeroDivisionError), limiter.slot():
        raise ZeroDivisionError
    with limiter.slot(deadline=Deadline(0.05)):
        assert limiter.in_flight() == 1
