# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who could change what a run's folder holds, or put another folder in its place: whoever may write to it, or to a
folder above it."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path

from ..errors import ScanError
from ..path_owners import Changer, changers_of


def check_folder(path: str, allow_shared: bool) -> list[str]:
    """Warnings about a folder that others may change, where that is allowed. It does not have to exist yet.

    Others are all users but root and the one that runs this. A sticky folder such as /tmp is no danger to the folders in it.

    :raises ScanError: shared_folder, where it is not allowed; write_failed, where a folder cannot be looked at
    """
    try:
        found = next(changers_of(Path(path)), None)
    except OSError as reason:
        raise ScanError(
            "write_failed", f"{path}: {reason.strerror or reason}", tried="look at the folder"
        ) from None
    if found is None:
        return []
    text = f"others can replace the results in {path}, because {found.place} {_why_shared(found)}"
    if allow_shared:
        return [text]
    raise ScanError("shared_folder", text, tried="look at the folder of results")


def _why_shared(changer: Changer) -> str:
    if changer.uid is not None:
        return f"belongs to user {_user(changer.uid)}"
    whom = "everybody" if changer.gid is None else f"the group {_group(changer.gid)}"
    return f"is writable for {whom} (mode {changer.mode:04o})"


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
