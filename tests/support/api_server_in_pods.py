# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets pods of a test cluster reach its API server, as those of every other cluster do.

The cluster has no kube-proxy, and its API server listens on this machine's loopback. So each pod gets the address of the
service `kubernetes` on its own loopback, where we listen: a socket belongs to the network namespace in which it was made, also
when a thread outside serves it. Nothing of the pod's spec is changed, and nothing is opened on the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import socket
import threading
from collections.abc import Iterator

from ..cluster import cgroups, network
from ..cluster.debian_packages import path_of
from ..cluster.handle import Cluster
from ..cluster.processes import run

_CLONE_NEWNET = 0x40000000
_PORT = 443
_LOOK_SECONDS = 0.05
_CHUNK = 65536


class _Relay:
    """Watches for pods of the cluster, and listens in each."""

    def __init__(self, cluster: Cluster) -> None:
        self._tree = f"{cluster.state.control_groups}/kubepods"
        self._service = network.service_address(cluster.state.slot)
        self._server = ("127.0.0.1", cluster.state.ports["apiserver"])
        self._known = {_namespace_of(os.getpid())}
        self._listeners: list[socket.socket] = []
        self._end = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._end.set()
        self._watcher.join()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            for pid in cgroups.processes(self._tree):
                with contextlib.suppress(OSError):  # the process has ended, or its pod goes
                    space = _namespace_of(pid)
                    if space not in self._known:
                        self._listen(pid)
                        self._known.add(space)

    def _listen(self, pid: int) -> None:
        """:raises OSError: when the pod has no such network any more"""
        made: list[socket.socket] = []
        problems: list[BaseException] = []

        def within() -> None:
            try:
                made.append(_listener_in(pid, self._service))
            except OSError as problem:
                problems.append(problem)

        # a thread of its own, which stays in that namespace until it ends
        visitor = threading.Thread(target=within)
        visitor.start()
        visitor.join()
        if problems:
            raise problems[0]
        self._listeners.append(made[0])
        threading.Thread(target=self._serve, args=(made[0],), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while not self._end.is_set():
            try:
                pod, _address = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                pod.close()
                continue
            for source, sink in ((pod, server), (server, pod)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _namespace_of(pid: int) -> int:
    return pathlib.Path(f"/proc/{pid}/ns/net").stat().st_ino


def _listener_in(pid: int, address: str) -> socket.socket:
    """Called in a thread that is thrown away: it goes into the network of the process and stays there."""
    with pathlib.Path(f"/proc/{pid}/ns/net").open("rb") as space:
        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    # a program that a thread starts is in that thread's namespaces
    added = run(path_of("ip"), "address", "replace", f"{address}/32", "dev", "lo")
    if added.returncode != 0:
        raise OSError(added.stderr)
    return socket.create_server((address, _PORT))


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(_CHUNK)
            if not data:
                break
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def api_server_in_pods(cluster: Cluster) -> Iterator[None]:
    """While it lasts, every pod of the cluster reaches the API server by the address that its environment names."""
    relay = _Relay(cluster)
    relay.start()
    try:
        yield
    finally:
        relay.stop()
