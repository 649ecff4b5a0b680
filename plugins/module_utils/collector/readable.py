# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readable: whether the container's user can read a regular file.

The kernel is asked: the file is opened. Where it refuses to search a folder on the way, or to open the file, the
container's user cannot read it, whatever it holds: that is an answer here, where other kinds only know that they
have seen nothing.

From inside, the shell has what the runtime gives the container's user. Beside the target it has the same user
and group. It can lack two things, and then a refusal says nothing of the target, and the fact is unsupported:

- The groups that the image's /etc/group adds: the target's process is in one that the shell is not in.
- Capabilities of root: the target's process has put its own off, but other processes of its container can have
  them, because its bounding set holds some and is not the shell's.
"""

from __future__ import annotations

from .facts import OK, Fact, Query
from .family import RUNNING, Answer, Family, call_with
from .frames import BadContentError, decode_text
from .query_rules import PATH

_SHELL = r"""
readable() {
  if look "$2"; then
    [ -f "$path" ] || { unsupported $1 'it is not a regular file'; return; }
    if true <"$path"; then put "q$1" ok text yes; return; fi
    cause='it cannot be opened for reading'
  else case $cause in 'no permission to search '*) ;; *) unseen $1; return ;; esac
  fi
  readable__refusal=$cause
  same_standing || { unsupported $1 "$cause"; return; }
  put "q$1" ok text "no$nl$readable__refusal"
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
    uses=("same_standing",),
    programs=("readlink",),
    reach=RUNNING,
)
