# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in a folder, found without following a link; and their digests, read piece by piece."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..results.whole_file import own_file

_MOST_ENTRIES = 1_000_000
_MOST_LEVELS = 6
_PIECE = 1024 * 1024


@dataclass
class Listing:
    """`files` has the size of each file by its path within the folder, `others` what each entry is that is no file: a link, a
    pipe, a folder that is too deep. `is_whole` is false where there were more entries than are looked at."""

    files: dict[str, int] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


def list_folder(folder: Path) -> Listing:
    """:raises OSError: when the folder or one in it cannot be listed"""
    listing = Listing()
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise OSError("it is not a folder")
    for count, (path, entry, level) in enumerate(_entries(folder, "", 1)):
        if count >= _MOST_ENTRIES:
            listing.is_whole = False
            break
        if entry.is_symlink():
            listing.others[path] = "is a link"
        elif entry.is_file(follow_symlinks=False):
            listing.files[path] = entry.stat(follow_symlinks=False).st_size
        elif not entry.is_dir(follow_symlinks=False):
            listing.others[path] = "is neither a file nor a folder"
        elif level == _MOST_LEVELS:
            listing.others[path] = "is a folder too deep"
    return listing


def _entries(folder: Path, above: str, level: int) -> Iterator[tuple[str, os.DirEntry[str], int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{above}{entry.name}"
            yield path, entry, level
            if level < _MOST_LEVELS and entry.is_dir(follow_symlinks=False):
                yield from _entries(folder / entry.name, f"{path}/", level + 1)


def sha256_of(path: Path, most: int) -> tuple[str, int]:
    """(SHA-256, size) of a file of which no more than `most` bytes and one are read. :raises OSError: as `own_file`"""
    digest, size = hashlib.sha256(), 0
    with own_file(path) as stream:
        while size <= most:
            piece = stream.read(min(_PIECE, most + 1 - size))
            if not piece:
                break
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def is_safe_path(path: str) -> bool:
    """Whether it is a path of a file within a folder, and leads nowhere else."""
    parts = path.split("/")
    return (
        0 < len(path) <= 1_000
        and path.isprintable()
        and "\\" not in path
        and len(parts) <= _MOST_LEVELS
        and all(part not in ("", ".", "..") for part in parts)
    )
