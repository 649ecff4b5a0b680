# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_tickets`: a run in; in a tracker a ticket for each place or control that needs somebody."""

from __future__ import annotations

from typing import Any

from ..options.spec import Params
from ..options.tickets import TicketsOptions
from ..results.checked_json import plain
from ..results.run import open_run
from ..results.run_check import check_summary_sha256
from ..tickets.carry_out import carry_out
from ..tickets.grouping import Tickets, tickets_of
from ..tickets.plan import make_plan
from ..tickets.ticket import OPEN, SOLVED
from .context import TaskContext

# So much of a result is stored by job systems; the tracker has the rest.
_MOST_SHOWN = 200
_MOST_UNSEEN = 20


def run_scan_tickets(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, tickets (the first, worst first), open, solved, unseen (why some can be neither); with a tracker
    also changes (what was done, or would be in check mode), failed_tickets, not_opened, doubles, unchanged. `failed` is set where
    something was not done."""
    options = TicketsOptions.from_params(params, context.environ, context.cancel)
    run = open_run(str(options.run_dir))
    check_summary_sha256(run, options.summary_sha256)
    found = tickets_of(run, options.grouping)
    result = _of_run(found)
    if options.tracker is None:
        return result
    plan = make_plan(found, options.tracker.known(), options.max_new, options.reopens)
    changes = carry_out(plan, None if context.check_mode else options.tracker, run)
    for change in changes.done:
        verb = f"would be {change.action}" if context.check_mode else change.action
        context.say(f"ticket {change.id or change.key} {verb}: {change.about or 'its place is gone'}")
    if plan.not_opened:
        context.warnings.append(
            f"{len(plan.not_opened)} tickets were not opened, because max_new is {options.max_new}; the next run opens more"
        )
    if plan.doubles:
        ids = ", ".join(one.id for one in plan.doubles[:10])
        context.warnings.append(
            f"there is a second open ticket of the same key; nothing was done with: {ids}"
        )
    result.update(
        changed=bool(changes.done),
        changes=[change.to_json() for change in changes.done[:_MOST_SHOWN]],
        failed_tickets=changes.failed[:_MOST_SHOWN],
        not_opened=len(plan.not_opened),
        doubles=[one.id for one in plan.doubles[:_MOST_SHOWN]],
        unchanged=plan.unchanged,
    )
    if changes.failed:
        first = changes.failed[0]["error"]
        result.update(
            failed=True,
            error=first,
            msg=f"{len(changes.failed)} tickets could not be written: {first['message']}",
        )
    return result


def _of_run(found: Tickets) -> dict[str, Any]:
    return {
        "changed": False,
        "tickets": [plain(one) for one in found.tickets if one.state == OPEN][:_MOST_SHOWN],
        "open": sum(one.state == OPEN for one in found.tickets),
        "solved": sum(one.state == SOLVED for one in found.tickets),
        "unseen": list(found.unseen[:_MOST_UNSEEN]),
    }
