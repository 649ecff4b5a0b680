# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content and sha256: the bytes of a regular file, or their digest, up to a limit.

content, value: bytes. sha256, value: 64 hex digits.

Bytes go through base64 or od where the container has one of them, because shell variables hold no NUL. Files whose size
is known are read together, by one cat and one encoder, with a dot behind them where cat could read them all, and cut apart
here by their sizes. Where the length of the whole shows that one of them changed or could not be read, they are read one by
one. Files of size 0 that may be pseudo files of any length are read by head, for at most 5 seconds.

With no encoder the shell's read gives the text. How far the file was read (fdinfo) then shows whether NUL bytes were
lost, and if so the fact is unsupported.

Password databases are refused, also where another name leads to them: the hash never leaves the container.
"""

from __future__ import annotations

import re

from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery, quote
from .frames import BadContentError, Frame, decode_text
from .request import HASH_FILES, get_option

# The exit code of a program that the shell function `limited` stopped (killed by signal 9).
STOPPED = 137
# Behind what a program wrote stands how it ended: a pipe tells only the status of its last program.
_TAIL = re.compile(rb"=([0-9]{1,3})\n\Z")

# content succeeds where the file in $r is to be read with the others. list has index and size of each of these.
_CONTENT = r"""
list= sum=0
content() {
  plain "$@" || return
  f=$r
  for x in HASH_FILES; do
    at $x; ! [ "$f" -ef "$r" ] || { put "q$1" unsupported text 'it holds password hashes, which are not read'; return 1; }
  done
  r=$f l=
  if ! true <"$f"; then put "q$1" unreadable text 'it cannot be opened for reading'
  elif [ "$enc" ] && has cat && over "$z" 0; then
    if [ $((sum+z)) -le $((left/2)) ]; then list="$list $1 $z" sum=$((sum+z)); return 0; fi
    put "q$1" too_large text 'the reply of the whole collection is too large'
  elif [ "$z" = 0 ] && pure "$f" && ! IFS= read -r l <"$f" && [ -z "$l" ]; then put "q$1" ok text ''
  elif [ "$enc" ] && has head && has sleep; then
    v=$({ limited 5 head -c $(($3+1)) "$f"; say "=$?$nl"; } | $enc)
    put "q$1" ok text ''
    put "q$1.piped" ok $E "$v"
  elif ! pure "$f"; then put "q$1" unsupported text 'reading it needs base64 or od, head and sleep'
  elif ! slurp "$f" $3; then put "q$1" unreadable text 'it cannot be read'
  elif [ ${#v} -gt $3 ]; then put "q$1" too_large text "it has more than $3 bytes"
  elif [ "$z" != ${#v} ]; then put "q$1" unsupported text 'it seems to hold NUL bytes, which need base64 or od'
  else put "q$1" ok text "$v"
  fi
  return 1
}
contents() {
  [ $# -gt 0 ] || return
  v=$({ cat "$@" && say .; } | $enc)
  i= sum=$((sum+1))
  if [ $E = base64 ]; then x=$(((sum+2)/3*4)) x=$((x+(x+75)/76-1)); else x=$((3*sum+(sum+15)/16-1)); fi
  if [ ${#v} -eq $x ]; then
    put content ok $E "$v"
    x=0
    for y in $list; do
      if [ "$i" ]; then put "q$i.at" ok text "$x $y"; put "q$i" ok text ''; x=$((x+y)) i=; else i=$y; fi
    done
    return
  fi
  for y in $list; do
    if [ "$i" ]; then
      if v=$($enc <"$1"); then put "q$i" ok $E "$v"; else put "q$i" unreadable text 'it cannot be read'; fi
      i=
      shift
    else i=$y
    fi
  done
}
""".replace("HASH_FILES", " ".join(HASH_FILES))

_SHA256 = r"""
sha256() {
  has sha256sum || { put "q$1" unsupported text 'the container has no sha256sum program'; return; }
  plain "$@" || return
  if ! over "$z" 0 && ! pure "$r"; then
    put "q$1" unsupported text 'its size is not known, as that of a pseudo file'
    return
  fi
  if v=$(sha256sum <"$r"); then put "q$1" ok text "${v%% *}"; else put "q$1" unreadable text 'it cannot be read'; fi
}
"""


def split_tail(data: bytes) -> tuple[bytes, int]:
    """The bytes that a program wrote, and its exit code, which the script adds behind them. Raises BadContentError."""
    match = _TAIL.search(data)
    if match is None:
        raise BadContentError("its end is missing")
    return data[: match.start()], int(match.group(1))


def _read_content(answer: Answer, query: Query) -> Fact:
    limit = get_option(query, "limit")
    content = answer.get_own()
    if answer.has_part("at"):
        content = _cut(answer.parse_shared("content", Frame.decode), answer.get_part("at"))
    elif answer.has_part("piped"):
        content, code = split_tail(answer.get_part("piped"))
        if code == STOPPED:
            return Fact(TIMED_OUT, cause="reading it took more than 5 seconds")
        if code:
            return Fact(UNREADABLE, cause="it cannot be read")
    if len(content) > limit:
        return Fact(TOO_LARGE, cause=f"it has more than {limit} bytes")
    return Fact(OK, content)


def _cut(together: bytes, place: bytes) -> bytes:
    match = re.fullmatch(rb"([0-9]{1,9}) ([0-9]{1,9})", place)
    start, size = (int(number) for number in match.groups()) if match is not None else (0, -1)
    if size < 0 or start + size > len(together):
        raise BadContentError("its place among the files that were read is not valid")
    return together[start : start + size]


def _read_sha256(answer: Answer, query: Query) -> Fact:
    digest = answer.get_own()
    if not re.fullmatch(rb"[0-9a-f]{64}", digest):
        raise BadContentError(f"the container's sha256sum wrote {decode_text(digest[:80])}")
    return Fact(OK, digest.decode())


def _call_content(queries: list[IndexedQuery]) -> list[bytes]:
    return [
        *(b'content %d %s %d && set -- "$@" "$r"' % _arguments(index, query) for index, query in queries),
        b'contents "$@"',
    ]


def _call_sha256(queries: list[IndexedQuery]) -> list[bytes]:
    return [b"sha256 %d %s %d" % _arguments(index, query) for index, query in queries]


def _arguments(index: int, query: Query) -> tuple[int, bytes, int]:
    return index, quote(query.subject), get_option(query, "limit")


CONTENT = Family(
    calls=_call_content,
    read=_read_content,
    shell=_CONTENT,
    uses=("slurp", "limited", "pure"),
    programs=("base64", "od", "cat", "head", "readlink", "stat"),
    parts=("at", "piped"),
    stat_paths=lambda query: (query.subject,),
    shared="content",
)
SHA256 = Family(
    calls=_call_sha256,
    read=_read_sha256,
    shell=_SHA256,
    uses=("pure",),
    programs=("sha256sum", "readlink", "stat"),
    stat_paths=lambda query: (query.subject,),
)
