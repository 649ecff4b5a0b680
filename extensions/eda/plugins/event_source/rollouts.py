# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: workloads of a cluster whose rollout is complete."""

from __future__ import annotations

import asyncio
import runpy
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import MessageDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.rollouts import (
    ROLLED_OUT,
    RolloutWatch,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.seen_states import SeenStates
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.serving import (
    RulebookQueue,
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
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.spec import bad_option
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.allowed import AllowedRequests
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import SCAN

DOCUMENTATION = r"""
short_description: Ask for a scan of each workload that was rolled out
description:
  - Watches Deployments, StatefulSets and DaemonSets. When all pods of one have a new template, it asks for a scan of that workload.
  - It needs the rights C(list) and C(watch) on these kinds, and no other (docs/manifests/watcher-clusterrole.yml).
  - What was rolled out while it was away is found when it comes back. At its very first start it only remembers what is there.
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
  namespaces:
    description: Names of namespaces. Without it all are watched.
    type: list
    elements: str
  kinds:
    description: The kinds that are watched.
    type: list
    elements: str
    default: [Deployment, StatefulSet, DaemonSet]
  seconds:
    description: How long one watch waits. An event is told when its watch ends.
    type: int
    default: 10
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
    default: rollouts
"""

_OPTIONS = ("cluster", "namespaces", "kinds", "seconds", *CONNECTION_OPTIONS, *QUEUE_OPTIONS)


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Watches until it is cancelled."""
    options = SourceOptions.of(args, "rollouts", _OPTIONS)
    cluster, seconds = options.text("cluster", needed=True), options.whole_number("seconds", 10, 1, 240)
    by_name = {kind.name: kind for kind in ROLLED_OUT}
    kinds = options.names("kinds") or tuple(by_name)
    for kind in kinds:
        if kind not in by_name:
            raise bad_option("kinds", f"each is one of {', '.join(by_name)}")
    door = MessageDoor(options.queue(time.time), AllowedRequests((cluster,), actions=(SCAN,)), options.source)
    await tell_waiting(queue, door)
    # a client for each: each waits in a thread of its own
    await asyncio.gather(
        *(
            _watch(
                queue, door, options, RolloutWatch(cluster_client(options), by_name[kind], namespace), seconds
            )
            for kind in kinds
            for namespace in options.names("namespaces") or ("",)
        )
    )


async def _watch(
    queue: RulebookQueue, door: MessageDoor, options: SourceOptions, watch: RolloutWatch, seconds: int
) -> None:
    cluster = options.text("cluster")
    seen = SeenStates(door.queue.folder, f"{cluster} {watch.path}")
    watch.remember(await asyncio.to_thread(seen.read))

    async def look() -> None:
        before, was_new = dict(watch.known), watch.is_new
        try:
            for one in await asyncio.to_thread(watch.wait, seconds):
                await put_all(queue, await asyncio.to_thread(door.submit, one.request(cluster)))
                watch.known[one.uid] = one.template
        except BaseException:
            watch.forget_version()  # what was not told is found in the list
            raise
        finally:
            if watch.known != before or was_new != watch.is_new:
                await asyncio.to_thread(seen.write, watch.known)

    await keep_on(look, 0.1)
