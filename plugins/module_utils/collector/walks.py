# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: the files below a directory that match a predicate, found by the container's find, within bounds.

Matches: setuid and setgid (regular files), world_writable (regular files, and directories without the sticky bit),
unowned (the user is not in /etc/passwd, or the group not in /etc/group).

All walks of a request are one run of find, as far as no directory lies below another: a run costs more than a thousand
files. A name is printed once for unowned, twice for world_writable, four times for setgid and eight times for setuid: how
often it comes tells which predicates it meets. Every find can do that. What find complains of counts for the directory that
the complaint begins with, and for all of them where that cannot be told.

A walk stays on one file system, and never enters /proc, /sys and /dev. It ends after `seconds`, and at `limit` entries.
Only a walk that saw everything is ok. Stopped early it is timed_out or too_large; with directories that could not be
read, unreadable. In these cases the fact carries what was found as its partial value: enough to prove a failure, never
to prove its absence. Without find (GNU, busybox or toybox), head, sleep and base64 or od the fact is unsupported.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery
from .frames import BadContentError, Frame, decode_text, read_integer
from .query_rules import PATH_ON_DISK, Number, Word, encode_subject

MAX_BYTES = 512 * 1024
_CUT_OFF = -1
_MATCH = Word("match", ("setuid", "setgid", "world_writable", "unowned"))
_LIMIT = Number("limit", 1000, 1, 10_000)
_SECONDS = Number("seconds", 10, 1, 600)

# How often a name is printed. What there may be much of is printed least.
_TIMES = {"unowned": 1, "world_writable": 2, "setgid": 4, "setuid": 8}

# matching SECONDS PREDICATE... makes find's expression w: first whether any predicate is met, since most files meet none;
# then for each predicate `( P print... -o ! ( P ) )`, which is always true, so that the next one is tried too.
# walk DIRECTORY [PREDICATE INDEX]... adds a directory to W; search goes through all that came together there. h is the index
# that the names are sent under, j counts the directories.
# find's names go to fd 4, its complaints to fd 3. Their numbers come between ! and ! in one small write, so it stays
# whole wherever it falls in the encoder's output. What vanished meanwhile is counted apart.
_SHELL = r"""
matching() {
  b=$1 W= w= q= m= i= j=0
  shift
  for x do
    k='-print0'
    case $x in
    setuid) y='-type f -perm -4000' k="$k $k $k $k $k $k $k $k" ;;
    setgid) y='-type f -perm -2000' k="$k $k $k $k" ;;
    world_writable) y='-perm -2 ( -type f -o -type d ! -perm -1000 )' k="$k $k" ;;
    unowned) owners; [ "$y" ] || { m=$s i=$c; continue; } ;;
    esac
    q="${q:+$q -o }$y" w="$w ( $y $k -o ! ( $y ) )"
  done
  w="( $q )$w"
}
walk() {
  f=$1
  shift
  if ! look "$f"; then :
  elif [ ! -d "$r" ]; then s=unsupported c='it is not a directory'
  else
    case $r in *"$nl"*) s=unsupported c='a directory with a newline in its name is not searched' ;; esac
  fi
  [ $s = ok ] || { while [ $# -gt 0 ]; do put "q$2" $s text "$c"; shift 2; done; return; }
  IFS=$nl y= z=${r%/}
  for x in $W; do
    x=${x%/}
    case $x/ in "$z/"*) y=1 ;; esac
    case $z/ in "$x/"*) y=1 ;; esac
  done
  IFS=' 	'$nl
  [ -z "$y" ] || search
  while [ $# -gt 0 ]; do
    if [ $1 = unowned ] && [ "$m" ]; then put "q$2" $m text "$i"
    else
      [ "$W" ] || h=$2
      case $W in *"$nl$r$nl") ;; *) j=$((j+1)) W=${W:-$nl}$r$nl ;; esac
      put "q$2" ok text "$h $j $r"
    fi
    shift 2
  done
}
search() {
  [ "$W" ] || return
  x=$W; W= j=0
  if late; then put "q$h.names" timed_out text 'the time of the whole collection was over'; return; fi
  for y in find head sleep; do
    has $y || { put "q$h.names" unsupported text "a walk needs $y, which the container does not have"; return; }
  done
  if [ ! "$enc" ]; then
    put "q$h.names" unsupported text 'a walk needs base64 or od, which the container does not have'
    return
  fi
  y=$b
  [ $u = 0 ] || [ $((limit-u+t0)) -ge $y ] || y=$((limit-u+t0))
  IFS=$nl
  set -- $x
  IFS=' 	'$nl
  k=
  case $1 in "$ROOT"|"$ROOT/") k="! ( ( -path ${ROOT}/proc -o -path ${ROOT}/sys -o -path ${ROOT}/dev ) -prune )" ;; esac
  v=$(
    {
      {
        {
          limited $y find -H "$@" -xdev $k $w
          say "=$?$nl"
        } | head -c MAX_BYTES | $enc
      } 3>&1 >&4 | {
        k=0 d=0 i=0 a=
        for x do i=$((i+1)); eval "c$i=0"; done
        while IFS= read -r l; do
          case $l in *': No such file or directory') d=$((d+1)); continue ;; esac
          y= i=0
          for x do
            i=$((i+1))
            case $l in "find: $x"[/:]*|"find: '$x"[/\']*) eval "y=\$((c$i+1)) c$i=\$y"; break ;; esac
          done
          [ "$y" ] || k=$((k+1))
        done
        i=0
        for x do i=$((i+1)); eval "a=\"\$a \$c$i\""; done
        say "!$d $k$a!" >&4
      }
    } 4>&1
  )
  put "q$h.names" ok $E "$v"
}
owners() {
  y=
  for x in passwd group; do
    if ! look /etc/$x || [ ! -f "$r" ]; then
      [ $s = unreadable ] || s=unsupported
      y= c="without /etc/$x it is not known who is known"
      return
    fi
    d=-user
    [ $x = passwd ] || d=-group
    f=
    while IFS=: read -r a t z l || [ "$a" ]; do
      case $z in ''|*[!0-9]*) ;; *) f="$f -o $d $z" ;; esac
    done <"$r"
    [ "$f" ] || { y= s=unsupported c="/etc/$x has no entries"; return; }
    y="${y:+$y -o }! ( ${f# -o } )"
  done
  y="( $y )"
}
""".replace("MAX_BYTES", str(MAX_BYTES))

