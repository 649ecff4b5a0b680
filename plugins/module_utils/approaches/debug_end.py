# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of debug containers: each is told to end, and what does not is found.

The target has the user of the container beside it, and can stop or kill what runs there. So a container has ended
only when its node says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..access.scanner import NamespaceScanner
from ..cluster.websocket_exec import exec_in_container
from ..errors import ScanError
from ..targets.identity import Target
from .debug_container import ephemeral_statuses
from .looks import read_same_pod
from .session import Footprint

_EXEC_SECONDS = 5.0
# Seconds. A node reports the end of a container about a second after it. A container that has not ended _PATIENCE
# after it was told to counts as running; its pod is read once in each _PAUSE.
_PATIENCE, _PAUSE, _START_PAUSE = 6.0, 0.5, 0.04
# The errors of an exec into a container that has not started yet, or has ended.
NOT_RUNNING = frozenset({"container_not_running", "not_found"})

# Ends the container in which it runs, unless somebody else is at work in it. Processes of one container share
# their cgroups; the target's are never touched, though they are in sight. Those that the runtime started,
# rather than another process of the container, are the one that idles and whoever was let in by an exec; of
# these, the ones that run this very script do not count, for they are at its end, too. The target, which has the
# same user, can stop the one that idles: a stopped process is woken first, and killed when that does not help. With
# it the container ends, and this script.
END_SHELL = ("sh", "-s", "securescan-end")
END_SCRIPT = b"""\
cgroup() { c=; while read -r l; do c="$c$l "; done; }
cgroup </proc/$$/cgroup; own=$c; all=' '; roots=
for p in /proc/[0-9]*; do
c=; cgroup <$p/cgroup
[ "$c" = "$own" ] && all="$all${p#/proc/} "
done 2>/dev/null
for p in $all; do
parent=; while read -r k v l; do [ "$k" = PPid: ] && parent=$v; done </proc/$p/status
l=; read -r l </proc/$p/cmdline
case $l in *securescan-end*) continue ;; esac
[ -n "$parent" ] && [ $p != $$ ] && case $all in *" $parent "*) ;; *) roots="$roots $p" ;; esac
done 2>/dev/null
set -- $roots
[ $# = 1 ] || exit
kill -TERM $1
kill -CONT $1
sleep 1
c=; cgroup </proc/$1/cgroup
[ "$c" = "$own" ] && kill -KILL $1
exit
"""


@dataclass(frozen=True)
class _Told:
    """A container that was told to end at a time of the monotonic clock. `is_sure`: the shell that told it was
    ended with its container, as it should be."""

    scanner: NamespaceScanner
    target: Target
    footprint: Footprint
    at: float
    is_sure: bool

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.at < _PATIENCE


class Endings:
    """The containers of a run that were told to end. Safe to call from several threads."""

    def __init__(self, count_exec: Callable[[], None]) -> None:
        """:param count_exec: called for each exec"""
        self._count_exec = count_exec
        self._lock = threading.Lock()
        self._told: dict[Footprint, _Told] = {}

    def tell(
        self, scanner: NamespaceScanner, target: Target, footprint: Footprint, patience: float = 0.0
    ) -> None:
        """Tells a container to end, also when the scan was cancelled.

        :param patience: seconds to wait for one that perhaps has not started yet
        """
        is_sure, give_up = False, time.monotonic() + patience
        name = footprint.ephemeral_container
        while True:
            self._count_exec()
            try:
                outcome = exec_in_container(
                    scanner.connection,
                    target.namespace,
                    target.pod,
                    name,
                    END_SHELL,
                    END_SCRIPT,
                    timeout=_EXEC_SECONDS,
                    output_limit=4096,
                )
                is_sure = outcome.exit_code != 0
            except ScanError as error:
                if error.reason in NOT_RUNNING and time.monotonic() < give_up:
                    time.sleep(_START_PAUSE)
                    continue
                is_sure = error.reason != "timed_out"
            break
        with self._lock:
            self._told[footprint] = _Told(scanner, target, footprint, time.monotonic(), is_sure)

    def has_ended(self, footprint: Footprint, pod: Mapping[str, Any]) -> bool:
        """Whether a container that was told to end has. Its node is slow to say so: it is waited for where
        nothing else says it, else it is looked at again by `still_running`.

        :param pod: the v1 Pod as it is now
        """
        told = self._told[footprint]
        has_ended = _is_terminated(pod, footprint.ephemeral_container)
        while not has_ended and not told.is_sure and told.is_recent:
            time.sleep(_PAUSE)
            has_ended = not _still_runs(told)
        if has_ended:
            with self._lock:
                del self._told[footprint]
        return has_ended or told.is_sure

    def still_running(self) -> list[Footprint]:
        """The containers that were not seen to end: each is looked at once, and those that were told last for
        some seconds."""
        left, found = list(self._told.values()), []
        while left:
            running = [told for told in left if _still_runs(told)]
            left = [told for told in running if told.is_recent]
            found += [told.footprint for told in running if not any(told is other for other in left)]
            if left:
                time.sleep(_PAUSE)
        return found


def _still_runs(told: _Told) -> bool:
    """Whether the container still runs. One whose pod cannot be read counts as running."""
    try:
        pod = read_same_pod(told.scanner, told.target, whole=True)
    except ScanError as error:
        return error.reason not in ("pod_gone", "pod_replaced")
    return not _is_terminated(pod, told.footprint.ephemeral_container)


def _is_terminated(pod: Mapping[str, Any], name: str) -> bool:
    return "terminated" in ephemeral_statuses(pod).get(name, {})
