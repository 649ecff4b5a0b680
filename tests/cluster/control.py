# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to the supervisor of a cluster from outside: starts, stops and lists its daemons."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from . import cgroups
from .debian_packages import SYSTEM_PATH
from .failure import ClusterError
from .places import INSIDE_CONTROL_SOCKET, SOURCES
from .processes import everyone, start_time, status
from .state import State, Supervisor

_START_SECONDS = 60.0
_ANSWER_SECONDS = 60.0
# after that a daemon is killed; the API server would wait a minute for its watchers
_GRACE_SECONDS = 3.0
_KILLED_SECONDS = 60.0


@dataclass(frozen=True)
class Daemon:
    """One daemon as the supervisor knows it: process id in the cluster's namespace; exit status once it has ended."""

    pid: int
    exit: int | None


def launch(state: State) -> Supervisor:
    """Start the supervisor in namespaces of its own, free of this program and its terminal; wait until it takes orders.

    Raises ClusterError if it does not come up.
    """
    log = state.log("supervisor")
    with log.open("ab") as messages:
        outer = subprocess.Popen(
            [
                *(
                    "unshare",
                    "--mount",
                    "--pid",
                    "--fork",
                    "--kill-child",
                    "--propagation",
                    "slave",
                    "--mount-proc",
                ),
                *(sys.executable, "-I", str(SOURCES / "supervisor.py"), str(state.folder), state.programs),
            ],
            cwd="/",
            env={"PATH": SYSTEM_PATH},
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
            start_new_session=True,
            preexec_fn=lambda: cgroups.join(state.control_groups),  # noqa: PLW1509 - no thread runs now
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if outer.poll() is not None:
            break
        pid = _first_child(outer.pid)
        started = start_time(pid) if pid is not None else None
        if pid is not None and started is not None:
            supervisor = Supervisor(pid, started)
            if supervisor.inside(INSIDE_CONTROL_SOCKET).exists():
                return supervisor
        time.sleep(0.01)
    raise ClusterError("The supervisor did not start.", log)


def daemons(state: State) -> dict[str, Daemon]:
    """All daemons that were ever started, by name. Raises ClusterError if the supervisor does not answer."""
    return _ask(state, {"do": "list"})


def start(state: State, name: str) -> None:
    """Start a daemon. Raises ClusterError if it runs already."""
    _ask(state, {"do": "start", "name": name})


def stop(state: State, name: str) -> None:
    """End a daemon: SIGTERM, and SIGKILL if it does not heed that. Fine if it has ended."""
    for number, seconds in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILLED_SECONDS)):
        _ask(state, {"do": "signal", "name": name, "signal": int(number)})
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if daemons(state)[name].exit is not None:
                return
            time.sleep(0.02)
    raise ClusterError(f"{name} does not end.", state.log(name))


def processes(state: State) -> dict[int, int]:
    """All processes of the cluster, containers too: their ids in the cluster's namespace -> their ids here."""
    found = {}
    for pid in cgroups.processes(state.control_groups):
        try:
            chain = [int(number) for number in status(pid, "NSpid").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if len(chain) > 1:  # the namespaces from ours downwards: the cluster's is the second
            found[chain[1]] = pid
    return found


def _ask(state: State, request: dict[str, Any]) -> dict[str, Daemon]:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(str(state.inside(INSIDE_CONTROL_SOCKET)))
            with connection.makefile("rw") as lines:
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
    except (OSError, ValueError) as problem:
        raise ClusterError(f"The supervisor of {state.name} does not answer ({problem}).") from problem
    if "error" in answer:
        raise ClusterError(f"The supervisor of {state.name} refused {request}: {answer['error']}.")
    return {name: Daemon(**facts) for name, facts in answer["daemons"].items()}


def _first_child(parent: int) -> int | None:
    for pid in everyone():
        try:
            if status(pid, "PPid") == str(parent):
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None