_COUNTS = re.compile(rb"!([0-9]{1,9}(?: [0-9]{1,9}){2,600})!")


@dataclass(frozen=True)
class _Search:
    """What one run of find printed: the names with how often each was printed; its exit code (_CUT_OFF where there was too
    much); how many files vanished; its complaints that belong to no directory in particular, and those of each directory."""

    names: list[tuple[bytes, int]]
    code: int
    vanished: int
    complaints: int
    complaints_below: list[int]


def _read_walk(answer: Answer, query: Query) -> Fact:
    group, number, directory = [*answer.get_own().split(b" ", 2), b"", b""][:3]
    search = answer.parse_shared(f"q{decode_text(group)}.names", _split)
    if not 0 < read_integer(number) <= len(search.complaints_below):
        raise BadContentError("the walk's directory is missing")
    unreadable = search.complaints + search.complaints_below[read_integer(number) - 1]
    times = _TIMES[_MATCH.of(query)]
    entries = sorted(
        _below(name, directory, encode_subject(query.subject))
        for name, printed in search.names
        if printed & times and _is_below(name, directory)
    )
    limit, seconds = _LIMIT.of(query), _SECONDS.of(query)
    # find ends with 1 also where files vanished while it ran, which is no defect of the walk, and for other directories
    explained = search.vanished + search.complaints + sum(search.complaints_below)
    complete = not unreadable and (search.code == 0 or (search.code == 1 and explained > 0))
    value: dict[str, Any] = {
        "entries": [{"path": path} for path in entries[:limit]],
        "complete": complete and len(entries) <= limit,
        "unreadable": unreadable,
    }
    if len(entries) > limit or search.code == _CUT_OFF:
        return Fact(TOO_LARGE, value, f"it found too much: {len(entries)} entries or more")
    if search.code == STOPPED:
        return Fact(TIMED_OUT, value, f"it was stopped after {seconds} seconds, or when all time was over")
    if not complete:
        return Fact(
            UNREADABLE,
            value,
            f"find ended with {search.code} and {unreadable} complaints: it may not read all places, or "
            "does not "
            "know a predicate",
        )
    return Fact(OK, value)


def _is_below(name: bytes, directory: bytes) -> bool:
    return name == directory or name.startswith(directory.rstrip(b"/") + b"/")


def _below(name: bytes, directory: bytes, asked: bytes) -> str:
    """The name by which the directory was asked for, where the collector found it by another."""
    rest = name[len(directory.rstrip(b"/")) :]
    return decode_text(asked.rstrip(b"/") + rest if rest else asked)


def _split(frame: Frame) -> _Search:
    counts = _COUNTS.search(frame.payload)
    if counts is None:
        raise BadContentError("the walk's end is missing")
    vanished, complaints, *below = (int(number) for number in counts.group(1).split(b" "))
    text = frame.payload[: counts.start()] + frame.payload[counts.end() :]
    data = dataclasses.replace(frame, payload=text).decode()
    listing, code = split_tail(data) if len(data) < MAX_BYTES else (data, _CUT_OFF)
    names = listing.split(b"\0")
    if names.pop() and code in (0, 1):
        raise BadContentError("the walk ends within a name")
    if code not in (0, 1) and names:
        # find was stopped, perhaps before it had printed the last name as often as it had to
        names = names[: names.index(names[-1])]
    return _Search(
        [(name, len(list(same))) for name, same in groupby(names)], code, vanished, complaints, below
    )


def _call(queries: list[IndexedQuery]) -> list[bytes]:
    roots: dict[str, list[IndexedQuery]] = {}
    for index, query in queries:
        roots.setdefault(query.subject, []).append((index, query))
    matches = sorted({_MATCH.of(query) for _index, query in queries}, key=lambda match: -_TIMES[match])
    seconds = max(_SECONDS.of(query) for _index, query in queries)
    commands = [b"matching %d %s" % (seconds, " ".join(matches).encode())]
    for root, below in roots.items():
        pairs = [b"%s %d" % (_MATCH.of(query).encode(), index) for index, query in below]
        commands.append(b"walk %s %s" % (PATH_ON_DISK.encode(root), b" ".join(pairs)))
    return [*commands, b"search"]


WALK = Family(
    subject=PATH_ON_DISK,
    value='{"entries": [{"path": str}] (sorted; bytes that are not UTF-8 as \\xNN), "complete": bool, "unreadable": int '
    "(places that find could not look into)}",
    options=(_MATCH, _LIMIT, _SECONDS),
    calls=_call,
    read=_read_walk,
    shell=_SHELL,
    uses=("limited",),
    programs=("find", "head", "base64", "od", "readlink"),
    parts=("names",),
)
