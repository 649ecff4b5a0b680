# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod as the API server showed it, kept small, and what selection and judging read from it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..object_shapes import POD, check_object, flaw_of

# (kind of container, its list in the spec, its list in the status): core/v1 PodSpec and PodStatus
_CONTAINER_LISTS = (
    ("container", "containers", "containerStatuses"),
    ("init", "initContainers", "initContainerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)
ENDED_PHASES = ("Succeeded", "Failed")
CONTAINER_KINDS = tuple(kind for kind, _spec, _status in _CONTAINER_LISTS)
# Large, and of no use to a verdict: who last wrote which field, and kubectl's copy of the manifest.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Set by the kubelet on the API's copy of a static pod.
_MIRROR = "kubernetes.io/config.mirror"
# The fastest level; the slowest would make a pod 7 % smaller.
_LEVEL = 1


@dataclass(frozen=True)
class ContainerView:
    """One container of a pod: its kind (container, init, ephemeral), its spec and its status ({} when none
    yet)."""

    kind: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.spec.get("name", ""))

    @property
    def images(self) -> list[str]:
        """The reference in the spec and the id that the node reports, where they are there."""
        return [
            str(part[key]) for part, key in ((self.spec, "image"), (self.status, "imageID")) if part.get(key)
        ]

    @property
    def is_sidecar(self) -> bool:
        """An init container that runs as long as its pod (Kubernetes 1.29 and later)."""
        return self.kind == "init" and self.spec.get("restartPolicy") == "Always"


@dataclass(frozen=True)
class PodSnapshot:
    """A v1 Pod. Held as compressed JSON, because a run may hold thousands while it needs a few at a time.

    `is_kept`: it is what a run kept of a pod, with marks in the place of texts, and not what the cluster says now.
    """

    namespace: str
    name: str
    uid: str
    _packed: bytes
    is_kept: bool = False

    @classmethod
    def from_object(cls, pod: Mapping[str, Any], is_kept: bool = False) -> PodSnapshot:
        metadata: dict[str, Any] = {
            key: value for key, value in pod["metadata"].items() if key != "managedFields"
        }
        annotations = metadata.get("annotations")
        if annotations and _LAST_APPLIED in annotations:
            metadata["annotations"] = {
                key: value for key, value in annotations.items() if key != _LAST_APPLIED
            }
        slim = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": pod.get("spec") or {},
            "status": pod.get("status") or {},
        }
        return cls(
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            zlib.compress(json.dumps(slim, separators=(",", ":")).encode(), _LEVEL),
            is_kept,
        )

    @property
    def size(self) -> int:
        """Bytes that the pod takes while it is held."""
        return len(self._packed)

    def object(self) -> dict[str, Any]:
        """The v1 Pod as a mapping; a new one at each call."""
        pod: dict[str, Any] = json.loads(zlib.decompress(self._packed))
        return pod


def check_pod(pod: Mapping[str, Any], namespace: str) -> None:
    """Check that a v1 Pod out of a file has all that the functions below rely on.

    :raises ScanError: bad_reply
    """
    check_identity(pod, namespace)
    flaw = pod_flaw(pod)
    if flaw:
        raise ScanError("bad_reply", f"its pod is not as Kubernetes makes it: {flaw}")


def check_identity(pod: Mapping[str, Any], namespace: str) -> None:
    """Check that an item of a list says which pod of the namespace it is.

    :raises ScanError: bad_reply
    """
    metadata = pod.get("metadata")
    if not (
        isinstance(metadata, dict)
        and all(isinstance(metadata.get(key), str) and metadata[key] for key in ("name", "uid"))
        and metadata.get("namespace") == namespace
    ):
        raise ScanError(
            "bad_reply",
            "an item of the list is not a pod of the namespace",
            tried=f"list pods in namespace {namespace}",
        )


def pod_flaw(pod: Mapping[str, Any]) -> str:
    """What of a v1 Pod has another type than Kubernetes gives it, in words; "" for nothing. The functions below
    rely on these types."""
    if not isinstance(pod.get("status"), dict):
        return "status is missing"
    return flaw_of(pod, POD)


