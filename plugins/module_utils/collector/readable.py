# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readable: whether the container's user can read a regular file.

The kernel is asked: the file is opened. Where a folder on the way may not be searched, or the file may not be
opened, it is not readable for the container's user, whatever it holds: that is an answer here, where other
kinds only know that they have seen nothing.

From inside, the shell has what the runtime gives the container's user. Beside the target it has the same user
and group and no capability more than the target's process; only the groups that the image's /etc/group adds
can be lacking. Where the target's process is in a group that the shell is not in, the fact is unsupported.
"""

from __future__ import annotations

from .facts import OK, Fact, Query
from .family import RUNNING, Answer, Family, call_with
from .frames import BadContentError, decode_text
from .query_rules import PATH

# From inside, the target's process is the shell itself.
_SHELL = r"""
readable() {
  if look "$2"; then
    [ -f "$path" ] || { unsupported $1 'it is not a regular file'; return; }
    if true <"$path"; then put "q$1" ok text yes; return; fi
    cause='it cannot be opened for reading'
  else case $cause in 'no permission to search '*) ;; *) unseen $1; return ;; esac
  fi
  groups $$; readable__own=" $groups__numbers "
  groups $target__process
  for readable__group in $groups__numbers; do
    case $readable__own in
    *" $readable__group "*) ;;
    *) unsupported $1 'the target is in a group that the scan is not in'; return ;;
    esac
  done
  put "q$1" ok text "no$nl$cause"
}
groups() {
  unused=
  while IFS=' 	' read -r unused groups__numbers; do [ "$unused" != Groups: ] || break; done </proc/$1/status
  [ "$unused" = Groups: ] || groups__numbers=unknown
}
"""


def _read_readable(answer: Answer, _query: Query) -> Fact:
    word, newline, refusal = answer.get_own().partition(b"\n")
    if word == b"yes" and not newline:
        return Fact(OK, {"readable": True, "refusal": ""})
    if word == b"no" and newline:
        return Fact(OK, {"readable": False, "refusal": decode_text(refusal)})
    raise BadContentError("the script did not say yes or no")


READABLE = Family(
    subject=PATH,
    value='{"readable": bool, "refusal": str (what the kernel refused, empty where it is readable)}',
    calls=call_with("readable", PATH),
    read=_read_readable,
    shell=_SHELL,
    programs=("readlink",),
    reach=RUNNING,
)
