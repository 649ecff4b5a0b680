# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A loopback server that speaks the Kubernetes API and its exec protocol, and misbehaves on request.

with FakeApiServer(Authority(folder)) as server:
    server.add_pod("shop", "api-1", {"app": run_locally})
    server.faults.append(Fault("status", on="GET .*/pods", status=429, retry_after=1, times=1))
    ... use server.url, server.authority.ca, server.token, server.kubeconfig() ...
    assert server.requests[-1].user == "admin"
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from .certificates import Authority, Issued
from .exec_streams import Program
from .faults import Fault
from .objects import ObjectStore
from .rbac import Rbac
from .request_handler import RequestHandler


@dataclass
class SeenRequest:
    """One request as the server saw it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    user: str
    # The common name of the connection's client certificate, whoever the request was made as.
    certificate: str = ""


@dataclass
class Grants:
    """Who may do what: users by token, and a rule that may refuse."""

    users: dict[str, str] = field(default_factory=dict)
    expires: dict[str, float] = field(default_factory=dict)
    # (user, method, path) -> the message of a 403, or None to allow
    deny: Callable[[str, str, str], str | None] = lambda user, method, path: None

    def issue(self, user: str, seconds: int) -> str:
        token = "{}.{}.{}".format(*tuple(secrets.token_urlsafe(12) for _number in range(3)))
        self.users[token] = user
        self.expires[token] = time.time() + seconds
        return token

    def user_of(self, token: str) -> str | None:
        return self.users.get(token) if self.expires.get(token, time.time() + 1) > time.time() else None


class FakeApiServer:
    """See the module's text.

    :param certificate: what it shows; one made for localhost and 127.0.0.1 if not given
    :param client_ca: ask for client certificates of the authority; their common name is then the user
    :param tls: False for a server that speaks no TLS at all
    """

    def __init__(
        self,
        authority: Authority,
        *,
        certificate: Issued | None = None,
        client_ca: bool = False,
        tls: bool = True,
    ) -> None:
        self.authority = authority
        self.faults: list[Fault] = []
        self.requests: list[SeenRequest] = []
        self.connections = 0
        self.sessions_resumed = 0
        self.stopping = threading.Event()
        self.grants = Grants()
        self.token = self.grants.issue("admin", 86400)
        self.objects = ObjectStore(self.grants.issue)
        self._programs: dict[tuple[str, str, str], Program] = {}
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.context: ssl.SSLContext | None = None
        if tls:
            shown = certificate or authority.server("localhost")
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(shown.certificate, shown.key)
            if client_ca:
                self.context.load_verify_locations(authority.ca)
                self.context.verify_mode = ssl.CERT_OPTIONAL
        self._listener = _Listener(("127.0.0.1", 0), RequestHandler, bind_and_activate=True)
        self._listener.api = self
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FakeApiServer:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self.cut_connections()

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig(self, **user: Any) -> dict[str, Any]:
        """A kubeconfig as a mapping; `user` is its user's content, by default the admin's token."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "fake", "user": "tester"}}],
            "clusters": [
                {
                    "name": "fake",
                    "cluster": {"server": self.url, "certificate-authority": str(self.authority.ca)},
                }
            ],
            "users": [{"name": "tester", "user": user or {"token": self.token}}],
        }

    def add_pod(
        self,
        namespace: str,
        name: str,
        containers: Mapping[str, Program],
        *,
        node: str = "node-1",
        labels: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A running pod; its containers by name, with what an exec into each does."""
        statuses = [
            {
                "name": container,
                "ready": True,
                "state": {"running": {}},
                "restartCount": 0,
                "image": f"registry.test/{container}:1",
                "containerID": "containerd://" + "0" * 64,
                "imageID": "registry.test/{}@sha256:{}".format(container, "1" * 64),
            }
            for container in containers
        ]
        for container, program in containers.items():
            self._programs[namespace, name, container] = program
        return self.objects.put(
            f"/api/v1/namespaces/{namespace}/pods/{name}",
            {
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
                "spec": {
                    "nodeName": node,
                    "containers": [
                        {"name": container, "image": f"registry.test/{container}:1"}
                        for container in containers
                    ],
                },
                "status": {"phase": "Running", "containerStatuses": statuses},
            },
        )

    def use_rbac(self) -> None:
        """From now on ServiceAccounts may do only what Roles and RoleBindings in the store give them."""
        rbac = Rbac(self.objects)
        self.grants.deny = rbac.deny
        self.objects.review = rbac.review
        self.objects.rules = rbac.listed

    def run_in(self, namespace: str, pod: str, container: str, program: Program) -> None:
        """What an exec into a container does that comes into its pod later, or into a pod that was put as an object."""
        self._programs[namespace, pod, container] = program

    def program(self, namespace: str, pod: str, container: str) -> Program | None:
        return self._programs.get((namespace, pod, container))

    def take_fault(self, line: str) -> Fault | None:
        """The first fault that applies to "METHOD /path?query"."""
        with self._lock:
            return next((fault for fault in self.faults if fault.take(line)), None)

    def saw(self, request: SeenRequest) -> None:
        with self._lock:
            self.requests.append(request)

    def opened(self, connection: socket.socket, resumed: bool) -> None:
        with self._lock:
            self.connections += 1
            self.sessions_resumed += resumed
            self._open.append(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock, contextlib.suppress(ValueError):
            self._open.remove(connection)

    def open_connections(self) -> int:
        with self._lock:
            return len(self._open)

    def cut_connections(self) -> None:
        """Break every open connection, as a dying load balancer does."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    api: FakeApiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are the everyday life of this server."""
