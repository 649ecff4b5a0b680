# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that a callback replaces as a whole, with what it is to keep of the one that is there."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..module_utils.results.whole_file import read_own_file

_MODE = 0o644  # whoever collects it is another user, and there is nothing secret in it
_MOST_BYTES = 64 * 1024 * 1024


def replace_file(path: Path, make: Callable[[str], str]) -> None:
    """Replaces a file, so that it is never read half written. Plays that end at the same time wait for each other.

    :param make: makes the new text of the present one, which is empty where there is no file. Where the new one is empty,
        nothing is written
    :raises OSError: with a text in `strerror`
    """
    path = path.resolve()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        text = make(_present(path))
        if text:
            _write(path, text)
    finally:
        os.close(folder)


def _present(path: Path) -> str:
    try:
        data = read_own_file(path, _MOST_BYTES)
    except FileNotFoundError:
        return ""
    if len(data) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {_MOST_BYTES} bytes")
    return data.decode("utf-8", "replace")


def _write(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".securescan-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        temporary.chmod(_MODE)
        temporary.replace(path)
    except OSError:
        temporary.unlink()
        raise
