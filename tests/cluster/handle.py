# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as a test holds it: `up("some-name")` gives one, with its paths and the means to disturb it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import audit, cgroups, control, image_store, lifecycle
from .state import State


class Cluster:
    """One running cluster. Every method raises ClusterError, which names the part that failed."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.name: str = state.name
        self.server: str = state.server
        self.node: str = state.node
        self.folder: Path = state.folder
        self.kubeconfig: Path = state.kubeconfig
        self.kubectl: Path = state.kubectl
        self.audit_log: Path = state.audit_log

    def log(self, daemon: str) -> Path:
        """The log file of a daemon."""
        return self.state.log(daemon)

    def load_images(self, archives: Iterable[Path]) -> list[str]:
        """Load image tars; the names of the images in them."""
        return image_store.load(self.state, map(str, archives))

    def exec_calls(self) -> list[dict[str, Any]]:
        """The exec calls that the API server has seen, one audit event each (see audit.exec_calls)."""
        return audit.exec_calls(audit.events(self.audit_log))

    def processes(self) -> dict[str, int]:
        """The process ids, on this machine, of the daemons that run, by name."""
        here = control.processes(self.state)
        running = control.daemons(self.state)
        return {name: here[daemon.pid] for name, daemon in running.items() if daemon.exit is None}

    def stop(self, daemon: str) -> None:
        """Stop a daemon and wait until it has ended. The cluster is then half-dead: `up` would replace it."""
        lifecycle.stop_daemon(self.state, daemon)

    def start(self, daemon: str) -> None:
        """Start a daemon that was stopped and wait until it is well."""
        lifecycle.start_daemon(self.state, daemon)

    def restart(self, daemon: str) -> None:
        """Stop a daemon, start it again, wait until it is well."""
        self.stop(daemon)
        self.start(daemon)

    def limit_memory(self, spare: int | None) -> None:
        """Leave all pods together `spare` bytes more memory than they use now, as a node that is nearly full does; None ends
        that."""
        cgroups.limit_memory(f"{self.state.control_groups}/kubepods", spare)

    def wait_until_ready(self) -> None:
        """Wait until every daemon is well and the node takes pods."""
        lifecycle.wait_until_ready(self.state)

    def down(self) -> None:
        """Take the cluster down."""
        lifecycle.down(self.name)


def up(name: str) -> Cluster:
    """The cluster of that name, started or made anew where it is not up and well."""
    return Cluster(lifecycle.up(name))
