# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""command: what a program of the container answers. It is the one kind that runs what a profile says, and can only
be had from inside.

The subject is the list of the program and its arguments, as JSON without spaces. It comes from the profile
alone, is never given to a shell as text, and nothing that the container says becomes part of it. A name
without a slash is looked up in PATH and started by its path, so that it is never a function or a builtin of
the shell. Nothing can be typed to it: stdin is empty. Its locale is C, its time zone UTC, its working
directory /.

It is killed when its seconds are over. What it has started goes with it where the container has setsid
(util-linux or busybox); without that, what stays open holds the collection up until the scan's own deadline.

Absent: there is no such program. The exit statuses 126 and 127 say, as ever, that it could not be started;
stderr tells why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, Fact, Query
from .family import WITHIN, Answer, Family, IndexedQuery, Sensitive
from .frames import BadContentError, Frame
from .query_rules import Number, Subject, can_be_encoded, quote, refuse

_MAX_ARGUMENTS = 100
_MAX_COMMAND_BYTES = 8 * 1024
_SECONDS = Number("seconds", 10, 1, 300)
_LIMIT = Number("limit", 64 * 1024, 1, 1024 * 1024)

# Behind stdout stands stderr, encoded by itself with the program's end behind it, and how long that is.
_STDERR = re.compile(rb"=([0-9]{1,9})\n\Z")

# $1 query, $2 seconds, $3 bytes of each stream, then the program. Both streams are encoded on their way,
# stderr to a text that is put behind stdout when the program has ended. 3 is the program's stderr (see
# limited), 4 its stdout.
_SHELL = r"""
command_fact() {
  command__query=$1 command__seconds=$2 command__limit=$3
  shift 3
  ! too_late $command__query || return
  if [ -z "$encoder" ] || ! has head || ! has sleep; then
    unsupported $command__query 'running a program needs sleep, head, and base64 or od'; return
  fi
  program "$1" || { unseen $command__query; return; }
  shift
  text=$({ started "$command__program" "$@"; } 4>&1 | head -c $((command__limit+4*command__limit+1000)) | $encoder)
  put "q$command__query" ok $encoding "$text"
}
program() {
  case $1 in /*) look "$1" || return; command__program=$path; return 0 ;; esac
  command__status=absent command__cause=
  IFS=:
  set -- "$1" $PATH
  IFS=' 	'$nl
  command__program=$1
  shift
  for command__folder do
    case $command__folder in /*) ;; *) continue ;; esac
    if look "${command__folder%/}/$command__program" && [ -f "$path" ]; then command__program=$path; return 0; fi
    [ $status != unreadable ] || command__status=$status command__cause=$cause
  done
  status=$command__status cause=${command__cause:-there is no program $command__program}
  return 1
}
started() {
  command__stderr=$({
    if has setsid; then limited $command__seconds setsid "$@"; else limited $command__seconds "$@"; fi 3>&1 >&4 4>&-
    command__code=$?
    ! has setsid || kill -9 -$limited__program
    say "=$command__code$nl"
  } | head -c $((command__limit+6)) | $encoder)
  say "$command__stderr=${#command__stderr}$nl"
}
"""


def join_command(argv: Sequence[str]) -> str:
    """A program and its arguments as the subject of a query."""
    return json.dumps(list(argv), separators=(",", ":"))


def split_command(subject: str) -> list[str]:
    """The program and its arguments.

    The program is an absolute path, or a name that is looked up in PATH: anything else depends on a working
    directory.

    :raises ScanError: `bad_option`, which names the command, where it cannot be run
    """
    query = Query("command", subject)
    try:
        argv = json.loads(subject)
    except ValueError:
        raise refuse(query, "must be a program and its arguments as a list in JSON") from None
    if (
        not isinstance(argv, list)
        or not all(isinstance(word, str) for word in argv)
        or join_command(argv) != subject
    ):
        raise refuse(query, "must be a program and its arguments as a list of texts")
    if not 1 <= len(argv) <= _MAX_ARGUMENTS or len(subject) > _MAX_COMMAND_BYTES:
        raise refuse(query, f"must have 1 to {_MAX_ARGUMENTS} words and at most {_MAX_COMMAND_BYTES} bytes")
    if not all(map(can_be_encoded, argv)) or any("\0" in word for word in argv):
        raise refuse(query, "has characters that cannot be given to a program")
    if not re.fullmatch(r"/.*[^/]|[^/-][^/]*", argv[0], re.DOTALL) or "\n" in argv[0]:
        raise refuse(query, "must begin with a program's absolute path, or with its name")
    return argv


def _check_command(query: Query) -> None:
    split_command(query.subject)


def _encode_command(subject: str) -> bytes:
    return b" ".join(map(quote, split_command(subject)))


_SUBJECT = Subject(
    "program and arguments, as a JSON list of texts without spaces", _check_command, _encode_command
)


def _read_command(answer: Answer, query: Query) -> Fact:
    limit = _LIMIT.of(query)
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
            cause=f"it took more than {_SECONDS.of(query)} seconds, or was killed",
        )
    return Fact(OK, {"exit_status": status, "stdout": stdout, "stderr": stderr})


def _call(queries: list[IndexedQuery]) -> list[bytes]:
    return [
        b"command_fact %d %d %d %s"
        % (index, _SECONDS.of(query), _LIMIT.of(query), _SUBJECT.encode(query.subject))
        for index, query in queries
    ]


COMMAND = Family(
    subject=_SUBJECT,
    value='{"exit_status": int, "stdout": bytes, "stderr": bytes}',
    calls=_call,
    read=_read_command,
    shell=_SHELL,
    options=(_SECONDS, _LIMIT),
    uses=("limited",),
    programs=("base64", "od", "head", "sleep", "setsid", "readlink"),
    reach=WITHIN,
    sensitive=Sensitive("what programs wrote"),
)
