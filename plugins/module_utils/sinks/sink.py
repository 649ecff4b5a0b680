# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sink is: one system that a finished run is sent to. A sink is one file that defines a SinkKind."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from ..results.run import Run
from .delivery import Delivery, PushEndedError
from .receipt import Receipt

# Options as an argument spec of Ansible: name -> type, default, no_log, ...
Spec = Mapping[str, Mapping[str, Any]]


class Sink(Protocol):
    """A system with the options by which it is reached; made by its kind."""

    @property
    def destination(self) -> str:
        """Which system it is, such as its URL. It is shown and kept, so it must not contain a secret."""

    @property
    def secrets(self) -> Sequence[str]:
        """Texts that must not appear in any message or file: tokens, passwords."""

    def push(self, run: Run, delivery: Delivery) -> None:
        """Send what the system does not have yet: each target by `delivery.send`, which keeps the books.

        :raises ScanError: what keeps the system from being asked at all
        """


@dataclass(frozen=True)
class SinkKind:
    """A kind of system.

    :ivar name: a word in small letters; it stands in options and receipts
    :ivar spec: its options
    :ivar check: makes the sink from validated parameters. It raises ScanError bad_option or bad_file where they
        cannot be used, and sends nothing.
    """

    name: str
    spec: Spec
    check: Callable[[Mapping[str, Any]], Sink]


def push_run(
    kind: SinkKind,
    params: Mapping[str, Any],
    run: Run,
    environ: Mapping[str, str],
    cancel: threading.Event | None = None,
) -> Receipt:
    """Send the documents of a run that the system does not have yet. Failures of single targets are in the
    receipt.

    :param params: validated parameters by the kind's spec
    :param run: opened from its folder, where pushed.json is kept
    :param environ: the environment's variables; HTTPS_PROXY and NO_PROXY are read
    :param cancel: ends the push
    :raises ScanError: bad_option and bad_file (nothing was sent); bad_results, write_failed
    """
    sink = kind.check(params)
    delivery = Delivery(kind.name, sink.destination, sink.secrets, run, environ=environ, cancel=cancel)
    try:
        sink.push(run, delivery)
    except PushEndedError:
        pass  # why is in the receipt
    finally:
        delivery.save()
    return delivery.receipt()
