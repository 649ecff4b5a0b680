# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one cluster: its facts, kept as JSON in its folder, and the lock that lets one program change it."""

from __future__ import annotations

import dataclasses
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import network
from .failure import ClusterError, say
from .places import INSIDE_CONTAINERD_SOCKET, cache, cluster_folder
from .processes import start_time

_FILE = "state.json"


@dataclass(frozen=True)
class Supervisor:
    """Process 1 of a cluster, seen from outside: process id, and the time it started (kernel ticks), which tells it
    from a later process of the same id."""

    pid: int
    started: int

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.started

    def inside(self, path: Path) -> Path:
        """A path of the cluster's own mount namespace, as a program outside can open it."""
        return Path(f"/proc/{self.pid}/root{path}")


@dataclass(frozen=True)
class State:
    """The facts of one cluster. Paths are absolute; `slot` says bridge, subnets, ports and control groups."""

    name: str
    slot: int
    version: str
    node: str
    programs: str
    since: str
    supervisor: Supervisor | None = None

    @property
    def folder(self) -> Path:
        return cluster_folder(self.name)

    @property
    def certificates(self) -> Path:
        return self.folder / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.folder / "log" / "audit.log"

    @property
    def kubectl(self) -> Path:
        return Path(self.programs, "kubectl")

    @property
    def ports(self) -> dict[str, int]:
        return network.ports(self.slot)

    @property
    def control_groups(self) -> str:
        return network.bridge_name(self.slot)

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.ports['apiserver']}"

    def inside(self, path: Path) -> Path:
        """A path that the daemons see, as a program outside can open it. Raises ClusterError if the cluster is down."""
        if self.supervisor is None or not self.supervisor.is_alive():
            raise ClusterError(f"The cluster {self.name} is not running.")
        return self.supervisor.inside(path)

    def with_supervisor(self, supervisor: Supervisor) -> State:
        """The same facts with the supervisor that was started for them."""
        return dataclasses.replace(self, supervisor=supervisor)

    def log(self, daemon: str) -> Path:
        """The log file of a daemon, or of the supervisor."""
        return self.folder / "log" / f"{daemon}.log"

    def save(self) -> None:
        """Write the facts into the cluster's folder, with those that follow from them, for other programs to read."""
        facts = dataclasses.asdict(self)
        pod_network, service_network = network.subnets(self.slot)
        facts["derived"] = {
            "kubeconfig": str(self.kubeconfig),
            "audit_log": str(self.audit_log),
            "certificates": str(self.certificates),
            "kubectl": str(self.kubectl),
            "server": self.server,
            "ports": self.ports,
            "bridge": network.bridge_name(self.slot),
            "pod_network": pod_network,
            "service_network": service_network,
            "control_groups": self.control_groups,
            "containerd_socket": self.supervisor and str(self.supervisor.inside(INSIDE_CONTAINERD_SOCKET)),
        }
        draft = self.folder / f"{_FILE}.draft"
        draft.write_text(json.dumps(facts, indent=2) + "\n")
        draft.replace(self.folder / _FILE)


def load(name: str) -> State | None:
    """The facts of the cluster `name`, or None where there is no such cluster."""
    try:
        facts = json.loads((cluster_folder(name) / _FILE).read_text())
    except FileNotFoundError:
        return None
    del facts["derived"]
    supervisor = facts.pop("supervisor")
    return State(**facts, supervisor=Supervisor(**supervisor) if supervisor else None)


def existing(name: str) -> State:
    """The facts of the cluster `name`. Raises ClusterError where there is no such cluster."""
    state = load(name)
    if state is None:
        raise ClusterError(f"There is no cluster {name}.")
    return state


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let no other program start, change or end the cluster `name` meanwhile; waits for its turn."""
    locks = cache() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / cluster_folder(name).name).open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another program is at work on the cluster {name}; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
