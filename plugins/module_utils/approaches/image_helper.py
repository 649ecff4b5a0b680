# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of the approach `image`: which images each of them mounts, where it runs, and its v1 Pod.

One container for each image, so that none of them sees another's. An image is named as the node's runtime
names what the target runs: by registry digest, or by its own id where it was loaded by hand. A tag may have
moved since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScanError
from ..targets.identity import Target
from ..targets.own_containers import IDLE
from ..targets.pod import containers_of
from ..targets.selection import SelectedTarget

MOUNT_POINT = "/image"
IMAGES_PER_HELPER = 8
# The name of each stands in the scanner's Role.
MOST_HELPERS = 200
# Who looks at images whose own user is root, or not known: Pod Security's level restricted allows no root.
NOBODY = 65534
# What each container of a helper pod gets at most.
LIMITS = {"cpu": "1", "memory": "128Mi"}


@dataclass(frozen=True)
class ImageOptions:
    """`namespace` is where the helper pods run; `image` holds a POSIX shell and sleep; `pull_secrets` are
    names of Secrets in that namespace, for images that the nodes must pull."""

    namespace: str = ""
    image: str = ""
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class MountedImage:
    """An image, and the container of a helper pod that mounts it and runs as `uid` and `gid`."""

    reference: str
    container: str
    uid: int
    gid: int


@dataclass
class Helper:
    """A helper pod: `number` from 1 tells its name, `node` is one that runs targets of all its images."""

    number: int
    node: str
    images: list[MountedImage] = field(default_factory=list)


def image_reference(target: Target) -> str:
    """What an image volume has to name to be exactly what the target runs, or has run.

    :raises ScanError: image_unknown
    """
    reference = target.image_id.rpartition("://")[2]
    if "@sha256:" in reference or reference.startswith("sha256:"):
        return reference
    raise ScanError(
        "image_unknown",
        "the node reports %s" % (target.image_id or "no image for it"),
        tried=f"scanning {target.path} by image",
    )


def plan_helpers(targets: Iterable[SelectedTarget]) -> list[Helper]:
    """Helper pods for all images of the targets: each image once, on a node that has it. Images beyond what
    the most helpers hold are left out."""
    places: dict[str, dict[str, None]] = {}
    users: dict[str, tuple[int, int]] = {}
    for selected in targets:
        target = selected.target
        try:
            reference = image_reference(target)
        except ScanError:
            continue
        if selected.operating_system != "linux" or not target.node:
            continue
        places.setdefault(reference, {})[target.node] = None
        users[reference] = _first_user(users.get(reference), _user_of(selected))
    helpers: list[Helper] = []
    open_helpers: dict[str, Helper] = {}
    for reference, nodes in places.items():
        helper = next((open_helpers[node] for node in nodes if node in open_helpers), None)
        if helper is None:
            if len(helpers) == MOST_HELPERS:
                break
            helper = Helper(len(helpers) + 1, next(iter(nodes)))
            helpers.append(helper)
            open_helpers[helper.node] = helper
        helper.images.append(MountedImage(reference, f"image-{len(helper.images) + 1}", *users[reference]))
        if len(helper.images) == IMAGES_PER_HELPER:
            del open_helpers[helper.node]
    return helpers


def helper_name(run_id: str, number: int) -> str:
    return f"securescan-{run_id}-h{number}"


def helper_pod(
    name: str,
    helper: Helper,
    options: ImageOptions,
    *,
    labels: Mapping[str, str],
    owner: Mapping[str, Any],
    lifetime: int,
) -> dict[str, Any]:
    """The v1 Pod. It meets Pod Security's level restricted, has no token, and ends after `lifetime` seconds
    by itself.

    :param owner: a reference to an object of the run in this namespace: when that is deleted, the cluster
        deletes the pod
    """
    containers = [_container(mounted, options, lifetime) for mounted in helper.images]
    volumes = [
        {"name": mounted.container, "image": {"reference": mounted.reference, "pullPolicy": "IfNotPresent"}}
        for mounted in helper.images
    ]
    # on a node that has the images, whatever keeps other pods from it
    on_node = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [helper.node]}]}
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": lifetime,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [on_node]}
            }
        },
        "tolerations": [{"operator": "Exists"}],
        "containers": containers,
        "volumes": volumes,
    }
    if options.pull_secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in options.pull_secrets]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": spec,
        "metadata": {
            "name": name,
            "namespace": options.namespace,
            "labels": dict(labels),
            "ownerReferences": [dict(owner)],
        },
    }


def _container(mounted: MountedImage, options: ImageOptions, lifetime: int) -> dict[str, Any]:
    return {
        "name": mounted.container,
        "image": options.image,
        "imagePullPolicy": options.pull_policy,
        "command": [*IDLE, str(lifetime)],
        "securityContext": {
            "runAsUser": mounted.uid,
            "runAsGroup": mounted.gid,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": dict(LIMITS),
        },
        "volumeMounts": [{"name": mounted.container, "mountPath": MOUNT_POINT, "readOnly": True}],
    }


def _user_of(selected: SelectedTarget) -> tuple[int, int]:
    """User and group that the node reports for the target's container, nobody for root and for what is not
    reported."""
    pod = selected.pod.object()
    for view in containers_of(pod):
        if view.name == selected.target.container:
            reported = (view.status.get("user") or {}).get("linux") or {}
            uid, gid = reported.get("uid"), reported.get("gid")
            if isinstance(uid, int) and isinstance(gid, int) and uid > 0:
                return uid, gid
    return NOBODY, NOBODY


def _first_user(known: Any, user: tuple[int, int]) -> tuple[int, int]:
    """Of the users of one image's targets the same whatever their order is; nobody only where there is no
    other."""
    users: Sequence[tuple[int, int]] = [each for each in (known, user) if each and each[0] != NOBODY]
    return min(users) if users else user
