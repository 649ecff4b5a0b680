# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""listing: a path and everything below it on its file system, with the status of each. Drift is found by it.

Entries are called by their real path, and are of the types of `file`; times are in seconds since 1970. Of a
link that leads to no directory there is `link_target` alone. /proc, /sys and /dev are left out. What vanished
meanwhile is not in it.

Directories that the scanner is not allowed to read are named, and nothing is known of what is below them.
Everything else that keeps a listing from being whole makes it not ok, without a value: half a listing would
show removed files that are there. A listing needs find, stat, head, sleep, and base64 or od; with gzip it can
be larger.

What the script sends --------------------- The frame q<INDEX> has "<word> <real path>", a newline, and the
text of the link where the path is one. The word is `real` (the path is no link), `link` (it is one that leads
to a directory) or `only` (there is nothing to list but the link).

The frame q<INDEX>.list is what the encoder made of the records, packed by gzip where there is one:

- find gives the names to stat, many at a time. A record is "<nonce> <mode> <uid> <gid> <size> <mtime> <ctime>
  <name>". Of a link the name stands there twice: "<name>", a newline, "<name> -> <text>" as stat quotes them.
- Behind the last record stands "=<exit code>" of find.
- One small write puts "!<vanished> <complaints> <length> <text of the complaints>!" somewhere into the
  encoder's output: it stays whole, and neither base64 nor od writes an exclamation mark.

