# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target's identity, and the target with the pod it was seen in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .criteria import Name
from .pod import PodSnapshot


@dataclass(frozen=True)
class Target:
    """One container of one pod, as the API showed it at selection.

    `image_digest` is the registry digest (sha256:...) of the running image, empty where the runtime reports
    none (an image that was loaded by hand has only `image_id`, a config digest). `container_kind` is one of
    container, init, ephemeral. `state` is one of running, waiting, terminated, unknown.
    """

    cluster: str
    namespace: str
    workload_kind: str
    workload: str
    pod: str
    pod_uid: str
    container: str
    container_kind: str = "container"
    container_id: str = ""
    image: str = ""
    image_id: str = ""
    image_digest: str = ""
    node: str = ""
    state: str = "running"
    state_reason: str = ""

    @property
    def path(self) -> str:
        """namespace/pod/container: how people name a target within one cluster."""
        return f"{self.namespace}/{self.pod}/{self.container}"

    @property
    def target_id(self) -> str:
        """cluster/namespace/kind/workload/pod/container: unique over a fleet whose kubeconfigs name each cluster differently."""
        return "/".join(
            (self.cluster, self.namespace, self.workload_kind, self.workload, self.pod, self.container)
        )

    def identity(self) -> dict[str, Any]:
        """All identity fields as a plain mapping of strings, with `target_id`: the one place that names them."""
        return dict(asdict(self), target_id=self.target_id)


@dataclass(frozen=True)
class SelectedTarget:
    """A target and the pod it was seen in.

    `replicas` is the number of containers that the target stands for, itself included: more than 1 only with
    `replicas: one`. `flaw`: what of its pod is not as Kubernetes makes it, "" for nothing. Such a pod is not
    looked at any further: it is one target, with a bare pod, and is not scanned. `names`: the plain names that the
    operator has given for it, or for what it stands for. `template`: the same for pods of one template, see
    pod_template.py; "" where it is not known.
    """

    target: Target
    pod: PodSnapshot
    operating_system: str = "linux"
    replicas: int = 1
    flaw: str = ""
    names: frozenset[Name] = frozenset()
    template: str = ""
