# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods as the API shows them, and an API that answers lists of them."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import (
    Selection,
    select_targets,
)

DIGEST = "sha256:" + "a" * 64
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
_GROUPS = {
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
}


def reference(kind, name, api_version=None, controller=True):
    return {
        "apiVersion": api_version or _GROUPS.get(kind, "v1"),
        "kind": kind,
        "name": name,
        "controller": controller,
    }


def pod(
    name,
    owner=None,
    containers=("app",),
    namespace="shop",
    image="x:1",
    image_id="docker.io/library/x@" + DIGEST,
    state=None,
    labels=None,
    metadata=None,
    **spec,
):
    """A pod whose containers all have the same image and state (running where none is given)."""
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "labels": labels or {},
            "ownerReferences": [reference(*owner)] if owner else [],
            "managedFields": [{"big": 1}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
            **(metadata or {}),
        },
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": each, "image": image} for each in containers],
            **spec,
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": each,
                    "imageID": image_id,
                    "containerID": "containerd://1",
                    "state": state or RUNNING,
                }
                for each in containers
            ],
        },
    }


def owned(name, kind, owner, api_version=None):
    return {"metadata": {"name": name, "ownerReferences": [reference(kind, owner, api_version)]}}


def namespace_object(name, **labels):
    return {"metadata": {"name": name, "labels": labels}}


class Api:
    """Answers from tables; notes what was asked. An answer that is a ScanError is raised.

    `pods`, `replicasets`, `jobs`: of namespace shop, or {namespace: list}. `objects`: path -> metadata for single ones.
    """

    def __init__(self, namespaces=(), objects=None, **lists):
        self.lists = {
            "/api/v1/namespaces": list(namespaces) if not isinstance(namespaces, ScanError) else namespaces
        }
        for resource, group in (
            ("pods", "/api/v1"),
            ("replicasets", "/apis/apps/v1"),
            ("jobs", "/apis/batch/v1"),
        ):
            given = lists.get(resource, [])
            for namespace, items in (given if isinstance(given, dict) else {"shop": given}).items():
                self.lists[f"{group}/namespaces/{namespace}/{resource}"] = items
        self.objects = objects or {}
        self.asked = []

    def list_items(self, path, query=None, page_size=500):
        self.asked.append((path, dict(query or {})))
        answer = self.lists.get(path, [])
        if callable(answer):
            answer = answer(query or {})
        if isinstance(answer, ScanError):
            raise answer
        yield from answer

    def get_metadata(self, path):
        self.asked.append((path, None))
        answer = self.objects.get(path, ScanError("not_found", "no such object"))
        if isinstance(answer, ScanError):
            raise answer
        return answer

    def times_asked(self, path):
        return sum(asked == path for asked, _query in self.asked)


def select(api, looked_at=None, **conditions):
    conditions.setdefault("namespaces", ("shop",))
    return list(select_targets(api, "c", Selection(**conditions), looked_at))


def paths(selected):
    return [each.target.path for each in selected]
