# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: places whose newest result is too old."""

from __future__ import annotations

import asyncio
import runpy
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import MessageDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.overdue import overdue_requests
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.serving import (
    LOG,
    keep_on,
    put_all,
    tell_waiting,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import Request
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import open_store

DOCUMENTATION = r"""
short_description: Ask for scans of what is overdue
description:
  - Asks the store now and then which places are overdue by its deadlines, and asks for scans of them.
options:
  store:
    description: The store, a file of SQLite or postgresql://user@host:port/database.
    type: str
    required: true
  password:
    description: The password of a store in PostgreSQL.
    type: str
  password_file:
    description: A file with the password in its first line.
    type: str
  cluster:
    description: Only this cluster.
    type: str
  seconds:
    description: How long is waited between two looks.
    type: int
    default: 3600
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
    default: overdue
  clusters:
    description: Names or patterns of the clusters that are looked at.
    type: list
    elements: str
    required: true
  namespaces:
    description: Names or patterns of the namespaces that are looked at. Empty means all.
    type: list
    elements: str
  actions:
    description: The actions that are looked at, of V(scan), V(preflight) and V(health). Empty means all.
    type: list
    elements: str
  profiles:
    description: Names or patterns of the profiles that are looked at. Empty means all that the playbook allows.
    type: list
    elements: str
"""

_OPTIONS = ("store", "password", "password_file", "cluster", "seconds", *QUEUE_OPTIONS, *ALLOW_OPTIONS)


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Looks until it is cancelled."""
    options = SourceOptions.of(args, "overdue", _OPTIONS)
    seconds = options.whole_number("seconds", 3600, 1, 86_400)
    door = MessageDoor(options.queue(time.time), options.allowed(), options.source)
    await tell_waiting(queue, door)

    def overdue() -> list[Request]:
        store = open_store(
            options.text("store", needed=True),
            options.secret("password"),
            options.truth("allow_shared_folder"),
        )
        try:
            return list(overdue_requests(store, options.text("cluster")))
        finally:
            store.close()

    async def look() -> None:
        for request in await asyncio.to_thread(overdue):
            try:
                await put_all(queue, await asyncio.to_thread(door.submit, request))
            except ScanError as error:
                if error.reason != "request_refused":
                    raise
                LOG.info("%s", error)  # of a cluster or namespace that this source is not for

    await keep_on(look, float(seconds))
