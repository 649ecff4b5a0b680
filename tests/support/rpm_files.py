# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes rpm databases: headers of packages, and files of the formats SQLite and ndb."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path


def make_header(tags: dict[int, bytes], padding: int = 0) -> bytes:
    entries, data = b"", b""
    for tag, value in tags.items():
        entries += struct.pack(">IIII", tag, 6, len(data), 1)
        data += value + b"\0"
    data += bytes(padding)
    return struct.pack(">II", len(tags), len(data)) + entries + data


def make_sqlite(path: Path, headers: Iterable[bytes], page_size: int = 4096) -> bytes:
    """By SQLite itself, with the table as rpm makes it."""
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA page_size = {page_size}")
        database.execute("CREATE TABLE Other (x)")
        database.execute(
            "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"
        )
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
    database.close()
    return path.read_bytes()


def make_ndb(headers: dict[int, bytes]) -> bytes:
    """As rpm's rpmpkg.c writes it. Debian's rpm has no ndb, so this stands for the program of SUSE."""
    slots = [b"RpmP" + struct.pack("<3I", 0, 7, 1), struct.pack("<4I", max(headers) + 1, 0, 0, 0)]
    blobs = b""
    for number, value in headers.items():
        blob = b"BlbS" + struct.pack("<3I", number, 7, len(value)) + value
        blob += bytes(-(len(blob) + 12) % 16)
        blob += struct.pack("<2I", zlib.adler32(blob), len(value)) + b"BlbE"
        slots.append(b"Slot" + struct.pack("<3I", number, 256 + len(blobs) // 16, len(blob) // 16))
        blobs += blob
    slots += [b"Slot" + bytes(12)] * (256 - len(slots))
    return b"".join(slots) + blobs
