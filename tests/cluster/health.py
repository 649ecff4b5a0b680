# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster is well: every daemon runs and says so, and the node takes pods."""

from __future__ import annotations

import socket
import time

from . import control
from .api import Api
from .daemons import DAEMONS, health_addresses
from .failure import ClusterError
from .places import INSIDE_CONTAINERD_SOCKET
from .state import State

PATIENCE_SECONDS = 30.0


def problem(state: State) -> str | None:
    """What is wrong with the cluster, in words; None if all is well."""
    if state.supervisor is None:
        return "its start was cut short"
    if not state.supervisor.is_alive():
        return "its supervising process is gone"
    try:
        return _problem_of_running(state)
    except (ClusterError, OSError) as silent:  # OSError: a file of its folder is gone
        return str(silent)


def lasting_problem(state: State) -> str | None:
    """As `problem`, but of a cluster whose processes all run it is only said when it stays: on a busy machine a daemon that is
    well answers late."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = problem(state)
        if found is None or time.monotonic() > deadline or not _all_run(state):
            return found
        time.sleep(0.2)


def _all_run(state: State) -> bool:
    if state.supervisor is None or not state.supervisor.is_alive():
        return False
    try:
        running = control.daemons(state)
    except ClusterError:
        return False
    return all(name in running and running[name].exit is None for name in DAEMONS)


def _problem_of_running(state: State) -> str | None:
    running = control.daemons(state)
    for name in DAEMONS:
        if name not in running:
            return f"{name} was never started"
        if running[name].exit is not None:
            return f"{name} has ended (status {running[name].exit})"
    for name in DAEMONS:
        if not daemon_is_well(state, name):
            return f"{name} does not answer"
    if not node_is_ready(state):
        return f"the node {state.node} is not ready"
    return None


def daemon_is_well(state: State, name: str) -> bool:
    """Whether a daemon answers and calls itself well."""
    if name == "containerd":
        return _takes_calls(str(state.inside(INSIDE_CONTAINERD_SOCKET)))
    return Api(state).answers(health_addresses(state)[name])


def node_is_ready(state: State) -> bool:
    """Whether the node is Ready and may be given pods."""
    node = Api(state).get(f"/api/v1/nodes/{state.node}")
    if node is None or node["spec"].get("taints"):
        return False
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in node["status"]["conditions"]
    )


def has_default_service_account(state: State) -> bool:
    """Whether pods can be made in the namespace default: they need its ServiceAccount."""
    return Api(state).get("/api/v1/namespaces/default/serviceaccounts/default") is not None


def _takes_calls(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(3.0)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
