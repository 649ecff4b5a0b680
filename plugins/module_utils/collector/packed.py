# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container's gzip packed, unpacked within a bound: a few bytes can stand for millions."""

from __future__ import annotations

import zlib

from .frames import BadContentError

# How packed data begins.
GZIP = b"\x1f\x8b"


def unpack_gzip(data: bytes, most: int, what: str) -> bytes:
    """The unpacked bytes.

    :param most: the number of bytes that they can have at most
    :param what: what the error calls them
    :raises BadContentError: where they are more, or the data is not a whole gzip stream
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(data, most + 1)
    except zlib.error:
        raise BadContentError("the container's gzip wrote something else than gzip") from None
    if len(unpacked) > most:
        raise BadContentError(f"{what} has more than {most} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise BadContentError("what the container's gzip wrote is not complete")
    return unpacked
