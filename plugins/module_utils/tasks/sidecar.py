# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_sidecar`: options in, sidecars added or removed, rollouts waited for, result out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..options.sidecar import SidecarTaskOptions
from ..options.spec import Params
from ..results.output_folder import check_can_write
from ..sidecar.change import Change
from ..sidecar.manifests import manifests, write_manifests
from ..sidecar.patch import for_display
from ..sidecar.progress import has_rollout, waits_for_deletion
from ..sidecar.rollout import Rollout
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible


def run_scan_sidecar(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff, workloads; manifests and output_dir with state=present; failed, msg and
    error where one of several workloads failed after another was changed."""
    options = SidecarTaskOptions.from_params(params)
    if options.output_dir:
        check_can_write(options.output_dir)
    client = RestClient(connect_grantor(options.connection, context), cancel=context.cancel)
    changes = [Change(client, ref, options.sidecar) for ref in options.workloads]
    for change in changes:
        # all before any is changed
        if options.manifests_only:
            change.read()
        else:
            change.plan()
        context.warnings += change.warnings()
    result: dict[str, Any] = {"changed": False, "diff": []}
    if options.sidecar:
        files = manifests([(change.ref, change.pod_spec_change()) for change in changes])
        result["manifests"] = files
        if options.output_dir:
            result["output_dir"] = str(options.output_dir)
            result["diff"] += write_manifests(options.output_dir, files, context.check_mode)
            result["changed"] = bool(result["diff"])
    return run_interruptible(lambda: _converged(options, context, client, changes, result), context.cancel)


def _converged(
    options: SidecarTaskOptions,
    context: TaskContext,
    client: RestClient,
    changes: Sequence[Change],
    result: dict[str, Any],
) -> dict[str, Any]:
    records: list[dict[str, Any]] = []
    rollouts: list[Rollout | None] = []
    failures: list[ScanError] = []
    for change in changes:
        rollouts.append(_rollout(options, context, client, change))
        try:
            if change.changed and not context.check_mode:
                change.apply()
        except ScanError as error:
            rollouts[-1] = None
            failures.append(error)
            records.append(_record(change, changed=False, error=error))
            continue
        if change.changed and change.before and change.after:
            result["diff"].append(_diff(change))
        records.append(_record(change, changed=change.changed))
    # one deadline for all: the rollouts go on at the same time
    deadline = Deadline(
        options.wait_timeout,
        context.cancel,
        f"waiting for rollouts in namespace {options.namespace}",
    )
    for change, rollout, record in zip(changes, rollouts, records):
        if rollout is None:
            continue
        context.say(f"waiting for the rollout of {change.ref.title}")
        try:
            rollout.wait(deadline)
            record["rolled_out"] = True
        except ScanError as error:
            failures.append(error)
            record["error"] = error.record()
    result["workloads"] = records
    result["changed"] = bool(result["changed"] or any(record["changed"] for record in records))
    if failures:
        result.update(failed=True, msg="; ".join(map(str, failures)), error=failures[0].record())
    return result


def _rollout(
    options: SidecarTaskOptions, context: TaskContext, client: RestClient, change: Change
) -> Rollout | None:
    """The rollout to wait for; None where there is none."""
    if change.before is None or options.manifests_only or context.check_mode or not has_rollout(change.ref):
        return None
    if waits_for_deletion(change.before):
        if change.changed:
            context.warnings.append(
                f"{change.ref.title}: its pods get the change when they are deleted (updateStrategy OnDelete)"
            )
        return None
    return Rollout(client, change.ref) if options.wait else None


def _record(change: Change, changed: bool, error: ScanError | None = None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "workload": change.ref.title,
        "changed": changed,
        "sidecars": change.needed.names,
        "rolled_out": False,
        "not_served": {name: failure.message for name, failure in change.needed.not_served.items()},
    }
    return dict(record, error=error.record()) if error else record


def _diff(change: Change) -> dict[str, str]:
    header = f"{change.ref.title} in namespace {change.ref.namespace}"
    before, after = (
        json.dumps(for_display(change.ref, found), indent=2, sort_keys=True) + "\n"
        for found in (change.before or {}, change.after or {})
    )
    return {"before_header": header, "after_header": header, "before": before, "after": after}
