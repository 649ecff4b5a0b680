# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loopback proxies: HTTP with CONNECT, with TLS or without, and SOCKS5."""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import socketserver
import ssl
import threading
from typing import Any

from .certificates import Issued


class _Listening:
    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.targets: list[str] = []
        self._listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._listener.daemon_threads = True
        self._listener.block_on_close = False
        self._listener.proxy = self  # type: ignore[attr-defined]

    def __enter__(self) -> Any:
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"


class FakeProxy(_Listening):
    """Tunnels wherever it is asked to; names below .test are this machine.

    :param credential: the value of Proxy-Authorization that it demands
    :param certificate: what it shows; None for a proxy without TLS
    :param first: what it says before each reply
    :ivar targets: host:port of each CONNECT
    """

    def __init__(
        self, credential: str | None = None, *, certificate: Issued | None = None, first: bytes = b""
    ) -> None:
        super().__init__(_Tunnel)
        self.credential = credential
        self.first = first
        self.heads: list[str] = []
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate.certificate, certificate.key)


class FakeSocksProxy(_Listening):
    """SOCKS5 (RFC 1928): tunnels wherever it is asked to; names below .test are this machine.

    :param login: the user and password that it demands (RFC 1929); None for none
    :param answer: bytes that it says in place of its last reply
    :ivar targets: host:port of each request, a name as it was given
    :ivar kinds: of each request's address: 1 for IPv4, 3 for a name, 4 for IPv6
    """

    def __init__(self, login: tuple[str, str] | None = None, *, answer: bytes = b"") -> None:
        super().__init__(_SocksTunnel)
        self.login = login
        self.answer = answer
        self.kinds: list[int] = []


class _Tunnel(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        proxy: FakeProxy = self.server.proxy  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            client = (
                proxy.context.wrap_socket(self.request, server_side=True) if proxy.context else self.request
            )
            self._serve(proxy, client)

    @staticmethod
    def _serve(proxy: FakeProxy, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                return
            head += part
        text = head.decode("latin-1")
        proxy.heads.append(text)
        target = text.split()[1]
        proxy.targets.append(target)
        client.sendall(proxy.first)
        if proxy.credential and f"Proxy-Authorization: {proxy.credential}\r\n" not in text:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        host, _colon, port = target.rpartition(":")
        with _connected(host.strip("[]"), int(port)) as other:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _copy(client, other)


class _SocksTunnel(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        proxy: FakeSocksProxy = self.server.proxy  # type: ignore[attr-defined]
        _version, count = self.rfile.read(2)
        methods = self.rfile.read(count)
        wanted = 2 if proxy.login else 0
        if wanted not in methods:
            self.wfile.write(b"\x05\xff")
            return
        self.wfile.write(bytes([5, wanted]))
        if proxy.login and not self._logs_in(proxy.login):
            return
        kind = self.rfile.read(4)[3]
        if kind == 3:
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(self.rfile.read(4 if kind == 1 else 16)))
        port = int.from_bytes(self.rfile.read(2), "big")
        proxy.kinds.append(kind)
        proxy.targets.append(f"{host}:{port}")
        if proxy.answer:
            self.wfile.write(proxy.answer)
            return
        with contextlib.suppress(OSError), _connected(host, port) as other:
            # An answer whose address is a name, so that its length has to be read.
            self.wfile.write(b"\x05\x00\x00\x03\x05there\x00\x50")
            _copy(self.request, other)

    def _logs_in(self, login: tuple[str, str]) -> bool:
        self.rfile.read(1)
        given = tuple(self.rfile.read(self.rfile.read(1)[0]).decode() for _part in login)
        self.wfile.write(b"\x01\x00" if given == login else b"\x01\x01")
        return given == login


def _connected(host: str, port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1" if host.endswith(".test") else host, port), 60)


def _copy(one: Any, other: Any) -> None:
    while True:
        pending = getattr(one, "pending", int)()
        readable = [one] if pending else select.select([one, other], [], [])[0]
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
