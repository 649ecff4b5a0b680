# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: requests out of a stream of NATS."""

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
    LOG,
    deliver,
    tell_waiting,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    TLS_OPTIONS,
    SourceOptions,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import MOST_BYTES

DOCUMENTATION = r"""
short_description: Take requests for scans from NATS JetStream
description:
  - Each message holds a request in JSON. It is acknowledged once the request is in the queue, or refused, so nothing is lost, and what
    comes twice is one request.
  - The connection is always encrypted.
options:
  url:
    description: The server, as tls://host:port.
    type: str
    required: true
  subject:
    description: The subject.
    type: str
    default: securescan.requests
  stream:
    description: The stream that takes the subject.
    type: str
    required: true
  durable:
    description: The name of the durable consumer.
    type: str
    default: securescan
  username:
    description: Whom we log in as.
    type: str
  password:
    description: The password.
    type: str
  password_file:
    description: A file with the password in its first line.
    type: str
  ca_cert:
    description: CA certificates that the server's certificate is checked with. Without it those of the system.
    type: str
  client_cert:
    description: A client certificate, in PEM.
    type: str
  client_key:
    description: The key of O(client_cert), where it is in another file.
    type: str
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
    default: nats
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

_OPTIONS = (
    "url", "subject", "stream", "durable", "username", "password", "password_file",
    *TLS_OPTIONS, *QUEUE_OPTIONS, *ALLOW_OPTIONS,
)  # fmt: skip
_FETCH_SECONDS = 5
_MOST_MESSAGES = 10
_CONNECT_SECONDS = 30


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Consumes until it is cancelled."""
    try:
        import nats
        import nats.errors
    except ImportError:
        raise ScanError(
            "missing_library",
            "nats-py is not installed",
            tried="import nats",
            advice="Install requirements-push.txt of the collection for the Python that runs this source.",
        ) from None
    options = SourceOptions.of(args, "nats", _OPTIONS)
    door = MessageDoor(options.queue(time.time), options.allowed(), options.source)
    url, stream = options.text("url", needed=True), options.text("stream", needed=True)
    if not url.startswith("tls://") or "@" in url:
        raise ScanError("bad_option", "url is of the form tls://host:port", tried="reading the option url")
    try:
        client = await nats.connect(
            url,
            tls=options.tls(),
            # before anything is said: a server cannot ask for the password without TLS
            tls_handshake_first=True,
            user=options.text("username") or None,
            password=options.secret("password") or None,
            connect_timeout=_CONNECT_SECONDS,
            max_reconnect_attempts=-1,
            error_cb=_log,
            name="securescan.kubernetes",
        )
    except Exception as error:  # noqa: BLE001 - the library lets those of sockets and of TLS through
        raise ScanError("unreachable", f"{type(error).__name__}", tried="connect to the option url") from None
    try:
        subject, durable = (
            options.text("subject", "securescan.requests"),
            options.text("durable", "securescan"),
        )
        subscription = await client.jetstream().pull_subscribe(subject, durable=durable, stream=stream)
        await tell_waiting(queue, door)
        while True:
            try:
                messages = await subscription.fetch(_MOST_MESSAGES, timeout=_FETCH_SECONDS)
            except (nats.errors.TimeoutError, asyncio.TimeoutError):
                continue
            for message in messages:
                await deliver(
                    queue,
                    door,
                    message.data[: MOST_BYTES + 1],
                    f"{stream}/{message.metadata.sequence.stream}",
                )
                await message.ack()
    finally:
        await asyncio.shield(client.close())


async def _log(error: Exception) -> None:
    LOG.warning("NATS: %s", type(error).__name__)
