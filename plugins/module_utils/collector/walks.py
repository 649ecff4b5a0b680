# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""walk: the files below a directory that match a predicate, found by the container's find, within bounds.

Matches: setuid and setgid (regular files), world_writable (regular files, and directories without the sticky
bit), unowned (the user is not in /etc/passwd, or the group not in /etc/group; comments, lines of another directory and
lines with too few fields or without numbers for ids name nobody), named (everything but
directories whose name is the option `name`, in which * and ? stand for other characters).

A walk stays on one file system, so volumes are not searched, and never enters /proc, /sys and /dev. It ends
after `seconds`, and at `limit` entries. Only a walk that saw everything within reach is ok. Stopped early it is timed_out
or too_large; with directories that could not be read, unreadable. In these cases the fact carries what was found as
its partial value: enough to prove a failure, never to prove its absence. Without find (GNU, busybox or toybox),
head, sleep and base64 or od the fact is unsupported.

Some of the places that find could not look into are `closed`: the kernel keeps the container's user from all that
is below them, because it is not allowed to search the directory, which is not its own. What is there cannot be
run, read or changed by that user. A directory that can be searched and not be listed is not closed: who knows a
name in it reaches the file. From beside, closed places are told only where the shell has all groups and
capabilities that the target can have; of an image, never.

One run of find for all walks ----------------------------- A run of find costs more than a thousand files, so
all walks of a request share one. The script works in three steps:

1. `matching SECONDS NAME...` keeps the time, and the names of all walks that look for one.
2. `walk DIRECTORY [MATCH INDEX]...` looks at a directory and gathers it. The frame q<INDEX> of each of its
   queries says where the names will be: "<index of the first query of this run> <number of the directory>
   <its real path>". Where the directory lies below a gathered one, and find comes through it (no link and no
   other file system is between them), it needs no search of its own. Where that is not known, or it lies above
   a gathered one, the gathered ones are searched first and a new run begins.
3. `search` runs find over the directories that were gathered, and sends the frame q<index of the first
   query>.names.

The expression asks first whether a file meets any predicate, since most files meet none. Then it has `( PREDICATE
-print0... -o ! ( PREDICATE ) )` for each predicate, which is always true, so that find tries the next one too.
find prints a name once for unowned, twice for world_writable, four times for setgid, eight times for setuid and
sixteen times for named: how often a name comes tells which predicates the file meets. Every find can do that. A
predicate that is asked for in a part of the directories alone has their paths as a further test.

The frame .names is what the encoder made of find's output: names that end with NUL, and at last "=<exit
code>". One small write puts "!<vanished> <complaints> <complaints of directory 1> <how many of these are closed>
...!" somewhere into the encoder's output: a write of that size stays whole, and neither base64 nor od writes an
exclamation mark. A complaint of find counts for the directories that it begins with, and for all of them where
that cannot be told. Files that vanished meanwhile are counted apart: they are no defect.

`_split` reads that frame, once for all queries of a run, and `_read_walk` takes from it what belongs to one
query.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery
from .frames import BadContentError, Frame, decode_text, read_integer
from .query_rules import PATH_ON_DISK, NamePattern, Number, Subject, Word, encode_subject, refuse

MAX_BYTES = 512 * 1024
_CUT_OFF = -1
_MATCH = Word("match", ("setuid", "setgid", "world_writable", "unowned", "named"))
_NAME = NamePattern("name")
_LIMIT = Number("limit", 1000, 1, 10_000)
_SECONDS = Number("seconds", 10, 1, 600)

# How often a name is printed. The matches that many files can have are printed least.
_TIMES = {"unowned": 1, "world_writable": 2, "setgid": 4, "setuid": 8, "named": 16}

