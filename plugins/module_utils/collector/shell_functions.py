# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that every collection shares: a known environment, frames, and looking at a path without being
fooled.

Rules that all shell code of the collector keeps:

- It is POSIX sh, as dash, bash, busybox ash and mksh run it. mksh counts in 32 bits and has no printf of its
  own.
- It has no here-documents, because some shells keep them in temporary files. It has no redirection on a
  special builtin and gives no wrong option to one, because POSIX lets that end the shell.
- What the container says is never evaluated: not in $(( )), not in eval, not as a format. It always stands in
  quotes.
- A program costs a fork, about half a millisecond. Paths are looked at with the shell's own test, and one
  stat is asked about all of them.
- test -r and test -x of some shells answer "yes" to root without asking the kernel, and root without
  capabilities is common in containers. So `-e dir/.` tests whether a directory can be searched, and a file is
  opened to see whether it can be opened.
- A program reads /proc files whole, where there is one: dash and ash read byte by byte, and kernel parameters
  end after their first byte then.

Variables. `local` is not in POSIX, so every variable is global. A variable belongs to one function, or to the
functions of one family, and is named OWNER__WORD: `look__folder` is a variable of `look`, and `walk__seconds`
one of the walks. The result of a function is named so, too: `target` leaves the text of a link in
target__link. The script that is sent has short names in their place (short_names.py). These have a meaning
everywhere and keep their names:

    path          what a look has found: the path through which it can be opened
    own_path      the same, but the link itself where the path that was asked for is a link
    status        ok, or the status of a look that has failed; cause says why, in words
    text, size    what was read, and how many bytes that was
    line          the line that is being read
    unused        a field that `read` must name and nobody asks for
    nl            a newline
    encoder       the command that makes text of bytes (base64 or od), empty where there is none; encoding is its name
    programs      the programs that are there, each between spaces
    surroundings  what is told of the target's namespaces and of the shell itself (surroundings.py)
    output        what is to be sent and is not sent yet; frames counts the frames, left the bytes that may still be
                  sent
    limit         the seconds that the whole collection has
"""

from __future__ import annotations

# Options (SHELLOPTS of bash) and functions may come with the environment. So may variables of our names:
# these would stay exported, and what they then hold would be too long for the environment of any program.
PREPARE = r"""
set +aeuvxC
set -f
unset -f '[' command printf read test echo kill wait cd true shopt stat readlink base64 od cat tr grep cut head find \
  sleep sha256sum rpm chroot uname gzip setsid
