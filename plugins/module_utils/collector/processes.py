# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""processes: every process that the container shows, but for the collector's own.

Beside the target these are the processes of its container alone.

They come from /proc alone, since ps is often missing and its forms differ. A proc file system that hides the
processes of others (hidepid) makes the fact unreadable, unless the collector is allowed to see all of them
nevertheless; so does a process whose status is kept back by a security module. A process that ends while the
list is made is left out.

A program that is started from outside (by an exec, an exec probe, another scan) is the runtime's for some
milliseconds: runc, crun, youki and Kata's agent join the namespaces as root, under a name of their own, before
they become the program. That is no process of the container, and a scan must not depend on whether one is there
at the moment. What looks so, by its name and because its parent is outside of the namespace, is looked at again:

- It is gone, or has become a program: the last look counts.
- It stays, for all of 4 seconds: it is a process of the container that has taken such a name, and is listed.
- At each look of 15 seconds another one is there: nothing is known, since a program could hide behind that.

Processes that the container's own programs have started have their parent in it, whatever their name is: they
are listed at once. So are the programs of exec probes, which run as the container's user: they are its own.

The command line is what the process makes of it: some programs write one text over it.
"""

from __future__ import annotations

import re
from typing import Any

from .facts import OK, UNREADABLE, Fact, Query
from .family import RUNNING, Answer, Family, Sensitive, call
from .frames import BadContentError, decode_text, read_integer
from .query_rules import NO_SUBJECT

# The command lines are read by one program for all. Between them stands a line that no command line has:
# which kernel this is. A command line that imitates it only breaks the count, and costs the fact. Without a
# program it is the shell that reads, and a NUL becomes 036 (ASCII's record separator). The mount of /proc is
# asked for hidepid.
#
# starting: the processes that may still be the runtime's stand in starting__pids. What the runtimes call
# themselves is in _RUNTIMES: runc and youki by prctl; crun by its file, which is a number where it runs a copy of
# itself from a memfd, and "memfd:..." since Linux 6.14; Kata's agent runs /proc/self/exe. gVisor shows none, and
# conmon stays outside. The first process of the namespace is never one of them.
_RUNTIMES = ("runc:*", "crun*", "youki:*", "memfd:*", "exe", "kata-agent*", "[0-9]*")
_SHELL = r"""
starting() {
  starting__pids=
  case $text in FIRST_LOOK) ;; *) return ;; esac
  IFS=$nl
  for line in $text; do
    case $line in
    Name:*) starting__name=${line#Name:?} ;;
    Pid:*) starting__pid=${line#Pid:?} ;;
    PPid:?0)
      case $starting__pid/$starting__name in
      1/*) ;;
      SECOND_LOOK) starting__pids="$starting__pids $starting__pid" ;;
      esac
      ;;
    esac
  done
  IFS=' 	'$nl
}
processes() {
  processes__query=$1
  [ -e /proc/$$/status ] || { unsupported $processes__query 'there is no /proc'; return; }
  [ -e /proc/1 ] || { put "q$processes__query" unreadable text '/proc hides processes (hidepid)'; return; }
  ! too_late $processes__query || return
  processes__first=1 processes__stayed=
  while :; do
    members; set -- $members__folders
    processes__files= processes__commands= processes__pids=
    for processes__folder do
      processes__files="$processes__files $processes__folder/status"
      processes__commands="$processes__commands $processes__folder/cmdline /proc/version"
      processes__pids="$processes__pids ${processes__folder#/proc/}"
    done
    pick '^(Name|State|Pid|PPid|Uid|Gid|CapEff):|^[0-9].* /proc .*hidepid=' /proc/$$/mountinfo $processes__files
    starting
    processes__new=
    for processes__pid in $starting__pids; do
      case $processes__first,$processes__stayed in
      1,*) processes__stayed="$processes__stayed $processes__pid " ;;
      *" $processes__pid "*) ;;
      *) processes__new="$processes__new $processes__pid" ;;
      esac
    done
    if [ -z "$starting__pids" ] || late; then break; fi
    [ -z "$processes__first" ] || processes__began=$now__seconds
    processes__first=
    processes__seconds=$((now__seconds-processes__began))
    if [ $processes__seconds -ge 15 ]; then break; fi
    if [ -z "$processes__new" ] && [ $processes__seconds -ge 4 ]; then break; fi
    moment
  done
  processes__statuses=$text text= processes__still= processes__separator= processes__encoding=text
  IFS= read -r processes__separator </proc/version
  if has cat && [ "$encoder" ]; then text=$(cat $processes__commands | $encoder) processes__encoding=$encoding
  elif IFS= read -r -d '' line </dev/null; [ $? = 1 ]; then
    for processes__folder do
      while IFS= read -r -d '' line; do text=$text$line$RS; done <$processes__folder/cmdline
      text=$text$line$processes__separator$nl
    done
    text=${text%"$nl"}
  else
    unsupported $processes__query 'reading command lines needs cat, and base64 or od'
    return
  fi
  for processes__folder do
    [ ! -e $processes__folder/status ] || processes__still="$processes__still ${processes__folder#/proc/}"
  done
  put "q$processes__query" ok text "$$$nl$processes__pids$nl$processes__still$nl$processes__separator"
  [ -z "$processes__new" ] || put "q$processes__query.starting" ok text "$processes__new"
  put "q$processes__query.status" ok text "$processes__statuses"
  put "q$processes__query.cmdline" ok $processes__encoding "$text"
}
"""
_SHELL = (
    _SHELL.replace("$RS", "\x1e")
    .replace("FIRST_LOOK", "|".join(f'*"Name:\t"{name}' for name in _RUNTIMES))
    .replace("SECOND_LOOK", "|".join(f"*/{name}" for name in _RUNTIMES))
)

