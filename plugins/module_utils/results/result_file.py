# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of results, read back: with a bound, or with what they must hash to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .checked_json import bad_results
from .whole_file import read_own_file


def read_bounded(path: Path, most: int) -> bytes:
    """The bytes of a file. :raises ScanError: `bad_results`, when it cannot be read or has more than `most` bytes"""
    data = _read(path, most)
    if len(data) > most:
        raise bad_results(str(path), f"has more than {most} bytes")
    return data


def read_written(path: Path, most: int, sha256: str) -> bytes:
    """The bytes of a file that a run wrote.

    :raises ScanError: `bad_results`, when it cannot be read or is another one; a file of more than `most` bytes is
    """
    data = _read(path, most)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise bad_results(str(path), "is not the file that the run wrote (its SHA-256 differs)")
    return data


def _read(path: Path, most: int) -> bytes:
    try:
        return read_own_file(path, most)
    except OSError as reason:
        raise bad_results(str(path), f"cannot be read: {reason.strerror or reason}") from None
