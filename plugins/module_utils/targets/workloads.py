# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workload behind a pod: the owner that people know, such as the Deployment above a pod's ReplicaSet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..errors import ScanError
from .pod import controller_of, mirrored_node

# (API group, kind) of owners that stand between pods and their workload -> path of their list. Their own
# owner can be of any kind: a Deployment, a CronJob, or an operator's kind such as Argo's Rollout.
_STEPS = {
    ("apps", "ReplicaSet"): "/apis/apps/v1/namespaces/%s/replicasets",
    ("batch", "Job"): "/apis/batch/v1/namespaces/%s/jobs",
}
Workload = tuple[str, str]


class ReadsObjects(Protocol):
    """What selection needs of a REST client."""

    def list_items(
        self, path: str, query: Mapping[str, str] | None = None, page_size: int = 500
    ) -> Iterator[dict[str, Any]]: ...

    def get_metadata(self, path: str) -> dict[str, Any]: ...


class Workloads:
    """Finds the workload, as (kind, name), behind pods of one namespace.

    The namespace's ReplicaSets or Jobs are listed once, when the first pod needs them. If the credential is
    not allowed to list them, the ReplicaSet or Job itself counts as the workload, and its kind is in
    `unlisted`.
    """

    def __init__(self, client: ReadsObjects, namespace: str) -> None:
        self.unlisted: list[str] = []
        self._client = client
        self._namespace = namespace
        self._owners: dict[str, dict[str, Workload] | None] = {}

    def of(self, pod: Mapping[str, Any]) -> Workload:
        """:raises ScanError: what the client raises, except not_permitted"""
        metadata = pod["metadata"]
        group, kind, name = controller_of(metadata)
        if not kind:
            node = mirrored_node(pod)
            return ("Node", node) if node else ("Pod", str(metadata["name"]))
        return self._owner_of(kind, name, _STEPS[group, kind]) if (group, kind) in _STEPS else (kind, name)

    def _owner_of(self, kind: str, name: str, path_of: str) -> Workload:
        path = path_of % self._namespace
        if kind not in self._owners:
            self._owners[kind] = self._list(kind, path)
        owners = self._owners[kind]
        if owners is None:
            return kind, name
        if name not in owners:
            owners[name] = self._read(kind, name, path)
        return owners[name]

    def _list(self, kind: str, path: str) -> dict[str, Workload] | None:
        try:
            return {
                item["metadata"]["name"]: _workload(kind, item["metadata"])
                for item in self._client.list_items(path)
            }
        except ScanError as error:
            if error.reason != "not_permitted":
                raise
            self.unlisted.append(kind)
            return None

    def _read(self, kind: str, name: str, path: str) -> Workload:
        """An owner that was made after the list, by a rolling update or a CronJob's next run.

        It is listed too, so that it needs no other right than the rest.
        """
        for item in self._client.list_items(path, {"fieldSelector": f"metadata.name={name}"}, page_size=1):
            return _workload(kind, item["metadata"])
        return kind, name


def _workload(kind: str, metadata: Mapping[str, Any]) -> Workload:
    _group, owner_kind, owner_name = controller_of(metadata)
    return (owner_kind, owner_name) if owner_kind else (kind, str(metadata["name"]))
