# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content and sha256: the bytes of a regular file, or their digest, up to a limit.

Bytes go through base64 or od where the container has one of them, because shell variables hold no NUL. Files
whose size is known are read together, by one cat and one encoder, with a dot behind them where cat could read
them all, and cut apart here by their sizes. Where the length of the whole shows that one of them changed or
could not be read, they are read one by one. head reads files of size 0, which can be pseudo files of any
length, for at most 5 seconds.

With no encoder the shell's read gives the text. How far the file was read (fdinfo) then shows whether NUL
bytes were lost, and if so the fact is unsupported.

Password databases are refused, also where another name leads to them: the hash never leaves the container.
"""

from __future__ import annotations

import re

from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, IndexedQuery, Sensitive, call_with
from .frames import BadContentError, Frame, decode_text
from .query_rules import Number, Subject, check_path, refuse

# The text of these would carry password hashes out of the container. The script refuses other names of them
# too.
HASH_FILES = (
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/group",
    "/etc/group-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/security/opasswd",
)
# What is read from here is taken away from the system's log.
_CONSUMED = "/proc/kmsg"
_CONTENT_LIMIT = Number("limit", 256 * 1024, 1, 4 * 1024 * 1024)
_SHA256_LIMIT = Number("limit", 64 * 1024 * 1024, 1, 900_000_000)

# The exit code of a program that the shell function `limited` stopped (killed by signal 9).
STOPPED = 137
# Behind what a program wrote stands how it ended: a pipe tells only the status of its last program.
_TAIL = re.compile(rb"=([0-9]{1,3})\n\Z")

# content INDEX PATH LIMIT succeeds where the file at `path` is to be read with the others; content__list has
# index and size of each of these. contents PATH... reads them.
_CONTENT = r"""
content__list= content__sum=0
content() {
  plain "$@" || return
  content__file=$path
  for content__hash_file in HASH_FILES; do
    at $content__hash_file
    if [ "$content__file" -ef "$path" ]; then
      unsupported $1 'it holds password hashes, which are not read'
      return 1
    fi
  done
  path=$content__file line=
  if ! true <"$content__file"; then put "q$1" unreadable text 'it cannot be opened for reading'
  elif [ "$encoder" ] && has cat && over "$size" 0; then
    if [ $((content__sum+size)) -le $((left/2)) ]; then
      content__list="$content__list $1 $size" content__sum=$((content__sum+size))
      return 0
    fi
    put "q$1" too_large text 'the reply of the whole collection is too large'
  elif [ "$size" = 0 ] && pure "$content__file" && ! IFS= read -r line <"$content__file" && [ -z "$line" ]; then
    put "q$1" ok text ''
  elif [ "$encoder" ] && has head && has sleep; then
    text=$({ limited 5 head -c $(($3+1)) "$content__file"; say "=$?$nl"; } | $encoder)
    put "q$1" ok text ''
    put "q$1.piped" ok $encoding "$text"
  elif ! pure "$content__file"; then unsupported $1 'reading it needs base64 or od, head and sleep'
  elif ! slurp "$content__file" $3; then put "q$1" unreadable text 'it cannot be read'
  elif [ ${#text} -gt $3 ]; then put "q$1" too_large text "it has more than $3 bytes"
  elif [ "$size" != ${#text} ]; then unsupported $1 'it seems to hold NUL bytes, which need base64 or od'
  else put "q$1" ok text "$text"
  fi
  return 1
}
contents() {
  [ $# -gt 0 ] || return
  text=$({ cat "$@" && say .; } | $encoder)
  content__query= content__sum=$((content__sum+1))
  if [ $encoding = base64 ]; then
    content__length=$(((content__sum+2)/3*4))
    content__length=$((content__length+(content__length+75)/76-1))
  else content__length=$((3*content__sum+(content__sum+15)/16-1))
  fi
  if [ ${#text} -eq $content__length ]; then
    put content ok $encoding "$text"
    content__start=0
    for content__item in $content__list; do
      if [ "$content__query" ]; then
        put "q$content__query.at" ok text "$content__start $content__item"
        put "q$content__query" ok text ''
        content__start=$((content__start+content__item)) content__query=
      else content__query=$content__item
      fi
    done
    return
  fi
  for content__item in $content__list; do
    if [ "$content__query" ]; then
      if text=$($encoder <"$1"); then put "q$content__query" ok $encoding "$text"
      else put "q$content__query" unreadable text 'it cannot be read'
      fi
      content__query=
      shift
    else content__query=$content__item
    fi
  done
}
""".replace("HASH_FILES", " ".join(HASH_FILES))

_SHA256 = r"""
sha256() {
  has sha256sum || { unsupported $1 'the container has no sha256sum program'; return; }
  plain "$@" || return
  if ! over "$size" 0 && ! pure "$path"; then
    unsupported $1 'its size is not known, as that of a pseudo file'
    return
  fi
  if text=$(sha256sum <"$path"); then put "q$1" ok text "${text%% *}"
  else put "q$1" unreadable text 'it cannot be read'
  fi
}
"""


def _check_content(query: Query) -> None:
    check_path(query)
    if query.subject in HASH_FILES:
        raise refuse(
            query, "may hold password hashes, which never leave a container; ask for passwd, shadow or group"
        )
    _check_sha256(query)


def _check_sha256(query: Query) -> None:
    check_path(query)
    if query.subject == _CONSUMED:
        raise refuse(query, "would lose what is read from it")


_CONTENT_SUBJECT = Subject("absolute path, but none of the account databases", _check_content)
_SHA256_SUBJECT = Subject("absolute path", _check_sha256)


def split_tail(data: bytes) -> tuple[bytes, int]:
    """The bytes that a program wrote, and its exit code, which the script adds behind them.

    :raises BadContentError: where the exit code is missing
    """
    match = _TAIL.search(data)
    if match is None:
        raise BadContentError("its end is missing")
    return data[: match.start()], int(match.group(1))


def _read_content(answer: Answer, query: Query) -> Fact:
    limit = _CONTENT_LIMIT.of(query)
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


_calls_of_content = call_with("content", _CONTENT_SUBJECT, _CONTENT_LIMIT)


def _call_content(queries: list[IndexedQuery]) -> list[bytes]:
    return [
        *(command + b' && set -- "$@" "$path"' for command in _calls_of_content(queries)),
        b'contents "$@"',
    ]


CONTENT = Family(
    subject=_CONTENT_SUBJECT,
    value="bytes",
    sensitive=Sensitive("contents of files"),
    options=(_CONTENT_LIMIT,),
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
    subject=_SHA256_SUBJECT,
    value="64 hex digits",
    options=(_SHA256_LIMIT,),
    calls=call_with("sha256", _SHA256_SUBJECT, _SHA256_LIMIT),
    read=_read_sha256,
    shell=_SHA256,
    uses=("pure",),
    programs=("sha256sum", "readlink", "stat"),
    stat_paths=lambda query: (query.subject,),
)
