# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selection: from what the operator names (namespaces, labels, pods, containers) to targets."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Protocol, Sequence, Tuple

from ..errors import ScanError
from .identity import Target
from .pod import ContainerView, PodSnapshot, containers_of, controller_of, operating_system

_PATTERN = re.compile(r"[*?\[]")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")
# Owners that are only a step on the way to the workload that people know, with their list paths.
_STEPS = {
    "ReplicaSet": "/apis/apps/v1/namespaces/%s/replicasets",
    "Job": "/apis/batch/v1/namespaces/%s/jobs",
}


class ListsItems(Protocol):
    """What selection needs of a REST client."""

    def list_items(self, path: str, query: Optional[Mapping[str, str]] = None) -> Iterator[Dict[str, Any]]: ...


@dataclass(frozen=True)
class Selection:
    """What is to be scanned. All conditions must hold; an empty one holds for everything.

    `namespaces`: names or shell patterns, at least one. `label_selectors`, `field_selectors`: as kubectl takes them,
    joined by a comma. `pods`, `containers`: names or shell patterns. `container_kinds`: of container, init, ephemeral.
    """

    namespaces: Tuple[str, ...]
    label_selectors: Tuple[str, ...] = ()
    field_selectors: Tuple[str, ...] = ()
    pods: Tuple[str, ...] = ()
    containers: Tuple[str, ...] = ()
    container_kinds: Tuple[str, ...] = ("container",)

    def __post_init__(self) -> None:
        if not self.namespaces:
            raise ScanError("bad_option", "no namespace was named", tried="selecting targets",
                            advice="Name at least one namespace; '*' means all that the credential can list.")
        for option, names in (("namespaces", self.namespaces), ("pods", self.pods), ("containers", self.containers)):
            for name in names:
                if not _PATTERN.search(name) and not _NAME.match(name):
                    raise ScanError("bad_option", "%r is neither a name nor a pattern" % name,
                                    tried="reading the option %s" % option)

    def matches_pod(self, name: str) -> bool:
        return _matches(name, self.pods)

    def matches_container(self, view: ContainerView) -> bool:
        return view.kind in self.container_kinds and _matches(view.name, self.containers)


@dataclass(frozen=True)
class SelectedTarget:
    """A target and the pod it was seen in."""

    target: Target
    pod: PodSnapshot
    operating_system: str = "linux"


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def resolve_namespaces(client: ListsItems, selection: Selection) -> List[str]:
    """The namespaces' names in order; patterns are resolved by one list of namespaces (needs list on namespaces)."""
    names = [name for name in selection.namespaces if not _PATTERN.search(name)]
    patterns = [name for name in selection.namespaces if _PATTERN.search(name)]
    if patterns:
        names += [item["metadata"]["name"] for item in client.list_items("/api/v1/namespaces")
                  if _matches(item["metadata"]["name"], patterns)]
    return list(dict.fromkeys(names))


def select_pods(client: ListsItems, namespace: str, selection: Selection) -> Iterator[Dict[str, Any]]:
    """The v1 Pods of one namespace that the selection takes, page by page."""
    query = {}
    if selection.label_selectors:
        query["labelSelector"] = ",".join(selection.label_selectors)
    if selection.field_selectors:
        query["fieldSelector"] = ",".join(selection.field_selectors)
    for pod in client.list_items("/api/v1/namespaces/%s/pods" % namespace, query):
        if selection.matches_pod(pod["metadata"]["name"]):
            yield pod


def select_targets(client: ListsItems, cluster: str, selection: Selection) -> Iterator[SelectedTarget]:
    """The containers that the selection takes, namespace by namespace, whether they run or not."""
    for namespace in resolve_namespaces(client, selection):
        workloads = _Workloads(client, namespace)
        for pod in select_pods(client, namespace, selection):
            snapshot = PodSnapshot.from_object(pod)
            platform = operating_system(pod)
            owner = workloads.of(pod["metadata"])
            for view in containers_of(pod):
                if selection.matches_container(view):
                    yield SelectedTarget(_target(cluster, pod, owner, view), snapshot, platform)


def _target(cluster: str, pod: Mapping[str, Any], owner: Tuple[str, str], view: ContainerView) -> Target:
    metadata = pod["metadata"]
    state, reason = view.state
    image_id = str(view.status.get("imageID") or "")
    return Target(
        cluster=cluster, namespace=metadata["namespace"], workload_kind=owner[0], workload=owner[1],
        pod=metadata["name"], pod_uid=metadata["uid"], container=view.name, container_kind=view.kind,
        container_id=str(view.status.get("containerID") or ""),
        image=str(view.spec.get("image") or view.status.get("image") or ""), image_id=image_id,
        image_digest=_registry_digest(image_id), node=str(pod["spec"].get("nodeName") or ""),
        state=state, state_reason=reason,
    )


def _registry_digest(image_id: str) -> str:
    """The digest under which a registry serves the image; "" for an imported image, whose id is its config's digest."""
    repository, _, digest = image_id.rpartition("@")
    return digest if repository and _DIGEST.match(digest) else ""


class _Workloads:
    """Finds the workload behind a pod. Lists ReplicaSets or Jobs of the namespace once, when the first pod needs it.

    Where the credential may not list them, the ReplicaSet or Job itself stands as the workload: that is what was seen.
    """

    def __init__(self, client: ListsItems, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._owners: Dict[str, Dict[str, Tuple[str, str]]] = {}

    def of(self, metadata: Mapping[str, Any]) -> Tuple[str, str]:
        kind, name = controller_of(metadata)
        if not kind:
            return "Pod", str(metadata["name"])
        if kind in _STEPS:
            return self._owners_of(kind).get(name) or (kind, name)
        return kind, name

    def _owners_of(self, kind: str) -> Dict[str, Tuple[str, str]]:
        if kind not in self._owners:
            found: Dict[str, Tuple[str, str]] = {}
            try:
                for item in self._client.list_items(_STEPS[kind] % self._namespace):
                    owner = controller_of(item["metadata"])
                    if owner[0]:
                        found[item["metadata"]["name"]] = owner
            except ScanError as error:
                if error.reason != "not_permitted":
                    raise
            self._owners[kind] = found
        return self._owners[kind]
