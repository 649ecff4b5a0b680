# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's API object as it is kept: what controls can ask of a pod, and no other text.

Names, paths of mounts, images and words of the API are kept; so are numbers, true and false. Every other text is
masked: the file keeps that it is there, and not what it says. So are those that look like a secret. Of the value of an
environment variable the file keeps whether it is a secret. Labels, and maps
whose keys are anybody's, are left out. Of the annotations, the file keeps those that are settings of security; of the
status, what it says of running containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..literal_secrets import KEPT_NO_SECRET, KEPT_SECRET, NOT_KEPT, literal_secrets
from ..secret_texts import secret_in

MASK = NOT_KEPT
_METADATA = ("name", "namespace", "uid", "ownerReferences", "creationTimestamp", "deletionTimestamp")
# Annotations that Kubernetes itself read as settings before there were fields for them.
_ANNOTATIONS = (
    "container.apparmor.security.beta.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
)
_STATUS = (
    "phase",
    "qosClass",
    "startTime",
    "containerStatuses",
    "initContainerStatuses",
    "ephemeralContainerStatuses",
)
_CONTAINER_STATUS = ("name", "image", "imageID", "containerID", "ready", "started", "restartCount", "user")
# The keys of a spec whose texts are kept, wherever they stand (core/v1 PodSpec and what it is made of).
_TEXT_KEYS = """
    name image imagePullPolicy restartPolicy mountPath mountPropagation devicePath procMount protocol serviceAccountName
    serviceAccount priorityClassName runtimeClassName nodeName schedulerName dnsPolicy preemptionPolicy
    terminationMessagePolicy type role level user host add drop medium sizeLimit fsGroupChangePolicy
    supplementalGroupsPolicy cpu memory ephemeral-storage targetContainerName
    workingDir
"""
_KEPT_TEXTS = frozenset(_TEXT_KEYS.split())
# The same for those that are kept below one key alone: (that key, their own).
_KEPT_BELOW = frozenset(
    {("hostPath", "path"), ("secretKeyRef", "key"), ("configMapKeyRef", "key"), ("volumeMounts", "subPath")}
)
# Maps whose keys are not the API's.
_FREE_MAPS = frozenset(
    [
        "nodeSelector",
        "labels",
        "annotations",
        "matchLabels",
        "volumeAttributes",
        "options",
        "volumeClaimTemplate",
    ]
)


def kept_pod(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The v1 Pod without what is not kept of it."""
    metadata = {name: pod["metadata"][name] for name in _METADATA if name in pod["metadata"]}
    annotations = {
        name: value
        for name, value in (pod["metadata"].get("annotations") or {}).items()
        if name.startswith(_ANNOTATIONS)
    }
    if annotations:
        metadata["annotations"] = annotations
    status = {name: pod["status"][name] for name in _STATUS if name in pod["status"]}
    for name in _STATUS:
        if isinstance(status.get(name), list):
            status[name] = [_kept_status(one) for one in status[name]]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _without_secrets(metadata),
        "spec": _kept_part(pod["spec"], "", ""),
        "status": _without_secrets(status),
    }


def _kept_status(status: Mapping[str, Any]) -> dict[str, Any]:
    kept = {part: status[part] for part in _CONTAINER_STATUS if part in status}
    running = (status.get("state") or {}).get("running")
    return dict(kept, state={"running": running}) if running else kept


def _kept_part(value: Any, key: str, above: str) -> Any:
    """A part of the spec. `key`: under which it stands; `above`: the key around that."""
    if isinstance(value, dict):
        if key in _FREE_MAPS:
            return {}
        if isinstance(value.get("env"), list):
            kept = _kept_part({**value, "env": None}, key, above)
            return {**kept, "env": _kept_env(value["env"], has_sources=bool(value.get("envFrom")))}
        return {name: _kept_part(item, name, key) for name, item in value.items()}
    if isinstance(value, list):
        return [_kept_part(item, key, above) for item in value]
    if not isinstance(value, str) or not value:
        return value
    is_kept = key in _KEPT_TEXTS or (above, key) in _KEPT_BELOW
    return value if is_kept and not secret_in(value) else MASK


def _kept_env(env: list[Any], has_sources: bool) -> list[Any]:
    kept = [_kept_part(variable, "env", "") for variable in env]
    secrets = literal_secrets(env, has_sources=has_sources)
    if secrets is None:
        return kept
    return [
        {**variable, "value": KEPT_SECRET if variable.get("name") in secrets else KEPT_NO_SECRET}
        if variable.get("value")
        else variable
        for variable in kept
    ]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return MASK if secret_in(value) else value
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
