# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings clusters up and takes them down."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Callable

from . import (
    certificates,
    cgroups,
    configuration,
    control,
    daemons,
    debian_packages,
    health,
    image_store,
    leftovers,
    network,
    pause,
    programs,
    runc,
)
from . import (
    state as states,
)
from .failure import ClusterError, say
from .places import cluster_folder
from .state import State

_READY_SECONDS = 240.0


def up(name: str) -> State:
    """A healthy cluster of that name: the one there is, or a new one. Raises ClusterError, and leaves nothing, if
    it cannot be had."""
    with states.locked(name):
        present = states.load(name)
        if present is not None:
            problem = health.lasting_problem(present)
            if problem is None and present.version != programs.KUBERNETES_VERSION:
                problem = f"it runs {present.version}, not {programs.KUBERNETES_VERSION}"
            if problem is None:
                say(f"The cluster {name} is up ({present.server})")
                return present
            say(f"The cluster {name} is not as it should be: {problem}. It is taken down and made again.")
        _remove(name)
        debian_packages.ensure(["ip", "mount", "openssl", "unshare"])
        built = programs.build()
        archive = pause.pause_archive()
        runtime = runc.build()
        try:
            return _make(name, str(built), str(archive), runtime)
        except BaseException:
            _remove(name)
            raise


def down(name: str) -> bool:
    """Take a cluster down; whether there was one. Raises ClusterError that names what of it could not be removed."""
    with states.locked(name):
        return _remove(name)


def start_daemon(state: State, name: str) -> None:
    """Start a daemon that was stopped and wait until it is well. Raises ClusterError if it does not become so."""
    with states.locked(state.name):
        control.start(state, name)
        _wait(state, name, partial(health.daemon_is_well, state, name), watched=(name,))


def stop_daemon(state: State, name: str) -> None:
    """Stop a daemon and wait until it has ended."""
    with states.locked(state.name):
        control.stop(state, name)


def wait_until_ready(state: State) -> None:
    """Wait until everything of a running cluster is well. Raises ClusterError that says what is not."""
    for name in daemons.DAEMONS:
        _wait(state, name, partial(health.daemon_is_well, state, name))
    _wait(state, "kubelet", partial(health.node_is_ready, state))
    _wait(state, "kube-controller-manager", partial(health.has_default_service_account, state))


def _make(name: str, built: str, pause_archive: str, runtime: Path) -> State:
    began = time.monotonic()
    folder = cluster_folder(name)
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    slot = network.claim(folder)
    state = State(
        name=name,
        slot=slot,
        version=programs.KUBERNETES_VERSION,
        node=f"{name}-node",
        programs=built,
        since=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    state.save()  # from here on whoever takes the cluster down knows what there is to remove
    say(f"Starting the cluster {name}: Kubernetes {state.version} at {state.server}")
    network.bring_up(slot)
    cgroups.create(state.control_groups)
    certificates.create(state.certificates, state.node, network.service_address(slot))
    configuration.write(state)
    shutil.copy(runtime, folder / "runc")  # the cache need not be visible to the daemons
    (folder / "daemons.json").write_text(json.dumps(daemons.command_lines(state), indent=2) + "\n")
    state = state.with_supervisor(control.launch(state))
    state.save()
    _start_daemons(state, pause_archive)
    wait_until_ready(state)
    say(f"The cluster {name} is ready after {time.monotonic() - began:.1f} s")
    return state


def _start_daemons(state: State, pause_archive: str) -> None:
    control.start(state, "etcd")
    control.start(state, "containerd")
    _wait(state, "etcd", partial(health.daemon_is_well, state, "etcd"))
    control.start(state, "kube-apiserver")
    _wait(state, "containerd", partial(health.daemon_is_well, state, "containerd"))
    image_store.load(state, [pause_archive])
    _wait(state, "kube-apiserver", partial(health.daemon_is_well, state, "kube-apiserver"))
    for name in ("kube-controller-manager", "kube-scheduler", "kubelet"):
        control.start(state, name)


def _wait(
    state: State, awaited: str, condition: Callable[[], bool], watched: Sequence[str] = daemons.DAEMONS
) -> None:
    """Wait for a condition that the daemon `awaited` brings about; give up at once when one of the `watched` ends."""
    deadline = time.monotonic() + _READY_SECONDS
    while not condition():
        for name, daemon in control.daemons(state).items():
            if name in watched and daemon.exit is not None:
                raise ClusterError(f"{name} ended with status {daemon.exit}.", state.log(name))
        if time.monotonic() > deadline:
            raise ClusterError(f"{awaited} is not ready after {_READY_SECONDS:.0f} s.", state.log(awaited))
        time.sleep(0.05)


def _has_slot(state: State) -> bool:
    """Whether the slot that the cluster took is its own still, and not another's that took it after a restart."""
    alive = state.supervisor is not None and state.supervisor.is_alive()
    return alive or network.is_owner(state.slot, state.folder)


def _remove(name: str) -> bool:
    folder = cluster_folder(name)
    if not folder.exists():
        return False
    state = states.load(name)
    if state is None or not _has_slot(state):  # its start was cut short, or the machine was restarted since
        network.release(folder)
        shutil.rmtree(folder)
        return True
    traces = leftovers.traces(state)
    cgroups.kill(state.control_groups)
    cgroups.remove(state.control_groups)
    shutil.rmtree(folder)
    leftovers.check(traces)
    network.remove(
        state.slot
    )  # last: from here on the slot, and with it every name, may be another cluster's
    return True
