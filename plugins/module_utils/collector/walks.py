# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: the files below a directory that match a predicate, found by the container's find, within bounds.

Matches: setuid and setgid (regular files), world_writable (regular files, and directories without the sticky
bit), unowned (the user is not in /etc/passwd, or the group not in /etc/group).

A walk stays on one file system, and never enters /proc, /sys and /dev. It ends after `seconds`, and at
`limit` entries. Only a walk that saw everything is ok. Stopped early it is timed_out or too_large; with
directories that could not be read, unreadable. In these cases the fact carries what was found as its partial
value: enough to prove a failure, never to prove its absence. Without find (GNU, busybox or toybox), head,
sleep and base64 or od the fact is unsupported.

One run of find for all walks ----------------------------- A run of find costs more than a thousand files, so
all walks of a request share one, as far as no directory lies below another. The script works in three steps:

1. `matching SECONDS MATCH...` makes find's expression. It asks first whether a file meets any predicate,
   since most files meet none. Then it has `( PREDICATE -print0... -o ! ( PREDICATE ) )` for each predicate,
   which is always true, so that find tries the next one too. find prints a name once for unowned, twice for
   world_writable, four times for setgid and eight times for setuid: how often a name comes tells which
   predicates the file meets. Every find can do that.
2. `walk DIRECTORY [MATCH INDEX]...` looks at a directory and gathers it. The frame q<INDEX> of each of its
   queries says where the names will be: "<index of the first query of this run> <number of the directory>
   <its real path>". Where the directory lies below a gathered one, or above it, the gathered ones are
   searched first and a new run begins.
3. `search` runs find over the directories that were gathered, and sends the frame q<index of the first
   query>.names.

The frame .names is what the encoder made of find's output: names that end with NUL, and at last "=<exit
code>". One small write puts "!<vanished> <complaints> <complaints of directory 1> ...!" somewhere into the
encoder's output: a write of that size stays whole, and neither base64 nor od writes an exclamation mark. A
complaint of find counts for the directory that it begins with, and for all of them where that cannot be told.
Files that vanished meanwhile are counted apart: they are no defect.

`_split` reads that frame, once for all queries of a run, and `_read_walk` takes from it what belongs to one
query.
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

# How often a name is printed. The matches that many files can have are printed least.
_TIMES = {"unowned": 1, "world_writable": 2, "setgid": 4, "setuid": 8}

