# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_recycle`: options in, pods that hold what scans have left are replaced, result out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping

from ..bounded_work import run_bounded
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options import selection
from ..preflight.left_entries import entries_of
from ..recycle import LeftPod, Recycled, Recycler, by_workload
from ..targets.selection import LookedAt, check_selected, select_targets
from .context import TaskContext
from .grantor import connect_grantor
from .interrupts import run_interruptible

_LISTED_IN_RESULT = 20


def run_scan_recycle(params: Mapping[str, Any], context: TaskContext) -> Dict[str, Any]:
    """Result keys: changed, diff, cluster, counts, recycled, not_recycled, requests."""
    for option in ("wait_timeout", "concurrency"):
        if params[option] <= 0:
            raise ScanError("bad_option", "%s is %g; it must be more than 0" % (option, params[option]),
                            tried="reading the option %s" % option)
    chosen, looked_at = selection(params), LookedAt()
    connection = connect_grantor(params, context)
    client = RestClient(connection, cancel=context.cancel)
    pods: Dict[str, LeftPod] = {}
    now = datetime.now(timezone.utc)
    for selected in select_targets(client, connection.cluster_name, chosen, looked_at):
        if selected.pod.uid in pods:
            continue
        entries = list(entries_of(selected.pod.object(), now))
        if entries:
            pods[selected.pod.uid] = LeftPod(
                selected.pod, selected.target.workload_kind, selected.target.workload,
                tuple(entry["name"] for entry in entries),
                tuple(entry["name"] for entry in entries if entry["state"] == "running"))
    context.warnings += check_selected(client, chosen, looked_at, params["allow_empty"])
    recycler = Recycler(client, params["wait_timeout"], check_mode=context.check_mode, cancel=context.cancel, say=context.say)
    outcomes: List[Recycled] = []

    def recycle() -> None:
        for _group, done in run_bounded(by_workload(list(pods.values())), lambda group: list(recycler.recycle(group)),
                                        params["concurrency"], context.cancel, lambda done: None):
            outcomes.extend(done)

    run_interruptible(recycle, context.cancel)
    return _result(outcomes, connection.cluster_name, recycler.requests, context)


def _result(outcomes: List[Recycled], cluster: str, requests: int, context: TaskContext) -> Dict[str, Any]:
    outcomes.sort(key=lambda outcome: outcome.left.path)
    recycled = [outcome.left.described() for outcome in outcomes if outcome.evicted and not outcome.error]
    failed = [dict(outcome.left.described(), evicted=outcome.evicted, error=outcome.error.record())
              for outcome in outcomes if outcome.error]
    evicted = [outcome.left for outcome in outcomes if outcome.evicted]
    if failed:
        context.warnings.append("%d of %d pods that hold what scans have left were not replaced; not_recycled says why"
                                % (len(failed), len(outcomes)))
    lines = "".join("%s (%s %s): %s\n" % (left.path, left.workload_kind, left.workload, ", ".join(left.entries))
                    for left in evicted)
    return {"changed": bool(evicted), "cluster": cluster, "requests": requests,
            "counts": {"pods": len(outcomes), "recycled": len(recycled), "not_recycled": len(failed),
                       "gone": len(outcomes) - len(recycled) - len(failed)},
            "recycled": recycled[:_LISTED_IN_RESULT], "not_recycled": failed[:_LISTED_IN_RESULT],
            "diff": [{"before_header": "pods to be replaced", "after_header": "pods to be replaced", "before": lines,
                      "after": ""}] if evicted else []}
