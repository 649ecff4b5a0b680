# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves that a cluster left nothing: what it had is noted while it runs, and looked for when it is down."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from . import cgroups
from .failure import ClusterError
from .processes import everyone, namespaces, start_time, ticks_now
from .state import State

# The kernel removes namespaces a little after the last process in them has ended.
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Traces:
    """What a cluster has on the machine, by identities that the kernel does not give twice at a time; `seen` is when, in
    ticks. The number of a namespace that has gone is soon given to the next one, such as a container's of another cluster:
    only what had started before can be in the cluster's own.
    """

    name: str
    folder: Path
    control_groups: str
    processes: frozenset[tuple[int, int]]
    namespaces: frozenset[str]
    seen: int


def traces(state: State) -> Traces:
    """What the cluster has now."""
    pids = cgroups.processes(state.control_groups)
    started = {(pid, start_time(pid)) for pid in pids}
    return Traces(
        name=state.name,
        folder=state.folder,
        control_groups=state.control_groups,
        processes=frozenset((pid, ticks) for pid, ticks in started if ticks is not None),
        namespaces=frozenset(namespaces(pids) - namespaces({os.getpid()})),
        seen=ticks_now(),
    )


def check(had: Traces) -> None:
    """Raise ClusterError that names what is still there of what the cluster had, once it had seconds to go."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = _left_now(had)
        if not found:
            return
        if time.monotonic() > deadline:
            raise ClusterError(f"The cluster {had.name} is down but left behind: {'; '.join(found)}.")
        time.sleep(0.05)


def _left_now(had: Traces) -> list[str]:
    found = [f"process {pid}" for pid, ticks in sorted(had.processes) if start_time(pid) == ticks]
    old = {pid for pid in everyone() if (start_time(pid) or had.seen + 1) <= had.seen}
    found += [f"namespace {namespace}" for namespace in sorted(had.namespaces & namespaces(old))]
    mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    found += [
        f"mount {mount}" for mount in sorted(mounts) if had.folder in (Path(mount), *Path(mount).parents)
    ]
    if cgroups.exists(had.control_groups):
        found.append(f"control groups {had.control_groups}")
    if had.folder.exists():
        found.append(f"folder {had.folder}")
    return found
