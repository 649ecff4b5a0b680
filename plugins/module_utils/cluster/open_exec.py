# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exec that stays open: a program in a container is started, given input, and read, as often as wanted.

pods/exec over a WebSocket. Who wants one program with one input takes `websocket_exec.exec_in_container`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Callable
from urllib.parse import quote, urlencode

from ..errors import ScanError
from ..network import websocket_frames as frames
from ..network.deadline import Deadline
from ..network.transport import TlsStream
from ..network.websocket_handshake import HandshakeReply, shake_hands
from ..safe_text import server_text
from . import exec_channels as channels
from .api_errors import ApiError, api_error, read_status, redirect_text, status_message
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
CLOSE_SECONDS = 2.0


@dataclass(frozen=True)
class ExecPlace:
    """A container, and what is run in it."""

    namespace: str
    pod: str
    container: str
    argv: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.pod}/{self.container}"

    def request_target(self, has_stdin: bool) -> str:
        """The path and query of the request, below the API server's base path."""
        query = [
            ("container", self.container),
            ("stdin", "true" if has_stdin else "false"),
            ("stdout", "true"),
            ("stderr", "true"),
        ] + [("command", word) for word in self.argv]
        return "/api/v1/namespaces/{}/pods/{}/exec?{}".format(
            quote(self.namespace, safe=""), quote(self.pod, safe=""), urlencode(query, quote_via=quote)
        )


def open_exec(
    connection: ClusterConnection,
    place: ExecPlace,
    *,
    deadline: Deadline,
    output_limit: int,
    has_stdin: bool = True,
) -> OpenExec:
    """Starts a program in a container. An API server that is away, throttles or wants a new credential is
    asked again.

    :param deadline: for everything from the connection to the end of the program
    :param output_limit: bytes of standard output and standard error together, for each answer
    :raises ScanError: container_not_running, pod_gone, not_found, exec_failed, not_authenticated,
        not_permitted, throttled, protocol_refused, connection_lost, timed_out, cancelled, server_error,
        invalid_request, unreachable, tls_failed, no_credential, bad_file
    """
    target = connection.endpoint.base_path + place.request_target(has_stdin)
    renewed = False
    absences = 0
    while True:
        try:
            return _logged_open(connection, place, target, output_limit, deadline)
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


def _is_away(error: ScanError) -> bool:
    """Whether the API server, or what stands before it, is only not there at the moment: as while it
    restarts."""
    return error.reason == "unreachable" or (isinstance(error, ApiError) and error.status == 503)


def _logged_open(
    connection: ClusterConnection, place: ExecPlace, target: str, output_limit: int, deadline: Deadline
) -> OpenExec:
    what, begun = f"{connection.role} exec into {place.path}", time.monotonic()
    outcome = "open"
    try:
        running = _open(connection, target, place.argv[0], output_limit, deadline)
    except ScanError as error:
        outcome = error.reason
        raise
    finally:
        connection.log.add_exec(what, outcome, seconds=time.monotonic() - begun)
    running.when_closed = lambda sent, received: connection.log.end_exec(
        what, seconds=time.monotonic() - begun, sent=sent, received=received
    )
    return running


def _open(
    connection: ClusterConnection, target: str, program: str, output_limit: int, deadline: Deadline
) -> OpenExec:
    headers = connection.headers()
    stream = connection.open(deadline)
    try:
        reply = shake_hands(stream, connection.endpoint.authority, target, headers, channels.PROTOCOLS)
        if not reply.protocol:
            raise connection.explained(_refusal(reply, deadline.tried, connection.secrets()))
        reader = channels.ChannelReader(output_limit, deadline.tried)
        return OpenExec(stream, reply.protocol, program, reader)
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
    if 300 <= reply.status < 400:
        text = redirect_text(reply.headers, secrets)
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