# In search, fd 4 has find's names on their way to the encoder and its counts, and fd 3 has find's complaints.
_SHELL = r"""
matching() {
  walk__seconds=$1 walk__directories= walk__counted=$nl walk__roots=0 walk__named= walk__standing=
  walk__owners_status=
  walk__matches='named setuid setgid world_writable unowned'
  for walk__match in $walk__matches; do eval "walk__at_$walk__match= walk__in_$walk__match="; done
  shift
  for walk__name do walk__named="$walk__named${walk__named:+ -o }-name $walk__name"; done
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
  IFS=$nl walk__overlaps= walk__inner= walk__place=${path%/}
  for walk__other in $walk__directories; do
    walk__other=${walk__other%/}
    case $walk__other/ in "$walk__place"/?*) walk__overlaps=1 ;; esac
    case $walk__place/ in "$walk__other"/?*) walk__overlaps=1 walk__inner=1 walk__above=$walk__other ;; esac
  done
  IFS=' 	'$nl
  if [ "$walk__inner" ] && come_through "$walk__above" "$walk__place"; then walk__overlaps=; else walk__inner=; fi
  [ -z "$walk__overlaps" ] || search
  while [ $# -gt 0 ]; do
    if [ $1 = unowned ] && [ -z "$walk__owners_status" ]; then owners; fi
    if [ $1 = unowned ] && [ "$walk__owners_status" != ok ]; then put "q$2" $walk__owners_status text "$walk__owners_cause"
    else
      [ "$walk__directories" ] || walk__query=$2
      case $walk__counted in
      *"$nl$path$nl"*) ;;
      *)
        walk__counted=$walk__counted$path$nl
        if [ -z "$walk__inner" ]; then
          walk__directories=${walk__directories:-$nl}$path$nl walk__roots=$((walk__roots+1))
        fi
        ;;
      esac
      walk__number=1 IFS=$nl
      for walk__other in $walk__counted; do
        [ "$walk__other" != "$path" ] || break
        walk__number=$((walk__number+1))
      done
      IFS=' 	'$nl
      [ "$walk__inner" ] || eval "walk__at_$1=\${walk__at_$1}x"
      walk__test="-path $walk__place -o -path $walk__place/*"
      case $walk__place in *[!A-Za-z0-9_/.-]*) walk__test='-path *' ;; esac
      eval "walk__in_$1=\"\${walk__in_$1}\${walk__in_$1:+ -o }\$walk__test\""
      put "q$2" ok text "$walk__query $walk__number $path"
    fi
    shift 2
  done
}
come_through() {
  has stat || return
  come__place=$1 come__rest=${2#"$1"/} come__device=
  set -- "${1:-/}"
  while [ "$come__rest" ]; do
    come__place=$come__place/${come__rest%%/*}
    case $come__rest in */*) come__rest=${come__rest#*/} ;; *) come__rest= ;; esac
    [ ! -h "$come__place" ] || return
    set -- "$@" "$come__place"
  done
  IFS=$nl
  for come__folder do
    come__found=
    for come__line in $stats__lines; do
      [ "$come__found" != next ] || { come__found=${come__line##* }; break; }
      [ "$come__line" != "$come__folder" ] || come__found=next
    done
    case $come__found in ''|next) come__device=unknown ;; esac
    [ "${come__device:=$come__found}" = "$come__found" ] || { IFS=' 	'$nl; return 1; }
  done
  IFS=' 	'$nl
}
search() {
  [ "$walk__directories" ] || return
  walk__searched=$walk__directories walk__places=$walk__counted walk__any= walk__expression= walk__at= walk__in=
  for walk__match in $walk__matches; do
    eval "walk__at=\$walk__at_$walk__match walk__in=\$walk__in_$walk__match walk__at_$walk__match= walk__in_$walk__match="
    [ "$walk__in" ] || continue
    case $walk__match in
    named) walk__test="! -type d ( $walk__named )" walk__times=16 ;;
    setuid) walk__test='-type f -perm -4000' walk__times=8 ;;
    setgid) walk__test='-type f -perm -2000' walk__times=4 ;;
    world_writable) walk__test='-perm -2 ( -type f -o -type d ! -perm -1000 )' walk__times=2 ;;
    unowned) walk__test=$walk__unowned walk__times=1 ;;
    esac
    [ ${#walk__at} -ge $walk__roots ] || walk__test="$walk__test ( $walk__in )"
    walk__prints=
    while [ $walk__times -gt 0 ]; do walk__prints="$walk__prints -print0" walk__times=$((walk__times-1)); done
    walk__any="${walk__any:+$walk__any -o }$walk__test"
    walk__expression="$walk__expression ( $walk__test$walk__prints -o ! ( $walk__test ) )"
  done
  walk__expression="( $walk__any )$walk__expression"
  walk__directories= walk__counted=$nl walk__roots=0
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
  [ "$walk__standing" ] || { walk__standing=other; ! same_standing || walk__standing=same; }
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
      } 3>&1 >&4 | complaints >&4
    } 4>&1
  )
  put "q$walk__query.names" ok $encoding "$text"
}
complaints() {
  walk__others=0 walk__vanished=0 walk__index=0 walk__counts=
  IFS=$nl
  set -- $walk__places
  IFS=' 	'$nl
  for walk__root do walk__index=$((walk__index+1)); eval "walk__count$walk__index=0 walk__closed$walk__index=0"; done
  while IFS= read -r line; do
    case $line in *': No such file or directory') walk__vanished=$((walk__vanished+1)); continue ;; esac
    walk__sum= walk__index=0 walk__more=0
    ! closed "$line" || walk__more=1
    for walk__root do
      walk__index=$((walk__index+1)) walk__root=${walk__root%/}
      case $line in
      "find: $walk__root"[/:]*|"find: '$walk__root"[/\']*)
        eval "walk__sum=\$((walk__count$walk__index+1)) walk__count$walk__index=\$walk__sum"
        eval "walk__closed$walk__index=\$((walk__closed$walk__index+$walk__more))"
        ;;
      esac
    done
    [ "$walk__sum" ] || walk__others=$((walk__others+1))
  done
  walk__index=0
  for walk__root do
    walk__index=$((walk__index+1))
    eval "walk__counts=\"\$walk__counts \$walk__count$walk__index \$walk__closed$walk__index\""
  done
  say "!$walk__vanished $walk__others$walk__counts!"
}
closed() {
  closed__place=${1#find: }
  case $1 in 'find: '*': Permission denied') closed__place=${closed__place%': Permission denied'} ;; *) return 1 ;; esac
  case $closed__place in "'"*"'") closed__place=${closed__place#?} closed__place=${closed__place%?} ;; esac
  case $walk__standing$closed__place in *[\\\']*) return 1 ;; same/*|same./*) ;; *) return 1 ;; esac
  while [ "$closed__place" ]; do
    if [ -h "$closed__place" ] || [ -O "$closed__place" ] || [ -e "$closed__place/." ]; then return 1; fi
    [ ! -d "$closed__place" ] || return 0
    [ ! -e "$closed__place" ] || return
    closed__place=${closed__place%/*}
  done
  return 1
}
owners() {
  walk__test= walk__owners_status=ok walk__place=$path
  for walk__database in passwd group; do
    if ! look /etc/$walk__database || [ ! -f "$path" ]; then
      walk__owners_status=unsupported
      [ $status != unreadable ] || walk__owners_status=unreadable
      walk__owners_cause="without /etc/$walk__database it is not known who is known"
      break
    fi
    walk__option=-user
    [ $walk__database = passwd ] || walk__option=-group
    walk__known=
    while IFS=' 	' read -r line || [ "$line" ]; do
      case $line in [#+:-]*) continue ;; esac
      case $walk__option$line in -user*:*:*:*:*:*:*|-group*:*:*:*) ;; *) continue ;; esac
      walk__rest=${line#*:*:}
      walk__id=${walk__rest%%:*}
      walk__rest=${walk__rest#*:}
      case $walk__option${walk__rest%%:*} in -user|-user*[!0-9]*) continue ;; esac
      case $walk__id in ''|*[!0-9]*) ;; *) walk__known="$walk__known -o $walk__option $walk__id" ;; esac
    done <"$path"
    if [ -z "$walk__known" ]; then
      walk__owners_status=unsupported walk__owners_cause="/etc/$walk__database has no entries"
      break
    fi
    walk__test="${walk__test:+$walk__test -o }! ( ${walk__known# -o } )"
  done
  walk__unowned="( $walk__test )" path=$walk__place walk__place=${path%/} status=ok
}
""".replace("MAX_BYTES", str(MAX_BYTES))

