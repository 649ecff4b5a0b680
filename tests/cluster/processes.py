# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine knows of its processes, and how one is run to its end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


def run(
    *arguments: object, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without input and keep what it says; the caller judges its exit status."""
    return subprocess.run(
        [str(argument) for argument in arguments],
        check=False,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def everyone() -> set[int]:
    """The ids of all processes of this machine."""
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}


def start_time(pid: int) -> int | None:
    """When a process started, in kernel ticks since boot; None where it does not run (any more).

    Together with the id it tells a process from a later one of the same id.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def ticks_now() -> int:
    """The moment, as `start_time` tells it."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def status(pid: int, field: str) -> str:
    """One field of a process's status, such as PPid. Raises ProcessLookupError or FileNotFoundError without process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return line.partition(":")[2].strip()
    raise ProcessLookupError(pid)


def namespaces(pids: set[int]) -> set[str]:
    """The mount, process and network namespaces of processes, such as net:[4026532201]."""
    found = set()
    for pid in pids:
        if start_time(pid) is None:
            continue  # what has ended and waits for its parent still names its namespaces
        for kind in ("mnt", "net", "pid"):
            try:
                found.add(str(Path(f"/proc/{pid}/ns/{kind}").readlink()))
            except OSError:
                continue  # it ended while we looked, or is not ours to look at
    return found
