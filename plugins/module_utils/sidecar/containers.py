# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecars that a pod template needs: one for each user and group that its containers run as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..approaches.beside_target import identity_in_spec, privileged_target
from ..errors import ScanError
from ..targets.own_containers import (
    alleged_sidecars,
    held_capabilities,
    looks_like_sidecar,
    sidecar_container,
)

Identity = tuple[int, int]


@dataclass(frozen=True)
class SidecarOptions:
    """How sidecars are made.

    :ivar image: an image with a POSIX shell and sleep
    :ivar resources: as in a v1 Container
    :ivar user: the user of containers for which neither the template nor a pod names one; `group` likewise
    """

    image: str = ""
    pull_policy: str = "IfNotPresent"
    resources: Mapping[str, Any] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None


@dataclass(frozen=True)
class Needed:
    """The sidecars for a template's containers; `not_served`: container name -> why it gets none."""

    containers: tuple[Mapping[str, Any], ...]
    not_served: Mapping[str, ScanError]

    @property
    def names(self) -> list[str]:
        return [str(container["name"]) for container in self.containers]


def needed_sidecars(
    template: Mapping[str, Any], reported: Mapping[str, Identity], options: SidecarOptions, tried: str
) -> Needed:
    """The sidecars that a v1 PodTemplateSpec needs.

    :param reported: container name -> its user and group, as the nodes report them
    :raises ScanError: platform_unsupported, identity_unknown; target_privileged, if no container can be
        served
    """
    spec = template["spec"]
    if (spec.get("os") or {}).get("name", "linux") != "linux":
        raise ScanError("platform_unsupported", "its pods run on {}".format(spec["os"]["name"]), tried=tried)
    present = [_identity_of_sidecar(container) for container in alleged_sidecars(spec)]
    identities: dict[Identity, None] = {}
    not_served: dict[str, ScanError] = {}
    for container in running_containers(spec):
        identity = _identity(spec, container, reported, options)
        if identity is None:
            if not present:
                raise _unknown(container, tried)
            # an earlier run of this task knew the identity; no pod reports it now
            identities.update(dict.fromkeys(present))
            continue
        held = held_capabilities(container, identity[0])
        if held is None:
            identities[identity] = None
        else:
            not_served[str(container["name"])] = privileged_target(container, held, tried, "a sidecar")
    if not identities:
        raise next(iter(not_served.values()))
    return Needed(tuple(_sidecar(identity, options) for identity in sorted(identities)), not_served)


def running_containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a v1 PodSpec that run as long as the pod, except our own."""
    sidecars = [
        container
        for container in spec.get("initContainers") or []
        if container.get("restartPolicy") == "Always" and not looks_like_sidecar("init", container)
    ]
    return [*spec["containers"], *sidecars]


def lacks_identity(template: Mapping[str, Any]) -> bool:
    """Whether the user or group of a container is decided by its image, and not by the template."""
    return any(
        None in identity_in_spec(template["spec"], container)
        for container in running_containers(template["spec"])
    )


def reported_identities(pods: Iterable[Mapping[str, Any]]) -> dict[str, Identity]:
    """Container name -> user and group, as the node of the newest pod reports them."""
    found: dict[str, tuple[str, Identity]] = {}
    for pod in pods:
        created = str(pod["metadata"].get("creationTimestamp") or "")
        statuses: Sequence[Mapping[str, Any]] = [
            *((pod.get("status") or {}).get("containerStatuses") or []),
            *((pod.get("status") or {}).get("initContainerStatuses") or []),
        ]
        for status in statuses:
            user = (status.get("user") or {}).get("linux") or {}
            if isinstance(user.get("uid"), int) and isinstance(user.get("gid"), int):
                found[status["name"]] = max(
                    found.get(status["name"], ("", (0, 0))), (created, (user["uid"], user["gid"]))
                )
    return {name: identity for name, (_created, identity) in found.items()}


def _identity(
    spec: Mapping[str, Any],
    container: Mapping[str, Any],
    reported: Mapping[str, Identity],
    options: SidecarOptions,
) -> Identity | None:
    seen = reported.get(str(container["name"]), (options.user, options.group))
    uid, gid = (
        known if known is not None else other for known, other in zip(identity_in_spec(spec, container), seen)
    )
    return None if uid is None or gid is None else (uid, gid)


def _identity_of_sidecar(container: Mapping[str, Any]) -> Identity:
    context = container.get("securityContext") or {}
    return int(context.get("runAsUser") or 0), int(context.get("runAsGroup") or 0)


def _unknown(container: Mapping[str, Any], tried: str) -> ScanError:
    return ScanError(
        "identity_unknown",
        "the user and group that the container {} runs as are not known".format(container["name"]),
        tried=tried,
        cause="The pod template leaves it to the image, and no node has reported a pod of the workload "
        "with its user (Kubernetes 1.33 or newer reports it).",
        advice="Give run_as_user and run_as_group, or set runAsUser and runAsGroup in the template.",
    )


def _sidecar(identity: Identity, options: SidecarOptions) -> dict[str, Any]:
    container = dict(sidecar_container(*identity, options.image), imagePullPolicy=options.pull_policy)
    return dict(container, resources=dict(options.resources)) if options.resources else container
