# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time works on a folder of results. The lock ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ScanError
from .whole_file import write_failed

_SECONDS = 30.0
_PAUSE = 0.05
LOCK_FILE = ".deciding"


@contextmanager
def one_at_a_time(folder: Path, other: str) -> Iterator[None]:
    """Whoever is in here is alone.

    :param other: what another one does that holds the folder, for the error
    :raises ScanError: write_failed, when another one holds it for too long
    """
    try:
        descriptor = _lockable(folder)
        try:
            _lock(descriptor, folder, other)
            yield
        finally:
            os.close(descriptor)
    except OSError as reason:
        raise write_failed(folder, reason) from None


def _lockable(folder: Path) -> int:
    """A descriptor of the folder, or of a file in it where the file system locks no folders, as NFS."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    except OSError:
        os.close(descriptor)
        return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return descriptor


def _lock(descriptor: int, folder: Path, other: str) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise ScanError(
                    "write_failed",
                    f"{folder}: {other} for {_SECONDS:.0f} seconds",
                    tried="wait for the folder",
                    advice="Find out which process holds the folder (lsof), then run again.",
                ) from None
        time.sleep(_PAUSE)
