# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback HTTP proxy that knows CONNECT."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from typing import Any


class FakeProxy:
    """Tunnels wherever it is asked to.

    :param credential: the value of Proxy-Authorization that it demands
    :ivar targets: host:port of each CONNECT
    """

    def __init__(self, credential: str | None = None) -> None:
        self.credential = credential
        self.targets: list[str] = []
        self.heads: list[str] = []
        self._listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel)
        self._listener.daemon_threads = True
        self._listener.block_on_close = False
        self._listener.proxy = self  # type: ignore[attr-defined]

    def __enter__(self) -> FakeProxy:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self._listener.server_address[1]}"


class _Tunnel(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy: FakeProxy = self.server.proxy  # type: ignore[attr-defined]
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.request.recv(4096)
            if not part:
                return
            head += part
        text = head.decode("latin-1")
        proxy.heads.append(text)
        target = text.split()[1]
        proxy.targets.append(target)
        if proxy.credential and f"Proxy-Authorization: {proxy.credential}\r\n" not in text:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _colon, port = target.rpartition(":")
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host.strip("[]"), int(port)), 5) as other,
        ):
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _copy(self.request, other)


def _copy(one: Any, other: Any) -> None:
    while True:
        readable, _unused, _unused = select.select([one, other], [], [])
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
