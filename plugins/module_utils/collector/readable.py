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

# readable__same is set to 1 where the shell is in all groups of the target's process, and else to 0; it is
# found out once.
_SHELL = r"""
readable() {
  if look "$2"; then
    if [ ! -f "$path" ]; then unsupported $1 'it is not a regular file'; return
    elif true <"$path"; then put "q$1" ok text yes; return
    fi
    cause='it cannot be opened for reading'
  else case $cause in 'no permission to search '*) ;; *) unseen $1; return ;; esac
  fi
  if groups_held; then put "q$1" ok text "no$nl$cause"
  else unsupported $1 'the target is in groups that the scan is not in'
  fi
}
groups_held() {
  case $groups_held__known in 0|1) return $groups_held__known ;; esac
  groups_of $$; groups_held__own=" $groups_of__numbers "
  groups_of $target__process
  groups_held__known=0
  [ "$groups_of__numbers" ] || groups_held__known=1
  for groups_held__number in $groups_of__numbers; do
    case $groups_held__own in *" $groups_held__number "*) ;; *) groups_held__known=1 ;; esac
  done
  return $groups_held__known
}
groups_of() {
  groups_of__numbers=
  while read -r groups_of__name groups_of__line; do
    case $groups_of__name in
    Gid:|Groups:) for groups_of__number in $groups_of__line; do groups_of__numbers="$groups_of__numbers $groups_of__number"; done ;;
    esac
  done </proc/$1/status
}
groups_held__known=
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
