# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that lies in another output folder is brought into this one, as it is."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from .cluster_entry import ClusterEntry
from .fleet_run import open_run_of
from .whole_file import FOLDER_MODE, write_failed


def bring_run(entry: ClusterEntry, source: Path, output_dir: Path) -> None:
    """Copies a cluster's run from the output folder `source`, where it is not in `output_dir` yet. Links are left out.

    Its files are linked where that can be done: nothing changes a run's file in its place.

    :raises ScanError: bad_results, when the run is not the one of the entry, or another one has its place; write_failed
    """
    if not entry.has_run or source.resolve() == output_dir.resolve():
        return
    open_run_of(entry, source)
    place = output_dir / entry.run_dir
    if not os.path.lexists(place):
        _copy(source / entry.run_dir, place)
    open_run_of(entry, output_dir)


def _copy(source: Path, place: Path) -> None:
    """It appears under its name only when it is whole."""
    try:
        place.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
        try:
            _copy_folder(source, new)
            new.chmod(FOLDER_MODE)
            new.rename(place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    except OSError as reason:
        if reason.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise write_failed(place, reason) from None
        # another one brought it meanwhile


def _copy_folder(source: Path, place: Path) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode & 0o750
                (place / entry.name).mkdir(mode=mode)
                _copy_folder(source / entry.name, place / entry.name)
            elif entry.is_file(follow_symlinks=False):
                _copy_file(source / entry.name, place / entry.name)


def _copy_file(source: Path, place: Path) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, place, follow_symlinks=False)