def whole_pods(items: Iterable[dict[str, Any]], tried: str) -> Iterator[dict[str, Any]]:
    """The pods of a list, each of which is as Kubernetes makes it.

    :raises ScanError: bad_reply
    """
    for pod in items:
        check_object(pod, POD, tried)
        yield pod


def bare_pod(pod: Mapping[str, Any], container: str) -> dict[str, Any]:
    """What is left of a v1 Pod with a flaw: which one it is, and one container of it."""
    identity = {key: pod["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"metadata": identity, "spec": {"containers": [{"name": container}]}, "status": {}}


def first_container(pod: Mapping[str, Any]) -> str:
    """The name of the first container of a v1 Pod whose types are not known to be right; "unknown" where it
    cannot be read."""
    spec = pod.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    first = containers[0] if isinstance(containers, list) and containers else None
    name = first.get("name") if isinstance(first, dict) else None
    return name if isinstance(name, str) and name else "unknown"


def containers_of(pod: Mapping[str, Any]) -> Iterator[ContainerView]:
    """All containers of a v1 Pod, init and ephemeral ones included, with their statuses."""
    for kind, spec_list, status_list in _CONTAINER_LISTS:
        statuses = {status["name"]: status for status in pod["status"].get(status_list) or []}
        for spec in pod["spec"].get(spec_list) or []:
            yield ContainerView(kind, spec, statuses.get(spec["name"], {}))


def container_state(pod: Mapping[str, Any], view: ContainerView) -> tuple[str, str]:
    """(running | waiting | terminated | unknown, the reason in one word or "").

    The reason is the kubelet's. If the kubelet has not reported the container, state and reason come from the
    pod's phase and conditions: the pod waits for a node, or was evicted. A container that still runs in a pod
    that is being deleted is running, with the reason Terminating.
    """
    state, reason = _reported_state(view)
    if not state:
        state, reason = _state_of_phase(pod["status"])
    if pod["metadata"].get("deletionTimestamp") and (state == "running" or not reason):
        reason = "Terminating"
    return state, reason


def _reported_state(view: ContainerView) -> tuple[str, str]:
    for word, detail in (view.status.get("state") or {}).items():
        return word, str((detail or {}).get("reason", ""))
    # core/v1 ContainerState: with none of its members the container is waiting
    return ("waiting", "") if view.status else ("", "")


def _state_of_phase(status: Mapping[str, Any]) -> tuple[str, str]:
    phase, reason = str(status.get("phase") or ""), str(status.get("reason") or "")
    if phase == "Pending":
        unscheduled = [
            str(condition.get("reason") or "")
            for condition in status.get("conditions") or []
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        ]
        return "waiting", next(iter(unscheduled), "") or reason or phase
    if phase in ENDED_PHASES:
        return "terminated", reason or phase
    return "unknown", reason or "NoStatus"


def has_finished(pod: Mapping[str, Any]) -> bool:
    """Whether none of the pod's containers runs, nor ever will again (core/v1 PodPhase): a Job's pod that is done, one
    that was evicted. A kubelet reports the end of a pod before that of a container that it still has to kill."""
    return pod["status"].get("phase") in ENDED_PHASES and not any(
        "running" in (view.status.get("state") or {}) for view in containers_of(pod)
    )


def controller_of(metadata: Mapping[str, Any]) -> tuple[str, str, str]:
    """(API group, kind, name) of the owner that controls the object, whatever its kind; ("", "", "") without
    one."""
    owners: list[Mapping[str, Any]] = metadata.get("ownerReferences") or []
    for owner in owners:
        if owner.get("controller"):
            return (
                str(owner.get("apiVersion") or "").rpartition("/")[0],
                str(owner["kind"]),
                str(owner["name"]),
            )
    return "", "", ""


def mirrored_node(pod: Mapping[str, Any]) -> str:
    """The node whose kubelet runs this static pod; "" for any other pod."""
    is_mirror = _MIRROR in (pod["metadata"].get("annotations") or {})
    return str(pod["spec"].get("nodeName") or "") if is_mirror else ""


def operating_system(pod: Mapping[str, Any]) -> str:
    """linux or windows as the pod declares it (spec.os, else its node selector); linux if it declares
    nothing."""
    spec = pod["spec"]
    declared = (spec.get("os") or {}).get("name") or (spec.get("nodeSelector") or {}).get("kubernetes.io/os")
    return str(declared or "linux")
