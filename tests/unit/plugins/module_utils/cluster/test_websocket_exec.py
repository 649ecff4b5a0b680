# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exec against the fake API server, which runs this machine's programs: the good day and each way to fail."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster import open_exec
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    ExecOutcome,
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    PING,
    STDOUT,
    Canned,
    ExecStreams,
    frame,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until


def run(
    connection: ClusterConnection,
    argv: list[str],
    stdin: bytes = b"",
    *,
    pod: str = "api-1",
    container: str = "app",
    timeout: float = 30,
    output_limit: int = 10**7,
    cancel: Any = None,
) -> ExecOutcome:
    return exec_in_container(
        connection,
        "shop",
        pod,
        container,
        argv,
        stdin,
        timeout=timeout,
        output_limit=output_limit,
        cancel=cancel,
    )


def fails(connection: ClusterConnection, argv: list[str], stdin: bytes = b"", **keywords: Any) -> ScanError:
    with pytest.raises(ScanError) as caught:
        run(connection, argv, stdin, **keywords)
    return caught.value


def wait_until_closed(server: FakeApiServer) -> None:
    wait_until(lambda: server.open_connections() == 0, "the server's connections are closed")


def test_a_script_by_standard_input(server: FakeApiServer, connection: ClusterConnection) -> None:
    outcome = run(connection, ["sh"], b"echo out; echo err >&2; exit 3\n")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, b"out\n", b"err\n")
    assert outcome.protocol == "v5.channel.k8s.io"
    assert 0 < outcome.seconds < 30
    seen = server.requests[-1]
    assert seen.method == "GET"
    assert seen.query == [
        ("container", "app"),
        ("stdin", "true"),
        ("stdout", "true"),
        ("stderr", "true"),
        ("command", "sh"),
    ]
    wait_until_closed(server)


def test_words_of_argv_arrive_as_they_are(server: FakeApiServer, connection: ClusterConnection) -> None:
    words = ["printf", "%s|", "a b", "", "c&d=e+f%20", "\u00fc", "'\"\\$(x)", "-n"]
    assert run(connection, words).stdout == "|".join([*words[2:], ""]).encode()
    assert dict(server.requests[-1].query)["stdin"] == "false"


def test_standard_input_is_closed_and_bytes_stay_bytes(connection: ClusterConnection) -> None:
    data = bytes(range(256)) * 5
    assert run(connection, ["cat"], data).stdout == data


@pytest.mark.parametrize(
    "size", [0, 1, 125, 126, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 65536, 5 * 1024 * 1024]
)
def test_both_directions_at_once(connection: ClusterConnection, size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert run(connection, ["cat"], data).stdout == data


def test_a_slow_reader_of_standard_input(connection: ClusterConnection) -> None:
    """More than all buffers hold, and output before it is read: neither side may wait for the other."""
    data = b"x" * (3 * 1024 * 1024)
    outcome = run(connection, ["sh", "-c", "head -c 2000000 /dev/zero; sleep 0.3; wc -c"], data)
    assert outcome.stdout[2000000:].strip() == b"%d" % len(data)


def test_with_v4_the_script_ends_itself(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("v4_only"))
    outcome = run(connection, ["sh"], b"echo hello\nexit 4\n")
    assert (outcome.exit_code, outcome.stdout, outcome.protocol) == (4, b"hello\n", "v4.channel.k8s.io")
    assert fails(connection, ["cat"], b"never closed", timeout=0.5).reason == "timed_out"
    wait_until_closed(server)


def test_fragments_with_pings_between(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("fragments"))
    assert run(connection, ["sh"], b"echo hello; exit 5\n") == run_like(5, b"hello\n")


def run_like(code: int, stdout: bytes) -> Any:
    class Like:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, ExecOutcome) and (other.exit_code, other.stdout) == (code, stdout)

        __hash__ = None  # type: ignore[assignment]

    return Like()


