# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's API object as it is kept: its settings, and no secrets.

Values of environment variables, command lines, headers of probes and options of volume drivers are masked:
the file keeps that they are there, and not what they say. So is every other text that looks like a secret. Of
the annotations, the file keeps those that are settings of security; of the status, what it says of running
containers. The rest is left out, with all that the end of a container has to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from .secret_texts import secret_in

MASK = "(not kept)"
_METADATA = (
    "name",
    "namespace",
    "uid",
    "labels",
    "ownerReferences",
    "creationTimestamp",
    "deletionTimestamp",
)
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
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
# Keys of a pod's spec under which every text is masked, wherever they stand: a container's command line, that
# of its probes and hooks, and what a volume's driver is told (core/v1 Container, ExecAction, CSIVolumeSource,
# FlexVolumeSource).
_MASKED = frozenset({"command", "args", "volumeAttributes", "options"})


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
    slim = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": _kept_spec(pod["spec"]),
        "status": status,
    }
    masked: dict[str, Any] = _mask_where(slim, lambda text: bool(secret_in(text)))
    return masked


def _kept_status(status: Mapping[str, Any]) -> dict[str, Any]:
    kept = {part: status[part] for part in _CONTAINER_STATUS if part in status}
    running = (status.get("state") or {}).get("running")
    return dict(kept, state={"running": running}) if running else kept


def _kept_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _kept_part(name, value) for name, value in spec.items()}
    for name in _CONTAINERS:
        if spec.get(name):
            kept[name] = [_kept_container(container) for container in spec[name]]
    return kept


def _kept_container(container: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _kept_part(name, value) for name, value in container.items()}
    if container.get("env"):
        kept["env"] = [
            dict(variable, value=MASK) if variable.get("value") else dict(variable)
            for variable in container["env"]
        ]
    return kept


def _kept_part(name: str, value: Any) -> Any:
    if name in _MASKED:
        return _mask_where(value, bool)
    if name == "httpHeaders":
        headers: list[Mapping[str, Any]] = value or []
        return [dict(header, value=MASK) for header in headers]
    if isinstance(value, dict):
        return {key: _kept_part(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kept_part("", item) for item in value]
    return value


def _mask_where(value: Any, masked: Callable[[str], bool]) -> Any:
    if isinstance(value, str):
        return MASK if masked(value) else value
    if isinstance(value, dict):
        return {name: _mask_where(item, masked) for name, item in value.items()}
    if isinstance(value, list):
        return [_mask_where(item, masked) for item in value]
    return value
