# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mounts: what is mounted in the container's mount namespace, from /proc/PID/mountinfo (proc(5)).

"options" are those of the mount point and then those of the file system; "ro" where either is read-only,
since then nothing can be written.
"""

from __future__ import annotations

import re
from typing import Any

from .facts import OK, Fact, Query
from .family import RUNNING, Answer, Family, Sensitive, call
from .frames import BadContentError, decode_text
from .query_rules import NO_SUBJECT

_MAX_BYTES = 1024 * 1024

_SHELL = r"""
mounts() {
  if [ ! -e /proc/$target__process/mountinfo ]; then unsupported $1 'there is no /proc'
  elif ! read_all /proc/$target__process/mountinfo $2; then put "q$1" unreadable text '/proc/PID/mountinfo cannot be read'
  elif [ ${#text} -gt $2 ]; then put "q$1" too_large text "it has more than $2 bytes"
  else put "q$1" ok text "$text"
  fi
}
"""


def _read_mounts(answer: Answer, query: Query) -> Fact:
    mounts = [_read_mount(line) for line in answer.get_own().split(b"\n") if line]
    if not mounts:
        raise BadContentError("/proc/PID/mountinfo is empty")
    return Fact(OK, mounts)


def _read_mount(line: bytes) -> dict[str, Any]:
    # behind the sixth field stand optional ones, ended by a dash
    fields = line.split(b" ")
    end = fields.index(b"-", 6) if b"-" in fields[6:] else len(fields)
    if len(fields) < end + 4:
        raise BadContentError(f"a line of /proc/PID/mountinfo is not understood: {decode_text(line[:80])}")
    fstype, source, super_options = fields[end + 1 : end + 4]
    return {
        "mount_point": unescape(fields[4]),
        "fstype": unescape(fstype),
        "source": unescape(source),
        "options": _join_options(fields[5].split(b","), super_options.split(b",")),
        "root": unescape(fields[3]),
    }


def _join_options(mount: list[bytes], file_system: list[bytes]) -> list[str]:
    access = b"ro" if b"ro" in mount or b"ro" in file_system else b"rw"
    rest = [option for option in [*mount, *file_system] if option and option not in (b"ro", b"rw")]
    return [unescape(option) for option in dict.fromkeys([access, *rest])]


def unescape(field: bytes) -> str:
    """The kernel writes space, tab, newline and backslash as \\ and three octal digits."""
    if b"\\" not in field:
        return decode_text(field)
    return decode_text(re.sub(rb"\\([0-3][0-7]{2})", lambda match: bytes([int(match.group(1), 8)]), field))


def is_below(path: str, mount_point: str) -> bool:
    """Whether a path is the mount point, or below it. Nothing is resolved: "." and ".." are names here."""
    return path == mount_point or path.startswith(mount_point.rstrip("/") + "/")


# Options whose values are sizes, numbers, names of the kernel's and places: those of overlay and tmpfs, of the kernel's own
# file systems and of disks (their pages in the kernel's documentation, and mount(8)).
_HARMLESS = """
    size nr_blocks nr_inodes mode uid gid huge mpol lowerdir lowerdir+ datadir+ upperdir workdir redirect_dir index uuid
    metacopy xino verity nfs_export ptmxmode max hidepid subset fd pgrp timeout minproto maxproto pipe_ino user_id group_id
    rootmode max_read blksize data commit errors stripe barrier prjquota allocsize logbufs logbsize sunit swidth subvol
    subvolid space_cache compress compress-force thread_pool iocharset codepage shortname fmask dmask umask cache version
    vers trans proto rsize wsize acregmin acregmax acdirmin acdirmax timeo retrans sec local_lock namlen nconnect
    lookupcache
"""
_HARMLESS_OPTIONS = frozenset(_HARMLESS.split())


def _without_values(mounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The options of a mount go as a whole where one has a value of its own, so that none is taken for missing."""
    return [
        row
        if all(
            "=" not in option or option.partition("=")[0] in _HARMLESS_OPTIONS for option in row["options"]
        )
        else {name: value for name, value in row.items() if name != "options"}
        for row in mounts
    ]


MOUNTS = Family(
    subject=NO_SUBJECT,
    value='a list, in the order of mounting, of {"mount_point": str, "fstype": str, "source": str, "options": [str], '
    '"root": str (which part of the file system is mounted)}',
    calls=call("mounts", _MAX_BYTES),
    read=_read_mounts,
    shell=_SHELL,
    uses=("read_all",),
    reach=RUNNING,
    sensitive=Sensitive("options of mounts with values", _without_values),
)
