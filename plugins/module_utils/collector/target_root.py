# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that looks at a target from outside: its root is found, and no link leads out of it.

The kernel resolves an absolute link in /proc/PID/root or in a mounted image against the root of who asks: it would show
a file of the scanner in place of the target's. So paths are taken apart here and every link is followed within the
target's root. What is given to programs has no links in it.

The shell's working directory is the target's root, and paths are relative to it (./etc/passwd). So no name from the
target can be mistaken for the root's own, and a process that ends while we look takes nothing away, nor can another one
take its place. The permission to look into a process is asked for once, when its root is entered.

The shell needs no privilege: the kernel lets it in where it has the same UIDs and GIDs as the target's process and
that process has no capability that the shell lacks. It never runs a program of the target, and what the target changes
while we look can at worst show a file of the scanner's own image, which holds nothing of value.

Variables with a meaning everywhere, besides those of shell_functions: T the process of the target, J its container's id
(empty where the kernel does not tell it), K what was resolved before.
"""

from __future__ import annotations

# $1 a path of the target. r is its real place, _e its own name (both the same where it is no link). K remembers
# folders as `/path//real place` and links as `./place//text`, a line each, as many as are quickly searched; what holds a newline
# is not remembered.
#
# A process of the collector's own container is nothing of the target. Its mount namespace tells it; that is always
# readable for us, and no process can take it on without privilege. "self" is us where the target shares our processes,
# and stands for the target's process then. The links in a process's folder are the kernel's own, and not what they say.
_LOOK = r"""
look() {
  s=ok c= r=. _e= _k=0 _m= _d=. _q=${1#/} _n=${1%/*}
  if [ "$_n" ] && known "$_n"; then _d=$t _q=${1##*/}; fi
  while [ "$_q" ]; do
    case $_q in */*) _x=${_q%%/*} _q=${_q#*/} _s=/ ;; *) _x=$_q _q= _s= ;; esac
    case $_x in
    '') continue ;;
    .|..)
      [ -e "$_d/." ] || { missing; return 1; }
      [ $_x = . ] || _d=${_d%/*}
      continue
      ;;
    esac
    _p=$_d/$_x
    if [ -z "$_s$_e" ]; then
      _e=$_p r=$_p
      [ -z "$_n" ] || [ "$_m" ] || learn "$_n" "$_d"
    fi
    if away "$_p"; then s=unsupported c='an image at rest does not have it: it is made when the container starts'; return 1; fi
    case $_x in
    self|thread-self|[1-9]*)
      if [ "$_p/ns/mnt" -ef /proc/$$/ns/mnt ]; then
        s=unsupported c="it is a process of the collector's own"
        case $_x in [1-9]*) return 1 ;; esac
        [ "$T" ] && [ "$_d/$T/ns/mnt" -ef /proc/$T/ns/mnt ] || return 1
        s=ok c= _p=$_d/$T
      fi
      [ ! -e "$_p/ns" ] || _m=1
      ;;
    esac
    if [ -h "$_p" ]; then
      _k=$((_k+1)) s=unreadable
      [ $_k -le 40 ] || { c='too many levels of symbolic links'; return 1; }
      [ -z "$_m" ] || { s=unsupported c="it is a link of the kernel's own, which only the target can follow"; return 1; }
      has readlink || { c='it is a symbolic link, and the scanner has no readlink to follow it'; return 1; }
      target "$_p"
      case $t in '') c='its symbolic link cannot be read'; return 1 ;; /*) _d=. ;; esac
      s=ok _q=$t$_s$_q r=.
    elif [ -z "$_s" ] && [ -e "$_p" ]; then r=$_p; return 0
    elif [ -d "$_p" ]; then _d=$_p
    elif [ -e "$_p" ]; then s=absent r=$_e; return 1
    else missing; return 1
    fi
  done
  r=$_d _e=${_e:-$_d}
}
missing() {
  r=$_e s=absent
  if [ ! -e "$_d/." ]; then s=unreadable c="no permission to search /${_d#./}"
  elif listed "$_d" "$_x"; then s=unreadable c='it is there, but its status cannot be read'
  fi
}
known() {
  IFS=$nl t=
  for _y in $K; do
    case $_y in "$1//"*) t=${_y#"$1//"}; break ;; esac
  done
  IFS=' 	'$nl
  [ "$t" ]
}
learn() {
  [ ${#K} -lt 4000 ] || K=
  case $1$2 in *"$nl"*) ;; *) K=$K$1//$2$nl ;; esac
}
target() {
  known "$1" && return
  t=$(readlink "$1"; say .); t=${t%.}; t=${t%"$nl"}
  [ -z "$t" ] || learn "$1" "$t"
}
at() { look "$1" && case $r in *"$nl"*) return 1 ;; esac; }
entry() { if [ -h "$1" ]; then look "${1#.}"; else r=$1; fi; }
refuse() {
  put collector $1 text "$2"
  say "${o}end $n $nonce$nl"
  exit 0
}
"""

# members: _w are the folders of the target's processes. Where no process tells its container (the kernel hides paths of
# cgroups outside of one's own), all in this process namespace are, but for those of our own container.
# What is sent where the root cannot be entered lets the reader say why: the identities of the process and of ours.
BESIDE = (
    _LOOK
    + r"""
away() { return 1; }
members() {
  set +f; set -- /proc/[1-9]*; set -f
  if [ "$J" ] && has grep; then
    _f=
    for _x do _f="$_f $_x/cgroup"; done
    set -- $(grep -sl "$J" $_f)
  elif [ "$J" ]; then
    for _x do
      shift
      { while IFS= read -r _y; do case $_y in *"$J"*) set -- "$@" $_x; break ;; esac; done } <$_x/cgroup
    done
  fi
  _w=
  for _x do
    _x=${_x%/cgroup}
    [ $_x/ns/mnt -ef /proc/$$/ns/mnt ] || _w="$_w $_x"
  done
}
enter() {
  [ -e /proc/$$/status ] || refuse unsupported 'there is no /proc'
  J=$1 T=
  members
  for _x in $_w; do
    _x=${_x#/proc/}
    [ "$T" ] && [ $T -lt $_x ] || T=$_x
  done
  if [ -z "$T" ]; then
    nameless 1 || refuse absent 'no process of the container is seen'
    T=1 J=
  fi
  if ! cd /proc/$T/root; then
    v=$T$nl
    for _x in $T $$; do
      while IFS= read -r _y; do case $_y in Uid:*|Gid:*|CapPrm:*) v=$v$_y$nl ;; esac; done </proc/$_x/status
    done
    refuse unreadable "$v"
  fi
  _y=
  while read -r _x _x _x _x _y _x && [ "$_y" != / ]; do :; done </proc/$T/mountinfo
  [ "$_y" = / ] || refuse unsupported "the root of process $T is not that of its container"
}
nameless() {
  [ -e /proc/$1/cgroup ] && [ ! /proc/$1/ns/mnt -ef /proc/$$/ns/mnt ] || return
  _f='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  _f=$_f$_f$_f$_f
  _f=$_f$_f$_f$_f
  while IFS= read -r _y; do case $_y in *$_f*) return 1 ;; esac; done </proc/$1/cgroup
  IFS= read -r _y </proc/$1/comm
  [ "$_y" != pause ]
}
"""
)

# $1 what the pod may take, $2 what must be left of it, in kB (some shells count in 32 bits). What the target takes stands in the
# files of its cgroup, which the runtime mounts into it, for cgroup v1 or v2; what holds files is given back under pressure. Where
# they are not there, or hold something else, nothing is known, and nothing is refused.
ROOM = r"""
room() {
  _x= _y=
  for _f in ./sys/fs/cgroup/memory/memory.usage_in_bytes ./sys/fs/cgroup/memory.current; do
    if [ -f $_f ] && [ ! -h $_f ]; then IFS= read -r _x <$_f; break; fi
  done
  case $_x in 0*|*[!0-9]*|?????????????*) return ;; ????*) _x=${_x%???} ;; *) return ;; esac
  [ -f ${_f%/*}/memory.stat ] || return
  while IFS=' ' read -r _k _n _q; do
    case ${_f##*.}$_k in
    usage_in_bytestotal_inactive_file|usage_in_bytestotal_active_file|currentinactive_file|currentactive_file|currentslab_reclaimable)
      _y=1
      case $_n in 0?*|*[!0-9]*|?????????????*) return ;; ????*) _x=$((_x-${_n%???})) ;; esac
      ;;
    esac
  done <${_f%/*}/memory.stat
  [ -z "$_y" ] || [ $(($1-_x)) -ge $2 ] || refuse too_large $_x
}
"""

# What an image has in these places is hidden, or filled, when a container is made of it.
MOUNTED = (
    _LOOK
    + r"""
away() {
  case $1 in
  ./proc|./proc/*|./sys|./sys/*|./dev|./dev/*|./run/secrets|./etc/hosts|./etc/hostname|./etc/resolv.conf) return 0 ;;
  esac
  return 1
}
enter() {
  T=
  cd "$1" || refuse absent 'it is not there, or may not be entered'
  set +f; set -- ./*; set -f
  [ -e "$1" ] || [ -h "$1" ] || refuse absent 'it is empty, or may not be read'
}
"""
)
