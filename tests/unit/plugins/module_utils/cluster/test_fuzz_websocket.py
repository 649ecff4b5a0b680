# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spoilt WebSocket streams through the real exec client: one named failure, or an outcome that another decoder shares.

Most go over a socket that is none: the client's own TlsStream above it cannot tell. Some hundreds go over a real one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ClusterConnection,
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.request_log import RequestLog
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.websocket_exec import (
    ExecOutcome,
    exec_in_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.deadline import Deadline
from ansible_collections.securescan.kubernetes.plugins.module_utils.network.transport import (
    Endpoint,
    TlsStream,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    BINARY,
    CLOSE,
    ERROR,
    PING,
    STDERR,
    STDOUT,
    ExecStreams,
    exit_status,
    frame,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.fuzzed_replies import (
    NONCE,
    Mutations,
    Recorded,
    Span,
    no_hang,
    record,
)
from ansible_collections.securescan.kubernetes.tests.support.waiting import wait_until

ROUNDS = 12000
ROUNDS_ON_A_SOCKET = 400
TIMEOUT = 60.0  # seconds; nothing here may need it
SLOWEST = 0.5  # seconds of CPU for one stream of some kilobytes
OUTPUT_LIMIT = 1 << 20
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# Takes the place of the accept key, which depends on what the client sends.
_KEY_HERE = b"<the key that proves this answer>="
HEAD = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
    b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n" % _KEY_HERE
)
TOKENS = (
    b"\r\n\r\n",
    b"\x82\x02\x01x",
    b"\x02\x02\x01x",
    b"\x80\x01x",
    b"\x88\x02\x03\xe8",
    b"\x88\x00",
    b"\x89\x00",
    b"\x8a\x00",
    b"\x81\x02\x01x",
    b"\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x01",
    b"\xf2\x02\x01x",
    b"\x82\x82\x00\x00\x00\x00\x01x",
    b"\x82\x02\xff\x01",
    b"\x82\x00",
    b"\x82\x25\x03" + b'{"metadata":{},"status":"Success"}  ',
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def frames(recorded: Recorded) -> list[bytes]:
    """What a server sends: output in pieces, one of them in fragments, a ping, some error output, status, close."""
    size = len(recorded.reply) // 7 + 1
    parts = [recorded.reply[start : start + size] for start in range(0, len(recorded.reply), size)]
    sent = [frame(BINARY, bytes((STDOUT,)) + part) for part in parts]
    sent[2:3] = [
        frame(BINARY, bytes((STDOUT,)) + parts[2][:100], final=False),
        frame(PING, b"?"),
        frame(0, parts[2][100:300], final=False),
        frame(0, parts[2][300:]),
    ]
    return [
        frame(BINARY, bytes((STDOUT,))),
        *sent,
        frame(BINARY, bytes((STDERR,)) + b"a warning\n"),
        frame(BINARY, bytes((ERROR,)) + exit_status(0)),
        frame(CLOSE, b"\x03\xe8"),
    ]


def spans_of(pieces: list[bytes]) -> list[Span]:
    ends = [sum(len(piece) for piece in pieces[: number + 1]) for number in range(len(pieces))]
    return [(end - len(piece), end) for piece, end in zip(pieces, ends)]


class ReplayedSocket:
    """Gives recorded bytes in pieces of any size, with nothing between them now and then; then ends, or breaks."""

    def __init__(self, template: bytes, chance: random.Random) -> None:
        self._template = template
        self._chance = chance
        self._asked = b""
        self._data: bytes | None = None
        self._breaks = chance.random() < 0.3
        self.closed = False

    @property
    def data(self) -> bytes:
        return self._data or b""

    def recv(self, size: int) -> bytes:
        if self._data is None or self._chance.random() < 0.2:
            raise ssl.SSLWantReadError
        if not self._data and self._breaks:
            raise ConnectionResetError(104, "Connection reset by peer")
        length = min(size, self._chance.choice((1, 2, 10, 500, 65536, 65536)))
        data, self._data = self._data[:length], self._data[length:]
        return data

    def send(self, data: bytes) -> int:
        if self._data is None:
            self._asked += data
            key = re.search(rb"Sec-WebSocket-Key: (\S+)\r\n", self._asked)
            if key and self._asked.endswith(b"\r\n\r\n"):
                accept = base64.b64encode(hashlib.sha1(key.group(1) + _GUID).digest())
                self._data = self._template.replace(_KEY_HERE, accept)
                self.whole, self.accept = self._data, accept
        return len(data)

    def pending(self) -> int:
        return 0

    def unwrap(self) -> None:
        raise OSError

    def close(self) -> None:
        self.closed = True


class ReplayedStream(TlsStream):
    """The client's stream, but for the wait: there is nothing that could be polled."""

    def wait(self, to_write: bool = False, at_most: float | None = None) -> None:
        self.deadline.check()


class ReplayedConnection:
    """What exec_in_container needs of a connection."""

    endpoint = Endpoint("fuzz.test", 443, "", "fuzz.test")
    role = "scanner"

    def __init__(self, socket: ReplayedSocket) -> None:
        self._socket = socket
        self.log = RequestLog()

    def explained(self, error: ScanError) -> ScanError:
        return error

    def headers(self) -> list[tuple[str, str]]:
        return [("Authorization", "Bearer x")]

    def secrets(self) -> list[str]:
        return []

    def renew_credential(self) -> bool:
        return False

    def open(self, deadline: Deadline) -> TlsStream:
        tls: Any = type("NoSessions", (), {"remember": staticmethod(lambda _socket: None)})
        return ReplayedStream(self._socket, tls, deadline)  # type: ignore[arg-type]


def decode(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Standard output, standard error and status of a server's frames, up to its close frame or the end of the data.

    None where anything before that is not as RFC 6455 and the channel protocol have it. Written for this test.
    """
    channels = dict.fromkeys((STDOUT, STDERR, ERROR), b"")
    message: bytes | None = None
    while len(data) >= 2:
        final, opcode, length, rest = data[0] >> 7, data[0] & 15, data[1] & 127, data[2:]
        if data[0] & 0x70 or data[1] & 0x80 or opcode not in (0, BINARY, CLOSE, PING, 10):
            return None
        if length > 125:
            width = 2 if length == 126 else 8
            length, rest = int.from_bytes(rest[:width].ljust(width, b"\0"), "big"), rest[width:]
        if opcode >= CLOSE and (length > 125 or not final):
            return None
        if length > len(rest):
            break
        payload, data = rest[:length], rest[length:]
        if opcode == CLOSE:
            break
        if opcode < CLOSE:
            if (opcode == 0) == (message is None):
                return None
            message = (message or b"") + payload
            if final:
                if message and message[0] in channels:
                    channels[message[0]] += message[1:]
                elif message and (message[0] not in (0, 4, 255) or len(message) > 2):
                    return None
                message = None
    return channels[STDOUT], channels[STDERR], channels[ERROR]


def may_agree(head: bytes, accept: bytes) -> bool:
    """Whether this can be the beginning of a WebSocket for this client."""
    lines = head.split(b"\r\n")
    pairs = (line.partition(b":") for line in lines[1:])
    headers = [(name.strip().lower(), value.strip()) for name, _colon, value in pairs]
    return (
        lines[0].split(b" ")[1:2] == [b"101"]
        and (b"sec-websocket-accept", accept) in headers
        and any((b"sec-websocket-protocol", b"v%d.channel.k8s.io" % version) in headers for version in (4, 5))
    )


def run(connection: ClusterConnection | ReplayedConnection, pod: str = "pod-1") -> ExecOutcome | ScanError:
    try:
        return exec_in_container(
            connection,
            "shop",
            pod,
            "app",
            ["sh"],
            b"exit\n",  # type: ignore[arg-type]
            timeout=TIMEOUT,
            output_limit=OUTPUT_LIMIT,
        )
    except ScanError as error:
        return error


def check_outcome(outcome: ExecOutcome, sent: bytes, recorded: Recorded) -> bool:
    """What the client made of `sent` (frames) is what it means; whether that is facts."""
    decoded = decode(sent)
    assert decoded is not None, sent
    stdout, stderr, status = decoded
    assert (outcome.stdout, outcome.stderr) == (stdout, stderr)
    said = json.loads(status)
    assert said["status"] == "Success" if outcome.exit_code == 0 else said["reason"] == "NonZeroExitCode"
    try:
        read_facts(recorded.request, outcome.stdout, NONCE)
    except ScanError:
        assert recorded.check(stdout) is None
        return False
    assert recorded.check(stdout) is not None, "facts from an incomplete reply"
    return True


def test_the_stream_as_it_should_be(recorded: Recorded, frames: list[bytes]) -> None:
    for seed in range(50):
        outcome = run(ReplayedConnection(ReplayedSocket(HEAD + b"".join(frames), random.Random(seed))))
        assert isinstance(outcome, ExecOutcome), outcome
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, recorded.reply, b"a warning\n")
        assert check_outcome(outcome, b"".join(frames), recorded)


def test_a_spoilt_stream_gives_facts_or_a_named_error(
    recorded: Recorded, frames: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = HEAD + b"".join(frames)
    mutations = Mutations(20262, spans_of([HEAD, *frames])[1:], TOKENS)
    seen: Counter[str] = Counter()
    slowest = 0.0
    with no_hang(600):
        for round_number in range(ROUNDS):
            socket = ReplayedSocket(mutations.spoil(whole), random.Random(round_number))
            started = time.thread_time()
            outcome = run(ReplayedConnection(socket))
            slowest = max(slowest, time.thread_time() - started)
            assert socket.closed, round_number
            if isinstance(outcome, ScanError):
                seen[outcome.reason] += 1
                continue
            head, _empty, sent = socket.whole.partition(b"\r\n\r\n")
            assert may_agree(head, socket.accept), head
            seen["facts" if check_outcome(outcome, sent, recorded) else "an outcome, but no facts"] += 1
    assert slowest < SLOWEST
    assert len(mutations.made) == 14 and min(mutations.made.values()) > ROUNDS // 50, (
        "each way to spoil was used"
    )
    assert set(seen) <= {
        "facts",
        "an outcome, but no facts",
        "bad_reply",
        "connection_lost",
        "protocol_refused",
    }
    assert min(seen.values()) > ROUNDS // 100, "each answer is common, or this shows little"
    with capsys.disabled():
        print(
            f" {ROUNDS} spoilt streams of {len(whole)} bytes: {dict(seen.most_common())}; the slowest took "
            f"{slowest * 1000:.1f} ms of CPU ",
            end="",
        )


@pytest.fixture
def spoiling_server(tmp_path: Path) -> Iterator[FakeApiServer]:
    with FakeApiServer(Authority(tmp_path)) as server:
        yield server


def test_spoilt_streams_over_a_real_socket(
    recorded: Recorded, frames: list[bytes], spoiling_server: FakeApiServer
) -> None:
    mutations = Mutations(20263, spans_of(frames), TOKENS)
    spoilt = [mutations.spoil(b"".join(frames)) for _round in range(ROUNDS_ON_A_SOCKET)]
    for number, data in enumerate(spoilt):
        spoiling_server.add_pod("shop", f"pod-{number}", {"app": send_and_leave(data)})
    connection = connect(ConnectionOptions(kubeconfig=spoiling_server.kubeconfig()), {})
    with no_hang(600), ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda number: run(connection, f"pod-{number}"), range(ROUNDS_ON_A_SOCKET)))
    facts = 0
    for outcome, data in zip(outcomes, spoilt):
        if isinstance(outcome, ScanError):
            assert outcome.reason in ("bad_reply", "connection_lost", "exec_failed"), outcome
        else:
            facts += check_outcome(outcome, data, recorded)
    assert 0 < facts < ROUNDS_ON_A_SOCKET // 2
    wait_until(lambda: threading.active_count() < 100, "the threads end")


def send_and_leave(data: bytes) -> Any:
    def program(_argv: list[str], streams: ExecStreams) -> int:
        while streams.stdin.read(65536):
            pass  # a connection that is closed before all was read is reset, and what was sent may be lost
        streams.raw(data)
        raise OSError("the server leaves")

    return program
