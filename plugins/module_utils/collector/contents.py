# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""content and sha256: the bytes of a regular file, or their digest, up to a limit.

content, value: bytes. sha256, value: 64 hex digits.

Bytes go through base64 or od where the container has one of them, because shell variables hold no NUL. With neither,
the shell's read gives the text; how far the file was read (fdinfo) then shows whether NUL bytes were lost, and if so the
fact is unsupported. Files whose size is 0 may be pseudo files of any length: these are read by head, for at most 5
seconds. Password databases are refused, also where another name leads to them: the hash never leaves the container.
"""

from __future__ import annotations

import re
from typing import Tuple

from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, quote
from .frames import BadContent, decode_text
from .request import HASH_FILES, get_option

# The exit code of a program that the shell function `limited` stopped (killed by signal 9).
STOPPED = 137
# Behind what a program wrote stands how it ended: a pipe tells only the status of its last program.
_TAIL = re.compile(rb"=([0-9]{1,3})\n\Z")

_CONTENT = r"""
content() {
  plain "$@" || return
  f=$r b=$z
  for x in HASH_FILES; do
    at $x
    ! [ "$f" -ef "$r" ] || { put "q$1" unsupported text 'it holds password hashes, which stay in the container'; return; }
  done
  if ! { :; } <"$f"; then put "q$1" unreadable text 'it cannot be opened for reading'
  elif [ "$enc" ] && over "$b" 0; then
    if v=$($enc <"$f"); then put "q$1" ok $E "$v"; else put "q$1" unreadable text 'it cannot be read'; fi
  elif [ "$enc" ] && has head && has sleep; then
    v=$({ limited 5 head -c $(($3+1)) "$f"; say "=$?$nl"; } | $enc)
    put "q$1" ok text ''
    put "q$1.bytes" ok $E "$v"
  else
    case $f in /proc/*|/sys/*) put "q$1" unsupported text 'reading it needs base64 or od, head and sleep'; return ;; esac
    slurp "$f" $3 || { put "q$1" unreadable text 'it cannot be read'; return; }
    if [ ${#v} -gt $3 ]; then put "q$1" too_large text "it has more than $3 bytes"
    elif [ "$z" != ${#v} ]; then put "q$1" unsupported text 'it seems to hold NUL bytes, which need base64 or od'
    else put "q$1" ok text "$v"
    fi
  fi
}
""".replace("HASH_FILES", " ".join(HASH_FILES))

_SHA256 = r"""
sha256() {
  has sha256sum || { put "q$1" unsupported text 'the container has no sha256sum program'; return; }
  plain "$@" || return
  if v=$(sha256sum <"$r"); then put "q$1" ok text "${v%% *}"; else put "q$1" unreadable text 'it cannot be read'; fi
}
"""


def split_tail(data: bytes) -> Tuple[bytes, int]:
    """The bytes that a program wrote, and its exit code, which the script adds behind them. Raises BadContent."""
    match = _TAIL.search(data)
    if match is None:
        raise BadContent("its end is missing")
    return data[:match.start()], int(match.group(1))


def _read_content(answer: Answer, query: Query) -> Fact:
    limit = get_option(query, "limit")
    content = answer.get_own()
    if "q%d.bytes" % answer.index in answer.frames:
        content, code = split_tail(answer.get_part("bytes"))
        if code == STOPPED:
            return Fact(TIMED_OUT, cause="reading it took more than 5 seconds")
        if code:
            return Fact(UNREADABLE, cause="it cannot be read")
    if len(content) > limit:
        return Fact(TOO_LARGE, cause="it has more than %d bytes" % limit)
    return Fact(OK, content)


def _read_sha256(answer: Answer, query: Query) -> Fact:
    digest = answer.get_own()
    if not re.fullmatch(rb"[0-9a-f]{64}", digest):
        raise BadContent("the container's sha256sum wrote %s" % decode_text(digest[:80]))
    return Fact(OK, digest.decode())


def _call(function: bytes, index: int, query: Query) -> bytes:
    return b"%s %d %s %d" % (function, index, quote(query.subject), get_option(query, "limit"))


CONTENT = Family(call=lambda index, query: _call(b"content", index, query), read=_read_content, shell=_CONTENT,
                 uses=("slurp", "limited"), programs=("base64", "od", "head", "readlink", "stat"),
                 parts=("bytes",), stat_paths=lambda query: (query.subject,))
SHA256 = Family(call=lambda index, query: _call(b"sha256", index, query), read=_read_sha256, shell=_SHA256,
                programs=("sha256sum", "readlink", "stat"), stat_paths=lambda query: (query.subject,))
