# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a workload's rollout is, read from its status by the rules of `kubectl rollout status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ..errors import ScanError
from ..safe_text import server_text
from .workload import WorkloadRef

ON_DELETE = "OnDelete"


def missing_for_completion(ref: WorkloadRef, workload: Mapping[str, Any]) -> str:
    """What the rollout still waits for, in words; "" if it is complete.

    :raises ScanError: rollout_failed, if the controller has given up, or the rollout is paused
    """
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return "its controller has not seen the change yet"
    return _BY_KIND[ref.kind.name](ref, workload, status)


def rolling_out(ref: WorkloadRef) -> str:
    """What was tried, for errors."""
    return f"rolling out {ref.title} in namespace {ref.namespace}"


def waits_for_deletion(workload: Mapping[str, Any]) -> bool:
    """Whether pods get a new template only when somebody deletes them."""
    return bool((workload["spec"].get("updateStrategy") or {}).get("type") == ON_DELETE)


def has_rollout(ref: WorkloadRef) -> bool:
    """Whether a new template replaces pods. It does not for a CronJob, whose next run makes new ones."""
    return ref.kind.name in _BY_KIND


def _deployment(ref: WorkloadRef, workload: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    if workload["spec"].get("paused"):
        raise ScanError(
            "rollout_failed",
            "its rollout is paused",
            tried=rolling_out(ref),
            advice="Resume it (kubectl rollout resume), or do not wait for it (wait=false).",
        )
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            message = server_text(str(condition.get("message") or "its progress deadline is over"))
            raise ScanError(
                "rollout_failed",
                message,
                tried=rolling_out(ref),
                cause="The Deployment made no progress for its progressDeadlineSeconds ({}).".format(
                    workload["spec"].get("progressDeadlineSeconds")
                ),
            )
    wanted, updated = _wanted(workload), status.get("updatedReplicas", 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods have the new template"
    if status.get("replicas", 0) > updated:
        return "{} pods of the old template are still there".format(status.get("replicas", 0) - updated)
    if status.get("availableReplicas", 0) < updated:
        return "{} of {} new pods are available".format(status.get("availableReplicas", 0), updated)
    return ""


def _stateful_set(_ref: WorkloadRef, workload: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    wanted = _wanted(workload)
    partition = ((workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get(
        "partition"
    ) or 0
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if partition:
        if updated < wanted - partition:
            return f"{updated} of {wanted - partition} pods have the new template (partition {partition})"
    elif status.get("updateRevision") != status.get("currentRevision"):
        return f"{updated} of {wanted} pods have the new template"
    return "" if ready >= wanted else f"{ready} of {wanted} pods are ready"


def _daemon_set(_ref: WorkloadRef, _workload: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods have the new template"
    available = status.get("numberAvailable", 0)
    return "" if available >= wanted else f"{available} of {wanted} new pods are available"


def _wanted(workload: Mapping[str, Any]) -> int:
    replicas: int | None = workload["spec"].get("replicas")
    return 1 if replicas is None else replicas


_BY_KIND: dict[str, Callable[[WorkloadRef, Mapping[str, Any], Mapping[str, Any]], str]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}
