# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to the fake server: TLS, HTTP/1.1 with keep-alive, faults, the API and exec."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import select
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from . import exec_streams
from .faults import Fault
from .objects import only_metadata, status_object

if TYPE_CHECKING:
    from .server import FakeApiServer

_PHRASES = {
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    429: "Too Many Requests",
}
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


_NOTHING_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


class _GoneError(OSError):
    """The connection is to be closed."""


class RequestHandler(socketserver.BaseRequestHandler):
    """Serves requests until one side closes."""

    def handle(self) -> None:
        api: FakeApiServer = self.server.api  # type: ignore[attr-defined]
        connection = self.request
        peer = ""
        if api.context is not None:
            try:
                connection = api.context.wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError):
                return
            certificate = connection.getpeercert() or {}
            peer = {key: value for part in certificate.get("subject", ()) for key, value in part}.get(
                "commonName", ""
            )
        api.opened(connection, bool(getattr(connection, "session_reused", False)))
        wire = _Wire(connection)
        try:
            with contextlib.suppress(OSError, ValueError):
                exchange = _Exchange(api, wire, peer)
                while not api.stopping.is_set():
                    exchange.serve()
        finally:
            api.closed(connection)
            wire.end()


class _Wire(io.RawIOBase):
    """The connection for two threads. OpenSSL must not read and write at once on one connection, so both take turns.

    Neither waits within its turn: what has arrived need not be whole, and then a reader would keep the writer waiting for what
    the client sends next. And the connection is closed when nobody is in it any more: its number is soon that of another one,
    and a reader that came late would take the other one's bytes.
    """

    def __init__(self, connection: Any) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._turn = threading.Lock()
        self._users = 0
        self._ended = False
        self._changed = threading.Condition()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._used():
            while True:
                with self._turn, contextlib.suppress(*_NOTHING_YET):
                    return self._connection.recv_into(buffer)
                self._wait(select.POLLIN)

    def sendall(self, data: bytes) -> None:
        """Another part of a text can be offered only when the part before it is sent: the caller has a lock of its own."""
        left = memoryview(data)
        with self._used():
            while left:
                sent = 0
                with self._turn, contextlib.suppress(*_NOTHING_YET):
                    sent = self._connection.send(left)
                left = left[sent:]
                if not sent:
                    self._wait(select.POLLOUT)

    def end(self) -> None:
        """Ends the connection, for those that wait for it too, and closes it."""
        with self._changed:
            self._ended = True
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._users)
        self._connection.close()

    @contextlib.contextmanager
    def _used(self) -> Iterator[None]:
        """:raises OSError: the connection has ended"""
        with self._changed:
            if self._ended:
                raise _GoneError
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    def _wait(self, event: int) -> None:
        poller = select.poll()
        poller.register(self._connection.fileno(), event)
        poller.poll()


