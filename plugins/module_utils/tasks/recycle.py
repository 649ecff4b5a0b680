# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_recycle`: options in, pods that hold what scans have left are replaced, result out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..bounded_work import run_bounded
from ..cluster.rest import RestClient
from ..footprint.left_entries import entries_of
from ..footprint.recycle import LeftPod, Recycled, Recycler, by_workload
from ..options.recycle import RecycleOptions
from ..options.selection import SelectionOptions
from ..options.spec import Params
from ..safe_text import one_line
from ..targets.selection import SelectionReport, check_selected, select_targets
from ..text_layout import number_of
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible

_LISTED_IN_RESULT = 20


def run_scan_recycle(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff, cluster, counts, recycled, not_recycled, requests, table (lines for a terminal)."""
    options = RecycleOptions.from_params(params)
    connection = connect_grantor(options.connection, context)
    client = RestClient(connection, cancel=context.cancel)
    pods = _left_pods(client, options.targets, context)
    recycler = Recycler(
        client,
        RestClient(connection, patience=0.0, attempts=1, cancel=context.cancel),
        options.wait_timeout,
        check_mode=context.check_mode,
        cancel=context.cancel,
        say=context.say,
    )
    outcomes: list[Recycled] = []

    def recycle() -> None:
        for _group, done in run_bounded(
            by_workload(pods),
            lambda group: list(recycler.recycle(group)),
            options.concurrency,
            context.cancel,
            lambda done: None,
        ):
            outcomes.extend(done)

    run_interruptible(recycle, context.cancel)
    return _as_result(outcomes, connection.cluster_name, recycler.requests, context)


def _left_pods(client: RestClient, options: SelectionOptions, context: TaskContext) -> list[LeftPod]:
    """The pods of the selection that hold what scans have left, each once."""
    looked_at, now = SelectionReport(), datetime.now(timezone.utc)
    pods: dict[str, LeftPod] = {}
    for selected in select_targets(client, client.connection.cluster_name, options.selection, looked_at):
        if selected.pod.uid in pods:
            continue
        entries = list(entries_of(selected.pod.object(), now))
        if entries:
            pods[selected.pod.uid] = LeftPod(
                selected.pod,
                selected.target.workload_kind,
                selected.target.workload,
                tuple(entry["name"] for entry in entries),
                # one past its time serves no scan: somebody has stopped it, and only the pod's end is its end
                tuple(
                    entry["name"]
                    for entry in entries
                    if entry["state"] == "running" and not entry["is_overdue"]
                ),
            )
    context.warnings += check_selected(client, options.selection, looked_at, options.allow_empty)
    return list(pods.values())


def _as_result(outcomes: list[Recycled], cluster: str, requests: int, context: TaskContext) -> dict[str, Any]:
    outcomes.sort(key=lambda outcome: outcome.left.path)
    recycled = [outcome.left.as_result() for outcome in outcomes if outcome.evicted and not outcome.error]
    failed = [
        dict(outcome.left.as_result(), evicted=outcome.evicted, error=outcome.error.record())
        for outcome in outcomes
        if outcome.error
    ]
    evicted = [outcome.left for outcome in outcomes if outcome.evicted]
    if failed:
        context.warnings.append(
            f"{len(failed)} of {len(outcomes)} pods that hold what scans have left were not replaced; "
            "not_recycled says why"
        )
    lines = "".join(
        "{} ({} {}): {}\n".format(left.path, left.workload_kind, left.workload, ", ".join(left.entries))
        for left in evicted
    )
    return {
        "changed": bool(evicted),
        "cluster": cluster,
        "requests": requests,
        "counts": {
            "pods": len(outcomes),
            "recycled": len(recycled),
            "not_recycled": len(failed),
            "gone": len(outcomes) - len(recycled) - len(failed),
        },
        "recycled": recycled[:_LISTED_IN_RESULT],
        "not_recycled": failed[:_LISTED_IN_RESULT],
        "table": _lines(outcomes, context.check_mode),
        "diff": [
            {
                "before_header": "pods to be replaced",
                "after_header": "pods to be replaced",
                "before": lines,
                "after": "",
            }
        ]
        if evicted
        else [],
    }


def _lines(outcomes: list[Recycled], check_mode: bool) -> list[str]:
    """What was done, or would be, and what was not, and why. Each list ends with how many are left out, and how to see them."""
    done = [outcome.left for outcome in outcomes if outcome.evicted and not outcome.error]
    failed = [(outcome.left, outcome.error) for outcome in outcomes if outcome.error]
    verb = "would be replaced" if check_mode else "replaced"
    lines = [f"RECYCLE: {number_of(len(done), 'pod')} {verb}" + (f", {len(failed)} not" if failed else "")]
    lines += [f"  {left.path} ({left.workload_kind} {left.workload})" for left in done[:_LISTED_IN_RESULT]]
    if len(done) > _LISTED_IN_RESULT:
        lines.append(f"  and {len(done) - _LISTED_IN_RESULT} more; --diff lists all")
    for left, error in failed[:_LISTED_IN_RESULT]:
        lines.append(f"  not {left.path}: {error.message}. {error.advice}")
    if len(failed) > _LISTED_IN_RESULT:
        lines.append(
            f"  and {len(failed) - _LISTED_IN_RESULT} more that were not; choose fewer namespaces to see them"
        )
    return ["  " * line.startswith(" ") + one_line(line) for line in lines]
