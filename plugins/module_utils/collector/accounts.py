# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""passwd, shadow and group: the account databases, with the kind of each password in place of the password.

The kind is found by the shell: the hash never leaves the container. Fields that look like a hash in the wrong
place are kept back, and in shadow whatever is not a number behind the password.

Kinds of passwords: empty (no password is needed), shadow ("x": it stands in shadow), locked ("!" and perhaps
a hash), disabled ("*"), des, md5, sha256, sha512, yescrypt, gost_yescrypt, scrypt, bcrypt, other. The
prefixes are those of crypt(5). directory: a line that includes another directory (+ or -) and leaves it the password.

Lines of another form: A line costs no other line. glibc (nss/nss_files/files-parse.c) leaves out what it cannot read, and
reads more than passwd(5) allows: blanks before the name and before a number, a sign, missing fields at the end, further
fields as a part of the last one. musl and busybox differ. So the fact has each line as glibc reads it, without the texts of
one that has not 7 fields. Where a line is of another form the fact is unsupported, with the numbers of the lines: that is
enough to prove a failure, never its absence. Empty lines, comments, and lines that include another directory are left out
by all readers of files, and are no such lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable

from .facts import OK, UNSUPPORTED, Fact, Query
from .family import Answer, Family, call
from .frames import BadContentError, decode_text, read_integer
from .query_rules import NO_SUBJECT

_MAX_BYTES = 1024 * 1024

# In the place of a field that looks like a hash. No other field can have it: two dollars look like a hash.
_KEPT_BACK = b"$$"

_SHELL = r"""
accounts() {
  plain "$1" "$2" $4 || return
  text= accounts__failed=1
  {
    accounts__failed=0
    while IFS= read -r line || [ "$line" ]; do
      accounts__name=${line%%:*} accounts__rest=${line#*:}
      case $accounts__name in '#'*) accounts__name= line= ;; *'$'*'$'*) accounts__name='$$' ;; esac
      accounts__password=${accounts__rest%%:*}
      case $line in
      *:*:*) accounts__rest=${accounts__rest#*:} ;;
      *:*) accounts__rest= ;;
      *)
        text=$text$accounts__name$nl
        [ ${#text} -le $4 ] || break
        continue
        ;;
      esac
      case $3:${accounts__rest%?} in
      shadow:*[!0-9:-]*) accounts__rest='$$' ;;
      *'$'*'$'*) accounts_kept_back ;;
      esac
      case $accounts__password in
      '') accounts__password=empty ;;
      x) accounts__password=shadow ;;
      '!'*) accounts__password=locked ;;
      '*'*) accounts__password=disabled ;;
      '$1$'*) accounts__password=md5 ;;
      '$5$'*) accounts__password=sha256 ;;
      '$6$'*) accounts__password=sha512 ;;
      '$y$'*) accounts__password=yescrypt ;;
      '$gy$'*) accounts__password=gost_yescrypt ;;
      '$7$'*) accounts__password=scrypt ;;
      '$2'[abxy]'$'*) accounts__password=bcrypt ;;
      *[!./0-9A-Za-z]*) accounts__password=other ;;
      ?????????????) accounts__password=des ;;
      *) accounts__password=other ;;
      esac
      text=$text$accounts__name:$accounts__password:$accounts__rest$nl
      [ ${#text} -le $4 ] || break
    done
  } <"$path"
  if [ $accounts__failed = 1 ]; then put "q$1" unreadable text 'it cannot be opened for reading'
  elif [ ${#text} -gt $4 ]; then put "q$1" too_large text "it has more than $4 bytes"
  else put "q$1" ok text "$text"
  fi
}
accounts_kept_back() {
  accounts__fields=$accounts__rest: accounts__rest=
  for unused in 1 2 3 4 5; do
    [ "$accounts__fields" ] || break
    accounts__field=${accounts__fields%%:*} accounts__fields=${accounts__fields#*:}
    case $accounts__field in *'$'*'$'*) accounts__field='$$' ;; esac
    accounts__rest=$accounts__rest:$accounts__field
  done
  accounts__rest=${accounts__rest#:}${accounts__fields:+:'$$'}
}
"""

_KIND = re.compile(
    rb"empty|shadow|locked|disabled|des|md5|sha256|sha512|yescrypt|gost_yescrypt|scrypt|bcrypt|other"
)
_DAYS = ("last_change", "min", "max", "warn", "inactive", "expire")


