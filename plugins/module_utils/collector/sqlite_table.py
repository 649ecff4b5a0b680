# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of one table of an SQLite database that came from a container.

SQLite's own library is not given such a file: it would need it on the controller's disk, and it follows what
stands in the file's schema. This reads the two structures that are needed and no more
(https://www.sqlite.org/fileformat2.html): the b-tree of a table with row ids, and records. No page is read
twice and no more bytes than the file has, so the time is bounded by the file's size. Whatever is not exactly
as the format has it raises BadContentError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

from .frames import BadContentError

MAGIC = b"SQLite format 3\0"

Value = Union[None, int, bytes]  # numbers that are not whole stay bytes; texts are bytes in UTF-8

_HEADER = 100
_INTERIOR, _LEAF = 0x05, 0x0D
_MAX_ROWS = 100_000
_MAX_COLUMNS = 16
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def read_table(data: bytes, table: str) -> Iterator[list[Value]]:
    """The columns of each row. An INTEGER PRIMARY KEY reads as None, as it is kept apart.

    :raises BadContentError: where the file has no such table, or is not as the format has it
    """
    database = _Database(data)
    roots = [row[3] for row in database.rows(1) if row[:2] == [b"table", table.encode()] and len(row) == 5]
    if len(roots) != 1 or not isinstance(roots[0], int):
        raise BadContentError(f"the SQLite database has no table {table}")
    yield from database.rows(roots[0])


class _Database:
    def __init__(self, data: bytes) -> None:
        if not data.startswith(MAGIC) or len(data) < 512:
            raise BadContentError("it is no SQLite database")
        self._data = data
        self._size = int.from_bytes(data[16:18], "big")
        self._size = 65536 if self._size == 1 else self._size
        if self._size < 512 or self._size & (self._size - 1) or len(data) % self._size:
            raise BadContentError("the SQLite database is not made of whole pages")
        if int.from_bytes(data[56:60], "big") != 1:
            raise BadContentError("the SQLite database is not in UTF-8")
        self._usable = self._size - data[20]
        self._unread = len(data)  # bytes that records can still take: no two share any
        self._seen: set[int] = set()

    def rows(self, root: int) -> Iterator[list[Value]]:
        """All rows below a page, in order."""
        count = 0
        pages = [root]
        while pages:
            number = pages.pop()
            page = self._page(number)
            start = _HEADER if number == 1 else 0
            kind, cells = page[start], int.from_bytes(page[start + 3 : start + 5], "big")
            if kind not in (_INTERIOR, _LEAF):
                raise BadContentError(f"page {number} of the SQLite database is not of a table")
            first = start + (12 if kind == _INTERIOR else 8)
            if first + 2 * cells > self._usable:
                raise BadContentError(f"page {number} of the SQLite database has too many cells")
            places = [int.from_bytes(page[at : at + 2], "big") for at in range(first, first + 2 * cells, 2)]
            if kind == _INTERIOR:
                pages.append(int.from_bytes(page[start + 8 : start + 12], "big"))
                pages += [int.from_bytes(page[place : place + 4], "big") for place in reversed(places)]
                continue
            for place in places:
                count += 1
                if count > _MAX_ROWS:
                    raise BadContentError(f"the SQLite database has more than {_MAX_ROWS} rows")
                yield _split_record(self._payload(page, place))

    def _page(self, number: int) -> bytes:
        if number in self._seen or not 1 <= number <= len(self._data) // self._size:
            raise BadContentError(f"page {number} of the SQLite database is not where it should be")
        self._seen.add(number)
        return self._data[(number - 1) * self._size : number * self._size]

    def _payload(self, page: bytes, at: int) -> bytes:
        """The record of a leaf's cell, with what of it is on overflow pages."""
        length, at = _varint(page, at)
        _rowid, at = _varint(page, at)
        self._unread -= length
        if self._unread < 0:
            raise BadContentError("the records of the SQLite database have more bytes than the file")
        local = length
        if length > self._usable - 35:
            least = (self._usable - 12) * 32 // 255 - 23
            local = least + (length - least) % (self._usable - 4)
            local = local if local <= self._usable - 35 else least
        parts = [page[at : min(at + local, self._usable)]]
        following = page[at + local : at + local + 4]
        missing = length - local
        while missing > 0:
            page = self._page(int.from_bytes(following, "big"))
            parts.append(page[4 : 4 + min(missing, self._usable - 4)])
            following, missing = page[:4], missing - len(parts[-1])
        payload = b"".join(parts)
        if len(payload) != length:
            raise BadContentError("a record of the SQLite database goes beyond its page")
        return payload


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and the place behind it."""
    value = 0
    for index, byte in enumerate(data[at : at + 9]):
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise BadContentError("a number of the SQLite database goes beyond its page")


def _split_record(record: bytes) -> list[Value]:
    end, at = _varint(record, 0)
    values: list[Value] = []
    place = end
    while at < end:
        kind, at = _varint(record, at)
        size = _INTEGER_SIZES.get(kind, 8 if kind == 7 else (kind - 12) // 2 if kind >= 12 else 0)
        content = record[place : place + size]
        if kind in (10, 11) or len(content) != size or len(values) == _MAX_COLUMNS:
            raise BadContentError("a record of the SQLite database is not valid")
        place += size
        if kind in (0, 8, 9):
            values.append(None if kind == 0 else kind - 8)
        else:
            values.append(int.from_bytes(content, "big", signed=True) if kind in _INTEGER_SIZES else content)
    if at != end or place != len(record):
        raise BadContentError("a record of the SQLite database is not valid")
    return values
