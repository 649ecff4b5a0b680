# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""file: what a path is, whose it is, its mode, size and time.

Symbolic links are followed, as InSpec's file resource follows them; link_target tells that there is one. A
link that leads nowhere is there (its own status is given, type "symlink"): a file that must not exist must
not be a link either. Where the container has no stat program, the shell still tells existence and type. The
fact is then unsupported, since mode and owner are what controls ask for, and carries what is known as its
partial value.

The partial value has type and link_target alone.
"""

from __future__ import annotations

import re
import stat
from typing import Any

from .facts import OK, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery, NotOkError, Sensitive, call_with, read_frame
from .frames import BadContentError, Frame, decode_text
from .query_rules import PATH

_SHELL = r"""
file() {
  file__apart=
  if ! look "$2"; then
    [ $status = absent ] && [ -h "$path" ] || { unseen $1; return; }
    file__apart=$nl
  fi
  case $nl$stats__lines$nl in *"$nl$path$nl"*) ;; *) file__apart=$nl ;; esac
  case $file__apart$path in *"$nl"*) ! has stat || put "q$1.alone" ok text "$(stat -c '%f %u %g %s %Y' -- "$path")" ;; esac
  if [ -f "$path" ]; then file__answer='file'
  elif [ -d "$path" ]; then file__answer=directory
  elif [ -p "$path" ]; then file__answer=pipe
  elif [ -S "$path" ]; then file__answer=socket
  elif [ -c "$path" ]; then file__answer=character_device
  elif [ -b "$path" ]; then file__answer=block_device
  else file__answer=symlink
  fi
  file__answer=$file__answer$nl${path%%"$nl"*}
  if [ ! -h "$own_path" ]; then put "q$1" ok text "$file__answer"
  elif has readlink; then target "$own_path"; put "q$1" ok text "$file__answer$nl$target__link"
  else unsupported $1 'it is a symbolic link, and the container has no readlink program'
  fi
}
file_stats() {
  if has stat; then put stat ok text "$stats__lines"
  else put stat unsupported text 'the container has no stat program, so mode and owner are not known'
  fi
}
"""

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character_device",
    stat.S_IFBLK: "block_device",
}
_STATUS = re.compile(
    rb"([0-9a-f]{1,8}) ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,20}) (-?[0-9]{1,20})(?: [0-9]{1,20})?"
)


def _read_file(answer: Answer, query: Query) -> Fact:
    kind, _newline, rest = answer.get_own().partition(b"\n")
    path, link, target = rest.partition(b"\n")
    known = {"type": decode_text(kind), "link_target": decode_text(target) if link else None}
    try:
        if answer.has_part("alone"):
            status = answer.get_part("alone")
        else:
            status = answer.parse_shared("stat", _split_listing).get(path, b"")
    except NotOkError as error:
        missing = read_frame(error.frame)
        return Fact(missing.status, known, missing.cause)
    if not status:
        return Fact(UNREADABLE, known, "the container's stat program said nothing about it")
    return Fact(OK, dict(_parse_status(status), link_target=known["link_target"]))


def _parse_status(status: bytes) -> dict[str, Any]:
    """`mode uid gid size mtime`, and perhaps the device, as stat prints it (mode in hex, with the type's bits). Raises
    BadContentError."""
    match = _STATUS.fullmatch(status)
    mode = int(match.group(1), 16) if match else 0
    if match is None or stat.S_IFMT(mode) not in TYPES:
        raise BadContentError(f"the container's stat program wrote {decode_text(status[:80])}")
    uid, gid, size, mtime = (int(number) for number in match.groups()[1:])
    return {
        "type": TYPES[stat.S_IFMT(mode)],
        "mode": stat.S_IMODE(mode),
        "uid": uid,
        "gid": gid,
        "size": size,
        "mtime": mtime,
    }


def _split_listing(frame: Frame) -> dict[bytes, bytes]:
    """Paths and statuses by turns, a line each. A path holds no newline."""
    lines = frame.decode().split(b"\n")
    return dict(zip(lines[::2], lines[1::2]))


def _call(queries: list[IndexedQuery]) -> list[bytes]:
    return [*call_with("file", PATH)(queries), b"file_stats"]


def _without_target(status: dict[str, Any]) -> dict[str, Any]:
    """That something is no link stays known."""
    return {name: value for name, value in status.items() if name != "link_target" or value is None}


FILE = Family(
    subject=PATH,
    value='{"type": file, directory, symlink (leads nowhere), pipe, socket, character_device or block_device, "mode": int '
    '(permission bits with setuid, setgid, sticky), "uid": int, "gid": int, "size": int (bytes), "mtime": int (seconds '
    'since 1970), "link_target": str or None (not a link)}',
    calls=_call,
    read=_read_file,
    shell=_SHELL,
    programs=("stat", "readlink"),
    parts=("alone",),
    stat_paths=lambda query: (query.subject,),
    shared="stat",
    sensitive=Sensitive("targets of links", _without_target),
)
