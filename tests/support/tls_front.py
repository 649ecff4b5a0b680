# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS in front of a server that has none, so that a sink, which speaks nothing else, reaches it. It can cut connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from ..fake_api_server.certificates import Authority

_PIECE = 64 * 1024


class TlsFront:
    """with TlsFront(authority, port) as front: ... https://127.0.0.1:{front.port} ...

    :ivar fault: asked for each piece of what the server answers: True cuts the connection before it comes back. A sink keeps its
        connection, so a fault for each connection would hardly ever happen.
    :ivar cuts: how many connections were cut so
    """

    def __init__(self, authority: Authority, behind: int) -> None:
        issued = authority.server("localhost")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(issued.certificate, issued.key)
        self._behind = behind
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.fault: Callable[[], bool] = lambda: False
        self.cuts = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> TlsFront:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self._behind)) as server,
        ):
            secured = self._context.wrap_socket(client, server_side=True)
            back = threading.Thread(target=_copy, args=(server, secured, self._is_cut), daemon=True)
            back.start()
            _copy(secured, server, lambda: False)
            back.join()

    def _is_cut(self) -> bool:
        is_cut = self.fault()
        self.cuts += is_cut
        return is_cut


def _copy(source: socket.socket, target: socket.socket, is_cut: Callable[[], bool]) -> None:
    with contextlib.suppress(OSError):
        for piece in _pieces(source):
            if is_cut():
                target.shutdown(socket.SHUT_RDWR)
                return
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while piece := source.recv(_PIECE):
        yield piece
