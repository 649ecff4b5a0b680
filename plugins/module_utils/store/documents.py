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
import json
import re
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError

# Times, durations and run ids, as our documents write them: compact JSON. Each has a byte of its own that marks its holes, which
# JSON never holds as it is. One expression for each: with a fixed beginning it is found ten times as fast as by one for all.
_HOLES: Sequence[tuple[bytes, re.Pattern[bytes]]] = (
    (b"\0", re.compile(rb'("start_time":")([0-9T:.Z+-]{1,40})(?=")')),
    (b"\1", re.compile(rb'("run_time":)([0-9.e+-]{1,30})(?=[,}])')),
    (b"\2", re.compile(rb'("started":")([0-9T:.Z+-]{1,40})(?=")')),
    (b"\3", re.compile(rb'("duration":)([0-9.e+-]{1,30})(?=[,}])')),
    (b"\4", re.compile(rb'("run_id":")([A-Za-z0-9._-]{1,80})(?=")')),
)
# What stands between the values of one kind, and between the kinds.
_BETWEEN, _BETWEEN_KINDS = b"\n", b"\0"
# Where a control begins, in compact JSON.
_CONTROL = b'{"id":"'
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
    """A document of any content: where it holds a mark, no hole is made."""
    template, kinds = data, []
    if not any(mark in data for mark, _pattern in _HOLES):
        for mark, pattern in _HOLES:
            kinds.append(_BETWEEN.join(value for _key, value in pattern.findall(template)))
            template = pattern.sub(rb"\1" + mark, template)
    head, *controls = template.split(_CONTROL)
    return PackedDocument(
        hashlib.sha256(data).digest(),
        hashlib.sha256(template).digest(),
        [head, *(_CONTROL + control for control in controls)],
        zlib.compress(_BETWEEN_KINDS.join(kinds), 9) if any(kinds) else b"",
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
        raise damaged("a template") from None
    return list(numbers)


def unpack_json(body: bytes, what: str) -> Any:
    """A value that was kept as compressed JSON. :raises ScanError: not_a_store"""
    try:
        return json.loads(_inflate(body))
    except (zlib.error, ValueError, RecursionError):
        raise damaged(what) from None


def damaged(what: str) -> ScanError:
    return ScanError("not_a_store", f"{what} in the store is damaged", tried="read the store")


def unpack(pieces: Sequence[bytes], holes: bytes, sha256: bytes, source: str) -> bytes:
    """The document as it was.

    :param pieces: as `pack_piece` gave them
    :raises ScanError: not_a_store, where it is another one
    """
    try:
        data = b"".join(_inflate(piece) for piece in pieces)
        kinds = _inflate(holes).split(_BETWEEN_KINDS) if holes else []
        for (mark, _pattern), values in zip(reversed(_HOLES), reversed(kinds)):
            parts = data.split(mark)
            data = b"".join(part for pair in zip(parts, [*values.split(_BETWEEN), b""]) for part in pair)
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
