# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""environment and process_status: what the container gives to a process that is started in it, seen on the shell.

environment, value: [str], the sorted names of the variables. Their values stay in the container: they are secrets.

process_status, value: {"uid": int, "gid": int (effective), "groups": [int], "cap_eff": int, "cap_prm": int, "cap_bnd":
int (sets of capabilities as bits), "no_new_privs": bool, "seccomp": 0 (off) | 1 (strict) | 2 (filter)}.
"""

from __future__ import annotations

import re
from typing import Dict

from .facts import OK, Fact, Query
from .family import Answer, Family, call
from .frames import BadContentError, decode_text, read_integer

# The names as they were when the shell began, before this script set variables of its own. Values may hold newlines:
# these become 001 while NUL ends the line.
_ENVIRONMENT = r"""
environment() {
  v=
  if [ ! -e /proc/$$/environ ]; then put "q$1" unsupported text 'there is no /proc'; return; fi
  if ! { :; } </proc/$$/environ; then put "q$1" unreadable text '/proc/PID/environ cannot be opened'; return; fi
  if has tr && has cut; then v=$(tr '\000\012' '\012\001' </proc/$$/environ | cut -s -d= -f1)
  elif IFS= read -r -d '' l </dev/null; [ $? = 1 ]; then
    while IFS= read -r -d '' l; do v=$v${l%%=*}$nl; done </proc/$$/environ
  else put "q$1" unsupported text 'reading the names needs tr and cut'; return
  fi
  put "q$1" ok text "$v"
}
"""

_PROCESS_STATUS = r"""
process_status() {
  v=
  [ -e /proc/$$/status ] || { put "q$1" unsupported text 'there is no /proc'; return; }
  while IFS= read -r l; do
    case $l in Uid:*|Gid:*|Groups:*|CapPrm:*|CapEff:*|CapBnd:*|NoNewPrivs:*|Seccomp:*) v=$v$l$nl ;; esac
  done </proc/$$/status
  put "q$1" ok text "$v"
}
"""


def _read_environment(answer: Answer, query: Query) -> Fact:
    names = {decode_text(name.replace(b"\1", b"\n")) for name in answer.get_own().split(b"\n") if name}
    return Fact(OK, sorted(names))


def _read_process_status(answer: Answer, query: Query) -> Fact:
    lines: Dict[bytes, bytes] = {}
    for line in answer.get_own().split(b"\n"):
        name, _colon, value = line.partition(b":")
        lines[name] = value.strip()
    missing = [name for name in (b"Uid", b"Gid", b"Groups", b"CapPrm", b"CapEff", b"CapBnd", b"NoNewPrivs", b"Seccomp")
               if name not in lines]
    if missing:
        raise BadContentError("the kernel's status of a process has no line %s" % decode_text(missing[0]))
    identities = [[*lines[name].split(), b"", b""][1] for name in (b"Uid", b"Gid")]
    return Fact(OK, {"uid": read_integer(identities[0]), "gid": read_integer(identities[1]),
                     "groups": [read_integer(group) for group in lines[b"Groups"].split()],
                     "cap_eff": _read_set(lines[b"CapEff"]), "cap_prm": _read_set(lines[b"CapPrm"]),
                     "cap_bnd": _read_set(lines[b"CapBnd"]), "no_new_privs": read_integer(lines[b"NoNewPrivs"]) == 1,
                     "seccomp": read_integer(lines[b"Seccomp"])})


def _read_set(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9a-f]{1,16}", digits):
        raise BadContentError("%s is not a set of capabilities" % decode_text(digits[:40]))
    return int(digits, 16)


ENVIRONMENT = Family(calls=call("environment"), read=_read_environment, shell=_ENVIRONMENT, programs=("tr", "cut"))
PROCESS_STATUS = Family(calls=call("process_status"), read=_read_process_status, shell=_PROCESS_STATUS)