_COUNTS = re.compile(rb"!([0-9]{1,9}(?: [0-9]{1,9}){3,1201})!")


@dataclass(frozen=True)
class _Search:
    """What one run of find printed: the names with how often each was printed; its exit code (_CUT_OFF where
    there was too much); how many files vanished; its complaints that belong to no directory in particular,
    and those of each directory, with how many of them are of closed places."""

    names: list[tuple[bytes, int]]
    code: int
    vanished: int
    complaints: int
    below: list[tuple[int, int]]


def _read_walk(answer: Answer, query: Query) -> Fact:
    group, number, directory = [*answer.get_own().split(b" ", 2), b"", b""][:3]
    search = answer.parse_shared(f"q{decode_text(group)}.names", _split)
    if not 0 < read_integer(number) <= len(search.below):
        raise BadContentError("the walk's directory is missing")
    complaints, closed = search.below[read_integer(number) - 1]
    unreadable = search.complaints + complaints
    times = _TIMES[_MATCH.of(query)]
    wanted = encode_subject(_NAME.of(query))
    entries = sorted(
        _below(name, directory, encode_subject(query.subject))
        for name, printed in search.names
        if printed & times and _is_below(name, directory) and (not wanted or _is_called(name, wanted))
    )
    limit, seconds = _LIMIT.of(query), _SECONDS.of(query)
    # find ends with 1 also where files vanished while it ran, which is no defect of the walk, and for other
    # directories
    explained = search.vanished + search.complaints + sum(count for count, _closed in search.below)
    complete = unreadable == closed and (search.code == 0 or (search.code == 1 and explained > 0))
    value: dict[str, Any] = {
        "entries": [{"path": path} for path in entries[:limit]],
        "complete": complete and len(entries) <= limit,
        "unreadable": unreadable,
        "closed": closed,
    }
    if len(entries) > limit or search.code == _CUT_OFF:
        return Fact(TOO_LARGE, value, f"it found too much: {len(entries)} entries or more")
    if search.code == STOPPED:
        return Fact(TIMED_OUT, value, f"it was stopped after {seconds} seconds, or when all time was over")
    if not complete:
        return Fact(
            UNREADABLE,
            value,
            f"find ended with {search.code} and {unreadable - closed} complaints: it is not allowed to read all "
            "places, or does not know a predicate",
        )
    return Fact(OK, value)


