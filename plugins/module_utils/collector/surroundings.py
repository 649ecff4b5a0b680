# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the shell sees the target as the container runtime made it, and whether the target can touch the shell.

A program can make a user namespace and a mount namespace before it does its work, without any privilege, and
mount in there what it likes over its own file system. The kernel then shows that to whoever looks through
/proc/PID/root, and the runtime enters that mount namespace with an exec. Three things give it away:

- The user namespace. All containers of a pod have the one that the runtime gave them. Where the link of the
  main process cannot be read, since it is not dumpable, the kernel still shows its map of users to everybody.
- The mounts over folders of the system, which belong to no volume of the pod. Without a user namespace of its
  own a program needs CAP_SYS_ADMIN for these.
- The root: an overlay is mounted as a whole by the runtime, and /proc below it.

Beside the target, the target's processes have the shell's user. The kernel lets them open the shell's files
and memory unless the shell is not dumpable, which it is where nobody is allowed to read its program. Signals
are allowed all the same. What the shell says of itself is worth something only where it is protected: a target
that can reach an unprotected shell can have it say anything.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ScanError
from .mounts import is_below, unescape

YES, NO, UNKNOWN = "yes", "no", "unknown"

# What these find stands in `surroundings`, a line for each:
#   user=other                          the process's user namespace is not the shell's
#   mount=DEVICE ROOT MOUNT_POINT TYPE  a mount at a place that matters; "many" for those that are too many to tell,
#                                       "unread" where mountinfo cannot be read
#   protected=yes, protected=no         whether the kernel keeps others of the same user from the shell
#   stopped=yes                         the shell was let go on, so it had been stopped
# same_users PROCESS compares user namespaces, mounted PROCESS tells mounts. They use /proc/self: where the shell is
# not dumpable, its own subshells see nothing of /proc/$$.
_SHELL = r"""
same_users() {
  if [ -e /proc/$1/ns/user ]; then
    [ ! /proc/$1/ns/user -ef /proc/self/ns/user ] || return
  else
    users__own= users__other=
    while read -r line; do users__own=$users__own$line$nl; done </proc/self/uid_map || return
    while read -r line; do users__other=$users__other$line$nl; done </proc/$1/uid_map || return
    [ "$users__own" != "$users__other" ] || return
  fi
  surroundings=user=other$nl
}
mounted() {
  pick '^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /((etc|usr|bin|sbin|lib[^/ ]*)(/[^ ]*)?|var(/[^/ ]+){0,2}|proc|boot|home|opt|root|srv)? ' \
    /proc/$1/mountinfo || surroundings=${surroundings}mount=unread$nl
  mounted__number=0 IFS=$nl
  for line in $text; do
    mounted__number=$((mounted__number+1))
    [ $mounted__number -le 200 ] || { surroundings=${surroundings}mount=many$nl; break; }
    mounted__type=${line#* - } mounted__type=${mounted__type%% *}
    line=${line#* }; line=${line#* }
    mounted__device=${line%% *} line=${line#* }
    mounted__root=${line%% *} line=${line#* }
    surroundings="${surroundings}mount=$mounted__device $mounted__root ${line%% *} $mounted__type$nl"
  done
  IFS=' 	'$nl text=
}
"""

# From inside the main process is the first, or the first of those with our mount namespace where others share the
# process namespace.
AROUND_INSIDE = (
    _SHELL
    + r"""
look_around() {
  [ -e /proc/self/mountinfo ] || return
  same_users 1
  if [ ! /proc/1/ns/mnt -ef /proc/self/ns/mnt ]; then
    around__first=
    set +f
    for around__place in /proc/[1-9]*; do
      if [ $around__place/ns/mnt -ef /proc/self/ns/mnt ]; then
        around__place=${around__place#/proc/}
        [ "$around__first" ] && [ $around__first -lt $around__place ] || around__first=$around__place
      fi
    done
    set -f
    [ -z "$around__first" ] || same_users $around__first
  fi
  mounted self
}
"""
)

# A subshell is another process than the shell, of the same user and with the same capabilities: what the kernel keeps
# from it, it keeps from the target, which has no more capabilities than the shell, or its root could not be entered.
# Programs count, too: those that the shell starts must not be readable either. A signal that lets the shell go on is
# told by the trap: nobody but the target sends one.
AROUND_BESIDE = (
    _SHELL
    + r"""
look_around() {
  same_users $target__process
  mounted $target__process
  around__protected=yes
  (cd /proc/$$/cwd) && around__protected=no
  if [ $around__protected = yes ]; then
    IFS=' :'
    for around__folder in $PATH; do
      for around__word in $programs; do
        true <"$around__folder/$around__word" && around__protected=no
      done
    done
    IFS=' 	'$nl
  fi
  surroundings=${surroundings}protected=$around__protected$nl
  trap 'surroundings=${surroundings}stopped=yes$nl' CONT
}
"""
)

