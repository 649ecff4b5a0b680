# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with RBAC, a node that starts what scans add, and whole scans of it with a profile of two controls."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import (
    sidecar_container,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.tests.fake_api_server.controllers import Node
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import Program
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer, SeenRequest
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner

IMAGE = "registry.test/scanner:1"
HELPERS = "scans"
_PROFILE = """\
name: small
title: Small
version: 1.0.0
controls:
  - id: there
    title: The file is there
    impact: medium
    tests: [{file: %s, expect: {exist: true}}]
  - id: closed
    title: Nobody else can write the file
    impact: high
    tests: [{file: %s, expect: {mode: {no_wider_than: "0755"}}}]
"""
PODS = "/api/v1/namespaces/shop/pods/"
Object = dict[str, Any]


class Cluster:
    """The namespace shop of a fake cluster.

    :param program: what an exec into a container does that a scan has added
    """

    def __init__(self, server: FakeApiServer, program: Program) -> None:
        self.server = server
        self.node = Node(server, program)
        server.use_rbac()
        server.objects.meanwhile.append(self.node)

    def add_pod(
        self,
        name: str,
        program: Program,
        *,
        image: str = "1",
        user: int = 1000,
        sidecar: Program | None = None,
        **metadata: Any,
    ) -> Object:
        """A running pod with the container app, of an image of that number; `sidecar`: what one beside it does."""
        pod = self.server.add_pod("shop", name, {"app": program})
        status = pod["status"]["containerStatuses"][0]
        status["imageID"] = "registry.test/app@sha256:" + image * 64
        status["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        status["user"] = {"linux": {"uid": user, "gid": user}}
        pod["metadata"].update(metadata)
        if sidecar is not None:
            own = sidecar_container(user, user, IMAGE)
            pod["spec"].update(shareProcessNamespace=True, initContainers=[own])
            pod["status"]["initContainerStatuses"] = [
                {"name": own["name"], "containerID": "containerd://side", "state": {"running": {}}}
            ]
            self.server.run_in("shop", name, own["name"], sidecar)
        return self.server.objects.put(PODS + name, pod)

    def execs(self) -> list[SeenRequest]:
        """The requests that enter a container, those apart that tell one of ours to end."""
        return [
            request
            for request in self.server.requests
            if request.path.endswith("/exec") and ("command", "securescan-end") not in request.query
        ]

    def objects(self, part: str) -> list[str]:
        """The paths of what is there now, of one resource."""
        return [path for path in self.server.objects.paths() if f"/{part}/" in path]

    def accesses(self) -> list[str]:
        return [
            path
            for resource in ("serviceaccounts", "roles", "rolebindings")
            for path in self.objects(resource)
        ]


class Scan(TaskRunner):
    """scan(option=value, ...) runs scan_container over the namespace shop. What it has written is read back:

    :ivar folder: where results go
    :ivar targets: of the last run's summary, by pod
    :ivar run_dir: the folder of the last run
    """

    def __init__(self, cluster: Cluster, folder: pathlib.Path) -> None:
        super().__init__(cluster.server, run_scan_container, scan_container_spec)
        self.folder = self.run_dir = folder
        self.file = folder / "app.conf"
        self.file.write_text("a setting\n", encoding="utf-8")
        self.file.chmod(0o644)
        self.targets: dict[str, Mapping[str, Any]] = {}
        source = folder / "profile.yml"
        source.write_text(_PROFILE % (self.file, self.file), encoding="utf-8")
        self.profiles = [load_profile(str(source), [], {}).as_dict()]

    def __call__(self, *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        given = {
            "namespaces": ["shop"],
            "compiled_profiles": self.profiles,
            "output_dir": str(self.folder / "results"),
            "timeout": 60.0,
        }
        if changes.get("approach") in ("sidecar", "debug", "image", "auto") or changes.get("drift"):
            given["scanner_image"] = IMAGE
        if changes.get("approach") in ("image", "auto") or changes.get("drift"):
            given["helper_namespace"] = HELPERS
        self.targets = {}
        result = super().__call__(check_mode=check_mode, **{**given, **changes})
        if "summary_file" in result:
            summary = json.loads(pathlib.Path(result["summary_file"]).read_text(encoding="utf-8"))
            self.targets = {target["pod"]: target for target in summary["targets"]}
            self.run_dir = pathlib.Path(result["run_dir"])
        return result

    def outcomes(self) -> dict[str, str]:
        """By pod the approach by which it was scanned, or the reason why it was not."""
        return {
            pod: target["approach"] if target["outcome"] == "scanned" else target["error"]["reason"]
            for pod, target in self.targets.items()
        }

    def verdicts(self, pod: str) -> Sequence[str]:
        """Of the controls there and closed."""
        target = self.targets[pod]
        document = json.loads((self.run_dir / target["hdf"]).read_text())
        return [
            ",".join(sorted({result["status"] for result in control["results"]}))
            for control in document["profiles"][0]["controls"]
        ]
