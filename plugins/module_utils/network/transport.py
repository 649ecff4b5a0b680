# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens connections to a server: TCP, a proxy, TLS.

Every wait obeys a deadline, every failure has a reason.
"""

from __future__ import annotations

import errno
import io
import os
import select
import socket
import ssl
from dataclasses import dataclass
from typing import Any, cast

from ..errors import ScanError
from ..safe_text import server_text
from .deadline import Deadline, poll
from .proxy import Proxy
from .proxy_tunnel import ask_for_tunnel
from .tls import TlsClient, TlsSocket

CONNECT_SECONDS = 10.0
_RECEIVE_SIZE = 64 * 1024
# as long as a server that sends no session tickets is waited for
_TICKET_SECONDS = 1.0
# Linux; elsewhere the system's own, slower defaults hold.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


@dataclass(frozen=True)
class Endpoint:
    """Where a server is.

    :ivar base_path: stands before every path (servers behind a gateway), without a slash at its end
    :ivar server_name: the name that the certificate must be for
    """

    host: str
    port: int
    base_path: str
    server_name: str
    proxy: Proxy | None = None

    @property
    def authority(self) -> str:
        """host:port as in a URL, without the port where it is 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


class TlsStream:
    """A TLS connection whose waits obey `deadline`. A kept connection gets another deadline for each request.

    `receive` and `send` never block. `sendall` and `makefile` wait; they are what http.client needs of a
    socket.

    :ivar bytes_sent: within TLS, since the connection was made; bytes_received likewise
    """

    def __init__(self, sock: TlsSocket, tls: TlsClient, deadline: Deadline) -> None:
        self.deadline = deadline
        self.tls = tls
        self._sock = sock
        self._read_wants_write = False
        self._unread = b""
        self.bytes_sent = self.bytes_received = 0

    def receive(self, size: int = _RECEIVE_SIZE) -> bytes | None:
        """At most `size` bytes of what has arrived; None if nothing has, b"" at the end of the stream.

        :raises OSError: the connection broke
        """
        if self._unread:
            data, self._unread = self._unread[:size], self._unread[size:]
            return data
        self._read_wants_write = False
        try:
            data = self._sock.recv(size)
            self.bytes_received += len(data)
            return data
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            self._read_wants_write = True
            return None
        except ssl.SSLEOFError:
            return b""

    def unread(self, data: bytes) -> None:
        """Give back what was received too much: the next `receive` returns it."""
        self._unread = data + self._unread

    def send(self, data: bytes) -> int:
        """Send what fits, and return how many bytes that were. After 0 the same data must be offered again.

        :raises OSError: the connection broke
        """
        try:
            sent = self._sock.send(data)
            self.bytes_sent += sent
            return sent
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0

    def wait(self, to_write: bool = False, at_most: float | None = None) -> None:
        """Wait until there is something to read (with `to_write`: or room to write), at most one slice of the
        deadline.

        :raises ScanError: cancelled, timed_out
        """
        self.deadline.check()
        if self._unread or self._sock.pending():
            return
        events = select.POLLIN | (select.POLLOUT if to_write or self._read_wants_write else 0)
        poll(self._sock.fileno(), events, self.deadline.slice(at_most))

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            sent = self.send(view[:_RECEIVE_SIZE].tobytes())
            view = view[sent:]
            if not sent:
                self.wait(to_write=True)

    def raw(self) -> io.RawIOBase:
        """The reading side as a file that waits."""
        return _StreamReader(self)

    def makefile(self, _mode: str, *_args: object, **_kwargs: object) -> io.BufferedReader:
        return io.BufferedReader(self.raw())

    def is_idle(self) -> bool:
        """Whether the connection is open and has nothing to read, so that it can be used again."""
        return not self._sock.pending() and not poll(self._sock.fileno(), select.POLLIN, 0)

    def finish(self) -> None:
        """Say that nothing more comes, and wait until the other side has closed as well: it has then read all that was sent.

        :raises ScanError: connection_lost, when it had closed before, or ends the connection with an error; cancelled, timed_out
        """
        try:
            self._see_whether_we_are_refused()
            while True:
                try:
                    self._sock.unwrap()
                    return
                except ssl.SSLWantReadError:
                    break
                except ssl.SSLWantWriteError:
                    self.wait(to_write=True)
            while self.receive() != b"":
                self.wait()
        except ssl.SSLZeroReturnError:
            return
        except (OSError, ValueError) as error:
            why = server_text(str(getattr(error, "reason", None) or error))
            raise ScanError(
                "connection_lost",
                f"the connection ended before the other side has read everything ({why})",
                tried=self.deadline.tried,
            ) from None

    def _see_whether_we_are_refused(self) -> None:
        """With TLS 1.3 a server refuses our certificate after the handshake, and `unwrap` takes the refusal for its close. A
        server that accepts us says something as well, its session tickets: whichever it is, it is read before.

        :raises OSError: it refuses us, or has closed already
        """
        if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.version() == "TLSv1.2"):
            self.wait(at_most=_TICKET_SECONDS)
        if self.receive() == b"":
            raise ConnectionAbortedError("it closed before it could know that nothing more comes")

    def close(self) -> None:
        """Close at once, with a TLS close: OpenSSL does not resume sessions of connections that were cut."""
        try:
            self.tls.remember(self._sock)
            self._sock.unwrap()
        except (OSError, ValueError):
            pass  # unwrap does not wait for an answer, and perhaps nobody is there to give one
        self._sock.close()


