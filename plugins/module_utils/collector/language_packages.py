# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python_packages: the distributions below one prefix (/usr, /usr/local, a virtual environment), as pip lists
them.

They stand in PREFIX/lib/pythonX.Y/site-packages (also lib64, and dist-packages, as Debian names it), each
with a folder NAME-VERSION.dist-info, or a folder or file NAME-VERSION.egg-info or .egg. Where a name has no
version in it, as setuptools leaves it in development, the file METADATA or PKG-INFO in it tells the version.
What pip does not take for a distribution is left out: names with other characters, and such that begin with ~
(what a removal left behind).

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

# $1 the query, $2 the prefix. A lib64 that is a link to lib is not looked at.
# text: a line +FOLDER, then a line for each name, with =VERSION where it was read.
_SHELL = r"""
python_packages() {
  python__query=$1 python__prefix=$2 text= python__found= python__count=0
  for python__lib in lib lib64; do
    if look "$python__prefix/$python__lib"; then
      python__folder=$path
      [ $python__lib = lib ] || ! look "$python__prefix/lib" || ! [ "$python__folder" -ef "$path" ] || continue
      python_folders "$python__folder" "$python__prefix/$python__lib" || return
    elif [ $status != absent ]; then unseen $python__query; return
    fi
  done
  if [ "$python__found" ]; then put "q$python__query" ok text "$text"
  else put "q$python__query" absent text "there is no folder of Python packages below $python__prefix"
  fi
}
python_folders() {
  [ -d "$1" ] || return 0
  true <"$1" || { put "q$python__query" unreadable text "$2 cannot be listed"; return 1; }
  python__place=$2
  set +f; set -- "$1"/python[0-9]*; set -f
  for python__version_folder do
    for python__kind in site-packages dist-packages; do
      look "${python__version_folder#.}/$python__kind"
      case $status in
      ok) [ -d "$path" ] || continue ;;
      absent) continue ;;
      *) unseen $python__query; return 1 ;;
      esac
      ! too_late $python__query || return 1
      python_names "$path" "$python__place/${python__version_folder##*/}/$python__kind" || return
    done
  done
}
python_names() {
  case $2 in *"$nl"*) unsupported $python__query 'the name of a folder holds a newline'; return 1 ;; esac
  true <"$1" || { put "q$python__query" unreadable text "$2 cannot be listed"; return 1; }
  python__found=1 text=$text+$2$nl
  set +f; set -- "$1"/*.dist-info "$1"/*.egg-info "$1"/*.egg; set -f
  for python__entry do
    python__name=${python__entry##*/}
    case $python__name in *[!A-Za-z0-9._+!-]*) continue ;; esac
    [ $((python__count=python__count+1)) -le LIMIT ] || {
      put "q$python__query" too_large text 'there are more than LIMIT packages'
      return 1
    }
    text=$text$python__name
    case $python__name in *-*.dist-info|*-*.egg-info|*-*.egg) ;; *) python_version "$python__entry" ;; esac
    text=$text$nl
  done
}
python_version() {
  entry "$1" && [ -d "$path" ] || return
  python__name=$path
  for python__file in METADATA PKG-INFO; do
    if look "${python__name#.}/$python__file" && [ -f "$path" ]; then
      line= python__lines=0
      while [ $((python__lines=python__lines+1)) -le 50 ] && IFS= read -r line; do
        case $line in Version:*) text=$text=${line#Version:}; return ;; '') break ;; esac
      done <"$path"
    fi
  done
}
""".replace("LIMIT", str(_LIMIT))

# The kernel's limit for the name of a file; the time that the patterns take grows with its square.
_NAME_LIMIT = 255
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
            is_name = len(entry) <= _NAME_LIMIT
            match = (_DIST_INFO.fullmatch(entry) or _EGG.fullmatch(entry)) if is_name else None
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