[ -z "${BASH_VERSION-}" ] || shopt -u failglob nullglob nocaseglob nocasematch
unset GLOBIGNORE POSIXLY_CORRECT GREP_OPTIONS GREP_COLOR BASH_ENV ENV CDPATH
unset SHORT_NAMES cause encoder encoding frames left limit line nl nonce output own_path path programs size status \
  surroundings text unused word
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
output= frames=0 stats__lines= programs= surroundings= encoder= encoding=
has() { case $programs in *" $1 "*) return 0 ;; esac; return 1; }
put() {
  [ ${#4} -le $left ] || set -- "$1" too_large text 'the reply of the whole collection is too large'
  left=$((left-${#4})) frames=$((frames+1))
  output=${output}frame\ $1\ $2\ $3\ ${#4}$nl$4$nl
  [ ${#output} -lt 30000 ] || { say "$output"; output=; }
}
now() {
  now__seconds=0
  read -r now__seconds unused </proc/uptime || now__seconds=0
  case $now__seconds in *[!0-9.]*|'') now__seconds=0 ;; *) now__seconds=${now__seconds%%.*} ;; esac
}
unsupported() { put "q$1" unsupported text "$2"; }
unseen() { put "q$1" $status text "$cause"; }
begin() { now; late__began=$now__seconds; }
late() { now; [ "$now__seconds" -gt 0 ] && [ $((now__seconds-late__began)) -ge $limit ]; }
too_late() { late && put "q$1" timed_out text 'the time of the whole collection was over'; }
"""

# see PATH: a look at the path as the shell itself sees it. A view defines `look PATH`, `at PATH` and `entry
# PATH`, which see the target's path.
SEE = r"""
see() {
  path=$1 own_path=$1 status=ok cause=
  [ -e "$path" ] && return 0
  see__path=$path see__links=0
  while :; do
    see__folder=${see__path%/*}
    if [ -h "$see__path" ]; then
      see__links=$((see__links+1)) status=unreadable
      [ $see__links -le 40 ] || { cause='too many levels of symbolic links'; return 1; }
      has readlink || { cause='it is a symbolic link, and the container has no readlink to follow it'; return 1; }
      target "$see__path"
      case $target__link in
      '') cause='its symbolic link cannot be read'; return 1 ;;
      /*) see__path=$target__link ;;
      *) see__path=$see__folder/$target__link ;;
      esac
    elif [ -e "$see__folder/." ]; then
      status=absent
      listed "$see__folder" "${see__path##*/}" && status=unreadable cause='it is there, but its status cannot be read'
      return 1
    elif [ -d "$see__folder" ]; then status=unreadable cause="no permission to search $see__folder"; return 1
    elif [ -e "$see__folder" ]; then status=absent; return 1
    else see__path=$see__folder
    fi
  done
}
listed() {
  set +f
  for listed__path in "${1%/}/${2%?}"*; do
    [ "$listed__path" != "${1%/}/$2" ] || { set -f; return 0; }
  done
  set -f
  return 1
}
"""

# From inside, the target's root is the shell's, and a link leads where the kernel leads it.
FROM_INSIDE = r"""
target__process=$$
at() { path=$1 own_path=$1; }
look() { see "$1"; }
entry() { path=$1; }
members() { set +f; set -- /proc/[1-9]*; set -f; members__folders=$*; }
target() { target__link=$(readlink "$1"; say .); target__link=${target__link%.}; target__link=${target__link%"$nl"}; }
"""

# What holds a newline would make two lines of one in the list of stat, so it is asked about alone.
STATS = r"""
stats() {
  [ $# -eq 0 ] || ! has stat || stats__lines=$(stat -L -c "%n$nl%f %u %g %s %Y %d" -- "$@")
}
over() { [ ${#1} -gt 9 ] || [ "${1:-0}" -gt "$2" ]; }
size() {
  size= size__found=
  case $1 in *"$nl"*) ! has stat || size=$(stat -L -c %s -- "$1"); return ;; esac
  IFS=$nl
  for size__line in $stats__lines; do
    [ -z "$size__found" ] || { size=${size__line#* * * } size=${size%% *}; break; }
    [ "$size__line" != "$1" ] || size__found=1
  done
  IFS=' 	'$nl
}
plain() {
  if ! look "$2"; then unseen $1
  elif [ ! -f "$path" ]; then unsupported $1 'it is not a regular file'
  elif too_late $1; then :
  elif size "$path"; over "$size" "$3"; then put "q$1" too_large text "it has $size bytes, the limit is $3"
  else return 0
  fi
  return 1
}
"""

FINISH = r"""
left=$((left+${#surroundings}))
text="shell=${BASH_VERSION:+bash $BASH_VERSION}${KSH_VERSION:+$KSH_VERSION}${nl}programs=$programs$nl$surroundings"
put collector ok text "$text"
wait
say "${output}end $frames $nonce$nl"
exit 0
"""

# pure PATH tells whether a path is certainly no pseudo file: these have size 0 whatever they hold. slurp PATH
# LIMIT reads with the shell alone. What the text lacks of the size were NUL bytes. read_all PATH LIMIT reads
# with cat where there is one. pick PATTERN PATH... reads the lines that match; without grep, all lines.
# remaining SECONDS gives remaining__seconds: these, or fewer where the time of the whole collection ends
# before them. same_standing tells whether the shell is allowed all that processes of the target can be (see
# readable.py); cause says why not. moment waits until a second look can show something else, where there is a sleep program.
# limited SECONDS PROGRAM... runs a program for at most so many seconds, and ends with 137 if
# that was too short. The program's stderr is fd 3, apart from what the shell says of processes that are
# killed. No process is to be left, so it waits for the watcher, and the watcher for its sleep. A shell's
# child can lose a signal 15 before it has set its trap, or before it has become sleep: hence 9 for sleep, and
# 15 for the watcher until it has ended (state Z). A wait can return for a signal that came before it: hence
# the watcher waits until sleep is not there to be killed again.
FUNCTIONS: dict[str, str] = {
    "pure": r"""
pure() { case ${1#.} in /proc/*|/sys/*) return 1 ;; esac; [ ! -h "$1" ]; }
""",
    "slurp": r"""
slurp() {
  text= size= slurp__failed=1
  {
    slurp__failed=0
    while IFS= read -r line; do
      text=$text$line$nl
      [ ${#text} -le "$2" ] || break
    done
    text=$text$line
    read -r unused size </proc/self/fdinfo/4
  } <"$1" 4<&0
  return $slurp__failed
}
""",
    "read_all": r"""
read_all() { if has cat; then text=$(cat "$1"); else slurp "$1" "$2"; fi; }
""",
    "pick": r"""
pick() {
  if has grep; then
    pick__pattern=$1; shift
    text=$(grep -hE "$pick__pattern" "$@")
    [ $? -le 1 ]
  else
    shift; pick__text= pick__failed=0
    for pick__file do
      slurp "$pick__file" 1000000 && pick__text=$pick__text$text$nl || pick__failed=1
    done
    text=$pick__text
    return $pick__failed
  fi
}
""",
    "remaining": r"""
remaining() {
  remaining__seconds=$1
  [ $now__seconds = 0 ] || [ $((limit-now__seconds+late__began)) -ge $1 ] ||
    remaining__seconds=$((limit-now__seconds+late__began))
}
""",
    "same_standing": r"""
same_standing() {
  [ "$target__process" ] || return
  [ "$ROOT" ] || return 0
  groups $$; standing__own=" $groups__numbers " standing__bound=$groups__bound
  groups $target__process
  cause=
  case $groups__user$groups__bound in
  0"$standing__bound"|[!0]*) ;;
  *[!0]*) cause='root in the target can have capabilities that the scan has not'; return 1 ;;
  esac
  for standing__group in $groups__numbers; do
    case $standing__own in
    *" $standing__group "*) ;;
    *) cause='the target is in a group that the scan is not in'; return 1 ;;
    esac
  done
}
groups() {
  groups__numbers=unknown groups__user= groups__bound=
  while IFS=' 	' read -r unused groups__word line; do
    case $unused in
    Uid:) groups__user=$groups__word ;;
    Groups:) groups__numbers="$groups__word $line" ;;
    CapBnd:) groups__bound=$groups__word; break ;;
    esac
  done </proc/$1/status
}
""",
    "moment": r"""
moment() { ! has sleep || sleep 0.1 || sleep 1; }
""",
    "limited": r"""
limited() {
  limited__seconds=$1; shift
  "$@" 2>&3 & limited__program=$!
  {
    trap 'trap "" TERM; while kill -9 $!; do wait $!; done; exit 0' TERM
    sleep $limited__seconds & wait $!
    kill -9 $limited__program
  } >/dev/null & limited__watcher=$!
  wait $limited__program; limited__code=$?
  limited__turns=0
  while kill $limited__watcher && IFS= read -r line </proc/$limited__watcher/stat && [ $limited__turns -lt 9999 ]; do
    case $line in *') Z '*) break ;; esac
    limited__turns=$((limited__turns+1))
  done
  wait $limited__watcher
  return $limited__code
}
""",
}

# What a function needs besides: other functions and programs.
NEEDS: dict[str, dict[str, str]] = {
    "pure": {"functions": "", "programs": ""},
    "slurp": {"functions": "", "programs": ""},
    "read_all": {"functions": "slurp", "programs": "cat"},
    "pick": {"functions": "slurp", "programs": "grep"},
    "remaining": {"functions": "", "programs": ""},
    "same_standing": {"functions": "", "programs": ""},
    "moment": {"functions": "", "programs": "sleep"},
    "limited": {"functions": "", "programs": "sleep"},
}
