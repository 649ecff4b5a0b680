# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces pods, and with them the finished debug containers that scans have left in them.

Pods are evicted one at a time per workload. The API server refuses an eviction while a PodDisruptionBudget
does not allow it (policy/v1: 429). A pod is only evicted if one of Kubernetes' own controllers replaces it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ..cluster.rest import RestClient
from ..errors import ScanError
from ..network.deadline import Deadline
from ..safe_text import server_text
from ..targets.pod import PodSnapshot, controller_of, mirrored_node, whole_pods

# (API group, kind) of the controllers that replace a pod of theirs that is gone.
_REPLACE = frozenset(
    {("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")}
)
# Labels by which a controller marks its pods: a query for them finds the new pod without listing the
# namespace.
_LABELS = {"ReplicaSet": "pod-template-hash", "Job": "batch.kubernetes.io/controller-uid"}
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_LOOK = 0.2, 5.0, 2.0
# After one of these errors nobody knows whether the pod was evicted; another request for the same pod shows
# it.
_PERHAPS_EVICTED = frozenset({"connection_lost", "timed_out", "server_error", "unreachable"})
_MOST_DOUBTS = 4
_GONE = frozenset({"not_found", "conflict"})
# Conditions of a v1 Job that makes no more pods. The first two are set before its last pods have ended.
_ENDED = ("SuccessCriteriaMet", "FailureTarget", "Complete", "Failed")
# After one of these errors the next pod of the workload is not tried: it would fail as well, or a second pod
# would be missing.
_STOPS = frozenset({"eviction_refused", "not_replaced"})

Say = Callable[[str], None]
Owner = tuple[str, str, str]


@dataclass(frozen=True)
class LeftPod:
    """A pod with debug containers of ours.

    `entries`: their names; `running`: names of those that still run.
    """

    pod: PodSnapshot
    workload_kind: str
    workload: str
    entries: tuple[str, ...]
    running: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.pod.namespace}/{self.pod.name}"

    @property
    def owner(self) -> Owner:
        return self.pod.namespace, self.workload_kind, self.workload

    def as_result(self) -> dict[str, Any]:
        return {
            "namespace": self.pod.namespace,
            "pod": self.pod.name,
            "workload_kind": self.workload_kind,
            "workload": self.workload,
            "ephemeral_containers": list(self.entries),
        }


@dataclass(frozen=True)
class Recycled:
    """What became of one pod: it was evicted (in check mode: would be), it was already gone, or `error` says
    why not."""

    left: LeftPod
    evicted: bool = False
    error: ScanError | None = None


def by_workload(pods: Sequence[LeftPod]) -> list[list[LeftPod]]:
    """The pods by workload. Of each group only one pod is evicted at a time."""
    groups: dict[Owner, list[LeftPod]] = {}
    for left in pods:
        groups.setdefault(left.owner, []).append(left)
    return list(groups.values())