class _Exchange:
    def __init__(self, api: FakeApiServer, wire: _Wire, peer: str) -> None:
        self._api = api
        self._wire = wire
        self._incoming = io.BufferedReader(self._wire)
        self._peer = peer
        self._budget: int | None = None

    def serve(self) -> None:
        from .server import SeenRequest

        method, target, headers, body = self._read_request()
        path, _mark, query_text = target.partition("?")
        path, query = unquote(path), parse_qsl(query_text, keep_blank_values=True)
        user = self._user(headers)
        self._api.saw(SeenRequest(method, path, query, headers, user or "", self._peer))
        fault = self._api.take_fault(f"{method} {target}")
        is_exec = path.endswith("/exec") and headers.get("upgrade", "").lower() == "websocket"
        if fault is not None and self._misbehave(fault, headers, is_exec):
            return
        if user is None:
            self._status(401, "Unauthorized")
            return
        refusal = self._api.grants.deny(user, method, path)
        if refusal:
            self._status(403, refusal)
        elif is_exec:
            self._exec(path, query, headers, fault)
        else:
            code, answer = self._api.objects.answer(
                method,
                path,
                dict(query),
                json.loads(body) if body else None,
                headers.get("content-type", ""),
                user,
            )
            if "PartialObjectMetadata" in headers.get("accept", "") and code == 200:
                answer = only_metadata(answer)
            self._json(code, answer)

    def _read_request(self) -> tuple[str, str, dict[str, str], bytes]:
        if self._incoming.peek(1)[:1] == b"\x16":  # TLS, where none is spoken
            self._reply(400, b"this is plain HTTP", "text/plain")
            raise _GoneError
        line = self._incoming.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            raise _GoneError
        headers: dict[str, str] = {}
        while True:
            header = self._incoming.readline(65536).decode("latin-1").strip()
            if not header:
                break
            name, _colon, value = header.partition(":")
            name = name.strip().lower()
            headers[name] = headers[name] + "," + value.strip() if name in headers else value.strip()
        return line[0], line[1], headers, self._incoming.read(int(headers.get("content-length", 0)))

    def _user(self, headers: dict[str, str]) -> str | None:
        kind, _space, value = headers.get("authorization", "").partition(" ")
        if kind == "Bearer":
            user = self._api.grants.user_of(value)
        elif kind == "Basic":
            user = base64.b64decode(value).decode("utf-8").partition(":")[0]
        else:
            user = self._peer or None
        return headers.get("impersonate-user", user) if user else None

    # Answers

    def _send(self, data: bytes) -> None:
        if self._budget is not None:
            data, self._budget = data[: self._budget], self._budget - len(data)
        self._wire.sendall(data)
        if self._budget is not None and self._budget <= 0:
            raise _GoneError

    def _reply(
        self, code: int, content: bytes, content_type: str, extra: tuple[tuple[str, str], ...] = ()
    ) -> None:
        lines = [
            "HTTP/1.1 {} {}".format(code, _PHRASES.get(code, "Whatever")),
            f"Content-Type: {content_type}",
            f"Content-Length: {len(content)}",
        ]
        lines += ["{}: {}".format(*header) for header in extra]
        self._send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + content)

    def _json(self, code: int, answer: Any, extra: tuple[tuple[str, str], ...] = ()) -> None:
        self._reply(code, json.dumps(answer).encode("utf-8"), "application/json", extra)

    def _status(self, code: int, message: str, reason: str = "", retry_after: int | None = None) -> None:
        extra = (("Retry-After", str(retry_after)),) if retry_after is not None else ()
        self._json(
            code, status_object(code, reason or _REASONS.get(code, "Unknown"), message, retry_after), extra
        )

    # Faults

    def _misbehave(self, fault: Fault, headers: dict[str, str], is_exec: bool) -> bool:
        """True if the request is done with; else the well-behaved answer follows."""
        kind = fault.kind
        if kind == "slow":
            self._api.stopping.wait(fault.seconds)
        elif kind == "interim":
            self._wire.sendall(fault.text.encode("latin-1"))
        elif kind == "meanwhile":
            fault.action()
        elif kind == "cut_handshake" or (kind == "cut" and not is_exec):
            self._budget = fault.after
        elif kind == "status":
            self._status(
                fault.status, fault.text or "because the test wants it", fault.reason, fault.retry_after
            )
            return True
        elif kind == "plain_status":
            extra = (("Retry-After", str(fault.retry_after)),) if fault.retry_after is not None else ()
            self._reply(fault.status, fault.text.encode("utf-8"), "text/plain", extra)
            return True
        elif kind == "html":
            self._reply(200, b"<html><body>Please log in</body></html>", "text/html")
            return True
        elif kind == "redirect":
            self._reply(302, b"", "text/plain", (("Location", fault.text or "https://login.test/"),))
            return True
        elif kind == "reflect":
            self._status(400, f"unable to upgrade: missing upgrade headers in request: {headers}")
            return True
        elif kind == "spdy_only":
            self._reply(400, b"unable to upgrade: missing upgrade headers in request", "text/plain")
            return True
        elif not is_exec:
            self._misbehave_rest(fault)
            return True
        return False

    def _misbehave_rest(self, fault: Fault) -> None:
        if fault.kind == "garbage":
            self._send(fault.text.encode("latin-1") or b"\x00\x01\x02 what is this\r\n\r\n")
        elif fault.kind == "flood":
            self._send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"a": "')
            while not self._api.stopping.is_set():
                self._send(b"x" * 65536)
        elif fault.kind == "silence":
            fault.action()
            self._api.stopping.wait()
        raise _GoneError

    # Exec

    def _exec(
        self, path: str, query: list[tuple[str, str]], headers: dict[str, str], fault: Fault | None
    ) -> None:
        parts = path.strip("/").split("/")
        namespace, pod, container = parts[3], parts[5], dict(query).get("container", "")
        found = self._api.objects.find(f"/api/v1/namespaces/{namespace}/pods/{pod}")
        if found is None:
            self._status(404, f'pods "{pod}" not found')
            return
        program = self._api.program(namespace, pod, container)
        if program is None:
            self._status(400, f"container {container} is not valid for pod {pod}")
            return
        states = {
            status["name"]: status["state"]
            for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
            for status in found["status"].get(kind) or []
        }
        if "running" not in states.get(container, {}):
            self._reply(500, b'container not found ("%s")' % container.encode("utf-8"), "text/plain")
            return
        kind = fault.kind if fault else ""
        offered = [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")]
        known = ["v4.channel.k8s.io"] if kind == "v4_only" else ["v5.channel.k8s.io", "v4.channel.k8s.io"]
        protocol = next((name for name in offered if name in known), "")
        if kind == "other_subprotocol":
            protocol = "v9.channel.k8s.io"
        key = exec_streams.accept_key(headers["sec-websocket-key"] + ("x" if kind == "wrong_accept" else ""))
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: " + key,
        ]
        if kind != "no_subprotocol":
            lines.append("Sec-WebSocket-Protocol: " + protocol)
        self._send(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        if fault is not None and kind == "cut":
            self._budget = fault.after
        streams = exec_streams.ExecStreams(
            self._incoming, self._send, protocol, dict(query).get("stdin") == "true"
        )
        self._run_exec(program, [value for name, value in query if name == "command"], streams, fault)
        raise _GoneError

    def _run_exec(
        self,
        program: exec_streams.Program,
        argv: list[str],
        streams: exec_streams.ExecStreams,
        fault: Fault | None,
    ) -> None:
        kind = fault.kind if fault else ""
        streams.fragments = kind == "fragments"
        if kind != "deaf":
            threading.Thread(target=streams.read_forever, daemon=True).start()
        if fault is not None and self._misbehave_exec(fault, streams):
            return
        streams.write(exec_streams.STDOUT, b"")
        try:
            status = exec_streams.exit_status(program(argv, streams))
        except exec_streams.StartError as failure:
            status = exec_streams.start_failure_status(str(failure))
        if fault is not None and kind == "final_status":
            status = fault.text.encode("utf-8", "surrogateescape")
        if kind != "no_status":
            streams.write(exec_streams.ERROR, status)
        if kind != "no_close_frame":
            streams.raw(exec_streams.frame(exec_streams.CLOSE, b"\x03\xe8"))
            # Until the client has read all and closes: an end before would take what is still on its way, if the client then
            # sends as little as a pong.
            streams.closed.wait(60)

    def _misbehave_exec(self, fault: Fault, streams: exec_streams.ExecStreams) -> bool:
        if fault.kind == "garbage":
            streams.raw(fault.text.encode("latin-1") or b"\xff\xff\xff\xff\xff\xff\xff\xff")
        elif fault.kind == "huge_frame":
            streams.raw(b"\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00\x01")
        elif fault.kind == "masked_frame":
            streams.raw(b"\x82\x82\x00\x00\x00\x00\x01x")
        elif fault.kind == "wrong_channel":
            streams.write(9, b"hello")
        elif fault.kind in ("flood", "ping_flood"):
            data = (
                exec_streams.frame(exec_streams.PING, b"x" * 100) * 100
                if fault.kind == "ping_flood"
                else (exec_streams.frame(exec_streams.BINARY, b"\x01" + b"y" * 32768))
            )
            with contextlib.suppress(OSError):
                while not streams.closed.is_set() and not self._api.stopping.is_set():
                    streams.raw(data)
        elif fault.kind == "silence":
            fault.action()
        else:
            return False
        # Stay, so that it is what was sent, and not the end, that the client has to notice.
        while not streams.closed.is_set() and not self._api.stopping.is_set():
            time.sleep(0.01)
        return True