def test_no_close_frame_is_no_loss_once_the_status_is_there(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    server.faults.append(Fault("no_close_frame"))
    assert run(connection, ["sh"], b"echo hello; exit 6\n") == run_like(6, b"hello\n")


def test_a_server_that_stays_open_after_the_status(
    server: FakeApiServer, connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_exec, "CLOSE_SECONDS", 0.2)

    def stays(argv: list[str], streams: ExecStreams) -> int:
        streams.write(STDOUT, b"done")
        streams.write(3, b'{"status":"Success"}')
        streams.closed.wait(5)
        return 0

    server.add_pod("shop", "odd-1", {"app": stays})
    assert run(connection, ["x"], pod="odd-1") == run_like(0, b"done")


@pytest.mark.parametrize(
    ("fault", "reason", "needle"),
    [
        (Fault("status", status=401), "not_authenticated", "wants it"),
        (
            Fault(
                "status",
                status=403,
                text='pods "api-1" is forbidden: User "s" cannot create resource "pods/exec" in API '
                'group "" in the namespace "shop"',
            ),
            "not_permitted",
            "cannot create",
        ),
        (
            Fault("status", status=403, text='pods "api-1" is forbidden: '),
            "not_permitted",
            'pods "api-1" is forbidden',
        ),
        (
            Fault(
                "status",
                status=403,
                text="ValidatingAdmissionPolicy 'guard' with binding 'b' denied request: not ours",
            ),
            "not_permitted",
            "not ours",
        ),
        (
            Fault("status", status=400, text='admission webhook "w" denied the request: no'),
            "not_permitted",
            "denied",
        ),
        (Fault("status", status=404, text='pods "api-1" not found'), "pod_gone", "not found"),
        (Fault("plain_status", status=404, text="pod does not exist"), "pod_gone", "does not exist"),
        (
            Fault("status", status=400, text="pod api-1 does not have a host assigned"),
            "container_not_running",
            "host",
        ),
        (Fault("status", status=409, text="conflict"), "conflict", "conflict"),
        (Fault("status", status=410, text="gone"), "not_found", "gone"),
        (Fault("status", status=429, retry_after=60), "throttled", "wants it"),
        (
            Fault("status", status=500, text="error dialing backend: dial tcp: refused"),
            "exec_failed",
            "dialing",
        ),
        (
            Fault("plain_status", status=500, text='container not found ("app")'),
            "container_not_running",
            "not found",
        ),
        (Fault("plain_status", status=500, text="oops"), "server_error", "oops"),
        (Fault("status", status=503), "server_error", "wants it"),
        (Fault("plain_status", status=502, text="<html>bad gateway"), "server_error", "bad gateway"),
        (Fault("plain_status", status=403, text=""), "protocol_refused", "HTTP 403"),
        (Fault("plain_status", status=426, text="no"), "protocol_refused", "HTTP 426"),
        (Fault("status", status=400, text="Upgrade request required"), "protocol_refused", "Upgrade request"),
        (Fault("html"), "protocol_refused", "HTTP 200"),
        (
            Fault("redirect", text="https://x/"),
            "protocol_refused",
            "HTTP 302 instead of a WebSocket: a redirect to https://x/",
        ),
        (
            Fault("interim", text="HTTP/1.1 100 Continue\r\n\r\n" * 9),
            "bad_reply",
            "more than 8 interim replies",
        ),
        (Fault("spdy_only"), "protocol_refused", "unable to upgrade"),
        (Fault("reflect"), "protocol_refused", "unable to upgrade"),
        (Fault("no_subprotocol"), "protocol_refused", "none of the protocols"),
        (Fault("wrong_accept"), "protocol_refused", "handshake is wrong"),
        (Fault("cut", after=0), "connection_lost", "before the program's status"),
        (Fault("cut", after=1), "connection_lost", "before the program's status"),
        (Fault("cut", after=40), "connection_lost", "before the program's status"),
        (Fault("no_status"), "connection_lost", "(1000)"),
        (Fault("garbage"), "bad_reply", "unknown kind"),
        (Fault("garbage", text="HTTP/1.1 200 OK"), "bad_reply", "unknown kind"),
        (Fault("huge_frame"), "bad_reply", "more than"),
        (Fault("masked_frame"), "bad_reply", "masked"),
        (Fault("wrong_channel"), "bad_reply", "channel 9"),
        (Fault("final_status", text="{}"), "bad_reply", "neither"),
        (
            Fault("final_status", text='{"status":"Failure","reason":"InternalError","message":"odd"}'),
            "exec_failed",
            "odd",
        ),
        (
            Fault(
                "final_status", text='{"status":"Failure","message":"container is in CONTAINER_EXITED state"}'
            ),
            "container_not_running",
            "EXITED",
        ),
        (Fault("flood"), "too_much_output", "more than 1000000 bytes"),
        (Fault("ping_flood"), "timed_out", "our deadline of 0.6 s"),
        (Fault("silence"), "timed_out", "our deadline of 0.6 s"),
        (Fault("slow", seconds=60), "timed_out", "our deadline of 0.6 s"),
    ],
)
def test_each_fault_has_its_reason(
    server: FakeApiServer, connection: ClusterConnection, fault: Fault, reason: str, needle: str
) -> None:
    server.faults.append(fault)
    timeout = 0.6 if reason == "timed_out" else 30
    error = fails(connection, ["sh"], b"echo hello; exit 0\n", timeout=timeout, output_limit=10**6)
    assert error.reason == reason, str(error)
    assert needle in error.message
    assert error.tried == "exec into shop/api-1/app"
    assert server.token not in str(error)
    assert server.token not in str(error.record())
    if fault.kind != "slow":
        wait_until_closed(server)


def test_a_missing_program_pod_and_container(server: FakeApiServer, connection: ClusterConnection) -> None:
    assert fails(connection, ["sh"], b"id\n", pod="edge-1", container="edge").reason == "no_such_program"
    assert fails(connection, ["/no/such/program"]).reason == "no_such_program"
    assert fails(connection, ["sh"], pod="api-2").reason == "pod_gone"
    assert fails(connection, ["sh"], container="other").reason == "not_found"
    crashed = server.add_pod("shop", "crash-1", {"app": Canned()})
    crashed["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert fails(connection, ["sh"], pod="crash-1").reason == "container_not_running"


def test_dead_tokens_and_foreign_tokens(server: FakeApiServer, connection: ClusterConnection) -> None:
    token = server.grants.issue("scanner", 600)
    scanner = connection.with_bearer_token(token)
    assert run(scanner, ["true"]).exit_code == 0
    assert server.requests[-1].user == "scanner"
    server.grants.deny = lambda user, method, path: f"no exec for {user}" if path.endswith("/exec") else None
    error = fails(scanner, ["true"])
    assert (error.reason, error.message) == ("not_permitted", "no exec for scanner")
    server.grants.expires[token] = 0
    assert fails(scanner, ["true"]).reason == "not_authenticated"


def test_the_verb_create_is_named_where_the_server_names_nothing(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    """Seen on Kubernetes 1.37 with get alone."""
    server.faults.append(Fault("status", status=403, text='pods "api-1" is forbidden: '))
    assert "create" in fails(connection, ["true"]).cause


def test_throttling_that_passes_is_waited_for(server: FakeApiServer, connection: ClusterConnection) -> None:
    server.faults.append(Fault("status", status=429, retry_after=1, times=1))
    started = time.monotonic()
    assert run(connection, ["true"]).exit_code == 0
    assert time.monotonic() - started >= 1


def test_output_up_to_the_limit_is_fine(connection: ClusterConnection) -> None:
    assert len(run(connection, ["head", "-c", "100000", "/dev/zero"], output_limit=100000).stdout) == 100000
    assert (
        fails(connection, ["head", "-c", "100001", "/dev/zero"], output_limit=100000).reason
        == "too_much_output"
    )
    assert fails(connection, ["sh", "-c", "yes >&2"], output_limit=100000).reason == "too_much_output"


def test_an_exec_ends_at_our_deadline(server: FakeApiServer, connection: ClusterConnection) -> None:
    started = time.monotonic()
    error = fails(connection, ["sleep", "60"], timeout=0.4)
    assert error.reason == "timed_out"
    assert 0.3 < time.monotonic() - started < 30
    wait_until_closed(server)


def test_a_cancelled_exec_ends_at_once_and_none_begins(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    assert fails(connection, ["sleep", "60"], cancel=cancel).reason == "cancelled", "before its deadline"
    wait_until_closed(server)
    assert fails(connection, ["true"], cancel=cancel).reason == "cancelled"


def test_cancelling_while_output_comes_without_end(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    server.faults.append(Fault("ping_flood"))
    assert fails(connection, ["true"], cancel=cancel).reason == "cancelled", "before its deadline"


def test_a_connection_that_breaks_under_way(server: FakeApiServer, connection: ClusterConnection) -> None:
    """What was received until then is never given out."""

    def breaks(argv: list[str], streams: ExecStreams) -> int:
        streams.write(STDOUT, b"partial")
        server.cut_connections()
        streams.closed.wait(30)
        return 0

    server.add_pod("shop", "cut-1", {"app": breaks})
    assert fails(connection, ["x"], pod="cut-1").reason == "connection_lost"


def test_silent_programs_are_kept_alive_by_pings(
    server: FakeApiServer, connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of the client's own, which stands still while a ping has no answer: how fast the machine is does not count."""

    class Clock:
        ahead = 0.0

        def monotonic(self) -> float:
            return time.monotonic() + self.ahead

    clock, pings, read_frame = Clock(), threading.Semaphore(0), ExecStreams._read_frame

    def watched(streams: ExecStreams) -> tuple[int, bytes]:
        opcode, payload = read_frame(streams)
        if opcode == PING:
            pings.release()
        return opcode, payload

    def silent(argv: list[str], streams: ExecStreams) -> int:
        for _number in range(5):
            if not pings.acquire(timeout=20):
                return 1
        streams.write(STDOUT, b"late")
        return 7

    def wait_limit(running: open_exec.OpenExec) -> float:
        if running._heard >= running._pinged:
            clock.ahead += open_exec.PING_AFTER / 3
        return 0.01

    assert 5 * open_exec.PING_AFTER > open_exec.GIVE_UP_AFTER
    monkeypatch.setattr(open_exec, "time", clock)
    monkeypatch.setattr(open_exec.OpenExec, "_wait_limit", wait_limit)
    monkeypatch.setattr(ExecStreams, "_read_frame", watched)
    server.add_pod("shop", "silent-1", {"app": silent})
    assert run(connection, ["x"], pod="silent-1", timeout=60) == run_like(7, b"late")


def test_a_half_open_connection_is_found(
    server: FakeApiServer, connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_exec, "PING_AFTER", 0.1)
    monkeypatch.setattr(open_exec, "GIVE_UP_AFTER", 0.35)
    server.faults.append(Fault("deaf"))
    error = fails(connection, ["sleep", "30"])
    assert error.reason == "connection_lost", "before its deadline"
    assert "no sign of life" in error.message


def test_standard_input_that_nobody_takes_is_no_half_open_connection(
    server: FakeApiServer, connection: ClusterConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_exec, "PING_AFTER", 0.05)
    monkeypatch.setattr(open_exec, "GIVE_UP_AFTER", 0.1)
    data = b"x" * (5 * 1024 * 1024)
    assert run(connection, ["sh", "-c", "sleep 0.5; wc -c"], data).stdout.strip() == b"%d" % len(data)


def test_pings_of_the_server_are_answered(server: FakeApiServer, connection: ClusterConnection) -> None:
    answered = threading.Event()

    class Watched(ExecStreams):
        def _read_frame(self) -> Any:
            opcode, payload = super()._read_frame()
            if (opcode, payload) == (0xA, b"are you there"):
                answered.set()
            return opcode, payload

    def asks(argv: list[str], streams: ExecStreams) -> int:
        streams.__class__ = Watched
        streams.raw(frame(0x9, b"are you there"))
        return 0 if answered.wait(20) else 1

    server.add_pod("shop", "asks-1", {"app": asks})
    assert run(connection, ["x"], b"some", pod="asks-1").exit_code == 0


def test_many_execs_run_at_once(server: FakeApiServer, connection: ClusterConnection) -> None:
    all_are_there, answer = threading.Barrier(40), Canned(b"y" * 64000)

    def together(argv: list[str], streams: ExecStreams) -> int:
        all_are_there.wait(60)
        return answer(argv, streams)

    server.add_pod("shop", "canned-1", {"app": together})
    outcomes: list[int] = []

    def work() -> None:
        outcomes.append(len(run(connection, ["sh"], b"x" * 12000, pod="canned-1", timeout=60).stdout))

    threads = [threading.Thread(target=work) for _number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert outcomes == [64000] * 40
    assert server.sessions_resumed <= server.connections == 40


def test_mutated_streams_never_give_a_wrong_outcome(
    server: FakeApiServer, connection: ClusterConnection
) -> None:
    """300 mutated replies over a real connection: an outcome is the true one, or there is a named failure."""
    good = (
        frame(2, b"\x01hello")
        + frame(2, b"\x02oh")
        + frame(9, b"")
        + frame(
            2,
            b'\x03{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode",'
            b'"message":"3"}]}}',
        )
        + frame(8, b"\x03\xe8")
    )

    def sends(argv: list[str], streams: ExecStreams) -> int:
        rng = random.Random(int(argv[0]))
        data = bytearray(good)
        for _number in range(rng.randint(1, 3)):
            where = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[where] = rng.randrange(256)
            else:
                del data[where : where + rng.randint(1, 30)]
        streams.raw(bytes(data))
        raise OSError("the end")

    server.add_pod("shop", "evil-1", {"app": sends})
    reasons = {}
    for seed in range(300):
        try:
            outcome = run(connection, [str(seed)], pod="evil-1")
        except ScanError as error:
            reasons[error.reason] = reasons.get(error.reason, 0) + 1
        else:
            reasons["outcome"] = reasons.get("outcome", 0) + 1
            assert 0 < outcome.exit_code < 256
    assert {"bad_reply", "connection_lost", "outcome"} <= set(reasons)
    assert "timed_out" not in reasons, reasons


def open_descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_no_descriptor_is_left(server: FakeApiServer, connection: ClusterConnection) -> None:
    run(connection, ["true"])
    wait_until_closed(server)
    before = open_descriptors()
    for _number in range(10):
        fails(connection, ["nope"])
        fails(connection, ["sleep", "9"], timeout=0.05)
    wait_until_closed(server)
    wait_until(lambda: open_descriptors() <= before + 2, "the descriptors are closed")


@pytest.mark.parametrize("code", ["100 Continue", "102 Processing", "103 Early Hints"])
@pytest.mark.parametrize("count", [1, 8])
def test_interim_replies_before_the_handshakes_answer_are_passed_over(
    server: FakeApiServer, connection: ClusterConnection, code: str, count: int
) -> None:
    server.faults.append(Fault("interim", text=f"HTTP/1.1 {code}\r\nLink: </x>\r\n\r\n" * count))
    outcome = exec_in_container(
        connection, "shop", "api-1", "app", ["cat"], b"hello", timeout=30, output_limit=1000
    )
    assert outcome.stdout == b"hello"
