# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether results can be written to a folder, found out before a cluster is touched."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from ..errors import ScanError
from .folder_owners import check_folder


def check_output_folder(path: str, allow_shared: bool) -> list[str]:
    """Warnings about a folder that results will be written to, which does not have to exist yet.

    A folder with another name is made in it, or in the nearest one above that exists, and removed at once: rights, mounts
    and file systems have too many rules to foresee.

    :raises ScanError: shared_folder, where others can change it and that is not allowed; write_failed, where it can be
        neither made nor written to
    """
    check_can_write(Path(path), "reading the option output_dir")
    return check_folder(path, allow_shared)


def check_can_write(folder: Path, tried: str = "write results") -> None:
    """:raises ScanError: write_failed, where nothing can be written to the folder, or it cannot be made"""
    wanted = folder.absolute()
    try:
        there = next(place for place in (wanted, *wanted.parents) if os.path.lexists(place))
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")
        Path(tempfile.mkdtemp(prefix=".securescan-", dir=there)).rmdir()
    except OSError as reason:
        why = f"{there}: {reason.strerror or reason}" if there != wanted else reason.strerror or str(reason)
        raise ScanError("write_failed", f"{wanted} cannot be written to: {why}", tried=tried) from None
