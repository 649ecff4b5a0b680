# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of requests: nothing is lost, nothing is done twice, whatever is killed."""

from __future__ import annotations

import json
import pathlib
import stat
import threading

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests import request_queue
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import Request
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request_queue import RequestQueue
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: pathlib.Path, clock: Clock) -> RequestQueue:
    queue = RequestQueue(tmp_path / "queue", clock)
    queue.create()
    return queue


def wish(cluster: str = "prod", namespace: str = "shop", **more: str) -> Request:
    return Request("scan", cluster, (namespace,), **more)  # type: ignore[arg-type]


def test_requests_are_taken_in_the_order_in_which_they_came_one_per_cluster(queue: RequestQueue) -> None:
    first = queue.submit(wish(namespace="a"), "web").queued
    second = queue.submit(wish(namespace="b"), "web").queued
    other = queue.submit(wish("lab"), "web").queued

    assert queue.take("prod", 100) is not None
    assert queue.take("prod", 100) is None
    taken = queue.take("lab", 100)
    assert taken is not None
    assert taken.request_id == other.request_id
    queue.end(first.request_id, "passed", "/results/prod/x")
    taken = queue.take("prod", 100)
    assert taken is not None
    assert taken.request_id == second.request_id


def test_a_request_goes_from_queued_to_ended(queue: RequestQueue) -> None:
    queued = queue.submit(wish(), "web").queued
    taken = queue.take("prod", 100)
    ended = queue.end(queued.request_id, "failed", "/results/prod/x", "gate failed")

    assert taken is not None
    assert (queued.state, taken.state, ended.state) == ("queued", "running", "ended")
    assert queue.find(queued.request_id) == ended
    assert ended.answer() == {
        "run_id": queued.request_id,
        "state": "ended",
        "cluster": "prod",
        "outcome": "failed",
    }
    assert [queue.in_state(state) for state in ("queued", "running")] == [[], []]


def test_the_run_id_sorts_by_time_and_can_be_part_of_names_in_the_cluster(queue: RequestQueue) -> None:
    from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import check_run_id

    one, other = (queue.submit(wish(namespace=name), "web").queued.request_id for name in ("a", "b"))

    assert check_run_id(one) < check_run_id(other)


def test_the_same_message_again_is_answered_as_the_first_one_whatever_has_become_of_it(
    queue: RequestQueue,
) -> None:
    first = queue.submit(wish(key="delivery-1"), "kafka")
    again = queue.submit(wish(key="delivery-1"), "kafka")
    queue.take("prod", 100)
    queue.end(first.queued.request_id, "passed")
    late = queue.submit(wish(key="delivery-1"), "kafka")

    assert [first.is_new, again.is_new, late.is_new] == [True, False, False]
    assert {again.queued.request_id, late.queued.request_id} == {first.queued.request_id}
    assert late.queued.outcome == "passed"
    attack_ends_as("32-replayed", outcome="the run id of the first one; no second scan")


def test_no_sender_can_take_the_name_that_the_bus_has_for_a_message(queue: RequestQueue) -> None:
    queue.submit(wish(namespace="a", key="topic/0/57"), "kafka", "topic/0/12")

    told = queue.submit(wish(namespace="b"), "kafka", "topic/0/57")

    assert told.is_new
    assert not queue.submit(wish(namespace="b"), "kafka", "topic/0/57").is_new


def test_nobody_can_tell_a_run_id_beforehand(tmp_path: pathlib.Path, clock: Clock) -> None:
    ids = set()
    for name in ("one", "another"):
        queue = RequestQueue(tmp_path / name, clock)
        queue.create()
        ids.add(queue.submit(wish(key="delivery-1"), "kafka").queued.request_id)

    assert len(ids) == 2


def test_what_could_not_be_read_back_does_not_come_into_the_queue(queue: RequestQueue) -> None:
    with pytest.raises(ScanError) as refused:
        queue.submit(Request("scan", "prod", ("shop",), workloads=("Kind/a b",)), "overdue")

    assert refused.value.reason == "bad_request"
    assert queue.submit(wish(), "web").is_new


def test_the_same_key_of_another_way_in_is_another_message(queue: RequestQueue) -> None:
    queue.submit(wish(namespace="a", key="1"), "kafka")

    assert queue.submit(wish(namespace="b", key="1"), "nats").is_new


