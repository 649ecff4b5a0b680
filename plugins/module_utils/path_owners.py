# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who besides root and the one that runs this can put something else in a path's place: whoever may write to a folder
above it, or above what its links lead to. Access control lists are not looked at."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Changer:
    """Who can change a place: its owner (`uid`), its group (`gid`), or everybody, where both are None."""

    place: Path
    mode: int
    uid: int | None = None
    gid: int | None = None


def changers_of(path: Path) -> Iterator[Changer]:
    """Who can change the path, where it is a folder or a link, the folders above it, and what its links lead to. It
    does not have to exist. A sticky folder such as /tmp is no danger to what it holds.

    :raises OSError: where a folder cannot be looked at
    """
    return _changers_of(path.absolute(), set())


def changer_by(status: os.stat_result, place: Path) -> Changer | None:
    """Who can write to a file or folder; None for nobody else."""
    mode = stat.S_IMODE(status.st_mode)
    if not _is_trusted(status.st_uid):
        return Changer(place, mode, uid=status.st_uid)
    if stat.S_ISDIR(status.st_mode) and mode & stat.S_ISVTX:
        return None
    if mode & stat.S_IWOTH:
        return Changer(place, mode)
    if mode & stat.S_IWGRP and not _is_own_group(status.st_gid):
        return Changer(place, mode, gid=status.st_gid)
    return None


def who_can_change(file: Path) -> str:
    """Who besides us and root can change a file, or put another one in its place, by a folder above it or a link on the
    way; "" for nobody. Access control lists are not looked at."""
    try:
        found = changer_by(file.stat(), file) or next(changers_of(file), None)
    except OSError:
        return ""  # that it cannot be read is found, and said, elsewhere
    if found is None:
        return ""
    if found.uid is not None:
        return f"The user {found.uid}"
    return "Every user of this machine" if found.gid is None else f"The group {found.gid}"


def _changers_of(path: Path, seen: set[Path]) -> Iterator[Changer]:
    for place in reversed((path, *path.parents)):
        if place in seen:
            continue
        seen.add(place)
        try:
            status = place.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISLNK(status.st_mode):
            if not _is_trusted(status.st_uid):
                yield Changer(place, stat.S_IMODE(status.st_mode), uid=status.st_uid)
            yield from _changers_of(Path(os.path.normpath(place.parent / place.readlink())), seen)
        elif stat.S_ISDIR(status.st_mode):
            changer = changer_by(status, place)
            if changer:
                yield changer


def _is_trusted(uid: int) -> bool:
    """Root, the one that runs this, and whoever owns /: in a user namespace that is not always user 0."""
    return uid in (0, os.geteuid(), Path("/").stat().st_uid)


def _is_own_group(gid: int) -> bool:
    """Whether nobody but root and the one that runs this is in a group: root's, or a user's own group of the same name."""
    if gid == 0:
        return True
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name, "root"}
