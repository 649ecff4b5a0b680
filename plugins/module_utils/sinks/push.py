# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery: what is in an outbox goes to its system, in order, and in batches that are tried again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from ..errors import ScanError
from ..results.run import Run
from ..results.target_record import ErrorRecord
from ..safe_text import server_text
from ..times import api_time
from .delivery_report import Delivery, Refused
from .item import ALREADY_THERE, Item, Outcome
from .outbox import Outbox, Sent, item_size
from .sink import Limits, Sink
from .told_run import Asked, ToldRun

# Tried again: the next attempt can go better.
AGAIN = frozenset(("unreachable", "throttled", "server_error", "connection_lost", "timed_out"))
# The system did not take anything of what was sent.
_NOT_TAKEN = frozenset(
    (
        "unreachable",
        "throttled",
        "not_authenticated",
        "not_permitted",
        "tls_failed",
        "not_found",
        "conflict",
        "invalid_request",
    )
)
_LONGEST_WAIT = 60.0
_LONGEST_ASKED_WAIT = 300.0
_MOST_IN_A_ROW = 20
_MOST_REFUSALS = 20
_SAY_SECONDS = 10.0
_SHORTEST_SECRET = 12
_MOST_LINES = 200


@dataclass(frozen=True)
class Policy:
    """How it is delivered.

    :ivar batch_items: the most items of a batch, None for as many as the system takes; the same of `batch_bytes`
    :ivar retries: how often a batch is tried again before the push ends
    :ivar deadline: seconds for all of it
    :ivar first_wait: seconds before a batch is tried again for the first time; then twice as long each time, at most 60, less
        a random part; longer where the system asks for it, at most 300
    """

    batch_items: int | None = None
    batch_bytes: int | None = None
    retries: int = 5
    deadline: float = 900.0
    first_wait: float = 1.0

    def limits(self, of_system: Limits) -> Limits:
        return Limits(
            min(self.batch_items or of_system.items, of_system.items),
            min(self.batch_bytes or of_system.bytes, of_system.bytes),
        )


@dataclass
class Pusher:
    """Pushes runs by one sink. Safe to be interrupted and killed at any moment.

    :ivar system: the kind's name
    :ivar say: shows a line about the progress of a long push
    :ivar lines: the first items that came in, for people
    :ivar error: why the last push ended before its end; those after it only keep what is to be sent
    """

    system: str
    sink: Sink
    policy: Policy
    asked: Asked
    cancel: threading.Event
    say: Callable[[str], None]
    error: ErrorRecord | None = None
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.policy.deadline

    def push(self, outbox: Outbox, run: Run | None) -> Delivery:
        """What became of it.

        :param outbox: opened
        :param run: opened from its folder; None to send only what was left
        :raises ScanError: bad_results, bad_spool, write_failed: nothing of the run is then in the outbox
        """
        begun = _Begun(self.sink.requests)
        queued = _Queued(self.sink.secrets)
        if run is not None and not outbox.has_run(run):
            items = self.sink.items(ToldRun(run, outbox, self.asked))
            outbox.add_run(run, queued.count(items, Path(run.folder)))
        outbox.ask_again(run.run_id if run else "")
        courier = _Courier(self, outbox)
        if self.error is None:
            courier.deliver()
            self.error = courier.error
        return self._delivery(outbox, run, queued, courier, begun)

    def plan(self, outbox: Outbox, run: Run | None) -> Delivery:
        """What `push` would put in and send. Nothing is written, and the system is not asked.

        :param outbox: opened dry
        """
        queued = _Queued(self.sink.secrets)
        if run is not None and not outbox.has_run(run):
            for _item in queued.count(self.sink.items(ToldRun(run, outbox, self.asked)), Path(run.folder)):
                pass
        return self._delivery(outbox, run, queued, _Courier(self, outbox), _Begun(self.sink.requests))

    def _delivery(
        self,
        outbox: Outbox,
        run: Run | None,
        queued: _Queued,
        courier: _Courier,
        begun: _Begun,
    ) -> Delivery:
        self.lines += queued.lines[: _MOST_LINES - len(self.lines)]
        waiting = outbox.waiting()
        return Delivery(
            system=self.system,
            destination=self.sink.destination,
            cluster=outbox.cluster,
            run_id=run.run_id if run else "",
            queued=queued.items,
            queued_bytes=queued.bytes,
            activities=dict(queued.activities),
            delivered=courier.delivered,
            already_there=courier.already_there,
            refused=outbox.refused(),
            refusals=tuple(
                Refused(server_text(one.subject), one.run_id, one.error)
                for one in outbox.refusals(_MOST_REFUSALS)
            ),
            spooled=waiting.items,
            spooled_bytes=waiting.bytes,
            started=begun.started,
            duration=round(time.monotonic() - begun.at, 3),
            requests=self.sink.requests - begun.requests,
            error=self.error,
        )

    def harmless(self, error: ErrorRecord) -> ErrorRecord:
        """The record as it can be kept and shown."""
        texts = {name: server_text(text, self.sink.secrets) for name, text in error.to_json().items()}
        return ErrorRecord(**texts)

    @property
    def left(self) -> float:
        return self._end - time.monotonic()


class _Begun:
    """When a push began, and how many requests the sink had made before."""

    def __init__(self, requests: int) -> None:
        self.started = api_time(datetime.now(timezone.utc))
        self.at = time.monotonic()
        self.requests = requests


