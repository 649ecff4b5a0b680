# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: another version of the API server, or other software on nodes."""

from __future__ import annotations

import asyncio
import runpy
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import MessageDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.seen_states import SeenStates
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.serving import (
    cluster_client,
    keep_on,
    put_all,
    tell_waiting,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    CONNECTION_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.upgrades import cluster_software
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.allowed import AllowedRequests
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import HEALTH

DOCUMENTATION = r"""
short_description: Ask for a look at the health of a cluster that was upgraded
description:
  - Looks at the API server's version and at what nodes run. When that is another than before, it asks for C(health), which tries the
    approaches on trial pods and canaries.
  - It needs the right C(list) on nodes, and no other (docs/manifests/watcher-clusterrole.yml).
options:
  cluster:
    description: The cluster's name in the inventory.
    type: str
    required: true
  kubeconfig:
    description: A kubeconfig. Its user needs no more than the rights that are named above.
    type: str
  context:
    description: A context of the kubeconfig.
    type: str
  host:
    description: The API server's URL, in place of a kubeconfig.
    type: str
  api_key:
    description: A bearer token.
    type: str
  api_key_file:
    description: A file with the token in its first line.
    type: str
  ca_cert:
    description: The cluster's CA certificates.
    type: str
  client_cert:
    description: A client certificate, in PEM.
    type: str
  client_key:
    description: The key of O(client_cert).
    type: str
  tls_server_name:
    description: The name that the server's certificate has.
    type: str
  proxy:
    description: A proxy on the way to the API server.
    type: str
  no_proxy:
    description: Hosts that are reached without a proxy.
    type: str
  in_cluster:
    description: Use the identity of the pod that this source runs in.
    type: bool
    default: false
  seconds:
    description: How long is waited between two looks.
    type: int
    default: 300
  queue:
    description: The folder of the queue.
    type: str
    required: true
  allow_shared_folder:
    description: Whether others are allowed to write to the queue's folder or to one above it.
    type: bool
    default: false
  name:
    description: What this source is called in the queue.
    type: str
    default: upgrades
"""

_OPTIONS = ("cluster", "seconds", *CONNECTION_OPTIONS, *QUEUE_OPTIONS)


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Looks until it is cancelled."""
    options = SourceOptions.of(args, "upgrades", _OPTIONS)
    cluster, seconds = options.text("cluster", needed=True), options.whole_number("seconds", 300, 1, 86_400)
    door = MessageDoor(
        options.queue(time.time), AllowedRequests((cluster,), actions=(HEALTH,)), options.source
    )
    client, seen = cluster_client(options), SeenStates(door.queue.folder, f"{cluster} software")
    await tell_waiting(queue, door)

    async def look() -> None:
        now = await asyncio.to_thread(cluster_software, client)
        known = await asyncio.to_thread(seen.read)
        if known == now.states:
            return
        if known is not None:
            await put_all(queue, await asyncio.to_thread(door.submit, now.request(cluster, known)))
        await asyncio.to_thread(seen.write, now.states)

    await keep_on(look, float(seconds))
