# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python_packages: the distributions below one prefix (/usr, /usr/local, a virtual environment), as pip lists them.

They stand in PREFIX/lib/pythonX.Y/site-packages (also lib64, and dist-packages, as Debian names it), each with a folder
NAME-VERSION.dist-info, or a folder or file NAME-VERSION.egg-info or .egg. Where a name has no version in it, as
setuptools leaves it in development, the file METADATA or PKG-INFO in it tells the version. What pip does not take for a
distribution is left out: names with other characters, and such that begin with ~ (what a removal left behind).

The fact is absent where the prefix has no such folder, and unreadable where one of them cannot be listed.

Packages of Node need no kind of their own: NODE_MODULES/NAME/package.json tells name and version.
"""

from __future__ import annotations

import re
from typing import Any

from .facts import OK, Fact, Query
from .family import Answer, Family, call_with
from .frames import BadContentError, decode_text
from .query_rules import PATH

_LIMIT = 2000

# $1 the query, $2 the prefix. v: a line +FOLDER, then a line for each name, with =VERSION where it was read.
_SHELL = r"""
python_packages() {
  a=$1 b=$2 v= d= k=0
  for y in lib lib64; do
    if look "$b/$y"; then
      f=$r
      # lib64 is lib where it is a link to it
      [ $y = lib ] || ! look "$b/lib" || ! [ "$f" -ef "$r" ] || continue
      python_folders "$f" "$b/$y" || return
    elif [ $s != absent ]; then put "q$a" $s text "$c"; return
    fi
  done
  if [ "$d" ]; then put "q$a" ok text "$v"
  else put "q$a" absent text "there is no folder of Python packages below $b"
  fi
}
python_folders() {
  [ -d "$1" ] || return 0
  true <"$1" || { put "q$a" unreadable text "$2 cannot be listed"; return 1; }
  j=$2
  set +f; set -- "$1"/python[0-9]*; set -f
  for x do
    for w in site-packages dist-packages; do
      look "${x#.}/$w"
      case $s in
      ok) [ -d "$r" ] || continue ;;
      absent) continue ;;
      *) put "q$a" $s text "$c"; return 1 ;;
      esac
      ! late || { put "q$a" timed_out text 'the time of the whole collection was over'; return 1; }
      python_names "$r" "$j/${x##*/}/$w" || return
    done
  done
}
python_names() {
  case $2 in *"$nl"*) put "q$a" unsupported text 'the name of a folder holds a newline'; return 1 ;; esac
  true <"$1" || { put "q$a" unreadable text "$2 cannot be listed"; return 1; }
  d=1 v=$v+$2$nl
  set +f; set -- "$1"/*.dist-info "$1"/*.egg-info "$1"/*.egg; set -f
  for q do
    i=${q##*/}
    case $i in *[!A-Za-z0-9._+!-]*) continue ;; esac
    [ $((k=k+1)) -le LIMIT ] || { put "q$a" too_large text 'there are more than LIMIT packages'; return 1; }
    v=$v$i
    case $i in *-*.dist-info|*-*.egg-info|*-*.egg) ;; *) python_version "$q" ;; esac
    v=$v$nl
  done
}
python_version() {
  entry "$1" && [ -d "$r" ] || return
  i=$r
  for h in METADATA PKG-INFO; do
    if look "${i#.}/$h" && [ -f "$r" ]; then
      l= m=0
      while [ $((m=m+1)) -le 50 ] && IFS= read -r l; do
        case $l in Version:*) v=$v=${l#Version:}; return ;; '') break ;; esac
      done <"$r"
    fi
  done
}
""".replace("LIMIT", str(_LIMIT))

_DIST_INFO = re.compile(rb"(?P<name>.+?)(-(?P<version>[^-]+))?\.dist-info")
# the Python and the platform that it was made for may follow
_EGG = re.compile(rb"(?P<name>.+?)(-(?P<version>[0-9][^-]*)(-py[0-9].*)?)?\.egg(-info)?")


def _read_python_packages(answer: Answer, query: Query) -> Fact:
    found: list[dict[str, Any]] = []
    folder: str | None = None
    for line in answer.get_own().split(b"\n"):
        if line.startswith(b"+"):
            folder = decode_text(line[1:])
        elif line:
            entry, _equals, told = line.partition(b"=")
            match = _DIST_INFO.fullmatch(entry) or _EGG.fullmatch(entry)
            if folder is None:
                raise BadContentError(f"{decode_text(entry[:80])} stands in no folder")
            if match is None:
                raise BadContentError(f"{decode_text(entry[:80])} is not the name of a distribution")
            version = match.group("version") or told.strip()
            found.append(
                {
                    "name": decode_text(match.group("name")),
                    "version": decode_text(version) or None,
                    "path": folder,
                }
            )
    return Fact(OK, found)


PYTHON_PACKAGES = Family(
    subject=PATH,
    value='a list of {"name": str, "version": str or None (it is not told), "path": str (the folder)}',
    calls=call_with("python_packages", PATH),
    read=_read_python_packages,
    shell=_SHELL,
    programs=("readlink",),
)
