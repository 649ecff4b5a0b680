# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who could change what a run's folder holds, or put another folder in its place: whoever may write to it, or to a
folder above it."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import ScanError


def check_folder(path: str, allow_shared: bool) -> list[str]:
    """Warnings about a folder that others may change, where that is allowed. It does not have to exist yet.

    Others are all users but root and the one that runs this. A sticky folder such as /tmp is no danger to the folders in it.

    :raises ScanError: shared_folder, where it is not allowed; write_failed, where a folder cannot be looked at
    """
    try:
        found = next(_shared(Path(path).absolute(), set()), None)
    except OSError as reason:
        raise ScanError(
            "write_failed", f"{path}: {reason.strerror or reason}", tried="look at the folder"
        ) from None
    if found is None:
        return []
    folder, why = found
    text = f"others can replace the results in {path}, because {folder} {why}"
    if allow_shared:
        return [text]
    raise ScanError("shared_folder", text, tried="look at the folder of results")


def _shared(path: Path, seen: set[Path]) -> Iterator[tuple[Path, str]]:
    """(folder, why others may change it) of the path, what is above it, and what its links lead to."""
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
                yield place, f"belongs to user {_user(status.st_uid)}"
            yield from _shared(Path(os.path.normpath(place.parent / place.readlink())), seen)
        elif stat.S_ISDIR(status.st_mode):
            why = _why_shared(status)
            if why:
                yield place, why


def _why_shared(status: os.stat_result) -> str:
    if not _is_trusted(status.st_uid):
        return f"belongs to user {_user(status.st_uid)}"
    if status.st_mode & stat.S_ISVTX:
        return ""
    if status.st_mode & stat.S_IWOTH:
        return f"is writable for everybody (mode {stat.S_IMODE(status.st_mode):04o})"
    if status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid):
        return f"is writable for the group {_group(status.st_gid)} (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


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


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
