# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's reply: frames whose length is told first, between a header and a trailer.

    securescan-facts VERSION NONCE          header
    frame NAME STATUS ENCODING LENGTH       then LENGTH bytes and a newline; any number of frames
    end COUNT NONCE                         trailer; the data ends here

Content cannot forge a frame, because it is skipped by its length. The nonce ties the reply to its request: a
recorded reply, or what a start-up file of the container's shell prints, is not taken for it. The reader is
strict. Whatever is not exactly this raises, so that a reply which was cut off or altered never becomes facts.

Encodings: `text` is sent as it is; `base64` and `hex` (od's output) carry bytes that a shell variable cannot
hold.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from ..errors import ScanError
from .facts import ABSENT, OK, TIMED_OUT, TOO_LARGE, UNREADABLE, UNSUPPORTED

COLLECTOR_VERSION = "1"

# what a container is allowed to say of a fact; only we say that it was never reached
_STATUSES = (OK, ABSENT, UNREADABLE, UNSUPPORTED, TOO_LARGE, TIMED_OUT)
_MAX_LINE = 200
_FRAME = re.compile(rb"frame ([a-z][a-z0-9._-]{0,63}) ([a-z_]{1,20}) (text|base64|hex) (0|[1-9][0-9]{0,9})")
_TRAILER = re.compile(rb"end (0|[1-9][0-9]{0,9}) ([0-9a-f]{1,64})")
_NONCE = re.compile(r"[0-9a-f]{16,64}")


class BadContentError(ValueError):
    """A frame's content is not what its kind of fact must look like; the message says why. It costs only that
    fact."""


@dataclass(frozen=True)
class Frame:
    """One frame: the status of what was asked, and its bytes as they were sent (the cause, where it is not
    ok)."""

    name: str
    status: str
    encoding: str
    payload: bytes

    def decode(self) -> bytes:
        """The content.

        :raises BadContentError: where it is not in the encoding that it names
        """
        if self.encoding == "text":
            return self.payload
        packed = b"".join(self.payload.split())
        try:
            if self.encoding == "hex":
                return binascii.unhexlify(packed)
            if not re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", packed):
                raise BadContentError("the container's base64 wrote something else than base64")
            return binascii.a2b_base64(packed)
        except binascii.Error:
            raise BadContentError(
                f"the container's encoder wrote something else than {self.encoding}"
            ) from None


@dataclass(frozen=True)
class ParsedReply:
    """A complete reply: its frames by name."""

    frames: dict[str, Frame]


def check_nonce(nonce: str) -> None:
    """Check a nonce, which is our own work.

    :raises ValueError: where it is not 16 to 64 lower case hex digits
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 16 to 64 hex digits")


def parse_frames(data: bytes, nonce: str) -> ParsedReply:
    """Read a whole reply, in time linear in its length, whatever its bytes are.

    :raises ScanError: `incomplete_reply` where the data ends too early, `invalid_reply` where it is something else
    """
    check_nonce(nonce)
    header = (f"securescan-facts {COLLECTOR_VERSION} {nonce}\n").encode()
    if not data.startswith(header):
        raise _refuse_header(data, header)
    frames: dict[str, Frame] = {}
    at = len(header)
    while True:
        stop = data.find(b"\n", at, at + _MAX_LINE)
        if stop < 0:
            raise (
                _incomplete(data)
                if len(data) - at < _MAX_LINE
                else _invalid(f"the line at byte {at} is too long")
            )
        line = data[at:stop]
        at = stop + 1
        match = _FRAME.fullmatch(line)
        if match is None:
            break
        name, status, encoding = (group.decode() for group in match.group(1, 2, 3))
        length = int(match.group(4))
        if name in frames or status not in _STATUSES:
            raise _invalid(f"frame {name} comes twice or has no known status")
        if at + length + 1 > len(data):
            raise _incomplete(data)
        if data[at + length : at + length + 1] != b"\n":
            raise _invalid(f"frame {name} is not {length} bytes long")
        frames[name] = Frame(name, status, encoding, data[at : at + length])
        at += length + 1
    match = _TRAILER.fullmatch(line)
    if match is None or match.group(2).decode() != nonce:
        raise _invalid(f"the line before byte {at} is neither a frame nor the trailer")
    if int(match.group(1)) != len(frames):
        raise _invalid(f"the trailer counts {int(match.group(1))} frames, there are {len(frames)}")
    if at != len(data):
        raise _invalid(f"{len(data) - at} bytes follow the trailer")
    return ParsedReply(frames)


def decode_text(data: bytes) -> str:
    """Bytes of a container as text; what is not UTF-8 is written as \\xNN, so that nothing is dropped."""
    return data.decode("utf-8", "backslashreplace")


def read_integer(data: bytes) -> int:
    """An unsigned decimal number.

    :raises BadContentError: where it is none, or has more than 20 digits
    """
    if not re.fullmatch(rb"[0-9]{1,20}", data):
        raise BadContentError(f"{decode_text(data[:40])} is not a number")
    return int(data)


def _incomplete(data: bytes) -> ScanError:
    return ScanError(
        "incomplete_reply", f"the collector's reply ends after {len(data)} bytes, without its trailer"
    )


def _invalid(why: str) -> ScanError:
    return ScanError("invalid_reply", "the collector's reply is not valid: " + why)


def _refuse_header(data: bytes, header: bytes) -> ScanError:
    if header.startswith(data):
        return _incomplete(data)
    if data.startswith(header[:-1] + b"\r"):
        return _invalid("its lines end with CR LF, so it went through a terminal")
    if data.startswith(header.split(b" ")[0] + b" "):
        return _invalid(
            f"it answers another request, or is of another collector version than {COLLECTOR_VERSION}"
        )
    return _invalid(f"it does not begin with the collector's header, but with {data[:60]!a}")
