# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads as objects of the API, in the namespace shop, for the fake API server."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.workload import KINDS, WorkloadRef
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

Object = dict[str, Any]
IMAGE = "registry.test/scanner:1"


def reference(kind: str = "Deployment", name: str = "web") -> WorkloadRef:
    return WorkloadRef(KINDS[kind.lower()], "shop", name)


def container(user: int | None = 1000, group: int | None = 1000, **changes: Any) -> Object:
    """A v1 Container with its own user and group; None for what the image decides."""
    ids = {key: number for key, number in (("runAsUser", user), ("runAsGroup", group)) if number is not None}
    return {
        "name": "app",
        "image": "registry.test/app:1",
        **({"securityContext": ids} if ids else {}),
        **changes,
    }


def put_workload(
    server: FakeApiServer,
    ref: WorkloadRef,
    *containers: Object,
    status: Object | None = None,
    pod_spec: Object | None = None,
    metadata: Object | None = None,
    **spec: Any,
) -> Object:
    """The workload, stored as it is after its first rollout; `pod_spec` and `metadata` are put into its own."""
    labels = {"app": ref.name}
    found: Object = {
        "metadata": {"labels": labels},
        "spec": {"containers": list(containers or (container(),)), **(pod_spec or {})},
    }
    for key in reversed(ref.kind.template):
        found = {key: found}
    if ref.kind.name != "CronJob":
        found["spec"].update(selector={"matchLabels": labels}, replicas=1)
    found["spec"].update(spec)
    complete = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        "readyReplicas": 1,
    }
    return server.objects.put(
        ref.path,
        {
            "apiVersion": ref.kind.api_version,
            "kind": ref.kind.name,
            "metadata": {"name": ref.name, "namespace": ref.namespace, "generation": 1, **(metadata or {})},
            "status": complete if status is None else status,
            **found,
        },
    )


def put_pod(
    server: FakeApiServer, name: str, spec: Object, *, status: Object | None = None, **metadata: Any
) -> Object:
    """A pod of the workload web."""
    return server.objects.put(
        f"/api/v1/namespaces/shop/pods/{name}",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}, **metadata},
            "spec": copy.deepcopy(spec),
            "status": status or {"phase": "Running"},
        },
    )


def template_spec(server: FakeApiServer, ref: WorkloadRef) -> Object:
    """The pod template's spec as it is in the cluster."""
    found: Any = server.objects.find(ref.path)
    for key in ref.kind.template:
        found = found[key]
    spec: Object = found["spec"]
    return spec
