# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control groups of one cluster: one tree, below which kubelet puts its pods and we put the daemons.

Version 1 (a tree in each hierarchy) and version 2 (one tree) are both handled, without systemd.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from .failure import ClusterError

MOUNT = Path("/sys/fs/cgroup")
DAEMONS = "daemons"
# what kubelet and runc want to find, of version 1 and of version 2
_NEEDED_V1 = ("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer")
_NEEDED_V2 = ("cpu", "cpuset", "memory", "pids")
_KILL_SECONDS = 60.0


def is_version_2() -> bool:
    """Whether this machine has version 2 only (the hybrid of both counts as version 1, as runc counts it)."""
    return (MOUNT / "cgroup.controllers").exists()


def create(name: str) -> None:
    """Make the tree `name` with a group for the daemons. Raises ClusterError where the machine does not allow it."""
    if is_version_2():
        _create_version_2(name)
    else:
        _create_version_1(name)


def join(name: str) -> None:
    """Put the calling process into the group of the daemons of the tree `name`."""
    for tree in _trees(name):
        (tree / DAEMONS / "cgroup.procs").write_text("0")


def exists(name: str) -> bool:
    """Whether anything of the tree `name` is there."""
    return bool(_trees(name))


def processes(name: str) -> set[int]:
    """The ids of all processes in the tree `name`."""
    found: set[int] = set()
    for tree in _trees(name):
        for folder in _deepest_first(tree):
            try:
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
            except (FileNotFoundError, OSError):
                continue  # the group went away while we read
    found.discard(0)  # a process of a namespace that we do not see
    return found


def limit_memory(name: str, spare: int | None) -> None:
    """Let the tree `name` have `spare` bytes more memory than it uses now; None takes the limit away."""
    if is_version_2():
        group, used, limit, unlimited = MOUNT / name, "memory.current", "memory.max", "max"
    else:
        group, used, limit, unlimited = (
            MOUNT / "memory" / name,
            "memory.usage_in_bytes",
            "memory.limit_in_bytes",
            "-1",
        )
    value = unlimited if spare is None else str(int((group / used).read_text()) + spare)
    (group / limit).write_text(value)


def kill(name: str) -> None:
    """End every process in the tree `name` and wait until they are gone. Raises ClusterError if some stay."""
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        alive = processes(name)
        if not alive:
            return
        if time.monotonic() > deadline:
            raise ClusterError(f"These processes of the cluster do not end: {sorted(alive)}.")
        for process in alive:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def remove(name: str) -> None:
    """Remove the tree `name`; it must hold no process any more. Raises ClusterError if a group stays."""
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        left = [folder for tree in _trees(name) for folder in _deepest_first(tree) if not _rmdir(folder)]
        if not left:
            return
        if time.monotonic() > deadline:
            raise ClusterError(f"These control groups cannot be removed: {', '.join(map(str, left))}.")
        time.sleep(0.05)


def _hierarchies() -> list[Path]:
    """The roots below which a tree is made: each version 1 hierarchy once, or the one of version 2."""
    if is_version_2():
        return [MOUNT]
    # "cpu" and "cpuacct" may be links to the folder "cpu,cpuacct"
    found = {entry.resolve() for entry in MOUNT.iterdir() if (entry / "cgroup.procs").exists()}
    return sorted(found)


def _trees(name: str) -> list[Path]:
    return [root / name for root in _hierarchies() if (root / name).is_dir()]


def _create_version_1(name: str) -> None:
    missing = [controller for controller in _NEEDED_V1 if not (MOUNT / controller / "cgroup.procs").exists()]
    if missing:
        raise ClusterError(
            f"The control group controllers {', '.join(missing)} are not mounted below {MOUNT}."
        )
    for root in _hierarchies():
        parent = root
        for folder in (root / name, root / name / DAEMONS):
            folder.mkdir(exist_ok=True)
            # a new cpuset group is empty and takes no process until it gets what its parent has
            for limit in ("cpuset.cpus", "cpuset.mems"):
                if (folder / limit).exists():
                    (folder / limit).write_text((parent / limit).read_text())
            parent = folder


def _create_version_2(name: str) -> None:
    missing = set(_NEEDED_V2) - set((MOUNT / "cgroup.controllers").read_text().split())
    if missing:
        raise ClusterError(
            f"The control groups (version 2) of this machine lack {', '.join(sorted(missing))}."
        )
    tree = MOUNT / name
    tree.mkdir(exist_ok=True)
    try:
        for folder in (MOUNT, tree):
            wanted = set((folder / "cgroup.controllers").read_text().split())
            present = set((folder / "cgroup.subtree_control").read_text().split())
            for controller in sorted(wanted - present):
                (folder / "cgroup.subtree_control").write_text(f"+{controller}")
    except OSError as problem:
        raise ClusterError(
            f"The controllers of {MOUNT} cannot be handed down ({problem.strerror}): the root of the "
            "control groups"
            " must be ours, as it is on a machine or in a virtual machine but seldom in a container."
        ) from problem
    (tree / DAEMONS).mkdir(exist_ok=True)


def _deepest_first(tree: Path) -> list[Path]:
    return [Path(folder) for folder, _unused, _unused in os.walk(tree, topdown=False)]


def _rmdir(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
