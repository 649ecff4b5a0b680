# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell that looks at a target from outside: its root is found, and no link leads out of it.

The kernel resolves an absolute link in /proc/PID/root or in a mounted image against the root of who asks: it
would show a file of the scanner in place of the target's. So paths are taken apart here and every link is
followed within the target's root. What is given to programs has no links in it.

The shell's working directory is the target's root, and paths are relative to it (./etc/passwd). So no name
from the target can be mistaken for the root's own, and a process that ends while we look takes nothing away,
nor can another one take its place. The permission to look into a process is asked for once, when its root is
entered.

The shell needs no privilege: the kernel lets it in where it has the same UIDs and GIDs as the target's
process and that process has no capability that the shell lacks. It never runs a program of the target, and
what the target changes while we look can at worst show a file of the scanner's own image, which holds nothing
of value.

How it goes:

1. `enter` finds the root. Beside a target (BESIDE) it takes the process with the lowest number among those of
   the target's container (`members`), and makes that process's root its working directory. For an image
   (MOUNTED) it makes the mount point its working directory. Where it cannot, `refuse` sends the frame
   `collector` with the reason and ends the collection; view.py turns that into an error.
2. `look /etc/passwd` walks down from `.`, one part of the path after another, and follows each link by its
   text (`target`). It leaves `path` (the real place, with no link in it), `own_path` (the link itself, where
   the path is one), `status` and `cause`.
3. Families call `look`, `at` and `entry` alone, so they work the same from inside, where FROM_INSIDE defines
   them.

