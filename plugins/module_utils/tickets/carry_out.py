# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does in a tracker what a plan says. What fails is told for its ticket, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from ..errors import ScanError
from ..results.checked_json import JsonRecord
from ..results.run import Run
from .plan import Plan
from .ticket import Known, Ticket
from .tracker import Tracker
from .wording import body_of, gone_text, plain_title, reopened_text, solved_text

# The next ticket would fail for the same reason.
_STOPS = frozenset(("unreachable", "tls_failed", "not_authenticated", "throttled", "cancelled"))
# Does one thing in a tracker; the id of what it has made, None for nothing new.
Work = Callable[[Tracker], Optional[str]]
CREATED, UPDATED, REOPENED, CLOSED = "created", "updated", "reopened", "closed"


@dataclass(frozen=True)
class Change(JsonRecord):
    """What was done with one ticket, or would be in check mode; `id` is the tracker's, empty where there is none yet."""

    action: str
    id: str
    key: str
    about: str
    severity: str


@dataclass
class Changes:
    """`failed` says of a ticket why nothing was done, one entry {about, error}."""

    done: list[Change] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)


def carry_out(plan: Plan, tracker: Tracker | None, run: Run) -> Changes:
    """:param tracker: None to say only what would be done"""
    changes = Changes()
    for change, work in _work(plan, run):
        try:
            made = work(tracker) if tracker else None
        except ScanError as error:
            failed: dict[str, Any] = {
                "about": change.about or change.id,
                "action": change.action,
                "error": error.record(),
            }
            changes.failed.append(failed)
            if error.reason in _STOPS or (change.action, error.reason) == (CREATED, "not_permitted"):
                break
            continue
        changes.done.append(
            Change(change.action, made or change.id, change.key, change.about, change.severity)
        )
    return changes


def _work(plan: Plan, run: Run) -> Iterator[tuple[Change, Work]]:
    """Closings come first: they never make more of what people have to read."""
    for known, ticket in plan.close:
        yield _change(CLOSED, known, ticket), partial(_close, known, ticket)
    for known in plan.gone:
        yield _change(CLOSED, known, None), partial(_close_gone, known, run)
    for known, ticket in plan.reopen:
        yield _change(REOPENED, known, ticket), partial(_reopen, known, ticket, run)
    for known, ticket in plan.update:
        yield _change(UPDATED, known, ticket), partial(_update, known, ticket, run)
    for ticket in plan.create:
        yield _change(CREATED, None, ticket), partial(_create, ticket, run)


def _change(action: str, known: Known | None, ticket: Ticket | None) -> Change:
    return Change(
        action,
        known.id if known else "",
        ticket.key if ticket else known.key if known else "",
        ticket.about if ticket else "",
        ticket.severity if ticket else "",
    )


def _create(ticket: Ticket, run: Run, tracker: Tracker) -> str:
    return tracker.create(
        ticket, plain_title(ticket.title), body_of(ticket, tracker.markup, run.run_id, tracker.limit)
    )


def _update(known: Known, ticket: Ticket, run: Run, tracker: Tracker) -> None:
    body = body_of(ticket, tracker.markup, run.run_id, tracker.limit)
    tracker.update(known, ticket, plain_title(ticket.title), body)


def _reopen(known: Known, ticket: Ticket, run: Run, tracker: Tracker) -> None:
    body = body_of(ticket, tracker.markup, run.run_id, tracker.limit)
    tracker.reopen(known, ticket, body, reopened_text(tracker.markup, run.run_id))


def _close(known: Known, ticket: Ticket, tracker: Tracker) -> None:
    tracker.close(known, ticket, solved_text(ticket, tracker.markup))


def _close_gone(known: Known, run: Run, tracker: Tracker) -> None:
    tracker.close(known, None, gone_text(tracker.markup, run.run_id, run.started))
