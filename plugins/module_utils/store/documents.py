# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF documents as a store keeps them: what all scans of a target have in common once, and what is new in each.

A night's document of a container that has not changed differs from the last one in times, durations and the run's id only. These
are taken out (the holes); what is left (the template) is kept once. Put together again, they are the document to the byte.
"""

from __future__ import annotations

import hashlib
import re
import zlib
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
# A document has at most 64 MiB (hdf.py); what unpacks to more is not one of ours.
_MOST_BYTES = 80 * 1024 * 1024


@dataclass(frozen=True)
class PackedDocument:
    """`sha256` is of the document, `template_sha256` of the template; `template` and `holes` are compressed."""

    sha256: bytes
    template_sha256: bytes
    template: bytes
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
        zlib.compress(template, 6),
        zlib.compress(b"\n".join(found), 9) if found else b"",
    )


def unpack(template: bytes, holes: bytes, sha256: bytes, source: str) -> bytes:
    """The document as it was. :raises ScanError: not_a_store, where it is another one"""
    try:
        parts = _inflate(template).split(_MARK) if holes else [_inflate(template)]
        values = _inflate(holes).split(b"\n") if holes else []
        pieces = [piece for pair in zip(parts, [*values, b""]) for piece in pair]
    except (zlib.error, ValueError):
        pieces = []
    data = b"".join(pieces)
    if hashlib.sha256(data).digest() != bytes(sha256):
        raise ScanError(
            "not_a_store", f"{source}: the document in the store is not the one that was put there", tried="read a document"
        )  # fmt: skip
    return data


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    inflated = stream.decompress(bytes(data), _MOST_BYTES)
    if stream.unconsumed_tail:
        raise ValueError("too long")
    return inflated
