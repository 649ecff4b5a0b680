# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear under their name only when they are whole: a reader sees the old one, the new one, or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import ScanError

FILE_MODE = 0o640
FOLDER_MODE = 0o750


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


def write_failed(path: Path, reason: OSError) -> ScanError:
    return ScanError("write_failed", f"{path}: {reason.strerror or reason}", tried="write results")
