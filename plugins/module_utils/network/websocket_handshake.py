# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The opening handshake of a WebSocket (RFC 6455, section 4) on a connected stream."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ScanError
from .proxy_tunnel import INTERIM_REPLIES
from .transport import TlsStream

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HEAD_LIMIT = 16 * 1024
_BODY_LIMIT = 64 * 1024
_BODY_SECONDS = 5.0


@dataclass(frozen=True)
class HandshakeReply:
    """`protocol` is the one that the server chose. If it is empty, the server did not agree: `status`,
    `headers` (lower-case names) and `body` are its reply."""

    protocol: str
    status: int = 101
    headers: Mapping[str, str] = ()  # type: ignore[assignment]
    body: bytes = b""


def shake_hands(
    stream: TlsStream,
    authority: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    protocols: Sequence[str],
) -> HandshakeReply:
    """Ask for a WebSocket on `target` and read the answer.

    Redirects are not followed: the credential is for this server only.


    :raises ScanError: bad_reply, connection_lost, protocol_refused, cancelled, timed_out
    :raises OSError: the connection broke
    """
    key = base64.b64encode(os.urandom(16))
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: {}".format(key.decode("ascii")),
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: {}".format(", ".join(protocols)),
    ]
    lines += ["{}: {}".format(*header) for header in headers]
    stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    head, status, answer = _read_final_head(stream)
    if status != 101:
        stream.unread(head)
        return _read_refusal(stream)
    tried = stream.deadline.tried
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest()).decode("ascii")  # noqa: S324 - the protocol's choice
    if answer.get("sec-websocket-accept") != accept or answer.get("upgrade", "").lower() != "websocket":
        raise ScanError("protocol_refused", "the answer to the WebSocket handshake is wrong", tried=tried)
    protocol = answer.get("sec-websocket-protocol", "")
    if protocol not in protocols:
        raise ScanError(
            "protocol_refused",
            "the server chose none of the protocols {}".format(", ".join(protocols)),
            tried=tried,
        )
    return HandshakeReply(protocol)


def _read_final_head(stream: TlsStream) -> tuple[bytes, int, dict[str, str]]:
    """The head of the first reply that is not an interim one: as bytes, its status, and its headers."""
    for _interim in range(INTERIM_REPLIES + 1):
        head = _read_head(stream)
        status, headers = _parse_head(head, stream.deadline.tried)
        if status == 101 or status >= 200:
            return head, status, headers
    raise ScanError(
        "bad_reply",
        f"more than {INTERIM_REPLIES} interim replies to the WebSocket handshake",
        tried=stream.deadline.tried,
    )


def _read_head(stream: TlsStream) -> bytes:
    """Status line and headers, with the empty line. What came after them is given back to the stream."""
    head = b""
    while True:
        data = stream.receive()
        if data is None:
            stream.wait()
            continue
        head += data
        end = head.find(b"\r\n\r\n")
        if end >= 0:
            stream.unread(head[end + 4 :])
            return head[: end + 4]
        if not data:
            raise ScanError(
                "connection_lost",
                "the server closed the connection during the WebSocket handshake",
                tried=stream.deadline.tried,
            )
        if len(head) > _HEAD_LIMIT:
            raise ScanError(
                "bad_reply", "the answer to the WebSocket handshake is too long", tried=stream.deadline.tried
            )


def _parse_head(head: bytes, tried: str) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
        raise ScanError("bad_reply", "the answer to the WebSocket handshake is not HTTP", tried=tried)
    pairs = (line.partition(":") for line in lines[1:] if line)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def _read_refusal(stream: TlsStream) -> HandshakeReply:
    """An ordinary HTTP reply. Only the beginning of its body is read, and only if it comes soon."""
    deadline = stream.deadline
    stream.deadline = deadline.narrowed(_BODY_SECONDS)
    response = http.client.HTTPResponse(stream, method="GET")  # type: ignore[arg-type]
    body = b""
    try:
        response.begin()
        body = response.read(_BODY_LIMIT)
    except (http.client.HTTPException, ValueError, OSError):
        pass  # the status is known; the body only explains it
    except ScanError:
        deadline.check()
    headers = {name.lower(): value for name, value in response.getheaders()} if response.headers else {}
    return HandshakeReply("", response.status, headers, body)
