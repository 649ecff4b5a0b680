# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods were made from the same template, told by what they are and not by what their labels say.

A controller adopts every pod that has its labels, whatever else the pod is. So pods are alike only where their whole
specs are, without what the API server, the scheduler and controllers write into each pod of one template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .own_containers import TOKEN_VOLUME, is_debug_entry

# Labels by which a controller marks pods that it made from the same template.
_LABELS = ("pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash")
# What pods of one template do not share: where they were put, and a StatefulSet's or indexed Job's own name.
_OF_ONE_POD = ("nodeName", "hostname", "subdomain")
# Annotations that weaken a container as fields of its spec would.
_SECURITY = ("container.apparmor.security.", "container.seccomp.security.", "seccomp.security.")


def template_key(pod: Mapping[str, Any], image: str = "") -> str:
    """The same text for pods of one workload that were made from the same template.

    :param pod: a v1 Pod
    :param image: the scanner image, "" where it is not known; what a scan has left runs it
    """
    metadata, spec = pod["metadata"], pod["spec"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    parts = {
        "labels": {label: labels[label] for label in _LABELS if label in labels},
        "annotations": {key: value for key, value in annotations.items() if str(key).startswith(_SECURITY)},
        "spec": _template_of(spec, str(metadata.get("name", "")), image),
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _template_of(spec: Mapping[str, Any], pod_name: str, image: str) -> dict[str, Any]:
    names = _token_names(spec)
    template = {key: _renamed(value, names) for key, value in spec.items() if key not in _OF_ONE_POD}
    # what scans have left in one of the pods is no part of a template
    entries = [
        entry for entry in spec.get("ephemeralContainers") or [] if not is_debug_entry(entry, spec, image)
    ]
    template.pop("ephemeralContainers", None)
    if entries:
        template["ephemeralContainers"] = entries
    if "volumes" in template:
        template["volumes"] = [_without_ordinal(volume, pod_name) for volume in template["volumes"] or []]
    if "affinity" in template:
        template["affinity"] = _without_node(template["affinity"], str(spec.get("nodeName") or ""))
    return template


def _token_names(spec: Mapping[str, Any]) -> dict[str, str]:
    """What volumes with a name of a ServiceAccount's token are called instead: their names end at random."""
    names = [str(volume.get("name")) for volume in spec.get("volumes") or [] if isinstance(volume, dict)]
    random = [name for name in names if name.startswith(TOKEN_VOLUME)]
    return {name: f"{TOKEN_VOLUME}{number}" for number, name in enumerate(random)}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value with each of these names, of volumes and of their mounts, replaced."""
    if isinstance(value, dict):
        return {
            key: names.get(item, item) if key == "name" and isinstance(item, str) else _renamed(item, names)
            for key, item in value.items()
        }
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value


def _without_ordinal(volume: Any, pod_name: str) -> Any:
    """The claim that a StatefulSet has made for a pod ends in the pod's name (statefulset/stateful_set_utils.go)."""
    claim = volume.get("persistentVolumeClaim") if isinstance(volume, dict) else None
    if isinstance(claim, dict) and pod_name and str(claim.get("claimName")).endswith("-" + pod_name):
        prefix = str(claim["claimName"])[: -len(pod_name)]
        return dict(volume, persistentVolumeClaim=dict(claim, claimName=prefix))
    return volume


def _without_node(value: Any, node: str) -> Any:
    """A DaemonSet's controller names the node of each pod in its affinity (daemon/util/daemonset_util.go)."""
    if isinstance(value, dict):
        if value.get("key") == "metadata.name" and value.get("values") == [node]:
            return dict(value, values=[])
        return {key: _without_node(item, node) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_node(item, node) for item in value]
    return value
