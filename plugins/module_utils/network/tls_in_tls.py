# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS within TLS: the connection to a server through a proxy that is itself spoken to by TLS.

ssl.SSLSocket wants a socket of the system. This has those of its methods that a stream needs, over another
SSLSocket.
"""

from __future__ import annotations

import ssl
from contextlib import suppress

_PIECE = 64 * 1024


class TlsInTls:
    """As a non-blocking ssl.SSLSocket: what cannot go on raises SSLWantReadError or SSLWantWriteError, and is called
    again once `fileno` can be read or written.

    :param outer: the connection to the proxy, which does not block
    """

    def __init__(
        self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_name: str, session: ssl.SSLSession | None
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inner = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name, session=session
        )
        self._unsent = b""

    @property
    def session(self) -> ssl.SSLSession | None:
        return self._inner.session

    @property
    def session_reused(self) -> bool | None:
        return self._inner.session_reused

    def fileno(self) -> int:
        return self._outer.fileno()

    def pending(self) -> int:
        """Bytes that can be read though the socket has none."""
        return self._inner.pending() + self._outer.pending() + self._incoming.pending

    def do_handshake(self) -> None:
        while True:
            try:
                self._inner.do_handshake()
                return self._flush()
            except ssl.SSLWantReadError:
                self._take_in()

    def recv(self, size: int) -> bytes:
        while True:
            try:
                return self._inner.read(size)
            except ssl.SSLWantReadError:
                self._take_in()
            except ssl.SSLZeroReturnError:
                return b""

    def send(self, data: bytes) -> int:
        self._flush()
        sent = self._inner.write(data)
        with suppress(
            ssl.SSLWantWriteError, ssl.SSLWantReadError
        ):  # it is taken in, and goes out first next time
            self._flush()
        return sent

    def unwrap(self) -> None:
        """Say goodbye to the server and to the proxy, without waiting for theirs."""
        with suppress(ssl.SSLWantReadError):
            self._inner.unwrap()
        self._flush()
        self._outer.unwrap()

    def close(self) -> None:
        self._outer.close()

    def _take_in(self) -> None:
        """Hand what the proxy sends to the inner TLS."""
        self._flush()
        data = self._outer.recv(_PIECE)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        """Send what the inner TLS has written. :raises ssl.SSLWantWriteError: there is no room for all of it"""
        while True:
            self._unsent = self._unsent or self._outgoing.read(_PIECE)
            if not self._unsent:
                return
            self._unsent = self._unsent[self._outer.send(self._unsent) :]
