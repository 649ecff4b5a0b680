# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The books of one push of a run to one system."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable

from ..errors import ScanError
from ..results.run import Run
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from .receipt import Failure, Receipt, idempotency_key, read_receipts, write_receipts

# The next document would fail for the same reason.
_STOPS = frozenset(
    ("unreachable", "tls_failed", "not_authenticated", "not_permitted", "throttled", "timed_out", "cancelled")
)
# How much of the books may be lost when the process is killed; the system then gets these targets once more.
_SAVE_SECONDS = 1.0


class PushEndedError(Exception):
    """The push ends; why is in the receipt."""


class Delivery:
    """What a sink sends by, and what says which targets the system has.

    :param sink: the kind's name
    :param destination: which system it is
    :param secrets: texts that must not appear in the receipt
    :param run: opened from its folder, where pushed.json is kept
    :ivar environ: the environment's variables (proxies)
    :ivar cancel: set when the push is to end
    :raises ScanError: bad_results
    """

    def __init__(
        self,
        sink: str,
        destination: str,
        secrets: Sequence[str],
        run: Run,
        *,
        environ: Mapping[str, str],
        cancel: threading.Event | None = None,
    ) -> None:
        self.environ = environ
        self.cancel = cancel
        self._key = (sink, destination)
        self._secrets = secrets
        self._run = run
        if not run.folder:
            raise ScanError("bad_results", f"run {run.run_id} was not opened from its folder", tried="push")
        self._receipts = read_receipts(Path(run.folder))
        earlier = self._receipts.get(self._key)
        self._already_there = earlier.there if earlier else ()
        self._skip = frozenset(self._already_there)
        self._delivered: list[str] = []
        self._failed: list[Failure] = []
        self._saved = time.monotonic()

    def send(self, target_id: str, action: Callable[[str], object]) -> None:
        """Call `action` with the idempotency key, unless the system has this target. Its ScanError goes to
        the receipt.

        :raises PushEndedError: all other targets would fail for the same reason
        """
        if target_id in self._skip:
            return
        try:
            action(idempotency_key(self._run.run_id, target_id))
        except ScanError as error:
            record = {name: server_text(text, self._secrets) for name, text in error.record().items()}
            self._failed.append(Failure(target_id, ErrorRecord(**record)))
            if error.reason in _STOPS:
                raise PushEndedError from None
            return
        self._delivered.append(target_id)
        if time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()

    def receipt(self) -> Receipt:
        """What was done up to now."""
        return Receipt(
            *self._key,
            self._run.run_id,
            self._run.target_counts.scanned,
            tuple(self._delivered),
            self._already_there,
            tuple(self._failed),
        )

    def save(self) -> None:
        """Write pushed.json. :raises ScanError: write_failed"""
        self._receipts[self._key] = self.receipt()
        write_receipts(Path(self._run.folder), self._receipts.values())
        self._saved = time.monotonic()