class _Queued:
    """Items on their way into an outbox, counted, and without the sink's own secrets, should somebody have planted them in a
    result."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.items = 0
        self.bytes = 0
        self.activities: Counter[str] = Counter()
        self.lines: list[str] = []
        self._secrets = [one.encode("utf-8") for one in secrets if len(one) >= _SHORTEST_SECRET]

    def count(self, items: Iterable[Item], folder: Path) -> Iterator[Item]:
        """:param folder: of the run"""
        for item in items:
            body = item.body
            for secret in self._secrets:
                body = body.replace(secret, b"***")
            kept = item if body == item.body else replace(item, body=body)
            size = item_size(kept, folder)
            self.items += 1
            self.bytes += size
            self.activities[item.activity] += 1
            if len(self.lines) < _MOST_LINES:
                self.lines.append(f"{item.activity}  {server_text(item.subject)}  {size} bytes")
            yield kept


class _Courier:
    """Delivers what is in one outbox."""

    def __init__(self, pusher: Pusher, outbox: Outbox) -> None:
        self.delivered = 0
        self.already_there = 0
        self.error: ErrorRecord | None = None
        self._pusher = pusher
        self._outbox = outbox
        self._limits = pusher.policy.limits(pusher.sink.limits)
        # how many items the next batch may hold, while the one is looked for that the system refuses
        self._span = self._limits.items
        self._failures = 0
        self._in_a_row = 0
        self._said = time.monotonic()

    def deliver(self) -> None:
        """Until nothing is left, or `error` says why it ended."""
        while self.error is None:
            if self._pusher.cancel.is_set():
                self._ends(ScanError("cancelled", "the push was cancelled", tried="push"))
            elif self._pusher.left <= 0:
                self._ends(
                    ScanError("timed_out", "the time for the push is over", tried="push", advice=_RAISE)
                )
            else:
                batch = self._outbox.next_batch(Limits(self._span, self._limits.bytes))
                if not batch:
                    return
                self._send(batch)

    def _send(self, batch: Sequence[Sent]) -> None:
        """One batch, once."""
        good = [one for one in batch if one.problem is None]
        outcomes: Sequence[Outcome] = ()
        try:
            outcomes = self._pusher.sink.send([one.item for one in good]) if good else ()
        except ScanError as error:
            self._settle([(one, one.problem) for one in batch if one.problem])
            self._failed(good, error)
            return
        if len(outcomes) != len(good):
            raise RuntimeError(f"the sink answered for {len(outcomes)} of {len(good)} items")
        settled = [(one, outcome) for one, outcome in zip(good, outcomes) if not _is_again(outcome)]
        self._settle([*settled, *((one, one.problem) for one in batch if one.problem)])
        again = [outcome for outcome in outcomes if isinstance(outcome, ErrorRecord) and _is_again(outcome)]
        if settled or not good:
            self._failures = 0
            self._span = min(self._span * 2, self._limits.items)
        if again:
            self._wait(_error_of(again[0]))

    def _settle(self, outcomes: Sequence[tuple[Sent, Outcome]]) -> None:
        harmless = self._pusher.harmless
        self._outbox.settle(
            [(one, harmless(said) if isinstance(said, ErrorRecord) else said) for one, said in outcomes]
        )
        for _one, said in outcomes:
            self.delivered += said is None
            self.already_there += said is ALREADY_THERE
            self._in_a_row = self._in_a_row + 1 if isinstance(said, ErrorRecord) else 0
        if self._in_a_row >= _MOST_IN_A_ROW and self.error is None:
            why = f"the system refused {self._in_a_row} items in a row"
            self._ends(ScanError("invalid_request", why, tried="push", advice=_ALL_REFUSED))
        if time.monotonic() - self._said > _SAY_SECONDS:
            self._said = time.monotonic()
            waiting = self._outbox.waiting()
            self._pusher.say(f"{self._pusher.system}: {self.delivered} sent, {waiting.items} to be sent")

    def _failed(self, batch: Sequence[Sent], error: ScanError) -> None:
        if error.reason in _NOT_TAKEN:
            self._outbox.not_sent(batch)
        if error.reason == "invalid_request" and len(batch) > 1:
            self._span = len(batch) // 2
        elif error.reason == "invalid_request":
            self._failures = 0
            self._settle([(one, ErrorRecord(**error.record())) for one in batch])
        elif error.reason in AGAIN:
            self._wait(error)
        else:
            self._ends(error)

    def _wait(self, error: ScanError) -> None:
        policy = self._pusher.policy
        self._failures += 1
        wait = min(policy.first_wait * 2 ** (self._failures - 1), _LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            wait = max(wait, min(float(asked), _LONGEST_ASKED_WAIT))
        if self._failures > policy.retries or wait >= self._pusher.left:
            self._ends(error)
        else:
            self._pusher.cancel.wait(wait)

    def _ends(self, error: ScanError) -> None:
        self.error = self._pusher.harmless(ErrorRecord(**error.record()))


_RAISE = "Push again: what is left is sent first. Raise deadline when that happens each time."
_ALL_REFUSED = (
    "Look at the first refusals: the system seems to refuse everything. What was not tried is kept."
)


def _is_again(outcome: Outcome) -> bool:
    return isinstance(outcome, ErrorRecord) and outcome.reason in AGAIN


def _error_of(record: ErrorRecord) -> ScanError:
    return ScanError(
        record.reason, record.message, tried=record.tried, cause=record.cause, advice=record.advice
    )
