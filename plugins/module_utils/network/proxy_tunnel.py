# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a proxy for a connection to a server: CONNECT (RFC 9110, section 9.3.6) or SOCKS5 (RFC 1928, RFC 1929)."""

from __future__ import annotations

import ipaddress
import select
import socket
import ssl
import struct
from typing import Union

from ..errors import ScanError
from ..safe_text import server_text
from .deadline import Deadline, poll
from .proxy import Proxy
from .tls_in_tls import TlsInTls

# A connected socket that does not block, with TLS or without.
Wire = Union[socket.socket, ssl.SSLSocket, TlsInTls]
_REPLY_LIMIT = 16 * 1024
# How many interim replies (1xx) are passed over before the final one.
INTERIM_REPLIES = 8
_VERSION, _LOGIN_VERSION = 5, 1
_NO_LOGIN, _USER_AND_PASSWORD, _REFUSED = 0, 2, 0xFF
_CONNECT, _IPV4, _NAME, _IPV6 = 1, 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}
_NAME_BYTES = 255
_SOCKS_FAILURES = {
    1: "general failure",
    2: "its rules do not allow the connection",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "the time to live expired",
    7: "it does not know the command",
    8: "it does not know this kind of address",
}


def ask_for_tunnel(wire: Wire, proxy: Proxy, host: str, port: int, deadline: Deadline) -> None:
    """When this returns, what is written to `wire` goes to the server. On an error the caller closes it.

    :raises ScanError: unreachable, cancelled, timed_out
    """
    talk = _Talk(wire, deadline)
    try:
        ask = _ask_by_socks if proxy.is_socks else _ask_by_connect
        refusal = ask(talk, proxy, host, port)
    except OSError as error:
        raise ScanError(
            "unreachable",
            f"the proxy {proxy.host}:{proxy.port} failed: {error.strerror or error}",
            tried=deadline.tried,
        ) from None
    if refusal:
        raise ScanError(
            "unreachable",
            f"the proxy {proxy.host}:{proxy.port} refused a connection to {_authority(host, port)} ({refusal})",
            tried=deadline.tried,
            advice="Check the proxy's rules and its credential, or name the host in no_proxy.",
        )


class _Talk:
    """What is said to a proxy and what it answers. Not a byte more is read than is asked for: what follows belongs
    to the server."""

    def __init__(self, wire: Wire, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def say(self, data: bytes) -> None:
        while data:
            try:
                data = data[self._wire.send(data) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._wait(select.POLLOUT)

    def hear(self, count: int) -> bytes:
        """Exactly so many bytes. :raises OSError: there are not as many"""
        heard = b""
        while len(heard) < count:
            try:
                part = self._wire.recv(count - len(heard))
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
                continue
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)
                continue
            if not part:
                raise OSError("it closed the connection")
            heard += part
        return heard

    def hear_head(self) -> bytes:
        """Status line and headers of an HTTP reply."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.hear(1)
            if len(head) > _REPLY_LIMIT:
                raise OSError("its answer is too long")
        return head

    def _wait(self, events: int) -> None:
        if not poll(self._wire.fileno(), events, self._deadline.slice()):
            self._deadline.check()


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ask_by_connect(talk: _Talk, proxy: Proxy, host: str, port: int) -> str:
    """Why it refuses; "" if it does not."""
    target = _authority(host, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += ["{}: {}".format(*header) for header in proxy.headers.items()]
    talk.say(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    for _interim in range(INTERIM_REPLIES + 1):
        status = talk.hear_head().split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        code = status[1] if len(status) > 1 else ""
        if not code.startswith("1"):
            return "" if code.startswith("2") else server_text(" ".join(status[1:]), limit=100) or "no status"
    return f"more than {INTERIM_REPLIES} interim replies"


def _ask_by_socks(talk: _Talk, proxy: Proxy, host: str, port: int) -> str:
    """Why it refuses; "" if it does not."""
    methods = [_NO_LOGIN, _USER_AND_PASSWORD] if proxy.user else [_NO_LOGIN]
    talk.say(bytes([_VERSION, len(methods), *methods]))
    version, method = talk.hear(2)
    if version != _VERSION:
        raise OSError("its answer is not SOCKS5")
    if method == _USER_AND_PASSWORD and proxy.user:
        talk.say(bytes([_LOGIN_VERSION]) + _counted(proxy.user) + _counted(proxy.password))
        if talk.hear(2)[1] != 0:
            return "it does not accept the user and password"
    elif method == _REFUSED or method not in methods:
        return "it accepts no login that we have" if proxy.user else "it wants a user and password"
    talk.say(bytes([_VERSION, _CONNECT, 0]) + _socks_address(host) + struct.pack("!H", port))
    version, code, _reserved, kind = talk.hear(4)
    if version != _VERSION:
        raise OSError("its answer is not SOCKS5")
    if code != 0:
        return _SOCKS_FAILURES.get(code, f"failure {code}")
    # The address that it connected from; the length of a name stands before it.
    talk.hear((_ADDRESS_BYTES[kind] if kind in _ADDRESS_BYTES else talk.hear(1)[0]) + 2)
    return ""


def _counted(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


def _socks_address(host: str) -> bytes:
    """An address as it is; a name as a name, which the proxy resolves.

    :raises OSError: no proxy can be told the name
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna") if not host.isascii() else host.encode()
        if len(name) > _NAME_BYTES:
            raise OSError("the server's name is too long for it") from None
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
