# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: the files below a directory that match a predicate, found by the container's find, within bounds.

Matches: setuid and setgid (regular files), world_writable (regular files, and directories without the sticky bit),
unowned (the user is not in /etc/passwd, or the group not in /etc/group).

A walk stays on one file system, and never enters /proc, /sys and /dev. It ends after `seconds`, and at `limit` entries.
Only a walk that saw everything is ok. Stopped early it is timed_out or too_large; with directories that could not be
read, unreadable. In these cases the fact carries what was found as its partial value: enough to prove a failure, never
to prove its absence. Without find (GNU, busybox or toybox), head, sleep and base64 or od the fact is unsupported.

Value: {"entries": [{"path": str}], sorted; bytes that are not UTF-8 as \\xNN, "complete": bool, "unreadable": int (places
that find could not look into)}.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Dict, List, Tuple

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, quote
from .frames import BadContent, decode_text
from .request import get_option

MAX_BYTES = 512 * 1024

# find's names go to fd 4, its complaints to fd 3. Their number comes between ! and ! in one small write, so it stays
# whole wherever it falls in the encoder's output. What vanished meanwhile is counted apart.
_SHELL = r"""
walk() {
  if ! look "$2"; then put "q$1" $s text "$c"; return; fi
  [ -d "$r" ] || { put "q$1" unsupported text 'it is not a directory'; return; }
  if late; then put "q$1" timed_out text 'the time of the whole collection was over'; return; fi
  for x in find head sleep; do
    has $x || { put "q$1" unsupported text "a walk needs $x, which the container does not have"; return; }
  done
  [ "$enc" ] || { put "q$1" unsupported text 'a walk needs base64 or od, which the container does not have'; return; }
  me=$1 f=$r b=$4 a=$3
  [ $((limit-u+t0)) -ge $b ] || [ $u = 0 ] || b=$((limit-u+t0))
  case $a in
  setuid) set -- -type f -perm -4000 ;;
  setgid) set -- -type f -perm -2000 ;;
  world_writable) set -- -perm -2 '(' -type f -o -type d ! -perm -1000 ')' ;;
  unowned)
    owners /etc/passwd -user || return
    a=$w
    owners /etc/group -group || return
    set -- '(' $a -o $w ')'
  ;;
  esac
  find -H / -prune "$@" -print0 >/dev/null || { put "q$me" unsupported text 'the find program lacks what this walk needs'; return; }
  v=$(
    {
      {
        { limited $b find -H "$f" -xdev '(' -path "$ROOT/proc" -o -path "$ROOT/sys" -o -path "$ROOT/dev" ')' -prune \
          -o '(' "$@" -print0 ')'; say "=$?$nl"; } | head -c MAX_BYTES | $enc
      } 3>&1 >&4 | {
        j=0 k=0
        while IFS= read -r l; do
          case $l in *': No such file or directory') j=$((j+1)) ;; *) k=$((k+1)) ;; esac
        done
        say "!$k $j!" >&4
      }
    } 4>&1
  )
  put "q$me" ok $E "$v"
}
owners() {
  look $1 && [ -f "$r" ] || { [ $s = unreadable ] || s=unsupported; put "q$me" $s text "without $1 it is not known who is known"; return 1; }
  w=
  while IFS=: read -r x y z l || [ "$x" ]; do
    case $z in ''|*[!0-9]*) ;; *) w="$w -o $2 $z" ;; esac
  done <"$r"
  [ "$w" ] || { put "q$me" unsupported text "$1 has no entries"; return 1; }
  w="! ( ${w# -o } )"
}
""".replace("MAX_BYTES", str(MAX_BYTES))

_COUNTS = re.compile(rb"!([0-9]{1,9}) ([0-9]{1,9})!")


def _read_walk(answer: Answer, query: Query) -> Fact:
    names, code, unreadable, vanished = _split(answer)
    complete = code == 0 and not unreadable or code == 1 and not unreadable and vanished > 0
    entries = sorted(decode_text(name) for name in names)
    limit = get_option(query, "limit")
    value: Dict[str, Any] = {"entries": [{"path": path} for path in entries[:limit]],
                             "complete": complete and len(entries) <= limit, "unreadable": unreadable}
    if len(entries) > limit or code == _CUT_OFF:
        return Fact(TOO_LARGE, value, "it found more than %d entries" % min(limit, len(entries)))
    if code == STOPPED:
        return Fact(TIMED_OUT, value, "it was stopped after %d seconds or at the end of the whole collection's time"
                    % get_option(query, "seconds"))
    if unreadable:
        return Fact(UNREADABLE, value, "%d places could not be looked into" % unreadable)
    if not complete:
        return Fact(UNREADABLE, value, "the find program ended with %d" % code)
    return Fact(OK, value)


_CUT_OFF = -1


def _split(answer: Answer) -> Tuple[List[bytes], int, int, int]:
    """The names, find's exit code (_CUT_OFF where there was too much), how many complaints, how many about vanished files."""
    frame = answer.frames["q%d" % answer.index]
    counts = _COUNTS.search(frame.payload)
    if counts is None:
        raise BadContent("the walk's end is missing")
    text = frame.payload[:counts.start()] + frame.payload[counts.end():]
    data = dataclasses.replace(frame, payload=text).decode()
    if len(data) >= MAX_BYTES:
        return data.split(b"\0")[:-1], _CUT_OFF, int(counts.group(1)), int(counts.group(2))
    listing, code = split_tail(data)
    names = listing.split(b"\0")
    if names.pop():
        raise BadContent("the walk ends within a name")
    return names, code, int(counts.group(1)), int(counts.group(2))


def _call(index: int, query: Query) -> bytes:
    return b"walk %d %s %s %d" % (index, quote(query.subject), get_option(query, "match").encode(),
                                  get_option(query, "seconds"))


WALK = Family(call=_call, read=_read_walk, shell=_SHELL, uses=("limited",),
              programs=("find", "head", "base64", "od", "readlink"))