def test_the_same_wish_joins_the_one_that_waits_and_is_new_when_that_one_runs(queue: RequestQueue) -> None:
    first = queue.submit(wish(), "web").queued
    joined = queue.submit(wish(because="again"), "kafka")
    queue.take("prod", 100)

    assert (joined.is_new, joined.queued.request_id, joined.queued.asked) == (False, first.request_id, 2)
    assert queue.submit(wish(), "web").is_new


def test_a_full_queue_refuses_and_forgets_nothing(
    queue: RequestQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_queue, "MOST_QUEUED", 2)
    for name in ("a", "b"):
        queue.submit(wish(namespace=name), "web")

    with pytest.raises(ScanError) as refused:
        queue.submit(wish(namespace="c"), "web")

    assert refused.value.reason == "queue_full"
    assert len(queue.in_state("queued")) == 2
    attack_ends_as("32-flood", outcome="503 when 1,000 wait; those stay")


def test_a_scan_that_does_not_end_in_time_gives_its_request_back_and_loses_it_in_the_end(
    queue: RequestQueue, clock: Clock
) -> None:
    request_id = queue.submit(wish(), "web").queued.request_id
    for attempt in (1, 2, 3):
        taken = queue.take("prod", 50)
        assert taken is not None
        assert (taken.request_id, taken.attempts) == (request_id, attempt)
        clock.now += 60

    assert queue.take("prod", 50) is None
    lost = queue.find(request_id)
    assert lost is not None
    assert (lost.state, lost.outcome) == ("ended", "lost")
    with pytest.raises(ScanError, match="SCAN-914"):
        queue.end(request_id, "passed")


def test_what_a_killed_process_has_left_in_two_places_counts_once(queue: RequestQueue) -> None:
    queued = queue.submit(wish(), "web").queued
    held = (queue.folder / "queued" / f"{queued.request_id}.json").read_bytes()
    queue.take("prod", 100)
    (queue.folder / "queued" / f"{queued.request_id}.json").write_bytes(held)

    assert queue.in_state("queued") == []
    found = queue.find(queued.request_id)
    assert found is not None
    assert found.state == "running"
    queue.end(queued.request_id, "passed")
    assert not (queue.folder / "queued" / f"{queued.request_id}.json").exists()


def test_only_the_latest_ended_ones_are_kept(queue: RequestQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "MOST_ENDED", 2)
    for name in ("a", "b", "c"):
        request_id = queue.submit(wish(namespace=name), "web").queued.request_id
        queue.take("prod", 100)
        queue.end(request_id, "passed")

    assert [one.request.namespaces for one in queue.in_state("ended")] == [("b",), ("c",)]


def test_only_the_owner_can_read_the_queue(queue: RequestQueue) -> None:
    queued = queue.submit(wish(), "web").queued
    file = queue.folder / "queued" / f"{queued.request_id}.json"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(queue.folder.stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: pathlib.Path, clock: Clock) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    with pytest.raises(ScanError, match="SCAN-105"):
        RequestQueue(shared / "queue", clock).create()


def test_a_file_that_is_not_ours_stops_the_queue_with_its_name(queue: RequestQueue) -> None:
    queued = queue.submit(wish(), "web").queued
    file = queue.folder / "queued" / f"{queued.request_id}.json"
    held = json.loads(file.read_text())
    held["request"]["cluster"] = "{{ x }}"
    file.write_text(json.dumps(held))

    with pytest.raises(ScanError, match=str(file)) as refused:
        queue.take("prod", 100)

    assert refused.value.reason == "bad_results"


def test_many_at_once_lose_nothing_and_take_nothing_twice(tmp_path: pathlib.Path, clock: Clock) -> None:
    queue = RequestQueue(tmp_path / "queue", clock)
    queue.create()
    taken: list[str] = []

    def work(number: int) -> None:
        own = RequestQueue(tmp_path / "queue", clock)
        own.submit(wish(f"c{number}"), "web")
        found = own.take(f"c{number % 4}", 1000)
        if found is not None:
            taken.append(found.request_id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken))
    assert len(queue.in_state("queued")) + len(queue.in_state("running")) == 8