class _StreamReader(io.RawIOBase):
    """The reading side of a stream, as a file."""

    def __init__(self, stream: TlsStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            data = self._stream.receive(len(buffer))
            if data is not None:
                buffer[: len(data)] = data
                return len(data)
            self._stream.wait()


def open_stream(endpoint: Endpoint, tls: TlsClient, deadline: Deadline) -> TlsStream:
    """Connect to the server.

    :raises ScanError: unreachable, tls_failed, cancelled, timed_out
    """
    connect = deadline.narrowed(CONNECT_SECONDS)
    where = f"{endpoint.host}:{endpoint.port}"
    try:
        if endpoint.proxy is None:
            wire: socket.socket | ssl.SSLSocket = _connect(endpoint.host, endpoint.port, connect)
        else:
            wire = _connect_by_proxy(endpoint, endpoint.proxy, tls, connect)
        return TlsStream(_start_tls(wire, where, endpoint.server_name, tls, connect), tls, deadline)
    except ScanError as error:
        if error.reason == "timed_out":
            deadline.check()
            by = f" by the proxy {endpoint.proxy.host}:{endpoint.proxy.port}" if endpoint.proxy else ""
            raise ScanError(
                "unreachable",
                f"no connection to {where}{by} within {connect.seconds:g} s",
                tried=deadline.tried,
            ) from None
        raise


def _connect_by_proxy(
    endpoint: Endpoint, proxy: Proxy, tls: TlsClient, deadline: Deadline
) -> socket.socket | ssl.SSLSocket:
    """A connection that the proxy hands on to the server; with TLS as far as the proxy, where it wants that."""
    wire: Any = _connect(proxy.host, proxy.port, deadline, "the proxy ")
    if proxy.scheme == "https":
        where = f"the proxy {proxy.host}:{proxy.port}"
        wire = _start_tls(wire, where, proxy.host, tls.of_proxy(), deadline)
    try:
        ask_for_tunnel(wire, proxy, endpoint.host, endpoint.port, deadline)
    except ScanError:
        wire.close()
        raise
    return cast("socket.socket | ssl.SSLSocket", wire)


def _connect(host: str, port: int, deadline: Deadline, what: str = "") -> socket.socket:
    where = f"{what}{host}:{port}"
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ScanError(
            "unreachable", f"{where}: no address for the name ({error})", tried=deadline.tried
        ) from None
    problem = "no address"
    for number, (family, kind, protocol, _name, address) in enumerate(addresses):
        # A dead address must not use up the time of the addresses after it.
        share = deadline.narrowed(deadline.remaining() / (len(addresses) - number))
        try:
            return _connect_address(socket.socket(family, kind, protocol), address, share)
        except ScanError:
            deadline.check()
            problem = "no answer"
        except OSError as error:
            problem = error.strerror or str(error)
    raise ScanError("unreachable", f"no connection to {where}: {problem}", tried=deadline.tried)


def _connect_address(sock: socket.socket, address: Any, deadline: Deadline) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            if hasattr(socket, option):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        code = sock.connect_ex(address)
        while code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            if poll(sock.fileno(), select.POLLOUT, deadline.slice()):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            else:
                deadline.check()
        if code:
            raise OSError(code, os.strerror(code))
    except (OSError, ScanError):
        sock.close()
        raise
    return sock


def _start_tls(
    sock: socket.socket | ssl.SSLSocket, where: str, server_name: str, tls: TlsClient, deadline: Deadline
) -> TlsSocket:
    secured: TlsSocket | None = None
    try:
        secured = tls.wrap(sock, server_name)
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                events = select.POLLIN
            except ssl.SSLWantWriteError:
                events = select.POLLOUT
            if not poll(secured.fileno(), events, deadline.slice()):
                deadline.check()
    except (OSError, ValueError, ScanError) as error:
        (secured or sock).close()
        if isinstance(error, ScanError):
            raise
        raise _tls_error(error, where, server_name, deadline.tried) from None


def _tls_error(error: Exception, where: str, server_name: str, tried: str) -> ScanError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ScanError(
            "tls_failed",
            f"{where}: {server_text(error.verify_message)}",
            tried=tried,
            cause=f"The certificate was checked for the name {server_name}.",
        )
    if isinstance(error, ssl.SSLEOFError) or not isinstance(error, (ssl.SSLError, ValueError)):
        return ScanError(
            "unreachable", f"{where} closed the connection during the TLS handshake", tried=tried
        )
    reason = getattr(error, "reason", None) or str(error)
    return ScanError(
        "tls_failed",
        f"{where}: TLS failed ({server_text(str(reason))})",
        tried=tried,
        cause="The server speaks no TLS, or none that both sides accept.",
        advice="Check host and port, and whether the server wants a client certificate.",
    )
