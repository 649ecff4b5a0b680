# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The looks at a target's pod before it is entered and afterwards: what answered is the container that the result
names, and no other has had its place in between.

An exec names a pod and a container, and whatever runs under these names at that moment answers. Its node reports a
container that was replaced up to seconds later. So a look counts only when the node has taken notice of the pod's
spec as it is, and the spec must not have been changed between both looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..access.scanner import NamespaceScanner
from ..errors import ScanError
from ..network.deadline import Deadline
from ..safe_text import server_text
from ..targets.identity import Target
from ..targets.pod import ContainerView, check_pod, container_state, containers_of
from .session import ShellContainer

# How long a node is given to take notice of a change of the pod's spec, and how often it is asked.
_SETTLE_SECONDS, _SETTLE_PAUSE = 5.0, 0.25
_SHOWN = 120
# Containers that are added one by one without hiding anything: one change would be left to hide another.
_MOST_UNOBSERVED = 2


@dataclass(frozen=True)
class PodLook:
    """What of a pod's object tells whether its spec was changed: its `generation` (None where the API server
    has counted none), the number of its ephemeral containers, whether it is being deleted, and whether its node
    tells which generation it has seen."""

    generation: int | None
    entries: int
    is_deleted: bool
    is_observed: bool = False

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> PodLook:
        generation = pod["metadata"].get("generation")
        return cls(
            generation if isinstance(generation, int) else None,
            len(pod["spec"].get("ephemeralContainers") or []),
            bool(pod["metadata"].get("deletionTimestamp")),
            isinstance(pod["status"].get("observedGeneration"), int),
        )

    def explains(self, later: PodLook) -> bool:
        """Whether nothing but added ephemeral containers, each of which is one change, and the pod's deletion can
        lie between this look and a later one.

        One change can add several containers, and two others change the spec and change it back. The node then
        starts the container anew, which it shows when it has seen the last generation. Where it does not tell what
        it has seen, three added containers are too many.
        """
        if self.generation is None and later.generation is None:
            return True
        added = later.entries - self.entries
        deleted = later.is_deleted and not self.is_deleted
        # a pod that was made before its API server counted has none until its spec is changed
        changes = (later.generation or 0) - (self.generation or 0)
        return added <= changes <= added + deleted and (later.is_observed or added <= _MOST_UNOBSERVED)