Results of these functions: target__process is the process that stands for the target (empty for an image),
target__link the text of a link, members__folders the folders of the target's processes below /proc.
enter__container is the target's container id, empty where the kernel does not tell which process belongs to
which container.
"""

from __future__ import annotations

# known__places remembers folders as `/path//real place` and links as `./place//text`, a line each, as many as
# are quickly searched; what holds a newline is not remembered.
#
# In look: look__folder is the real place so far, look__part the part that comes next, look__slash "/" where
# more parts follow, look__rest those, and look__parent the folder of the path that was asked for.
# look__in_process is set below the folder of a process, whose links are the kernel's own, and not what they
# say.
#
# A process of the collector's own container is nothing of the target. Its mount namespace tells it, which no process
# can take on without privilege. Where our shell is protected (see surroundings.py), not even we can read that of
# our other processes; then their cgroup tells it, where the kernel tells containers apart. "self" is us where the
# target shares our processes, and stands for the target's process then.
_LOOK = r"""
look() {
  status=ok cause= path=. own_path= look__links=0 look__in_process= look__folder=. look__rest=${1#/} look__parent=${1%/*}
  if [ "$look__parent" ] && known "$look__parent"; then look__folder=$target__link look__rest=${1##*/}; fi
  while [ "$look__rest" ]; do
    case $look__rest in
    */*) look__part=${look__rest%%/*} look__rest=${look__rest#*/} look__slash=/ ;;
    *) look__part=$look__rest look__rest= look__slash= ;;
    esac
    case $look__part in
    '') continue ;;
    .|..)
      [ -e "$look__folder/." ] || { missing; return 1; }
      [ $look__part = . ] || look__folder=${look__folder%/*}
      continue
      ;;
    esac
    look__place=$look__folder/$look__part
    if [ -z "$look__slash$own_path" ]; then
      own_path=$look__place path=$look__place
      [ -z "$look__parent" ] || [ "$look__in_process" ] || learn "$look__parent" "$look__folder"
    fi
    if away "$look__place"; then
      status=unsupported cause='an image at rest does not have it: it is made when the container starts'
      return 1
    fi
    case $look__part in
    self|thread-self|[1-9]*)
      if ours "$look__place"; then
        status=unsupported cause="it is a process of the collector's own"
        case $look__part in [1-9]*) return 1 ;; esac
        [ "$target__process" ] && [ "$look__folder/$target__process/ns/mnt" -ef /proc/$target__process/ns/mnt ] || return 1
        status=ok cause= look__place=$look__folder/$target__process
      fi
      [ ! -e "$look__place/ns" ] || look__in_process=1
      ;;
    esac
    if [ -h "$look__place" ]; then
      look__links=$((look__links+1)) status=unreadable
      [ $look__links -le 40 ] || { cause='too many levels of symbolic links'; return 1; }
      if [ "$look__in_process" ]; then
        status=unsupported cause="it is a link of the kernel's own, which only the target can follow"
        return 1
      fi
      has readlink || { cause='it is a symbolic link, and the scanner has no readlink to follow it'; return 1; }
      target "$look__place"
      case $target__link in '') cause='its symbolic link cannot be read'; return 1 ;; /*) look__folder=. ;; esac
      status=ok look__rest=$target__link$look__slash$look__rest path=.
    elif [ -z "$look__slash" ] && [ -e "$look__place" ]; then path=$look__place; return 0
    elif [ -d "$look__place" ]; then look__folder=$look__place
    elif [ -e "$look__place" ]; then status=absent path=$own_path; return 1
    else missing; return 1
    fi
  done
  path=$look__folder own_path=${own_path:-$look__folder}
}
missing() {
  path=$own_path status=absent
  if [ ! -e "$look__folder/." ]; then status=unreadable cause="no permission to search /${look__folder#./}"
  elif listed "$look__folder" "$look__part"; then status=unreadable cause='it is there, but its status cannot be read'
  fi
}
known() {
  IFS=$nl target__link=
  for known__line in $known__places; do
    case $known__line in "$1//"*) target__link=${known__line#"$1//"}; break ;; esac
  done
  IFS=' 	'$nl
  [ "$target__link" ]
}
learn() {
  [ ${#known__places} -lt 4000 ] || known__places=
  case $1$2 in *"$nl"*) ;; *) known__places=$known__places$1//$2$nl ;; esac
}
target() {
  known "$1" && return
  target__link=$(readlink "$1"; say .); target__link=${target__link%.}; target__link=${target__link%"$nl"}
  [ -z "$target__link" ] || learn "$1" "$target__link"
}
at() { look "$1" && case $path in *"$nl"*) return 1 ;; esac; }
entry() { if [ -h "$1" ]; then look "${1#.}"; else path=$1; fi; }
ours() {
  [ "$1/ns/mnt" -ef /proc/self/ns/mnt ] && return
  [ "$enter__container" ] && [ -e "$1/ns" ] && [ ! -e "$1/ns/mnt" ] || return
  ours__own= ours__other=
  IFS= read -r ours__own </proc/self/cgroup
  IFS= read -r ours__other <"$1/cgroup"
  [ "$ours__own" ] && [ "$ours__own" = "$ours__other" ]
}
refuse() {
  put collector $1 text "$2"
  say "${output}end $frames $nonce$nl"
  exit 0
}
"""

# members: where no process tells its container (the kernel hides the paths of cgroups outside of one's own),
# all processes of this process namespace are the target's, but for those of our own container. nameless PID
# tells whether the kernel hides them, and whether the process is no pause container. What is sent where the
# root cannot be entered lets the reader say why: the identities of the process and of ours.
BESIDE = (
    _LOOK
    + r"""
away() { return 1; }
members() {
  set +f; set -- /proc/[1-9]*; set -f
  if [ "$enter__container" ] && has grep; then
    members__files=
    for members__folder do members__files="$members__files $members__folder/cgroup"; done
    members__found=$(grep -sl "$enter__container" $members__files)
    [ $? -le 2 ] || members__found=
    set -- $members__found
  elif [ "$enter__container" ]; then
    for members__folder do
      shift
      {
        while IFS= read -r members__line; do
          case $members__line in *"$enter__container"*) set -- "$@" $members__folder; break ;; esac
        done
      } <$members__folder/cgroup
    done
  fi
  members__folders=
  for members__folder do
    members__folder=${members__folder%/cgroup}
    ours $members__folder || members__folders="$members__folders $members__folder"
  done
}
enter() {
  [ -e /proc/$$/status ] || refuse unsupported 'there is no /proc'
  enter__container=$1 target__process=
  members
  for enter__process in $members__folders; do
    enter__process=${enter__process#/proc/}
    [ "$target__process" ] && [ $target__process -lt $enter__process ] || target__process=$enter__process
  done
  if [ -z "$target__process" ]; then
    nameless 1 || refuse absent 'no process of the container is seen'
    target__process=1 enter__container=
  fi
  if ! cd /proc/$target__process/root; then
    text=$target__process$nl
    for enter__process in $target__process $$; do
      while IFS= read -r enter__line; do
        case $enter__line in Uid:*|Gid:*|CapPrm:*) text=$text$enter__line$nl ;; esac
      done </proc/$enter__process/status
    done
    refuse unreadable "$text"
  fi
}
nameless() {
  [ -e /proc/$1/cgroup ] && ! ours /proc/$1 || return
  nameless__id='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  nameless__id=$nameless__id$nameless__id$nameless__id$nameless__id
  nameless__id=$nameless__id$nameless__id$nameless__id$nameless__id
  while IFS= read -r nameless__line; do case $nameless__line in *$nameless__id*) return 1 ;; esac; done </proc/$1/cgroup
  IFS= read -r nameless__line </proc/$1/comm
  [ "$nameless__line" != pause ]
}
"""
)

# room LIMIT HEADROOM: what the pod is allowed to take, and what must be left of it, in kB (some shells count
# in 32 bits). The memory that the target takes stands in the files of its cgroup, which the runtime mounts
# into it, for cgroup v1 or v2. The kernel gives memory that holds files back under pressure, so it is not
# counted. Where the files are not there, or hold something else, nothing is known, and nothing is refused.
ROOM = r"""
room() {
  room__used= room__known=
  for room__file in ./sys/fs/cgroup/memory/memory.usage_in_bytes ./sys/fs/cgroup/memory.current; do
    if [ -f $room__file ] && [ ! -h $room__file ]; then IFS= read -r room__used <$room__file; break; fi
  done
  case $room__used in 0*|*[!0-9]*|?????????????*) return ;; ????*) room__used=${room__used%???} ;; *) return ;; esac
  [ -f ${room__file%/*}/memory.stat ] || return
  while IFS=' ' read -r room__name room__bytes unused; do
    case ${room__file##*.}$room__name in
    usage_in_bytestotal_inactive_file|usage_in_bytestotal_active_file|currentinactive_file|currentactive_file|currentslab_reclaimable)
      room__known=1
      case $room__bytes in 0?*|*[!0-9]*|?????????????*) return ;; ????*) room__used=$((room__used-${room__bytes%???})) ;; esac
      ;;
    esac
  done <${room__file%/*}/memory.stat
  [ -z "$room__known" ] || [ $(($1-room__used)) -ge $2 ] || refuse too_large $room__used
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
  target__process=
  cd "$1" || refuse absent 'it is not there, or cannot be entered'
  set +f; set -- ./*; set -f
  [ -e "$1" ] || [ -h "$1" ] || refuse absent 'it is empty, or cannot be read'
}
"""
)
