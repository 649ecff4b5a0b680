# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster takes of the machine's network: a slot, which is a bridge, two subnets and a block of loopback ports.

The bridge is also the claim on the slot: the kernel lets only one be made under a name, whoever asks.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from .debian_packages import path_of
from .failure import ClusterError
from .processes import run

SLOTS = 32
_FIRST_PORT = 26000  # below the kernel's range for outgoing connections, which starts at 32768
_PORTS_OF_A_SLOT = 10
PORTS = (
    "apiserver",
    "controller-manager",
    "scheduler",
    "etcd",
    "etcd-peer",
    "etcd-health",
    "kubelet",
    "kubelet-health",
    "containerd-stream",
)
# RFC 2544 sets 198.18.0.0/15 aside for tests between networks: nobody's real network is there.
_POD_NETWORKS = "198.18.{slot}.0/24"
_SERVICE_NETWORKS = "198.19.{slot}.0/24"


def bridge_name(slot: int) -> str:
    """The bridge of a slot; also the name of the cluster's control groups."""
    return f"securescan{slot}"


def ports(slot: int) -> dict[str, int]:
    """The ports of a slot on 127.0.0.1, by what listens there."""
    return {what: _FIRST_PORT + slot * _PORTS_OF_A_SLOT + offset for offset, what in enumerate(PORTS)}


def subnets(slot: int) -> tuple[str, str]:
    """The pod network and the service network of a slot."""
    return _POD_NETWORKS.format(slot=slot), _SERVICE_NETWORKS.format(slot=slot)


def bridge_address(slot: int) -> str:
    """The machine's own address in the pod network of a slot."""
    return str(next(ipaddress.ip_network(subnets(slot)[0]).hosts()))


def service_address(slot: int) -> str:
    """The address of the service "kubernetes" in the service network of a slot: always the first."""
    return str(next(ipaddress.ip_network(subnets(slot)[1]).hosts()))


def claim(owner: Path) -> int:
    """Take the first free slot for the cluster whose folder is `owner`: make its bridge and mark it as the owner's.

    Raises ClusterError when no slot is free.
    """
    for slot in range(SLOTS):
        if _interfaces(bridge_name(slot)) or not all(map(_is_free, ports(slot).values())):
            continue
        if _ip("link", "add", bridge_name(slot), "type", "bridge").returncode == 0:
            try:
                _ip_must("link", "set", "dev", bridge_name(slot), "alias", str(owner))
            except ClusterError:
                _ip("link", "delete", bridge_name(slot))
                raise
            return slot
    raise ClusterError(
        f"None of the {SLOTS} slots for clusters is free: each one's bridge or ports are taken."
    )


def is_owner(slot: int, owner: Path) -> bool:
    """Whether the slot was claimed for `owner` and not given up since; a restart of the machine gives all slots up."""
    try:
        return Path(f"/sys/class/net/{bridge_name(slot)}/ifalias").read_text().strip() == str(owner)
    except FileNotFoundError:
        return False


def bring_up(slot: int) -> None:
    """Give the bridge of a claimed slot its address. Raises ClusterError if the kernel refuses."""
    prefix = subnets(slot)[0].partition("/")[2]
    _ip_must("address", "add", f"{bridge_address(slot)}/{prefix}", "dev", bridge_name(slot))
    _ip_must("link", "set", bridge_name(slot), "up")


def remove(slot: int) -> None:
    """Remove the bridge and what is plugged into it, and so give up the slot; fine where there is none.

    Raises ClusterError for an interface that stays.
    """
    present = _interfaces(bridge_name(slot))
    for link in present:
        # deleting one end of a pair deletes the other; that also ends the wait for a network namespace that is going
        _ip("link", "delete", link.name)
    left = sorted(link.name for link in present & _all_interfaces())
    if left:
        raise ClusterError(f"These interfaces cannot be removed: {', '.join(left)}.")


def release(owner: Path) -> None:
    """Give up every slot that was claimed for `owner`, also where its number was never noted. Raises as `remove`."""
    for slot in range(SLOTS):
        if is_owner(slot, owner):
            remove(slot)


def interfaces(slot: int) -> set[str]:
    """The interfaces of a slot on this machine: its bridge and what is plugged into it."""
    return {link.name for link in _interfaces(bridge_name(slot))}


@dataclass(frozen=True)
class _Interface:
    """One interface; a later one of the same name has another index."""

    index: int
    name: str


def _interfaces(bridge: str) -> set[_Interface]:
    plugged = _ip("-json", "link", "show", "master", bridge)
    names = {bridge} | {link["ifname"] for link in json.loads(plugged.stdout or "[]")}
    return {link for link in _all_interfaces() if link.name in names}


def _all_interfaces() -> set[_Interface]:
    return {_Interface(index, name) for index, name in socket.if_nameindex()}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ip_must(*arguments: str) -> None:
    done = _ip(*arguments)
    if done.returncode != 0:
        raise ClusterError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")


def _ip(*arguments: str) -> CompletedProcess[str]:
    return run(path_of("ip"), *arguments)
