# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one program in a container: pods/exec over a WebSocket, with one clear outcome or one named failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ..errors import ScanError
from ..network import websocket_frames as frames
from ..network.deadline import Deadline
from ..network.transport import TlsStream
from ..network.websocket_handshake import HandshakeReply, shake_hands
from ..safe_text import server_text
from . import exec_channels as channels
from .api_errors import ApiError, api_error, read_status, status_message
from .connection import ClusterConnection

_STDIN_CHUNK = 32 * 1024
# Proxies cut connections that are silent for a minute or more.
PING_AFTER = 15.0
# What a program's standard input takes in without being read.
_PIPE_SIZE = 64 * 1024
# Silence after which a connection counts as half-open, though pings were sent.
GIVE_UP_AFTER = 45.0
_NEEDS_CREATE = (
    "The identity has the verb get on pods/exec, but not create, which WebSockets need, too, from "
    "Kubernetes 1.35 on."
)
# How often an API server that is away is asked again before a program is started.
_ABSENCES = 2
# How long to wait for the server's close after the program's status is known.
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class ExecOutcome:
    """A program that ran to its end. `seconds` is the wall time of the whole call."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    protocol: str
    seconds: float


def exec_in_container(  # noqa: PLR0917
    connection: ClusterConnection,
    namespace: str,
    pod: str,
    container: str,
    argv: Sequence[str],
    stdin: bytes,
    *,
    timeout: float,
    output_limit: int,
    cancel: threading.Event | None = None,
) -> ExecOutcome:
    """Run `argv` in a container, give it `stdin`, and read its output until it ends.

    With v5 standard input is closed after `stdin`; v4 cannot do that, so the program has to end by itself. A program
    that leaves more than a pipe's fill (64 KiB) of `stdin` unread never gets its status through Kubernetes 1.37, by
    kubectl neither: it ends as timed_out.

    :param timeout: seconds for everything from the connection to the last byte
    :param output_limit: bytes of standard output and standard error together
    :param cancel: ends the call within about 0.2 s
    :raises ScanError: no_such_program, container_not_running, pod_gone, not_found (no such container), exec_failed,
        not_authenticated, not_permitted, throttled, protocol_refused, connection_lost, timed_out, too_much_output,
        cancelled, bad_reply, server_error, invalid_request, unreachable, tls_failed, no_credential, bad_file
    """
    started = time.monotonic()
    deadline = Deadline(timeout, cancel, f"exec into {namespace}/{pod}/{container}")
    target = connection.endpoint.base_path + _exec_target(namespace, pod, container, argv, bool(stdin))
    renewed = False
    absences = 0
    while True:
        try:
            session = _open(connection, target, stdin, output_limit, deadline)
            break
        except ScanError as error:
            # Nothing was started, so all of these are safe to try again.
            pause = (error.retry_after if isinstance(error, ApiError) else None) or 1.0
            if error.reason == "not_authenticated" and not renewed and connection.renew_credential():
                renewed = True
            elif error.reason == "throttled" and pause < deadline.remaining():
                deadline.sleep(pause)
            elif _is_away(error) and absences < _ABSENCES and pause < deadline.remaining():
                absences += 1
                deadline.sleep(pause)
            else:
                raise
    exit_code = session.run(argv[0])
    return ExecOutcome(
        exit_code,
        bytes(session.reader.stdout),
        bytes(session.reader.stderr),
        session.protocol,
        time.monotonic() - started,
    )


def _is_away(error: ScanError) -> bool:
    """Whether the API server, or what stands before it, is only not there at the moment: as while it restarts."""
    return error.reason == "unreachable" or (isinstance(error, ApiError) and error.status == 503)


def _exec_target(namespace: str, pod: str, container: str, argv: Sequence[str], has_stdin: bool) -> str:
    query = [
        ("container", container),
        ("stdin", "true" if has_stdin else "false"),
        ("stdout", "true"),
        ("stderr", "true"),
    ] + [("command", word) for word in argv]
    return "/api/v1/namespaces/{}/pods/{}/exec?{}".format(
        quote(namespace, safe=""), quote(pod, safe=""), urlencode(query, quote_via=quote)
    )


def _open(
    connection: ClusterConnection, target: str, stdin: bytes, output_limit: int, deadline: Deadline
) -> _Session:
    headers = connection.headers()
    stream = connection.open(deadline)
    try:
        reply = shake_hands(stream, connection.endpoint.authority, target, headers, channels.PROTOCOLS)
        if not reply.protocol:
            raise _refusal(reply, deadline.tried, connection.secrets())
        return _Session(stream, reply.protocol, stdin, channels.ChannelReader(output_limit, deadline.tried))
    except OSError as error:
        stream.close()
        raise ScanError(
            "connection_lost",
            f"the connection broke during the WebSocket handshake ({server_text(str(error), limit=100)})",
            tried=deadline.tried,
        ) from None
    except BaseException:
        stream.close()
        raise


def _refusal(reply: HandshakeReply, tried: str, secrets: Sequence[str]) -> ScanError:
    """What a server means that answers the handshake with an ordinary reply."""
    document = read_status(reply.body)
    text = server_text(status_message(document, reply.body), secrets)
    if reply.status in (400, 404, 500):
        failure = channels.exec_failure(text, tried)
        # The kubelet's own words, which the API server hands on as they are, are text: "rpc error: ..."
        if failure.reason != "exec_failed" or (
            reply.status == 500 and (document or text.startswith("rpc error:"))
        ):
            return failure
    if reply.status not in (401, 429) and reply.status < 500 and (document is None or "pgrade" in text):
        # A Kubernetes server answers a handshake that it does not understand without a Status.
        return ScanError(
            "protocol_refused",
            "HTTP {} instead of a WebSocket{}".format(
                reply.status, ": " + server_text(text, limit=200) if text else ""
            ),
            tried=tried,
        )
    error = api_error(reply.status, reply.headers, reply.body, tried, secrets)
    if reply.status == 403 and text.endswith("is forbidden:"):
        error.cause = _NEEDS_CREATE  # the server (1.37) gives no reason for this one
    return error


class _Session:
    """An open exec: standard input goes out while output comes in, so that neither side can block the other."""

    def __init__(
        self, stream: TlsStream, protocol: str, stdin: bytes, reader: channels.ChannelReader
    ) -> None:
        self.protocol = protocol
        self.reader = reader
        self._stream = stream
        self._tried = stream.deadline.tried
        self._frames = frames.FrameReader(self._tried)
        self._stdin = stdin
        self._stdin_sent = 0
        self._stdin_open = bool(stdin)
        self._outgoing = b""
        self._pong: bytes | None = None
        self._heard = self._pinged = time.monotonic()
        self._status_since: float | None = None
        self._closing = "the connection ended"
        self._is_closed = False

    def run(self, program: str) -> int:
        """Until the program has ended and the server has closed: its exit code.

        :raises ScanError: every way in which that fails
        """
        try:
            while not self._is_closed:
                self._stream.deadline.check()
                self._send()
                if not self._receive():
                    self._watch_silence()
                    if not self._is_closed:
                        self._stream.wait(to_write=bool(self._outgoing), at_most=self._wait_limit())
            if not self.reader.has_status:
                raise ScanError(
                    "connection_lost", f"{self._closing} before the program's status came", tried=self._tried
                )
            return self.reader.exit_code(program)
        finally:
            self._say_goodbye()

    def _send(self) -> None:
        try:
            while self._outgoing or self._next_outgoing():
                sent = self._stream.send(self._outgoing)
                if not sent:
                    return
                self._outgoing = self._outgoing[sent:]
        except OSError:
            # The server has closed its reading side; what it said before that is still to be read.
            self._outgoing, self._stdin_open, self._pong = b"", False, None

    def _next_outgoing(self) -> bool:
        """Make the next bytes to send, if there are any."""
        if self._pong is not None:
            self._outgoing, self._pong = frames.encode_frame(frames.PONG, self._pong), None
        elif self._stdin_open and self._status_since is None:
            chunk = self._stdin[self._stdin_sent : self._stdin_sent + _STDIN_CHUNK]
            self._stdin_sent += len(chunk)
            self._outgoing = frames.encode_frame(frames.BINARY, channels.stdin_message(chunk))
            if self._stdin_sent >= len(self._stdin):
                self._stdin_open = False
                if self.protocol == channels.V5:
                    self._outgoing += frames.encode_frame(frames.BINARY, channels.close_stdin_message())
        return bool(self._outgoing)

    def _receive(self) -> bool:
        """Take in what has come; False if there was nothing."""
        try:
            data = self._stream.receive()
        except OSError as error:
            self._closing = f"the connection broke ({server_text(str(error), limit=100)})"
            data = b""
        if data is None:
            return False
        if not data:
            self._is_closed = True
            return True
        self._heard = time.monotonic()
        self._frames.feed(data)
        for opcode, payload in self._frames.messages():
            if opcode == frames.BINARY:
                self.reader.feed(payload)
            elif opcode == frames.PING:
                self._pong = payload  # only the newest has to be answered
            elif opcode == frames.CLOSE:
                code, reason = frames.decode_close(payload)
                self._closing = "the server closed the connection ({}{})".format(
                    code, " " + server_text(reason) if reason else ""
                )
                self._is_closed = True
                break
        if self.reader.has_status and self._status_since is None:
            self._status_since = self._heard
        return True

    def _watch_silence(self) -> None:
        """Ping a silent connection; take it for dead when that does not help, or when all is said anyway."""
        now = time.monotonic()
        if self._status_since is not None:
            self._is_closed = now - self._status_since > _CLOSE_SECONDS
            return
        # Behind more standard input than the program reads the server may not get to our pings for good reasons.
        if now - self._heard > GIVE_UP_AFTER and len(self._stdin) <= _PIPE_SIZE:
            self._closing = f"no sign of life for {GIVE_UP_AFTER:g} s, pings included,"
            self._is_closed = True
        elif now - max(self._heard, self._pinged) > PING_AFTER and not self._outgoing:
            self._pinged = now
            self._outgoing = frames.encode_frame(frames.PING, b"")

    def _wait_limit(self) -> float:
        return _CLOSE_SECONDS if self._status_since is not None else PING_AFTER

    def _say_goodbye(self) -> None:
        """Close in every case; the close frame tells the server at once, where it can still be sent."""
        try:
            if not self._outgoing:
                self._stream.send(frames.encode_frame(frames.CLOSE, b"\x03\xe8"))
        except OSError:
            pass
        self._stream.close()
