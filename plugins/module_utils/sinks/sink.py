# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sink is: one system that finished runs are sent to. A sink is one file that defines a SinkKind.

A sink says what is to be sent (`items`) and sends a batch of it (`send`), once. Whatever else there is to delivery stands in
outbox.py and push.py: order, batches, repetition, the spool, what was delivered before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from .item import Item, Outcome
from .pushed import Pushed
from .sink_options import SinkOptions

# Options as an argument spec of Ansible: name -> type, choices, no_log, ... The defaults stand in the sink.
Spec = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Limits:
    """The most that one batch holds. An item that is larger by itself is sent alone."""

    items: int
    bytes: int


class Sink(Protocol):
    """A system with the options by which it is reached; made by its kind, without asking the system.

    :ivar destination: which system and which part of it, such as its URL and index. It is shown and kept, so it must not
        contain a secret; what was delivered is remembered under it.
    :ivar secrets: texts that must not appear in any message or file: tokens, passwords
    :ivar limits: of the system; the operator can ask for less
    """

    destination: str
    secrets: Sequence[str]
    limits: Limits

    @property
    def requests(self) -> int:
        """How many requests were made so far."""

    def items(self, pushed: Pushed) -> Iterator[Item]:
        """What is to be sent of a run, in order. It asks the system nothing."""

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        """Sends a batch once. What became of each item, in the batch's order.

        :raises ScanError: the whole batch was not taken. unreachable, throttled, server_error, connection_lost and timed_out
            are tried again (after its `retry_after`, when it has one); after invalid_request the batch is halved until the
            item is found that the system refuses; any other one ends the push, and what is left stays in the spool.
        """

    def close(self) -> None:
        """Closes connections."""


@dataclass(frozen=True)
class SinkKind:
    """A kind of system.

    :ivar name: a word in small letters, the value of `system`
    :ivar options: its own options, flat; two kinds with an option of one name mean the same by it
    :ivar common: the names of the common options that it has: HTTP_OPTIONS, EVENT_OPTIONS, ... of sink_options.py
    :ivar make: makes the sink. It raises ScanError bad_option, bad_file or missing_library where that cannot be, and sends
        nothing.
    """

    name: str
    options: Spec
    common: tuple[str, ...]
    make: Callable[[SinkOptions], Sink]