class OpenExec:
    """A program that runs in a container. Its input goes out while its output comes in, so that neither side
    can block the other. Not for several threads.

    Nobody reads between two calls: pings of the server then wait for their answer. A kubelet ends an exec
    that is silent for 4 hours (streamingConnectionIdleTimeout), a proxy on the way often after a minute.

    A call that fails closes the connection, at which the container runtime closes the program's streams.
    """

    def __init__(
        self, stream: TlsStream, protocol: str, program: str, reader: channels.ChannelReader
    ) -> None:
        self.protocol = protocol
        self._reader = reader
        self._program = program
        self._stream = stream
        self._tried = stream.deadline.tried
        self._frames = frames.FrameReader(self._tried)
        self._input = b""
        self._input_sent = 0
        self._ends_input = False
        self._searched = 0
        self._outgoing = b""
        self._pong: bytes | None = None
        self._heard = self._pinged = time.monotonic()
        self._status_since: float | None = None
        self._closing = "the connection ended"
        self._is_closed = False
        self._has_said_goodbye = False
        # gets the bytes that were sent and received on the connection
        self.when_closed: Callable[[int, int], None] = lambda _sent, _received: None

    def __enter__(self) -> OpenExec:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()

    @property
    def stdout(self) -> bytes:
        """What the program has written since `ask` was last answered."""
        return bytes(self._reader.stdout)

    @property
    def stderr(self) -> bytes:
        """As `stdout`. It may lag behind: the two streams have an order each, and none together."""
        return bytes(self._reader.stderr)

    @property
    def has_ended(self) -> bool:
        """Whether the program's status has come, or nothing more can come."""
        return self._reader.has_status or self._is_closed

    def ask(self, data: bytes, mark: bytes) -> tuple[bytes, bytes] | None:
        """Gives the program `data`, and reads until it has written `mark` and the rest of a line.

        :return: the output before the mark, and the rest of its line; None where the program ended before,
            which `finish` then tells of
        :raises ScanError: timed_out, cancelled, too_much_output, bad_reply
        """
        self._reader.forget_output()
        self._searched = 0
        self._give(data)
        self._exchange(lambda: self.has_ended or self._find_line(mark) is not None)
        line = self._find_line(mark)
        if line is None:
            return None
        at, end = line
        return bytes(self._reader.stdout[:at]), bytes(self._reader.stdout[at + len(mark) : end])

    def _find_line(self, mark: bytes) -> tuple[int, int] | None:
        """Where the mark is in the output, and where its line ends; what was searched is not searched
        again."""
        at = self._reader.stdout.find(mark, self._searched)
        self._searched = max(0, len(self._reader.stdout) - len(mark)) if at < 0 else at
        end = self._reader.stdout.find(b"\n", at) if at >= 0 else -1
        return None if end < 0 else (at, end)

    def finish(self, data: bytes = b"", *, is_input_open: bool = True) -> int:
        """Gives the program its last input, ends that (as far as the protocol can), and waits for its end.

        :param is_input_open: False where the program was started without standard input
        :return: its exit code
        :raises ScanError: no_such_program, container_not_running, pod_gone, not_found, exec_failed,
            connection_lost, timed_out, too_much_output, cancelled, bad_reply
        """
        if is_input_open:
            self._give(data, ends_input=True)
        try:
            self._exchange(lambda: False)
            if not self._reader.has_status:
                raise ScanError(
                    "connection_lost", f"{self._closing} before the program's status came", tried=self._tried
                )
            return self._reader.exit_code(self._program)
        finally:
            self.abandon()

    def end(self, data: bytes) -> None:
        """As `finish`, for one whose end matters little: it gets a moment, then the connection is closed."""
        self._stream.deadline = self._stream.deadline.narrowed(CLOSE_SECONDS)
        with suppress(ScanError):
            self.finish(data)

    def _give(self, data: bytes, *, ends_input: bool = False) -> None:
        """`data` is what is sent next."""
        if not self.has_ended:
            self._input = self._input[self._input_sent :] + data
            self._input_sent, self._ends_input = 0, ends_input
            self._heard = self._pinged = time.monotonic()

    def _exchange(self, is_done: Callable[[], bool]) -> None:
        """Sends and receives until that is so, or the connection has ended."""
        try:
            while not is_done() and not self._is_closed:
                self._stream.deadline.check()
                self._send()
                if not self._receive():
                    self._watch_silence()
                    if not self._is_closed:
                        self._stream.wait(to_write=bool(self._outgoing), at_most=self._wait_limit())
        except BaseException:
            self.abandon()
            raise

    def _send(self) -> None:
        try:
            while self._outgoing or self._next_outgoing():
                sent = self._stream.send(self._outgoing)
                if not sent:
                    return
                self._outgoing = self._outgoing[sent:]
        except OSError:
            # The server has closed its reading side; what it said before that is still to be read.
            self._outgoing, self._pong = b"", None
            self._input, self._input_sent, self._ends_input = b"", 0, False

    def _next_outgoing(self) -> bool:
        """Make the next bytes to send, if there are any."""
        if self._pong is not None:
            self._outgoing, self._pong = frames.encode_frame(frames.PONG, self._pong), None
        elif self._status_since is not None:
            return False
        elif self._input_sent < len(self._input):
            chunk = self._input[self._input_sent : self._input_sent + _STDIN_CHUNK]
            self._input_sent += len(chunk)
            self._outgoing = frames.encode_frame(frames.BINARY, channels.stdin_message(chunk))
            if self._input_sent == len(self._input):
                self._outgoing += self._end_of_input()
        else:
            self._outgoing = self._end_of_input()
        return bool(self._outgoing)

    def _end_of_input(self) -> bytes:
        """What ends the program's input, once and where that is wanted; before v5 the protocol has no word for
        it. It goes out with the last input, not after it."""
        ends, self._ends_input = self._ends_input, False
        if not ends or self.protocol != channels.V5:
            return b""
        return frames.encode_frame(frames.BINARY, channels.close_stdin_message())

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
                self._reader.feed(payload)
            elif opcode == frames.PING:
                self._pong = payload  # only the newest has to be answered
            elif opcode == frames.CLOSE:
                code, reason = frames.decode_close(payload)
                self._closing = "the server closed the connection ({}{})".format(
                    code, " " + server_text(reason) if reason else ""
                )
                self._is_closed = True
                break
        if self._reader.has_status and self._status_since is None:
            self._status_since = self._heard
        return True

    def _watch_silence(self) -> None:
        """Ping a silent connection; take it for dead when that does not help, or when all is said anyway."""
        now = time.monotonic()
        if self._status_since is not None:
            self._is_closed = now - self._status_since > CLOSE_SECONDS
            return
        # A server that holds more standard input than the program reads has a reason not to get to our pings.
        if now - self._heard > GIVE_UP_AFTER and len(self._input) <= _PIPE_SIZE:
            self._closing = f"no sign of life for {GIVE_UP_AFTER:g} s, pings included,"
            self._is_closed = True
        elif now - max(self._heard, self._pinged) > PING_AFTER and not self._outgoing:
            self._pinged = now
            self._outgoing = frames.encode_frame(frames.PING, b"")

    def _wait_limit(self) -> float:
        return CLOSE_SECONDS if self._status_since is not None else PING_AFTER

    def abandon(self) -> None:
        """Closes the connection, whatever runs; the close frame tells the server at once, where it can still
        be sent."""
        self._is_closed = True
        if self._has_said_goodbye:
            return
        self._has_said_goodbye = True
        try:
            if not self._outgoing:
                self._stream.send(frames.encode_frame(frames.CLOSE, b"\x03\xe8"))
        except OSError:
            pass
        self._stream.close()
        self.when_closed(self._stream.bytes_sent, self._stream.bytes_received)