# What the kubelet and the runtime mount into every container, of what `mounted` tells.
_OF_EVERY_CONTAINER = frozenset({"/", "/proc", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
# A folder that nothing but a volume, or a program that hides something, mounts as a whole.
_OF_THE_SYSTEM = re.compile(
    r"/(etc|(usr/)?(bin|sbin|lib[^/]*)|usr|var/lib/(dpkg|rpm)|usr/lib/sysimage(/rpm)?)"
)
_MOUNT = re.compile(rb"([0-9]{1,9}:[0-9]{1,9}) (/[^ ]*) (/[^ ]*) ([^ ]+)")
_MANY = b"many"
# Of a runtime that runs in a container itself, and copies its images instead of laying them over each other.
_SNAPSHOT = "/snapshots/"
_ADVICE = "Scan the target by its image."
_MADE_BY_TARGET = (
    "A program of the container has mounted it, or the runtime was told to by something else than the pod: "
    "what is seen there is not what the pod and its image say."
)


@dataclass(frozen=True)
class _Mount:
    """A line of mountinfo: which part of which device is mounted where."""

    device: str
    root: str
    point: str
    fstype: str

    def is_part_of(self, other: _Mount) -> bool:
        """Whether it shows a folder or file of what the other one shows."""
        return self.device == other.device and is_below(self.root, other.root)


@dataclass(frozen=True)
class Surroundings:
    """What the collector said of the target's namespaces and of its own shell.

    `shell_protected`: whether a process of the same user is kept from the shell's memory and files (yes, no, or
    unknown: it was not looked, since the shell is the target's own, or nothing of the target runs).
    `unexplained_mounts`: mount points below folders of the system that belong to no volume of the pod. The target
    need not have made them, or the facts would have been refused. Empty where the pod's volumes are not known.
    """

    shell_protected: str = UNKNOWN
    unexplained_mounts: tuple[str, ...] = ()


def read_surroundings(
    lines: list[bytes], *, is_beside: bool, mount_paths: tuple[str, ...] | None
) -> Surroundings:
    """What the collector's own frame says, judged.

    :param lines: of the frame
    :param is_beside: whether the shell is another container's
    :param mount_paths: where the pod mounts something into the target; None where that is not known
    :raises ScanError: target_unreadable, where the shell was shown something else than the container, was shown
        more mounts than it tells, or was stopped meanwhile
    """
    said = [line.partition(b"=")[::2] for line in lines]
    values = dict(said)
    _check_said(values, is_beside)
    told = [value for name, value in said if name == b"mount"]
    matches = [_MOUNT.fullmatch(value) for value in told if value != _MANY]
    if is_beside and None in matches:
        raise ScanError("target_unreadable", "the mounts of its main process cannot be read", advice=_ADVICE)
    mounts = [_Mount(*(unescape(field) for field in match.groups())) for match in matches if match]
    if _MANY in told:
        raise ScanError(
            "target_unreadable",
            "more is mounted over places of the system than the scanner tells",
            cause="A program of the container can hide a mount over its own files behind many others.",
            advice=_ADVICE,
        )
    _check_root(mounts, is_beside)
    unexplained = () if mount_paths is None else _unexplained(mounts, mount_paths)
    protected = values.get(b"protected", b"").decode("ascii", "replace") if is_beside else UNKNOWN
    return Surroundings(protected if protected in (YES, NO) else UNKNOWN, unexplained)


def _check_said(values: Mapping[bytes, bytes], is_beside: bool) -> None:
    """:raises ScanError: target_unreadable"""
    if values.get(b"user") == b"other":
        raise ScanError(
            "target_unreadable",
            "its main process is in a user namespace of its own",
            cause="A program that makes itself a user namespace can mount there what it likes over its files, and "
            "the scanner would see that.",
            advice=_ADVICE,
        )
    if is_beside and values.get(b"stopped") == b"yes":
        raise ScanError(
            "target_unreadable",
            "the scanner's shell was stopped while it worked",
            cause="A process of the same user stopped it and let it go on (SIGSTOP, SIGCONT), which nothing but a "
            "program of the target does.",
            advice=_ADVICE,
        )


def _check_root(mounts: list[_Mount], is_beside: bool) -> None:
    """:raises ScanError: target_unreadable"""
    points = {mount.point: mount.fstype for mount in mounts}
    if is_beside and ("/" not in points or points.get("/proc") != "proc"):
        raise ScanError(
            "target_unreadable",
            "the root of its main process is not that of its container",
            cause="The process has ended meanwhile, or a program of the container has given it another root "
            "(chroot, pivot_root).",
            advice=_ADVICE,
        )
    for mount in mounts:
        if (
            mount.point == "/"
            and mount.fstype == "overlay"
            and mount.root != "/"
            and _SNAPSHOT not in mount.root
        ):
            raise _made_by_target(f"its root is the folder {mount.root!a} of its container's root")


def _unexplained(mounts: list[_Mount], mount_paths: tuple[str, ...]) -> tuple[str, ...]:
    """:raises ScanError: target_unreadable"""
    roots = [mount for mount in mounts if mount.point == "/"]
    known = [_real(path) for path in mount_paths]
    found = []
    for mount in mounts:
        if mount.point in _OF_EVERY_CONTAINER or any(is_below(_real(mount.point), path) for path in known):
            continue
        if _OF_THE_SYSTEM.fullmatch(mount.point):
            raise _made_by_target(f"something is mounted at {mount.point!a}, and no volume of the pod is")
        if any(mount.is_part_of(root) for root in roots):
            raise _made_by_target(f"{mount.root!a} of its own files is mounted at {mount.point!a}")
        found.append(mount.point)
    return tuple(found)


def _made_by_target(message: str) -> ScanError:
    return ScanError("target_unreadable", message, cause=_MADE_BY_TARGET, advice=_ADVICE)


def _real(path: str) -> str:
    """A path as most systems have it: mountinfo tells real paths, and /bin, /lib and /var/run are links there."""
    path = posixpath.normpath(path)
    path = re.sub(r"\A/var/run(?=/|\Z)", "/run", path)
    return re.sub(r"\A/(bin|sbin|lib[^/]*)(?=/|\Z)", r"/usr/\1", path)
