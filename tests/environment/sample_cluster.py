# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with the sample workloads, for tests, demo and benchmarks: the one KUBECONFIG names, or one made here."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
from datetime import datetime, timezone
from typing import Any

from ansible_collections.securescan.kubernetes.tests.cluster import audit, handle
from ansible_collections.securescan.kubernetes.tests.cluster.images.image_cache import build_images, reference
from ansible_collections.securescan.kubernetes.tests.workloads.deploy import MANIFEST, deploy

TESTS = pathlib.Path(__file__).resolve().parents[1]


READY_SECONDS = 300.0


class SampleCluster:
    """A running cluster. `made_here` is None where KUBECONFIG names the cluster: then its audit log is not ours."""

    def __init__(self, kubeconfig: pathlib.Path, kubectl: str, made_here: handle.Cluster | None) -> None:
        self.kubeconfig = kubeconfig
        self.made_here = made_here
        self.kubectl_program = kubectl
        self._kubectl = [kubectl, "--kubeconfig", str(kubeconfig)]
        self._audit_offset, self._audit_since = 0, ""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """kubectl's standard output, as the cluster's administrator; raises CalledProcessError where it fails."""
        return self.kubectl_run(*arguments, stdin=stdin, check=True).stdout

    def kubectl_run(
        self, *arguments: str, stdin: str | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._kubectl, *arguments], input=stdin, check=check, capture_output=True, text=True
        )

    def get(self, *arguments: str) -> dict[str, Any]:
        """kubectl get ... -o json"""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def deploy(self) -> None:
        """Applies the sample workloads and waits until they are as a scan wants to find them."""
        deploy([*self._kubectl, "--request-timeout=30s"], READY_SECONDS)

    def load_images(self, manifest: str) -> None:
        """Builds, where the cache has them not, and loads the sample images that a manifest's text names. A cluster that
        KUBECONFIG names has its images from elsewhere."""
        if self.made_here:
            names = sorted(set(re.findall(re.escape(reference("@")).replace("@", "([a-z-]+)"), manifest)))
            self.made_here.load_images(build_images(names))

    def forget_audit(self) -> None:
        """What was logged before now is not counted."""
        if self.made_here:
            self._audit_offset = self.made_here.audit_log.stat().st_size
            self._audit_since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def audit_events(self) -> list[dict[str, Any]] | None:
        """The API server's audit events since forget_audit, of what was asked since then: the end of a call that was open then
        is logged later. None where the log is not ours to read."""
        if not self.made_here:
            return None
        found = audit.events(self.made_here.audit_log, self._audit_offset)
        return [event for event in found if event["requestReceivedTimestamp"] >= self._audit_since]

    def exec_requests(self) -> list[dict[str, Any]] | None:
        """The requests to enter a container since forget_audit, one event for each; None as above."""
        events = self.audit_events()
        return None if events is None else audit.exec_calls(events)


def sample_cluster(name: str) -> SampleCluster:
    """A cluster whose sample workloads run. Made, filled and deployed as far as that is not so already."""
    given = os.environ.get("KUBECONFIG")
    if given:
        kubectl = shutil.which("kubectl")
        if not kubectl:
            raise SystemExit("KUBECONFIG names a cluster, but there is no kubectl on PATH to work with it")
        cluster = SampleCluster(pathlib.Path(given), kubectl, None)
    else:
        made = handle.up(name)
        cluster = SampleCluster(made.kubeconfig, str(made.kubectl), made)
        cluster.load_images(MANIFEST.read_text(encoding="utf-8"))
    cluster.deploy()
    return cluster