_FIELD = re.compile(rb"(Name|State|Pid|PPid|Uid|Gid|CapEff):\t?(.*)", re.DOTALL)
_MAY_TRACE = 1 << 19  # CAP_SYS_PTRACE: hidepid hides nothing from it


def _read_processes(answer: Answer, query: Query) -> Fact:
    own_line, first, still, separator = (answer.get_own().split(b"\n", 3) + [b""] * 3)[:4]
    own = read_integer(own_line)
    lines = answer.get_part("status").split(b"\n")
    records = _read_status(lines)
    commands = _read_commands(
        answer.get_part("cmdline"), [read_integer(pid) for pid in first.split()], separator
    )
    if not set(records) <= set(commands):
        raise BadContentError("there is the status of a process that was not listed")
    hidden = sorted({read_integer(pid) for pid in still.split()} - set(records))
    if hidden:
        return Fact(UNREADABLE, cause=f"the status of process {hidden[0]} cannot be read")
    if _hides_processes(lines) and not int(records.get(own, {}).get(b"CapEff", b"0"), 16) & _MAY_TRACE:
        return Fact(UNREADABLE, cause="/proc is mounted with hidepid: processes of other users are hidden")
    starting = answer.get_part("starting") if answer.has_part("starting") else b""
    for pid in (read_integer(pid) for pid in starting.split()):
        if pid in records:
            return Fact(
                UNREADABLE,
                cause=f"process {pid} may still be the container runtime's, which calls itself "
                f"{decode_text(records[pid][b'Name'])}: at each look another one was there",
            )
    mine = _find_descendants(own, records)
    return Fact(
        OK, [_process(pid, records[pid], commands[pid]) for pid in sorted(records) if pid not in mine]
    )


def _read_status(lines: list[bytes]) -> dict[int, dict[bytes, bytes]]:
    """Status files, one after the other; each begins with its Name, in which the kernel escapes newlines."""
    records: list[dict[bytes, bytes]] = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            continue
        if match.group(1) == b"Name":
            records.append({})
        if not records or match.group(1) in records[-1]:
            raise BadContentError("the status of a process has its lines in disorder")
        records[-1][match.group(1)] = match.group(2)
    for record in records:
        missing = {b"Name", b"State", b"Pid", b"PPid", b"Uid", b"Gid"} - set(record)
        if missing or not re.fullmatch(rb"[0-9a-f]{1,16}", record.get(b"CapEff", b"0")):
            raise BadContentError("the status of a process is not complete")
    return {read_integer(record[b"Pid"]): record for record in records}


def _read_commands(data: bytes, pids: list[int], separator: bytes) -> dict[int, bytes]:
    commands = (
        (data.replace(b"\0", b"\x1e").rstrip(b"\n") + b"\n").split(separator + b"\n") if separator else []
    )
    if len(commands) != len(pids) + 1 or commands[-1]:
        raise BadContentError("the command lines cannot be told apart")
    return dict(zip(pids, commands))


def _hides_processes(lines: list[bytes]) -> bool:
    """Whether a line of mountinfo mounts /proc with hidepid other than off."""
    options = [
        line.rsplit(b" ", 1)[-1].split(b",")
        for line in lines
        if line[:1].isdigit() and line.split(b" ")[4:5] == [b"/proc"]
    ]
    return any(
        option.startswith(b"hidepid=") and option not in (b"hidepid=0", b"hidepid=off")
        for words in options
        for option in words
    )


def _find_descendants(own: int, records: dict[int, dict[bytes, bytes]]) -> set[int]:
    """The collector's shell and the programs that it runs."""
    children: dict[int, list[int]] = {}
    for pid, record in records.items():
        children.setdefault(read_integer(record[b"PPid"]), []).append(pid)
    mine, left = {own}, [own]
    while left:
        more = [pid for pid in children.get(left.pop(), []) if pid not in mine]
        mine.update(more)
        left += more
    return mine


def _process(pid: int, record: dict[bytes, bytes], command: bytes) -> dict[str, Any]:
    arguments = command.rstrip(b"\x1e")
    return {
        "pid": pid,
        "ppid": read_integer(record[b"PPid"]),
        "uid": _effective(record[b"Uid"]),
        "gid": _effective(record[b"Gid"]),
        "state": decode_text(record[b"State"][:1]),
        "name": decode_text(record[b"Name"]),
        "cmdline": [decode_text(argument) for argument in arguments.split(b"\x1e")] if arguments else [],
    }


def _effective(identities: bytes) -> int:
    """Of `real effective saved file system`, the second."""
    return read_integer([*identities.split(), b"", b""][1])


def _without_commands(processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "cmdline"} for row in processes]


PROCESSES = Family(
    subject=NO_SUBJECT,
    value='a list by pid of {"pid": int, "ppid": int, "uid": int, "gid": int (effective), "state": str (one letter), '
    '"name": str (15 characters at most), "cmdline": [str] (empty for kernel threads and zombies)}',
    calls=call("processes"),
    read=_read_processes,
    shell=_SHELL,
    uses=("pick", "moment"),
    programs=("cat", "base64", "od"),
    parts=("status", "cmdline", "starting"),
    reach=RUNNING,
    sensitive=Sensitive("command lines", _without_commands),
)