class Recycler:
    """Evicts pods with one identity. Safe to use from several threads, each with another workload."""

    def __init__(
        self,
        client: RestClient,
        evicting: RestClient,
        wait_timeout: float,
        *,
        check_mode: bool = False,
        cancel: threading.Event | None = None,
        say: Say = lambda text: None,
    ) -> None:
        """
        :param evicting: makes no retries: this class waits after a refusal, and looks at the pod again
        :param wait_timeout: most seconds for one pod, from the first attempt until its successor is ready
        """
        self._client = client
        self._evicting = evicting
        self._wait_timeout = wait_timeout
        self._check_mode = check_mode
        self._cancel = cancel
        self._say = say

    @property
    def requests(self) -> int:
        return self._client.requests + self._evicting.requests

    def recycle(self, pods: Sequence[LeftPod]) -> Iterator[Recycled]:
        """Evict the pods of one workload, one after another.

        A ScanError is part of the outcome and is not raised.
        """
        stopped: Recycled | None = None
        for left in pods:
            if stopped and stopped.error:
                yield Recycled(
                    left,
                    error=ScanError(
                        "recycle_stopped", f"{stopped.left.path}: {stopped.error.message}", tried=_tried(left)
                    ),
                )
                continue
            evicted = False
            try:
                deadline = Deadline(self._wait_timeout, self._cancel, _tried(left))
                pod = left.pod.object()
                _check_replaceable(left, pod)
                if self._check_mode:
                    evicted = self._evict_once(left, dry_run=True)
                else:
                    before = self._siblings(pod)
                    evicted = self._evict(left, deadline)
                    if evicted:
                        self._say(f"evicted {left.path} ({left.workload_kind} {left.workload})")
                        self._wait_for_successor(pod, before, deadline)
                outcome = Recycled(left, evicted=evicted)
            except ScanError as error:
                outcome = Recycled(left, evicted=evicted, error=error)
                if error.reason in _STOPS and not self._check_mode:
                    stopped = outcome
            yield outcome

    def _evict(self, left: LeftPod, deadline: Deadline) -> bool:
        """Ask until the API server accepts the eviction. True if this call evicted the pod."""
        doubts, pause = 0, _FIRST_PAUSE
        while True:
            try:
                return self._evict_once(left) or bool(doubts)
            except ScanError as error:
                doubts += error.reason in _PERHAPS_EVICTED
                if error.reason not in _PERHAPS_EVICTED | {"eviction_refused"} or doubts == _MOST_DOUBTS:
                    raise
                if deadline.remaining() <= pause:
                    raise
            deadline.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _evict_once(self, left: LeftPod, dry_run: bool = False) -> bool:
        """True if the API server accepted the eviction; False if the pod is gone or another has its name."""
        eviction: dict[str, Any] = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": left.pod.name, "namespace": left.pod.namespace},
            "deleteOptions": {
                "preconditions": {"uid": left.pod.uid},
                **({"dryRun": ["All"]} if dry_run else {}),
            },
        }
        try:
            self._evicting.create(
                f"/api/v1/namespaces/{left.pod.namespace}/pods/{left.pod.name}/eviction",
                eviction,
                {"dryRun": "All"} if dry_run else None,
            )
        except ScanError as error:
            if error.reason in _GONE and not self._is_there(left):
                return False
            if error.reason == "throttled":
                raise ScanError(
                    "eviction_refused",
                    error.message,
                    tried=_tried(left),
                    cause=(
                        "A PodDisruptionBudget does not allow it."
                        if "disruption budget" in error.message
                        else ""
                    ),
                ) from error
            raise
        return True

    def _is_there(self, left: LeftPod) -> bool:
        found = self._client.list_items(
            f"/api/v1/namespaces/{left.pod.namespace}/pods",
            {"fieldSelector": f"metadata.name={left.pod.name}"},
        )
        return any(pod["metadata"]["uid"] == left.pod.uid for pod in whole_pods(found, _tried(left)))

    def _wait_for_successor(
        self, pod: Mapping[str, Any], before: Sequence[Mapping[str, Any]], deadline: Deadline
    ) -> None:
        """Wait until the pod is gone, and as many pods of its controller are ready as before, with a new one
        among them.

        :param pod: the evicted pod
        :param before: the pods of its controller before the eviction
        """
        uid, ready, pause = pod["metadata"]["uid"], len(_ready(before)), _FIRST_PAUSE
        known = {item["metadata"]["uid"] for item in before}
        while True:
            there = self._siblings(pod)
            others = [item for item in there if item["metadata"]["uid"] != uid]
            fresh = [item for item in others if item["metadata"]["uid"] not in known]
            if len(others) == len(there) and fresh and len(_ready(others)) >= ready:
                return
            self._check_job_goes_on(pod, deadline.tried)
            seen = "{} of {} pods of its {} are ready{}".format(
                len(_ready(others)),
                ready,
                controller_of(pod["metadata"])[1],
                "" if len(others) == len(there) else "; the evicted one has not ended yet",
            )
            if deadline.remaining() <= pause:
                raise ScanError("not_replaced", f"after {deadline.seconds:g} s {seen}", tried=deadline.tried)
            deadline.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)

    def _check_job_goes_on(self, pod: Mapping[str, Any], tried: str) -> None:
        """:raises ScanError: not_replaced, if the pod's controller is a Job that has ended; what the client
        raises"""
        _group, kind, name = controller_of(pod["metadata"])
        if kind != "Job":
            return
        try:
            jobs = list(
                self._client.list_items(
                    "/apis/batch/v1/namespaces/{}/jobs".format(pod["metadata"]["namespace"]),
                    {"fieldSelector": f"metadata.name={name}"},
                )
            )
        except ScanError as error:
            if error.reason != "not_permitted":  # without this right the failure is only found later
                raise
            return
        for job in jobs:
            for condition in job["status"].get("conditions") or []:
                if condition.get("type") in _ENDED and condition.get("status") == "True":
                    raise ScanError(
                        "not_replaced",
                        "its Job {} has ended ({}: {})".format(
                            name, condition["type"], server_text(str(condition.get("message") or ""))
                        ),
                        tried=tried,
                        cause="A Job takes a pod that ends with 0 when it is stopped for completed, and "
                        "counts any other against its backoffLimit.",
                        advice="Check whether the Job has done its work; if it has not, run it again.",
                    )

    def _siblings(self, pod: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All pods of the pod's controller, this one included while it exists."""
        metadata = pod["metadata"]
        owner = next(owner["uid"] for owner in metadata["ownerReferences"] if owner.get("controller"))
        items = self._client.list_items(
            "/api/v1/namespaces/{}/pods".format(metadata["namespace"]), _nearby(pod)
        )
        return [
            item
            for item in whole_pods(items, "looking for the pods of a controller")
            if any(
                reference.get("uid") == owner and reference.get("controller")
                for reference in item["metadata"].get("ownerReferences") or []
            )
        ]


def _nearby(pod: Mapping[str, Any]) -> dict[str, str]:
    """A query that finds the pod's successor without listing the whole namespace, if its kind allows one."""
    kind, metadata = controller_of(pod["metadata"])[1], pod["metadata"]
    if kind == "StatefulSet":  # the successor has its name
        return {"fieldSelector": "metadata.name={}".format(metadata["name"])}
    if kind == "DaemonSet":  # its node
        return {"fieldSelector": "spec.nodeName={}".format(pod["spec"].get("nodeName", ""))}
    label = _LABELS.get(kind, "")
    value = (metadata.get("labels") or {}).get(label)
    return {"labelSelector": f"{label}={value}"} if value else {}


def _check_replaceable(left: LeftPod, pod: Mapping[str, Any]) -> None:
    """:raises ScanError: pod_not_replaceable, debug_in_use"""
    tried = _tried(left)
    group, kind, name = controller_of(pod["metadata"])
    node, phase = mirrored_node(pod), str(pod["status"].get("phase") or "")
    why = (
        f"it is a static pod of node {node}"
        if node
        else "no controller owns it"
        if not kind
        else f"it is owned by {kind} {name}, which does not necessarily replace it"
        if (group, kind) not in _REPLACE
        else f"it has ended ({phase})"
        if phase in ("Succeeded", "Failed")
        else ""
    )
    if why:
        raise ScanError("pod_not_replaceable", why, tried=tried)
    if left.running:
        raise ScanError("debug_in_use", "{} still runs".format(", ".join(left.running[:3])), tried=tried)


def _ready(pods: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        pod
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp")
        and any(
            condition.get("type") == "Ready" and condition.get("status") == "True"
            for condition in pod["status"].get("conditions") or []
        )
    ]


def _tried(left: LeftPod) -> str:
    return f"replacing pod {left.path}"
