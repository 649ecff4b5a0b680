# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_push`: a run or a fleet run to one system, and what was left over from earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..options.push import FLUSH, PushOptions
from ..options.spec import Params
from ..results.fleet_run import FLEET_JSON, open_fleet_run
from ..results.run import Run, open_run
from ..safe_text import one_line
from ..sinks.delivery_report import Delivery, write_deliveries
from ..sinks.outbox import FOLDER, Outbox, lock_of_deliveries
from ..sinks.push import Pusher
from ..text_layout import number_of
from .context import TaskContext

_MOST_SHOWN = 50
_MOST_NAMED = 3
_SUMS = ("queued", "delivered", "already_there", "refused", "spooled", "spooled_bytes", "requests")


def run_scan_push(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, system, destination, queued, delivered, already_there, refused, spooled, spooled_bytes, requests
    (sums), deliveries (for each cluster, the first 50), table (lines for a terminal), diff; where something is not there also
    failed, msg and error. In check mode `queued` is what would come into the outbox, and the system is not asked."""
    options = PushOptions.from_params(params, context.environ, context.cancel)
    sink = options.kind.make(options.sink)
    if not options.sink.validate_certs:
        context.warnings.append(
            f"The certificate of {one_line(sink.destination, 300)} is not verified (validate_certs is false)."
        )
    unread: list[str] = []
    deliveries: list[Delivery] = []
    try:
        pusher = Pusher(options.kind.name, sink, options.policy, options.asked, context.cancel, context.say)
        is_fleet = (options.run_dir / FLEET_JSON).is_file()
        for run in _runs(options, unread):
            try:
                deliveries.append(_push(run, pusher, options, context))
            except ScanError as problem:
                if not is_fleet:
                    raise
                # the outbox of one cluster does not keep the others from theirs
                unread.append(one_line(f"{run.cluster}: {problem.message}", 300))
        destination = sink.destination
        if is_fleet and not deliveries and not unread:
            context.warnings.append("No cluster of the fleet run has a run: there is nothing to send.")
    finally:
        sink.close()
    result: dict[str, Any] = {
        "changed": any(one.queued or one.delivered or one.already_there for one in deliveries),
        "system": options.kind.name,
        "destination": destination,
        **{name: sum(getattr(one, name) for one in deliveries) for name in _SUMS},
        "deliveries": [one.to_json() for one in deliveries[:_MOST_SHOWN]],
        "table": [_line(one, context.check_mode) for one in deliveries[:_MOST_SHOWN]],
        "diff": {
            "before_header": destination,
            "after_header": destination,
            "before": "",
            "after": "".join(f"{line}\n" for line in pusher.lines),
        },
    }
    if not context.check_mode:
        error = _failure(deliveries, unread)
        if error is not None:
            result.update(failed=True, msg=str(error), error=error.record())
    elif unread:
        context.warnings += unread[:_MOST_NAMED]
    return result


def _push(run: Run, pusher: Pusher, options: PushOptions, context: TaskContext) -> Delivery:
    folder = options.spool_dir or Path(run.folder).resolve().parent / FOLDER
    outbox = Outbox(folder, pusher.system, pusher.sink.destination, run.cluster, dry=context.check_mode)
    pushed = None if options.state == FLUSH else run
    with outbox:
        if context.check_mode:
            return pusher.plan(outbox, pushed)
        delivery = pusher.push(outbox, pushed)
    with lock_of_deliveries(folder):
        write_deliveries(folder, [delivery])
    return delivery


def _runs(options: PushOptions, unread: list[str]) -> Iterator[Run]:
    """The run, or those of a fleet run; why one cannot be read goes to `unread`.

    :raises ScanError: bad_results, not_signed, bad_evidence, for what was named itself
    """
    folder = options.run_dir
    if not (folder / FLEET_JSON).is_file():
        yield _trusted(open_run(str(folder)), options)
        return
    fleet_run = open_fleet_run(str(folder))
    options.trust.check(folder, fleet_run.sha256)
    for entry in fleet_run.clusters:
        try:
            run = fleet_run.run_of(entry)
            if run is not None:
                yield _trusted(run, options)
        except ScanError as error:
            unread.append(one_line(error.message, 300))


def _trusted(run: Run, options: PushOptions) -> Run:
    options.trust.check(run.folder, run.sha256)
    return run


def _failure(deliveries: list[Delivery], unread: list[str]) -> ScanError | None:
    left = [one for one in deliveries if not one.is_complete]
    if not left and not unread:
        return None
    said = [_line(one, check_mode=False) for one in left[:_MOST_NAMED]] + unread[:_MOST_NAMED]
    first = next((one.error for one in left if one.error), None) or next(
        (refused.error for one in left for refused in one.refusals), None
    )
    message = "; ".join(said)
    if first is not None:
        message += f". The cause: {first.code} {first.reason}: {first.message}"
    if not left:
        return ScanError("bad_results", message, tried="push")
    advice = f"{first.advice} What was not sent is kept: the next push sends it first." if first else ""
    return ScanError("push_incomplete", one_line(message, 1000), tried="push", advice=advice)


def _line(delivery: Delivery, check_mode: bool) -> str:
    """One cluster's push in words."""
    head = f"{delivery.system}, {delivery.cluster}:"
    if check_mode:
        kinds = ", ".join(f"{number} {name}" for name, number in sorted(delivery.activities.items()))
        new = (
            number_of(delivery.queued, "item")
            + f" ({delivery.queued_bytes} bytes{': ' + kinds if kinds else ''})"
        )
        return one_line(
            f"{head} would send {new} to {delivery.destination}, after {delivery.spooled} from before", 500
        )
    parts = [f"{delivery.delivered} sent"]
    for number, word in (
        (delivery.already_there, "already there"),
        (delivery.refused, "refused"),
        (delivery.spooled, "kept for the next push"),
    ):
        if number:
            parts.append(f"{number} {word}")
    return one_line(f"{head} {', '.join(parts)}, to {delivery.destination}", 500)
