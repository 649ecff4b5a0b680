# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source: requests out of topics of Kafka."""

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
    tell_waiting,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.events.source_options import (
    ALLOW_OPTIONS,
    QUEUE_OPTIONS,
    TLS_OPTIONS,
    SourceOptions,
)

DOCUMENTATION = r"""
short_description: Take requests for scans from Kafka
description:
  - Each record holds a request in JSON. Its offset is committed once the request is in the queue, or refused, so nothing is lost, and
    what comes twice is one request.
  - The connection is always encrypted.
options:
  brokers:
    description: Brokers, as host:port.
    type: list
    elements: str
    required: true
  topic:
    description: The topic.
    type: str
    required: true
  group:
    description: The consumer group, of which several sources can be members.
    type: str
    default: securescan
  username:
    description: Whom we log in as, by SASL.
    type: str
  password:
    description: The password.
    type: str
  password_file:
    description: A file with the password in its first line.
    type: str
  sasl_mechanism:
    description: How we log in.
    type: str
    choices: [SCRAM-SHA-512, SCRAM-SHA-256, PLAIN]
    default: SCRAM-SHA-512
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
    default: kafka
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
    "brokers", "topic", "group", "username", "password", "password_file", "sasl_mechanism",
    *TLS_OPTIONS, *QUEUE_OPTIONS, *ALLOW_OPTIONS,
)  # fmt: skip
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
_POLL_MILLISECONDS = 1000
_MOST_RECORDS = 50
# How long records are worked on at most before the group gives them to another member.
_POLL_INTERVAL = 3_600_000


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Consumes until it is cancelled."""
    options = SourceOptions.of(args, "kafka", _OPTIONS)
    door = MessageDoor(options.queue(time.time), options.allowed(), options.source)
    consumer = await asyncio.to_thread(_consumer, options)
    try:
        await tell_waiting(queue, door)
        while True:
            polled = await asyncio.to_thread(consumer.poll, _POLL_MILLISECONDS, _MOST_RECORDS)
            for records in polled.values():
                for record in records:
                    key = f"{record.topic}/{record.partition}/{record.offset}"
                    await deliver(queue, door, record.value or b"", key)
            if polled:
                await asyncio.to_thread(consumer.commit)
    finally:
        # what was not committed comes again
        await asyncio.shield(asyncio.to_thread(consumer.close, autocommit=False))


def _consumer(options: SourceOptions) -> Any:
    """A consumer, connected. :raises ScanError: missing_library, bad_option, unreachable"""
    try:
        import kafka
        import kafka.errors
    except ImportError:
        raise ScanError(
            "missing_library",
            "kafka-python is not installed",
            tried="import kafka",
            advice="Install requirements-push.txt of the collection for the Python that runs this source.",
        ) from None
    brokers, topic = options.names("brokers"), options.text("topic", needed=True)
    mechanism = options.text("sasl_mechanism", _MECHANISMS[0])
    if not brokers or mechanism not in _MECHANISMS:
        raise ScanError("bad_option", "brokers is needed; sasl_mechanism is one of " + ", ".join(_MECHANISMS))
    username, login = options.text("username"), {}
    if username:
        login = {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": username,
            "sasl_plain_password": options.secret("password"),
        }
    try:
        return kafka.KafkaConsumer(
            topic,
            bootstrap_servers=list(brokers),
            client_id="securescan.kubernetes",
            group_id=options.text("group", "securescan"),
            security_protocol="SASL_SSL" if login else "SSL",
            ssl_context=options.tls(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            max_poll_interval_ms=_POLL_INTERVAL,
            **login,
        )
    except kafka.errors.KafkaError as error:
        raise ScanError(
            "unreachable",
            f"no broker answers: {type(error).__name__}",
            tried=f"connect to {', '.join(brokers)}",
        ) from None
