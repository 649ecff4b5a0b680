# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with the sample workloads, for tests, demo and benchmarks: the one KUBECONFIG names, or one made here."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Dict, List, Optional

TESTS = pathlib.Path(__file__).resolve().parents[1]


class SampleCluster:
    """A running cluster. `audit_log` is None where the cluster was not made here."""

    def __init__(self, kubeconfig: pathlib.Path, kubectl: str, audit_log: Optional[pathlib.Path]) -> None:
        self.kubeconfig = kubeconfig
        self.audit_log = audit_log
        self._kubectl = kubectl
        self._audit_offset = 0

    def kubectl(self, *arguments: str, stdin: Optional[str] = None, check: bool = True) -> str:
        """kubectl's standard output, as the cluster's administrator; raises CalledProcessError where it fails."""
        return self.kubectl_run(*arguments, stdin=stdin, check=check).stdout

    def kubectl_run(self, *arguments: str, stdin: Optional[str] = None,
                    check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._kubectl, "--kubeconfig", str(self.kubeconfig), *arguments], input=stdin,
                              check=check, capture_output=True, text=True)

    def get(self, *arguments: str) -> Dict[str, Any]:
        """kubectl get ... -o json"""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def forget_audit(self) -> None:
        """What was logged before now is not counted."""
        if self.audit_log:
            self._audit_offset = self.audit_log.stat().st_size

    def audit_events(self) -> Optional[List[Dict[str, Any]]]:
        """The API server's audit events since forget_audit; None where the log is not ours to read."""
        if not self.audit_log:
            return None
        with self.audit_log.open("rb") as log:
            log.seek(self._audit_offset)
            return [json.loads(line) for line in log if line.endswith(b"\n")]

    def exec_requests(self) -> Optional[List[Dict[str, Any]]]:
        """The requests to enter a container, one event for each, as they were answered."""
        events = self.audit_events()
        if events is None:
            return None
        # a long-running request is logged when it starts (ResponseStarted) and again when it ends
        first: Dict[str, Dict[str, Any]] = {}
        for event in events:
            reference = event.get("objectRef") or {}
            if (reference.get("resource"), reference.get("subresource")) == ("pods", "exec"):
                first.setdefault(event["auditID"], event)
        return list(first.values())


def _run(*command: str) -> str:
    """The program's standard output; its standard error (progress) goes to ours."""
    return subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True).stdout


def sample_cluster(name: str) -> SampleCluster:
    """A cluster whose sample workloads run. Made, filled and deployed as far as that is not so already."""
    given = os.environ.get("KUBECONFIG")
    if given:
        kubectl = shutil.which("kubectl")
        if not kubectl:
            raise SystemExit("KUBECONFIG names a cluster, but there is no kubectl on PATH to work with it")
        cluster = SampleCluster(pathlib.Path(given), kubectl, None)
    else:
        program = str(TESTS / "cluster" / "cluster.py")
        kubeconfig = pathlib.Path(_run(program, "up", name).splitlines()[-1])
        state = next(entry for entry in json.loads(_run(program, "status", "--json")) if entry["name"] == name)
        cluster = SampleCluster(kubeconfig, state["kubectl"], pathlib.Path(state["audit_log"]))
        tars = _run(str(TESTS / "cluster" / "images" / "build.py")).split()
        _run(program, "image", name, *tars)
    _run(str(TESTS / "workloads" / "deploy.py"), "--kubeconfig", str(cluster.kubeconfig), "--kubectl", cluster._kubectl)
    return cluster
