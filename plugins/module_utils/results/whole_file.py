# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear under their name only when they are whole: a reader sees the old one, the new one, or none. And the
reading of such files, which neither follows a link nor waits for a pipe."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import ScanError

FILE_MODE = 0o640
FOLDER_MODE = 0o750
_PIECE = 1024 * 1024


@contextmanager
def whole_file(path: Path, mode: int = FILE_MODE) -> Iterator[IO[bytes]]:
    """A stream into a file beside `path`, which gets its name when the block ends, and is removed when that fails.

    :raises ScanError: `write_failed`
    """
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fchmod(stream.fileno(), mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as reason:
        raise write_failed(path, reason) from None


def write_whole(path: Path, data: bytes, mode: int = FILE_MODE) -> Path:
    """Writes `data`. :raises ScanError: `write_failed`"""
    with whole_file(path, mode) as stream:
        stream.write(data)
    return path


def read_own_file(path: Path, most: int) -> bytes:
    """The bytes of a file that a run wrote.

    :param most: no more bytes than this one and another are read; the caller says what too many of them mean
    :raises OSError: with a text in `strerror`, also for a link, and for anything else that is not a file
    """
    with own_file(path) as stream:
        return _read(stream, most + 1)


@contextmanager
def own_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream of the bytes of a file that a run wrote.

    :raises OSError: as `read_own_file`
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as reason:
        if reason.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link") from None
        raise
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have this name") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            yield stream
    finally:
        os.close(descriptor)


def _read(stream: IO[bytes], most: int) -> bytes:
    """At most so many bytes, piece by piece: a single read would make room for all that are allowed."""
    pieces: list[bytes] = []
    while most > 0:
        piece = stream.read(min(most, _PIECE))
        if not piece:
            break
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def write_failed(path: Path, reason: OSError) -> ScanError:
    return ScanError("write_failed", f"{path}: {reason.strerror or reason}", tried="write results")
