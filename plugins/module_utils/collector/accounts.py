# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""passwd, shadow and group: the account databases, with the kind of each password in place of the password.

The kind is found by the shell: the hash never leaves the container. Fields that look like a hash in the wrong
place are kept back, and in shadow whatever is not a number behind the password. A line that is not of the
database's form makes the fact unsupported. Comments and empty lines are left out, as the C library does.

Kinds of passwords: empty (no password is needed), shadow ("x": it stands in shadow), locked ("!" and perhaps
a hash), disabled ("*"), des, md5, sha256, sha512, yescrypt, gost_yescrypt, scrypt, bcrypt, other. The
prefixes are those of crypt(5).
"""

from __future__ import annotations

import re
from typing import Any, Callable

from .facts import OK, Fact, Query
from .family import Answer, Family, call
from .frames import BadContentError, decode_text, read_integer
from .query_rules import NO_SUBJECT

_MAX_BYTES = 1024 * 1024

_SHELL = r"""
accounts() {
  plain "$1" "$2" $4 || return
  text= accounts__failed=1
  {
    accounts__failed=0
    while IFS= read -r line || [ "$line" ]; do
      case $line in ''|'#'*) continue ;; esac
      accounts__name=${line%%:*} accounts__rest=${line#*:}
      accounts__password=${accounts__rest%%:*}
      case $line in
      *:*:*) accounts__rest=${accounts__rest#*:} ;;
      *:*) accounts__rest= ;;
      *) accounts__password=- accounts__rest='?' ;;
      esac
      case $accounts__name in *'$'*'$'*) accounts__name='?' accounts__rest='?' ;; esac
      case $3:$accounts__rest in shadow:*[!0-9:-]*|*'$'*'$'*) accounts__rest='?' ;; esac
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
"""

_KIND = re.compile(
    rb"empty|shadow|locked|disabled|des|md5|sha256|sha512|yescrypt|gost_yescrypt|scrypt|bcrypt|other"
)
_DAYS = ("last_change", "min", "max", "warn", "inactive", "expire")


def _read_lines(answer: Answer, read: Callable[[str, str, list[bytes]], dict[str, Any]]) -> Fact:
    entries = []
    for number, line in enumerate(answer.get_own().splitlines(), 1):
        name, kind, rest = [*line.split(b":", 2), b"", b""][:3]
        fields = rest.split(b":")
        try:
            if not _KIND.fullmatch(kind):
                raise BadContentError("there is no password field")
            entries.append(read(decode_text(name), kind.decode(), fields))
        except BadContentError as error:
            raise BadContentError(
                f"entry {number} ({decode_text(name[:40])}) is not of the database's form: {error}"
            ) from None
    return Fact(OK, entries)


def _read_user(name: str, kind: str, fields: list[bytes]) -> dict[str, Any]:
    if len(fields) != 5:
        raise BadContentError("it has not 7 fields")
    gecos, home, shell = (decode_text(field) for field in fields[2:])
    return {
        "name": name,
        "password": kind,
        "uid": _read_id(name, fields[0]),
        "gid": _read_id(name, fields[1]),
        "gecos": gecos,
        "home": home,
        "shell": shell,
    }


def _read_shadow(name: str, kind: str, fields: list[bytes]) -> dict[str, Any]:
    # trailing fields may be left out; the seventh is reserved
    if len(fields) > 7:
        raise BadContentError("it has more than 9 fields")
    days = [_read_days(field) for field in fields[:6]]
    return dict(zip(_DAYS, days + [None] * (6 - len(days))), name=name, password=kind)


def _read_group(name: str, kind: str, fields: list[bytes]) -> dict[str, Any]:
    if len(fields) != 2:
        raise BadContentError("it has not 4 fields")
    return {
        "name": name,
        "gid": _read_id(name, fields[0]),
        "members": [decode_text(member) for member in fields[1].split(b",") if member],
    }


def _read_id(name: str, field: bytes) -> int | None:
    return None if not field and name[:1] in ("+", "-") else read_integer(field)


def _read_days(field: bytes) -> int | None:
    return -read_integer(field[1:]) if field.startswith(b"-") else read_integer(field) if field else None


def _family(database: str, read: Callable[[str, str, list[bytes]], dict[str, Any]], value: str) -> Family:
    path = "/etc/" + database

    def read_answer(answer: Answer, query: Query) -> Fact:
        return _read_lines(answer, read)

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
    'a list of {"name": str, "password": kind of the password, "uid": int, "gid": int, "gecos": str, "home": str, '
    '"shell": str}; lines that include another directory (+ or -) can have None as uid and gid',
)
SHADOW = _family(
    "shadow",
    _read_shadow,
    'a list of {"name": str, "password": kind of the password, and "last_change", "min", "max", "warn", "inactive", '
    '"expire": int (days) or None}',
)
GROUP = _family(
    "group",
    _read_group,
    'a list of {"name": str, "gid": int, "members": [str]}; gid can be None as in passwd',
)
