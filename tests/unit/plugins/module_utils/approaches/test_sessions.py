# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions against the fake API server and this machine's shells: many requests are one exec, and each failure is named."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import PodRef, object_name
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import pack_pods
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.scanner import ScannerAccess
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import (
    Collected,
    collected_in,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.auto import AutoApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.choice import ApproachOptions
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_container import (
    DebugOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.exec import ExecApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import (
    ImageOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_side import (
    with_image_side,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.pod_entry import (
    ExecLimits,
    Means,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.session import Session
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.sidecar import SidecarApproach
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import (
    CollectionRequest,
    make_request,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.drift.listings import (
    drift_queries,
    image_queries,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.times import api_time
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    STDOUT,
    ExecStreams,
    Program,
    no_shell,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

pytest_plugins = ["ansible_collections.securescan.kubernetes.tests.support.fake_cluster"]

LOGIN, SYSCTL = Query("content", "/etc/login.defs"), Query("sysctl", "kernel.pid_max")
REQUESTS = [make_request([query]) for query in (LOGIN, SYSCTL, Query("processes"))]


class Shop:
    """A namespace of one pod, and what a scan of it works with."""

    def __init__(self, server: FakeApiServer, connection: ClusterConnection) -> None:
        self.server = server
        self.cancel = threading.Event()
        self.slots = threading.BoundedSemaphore(1)
        self._connection = connection

    def selected(self, program: Program) -> SelectedTarget:
        pod = self.server.add_pod("shop", "web-1", {"app": program})
        status = pod["status"]["containerStatuses"][0]
        target = Target(
            "c",
            "shop",
            "Pod",
            "web-1",
            "web-1",
            pod["metadata"]["uid"],
            "app",
            container_id=status["containerID"],
            image=status["image"],
            image_id=status["imageID"],
        )
        return SelectedTarget(target, PodSnapshot.from_object(pod), "linux")

    def means(self, selected: SelectedTarget, timeout: float = 60, output: int = 1 << 20) -> Means:
        account = f"/api/v1/namespaces/shop/serviceaccounts/{object_name('run-1')}"
        self.server.objects.put(account, {"kind": "ServiceAccount"})
        later = datetime.now(timezone.utc) + timedelta(seconds=900)
        access = {
            "run_id": "run-1",
            "approach": "exec",
            "packed_pods": pack_pods({"shop": [PodRef(selected.target.pod, selected.target.pod_uid)]}),
            "namespaces": [{"namespace": "shop", "expires": api_time(later)}],
        }
        grantor = RestClient(self._connection)
        scanner = ScannerAccess(grantor, self._connection, access, self.cancel)
        return Means(scanner, self.slots, ExecLimits(timeout, output), self.cancel)

    def has_free_slot(self) -> bool:
        is_free = self.slots.acquire(blocking=False)
        if is_free:
            self.slots.release()
        return is_free

    def execs(self) -> int:
        return sum(request.path.endswith("/exec") for request in self.server.requests)


@pytest.fixture
def shop(server: FakeApiServer, connection: ClusterConnection) -> Shop:
    return Shop(server, connection)


@pytest.fixture
def enter(shop: Shop) -> Iterator[Callable[..., Session]]:
    """Enters a container that runs a program, `sh` of this machine if none is given."""
    opened: list[Session] = []

    def enter_container(program: Program = run_locally, **limits: Any) -> Session:
        selected = shop.selected(program)
        opened.append(ExecApproach(shop.means(selected, **limits)).enter(selected))
        return opened[-1]

    yield enter_container
    for session in opened:
        session.close()


def shell(*argv: str) -> Program:
    """A container whose sh is another program of this machine."""
    return lambda _argv, streams: run_locally(list(argv), streams)


def losing_the_end(_argv: list[str], streams: ExecStreams) -> int:
    """A shell whose standard input is handed on 32 KiB at a time; what was not when it ends is lost, as containerd does it."""
    pieces: queue.Queue[bytes] = queue.Queue()
    ended = threading.Event()

    def receive() -> None:
        while piece := os.read(streams.stdin.fileno(), 32 * 1024):
            pieces.put(piece)
        ended.set()

    process = subprocess.Popen(
        ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    threading.Thread(target=receive, daemon=True).start()

    def tell() -> None:
        while data := os.read(process.stdout.fileno(), 65536):
            streams.write(STDOUT, data)

    told = threading.Thread(target=tell, daemon=True)
    told.start()
    while not ended.is_set() and process.poll() is None:
        with contextlib.suppress(queue.Empty, BrokenPipeError):
            process.stdin.write(pieces.get(timeout=0.1))
            process.stdin.flush()
            time.sleep(0.1)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    told.join()
    return process.wait()


def test_the_end_of_a_long_script_is_not_lost(shop: Shop) -> None:
    request = make_request([Query("content", f"/etc/{number:03d}-{'x' * 80}") for number in range(300)])
    assert len(build_script(request, "0" * 32)) > 32 * 1024
    selected = shop.selected(losing_the_end)
    facts = ExecApproach(shop.means(selected)).collect(selected, request).facts
    assert {fact.status for fact in facts.values()} == {"absent"}


def fails(work: Callable[[], Any]) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("argv", [("dash",), ("bash",), ("mksh",), ("busybox", "sh")], ids="-".join)
def test_three_requests_are_one_exec_and_each_has_the_facts_of_an_exec_of_its_own(
    shop: Shop, enter: Callable[..., Session], argv: tuple[str, ...]
) -> None:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"this machine has no {argv[0]}")
    selected = shop.selected(shell(*argv))
    approach = ExecApproach(shop.means(selected))
    with approach.enter(selected) as session:
        found = [session.collect(request) for request in REQUESTS]
        own = int(session.run(b"echo $$"))
    assert (shop.execs(), approach.execs) == (1, 1)
    alone = [approach.collect(selected, request).facts for request in REQUESTS]
    assert (shop.execs(), approach.execs) == (4, 4)
    assert all(fact.ok for facts in found for fact in facts.values())
    for facts, single in zip(found[:2], alone[:2]):
        assert (dict(facts), facts.collector) == (dict(single), single.collector)
    processes = found[2].get_fact(Query("processes")).value
    assert own not in [process["pid"] for process in processes], (
        "the session's shell is no process of the target"
    )
    assert own not in [process["ppid"] for process in processes]


def test_one_collection_costs_what_an_exec_of_its_own_costs(shop: Shop) -> None:
    """A look at the pod, one exec and a look afterwards; the rest is the token, once for a namespace."""
    selected = shop.selected(run_locally)
    approach = ExecApproach(shop.means(selected))
    approach.collect(selected, REQUESTS[0])
    before = len(shop.server.requests)
    assert approach.collect(selected, REQUESTS[0]).approach == "exec"
    assert [(seen.method, seen.path.rpartition("/")[2]) for seen in shop.server.requests[before:]] == [
        ("GET", "web-1"),
        ("GET", "exec"),
        ("GET", "web-1"),
    ]


def test_a_request_leaves_nothing_to_the_next_one(enter: Callable[..., Session]) -> None:
    session = enter()
    assert session.run(b"cd /tmp; x=1; f() { :; }; exec 2>/dev/null; printf %s no-line-end") == b"no-line-end"
    assert session.run(b"pwd; echo ${x-none}; type f >/dev/null 2>&1 || echo none").split()[1:] == [
        b"none",
        b"none",
    ]
    assert session.run(b'read -r line; echo "<$line>"') == b"<>\n", "it has no standard input to eat"
    assert session.run(b"printf 'a\\0\\377\\n\\n'") == b"a\0\xff\n\n", "bytes stay bytes"
    assert session.run(b":") == b""


def test_what_a_container_says_does_not_pass_for_the_end_of_an_answer(enter: Callable[..., Session]) -> None:
    forged = b"securescan-answered 00112233445566778899aabbccddeeff 0\nend 0 0\n"
    assert enter().run(b"printf '%s\\n' '" + forged.strip() + b"'") == forged


def test_a_request_that_fails_is_told_and_the_session_goes_on(
    shop: Shop, enter: Callable[..., Session]
) -> None:
    session = enter()
    error = fails(lambda: session.run(b"echo wrong >&2; exit 4"))
    assert (error.reason, error.tried) == ("collector_failed", "running a request in shop/web-1/app")
    assert error.message.startswith("exit status 4")
    killed = fails(lambda: session.run(b"exec sh -c 'kill -9 $$'"))
    assert (
        killed.reason == "collector_failed" and "signal 9" in killed.cause and "memory limit" in killed.advice
    )
    assert session.collect(REQUESTS[0]).get_fact(LOGIN).ok
    assert shop.execs() == 1


def test_a_shell_that_is_killed_ends_the_session_with_its_cause(enter: Callable[..., Session]) -> None:
    session = enter()
    error = fails(lambda: session.run(b"kill -9 $$; sleep 0.3"))
    assert error.reason == "collector_failed" and "signal 9" in error.cause
    assert fails(lambda: session.run(b":")).reason in ("collector_failed", "connection_lost")


def test_a_pod_that_is_gone_explains_a_lost_session(shop: Shop, enter: Callable[..., Session]) -> None:
    session = enter()
    shop.server.objects.answer("DELETE", "/api/v1/namespaces/shop/pods/web-1", {}, None)
    assert fails(lambda: session.run(b"kill -9 $$; sleep 0.3")).reason == "pod_gone"


def test_a_connection_that_breaks_loses_the_session(shop: Shop, enter: Callable[..., Session]) -> None:
    session = enter()
    threading.Timer(0.2, shop.server.cut_connections).start()
    assert fails(lambda: session.run(b"sleep 30")).reason == "connection_lost"
    assert fails(lambda: session.run(b":")).reason == "connection_lost"


def wait_until_ended(running: list[str]) -> None:
    """What the shell had begun holds its streams a little longer: a runtime does not end it, nor does the fake one."""
    wait_until(lambda: running == [], "the shells end")


@pytest.fixture
def running() -> list[str]:
    """The shells of `watched` that run."""
    return []


def watched(running: list[str]) -> Program:
    def run(argv: list[str], streams: ExecStreams) -> int:
        name = str(uuid.uuid4())
        running.append(name)
        try:
            return run_locally(argv, streams)
        finally:
            running.remove(name)

    return run


def test_a_session_that_is_cancelled_or_late_or_floods_kills_its_shell(
    shop: Shop, enter: Callable[..., Session], running: list[str], tmp_path: Path
) -> None:
    held = tmp_path / "held"
    endless = f"while [ -e {held} ]; do sleep 0.05; done".encode()
    held.touch()
    session = enter(watched(running))
    threading.Timer(0.3, shop.cancel.set).start()
    assert fails(lambda: session.run(endless)).reason == "cancelled"
    held.unlink()
    wait_until_ended(running)
    session.close()
    shop.cancel.clear()
    held.touch()
    late = enter(watched(running))
    assert late.run(b"echo in time") == b"in time\n"
    stream = late._shell._stream
    stream.deadline = stream.deadline.narrowed(0.5)
    assert fails(lambda: late.run(endless)).reason == "timed_out"
    held.unlink()
    late.close()
    wait_until_ended(running)
    flooded = enter(watched(running), output=100_000)
    for _number in range(3):
        assert len(flooded.run(b"head -c 60000 /dev/zero")) == 60000, "the limit is that of one answer"
    assert fails(lambda: flooded.run(b"head -c 100001 /dev/zero")).reason == "too_much_output"
    flooded.close()
    wait_until_ended(running)


def test_a_closed_session_has_ended_its_shell_and_given_its_place_back(
    shop: Shop, enter: Callable[..., Session], running: list[str]
) -> None:
    session = enter(watched(running))
    assert running and not shop.has_free_slot()
    session.close()
    session.close()
    assert shop.has_free_slot()
    wait_until_ended(running)
    with pytest.raises(ScanError):
        session.run(b":")


def test_with_v4_the_shell_ends_by_exit(
    shop: Shop, enter: Callable[..., Session], running: list[str]
) -> None:
    shop.server.faults.append(Fault("v4_only", on="/exec"))
    session = enter(watched(running))
    assert session.run(b"echo one") == b"one\n" and session.collect(REQUESTS[1]).get_fact(SYSCTL).ok
    session.close()
    wait_until_ended(running)


def test_a_shell_that_is_not_there_is_told_when_it_is_entered_and_auto_goes_on(shop: Shop) -> None:
    selected = shop.selected(no_shell)
    approach = ExecApproach(shop.means(selected))
    assert fails(lambda: approach.enter(selected)).reason == "no_such_program"
    assert shop.has_free_slot()

    class Later(ExecApproach):
        """The same container, in which there is a shell now."""

        name = "image"

        def enter(self, selected: SelectedTarget) -> Session:
            shop.server.run_in("shop", "web-1", "app", run_locally)
            return super().enter(selected)

    with AutoApproach([approach, Later(shop.means(selected))], {}).enter(selected) as session:
        assert session.run(b"echo here") == b"here\n"


def test_what_a_server_may_do_between_two_requests_is_no_answer(enter: Callable[..., Session]) -> None:
    def talks(_argv: list[str], streams: ExecStreams) -> int:
        streams.write(STDOUT, b"unasked\n")
        return run_locally(["sh"], streams)

    assert enter(talks).run(b"echo asked") == b"asked\n"


def test_a_status_without_an_answer_is_no_answer(enter: Callable[..., Session]) -> None:
    def ends(_argv: list[str], streams: ExecStreams) -> int:
        streams.write(STDOUT, b"securescan-answered ")
        return 0

    error = fails(lambda: enter(ends))
    assert error.reason == "incomplete_reply"


class SlowImages(ExecApproach):
    """Lists images as the approach image would: as work of its own, for which it wants a place."""

    name = "image"

    def collect(self, selected: SelectedTarget, request: CollectionRequest) -> Collected:
        with self._place():
            found = {query.key: Fact(OK, f"{query.key} of the image") for query in request.queries}
            return Collected(Facts(found), self.name)


def test_a_session_answers_for_the_images_side_too_without_waiting_for_itself(shop: Shop) -> None:
    """With one place for all: the session has it, and the look at the image needs none."""
    selected = shop.selected(run_locally)
    means = shop.means(selected)
    live = AutoApproach([ExecApproach(means), SlowImages(means)], {})
    options = ApproachOptions("auto", DebugOptions("x"), ImageOptions("helpers", "x"), image_side=True)
    request = make_request((SYSCTL, *drift_queries(["/etc/skel"])))
    with with_image_side(live, means, options).enter(selected) as session:
        facts = session.collect(request)
    assert facts.get_fact(SYSCTL).ok
    (wanted,) = image_queries(request.queries)
    assert facts.get_fact(wanted).value == "listing:/etc/skel of the image"
    assert shop.has_free_slot() and shop.execs() == 1


def test_a_session_by_auto_says_what_was_passed_over(shop: Shop) -> None:
    selected = shop.selected(run_locally)
    means = shop.means(selected)
    auto = AutoApproach([SidecarApproach(means, "tools:1"), ExecApproach(means)], {})
    with auto.enter(selected) as session:
        collected = collected_in(session, session.collect(REQUESTS[1]))
    assert (collected.approach, collected.passed_over) == ("exec", (("sidecar", "no_sidecar"),))
    assert collected.passed_over == auto.collect(selected, REQUESTS[1]).passed_over
