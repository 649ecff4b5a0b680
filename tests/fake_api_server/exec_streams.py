# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side of exec: a minimal WebSocket, the channel protocol over it, and the programs that are run."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 0x2, 0x8, 0x9, 0xA
STDOUT, STDERR, ERROR, STDIN_CLOSE = 1, 2, 3, 255
# A record of TLS for each fragment would test the machine's speed.
_FRAMES_AT_ONCE = 500


class StartError(Exception):
    """The runtime could not start the program; the text is what it says."""


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode("ascii") + _MAGIC).digest()).decode("ascii")


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    """An unmasked frame, as servers send it."""
    head = bytes(((0x80 if final else 0) | opcode,))
    if len(payload) < 126:
        return head + bytes((len(payload),)) + payload
    if len(payload) < 1 << 16:
        return head + b"\x7e" + struct.pack("!H", len(payload)) + payload
    return head + b"\x7f" + struct.pack("!Q", len(payload)) + payload


class ExecStreams:
    """One exec on one connection. Programs read `stdin` and call `write`."""

    def __init__(
        self, incoming: BinaryIO, send: Callable[[bytes], None], protocol: str, has_stdin: bool
    ) -> None:
        self.protocol = protocol
        self.closed = threading.Event()
        self.fragments = False
        reading, writing = os.pipe()
        self.stdin = os.fdopen(reading, "rb", buffering=0)
        self._to_stdin: int | None = writing
        self._incoming = incoming
        self._send = send
        self._lock = threading.Lock()
        if not has_stdin:
            self._end_stdin()

    def write(self, channel: int, data: bytes) -> None:
        message = bytes((channel,)) + data
        with self._lock:
            if not self.fragments or len(message) <= 3:
                self._send(frame(BINARY, message))
                return
            # of a long message the first kilobyte only: each fragment is work for both sides
            ends = [*range(3, min(1024, len(message)), 3), len(message)]
            frames = [
                frame(BINARY if start == 0 else 0, message[start:end], end == len(message))
                + frame(PING, b"between")
                for start, end in zip([0, *ends], ends)
            ]
            for at in range(0, len(frames), _FRAMES_AT_ONCE):
                self._send(b"".join(frames[at : at + _FRAMES_AT_ONCE]))

    def raw(self, data: bytes) -> None:
        with self._lock:
            self._send(data)

    def read_forever(self) -> None:
        """Take the client's frames until it closes; runs in a thread of its own."""
        with contextlib.suppress(OSError, ValueError, struct.error):
            while True:
                opcode, payload = self._read_frame()
                if opcode == CLOSE:
                    break
                if opcode == PING:
                    self.raw(frame(PONG, payload))
                elif opcode == BINARY and payload[:1] == b"\x00":
                    self._feed_stdin(payload[1:])
                elif (
                    opcode == BINARY and payload == bytes((STDIN_CLOSE, 0)) and self.protocol.startswith("v5")
                ):
                    self._end_stdin()
        self.closed.set()
        self._end_stdin()

    def _feed_stdin(self, data: bytes) -> None:
        view = memoryview(data)
        with contextlib.suppress(BrokenPipeError):
            while view and self._to_stdin is not None:
                view = view[os.write(self._to_stdin, view) :]

    def _end_stdin(self) -> None:
        if self._to_stdin is not None:
            os.close(self._to_stdin)
            self._to_stdin = None

    def _read_frame(self) -> tuple[int, bytes]:
        first, second = self._exactly(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", self._exactly(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self._exactly(8))[0]
        if not second & 0x80:
            raise ValueError("clients must mask their frames")
        mask = self._exactly(4)
        masked = self._exactly(length)
        repeated = (mask * (length // 4 + 1))[:length]
        return first & 0x0F, bytes(a ^ b for a, b in zip(masked, repeated)) if length < 64 else (
            int.from_bytes(masked, "big") ^ int.from_bytes(repeated, "big")
        ).to_bytes(length, "big")

    def _exactly(self, count: int) -> bytes:
        data = self._incoming.read(count)
        if len(data) != count:
            raise OSError("the client is gone")
        return data


# A program: what is run, with its streams; gives the exit code.
Program = Callable[[list[str], ExecStreams], int]


def run_locally(argv: list[str], streams: ExecStreams) -> int:
    """Run a real program of this machine."""
    try:
        process = subprocess.Popen(argv, stdin=streams.stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise StartError(f'exec: "{argv[0]}": executable file not found in $PATH') from None
    streams.stdin.close()
    pumps = [
        threading.Thread(target=_pump, args=(stream, channel, streams), daemon=True)
        for stream, channel in ((process.stdout, STDOUT), (process.stderr, STDERR))
    ]
    for pump in pumps:
        pump.start()
    while process.poll() is None:
        if streams.closed.wait(0.002):
            process.kill()  # unlike a real node: tests must not leave programs behind
            process.wait()
    for pump in pumps:
        pump.join()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def no_shell(argv: list[str], streams: ExecStreams) -> int:
    """A distroless container: there is nothing to run."""
    raise StartError(f'exec: "{argv[0]}": executable file not found in $PATH')


@dataclass(frozen=True)
class Canned:
    """Reads all of its standard input, waits, and gives a fixed answer: for many simulated targets."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    seconds: float = 0.0

    def __call__(self, argv: list[str], streams: ExecStreams) -> int:
        while streams.stdin.read(65536):
            pass
        time.sleep(self.seconds)
        for channel, data in ((STDOUT, self.stdout), (STDERR, self.stderr)):
            for start in range(0, len(data), 32 * 1024):
                streams.write(channel, data[start : start + 32 * 1024])
        return self.exit_code


def exit_status(code: int) -> bytes:
    """The v1 Status for the error channel."""
    if code == 0:
        return b'{"metadata":{},"status":"Success"}'
    status: Any = {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
    return json.dumps(status).encode("utf-8")


def start_failure_status(text: str) -> bytes:
    message = (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        'failed to start exec "{}": OCI runtime exec failed: exec failed: unable to start container process: {}'.format(
            "ab" * 32, text
        )
    )
    return json.dumps(
        {"metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500, "message": message}
    ).encode("utf-8")


def _pump(stream: Any, channel: int, streams: ExecStreams) -> None:
    with stream, contextlib.suppress(OSError):
        while True:
            data = stream.read1(32 * 1024)
            if not data:
                return
            streams.write(channel, data)
