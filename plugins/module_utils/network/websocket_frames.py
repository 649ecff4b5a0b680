# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket framing (RFC 6455, section 5) for a client: bytes to frames and back, without any I/O.

The other side can be hostile: every length is checked before a byte of the payload is kept.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from ..errors import ScanError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# Servers send at most 32 KiB and a channel byte in one message; this leaves room for others.
MESSAGE_LIMIT = 1 << 20
_CONTROL_LIMIT = 125


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """One final, masked frame."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
    mask = os.urandom(4)
    # One exclusive-or of two long integers: about a thousand times faster than byte by byte.
    repeated = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return head + mask + masked.to_bytes(length, "little")


def decode_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame; code 1005 where it has none."""
    if len(payload) < 2:
        return 1005, ""
    return int(struct.unpack("!H", payload[:2])[0]), payload[2:].decode("utf-8", "replace")


class FrameReader:
    """Makes messages out of bytes as they arrive.

    `feed` bytes, then take the complete messages from `messages`: (BINARY, data), (PING, data), (PONG, data)
    or (CLOSE, data). Frames that a server must not send are a ScanError bad_reply.
    """

    def __init__(self, tried: str = "") -> None:
        self._tried = tried
        self._buffer = bytearray()
        self._parts = bytearray()
        self._in_message = False

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """:raises ScanError: bad_reply"""
        start = 0
        try:
            while True:
                frame_end = self._frame_end(start)
                if frame_end is None:
                    return
                opcode, final, payload_start, end = frame_end
                payload = bytes(self._buffer[payload_start:end])
                start = end
                if opcode >= CLOSE:
                    yield opcode, payload
                    continue
                message = self._join(opcode, final, payload)
                if message is not None:
                    yield BINARY, message
        finally:
            del self._buffer[:start]

    def _frame_end(self, start: int) -> tuple[int, bool, int, int] | None:
        """(opcode, final, payload start, payload end) of the frame at `start`; None if it is not complete
        yet."""
        buffer = self._buffer
        available = len(buffer) - start
        if available < 2:
            return None
        first, second = buffer[start], buffer[start + 1]
        opcode, final = first & 0x0F, bool(first & 0x80)
        if first & 0x70 or opcode not in (CONTINUATION, BINARY, CLOSE, PING, PONG):
            raise self._broken(f"a frame of an unknown kind (0x{first:02x})")
        if second & 0x80:
            raise self._broken("a masked frame, which only clients may send")
        length, header = second & 0x7F, 2
        if length == 126:
            header = 4
        elif length == 127:
            header = 10
        if available < header:
            return None
        if header > 2:
            length = int.from_bytes(buffer[start + 2 : start + header], "big")
        if opcode >= CLOSE and (length > _CONTROL_LIMIT or not final):
            raise self._broken("a control frame that is too long or in parts")
        if length + len(self._parts) > MESSAGE_LIMIT:
            raise self._broken(f"a message of more than {MESSAGE_LIMIT} bytes")
        if available < header + length:
            return None
        return opcode, final, start + header, start + header + length

    def _join(self, opcode: int, final: bool, payload: bytes) -> bytes | None:
        if (opcode == CONTINUATION) != self._in_message:
            raise self._broken("the parts of a message in the wrong order")
        self._in_message = not final
        if final and not self._parts:
            return payload
        self._parts += payload
        if not final:
            return None
        message = bytes(self._parts)
        self._parts.clear()
        return message

    def _broken(self, what: str) -> ScanError:
        return ScanError("bad_reply", f"the server sent {what}", tried=self._tried)