def _is_below(name: bytes, directory: bytes) -> bool:
    return name == directory or name.startswith(directory.rstrip(b"/") + b"/")


def _is_called(name: bytes, pattern: bytes) -> bool:
    return fnmatchcase(name.rpartition(b"/")[2], pattern)


def _below(name: bytes, directory: bytes, asked: bytes) -> str:
    """The name by which the directory was asked for, where the collector found it by another."""
    rest = name[len(directory.rstrip(b"/")) :]
    return decode_text(asked.rstrip(b"/") + rest if rest else asked)


def _split(frame: Frame) -> _Search:
    counts = _COUNTS.search(frame.payload)
    if counts is None:
        raise BadContentError("the walk's end is missing")
    vanished, complaints, *numbers = (int(number) for number in counts.group(1).split(b" "))
    below = list(zip(numbers[::2], numbers[1::2]))
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
    seconds = max(_SECONDS.of(query) for _index, query in queries)
    names = dict.fromkeys(_NAME.of(query) for _index, query in queries if _NAME.of(query))
    commands = [b" ".join([b"matching %d" % seconds, *map(encode_subject, names)])]
    # what lies below another one comes after it
    for root, below in sorted(roots.items(), key=lambda pair: pair[0].rstrip("/").split("/")):
        pairs = [b"%s %d" % (_MATCH.of(query).encode(), index) for index, query in below]
        commands.append(b"walk %s %s" % (PATH_ON_DISK.encode(root), b" ".join(pairs)))
    return [*commands, b"search"]


def _check_walk(query: Query) -> None:
    PATH_ON_DISK.check(query)
    if (dict(query.options).get("match") == "named") != bool(_NAME.of(query)):
        raise refuse(query, "must have a name where it matches named, and only there")


def _on_the_way(query: Query) -> tuple[str, ...]:
    """The directory and those above it: their devices tell whether a search from above comes through."""
    parts = [part for part in query.subject.split("/") if part]
    return ("/", *("/" + "/".join(parts[: at + 1]) for at in range(len(parts))))


WALK = Family(
    subject=Subject(PATH_ON_DISK.what, _check_walk),
    value='{"entries": [{"path": str}] (sorted; bytes that are not UTF-8 as \\xNN), "complete": bool, "unreadable": int '
    '(places that find could not look into), "closed": int (those of them that the container\'s user cannot reach into)}',
    options=(_MATCH, _NAME, _LIMIT, _SECONDS),
    calls=_call,
    read=_read_walk,
    shell=_SHELL,
    uses=("limited", "remaining", "same_standing"),
    programs=("find", "head", "base64", "od", "readlink", "stat"),
    parts=("names",),
    stat_paths=_on_the_way,
)
