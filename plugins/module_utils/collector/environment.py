# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""environment, environment_value, process_status: what the container gives to a process started in it, seen
on the shell.

Beside the target they are those of its first process, which may have changed since the process began.

environment: the values of the variables stay in the container, because they are secrets.

environment_value: the value of the one variable that was asked for by name. No other value leaves the
container.
"""

from __future__ import annotations

import re

from .facts import OK, Fact, Query
from .family import RUNNING, Answer, Family, Sensitive, call, call_with
from .frames import BadContentError, decode_text, read_integer
from .query_rules import NO_SUBJECT, Subject, can_be_encoded, refuse

_NAME = re.compile(r"[^=\0\n]{1,255}")

# As it was when the shell began, before this script set variables of its own. Values may hold newlines: these
# become 001 while NUL ends the line. That of a process that has ended is empty. environment_value looks at
# all values, and sends the one.
_ENVIRONMENT = r"""
environ() {
  if [ ! -e /proc/$target__process/environ ]; then unsupported $1 'there is no /proc'
  elif ! true </proc/$target__process/environ; then put "q$1" unreadable text '/proc/PID/environ cannot be opened'
  else return 0
  fi
  return 1
}
alive() {
  [ -z "$ROOT" ] || [ -e /proc/$target__process/root/. ] || {
    put "q$1" unreadable text "the target's process has ended"
    return 1
  }
}
environment() {
  environ $1 || return
  text=
  if has tr && has cut; then text=$(tr '\000\012' '\012\001' </proc/$target__process/environ | cut -s -d= -f1)
  elif IFS= read -r -d '' line </dev/null; [ $? = 1 ]; then
    while IFS= read -r -d '' line; do text=$text${line%%=*}$nl; done </proc/$target__process/environ
  else unsupported $1 'reading the names needs tr and cut'; return
  fi
  alive $1 || return
  put "q$1" ok text "$text"
}
environment_value() {
  environ $1 || return
  environment__found=
  if has tr; then
    text=$(tr '\000\012' '\012\001' </proc/$target__process/environ)
    IFS=$nl
    for line in $text; do
      case $line in "$2="*) environment__found=$line; break ;; esac
    done
    IFS=' 	'$nl text=
  elif IFS= read -r -d '' line </dev/null; [ $? = 1 ]; then
    while IFS= read -r -d '' line; do
      case $line in "$2="*) environment__found=$line; break ;; esac
    done </proc/$target__process/environ
  else unsupported $1 'reading a value needs tr'; return
  fi
  alive $1 || return
  if [ "$environment__found" ]; then put "q$1" ok text "${environment__found#*=}"
  else put "q$1" absent text 'it is not set'
  fi
}
"""

_PROCESS_STATUS = r"""
process_status() {
  text=
  [ -e /proc/$target__process/status ] || { unsupported $1 'there is no /proc'; return; }
  while IFS= read -r line; do
    case $line in Uid:*|Gid:*|Groups:*|CapPrm:*|CapEff:*|CapBnd:*|NoNewPrivs:*|Seccomp:*) text=$text$line$nl ;; esac
  done </proc/$target__process/status
  put "q$1" ok text "$text"
}
"""


def _read_environment(answer: Answer, query: Query) -> Fact:
    names = {decode_text(name.replace(b"\1", b"\n")) for name in answer.get_own().split(b"\n") if name}
    return Fact(OK, sorted(names))


def _read_environment_value(answer: Answer, query: Query) -> Fact:
    return Fact(OK, decode_text(answer.get_own().replace(b"\1", b"\n")))


def _check_name(query: Query) -> None:
    if not _NAME.fullmatch(query.subject) or not can_be_encoded(query.subject):
        raise refuse(query, "is not the name of an environment variable")


_VARIABLE = Subject("name of a variable", _check_name)


def _read_process_status(answer: Answer, query: Query) -> Fact:
    lines: dict[bytes, bytes] = {}
    for line in answer.get_own().split(b"\n"):
        name, _colon, value = line.partition(b":")
        lines[name] = value.strip()
    missing = [
        name
        for name in (b"Uid", b"Gid", b"Groups", b"CapPrm", b"CapEff", b"CapBnd", b"NoNewPrivs", b"Seccomp")
        if name not in lines
    ]
    if missing:
        raise BadContentError(f"the kernel's status of a process has no line {decode_text(missing[0])}")
    identities = [[*lines[name].split(), b"", b""][1] for name in (b"Uid", b"Gid")]
    return Fact(
        OK,
        {
            "uid": read_integer(identities[0]),
            "gid": read_integer(identities[1]),
            "groups": [read_integer(group) for group in lines[b"Groups"].split()],
            "cap_eff": _read_set(lines[b"CapEff"]),
            "cap_prm": _read_set(lines[b"CapPrm"]),
            "cap_bnd": _read_set(lines[b"CapBnd"]),
            "no_new_privs": read_integer(lines[b"NoNewPrivs"]) == 1,
            "seccomp": read_integer(lines[b"Seccomp"]),
        },
    )


def _read_set(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9a-f]{1,16}", digits):
        raise BadContentError(f"{decode_text(digits[:40])} is not a set of capabilities")
    return int(digits, 16)


ENVIRONMENT = Family(
    subject=NO_SUBJECT,
    value="the sorted names of the variables: [str]",
    calls=call("environment"),
    read=_read_environment,
    shell=_ENVIRONMENT,
    programs=("tr", "cut"),
    reach=RUNNING,
)
ENVIRONMENT_VALUE = Family(
    subject=_VARIABLE,
    value="the variable's text",
    sensitive=Sensitive("values of environment variables"),
    calls=call_with("environment_value", _VARIABLE),
    read=_read_environment_value,
    shell=_ENVIRONMENT,
    programs=("tr",),
    reach=RUNNING,
)
PROCESS_STATUS = Family(
    subject=NO_SUBJECT,
    value='{"uid": int, "gid": int (effective), "groups": [int], "cap_eff": int, "cap_prm": int, "cap_bnd": int (sets '
    'of capabilities as bits), "no_new_privs": bool, "seccomp": 0 (off), 1 (strict) or 2 (filter)}',
    calls=call("process_status"),
    read=_read_process_status,
    shell=_PROCESS_STATUS,
    reach=RUNNING,
)
