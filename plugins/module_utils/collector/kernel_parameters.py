# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysctl: kernel parameters from /proc/sys. Value: the text of the parameter, without its last newline.

A parameter that this kernel, or this container's namespaces, do not have is absent. One that can only be written, or is
masked by the container runtime, is unreadable. All are read by one grep.
"""

from __future__ import annotations

from .facts import OK, UNREADABLE, Fact, Query
from .family import RUNNING, Answer, Family, IndexedQuery, quote
from .frames import Frame, decode_text
from .request import encode_subject, sysctl_path

# Without grep and cat the shell itself must read; only bash reads a parameter whole.
_SHELL = r"""
sysctl() {
  if [ ! -d /proc/sys/kernel ]; then put "q$1" unsupported text 'there is no /proc/sys'
  elif ! see "$2"; then put "q$1" $s text "$c"
  elif [ ! -f "$r" ]; then put "q$1" unsupported text 'it is a group of kernel parameters'
  else put "q$1" ok text ''; return 0
  fi
  return 1
}
sysctls() {
  [ $# -gt 0 ] || return
  if has grep; then v=$(grep -H '' "$@"); put sysctl ok text "$v"
  elif has cat || [ "${BASH_VERSION-}" ]; then
    w=
    for f do read_all "$f" 65536 && [ "$v" ] && w=$w$f:$v$nl; done
    put sysctl ok text "$w"
  else put sysctl unsupported text 'reading kernel parameters needs grep or cat'
  fi
}
"""


def _read_sysctl(answer: Answer, query: Query) -> Fact:
    answer.get_own()
    path = encode_subject(sysctl_path(query.subject)) + b":"
    values = answer.parse_shared("sysctl", _split_by_path)
    if path not in values:
        return Fact(UNREADABLE, cause="the kernel gives no value for it")
    return Fact(OK, decode_text(values[path]))


def _split_by_path(frame: Frame) -> dict[bytes, bytes]:
    """Lines `path:text`. Further lines of a value repeat the path (grep) or come without it (cat)."""
    values: dict[bytes, bytes] = {}
    last = b""
    for line in frame.decode().split(b"\n"):
        path, colon, text = line.partition(b":")
        if colon and path.startswith(b"/proc/sys/"):
            values[path + colon] = values[path + colon] + b"\n" + text if path + colon in values else text
            last = path + colon
        elif last and line:
            values[last] += b"\n" + line
    return values


def _call(queries: list[IndexedQuery]) -> list[bytes]:
    paths = [(index, quote(sysctl_path(query.subject))) for index, query in queries]
    return [*(b'sysctl %d %s && set -- "$@" "$r"' % path for path in paths), b'sysctls "$@"']


SYSCTL = Family(
    calls=_call,
    read=_read_sysctl,
    shell=_SHELL,
    uses=("read_all",),
    programs=("grep", "cat", "readlink"),
    shared="sysctl",
    reach=RUNNING,
)
