# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run: bounded, cancelled cleanly, and no target hides another."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import run
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import CollectionRequest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget


def collect(items, work, concurrency=4, cancel=None, say=lambda done: None):
    return list(run.run_bounded(items, work, concurrency, cancel or threading.Event(), say))


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

    results = run.run_bounded(source(), lambda item: item, 2, threading.Event(), lambda done: None)
    next(results)
    assert len(taken) <= 6
    results.close()


def test_progress_is_said_about_once_a_second(monkeypatch):
    monkeypatch.setattr(run, "_PROGRESS_INTERVAL", 0.05)
    said = []
    collect(range(8), lambda item: time.sleep(0.05), concurrency=2, say=said.append)
    assert said == sorted(said)
    assert 2 <= len(said) <= 6


def test_an_interrupt_sets_cancel_and_begins_nothing_new():
    cancel, begun = threading.Event(), []

    def work(item):
        begun.append(item)
        cancel.wait(5)

    def interrupt(*_signal):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    started = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            collect(range(100), work, concurrency=2, cancel=cancel)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cancel.is_set()
    assert len(begun) <= 4
    assert time.monotonic() - started < 10


class Approach:
    name = "exec"

    def __init__(self, failure):
        self.failure = failure

    def collect(self, selected, request):
        raise self.failure


@pytest.mark.parametrize(("failure", "reason"), [
    (ScanError("pod_gone", "gone"), "pod_gone"),
    (ValueError("a defect"), "internal"),
])
def test_what_goes_wrong_with_a_target_is_its_outcome(failure, reason):
    pod = {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {}, "status": {}}
    target = Target(cluster="c", namespace="n", workload_kind="Pod", workload="p", pod="p", pod_uid="u", container="x")
    plan = run.ScanPlan(run_id="r", approach=Approach(failure), request=CollectionRequest((), 10.0), profiles=())
    outcome = run.scan_target(plan, SelectedTarget(target, PodSnapshot.from_object(pod)))
    assert outcome.judgement is None
    assert outcome.error.reason == reason