# What is wrong with a line; empty where nothing is.
Flaw = str
# A line as glibc reads it (None where it leaves it out), and its flaw.
Read = Callable[[str, str, "list[bytes]"], "tuple[dict[str, Any] | None, Flaw]"]

_BLANKS = " \t\r\v\f"
_LARGEST_ID = 0xFFFFFFFF
_ID = re.compile(rb"[ \t\r\v\f]*([+-]?)([0-9]{1,20})")


def _read_lines(answer: Answer, read: Read, bare: Callable[[str], dict[str, Any]]) -> Fact:
    """:param bare: the entry of a line that includes another directory and has nothing but a name"""
    entries: list[dict[str, Any]] = []
    flaws: dict[Flaw, list[tuple[int, str]]] = {}
    for number, line in enumerate(answer.get_own().split(b"\n"), 1):
        entry, flaw = _read_line(line, read, bare)
        if entry is not None:
            entries.append(entry)
        if flaw:
            flaws.setdefault(flaw, []).append((number, _shown_name(line)))
    if flaws:
        return Fact(UNSUPPORTED, entries, _cause(flaws))
    return Fact(OK, entries)


def _read_line(
    line: bytes, read: Read, bare: Callable[[str], dict[str, Any]]
) -> tuple[dict[str, Any] | None, Flaw]:
    name, *others = line.split(b":", 2)
    text = decode_text(name).replace("$$", "?")
    shown = text.strip(_BLANKS)
    if shown[:1] == "#" or (not shown and not others):
        return None, ""
    if not others:
        return (bare(shown), "") if _is_directory(shown) else (None, "it has no fields")
    if not _KIND.fullmatch(others[0]):
        raise BadContentError("the container's shell wrote a kind of password that there is not")
    kind, rest = others[0].decode(), [*others, b""][1]
    ends_with_return = rest[-1:] == b"\r"
    fields = (rest[:-1] if ends_with_return else rest).split(b":")
    entry, flaw = read(text.lstrip(_BLANKS), kind, fields)
    if ends_with_return:
        flaw = (
            "it ends with CR LF, as files of Windows do, and readers take the CR for a part of its last field"
        )
    elif not flaw and text[:1] in (*_BLANKS, ""):
        flaw = "it begins with a blank" if text else "it has no name"
    return entry, flaw or (_LOOKS_LIKE_HASH if _KEPT_BACK in (name, *fields) else "")


_LOOKS_LIKE_HASH = "a field that looks like a password hash in the wrong place was not read"


def _shown_name(line: bytes) -> str:
    return decode_text(line.split(b":", 1)[0][:40]).strip(_BLANKS).replace("$$", "?")


def _cause(flaws: Mapping[Flaw, list[tuple[int, str]]]) -> str:
    """Which lines are of another form, and why; those with the same flaw together."""
    said = []
    for flaw, lines in flaws.items():
        number, name = lines[0]
        place = f"line {number} ({name})" if name else f"line {number}"
        said.append(f"{place} is not of the database's form: {flaw}{_others(lines[1:])}")
    more = f"; and {len(said) - 3} more flaws" if len(said) > 3 else ""
    return "; ".join(said[:3]) + more


def _others(lines: list[tuple[int, str]]) -> str:
    if not lines:
        return ""
    numbers = ", ".join(str(number) for number, _name in lines[:5])
    return f" (the same in {'line' if len(lines) == 1 else 'lines'} {numbers}{' and more' if len(lines) > 5 else ''})"


def _is_directory(name: str) -> bool:
    """Whether a line includes another directory (NIS), or takes something out of it."""
    return name[:1] in ("+", "-")


def _kind_of(name: str, kind: str) -> str:
    return "directory" if kind == "empty" and _is_directory(name) else kind


def _read_user(name: str, kind: str, fields: list[bytes]) -> tuple[dict[str, Any] | None, Flaw]:
    uid, uid_flaw = _read_id(name, fields[0], "user id")
    gid, gid_flaw = _read_id(name, fields[1] if len(fields) > 1 else b"", "group id")
    count_flaw = "" if len(fields) == 5 else f"it has {len(fields) + 2} fields, not 7"
    flaw = count_flaw or uid_flaw or gid_flaw
    if (uid is None or gid is None) and not _is_directory(name):
        return None, flaw
    entry = {"name": name, "password": _kind_of(name, kind), "uid": uid, "gid": gid}
    if len(fields) == 5:
        entry.update(zip(("gecos", "home", "shell"), map(_text, fields[2:])))
    return entry, flaw


