# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback HTTPS server that is no cluster: it keeps what it gets, and answers as a test says."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Callable

import pytest

from ..fake_api_server.certificates import Authority, Issued


@dataclass
class Received:
    """A request as the server got it; `headers` has lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    # the common name of the client's certificate
    certificate: str = ""


@dataclass
class Answer:
    """`raw` is sent in place of all else; `is_framed` is False for a body that ends with the connection."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    is_framed: bool = True


class FakeHttpsServer:
    """with FakeHttpsServer(authority) as server: ... server.url ... server.received[-1].body ...

    :ivar answer: makes the answer to a request; it may wait
    """

    def __init__(
        self, authority: Authority, *, certificate: Issued | None = None, client_ca: bool = False
    ) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _request: Answer()
        self.connections = 0
        shown = certificate or authority.server("localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown.certificate, shown.key)
        if client_ca:
            context.load_verify_locations(authority.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self._listener = _Listener(("127.0.0.1", 0), _Handler)
        self._listener.owner, self._listener.context = self, context
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FakeHttpsServer:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.server_address[1]}"


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: FakeHttpsServer
    context: ssl.SSLContext


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def setup(self) -> None:
        self.server.owner.connections += 1
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_args: object) -> None:
        """Quiet."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        subject = (self.request.getpeercert() or {}).get("subject", ())
        names = {key: value for part in subject for key, value in part}
        request = Received(
            self.command, self.path, headers, self.rfile.read(length), names.get("commonName", "")
        )
        self.server.owner.received.append(request)
        answer = self.server.owner.answer(request)
        if answer.raw:
            self.wfile.write(answer.raw)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.is_framed:
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    do_PATCH = do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the names that the standard library looks for


@pytest.fixture
def https_server(authority: Authority) -> Iterator[FakeHttpsServer]:
    with FakeHttpsServer(authority) as running:
        yield running
