# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 requests over kept connections to one API server."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..cluster.connection import ClusterConnection
from ..errors import ScanError
from .deadline import Deadline
from .server_text import clean_text
from .transport import TlsStream

# Below the idle time-outs of servers and load balancers, so that a kept connection is rarely a dead one.
_PIECE = 64 * 1024
_KEEP_SECONDS = 20.0
_KEEP_CONNECTIONS = 16


@dataclass(frozen=True)
class HttpReply:
    """`headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpPool:
    """Lends each request a connection of its own. Safe to use from several threads.

    Requests are made by http.client over our own streams: the way to the server (proxy, TLS, deadline, cancel) is
    then the same as for exec, and no other library is needed.
    """

    def __init__(self, connection: ClusterConnection) -> None:
        self._connection = connection
        self._idle: list[tuple[float, TlsStream]] = []
        self._lock = threading.Lock()

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        limit: int,
        deadline: Deadline,
    ) -> HttpReply:
        """Send one request and read its reply, of at most `limit` bytes.

        :param target: path and query, without the base path
        :raises ScanError: unreachable (nothing was sent), connection_lost (it may have been), bad_reply, tls_failed,
            no_credential, cancelled, timed_out
        """
        connection = self._connection
        identity = connection.headers()
        stream = self._take(deadline) or connection.open(deadline)
        keep = False
        try:
            client = http.client.HTTPConnection(connection.endpoint.host, connection.endpoint.port)
            client.auto_open = 0  # or it would go on without TLS on its own
            client.sock = _LentSocket(stream)
            client.putrequest(method, connection.endpoint.base_path + target, skip_host=True)
            client.putheader("Host", connection.endpoint.authority)
            # Not by a mapping: Impersonate-Group stands once for each group.
            for name, value in identity + list(headers.items()):
                client.putheader(name, value)
            if body is not None:
                client.putheader("Content-Length", str(len(body)))
            client.endheaders(body)
            reply, keep = self._read(client, limit, deadline)
            return reply
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise _broken(error, deadline.tried, connection.secrets()) from None
        finally:
            if keep:
                self._give_back(stream)
            else:
                stream.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _since, stream in idle:
            stream.close()

    @staticmethod
    def _read(client: http.client.HTTPConnection, limit: int, deadline: Deadline) -> tuple[HttpReply, bool]:
        response = client.getresponse()
        body = _read_body(response, limit)
        if len(body) > limit:
            raise ScanError("bad_reply", f"the reply has more than {limit} bytes", tried=deadline.tried)
        # http.client takes headers that were cut off for complete ones; what follows them is then nothing.
        if response.length or (
            not body and response.will_close and response.length is None and response.status < 300
        ):
            raise ConnectionError("the reply was cut off")
        headers: dict[str, str] = {name.lower(): value for name, value in response.getheaders()}
        return HttpReply(response.status, headers, body), response.isclosed() and not response.will_close

    def _take(self, deadline: Deadline) -> TlsStream | None:
        tls = self._connection.tls()
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, stream = self._idle.pop()
            # A connection belongs to the client certificate that it was opened with.
            if time.monotonic() - since < _KEEP_SECONDS and stream.tls is tls and stream.is_idle():
                stream.deadline = deadline
                return stream
            stream.close()

    def _give_back(self, stream: TlsStream) -> None:
        with self._lock:
            if len(self._idle) < _KEEP_CONNECTIONS:
                self._idle.append((time.monotonic(), stream))
                return
        stream.close()


class _LentSocket:
    """A stream for http.client, which closes its socket as soon as it knows that a reply is the last one, and reads
    on afterwards. Here the pool closes."""

    def __init__(self, stream: TlsStream) -> None:
        self.sendall = stream.sendall
        self.makefile = stream.makefile

    def close(self) -> None:
        """Left to the pool."""


def _broken(error: Exception, tried: str, secrets: list[str]) -> ScanError:
    # RemoteDisconnected is a BadStatusLine, too.
    if isinstance(error, (OSError, http.client.IncompleteRead)):
        return ScanError(
            "connection_lost",
            "the connection broke (%s)"
            % (clean_text(str(error), secrets, limit=100) or type(error).__name__),
            tried=tried,
        )
    return ScanError("bad_reply", f"not a valid HTTP reply ({type(error).__name__})", tried=tried)


def _read_body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """The body, or one byte more than `limit` of it. In pieces: Python 3.9 allocates all that is asked for at once."""
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0:
        piece = response.read(min(left, _PIECE))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
