# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 requests over kept connections: where they go, what is sent, what comes back."""

from __future__ import annotations

import http.client
import io
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import ScanError
from ..safe_text import server_text
from .deadline import Deadline
from .proxy_tunnel import INTERIM_REPLIES
from .tls import TlsClient
from .transport import Endpoint, TlsStream, open_stream

# Below the idle time-outs of servers and load balancers, so that a kept connection is rarely a dead one.
_KEEP_SECONDS = 20.0
_KEEP_CONNECTIONS = 16
_PIECE = 64 * 1024
# As http.client reads lines.
_LINE_LIMIT = 64 * 1024 + 1
# 101 is a final one: the connection is another from then on.
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d\b")


@dataclass(frozen=True)
class HttpTarget:
    """A server and who we are towards it, at one moment.

    :ivar headers: sent with every request (a name may stand several times, as Impersonate-Group does)
    :ivar secrets: texts that must not appear in any message, though a server may send them back
    """

    endpoint: Endpoint
    tls: TlsClient
    headers: Sequence[tuple[str, str]] = ()
    secrets: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"HttpTarget({self.endpoint.authority})"


@dataclass(frozen=True)
class HttpRequest:
    """`target` is path and query, without the base path of the endpoint; `body` is None for none."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class HttpReply:
    """`headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class ReplyTooLargeError(ScanError):
    """A reply that is larger than what is read or parsed: bad_reply."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds for which a server asked us to wait; None where it did not, or named a date.

    :param headers: of its reply, with lower-case names
    """
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


class HttpPool:
    """Lends each request a connection of its own. Safe to use from several threads.

    Requests are made by http.client over our own streams: the way to the server (proxy, TLS, deadline,
    cancel) is then the same as for exec, and no other library is needed.
    """

    def __init__(self) -> None:
        self._idle: list[tuple[float, Endpoint, TlsStream]] = []
        self._lock = threading.Lock()

    def exchange(
        self,
        server: HttpTarget,
        request: HttpRequest,
        *,
        limit: int,
        deadline: Deadline,
        error_limit: int | None = None,
    ) -> HttpReply:
        """Send one request and read its reply.

        :param limit: most bytes of its body; a longer one is bad_reply
        :param error_limit: most bytes of the body where the status is not 200 to 299: what is more is left
            out
        :raises ScanError: unreachable (nothing was sent), connection_lost (it may have been), bad_reply,
            tls_failed, cancelled, timed_out
        """
        stream = self._take(server, deadline) or open_stream(server.endpoint, server.tls, deadline)
        keep = False
        lent = _LentSocket(stream)
        try:
            client = _start(lent, server, request)
            reply, keep = _read(client, lent.reader, limit, error_limit, deadline)
            return reply
        except (http.client.HTTPException, OSError, ValueError) as error:
            cut_off = ConnectionError("the reply was cut off") if lent.reader.has_ended else None
            raise _broken(cut_off or error, deadline.tried, server.secrets) from None
        finally:
            if keep:
                self._give_back(server.endpoint, stream)
            else:
                stream.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _since, _endpoint, stream in idle:
            stream.close()

    def _take(self, server: HttpTarget, deadline: Deadline) -> TlsStream | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, endpoint, stream = self._idle.pop()
            # A connection belongs to its server, and to the client certificate that it was opened with.
            is_ours = endpoint == server.endpoint and stream.tls is server.tls
            if is_ours and time.monotonic() - since < _KEEP_SECONDS and stream.is_idle():
                stream.deadline = deadline
                return stream
            stream.close()

    def _give_back(self, endpoint: Endpoint, stream: TlsStream) -> None:
        with self._lock:
            if len(self._idle) < _KEEP_CONNECTIONS:
                self._idle.append((time.monotonic(), endpoint, stream))
                return
        stream.close()


class _LentSocket:
    """A stream for http.client, which closes its socket as soon as it knows that a reply is the last one, and
    reads on afterwards. Here the pool closes.

    :ivar reader: what http.client reads the reply from
    """

    def __init__(self, stream: TlsStream) -> None:
        self.sendall = stream.sendall
        self.reader = _ReplyReader(stream.raw())

    def makefile(self, _mode: str, *_args: object, **_kwargs: object) -> _ReplyReader:
        return self.reader

    def close(self) -> None:
        """Nothing: the pool closes."""


class _ReplyReader(io.BufferedReader):
    """Notices a head that ends before its empty line. http.client takes such headers for complete ones, and the
    first part of a status line for a wrong one. It also takes each interim reply but 100 for the final one."""

    has_ended = False
    _status_line = b""

    def pass_interim_replies(self) -> None:
        """:raises http.client.HTTPException: there are more than anybody sends"""
        for _interim in range(INTERIM_REPLIES + 1):
            self._status_line = self.readline(_LINE_LIMIT)
            if not _INTERIM.match(self._status_line):
                return
            self._status_line = b""
            http.client.parse_headers(self)
        raise http.client.HTTPException(f"more than {INTERIM_REPLIES} interim replies")

    def readline(self, size: int | None = -1) -> bytes:
        if self._status_line:
            line, self._status_line = self._status_line, b""
            return line
        line = super().readline(size)
        is_whole = line.endswith(b"\n") or len(line) == size
        self.has_ended = self.has_ended or not is_whole
        return line


def _start(lent: _LentSocket, server: HttpTarget, request: HttpRequest) -> http.client.HTTPConnection:
    """Send the request; the reply is still to be read."""
    endpoint = server.endpoint
    client = http.client.HTTPConnection(endpoint.host, endpoint.port)
    client.auto_open = 0  # or it would go on without TLS on its own
    client.sock = lent
    client.putrequest(request.method, endpoint.base_path + request.target, skip_host=True)
    client.putheader("Host", endpoint.authority)
    for name, value in [*server.headers, *request.headers.items()]:
        client.putheader(name, value)
    if request.body is not None:
        client.putheader("Content-Length", str(len(request.body)))
    client.endheaders(request.body)
    return client


def _read(
    client: http.client.HTTPConnection,
    reader: _ReplyReader,
    limit: int,
    error_limit: int | None,
    deadline: Deadline,
) -> tuple[HttpReply, bool]:
    """The reply, and whether its connection can serve another request."""
    reader.pass_interim_replies()
    response = client.getresponse()
    try:
        if reader.has_ended:
            raise ConnectionError("the reply was cut off")
        headers = {name.lower(): value for name, value in response.getheaders()}
        reply = HttpReply(response.status, headers, b"")
        most = limit if error_limit is None or reply.is_success else error_limit
        body = _read_body(response, most)
        if len(body) > most and not reply.is_success and error_limit is not None:
            return replace(reply, body=body[:most]), False
        if len(body) > most:
            raise ReplyTooLargeError(
                "bad_reply", f"the reply has more than {most} bytes", tried=deadline.tried
            )
        if response.length:
            raise ConnectionError("the reply was cut off")
        return replace(reply, body=body), response.isclosed() and not response.will_close
    finally:
        response.close()  # or it is closed when the collector comes by, after its stream


def _broken(error: Exception, tried: str, secrets: Sequence[str]) -> ScanError:
    # RemoteDisconnected is a BadStatusLine, too.
    if isinstance(error, (OSError, http.client.IncompleteRead)):
        text = server_text(str(error), secrets, limit=100) or type(error).__name__
        return ScanError("connection_lost", f"the connection broke ({text})", tried=tried)
    why = str(error) if type(error) is http.client.HTTPException else type(error).__name__
    return ScanError(
        "bad_reply", f"not a valid HTTP reply ({server_text(why, secrets, limit=100)})", tried=tried
    )


def _read_body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """The body, or one byte more than `limit` of it.

    In pieces: Python 3.9 allocates all that is asked for at once.
    """
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0:
        piece = response.read(min(left, _PIECE))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
