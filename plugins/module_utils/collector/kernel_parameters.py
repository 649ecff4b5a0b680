# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysctl: kernel parameters from /proc/sys.

A parameter that this kernel, or this container's namespaces, do not have is absent. One that can only be
written, or is masked by the container runtime, is unreadable. One grep reads all of them.
"""

from __future__ import annotations

import re

from .facts import OK, UNREADABLE, Fact, Query
from .family import RUNNING, Answer, Family, IndexedQuery, call_with
from .frames import Frame, decode_text
from .query_rules import Subject, encode_subject, quote, refuse

_MAX_NAME = 255
# Separators never meet, so that a dot which stands for itself makes no part "." or "..".
_NAME = re.compile(r"[A-Za-z0-9_@:-]+([./][A-Za-z0-9_@:-]+)+")

# Without grep and cat the shell itself must read; only bash reads a parameter whole.
_SHELL = r"""
sysctl() {
  if [ ! -d /proc/sys/kernel ]; then unsupported $1 'there is no /proc/sys'
  elif ! see "$2"; then unseen $1
  elif [ ! -f "$path" ]; then unsupported $1 'it is a group of kernel parameters'
  else put "q$1" ok text ''; return 0
  fi
  return 1
}
sysctls() {
  [ $# -gt 0 ] || return
  if has grep; then text=$(grep -H '' "$@"); put sysctl ok text "$text"
  elif has cat || [ "${BASH_VERSION-}" ]; then
    sysctl__text=
    for sysctl__file do
      read_all "$sysctl__file" 65536 && [ "$text" ] && sysctl__text=$sysctl__text$sysctl__file:$text$nl
    done
    put sysctl ok text "$sysctl__text"
  else put sysctl unsupported text 'reading kernel parameters needs grep or cat'
  fi
}
"""


def sysctl_path(name: str) -> str:
    """The file of a kernel parameter.

    As sysctl(8) has it: where the first separator is a dot, dots separate and a slash stands for a dot within
    a part (net.ipv4.conf.eth0/1.forwarding); where it is a slash, slashes separate.
    """
    first = re.search(r"[./]", name)
    if first is not None and first.group() == ".":
        name = name.translate({ord("."): "/", ord("/"): "."})
    return "/proc/sys/" + name


def _check_name(query: Query) -> None:
    if len(query.subject) > _MAX_NAME or not _NAME.fullmatch(query.subject):
        raise refuse(query, "is not the name of a kernel parameter")


_SUBJECT = Subject(
    "name of a kernel parameter, as sysctl has it", _check_name, lambda name: quote(sysctl_path(name))
)


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
    commands = call_with("sysctl", _SUBJECT)(queries)
    return [*(command + b' && set -- "$@" "$path"' for command in commands), b'sysctls "$@"']


SYSCTL = Family(
    subject=_SUBJECT,
    value="the parameter's text, without its last newline",
    named=lambda name, value: value if value is None else f"{name}={value}",
    calls=_call,
    read=_read_sysctl,
    shell=_SHELL,
    uses=("read_all",),
    programs=("grep", "cat", "readlink"),
    shared="sysctl",
    reach=RUNNING,
)
