# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_sidecar`: options in, sidecars put into workloads or taken out, their rollouts waited for, result out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..sidecar.change import Change
from ..sidecar.containers import SidecarOptions
from ..sidecar.manifests import manifests, write_manifests
from ..sidecar.patch import for_display
from ..sidecar.progress import has_rollout, waits_for_deletion
from ..sidecar.rollout import Rollout
from ..sidecar.workload import workload_refs
from ..targets.patterns import DNS_LABEL, check_names, is_pattern
from ..targets.quantities import parse_quantity
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible


def run_scan_sidecar(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed, diff, workloads; manifests and output_dir with state=present; failed, msg and error where one of
    several workloads failed after another was changed."""
    _check(params)
    is_present = params["state"] == "present"
    refs = workload_refs(
        params["namespace"], params["workloads"], needs_change=is_present and not params["manifests_only"]
    )
    client = RestClient(connect_grantor(params, context), cancel=context.cancel)
    changes = [Change(client, ref, _options(params) if is_present else None) for ref in refs]
    for change in changes:
        # all before any is changed
        if params["manifests_only"]:
            change.read()
        else:
            change.plan()
        context.warnings += change.warnings()
    result: dict[str, Any] = {"changed": False, "diff": []}
    if is_present:
        files = manifests([(change.ref, change.pod_spec_change()) for change in changes])
        result["manifests"] = files
        if params["output_dir"]:
            place = Path(params["output_dir"]).expanduser()
            result["output_dir"] = str(place)
            result["diff"] += write_manifests(place, files, context.check_mode)
            result["changed"] = bool(result["diff"])
    return run_interruptible(lambda: _converged(params, context, client, changes, result), context.cancel)


def _check(params: Mapping[str, Any]) -> None:
    """:raises ScanError: bad_option"""

    def refused(option: str, why: str) -> ScanError:
        return ScanError("bad_option", why, tried=f"reading the option {option}")

    check_names("namespace", [params["namespace"]], DNS_LABEL)
    if is_pattern(params["namespace"]):
        raise refused("namespace", "it is a pattern; one namespace must be named")
    for option in ("run_as_user", "run_as_group"):
        if params[option] is not None and not 0 <= params[option] < 2**31:
            raise refused(option, f"{params[option]} is no id of a user or group")
    for part, amounts in (params["resources"] or {}).items():
        if part not in ("requests", "limits") or not isinstance(amounts, dict):
            raise refused("resources", f"{str(part)[:100]} is neither requests nor limits, or has no amounts")
        for name, amount in amounts.items():
            if not _is_amount(amount):
                raise refused(
                    "resources", f"{str(name)[:100]} of {part} is {str(amount)[:100]!r}, which is no quantity"
                )
    if params["wait_timeout"] < 1:
        raise refused("wait_timeout", "it is {} s; it must be at least 1 s".format(params["wait_timeout"]))
    if params["state"] == "present":
        if not (params["scanner_image"] or "").strip():
            raise ScanError(
                "bad_option",
                "the sidecar needs an image",
                tried="reading the option scanner_image",
                advice="Name any image with a POSIX shell and sleep that the clusters' nodes can pull, or "
                "have.",
            )
    elif params["manifests_only"] or params["output_dir"]:
        raise refused("state", "there are no manifests for state=absent")


def _is_amount(value: object) -> bool:
    try:
        return parse_quantity(value) >= 0
    except ValueError:
        return False


def _options(params: Mapping[str, Any]) -> SidecarOptions:
    return SidecarOptions(
        image=params["scanner_image"],
        pull_policy=params["scanner_image_pull_policy"],
        resources=params["resources"] or {},
        user=params["run_as_user"],
        group=params["run_as_group"],
    )


def _converged(
    params: Mapping[str, Any],
    context: TaskContext,
    client: RestClient,
    changes: Sequence[Change],
    result: dict[str, Any],
) -> dict[str, Any]:
    records: list[dict[str, Any]] = []
    rollouts: list[Rollout | None] = []
    failures: list[ScanError] = []
    for change in changes:
        rollouts.append(_rollout(params, context, client, change))
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
    # one time for all: they go on beside each other
    deadline = Deadline(
        params["wait_timeout"],
        context.cancel,
        "waiting for rollouts in namespace {}".format(params["namespace"]),
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
    params: Mapping[str, Any], context: TaskContext, client: RestClient, change: Change
) -> Rollout | None:
    """What is waited for; None where nothing is."""
    if change.before is None or params["manifests_only"] or context.check_mode or not has_rollout(change.ref):
        return None
    if waits_for_deletion(change.before):
        if change.changed:
            context.warnings.append(
                f"{change.ref.title}: its pods get the change when they are deleted (updateStrategy OnDelete)"
            )
        return None
    return Rollout(client, change.ref) if params["wait"] else None


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