def _bare_user(name: str) -> dict[str, Any]:
    user = dict.fromkeys(("gecos", "home", "shell"), "")
    return {"name": name, "password": "directory", "uid": None, "gid": None, **user}


def _read_shadow(name: str, kind: str, fields: list[bytes]) -> tuple[dict[str, Any] | None, Flaw]:
    # trailing fields may be left out; the seventh is reserved
    if _KEPT_BACK in fields:
        return None, "behind its password stands something else than numbers"
    if len(fields) > 7:
        return None, "it has more than 9 fields"
    try:
        days = [_read_days(field) for field in fields[:6]]
    except BadContentError as error:
        return None, str(error)
    return dict(zip(_DAYS, days + [None] * (6 - len(days))), name=name, password=_kind_of(name, kind)), ""


def _bare_shadow(name: str) -> dict[str, Any]:
    return {**dict.fromkeys(_DAYS), "name": name, "password": "directory"}


def _read_group(name: str, kind: str, fields: list[bytes]) -> tuple[dict[str, Any] | None, Flaw]:
    gid, flaw = _read_id(name, fields[0], "group id")
    if len(fields) != 2:
        flaw = f"it has {len(fields) + 2} fields, not 4"
    if gid is None and not _is_directory(name):
        return None, flaw
    # a member with a colon in its name is nobody
    members = fields[1].split(b",") if len(fields) == 2 else []
    return {
        "name": name,
        "gid": gid,
        "members": [_text(member).lstrip(_BLANKS) for member in members if member],
    }, flaw


def _bare_group(name: str) -> dict[str, Any]:
    return {"name": name, "gid": None, "members": []}


def _text(field: bytes) -> str:
    return "?" if field == _KEPT_BACK else decode_text(field)


def _read_id(name: str, field: bytes, what: str) -> tuple[int | None, Flaw]:
    """A user's or group's id as glibc reads it: by strtoul, of which what 32 bits cannot hold becomes the largest one."""
    if not field and _is_directory(name):
        return None, ""
    match = _ID.fullmatch(field)
    if match is None:
        shown = "is empty, which musl takes for 0" if not field else f"'{_text(field[:40])}' is not a number"
        return None, f"its {what} {shown}"
    number = int(match.group(2))
    if number > _LARGEST_ID:
        return None, f"its {what} {number} is too large, and readers differ in what they make of it"
    if field.isdigit():
        return number, ""
    value = _LARGEST_ID if match.group(1) == b"-" and number else number
    return value, f"its {what} '{_text(field[:40])}' has more than digits; glibc reads {value}"


def _read_days(field: bytes) -> int | None:
    return -read_integer(field[1:]) if field.startswith(b"-") else read_integer(field) if field else None


def _family(database: str, read: Read, bare: Callable[[str], dict[str, Any]], value: str) -> Family:
    path = "/etc/" + database

    def read_answer(answer: Answer, query: Query) -> Fact:
        return _read_lines(answer, read, bare)

    return Family(
        subject=NO_SUBJECT,
        value=value,
        calls=call("accounts", path, database, _MAX_BYTES),
        read=read_answer,
        shell=_SHELL,
        programs=("stat", "readlink"),
        stat_paths=lambda query: (path,),
    )


PASSWD = _family(
    "passwd",
    _read_user,
    _bare_user,
    'a list of {"name": str, "password": kind of the password, "uid": int, "gid": int, "gecos": str, "home": str, '
    '"shell": str}; lines that include another directory (+ or -) can have None as uid and gid. Where lines are not of the '
    "database's form, the fact is unsupported and has the others, and those that glibc reads nevertheless",
)
SHADOW = _family(
    "shadow",
    _read_shadow,
    _bare_shadow,
    'a list of {"name": str, "password": kind of the password, and "last_change", "min", "max", "warn", "inactive", '
    '"expire": int (days) or None}; other lines as in passwd',
)
GROUP = _family(
    "group",
    _read_group,
    _bare_group,
    'a list of {"name": str, "gid": int, "members": [str]}; gid can be None, and other lines are, as in passwd',
)
