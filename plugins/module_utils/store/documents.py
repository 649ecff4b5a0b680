# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF documents as a store keeps them: what all scans of a target have in common once, and what is new in each.

A night's document of a container that has not changed differs from the last one in times, durations and the run's id only. These
are taken out (the holes); what is left (the template) is kept once. A template is kept in pieces, about one for each control, and
equal pieces are kept once for all targets. Put together again, they are the document to the byte.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ScanError

# Times, durations and run ids, as our documents write them: compact JSON.
_HOLE = re.compile(
    rb'(?<="start_time":")[0-9T:.Z+-]{1,40}(?=")'
    rb'|(?<="started":")[0-9T:.Z+-]{1,40}(?=")'
    rb'|(?<="run_time":)[0-9.e+-]{1,30}(?=[,}])'
    rb'|(?<="duration":)[0-9.e+-]{1,30}(?=[,}])'
    rb'|(?<="run_id":")[A-Za-z0-9._-]{1,80}(?=")'
)
_MARK = b"\0"
# Where a control begins, in compact JSON.
_PIECE = re.compile(rb'(?=\{"id":")')
# A document has at most 64 MiB (hdf.py); what unpacks to more is not one of ours.
_MOST_BYTES = 80 * 1024 * 1024


@dataclass(frozen=True)
class PackedDocument:
    """`sha256` is of the document, `template_sha256` of the template, which the pieces make. `holes` is compressed."""

    sha256: bytes
    template_sha256: bytes
    pieces: Sequence[bytes]
    holes: bytes


def pack(data: bytes) -> PackedDocument:
    """A document of any content: where it holds the mark, no hole is made."""
    found: list[bytes] = []

    def take(match: re.Match[bytes]) -> bytes:
        found.append(match.group())
        return _MARK

    template = data if _MARK in data else _HOLE.sub(take, data)
    return PackedDocument(
        hashlib.sha256(data).digest(),
        hashlib.sha256(template).digest(),
        _PIECE.split(template),
        zlib.compress(b"\n".join(found), 9) if found else b"",
    )


def pack_piece(piece: bytes) -> bytes:
    return zlib.compress(piece, 9)


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """The numbers of a template's pieces."""
    return zlib.compress(array("I", numbers).tobytes(), 9)


def unpack_numbers(body: bytes) -> list[int]:
    """:raises ScanError: not_a_store"""
    numbers = array("I")
    try:
        numbers.frombytes(_inflate(body))
    except (zlib.error, ValueError):
        raise ScanError(
            "not_a_store", "a template in the store is damaged", tried="read a document"
        ) from None
    return list(numbers)


def unpack(pieces: Sequence[bytes], holes: bytes, sha256: bytes, source: str) -> bytes:
    """The document as it was.

    :param pieces: as `pack_piece` gave them
    :raises ScanError: not_a_store, where it is another one
    """
    try:
        template = b"".join(_inflate(piece) for piece in pieces)
        parts = template.split(_MARK) if holes else [template]
        values = _inflate(holes).split(b"\n") if holes else []
        data = b"".join(piece for pair in zip(parts, [*values, b""]) for piece in pair)
    except (zlib.error, ValueError):
        data = b""
    if hashlib.sha256(data).digest() != bytes(sha256):
        raise ScanError(
            "not_a_store",
            f"{source}: the document in the store is not the one that was put there",
            tried="read a document",
        )
    return data


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    inflated = stream.decompress(bytes(data), _MOST_BYTES)
    if not stream.eof:
        raise ValueError("cut off, or too long")
    return inflated
