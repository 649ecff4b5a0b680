# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON patch that adds sidecars to a workload's pod template, and the one that removes them without a
trace.

One annotation of the workload keeps what the template had before, as far as that cannot be seen afterwards. A
patch holds the workload's resourceVersion: if somebody else has changed the workload meanwhile, the API
server refuses the patch, and a new one is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..targets.own_containers import alleged_sidecars, looks_like_sidecar
from .workload import WorkloadRef, template_of

ANNOTATION = "securescan.kubernetes/sidecar"
PATCH_TYPE = "application/json-patch+json"
_SHARED = "shareProcessNamespace"
Operation = dict[str, Any]


def is_ours(workload: Mapping[str, Any]) -> bool:
    """Whether this collection added the sidecars to the workload, and not somebody's manifests."""
    return ANNOTATION in (workload["metadata"].get("annotations") or {})


def pod_spec_change(spec: Mapping[str, Any], sidecars: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is added to a v1 PodSpec: `initContainers` (only the sidecars), and `shareProcessNamespace` if it
    needs that.

    The sidecars stand first and so start first, as kustomize puts what it adds first too.
    """
    change: dict[str, Any] = {"initContainers": [dict(sidecar) for sidecar in sidecars]}
    if not spec.get(
        "hostPID"
    ):  # with hostPID the pod sees all processes already, and Kubernetes refuses both together
        change[_SHARED] = True
    return change


def adding(
    ref: WorkloadRef, workload: Mapping[str, Any], sidecars: Sequence[Mapping[str, Any]]
) -> list[Operation]:
    """A JSON patch after which the template has these sidecars, and no others of ours."""
    spec = template_of(ref, workload)["spec"]
    change = pod_spec_change(spec, sidecars)
    operations = _locked(workload)
    operations.append(_add(ref, "initContainers", [*change["initContainers"], *_others(spec)]))
    if _SHARED in change and spec.get(_SHARED) is not True:
        operations.append(_add(ref, _SHARED, True))
    if not is_ours(workload):
        text = json.dumps({_SHARED: spec.get(_SHARED)})
        operations.append(
            {"op": "add", "path": _annotation_path(), "value": text}
            if workload["metadata"].get("annotations")
            else {"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: text}}
        )
    return operations


def removing(ref: WorkloadRef, workload: Mapping[str, Any]) -> list[Operation]:
    """A JSON patch after which the template is as it would be without us. Changes by others stay.

    :raises ScanError: conflict, if the annotation no longer says what was there before
    """
    spec = template_of(ref, workload)["spec"]
    before = _remembered(ref, workload)
    operations = _locked(workload)
    if alleged_sidecars(spec):
        others = _others(spec)
        operations.append(_add(ref, "initContainers", others) if others else _remove(ref, "initContainers"))
    if spec.get(_SHARED) is True and before is not True:
        operations.append(_remove(ref, _SHARED) if before is None else _add(ref, _SHARED, before))
    operations.append({"op": "remove", "path": _annotation_path()})
    return operations


def for_display(ref: WorkloadRef, workload: Mapping[str, Any]) -> dict[str, Any]:
    """What a diff shows of a workload: the parts that we change, and the names of other init containers."""
    spec = template_of(ref, workload)["spec"]
    ours: dict[str, Any] = {
        "initContainers": [
            dict(container) if looks_like_sidecar("init", container) else {"name": container["name"]}
            for container in spec.get("initContainers") or []
        ]
    }
    if _SHARED in spec:
        ours[_SHARED] = spec[_SHARED]
    annotation = (workload["metadata"].get("annotations") or {}).get(ANNOTATION)
    return {**({"annotation": annotation} if annotation is not None else {}), **ours}


def _others(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        container
        for container in spec.get("initContainers") or []
        if not looks_like_sidecar("init", container)
    ]


def _locked(workload: Mapping[str, Any]) -> list[Operation]:
    """Makes a patch valid only for the object as it was read.

    The API server answers with a conflict if the object has another version by now, or if it was made anew.
    """
    return [
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": workload["metadata"]["resourceVersion"],
        }
    ]


def _add(ref: WorkloadRef, field: str, value: Any) -> Operation:
    return {"op": "add", "path": _spec_path(ref, field), "value": value}


def _remove(ref: WorkloadRef, field: str) -> Operation:
    return {"op": "remove", "path": _spec_path(ref, field)}


def _spec_path(ref: WorkloadRef, field: str) -> str:
    return "/" + "/".join((*ref.kind.template, "spec", field))


def _annotation_path() -> str:
    return "/metadata/annotations/" + ANNOTATION.replace("~", "~0").replace("/", "~1")


def _remembered(ref: WorkloadRef, workload: Mapping[str, Any]) -> bool | None:
    """What shareProcessNamespace was before; None if it was not set."""
    text = str(workload["metadata"]["annotations"][ANNOTATION])
    try:
        before = json.loads(text)[_SHARED]
        if before in (None, True, False):
            return None if before is None else bool(before)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ScanError(
        "conflict",
        f"the annotation {ANNOTATION} was changed",
        tried=ref.tried,
        cause="It kept what the template was like before; that cannot be read from it any more.",
        advice='Set it to {"shareProcessNamespace": null}, or to what it was before, and run again.',
    )
