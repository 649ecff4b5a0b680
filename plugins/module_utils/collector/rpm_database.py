# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages of an rpm database, read from its file: SQLite, ndb (SUSE) or Berkeley DB's hash (up to RHEL
8).

The file comes from a container. It is never given to a library that would follow it: each format is read here
as far as the headers of packages need it, strictly, each byte about once. Whatever is not as the format has
it raises BadContentError, because a package that is not seen must not pass for one that is not there.

Sources: rpm's lib/backend/ndb/rpmpkg.c and lib/header.c; Berkeley DB's dbinc/db_page.h.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from . import sqlite_table
from .frames import BadContentError
from .packed import GZIP, unpack_gzip

# bytes of a database when it is unpacked
MAX_DATABASE = 64 * 1024 * 1024
_MAX_PACKAGES = 100_000

_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_TAGS = (_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH)
_INT32, _STRING = 4, 6

_NDB_MAGIC = b"RpmP"
_NDB_BLOCK = _NDB_SLOT = 16
_NDB_PAGE = 4096

_BDB_HASH_MAGIC = 0x061561
_BDB_HASH_META = 8
_BDB_HASH_PAGES = (2, 13)  # unsorted, sorted
_BDB_OVERFLOW_PAGE = 7
_BDB_FREE_PAGE = 0
_BDB_PAGE_HEADER = 26
_BDB_INLINE, _BDB_OFF_PAGE = 1, 3


@dataclass(frozen=True)
class RpmPackage:
    """One installed package; `version` is [epoch:]version-release. Bytes as they stand in the database."""

    name: bytes
    version: bytes
    arch: bytes


def read_rpm_database(data: bytes) -> Iterator[RpmPackage]:
    """The installed packages of a database file, which can be packed by gzip.

    :raises BadContentError: where anything in it is not as its format has it
    """
    if data.startswith(GZIP):
        data = unpack_gzip(data, MAX_DATABASE, "the rpm database")
    for count, blob in enumerate(_read_headers(data)):
        if count == _MAX_PACKAGES:
            raise BadContentError(f"the rpm database has more than {_MAX_PACKAGES} packages")
        yield _read_package(blob)


def _read_headers(data: bytes) -> Iterator[bytes]:
    if data.startswith(sqlite_table.MAGIC):
        return _read_sqlite(data)
    if data.startswith(_NDB_MAGIC):
        return _read_ndb(data)
    for order in "<>":
        if len(data) >= 512 and struct.unpack_from(order + "I", data, 12)[0] == _BDB_HASH_MAGIC:
            return _BerkeleyHash(data, order).values()
    raise BadContentError("the rpm database is neither SQLite nor ndb nor a hash of Berkeley DB")


def _read_sqlite(data: bytes) -> Iterator[bytes]:
    for row in sqlite_table.read_table(data, "Packages"):
        if len(row) != 2 or not isinstance(row[1], bytes):
            raise BadContentError("the table Packages of the rpm database has other columns")
        yield row[1]


def _read_ndb(data: bytes) -> Iterator[bytes]:
    """Slots in whole pages at the beginning, each with the place of one package's blob."""
    if len(data) < _NDB_PAGE:
        raise BadContentError("the ndb database has no whole page")
    version, _generation, pages = struct.unpack_from("<III", data, 4)
    end = pages * _NDB_PAGE
    if version != 0 or not _NDB_PAGE <= end <= len(data) or end > _MAX_PACKAGES * _NDB_SLOT:
        raise BadContentError("the ndb database is not complete, or of another version")
    unread = len(data)
    for at in range(2 * _NDB_SLOT, end, _NDB_SLOT):
        magic, index, first, blocks = struct.unpack_from("<4sIII", data, at)
        if magic != b"Slot":
            raise BadContentError("a slot of the ndb database is not valid")
        if index:
            unread -= blocks * _NDB_BLOCK
            if unread < 0:
                raise BadContentError("the packages of the ndb database have more bytes than the file")
            yield _read_ndb_blob(data[first * _NDB_BLOCK : (first + blocks) * _NDB_BLOCK], index)


def _read_ndb_blob(blob: bytes, index: int) -> bytes:
    if len(blob) < 32:
        raise BadContentError("a package of the ndb database is not complete")
    head, found, _generation, length = struct.unpack_from("<4sIII", blob)
    checksum, again, tail = struct.unpack_from("<II4s", blob, len(blob) - 12)
    if (head, tail, found, again) != (b"BlbS", b"BlbE", index, length) or not 0 <= len(
        blob
    ) - 28 - length < _NDB_BLOCK:
        raise BadContentError("a package of the ndb database is not where its slot says")
    if zlib.adler32(blob[:-12]) != checksum:
        raise BadContentError("a package of the ndb database does not fit its checksum")
    return blob[16 : 16 + length]