Neither names nor links can forge a record: each begins with the nonce of the collection, the name of a link
must come twice, and its text must have the length that its status tells. A path that comes twice makes the
listing worthless.
"""

from __future__ import annotations

import dataclasses
import re
import stat
from typing import NamedTuple

from .contents import STOPPED, split_tail
from .facts import OK, TIMED_OUT, TOO_LARGE, UNREADABLE, Fact, Query
from .family import Answer, Family, call_with
from .file_status import TYPES
from .frames import BadContentError, decode_text
from .packed import GZIP, unpack_gzip
from .query_rules import PATH_ON_DISK, Number

# The kind of the fact that is the image's side of a listing. It is asked of the target's image, never of a
# container.
IMAGE_LISTING = "image_listing"

_LIMIT = Number("limit", 50_000, 1, 200_000)
_SECONDS = Number("seconds", 20, 1, 600)

# Of what find and stat print, packed and plain.
_MAX_PACKED, _MAX_PLAIN = 8 * 1024 * 1024, 1536 * 1024
_MAX_UNREAD = 200

# listing INDEX PATH SECONDS. Both -exec stand at the top: busybox forgets what it has gathered for one within
# parentheses. fd 4 has the records on their way, and fd 3 has the complaints of find and stat.
_SHELL = r"""
listing() {
  listing__word=real target__link=
  if ! look "$2"; then
    [ $status = absent ] && [ -h "$path" ] || { unseen $1; return; }
    listing__word=only
  elif [ -h "$own_path" ]; then
    listing__word='link'
    [ -d "$path" ] || listing__word=only
  fi
  if [ $listing__word != real ]; then
    has readlink || { unsupported $1 'it is a symbolic link, and there is no readlink program'; return; }
    target "$own_path"
  fi
  [ $listing__word != only ] || { put "q$1" ok text "only $nl$target__link"; return; }
  ! too_late $1 || return
  for listing__program in find stat head sleep; do
    has $listing__program && continue
    unsupported $1 "a listing needs $listing__program, which the container does not have"
    return
  done
  if [ ! "$encoder" ]; then
    unsupported $1 'a listing needs base64 or od, which the container does not have'
    return
  fi
  listing__place=$path
  if [ -z "$ROOT" ]; then
    if [ -d "$path" ]; then listing__place=$(cd -P "$path" && pwd -P)
    else listing__place=$(cd -P "${path%/*}/" && pwd -P) listing__place=${listing__place%/}/${path##*/}
    fi
  fi
  case $listing__place in
  '') put "q$1" unreadable text 'no permission to search it'; return ;;
  *"$nl"*) unsupported $1 'a place with a newline in its name is not listed'; return ;;
  esac
  remaining $3
  listing__skipped= listing__most=MAX_PLAIN
  case $listing__place in
  "$ROOT"|"$ROOT/") listing__skipped="! ( ( -path ${ROOT}/proc -o -path ${ROOT}/sys -o -path ${ROOT}/dev ) -prune )" ;;
  esac
  ! has gzip || listing__most=MAX_PACKED
  listing__format="$nonce %f %u %g %s %Y %Z %n"
  text=$(
    export QUOTING_STYLE=literal
    {
      {
        {
          limited $remaining__seconds find "$listing__place" -xdev \
            $listing__skipped -type l -exec stat -c "$listing__format$nl%N" '{}' + \
            -o $listing__skipped ! -type l -exec stat -c "$listing__format" '{}' +
          say "=$?$nl"
        } | head -c $listing__most | packed
      } 3>&1 >&4 | {
        listing__count=0 listing__vanished=0 listing__complaints=
        while IFS= read -r line; do
          case $line in *': No such file or directory') listing__vanished=$((listing__vanished+1)); continue ;; esac
          listing__count=$((listing__count+1))
          [ ${#listing__complaints} -gt 3000 ] || listing__complaints=$listing__complaints$line$nl
        done
        [ ${#listing__complaints} -le 3500 ] || listing__complaints=
        say "!$listing__vanished $listing__count ${#listing__complaints} $listing__complaints!" >&4
      }
    } 4>&1
  )
  put "q$1" ok text "$listing__word $listing__place$nl$target__link"
  put "q$1.list" ok $encoding "$text"
}
packed() { if has gzip; then command gzip -c | $encoder; else $encoder; fi; }
""".replace("MAX_PACKED", str(_MAX_PACKED)).replace("MAX_PLAIN", str(_MAX_PLAIN))

_OWN = re.compile(rb"(real|link|only) (/?[^\n]*)\n(.*)", re.DOTALL)
_COMPLAINTS = re.compile(rb"!([0-9]{1,9}) ([0-9]{1,9}) ([0-9]{1,4}) ")
_CLOSED = re.compile(rb"(?:/[^:]*/)?find: ('?)(.+)\1: Permission denied")
_STATUS = re.compile(
    rb"([0-9a-f]{1,8}) ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,20}) (-?[0-9]{1,20}) (-?[0-9]{1,20}) (.+)",
    re.DOTALL,
)
# How GNU, busybox and toybox write name and target: with nothing around, or these.
_QUOTES = ((b"", b"", b"", b""), (b"'", b"'", b"'", b"'"), (b"", b"", b"'", b"'"))
_ARROW = b" -> "


class Listed(NamedTuple):
    """One entry. Of a link that was asked for by its name, and is no part of a listing, only type and text
    are known: the numbers are -1."""

    path: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    ctime: int
    link_target: str | None


@dataclasses.dataclass(frozen=True)
class _Output:
    """What find and stat wrote, find's exit code, and what they complained of: the number, and the
    directories that it is not allowed to read, where all complaints are about such."""

    records: bytes
    code: int
    vanished: int
    complaints: int
    closed: list[bytes] | None


def _read_listing(answer: Answer, query: Query) -> Fact:
    own = _OWN.fullmatch(answer.get_own())
    if own is None:
        raise BadContentError("the place of the listing is missing")
    word, place, target = own.groups()
    link_target = None if word == b"real" else decode_text(target)
    if word == b"only":
        return Fact(OK, {"place": "", "link_target": link_target, "unread": [], "entries": []})
    output = _read_output(answer)
    if output is None:
        return Fact(TOO_LARGE, cause="the listing is too large")
    if output.code == STOPPED:
        return Fact(
            TIMED_OUT,
            cause=f"it was stopped after {_SECONDS.of(query)} seconds, or when all time was over",
        )
    entries = _read_records(output.records)
    limit = _LIMIT.of(query)
    if len(entries) > limit:
        return Fact(TOO_LARGE, cause=f"it has more than {limit} entries")
    unread = _unread(output, entries)
    if unread is None:
        return Fact(
            UNREADABLE,
            cause=f"find ended with {output.code} and {output.complaints} complaints: it is not allowed to "
            "look at all files, or does not know an option",
        )
    return Fact(OK, {"place": _real(place), "link_target": link_target, "unread": unread, "entries": entries})


def _read_output(answer: Answer) -> _Output | None:
    """None where there was more than was taken."""
    frame = answer.get_part_frame("list")
    found = _COMPLAINTS.search(frame.payload)
    if found is None:
        raise BadContentError("the listing's end is missing")
    vanished, complaints, length = (int(number) for number in found.groups())
    text = frame.payload[found.end() : found.end() + length]
    rest = frame.payload[found.end() + length :]
    if len(text) != length or not rest.startswith(b"!"):
        raise BadContentError("the listing's complaints are cut off")
    data = dataclasses.replace(frame, payload=frame.payload[: found.start()] + rest[1:]).decode()
    is_packed = data.startswith(GZIP)
    if is_packed:
        data = unpack_gzip(data, _MAX_PACKED, "the listing")
    if len(data) >= (_MAX_PACKED if is_packed else _MAX_PLAIN):
        return None
    records, code = split_tail(data)
    lines = text.splitlines()
    matches = [_CLOSED.fullmatch(line) for line in lines]
    closed = [match.group(2) for match in matches if match is not None]
    return _Output(
        records, code, vanished, complaints, closed if len(closed) == len(lines) == complaints else None
    )


def _unread(output: _Output, entries: list[Listed]) -> list[str] | None:
    """The directories that find could not read; None where that is not what it complained of."""
    if output.code not in (0, 1) or (output.code == 1 and not output.complaints + output.vanished):
        return None
    if not output.complaints:
        return []
    directories = {entry.path for entry in entries if entry.type == "directory"}
    unread = [_real(path) for path in output.closed or []]
    if not unread or len(unread) > _MAX_UNREAD or not directories.issuperset(unread):
        return None
    return sorted(set(unread))


def _read_records(records: bytes) -> list[Listed]:
    if not records:
        return []
    nonce = records.partition(b" ")[0]
    if not re.fullmatch(rb"[0-9a-f]{16,64}", nonce) or not records.endswith(b"\n"):
        raise BadContentError("the listing does not begin, or end, with an entry")
    entries: list[Listed] = []
    seen: set[str] = set()
    for record in records[len(nonce) + 1 : -1].split(b"\n" + nonce + b" "):
        entry = _read_record(record)
        if entry.path in seen:
            raise BadContentError(f"the listing has {entry.path[:200]} twice")
        seen.add(entry.path)
        entries.append(entry)
    return entries


def _read_record(record: bytes) -> Listed:
    match = _STATUS.fullmatch(record)
    mode = int(match.group(1), 16) if match else 0
    if match is None or stat.S_IFMT(mode) not in TYPES:
        raise BadContentError(f"the container's stat program wrote {decode_text(record[:80])}")
    kind = TYPES[stat.S_IFMT(mode)]
    uid, gid, size, mtime, ctime = (int(number) for number in match.groups()[1:6])
    name, target = match.group(7), None
    if kind == "symlink":
        name, text = _split_link(name, size)
        target = decode_text(text)
    return Listed(_real(name), kind, stat.S_IMODE(mode), uid, gid, size, mtime, ctime, target)


def _split_link(text: bytes, size: int) -> tuple[bytes, bytes]:
    """Name and target of `NAME newline NAME -> TARGET`, the last two in quotes or not; the target has `size`
    bytes."""
    for before, after, left, right in _QUOTES:
        quotes = len(before + after + left + right)
        length = (len(text) - 1 - len(_ARROW) - quotes - size) // 2
        name, target = text[: max(length, 0)], text[len(text) - size - len(right) : len(text) - len(right)]
        if text == name + b"\n" + before + name + after + _ARROW + left + target + right:
            return name, target
    raise BadContentError(f"the container's stat program wrote a link as {decode_text(text[:200])}")


def _real(path: bytes) -> str:
    """From beside and of an image, paths are relative to the target's root."""
    return decode_text(path[1:] or b"/") if path.startswith(b".") else decode_text(path)


LISTING = Family(
    subject=PATH_ON_DISK,
    value='{"place": str (the real path), "link_target": str or None (the path is no link), "unread": [str] (directories), '
    '"entries": [[path, type, mode, uid, gid, size, mtime, ctime, link_target]]}',
    options=(_LIMIT, _SECONDS),
    image_kind=IMAGE_LISTING,
    calls=call_with("listing", PATH_ON_DISK, _SECONDS),
    read=_read_listing,
    shell=_SHELL,
    uses=("limited", "remaining"),
    parts=("list",),
    programs=("find", "stat", "head", "gzip", "base64", "od", "readlink"),
)
