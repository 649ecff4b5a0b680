# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: the files below a directory that match a predicate, found by the container's find, within bounds.

Matches: setuid and setgid (regular files), world_writable (regular files, and directories without the sticky bit),
unowned (the user is not in /etc/passwd, or the group not in /etc/group).

All walks from one directory are one run of find. A name is printed once for unowned, twice for world_writable, four
times for setgid and eight times for setuid: how often it comes tells which predicates it meets. Every find can do that.

A walk stays on one file system, and never enters /proc, /sys and /dev. It ends after `seconds`, and at `limit` entries.
Only a walk that saw everything is ok. Stopped early it is timed_out or too_large; with directories that could not be
read, unreadable. In these cases the fact carries what was found as its partial value: enough to prove a failure, never
to prove its absence. Without find (GNU, busybox or toybox), head, sleep and base64 or od the fact is unsupported.

Value: {"entries": [{"path": str}], sorted; bytes that are not UTF-8 as \\xNN, "complete": bool, "unreadable": int
(places that find could not look into)}.
"""

from __future__ import annotations

import dataclasses
import re
from itertools import groupby
from typing import Any, Dict, List, Tuple

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery, quote
from .frames import BadContentError, Frame, decode_text
from .request import get_option

MAX_BYTES = 512 * 1024
_CUT_OFF = -1

# How often a name is printed. What there may be much of is printed least.
_TIMES = {"unowned": 1, "world_writable": 2, "setgid": 4, "setuid": 8}

# $1 directory, $2 seconds, then pairs of predicate and index. w collects find's expression: for each predicate
# `( P print... -o ! ( P ) )`, which is always true, so that the next one is tried too.
# find's names go to fd 4, its complaints to fd 3. Their number comes between ! and ! in one small write, so it stays
# whole wherever it falls in the encoder's output. What vanished meanwhile is counted apart.
_SHELL = r"""
walk() {
  f=$1 b=$2 a= w=
  shift 2
  if ! look "$f"; then walks $s "$c" "$@"; return; fi
  f=$r
  if [ ! -d "$f" ]; then walks unsupported 'it is not a directory' "$@"; return; fi
  if late; then walks timed_out 'the time of the whole collection was over' "$@"; return; fi
  for x in find head sleep; do
    has $x || { walks unsupported "a walk needs $x, which the container does not have" "$@"; return; }
  done
  [ "$enc" ] || { walks unsupported 'a walk needs base64 or od, which the container does not have' "$@"; return; }
  [ $u = 0 ] || [ $((limit-u+t0)) -ge $b ] || b=$((limit-u+t0))
  while [ $# -gt 0 ]; do
    x='-print0' y=
    case $a in *" $1 "*) a="$a $1 $2"; shift 2; continue ;; esac
    case $1 in
    setuid) y='-type f -perm -4000' x="$x $x $x $x $x $x $x $x" ;;
    setgid) y='-type f -perm -2000' x="$x $x $x $x" ;;
    world_writable) y='-perm -2 ( -type f -o -type d ! -perm -1000 )' x="$x $x" ;;
    unowned) owners $2 ;;
    esac
    if [ "$y" ]; then w="$w ( $y $x -o ! ( $y ) )" a="$a $1 $2"; fi
    shift 2
  done
  [ "$a" ] || return
  v=$(
    {
      {
        {
          limited $b find -H "$f" -xdev \
            ! \( \( -path "$ROOT/proc" -o -path "$ROOT/sys" -o -path "$ROOT/dev" \) -prune \) $w
          say "=$?$nl"
        } | head -c MAX_BYTES | $enc
      } 3>&1 >&4 | {
        j=0 k=0
        while IFS= read -r l; do
          case $l in *': No such file or directory') j=$((j+1)) ;; *) k=$((k+1)) ;; esac
        done
        say "!$k $j!" >&4
      }
    } 4>&1
  )
  set -- $a
  put "q$2.names" ok $E "$v"
  walks ok $2 "$@"
}
walks() {
  s=$1 c=$2
  shift 2
  while [ $# -gt 0 ]; do put "q$2" $s text "$c"; shift 2; done
}
owners() {
  for x in passwd group; do
    if ! look /etc/$x || [ ! -f "$r" ]; then
      [ $s = unreadable ] || s=unsupported
      put "q$1" $s text "without /etc/$x it is not known who is known"
      y=
      return
    fi
    d=-user
    [ $x = passwd ] || d=-group
    q=
    while IFS=: read -r k t z l || [ "$k" ]; do
      case $z in ''|*[!0-9]*) ;; *) q="$q -o $d $z" ;; esac
    done <"$r"
    [ "$q" ] || { put "q$1" unsupported text "/etc/$x has no entries"; y=; return; }
    y="${y:+$y -o }! ( ${q# -o } )"
  done
  y="( $y )" x='-print0'
}
""".replace("MAX_BYTES", str(MAX_BYTES))

_COUNTS = re.compile(rb"!([0-9]{1,9}) ([0-9]{1,9})!")


def _read_walk(answer: Answer, query: Query) -> Fact:
    found, code, unreadable, vanished = answer.parse_shared("q%s.names" % decode_text(answer.get_own()), _split)
    times = _TIMES[get_option(query, "match")]
    entries = sorted(name for name, printed in found if printed & times)
    limit, seconds = get_option(query, "limit"), get_option(query, "seconds")
    # find ends with 1 also where files vanished while it ran, which is no defect of the walk
    complete = not unreadable and (code == 0 or (code == 1 and vanished > 0))
    value: Dict[str, Any] = {"entries": [{"path": path} for path in entries[:limit]],
                             "complete": complete and len(entries) <= limit, "unreadable": unreadable}
    if len(entries) > limit or code == _CUT_OFF:
        return Fact(TOO_LARGE, value, "it found too much: %d entries or more" % len(entries))
    if code == STOPPED:
        return Fact(TIMED_OUT, value, "it was stopped after %d seconds, or when all time was over" % seconds)
    if not complete:
        return Fact(UNREADABLE, value, "find ended with %d and %d complaints: it may not read all places, or does not "
                    "know a predicate" % (code, unreadable))
    return Fact(OK, value)


def _split(frame: Frame) -> Tuple[List[Tuple[str, int]], int, int, int]:
    """The names with how often each was printed, find's exit code (_CUT_OFF where there was too much), and how often it
    complained: of places that it could not look into, of files that vanished."""
    counts = _COUNTS.search(frame.payload)
    if counts is None:
        raise BadContentError("the walk's end is missing")
    text = frame.payload[:counts.start()] + frame.payload[counts.end():]
    data = dataclasses.replace(frame, payload=text).decode()
    listing, code = split_tail(data) if len(data) < MAX_BYTES else (data, _CUT_OFF)
    names = listing.split(b"\0")
    if names.pop() and code in (0, 1):
        raise BadContentError("the walk ends within a name")
    if code not in (0, 1) and names:
        # find was stopped, perhaps before it had printed the last name as often as it had to
        names = names[:names.index(names[-1])]
    found = [(decode_text(name), len(list(same))) for name, same in groupby(names)]
    return found, code, int(counts.group(1)), int(counts.group(2))


def _call(queries: List[IndexedQuery]) -> List[bytes]:
    roots: Dict[str, List[IndexedQuery]] = {}
    for index, query in queries:
        roots.setdefault(query.subject, []).append((index, query))
    commands = []
    for root, below in roots.items():
        seconds = max(get_option(query, "seconds") for _index, query in below)
        matches = [b"%s %d" % (get_option(query, "match").encode(), index) for index, query in below]
        commands.append(b"walk %s %d %s" % (quote(root), seconds, b" ".join(matches)))
    return commands


WALK = Family(calls=_call, read=_read_walk, shell=_SHELL, uses=("limited",),
              programs=("find", "head", "base64", "od", "readlink"), parts=("names",))