# In search, fd 4 has find's names on their way to the encoder and its counts, and fd 3 has find's complaints.
_SHELL = r"""
matching() {
  walk__seconds=$1 walk__directories= walk__expression= walk__any= walk__owners_status= walk__owners_cause= walk__number=0
  shift
  for walk__match do
    case $walk__match in
    setuid) walk__test='-type f -perm -4000' walk__times=8 ;;
    setgid) walk__test='-type f -perm -2000' walk__times=4 ;;
    world_writable) walk__test='-perm -2 ( -type f -o -type d ! -perm -1000 )' walk__times=2 ;;
    unowned)
      walk__times=1
      owners
      [ "$walk__test" ] || { walk__owners_status=$status walk__owners_cause=$cause; continue; }
      ;;
    esac
    walk__prints=
    while [ $walk__times -gt 0 ]; do walk__prints="$walk__prints -print0" walk__times=$((walk__times-1)); done
    walk__any="${walk__any:+$walk__any -o }$walk__test"
    walk__expression="$walk__expression ( $walk__test$walk__prints -o ! ( $walk__test ) )"
  done
  walk__expression="( $walk__any )$walk__expression"
}
walk() {
  walk__directory=$1
  shift
  if ! look "$walk__directory"; then :
  elif [ ! -d "$path" ]; then status=unsupported cause='it is not a directory'
  else
    case $path in *"$nl"*) status=unsupported cause='a directory with a newline in its name is not searched' ;; esac
  fi
  [ $status = ok ] || { while [ $# -gt 0 ]; do unseen $2; shift 2; done; return; }
  IFS=$nl walk__overlaps= walk__place=${path%/}
  for walk__other in $walk__directories; do
    walk__other=${walk__other%/}
    case $walk__other/ in "$walk__place/"*) walk__overlaps=1 ;; esac
    case $walk__place/ in "$walk__other/"*) walk__overlaps=1 ;; esac
  done
  IFS=' 	'$nl
  [ -z "$walk__overlaps" ] || search
  while [ $# -gt 0 ]; do
    if [ $1 = unowned ] && [ "$walk__owners_status" ]; then put "q$2" $walk__owners_status text "$walk__owners_cause"
    else
      [ "$walk__directories" ] || walk__query=$2
      case $walk__directories in
      *"$nl$path$nl") ;;
      *) walk__number=$((walk__number+1)) walk__directories=${walk__directories:-$nl}$path$nl ;;
      esac
      put "q$2" ok text "$walk__query $walk__number $path"
    fi
    shift 2
  done
}
search() {
  [ "$walk__directories" ] || return
  walk__searched=$walk__directories; walk__directories= walk__number=0
  ! too_late $walk__query.names || return
  for walk__program in find head sleep; do
    has $walk__program && continue
    unsupported $walk__query.names "a walk needs $walk__program, which the container does not have"
    return
  done
  if [ ! "$encoder" ]; then
    unsupported $walk__query.names 'a walk needs base64 or od, which the container does not have'
    return
  fi
  remaining $walk__seconds
  IFS=$nl
  set -- $walk__searched
  IFS=' 	'$nl
  walk__skipped=
  case $1 in
  "$ROOT"|"$ROOT/") walk__skipped="! ( ( -path ${ROOT}/proc -o -path ${ROOT}/sys -o -path ${ROOT}/dev ) -prune )" ;;
  esac
  text=$(
    {
      {
        {
          limited $remaining__seconds find -H "$@" -xdev $walk__skipped $walk__expression
          say "=$?$nl"
        } | head -c MAX_BYTES | $encoder
      } 3>&1 >&4 | {
        walk__others=0 walk__vanished=0 walk__index=0 walk__counts=
        for walk__root do walk__index=$((walk__index+1)); eval "walk__count$walk__index=0"; done
        while IFS= read -r line; do
          case $line in *': No such file or directory') walk__vanished=$((walk__vanished+1)); continue ;; esac
          walk__sum= walk__index=0
          for walk__root do
            walk__index=$((walk__index+1))
            case $line in
            "find: $walk__root"[/:]*|"find: '$walk__root"[/\']*)
              eval "walk__sum=\$((walk__count$walk__index+1)) walk__count$walk__index=\$walk__sum"
              break
              ;;
            esac
          done
          [ "$walk__sum" ] || walk__others=$((walk__others+1))
        done
        walk__index=0
        for walk__root do
          walk__index=$((walk__index+1))
          eval "walk__counts=\"\$walk__counts \$walk__count$walk__index\""
        done
        say "!$walk__vanished $walk__others$walk__counts!" >&4
      }
    } 4>&1
  )
  put "q$walk__query.names" ok $encoding "$text"
}
owners() {
  walk__test=
  for walk__database in passwd group; do
    if ! look /etc/$walk__database || [ ! -f "$path" ]; then
      [ $status = unreadable ] || status=unsupported
      walk__test= cause="without /etc/$walk__database it is not known who is known"
      return
    fi
    walk__option=-user
    [ $walk__database = passwd ] || walk__option=-group
    walk__known=
    while IFS=: read -r walk__name unused walk__id unused || [ "$walk__name" ]; do
      case $walk__id in ''|*[!0-9]*) ;; *) walk__known="$walk__known -o $walk__option $walk__id" ;; esac
    done <"$path"
    [ "$walk__known" ] || { walk__test= status=unsupported cause="/etc/$walk__database has no entries"; return; }
    walk__test="${walk__test:+$walk__test -o }! ( ${walk__known# -o } )"
  done
  walk__test="( $walk__test )"
}
""".replace("MAX_BYTES", str(MAX_BYTES))

_COUNTS = re.compile(rb"!([0-9]{1,9}(?: [0-9]{1,9}){2,600})!")


@dataclass(frozen=True)
class _Search:
    """What one run of find printed: the names with how often each was printed; its exit code (_CUT_OFF where
    there was too much); how many files vanished; its complaints that belong to no directory in particular,
    and those of each directory."""

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
    # find ends with 1 also where files vanished while it ran, which is no defect of the walk, and for other
    # directories
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
            f"find ended with {search.code} and {unreadable} complaints: it is not allowed to read all "
            "places, or does not know a predicate",
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
    uses=("limited", "remaining"),
    programs=("find", "head", "base64", "od", "readlink"),
    parts=("names",),
)
