# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""command: what a program of the container answers. The one kind that runs what a profile says; only from inside.

The subject is the list of the program and its arguments, as JSON without spaces. It comes from the profile alone, is never
given to a shell as text, and nothing that the container says becomes part of it. A name without a slash is looked up in
PATH and started by its path, so that it is never a function or a builtin of the shell. Nothing can be typed to it: stdin
is empty. Its locale is C, its time zone UTC, its working directory /.

It is killed when its seconds are over. What it has started goes with it where the container has setsid (util-linux or
busybox); without that, what stays open holds the collection up until the scan's own deadline.

Absent: there is no such program. Value: {"exit_status": int, "stdout": bytes, "stderr": bytes}. 126 and 127 say, as ever,
that it could not be started; stderr tells why.
"""

from __future__ import annotations

import re

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, Fact, Query
from .family import WITHIN, Answer, Family, IndexedQuery, quote
from .frames import BadContentError, Frame
from .request import get_option, split_command

# Behind stdout stands stderr, encoded by itself with the program's end behind it, and how long that is.
_STDERR = re.compile(rb"=([0-9]{1,9})\n\Z")

# $1 query, $2 seconds, $3 bytes of each stream, then the program. Both streams are encoded on their way, stderr to a text
# that is put behind stdout when the program has ended. 3 is the program's stderr (see limited), 4 its stdout.
_SHELL = r"""
command_fact() {
  a=$1 b=$2 d=$3
  shift 3
  if late; then put "q$a" timed_out text 'the time of the whole collection was over'; return; fi
  if [ -z "$enc" ] || ! has head || ! has sleep; then
    put "q$a" unsupported text 'running a program needs sleep, head, and base64 or od'; return
  fi
  program "$1" || { put "q$a" $s text "$c"; return; }
  shift
  v=$({ started "$f" "$@"; } 4>&1 | head -c $((d+4*d+1000)) | $enc)
  put "q$a" ok $E "$v"
}
program() {
  case $1 in /*) look "$1" || return; f=$r; return 0 ;; esac
  m=absent k=
  IFS=:
  set -- "$1" $PATH
  IFS=' 	'$nl
  f=$1
  shift
  for x do
    case $x in /*) ;; *) continue ;; esac
    if look "${x%/}/$f" && [ -f "$r" ]; then f=$r; return 0; fi
    [ $s != unreadable ] || m=$s k=$c
  done
  s=$m c=${k:-there is no program $f}
  return 1
}
started() {
  w=$({
    if has setsid; then limited $b setsid "$@"; else limited $b "$@"; fi 3>&1 >&4 4>&-
    x=$?
    ! has setsid || kill -9 -$_i
    say "=$x$nl"
  } | head -c $((d+6)) | $enc)
  say "$w=${#w}$nl"
}
"""


def _read_command(answer: Answer, query: Query) -> Fact:
    limit = get_option(query, "limit")
    together = answer.get_own()
    match = _STDERR.search(together)
    start = match.start() - int(match.group(1)) if match is not None else -1
    if match is None or start < 0:
        # what was cut off is the end
        if len(together) > limit:
            return Fact(TOO_LARGE, cause=f"its stdout has more than {limit} bytes")
        raise BadContentError("its end is missing")
    stdout, told = together[:start], together[start : match.start()]
    try:
        encoding = answer.frames[f"q{answer.index}"].encoding
        stderr, status = split_tail(Frame("stderr", OK, encoding, told).decode())
    except BadContentError:
        if len(told) > limit:
            return Fact(TOO_LARGE, cause=f"its stderr has more than {limit} bytes")
        raise
    for name, stream in (("stdout", stdout), ("stderr", stderr)):
        if len(stream) > limit:
            return Fact(TOO_LARGE, cause=f"its {name} has more than {limit} bytes")
    if status == STOPPED:
        return Fact(
            TIMED_OUT,
            cause="it took more than {} seconds, or was killed".format(get_option(query, "seconds")),
        )
    return Fact(OK, {"exit_status": status, "stdout": stdout, "stderr": stderr})


def _call(queries: list[IndexedQuery]) -> list[bytes]:
    return [
        b"command_fact %d %d %d %s"
        % (
            index,
            get_option(query, "seconds"),
            get_option(query, "limit"),
            b" ".join(map(quote, split_command(query.subject))),
        )
        for index, query in queries
    ]


COMMAND = Family(
    calls=_call,
    read=_read_command,
    shell=_SHELL,
    uses=("limited",),
    programs=("base64", "od", "head", "sleep", "setsid", "readlink"),
    reach=WITHIN,
)