class Looks:
    """Both looks at the pod of one target.

    :ivar pod: the v1 Pod as it was before
    """

    def __init__(self, scanner: NamespaceScanner, target: Target, deadline: Deadline) -> None:
        self.pod: Mapping[str, Any] = {}
        self._scanner = scanner
        self._target = target
        self._deadline = deadline
        self._before: PodLook | None = None

    def before(self, pod: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The pod just before the target is entered.

        :param pod: as it was read just now, where it was
        :raises ScanError: container_replaced; as read_same_pod
        """
        self.pod = self._settled(pod or read_same_pod(self._scanner, self._target, whole=True))
        check_same_container(self.pod, self._target)
        self._before = PodLook.of(self.pod)
        return self.pod

    def after(self, shell: ShellContainer | None = None) -> Mapping[str, Any]:
        """The pod after the target has answered.

        :param shell: the container of the shell that answered, where it is not the target
        :raises ScanError: as `before`
        """
        pod: Mapping[str, Any] = read_same_pod(self._scanner, self._target, whole=True)
        if self._before is not None and PodLook.of(pod).generation != self._before.generation:
            # what the node has not seen yet, its report of the container does not show
            pod = self._settled(pod)
        if self._before is not None and not self._before.explains(PodLook.of(pod)):
            raise _replaced(self._target, "the pod's spec was changed while it was scanned")
        check_same_container(pod, self._target, has_answered=True)
        if shell is not None:
            now = shell_container(pod, shell.name)
            if now.container_id != shell.container_id:
                raise _replaced(
                    self._target,
                    f"{shell.name} was {shell.container_id}, now it is {now.container_id or 'none'}",
                )
        return pod

    def _settled(self, pod: Mapping[str, Any]) -> Mapping[str, Any]:
        """The pod when its node has taken notice of its spec."""
        waiting = Deadline(_SETTLE_SECONDS, None, self._deadline.tried)
        while not is_settled(pod):
            if min(waiting.remaining(), self._deadline.remaining()) <= _SETTLE_PAUSE:
                raise _replaced(
                    self._target, "the pod's spec was changed, and its node has not taken notice of that yet"
                )
            self._deadline.sleep(_SETTLE_PAUSE)
            pod = read_same_pod(self._scanner, self._target, whole=True)
        return pod


def read_same_pod(scanner: NamespaceScanner, target: Target, *, whole: bool = False) -> dict[str, Any]:
    """The target's pod as it is now, its metadata only unless `whole`. A pod of the same name may have taken
    the place of the one that was selected: a StatefulSet's always has it.

    :raises ScanError: pod_gone, pod_replaced; as the client
    """
    tried = f"checking pod {target.namespace}/{target.pod}"
    try:
        found = (scanner.client.get if whole else scanner.client.get_metadata)(pod_path(target))
    except ScanError as error:
        if error.reason == "not_found":
            raise ScanError("pod_gone", "the pod is not there any more", tried=tried) from error
        raise
    if whole:
        check_pod(found, target.namespace)
    uid = found["metadata"]["uid"]
    if uid != target.pod_uid:
        raise ScanError("pod_replaced", f"it had uid {target.pod_uid}, now it has {uid}", tried=tried)
    return found


def pod_path(target: Target) -> str:
    return f"/api/v1/namespaces/{target.namespace}/pods/{target.pod}"


def is_settled(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's status is about its spec as it is now. An API server or a node older than Kubernetes
    1.33 does not say so."""
    wanted, seen = pod["metadata"].get("generation"), pod["status"].get("observedGeneration")
    return not (isinstance(wanted, int) and isinstance(seen, int)) or seen >= wanted


def check_same_container(pod: Mapping[str, Any], target: Target, *, has_answered: bool = False) -> None:
    """Whether the target is the container that was selected.

    :param has_answered: it must then still run, unless nothing would take its place
    :raises ScanError: container_replaced
    """
    view = next((one for one in containers_of(pod) if one.name == target.container), None)
    if view is None:
        raise _replaced(target, "the pod has no such container any more")
    seen = str(view.status.get("containerID") or ""), str(view.status.get("imageID") or "")
    if seen != (target.container_id, target.image_id):
        raise _replaced(
            target,
            "it was {} of the image {}, now it is {} of {}".format(
                *(_shown(text) for text in (target.container_id, target.image_id, *seen))
            ),
        )
    image = str(view.spec.get("image") or "")
    if image and image != target.image:
        raise _replaced(
            target, f"the pod names the image {_shown(image)} for it now, not {_shown(target.image)}"
        )
    if has_answered and container_state(pod, view)[0] != "running" and _may_restart(pod, view):
        raise _replaced(target, "it has ended, and what answered may be its successor")


def shell_container(pod: Mapping[str, Any], name: str) -> ShellContainer:
    """A container of the pod, as its node reports it."""
    view = next((one for one in containers_of(pod) if one.name == name), None)
    status: Mapping[str, Any] = view.status if view else {}
    return ShellContainer(
        name,
        str((view.spec if view else {}).get("image") or ""),
        str(status.get("containerID") or ""),
        str(status.get("imageID") or ""),
    )


def _may_restart(pod: Mapping[str, Any], view: ContainerView) -> bool:
    return not (
        view.kind == "ephemeral"
        or pod["spec"].get("restartPolicy") == "Never"
        or pod["metadata"].get("deletionTimestamp")
    )


def _shown(text: str) -> str:
    return server_text(text, limit=_SHOWN) if text else "unknown"


def _replaced(target: Target, message: str) -> ScanError:
    return ScanError("container_replaced", message, tried=f"looking at {target.path}")
