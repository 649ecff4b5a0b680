# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: requests out of notifications of PostgreSQL."""

from __future__ import annotations

import asyncio
import runpy
import time
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).absolute().parents[1] / "find_engine.py"))

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.message_door import MessageDoor
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.serving import (
    deliver,
    keep_on,
    tell_waiting,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    SourceOptions,
)

DOCUMENTATION = r"""
short_description: Take requests for scans from PostgreSQL
description:
  - Listens to a channel; the payload of each NOTIFY is a request in JSON. PostgreSQL keeps no notification for a listener that is away.
options:
  address:
    description: The database, as postgresql://user@host:port/database.
    type: str
    required: true
  password:
    description: The password.
    type: str
  password_file:
    description: A file with the password in its first line.
    type: str
  channel:
    description: The channel.
    type: str
    default: securescan_requests
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
    default: postgresql
  clusters:
    description: Names or patterns of the clusters that can be asked for.
    type: list
    elements: str
    required: true
  namespaces:
    description: Names or patterns of the namespaces that can be asked for. Empty means all.
    type: list
    elements: str
  actions:
    description: The actions that can be asked for, of V(scan), V(preflight) and V(health). Empty means all.
    type: list
    elements: str
  profiles:
    description: Names or patterns of the profiles that can be asked for. Empty means all that the playbook allows.
    type: list
    elements: str
"""

_OPTIONS = ("address", "password", "password_file", "channel", *QUEUE_OPTIONS, *ALLOW_OPTIONS)
_CONNECT_SECONDS = 30


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Listens until it is cancelled; where the connection is lost, again."""
    try:
        import psycopg
        import psycopg.sql
    except ImportError:
        raise ScanError(
            "missing_library",
            "psycopg is not installed",
            tried="import psycopg",
            advice="Install requirements-store.txt of the collection for the Python that runs this source.",
        ) from None
    options = SourceOptions.of(args, "postgresql", _OPTIONS)
    door = MessageDoor(options.queue(time.time), options.allowed(), options.source)
    address, channel = options.text("address", needed=True), options.text("channel", "securescan_requests")
    password = options.secret("password") or None
    await tell_waiting(queue, door)

    async def listen() -> None:
        try:
            connection = await psycopg.AsyncConnection.connect(
                address,
                password=password,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                keepalives_idle=30,
            )
            async with connection:
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
                async for notification in connection.notifies():
                    # PostgreSQL gives it no name of its own: without a key the same text again is the same wish, while it waits
                    await deliver(queue, door, notification.payload.encode("utf-8", "replace"), "")
        except psycopg.OperationalError as error:
            # its text can hold the address
            raise ScanError("connection_lost", type(error).__name__, tried="listen to the database") from None

    await keep_on(listen, 1.0)
