# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses within a deadline, on a clock that the test sets."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network import deadline as deadline_module
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline


class Clock:
    """A machine that wakes who sleeps so many seconds too late."""

    def __init__(self, late: float) -> None:
        self.now = 0.0
        self._late = late

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + self._late


@pytest.fixture
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(late=0.5)
    monkeypatch.setattr(deadline_module, "time", clock)
    return clock


def test_a_pause_that_fitted_in_is_no_failure_where_the_machine_wakes_us_too_late(
    busy_machine: Clock,
) -> None:
    deadline = Deadline(10.0)
    deadline.sleep(9.9)
    assert busy_machine.now > 10.0 and deadline.remaining() == 0.0
    with pytest.raises(ScanError) as caught:
        deadline.check()
    assert caught.value.reason == "timed_out"


def test_a_pause_that_is_longer_than_the_deadline_ends_with_it(busy_machine: Clock) -> None:
    with pytest.raises(ScanError) as caught:
        Deadline(10.0).sleep(60.0)
    assert caught.value.reason == "timed_out" and busy_machine.now < 11.0


def test_a_pause_is_cancelled_also_when_it_is_over() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ScanError) as caught:
        Deadline(10.0, cancel).sleep(0.0)
    assert caught.value.reason == "cancelled"