class _BerkeleyHash:
    """Pages of a hash; keys are the numbers of packages, values their headers, mostly on overflow pages."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order
        self._size, encryption, kind, flags = struct.unpack_from(order + "IBBB", data, 20)
        last = struct.unpack_from(order + "I", data, 32)[0]
        if not 512 <= self._size <= 65536 or self._size & (self._size - 1) or kind != _BDB_HASH_META:
            raise BadContentError("the Berkeley DB database is not valid")
        if encryption or flags:
            raise BadContentError(
                "the Berkeley DB database is encrypted, has checksums or is one of several in a file"
            )
        if len(data) < (last + 1) * self._size:
            raise BadContentError("the Berkeley DB database is not complete")
        self._pages = last + 1
        self._taken: set[int] = set()

    def values(self) -> Iterator[bytes]:
        overflow = 0
        for number in range(1, self._pages):
            base = number * self._size
            entries, _free, _level, kind = struct.unpack_from(self._order + "HHBB", self._data, base + 20)
            if kind in (_BDB_OVERFLOW_PAGE, _BDB_FREE_PAGE):
                overflow += kind == _BDB_OVERFLOW_PAGE
                continue
            if kind not in _BDB_HASH_PAGES or entries % 2 or _BDB_PAGE_HEADER + 2 * entries > self._size:
                raise BadContentError(f"page {number} of the Berkeley DB database is not valid")
            items = self._split(
                base, struct.unpack_from(f"{self._order}{entries}H", self._data, base + _BDB_PAGE_HEADER)
            )
            for key, item in zip(items[::2], items[1::2]):
                if len(key) != 5 or key[0] != _BDB_INLINE:
                    raise BadContentError("a key of the Berkeley DB database is not the number of a package")
                # the value of key 0 is the highest number that was given
                if key[1:] != b"\0\0\0\0":
                    yield self._value(item)
        if overflow != len(self._taken):
            raise BadContentError("the Berkeley DB database has pages of a package that it does not name")

    def _split(self, base: int, places: tuple[int, ...]) -> list[bytes]:
        """The items of a page; they stand from its end to its beginning."""
        items = []
        end = self._size
        for place in places:
            if not _BDB_PAGE_HEADER + 2 * len(places) <= place < end:
                raise BadContentError("an item of the Berkeley DB database is not on its page")
            items.append(self._data[base + place : base + end])
            end = place
        return items

    def _value(self, item: bytes) -> bytes:
        if item[0] == _BDB_INLINE:
            return item[1:]
        if item[0] != _BDB_OFF_PAGE or len(item) != 12:
            raise BadContentError("a value of the Berkeley DB database is not valid")
        number, length = struct.unpack_from(self._order + "II", item, 4)
        parts = []
        while number:
            if number in self._taken or number >= self._pages:
                raise BadContentError(
                    "an overflow page of the Berkeley DB database is not where it should be"
                )
            self._taken.add(number)
            base = number * self._size
            number, _entries, used, _level, kind = struct.unpack_from(
                self._order + "IHHBB", self._data, base + 16
            )
            if kind != _BDB_OVERFLOW_PAGE or used > self._size - _BDB_PAGE_HEADER:
                raise BadContentError("an overflow page of the Berkeley DB database is not valid")
            parts.append(self._data[base + _BDB_PAGE_HEADER : base + _BDB_PAGE_HEADER + used])
        value = b"".join(parts)
        if len(value) != length:
            raise BadContentError("a value of the Berkeley DB database is not complete")
        return value


def _read_package(blob: bytes) -> RpmPackage:
    """Name, version and architecture from a package's header: numbers of entries and bytes, entries, data."""
    if len(blob) < 8:
        raise BadContentError("the header of a package is not complete")
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * entries
    if not 0 < entries <= 0xFFFF or start + size != len(blob):
        raise BadContentError("the header of a package is not complete")
    texts: dict[int, bytes] = {}
    epoch = b""
    for tag, kind, offset, count in struct.iter_unpack(">IIII", blob[8:start]):
        if tag not in _TAGS:
            continue
        if tag in texts or (kind, count) != (_INT32 if tag == _EPOCH else _STRING, 1):
            raise BadContentError(f"the header of a package has the tag {tag} twice or in another type")
        if tag == _EPOCH:
            epoch = b"%d:" % _read_number(blob, start + offset)
        texts[tag] = b"" if tag == _EPOCH else _read_string(blob, start + offset)
    missing = [tag for tag in (_NAME, _VERSION, _RELEASE) if not texts.get(tag)]
    if missing:
        raise BadContentError(f"the header of a package lacks the tag {missing[0]}")
    # keys of signers have no architecture; the program writes (none)
    return RpmPackage(
        texts[_NAME], b"%b%b-%b" % (epoch, texts[_VERSION], texts[_RELEASE]), texts.get(_ARCH, b"(none)")
    )


def _read_number(blob: bytes, at: int) -> int:
    if at + 4 > len(blob):
        raise BadContentError("the header of a package points beyond its end")
    return int(struct.unpack_from(">I", blob, at)[0])


def _read_string(blob: bytes, at: int) -> bytes:
    end = blob.find(b"\0", at, at + 4096)
    if end < 0:
        raise BadContentError("the header of a package has a text without an end")
    return blob[at:end]
