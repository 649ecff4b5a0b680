# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until a workload's pods have its new template, and fails early if they cannot get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..approaches.container_start import start_failure
from ..cluster.api_errors import refusal_cause
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..safe_text import server_text
from ..targets.own_containers import alleged_sidecars
from .progress import missing_for_completion, rolling_out
from .workload import WorkloadRef, pods_of, template_of

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_PAST_GRACE = 5.0  # seconds in which the kubelet kills what has not ended, and removes the pod
# Words in a controller's message if admission refused its pod: trying again does not help.
_REFUSED = ("is forbidden", "denied the request", "denied request")
Events = Mapping[str, tuple[int, str]]


class Rollout:
    """The rollout of one workload. It is made before the change, so that it knows which events are older."""

    def __init__(self, client: RestClient, ref: WorkloadRef) -> None:
        self._client = client
        self._ref = ref
        self._before = self._failed_creations()

    def wait(self, deadline: Deadline) -> None:
        """Wait until the rollout is complete and the old pods are gone, which a scan would otherwise find.

        Old pods that stay after their grace period, because their node does not answer, are not waited for.

        :raises ScanError: rollout_failed, image_pull_failed, timed_out, cancelled; what the client raises
        """
        pause = _FIRST_PAUSE
        while True:
            workload = self._client.get(self._ref.path)
            missing = missing_for_completion(self._ref, workload)
            if not missing:
                self._wait_for_leaving(workload, deadline)
                return
            failure = self._refused_pod(workload) or self._failed_sidecar(workload)
            if failure:
                raise failure
            if deadline.remaining() <= pause:
                raise ScanError(
                    "timed_out",
                    missing,
                    tried=rolling_out(self._ref),
                    cause="It takes longer than wait_timeout, or a pod cannot be placed or does not get "
                    "ready.",
                    advice="Look at the workload's pods and events; raise wait_timeout, or take the "
                    "change back (state=absent).",
                )
            deadline.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _wait_for_leaving(self, workload: Mapping[str, Any], deadline: Deadline) -> None:
        leaving, pause = self._leaving(workload), _FIRST_PAUSE
        graces = [float(pod["metadata"].get("deletionGracePeriodSeconds") or 0) for pod in leaving]
        patience = deadline.narrowed(max(graces, default=0.0) + _PAST_GRACE)
        while leaving and patience.remaining() > pause:
            patience.sleep(pause)
            leaving, pause = self._leaving(workload), min(pause * 1.5, _LONGEST_PAUSE)

    def _leaving(self, workload: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            pod
            for pod in pods_of(self._client, self._ref, workload)
            if pod["metadata"].get("deletionTimestamp")
        ]

    def _refused_pod(self, workload: Mapping[str, Any]) -> ScanError | None:
        """The failure if admission refuses new pods: Pod Security, a quota, a policy."""
        messages = [
            str(condition.get("message") or "")
            for condition in (workload.get("status") or {}).get("conditions") or []
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        ]
        if not messages and self._ref.kind.name != "Deployment":
            messages = [
                message
                for uid, (count, message) in self._failed_creations().items()
                if self._before.get(uid, (0, ""))[0] < count
            ]
        for message in messages:
            if any(words in message for words in _REFUSED):
                return ScanError(
                    "rollout_failed",
                    server_text(message),
                    tried=rolling_out(self._ref),
                    cause=refusal_cause(message),
                )
        return None

    def _failed_creations(self) -> dict[str, tuple[int, str]]:
        """Event uid -> (count, message) of the events that say that a pod could not be made.

        Empty for a Deployment, whose status says it, and if we are not allowed to list events: without them
        the failure is only found later.
        """
        if self._ref.kind.name == "Deployment":
            return {}
        selector = f"involvedObject.kind={self._ref.kind.name},involvedObject.name={self._ref.name},reason=FailedCreate"
        try:
            path = f"/api/v1/namespaces/{self._ref.namespace}/events"
            found = list(self._client.list_items(path, {"fieldSelector": selector}))
        except ScanError as error:
            if error.reason != "not_permitted":
                raise
            return {}
        return {
            event["metadata"]["uid"]: (int(event.get("count") or 1), str(event.get("message") or ""))
            for event in found
        }

    def _failed_sidecar(self, workload: Mapping[str, Any]) -> ScanError | None:
        """The failure if a sidecar of the template cannot start."""
        wanted = {
            container["name"]: _compared(container)
            for container in alleged_sidecars(template_of(self._ref, workload)["spec"])
        }
        if not wanted:
            return None
        for pod in pods_of(self._client, self._ref, workload):
            # pods of an earlier template can still be there, with failures of their own
            current = {
                container["name"]: container
                for container in alleged_sidecars(pod["spec"])
                if _compared(container) == wanted.get(container["name"])
            }
            for status in (pod.get("status") or {}).get("initContainerStatuses") or []:
                if status["name"] not in current or pod["metadata"].get("deletionTimestamp"):
                    continue
                tried = "starting the sidecar {} in pod {}/{}".format(
                    status["name"], self._ref.namespace, pod["metadata"]["name"]
                )
                failure = start_failure(
                    status.get("state"), current[status["name"]]["image"], tried, "rollout_failed"
                )
                if failure:
                    return failure
        return None


def _compared(container: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in which a pod's container is the same as in its template."""
    return {key: container.get(key) for key in ("image", "imagePullPolicy", "command", "securityContext")}
