# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that every collection shares: a known environment, frames, and looking at a path without being fooled.

Rules that all shell code of the collector keeps:

- POSIX sh, as dash, bash, busybox ash and mksh run it. `local` is not in POSIX: all variables are global. mksh counts
  in 32 bits and has no printf of its own.
- No here-documents, because some shells keep them in temporary files. No redirection on a special builtin and no
  wrong option to one, because POSIX lets that end the shell.
- What the container says is never evaluated: not in $(( )), not in eval, not as a format.
- A program costs a fork, about half a millisecond. Paths are looked at with the shell's own test, and asked about in
  one stat for all.
- test -r and test -x of some shells answer "yes" to root without asking the kernel, and root without capabilities is
  common in containers. So searching a directory is tested with `-e dir/.`, and opening by opening.
- /proc files are read whole by a program where one is there: dash and ash read byte by byte, and kernel parameters end
  after their first byte then.

Variables with a meaning everywhere: r the path of what is looked at, through which it can be opened, _e its own name
(where that is a link), s and c status and cause of a look, T the process that stands for the target, t the target of a
link, v the text that was read and z its size, u the time, l a line, nl a newline, enc and E the encoder's
command and name, P the programs that are there. Other variables of shared functions begin with _, those of a family do
not.
"""

from __future__ import annotations

# Options (SHELLOPTS of bash) and functions may come with the environment. So may variables of our names: these would stay
# exported, and what they then hold would be too long for the environment of any program.
PREPARE = r"""
set +aeuvxC
set -f
unset -f '[' command printf read test echo kill wait cd true shopt stat readlink base64 od cat tr grep cut head find \
  sleep sha256sum rpm chroot uname gzip setsid
[ -z "${BASH_VERSION-}" ] || shopt -u failglob nullglob nocaseglob nocasematch
unset GLOBIGNORE POSIXLY_CORRECT GREP_OPTIONS GREP_COLOR BASH_ENV ENV CDPATH
unset a b c d e f g h i j k l m n o p q r s t u v w x y z E J K P T enc left limit list me nl nonce st sum t0 \
  _d _e _f _i _k _m _n _p _q _r _s _w _x _y
