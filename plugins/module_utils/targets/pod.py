# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod as the API server showed it, kept small, with the questions that selection and judging ask of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Tuple

# (kind of container, its list in the spec, its list in the status): core/v1 PodSpec and PodStatus
_CONTAINER_LISTS = (
    ("container", "containers", "containerStatuses"),
    ("init", "initContainers", "initContainerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)
# Large, and of no use to a verdict: who last wrote which field, and kubectl's copy of the manifest.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True)
class ContainerView:
    """One container of a pod: its kind (container, init, ephemeral), its spec and its status ({} when none yet)."""

    kind: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.spec.get("name", ""))

    @property
    def state(self) -> Tuple[str, str]:
        """(running | waiting | terminated | unknown, the reason given by the kubelet or "")."""
        for word, detail in (self.status.get("state") or {}).items():
            return word, str((detail or {}).get("reason", ""))
        return "unknown", ""


@dataclass(frozen=True)
class PodSnapshot:
    """A v1 Pod. Held as compact JSON, because a run may hold thousands while it needs a few at a time."""

    namespace: str
    name: str
    uid: str
    _json: bytes

    @classmethod
    def from_object(cls, pod: Mapping[str, Any]) -> PodSnapshot:
        metadata: Dict[str, Any] = {key: value for key, value in pod["metadata"].items() if key != "managedFields"}
        annotations = metadata.get("annotations")
        if annotations and _LAST_APPLIED in annotations:
            metadata["annotations"] = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        slim = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod.get("spec") or {},
                "status": pod.get("status") or {}}
        return cls(metadata["namespace"], metadata["name"], metadata["uid"],
                   json.dumps(slim, separators=(",", ":")).encode())

    def object(self) -> Dict[str, Any]:
        """The v1 Pod as a mapping; a new one at each call."""
        pod: Dict[str, Any] = json.loads(self._json)
        return pod


def containers_of(pod: Mapping[str, Any]) -> Iterator[ContainerView]:
    """All containers of a v1 Pod, init and ephemeral ones included, with their statuses."""
    for kind, spec_list, status_list in _CONTAINER_LISTS:
        statuses = {status["name"]: status for status in pod["status"].get(status_list) or []}
        for spec in pod["spec"].get(spec_list) or []:
            yield ContainerView(kind, spec, statuses.get(spec["name"], {}))


def controller_of(metadata: Mapping[str, Any]) -> Tuple[str, str]:
    """(kind, name) of the owner that controls the object, or ("", "")."""
    owners: List[Mapping[str, Any]] = metadata.get("ownerReferences") or []
    for owner in owners:
        if owner.get("controller"):
            return str(owner["kind"]), str(owner["name"])
    return "", ""


def operating_system(pod: Mapping[str, Any]) -> str:
    """linux or windows as the pod declares it (spec.os, else its node selector); linux when it declares nothing."""
    spec = pod["spec"]
    declared = (spec.get("os") or {}).get("name") or (spec.get("nodeSelector") or {}).get("kubernetes.io/os")
    return str(declared or "linux")
