# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between an event source's work, which waits for disks and servers, and the queue of a rulebook, which must not wait for it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ..cluster.hub import connect_as_given
from ..cluster.rest import RestClient
from ..errors import ScanError
from .message_door import LATER, MessageDoor
from .source_options import SourceOptions

LOG = logging.getLogger("securescan.kubernetes")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# What passes by itself: a server that is away, a queue that is full.
PASSING = LATER | {
    "unreachable", "connection_lost", "timed_out", "server_error", "throttled", "not_authenticated", "bad_reply",
    "store_unreachable", "store_locked",
}  # fmt: skip


class RulebookQueue(Protocol):
    """What ansible-rulebook gives to a source."""

    async def put(self, event: Any) -> None: ...


async def put_all(queue: RulebookQueue, events: Iterable[Mapping[str, Any]]) -> None:
    for event in events:
        await queue.put(event)


async def tell_waiting(queue: RulebookQueue, door: MessageDoor) -> None:
    """Tells the rules of requests of which they were perhaps told before a restart. :raises ScanError: bad_results"""
    await put_all(queue, await asyncio.to_thread(door.waiting))


async def deliver(queue: RulebookQueue, door: MessageDoor, message: bytes, key: str) -> None:
    """Brings a message of a bus into the queue of requests, and comes back when it is on the disk, or refused for good: then
    it can be acknowledged."""
    pause = FIRST_PAUSE
    while True:
        try:
            events = await asyncio.to_thread(door.take, message, key)
        except ScanError as error:
            LOG.warning("a message waits: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        for event in events:
            if "refused" in event:
                LOG.warning("a message was refused: %s", event["refused"]["message"])
        return await put_all(queue, events)


async def keep_on(work: Callable[[], Any], pause: float) -> None:
    """Calls `work`, which is awaited, again and again with a pause between. What passes by itself is waited for.

    :raises ScanError: for all else, such as a right that is missing
    """
    failure = FIRST_PAUSE
    while True:
        try:
            await work()
        except ScanError as error:
            if error.reason not in PASSING:
                raise
            LOG.warning("%s; it is tried again in %.0f seconds", error, failure)
            await asyncio.sleep(failure)
            failure = min(failure * 2, LONGEST_PAUSE)
            continue
        failure = FIRST_PAUSE
        if pause:
            await asyncio.sleep(pause)


def cluster_client(options: SourceOptions) -> RestClient:
    """The client of the cluster that is watched. :raises ScanError: as `connect_as_given`"""
    connection = connect_as_given(options.connection(), os.environ)
    for warning in connection.warnings:
        LOG.warning("%s", warning)
    return RestClient(connection)