unalias -a
LC_ALL=C LANG=C LANGUAGE=C TZ=UTC
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
export LC_ALL LANG LANGUAGE TZ PATH
nl='
'
IFS=' 	'$nl
case ${KSH_VERSION-} in
*MIRBSD*|*LEGACY*) set +U; say() { print -rn -- "$1"; } ;;
*) say() { printf %s "$1"; } ;;
esac
[ -c /dev/null ] || { say "the container has no /dev/null$nl" >&2; exit 3; }
cd /
o= n=0 st= P= enc= E=
has() { case $P in *" $1 "*) return 0 ;; esac; return 1; }
put() {
  [ ${#4} -le $left ] || set -- "$1" too_large text 'the reply of the whole collection is too large'
  left=$((left-${#4})) n=$((n+1))
  o=${o}frame\ $1\ $2\ $3\ ${#4}$nl$4$nl
  [ ${#o} -lt 30000 ] || { say "$o"; o=; }
}
now() {
  u=0
  read -r u _x </proc/uptime || u=0
  case $u in *[!0-9.]*|'') u=0 ;; *) u=${u%%.*} ;; esac
}
late() { now; [ "$u" -gt 0 ] && [ $((u-t0)) -ge $limit ]; }
"""

# see: the path as the shell itself sees it. A view defines look, at and entry, which see the target's path.
SEE = r"""
see() {
  r=$1 _e=$1 s=ok c=
  [ -e "$r" ] && return 0
  _q=$r _k=0
  while :; do
    _d=${_q%/*}
    if [ -h "$_q" ]; then
      _k=$((_k+1)) s=unreadable
      [ $_k -le 40 ] || { c='too many levels of symbolic links'; return 1; }
      has readlink || { c='it is a symbolic link, and the container has no readlink to follow it'; return 1; }
      target "$_q"
      case $t in '') c='its symbolic link cannot be read'; return 1 ;; /*) _q=$t ;; *) _q=$_d/$t ;; esac
    elif [ -e "$_d/." ]; then
      s=absent
      listed "$_d" "${_q##*/}" && s=unreadable c='it is there, but its status cannot be read'
      return 1
    elif [ -d "$_d" ]; then s=unreadable c="no permission to search $_d"; return 1
    elif [ -e "$_d" ]; then s=absent; return 1
    else _q=$_d
    fi
  done
}
listed() {
  set +f
  for _x in "${1%/}/${2%?}"*; do
    [ "$_x" != "${1%/}/$2" ] || { set -f; return 0; }
  done
  set -f
  return 1
}
"""

# From inside, the target's root is the shell's, and a link leads where the kernel leads it.
FROM_INSIDE = r"""
T=$$
at() { r=$1 _e=$1; }
look() { see "$1"; }
entry() { r=$1; }
members() { set +f; set -- /proc/[1-9]*; set -f; _w=$*; }
target() { t=$(readlink "$1"; say .); t=${t%.}; t=${t%"$nl"}; }
"""

# What holds a newline would make two lines of one in the list of stat, so it is asked about alone.
STATS = r"""
stats() {
  [ $# -eq 0 ] || ! has stat || st=$(stat -L -c "%n$nl%f %u %g %s %Y" -- "$@")
}
over() { [ ${#1} -gt 9 ] || [ "${1:-0}" -gt "$2" ]; }
size() {
  z= _x=
  case $1 in *"$nl"*) ! has stat || z=$(stat -L -c %s -- "$1"); return ;; esac
  IFS=$nl
  for _y in $st; do
    [ -z "$_x" ] || { z=${_y#* * * } z=${z%% *}; break; }
    [ "$_y" != "$1" ] || _x=1
  done
  IFS=' 	'$nl
}
plain() {
  if ! look "$2"; then put "q$1" $s text "$c"
  elif [ ! -f "$r" ]; then put "q$1" unsupported text 'it is not a regular file'
  elif late; then put "q$1" timed_out text 'the time of the whole collection was over'
  elif size "$r"; over "$z" "$3"; then put "q$1" too_large text "it has $z bytes, the limit is $3"
  else return 0
  fi
  return 1
}
"""

FINISH = r"""
put collector ok text "shell=${BASH_VERSION:+bash $BASH_VERSION}${KSH_VERSION:+$KSH_VERSION}${nl}programs=$P"
wait
say "${o}end $n $nonce$nl"
exit 0
"""

# pure tells whether a path is certainly no pseudo file: these have size 0 whatever they hold.
# slurp reads with the shell alone: v the text, z the bytes that were read (what v lacks of them were NUL bytes).
# limited runs a program for at most so many seconds, and ends with 137 if that was too short. The program's stderr is
# fd 3, apart from what the shell says of processes that are killed. No process may be left, so it waits for the watcher
# and the watcher for its sleep. A shell's child can lose a signal 15 before it has set its trap, or before it has
# become sleep: hence 9 for sleep, and 15 for the watcher until it has ended (state Z). A wait can return for a signal
# that came before it: hence the watcher waits until sleep is not there to be killed again.
FUNCTIONS: dict[str, str] = {
    "pure": r"""
pure() { case ${1#.} in /proc/*|/sys/*) return 1 ;; esac; [ ! -h "$1" ]; }
""",
    "slurp": r"""
slurp() {
  v= z= _y=1
  {
    _y=0
    while IFS= read -r l; do
      v=$v$l$nl
      [ ${#v} -le "$2" ] || break
    done
    v=$v$l
    read -r _x z </proc/self/fdinfo/4
  } <"$1" 4<&0
  return $_y
}
""",
    "read_all": r"""
read_all() { if has cat; then v=$(cat "$1"); else slurp "$1" "$2"; fi; }
""",
    "pick": r"""
pick() {
  if has grep; then
    _x=$1; shift
    v=$(grep -hE "$_x" "$@")
    [ $? -le 1 ]
  else
    shift; _w= _i=0
    for _f do slurp "$_f" 1000000 && _w=$_w$v$nl || _i=1; done
    v=$_w
    return $_i
  fi
}
""",
    "limited": r"""
limited() {
  _x=$1; shift
  "$@" 2>&3 & _i=$!
  {
    trap 'trap "" TERM; while kill -9 $!; do wait $!; done; exit 0' TERM
    sleep $_x & wait $!
    kill -9 $_i
  } >/dev/null & _w=$!
  wait $_i; _x=$?
  _y=0
  while kill $_w && IFS= read -r l </proc/$_w/stat && [ $_y -lt 9999 ]; do
    case $l in *') Z '*) break ;; esac
    _y=$((_y+1))
  done
  wait $_w
  return $_x
}
""",
}

# What a function needs besides: other functions and programs.
NEEDS: dict[str, dict[str, str]] = {
    "pure": {"functions": "", "programs": ""},
    "slurp": {"functions": "", "programs": ""},
    "read_all": {"functions": "slurp", "programs": "cat"},
    "pick": {"functions": "slurp", "programs": "grep"},
    "limited": {"functions": "", "programs": "sleep"},
}
