# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the approach debug share: pods in namespaces of their own, and scans of them."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import threading
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles

BUSYBOX, DEBIAN = "securescan.local/busybox:1", "securescan.local/debian:1"
DISTROLESS = "securescan.local/distroless-static:1"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
ENFORCED = {"pod-security.kubernetes.io/enforce": "restricted"}
SLEEPS = ("sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait")
LISTENS = {"image": DISTROLESS, "args": ["8080"]}


def container(name="app", image=BUSYBOX, command=SLEEPS, user=(10001, 10001), **changes):
    """One as Pod Security's level restricted asks for; `user` is (uid, gid)."""
    security = dict(copy.deepcopy(RESTRICTED), **changes.pop("security", {}))
    if user:
        security.update(runAsUser=user[0], runAsGroup=user[1])
    made = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": security,
        **changes,
    }
    return made if "args" in made else dict(made, command=list(command))


def pod(name, *containers, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": list(containers),
            **spec,
        },
    }


class Place:
    """A namespace of a test's own."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def add(self, *pods, wait=True):
        self.cluster.kubectl(
            "create",
            "-n",
            self.name,
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(pods)}),
        )
        if wait:
            self.cluster.kubectl(
                "wait", "--for=condition=Ready", "pods", "--all", "-n", self.name, "--timeout=180s"
            )

    def pod(self, name):
        return self.cluster.get("pod", name, "-n", self.name)

    def entries(self, name):
        """The ephemeral containers in a pod's spec."""
        return self.pod(name)["spec"].get("ephemeralContainers", [])

    def states(self, name):
        """How the ephemeral containers of a pod are: "running", "terminated" or "waiting" by name."""
        return {
            status["name"]: next(iter(status["state"]), "waiting")
            for status in self.pod(name)["status"].get("ephemeralContainerStatuses", [])
        }


def make_namespace(cluster, name, labels=None):
    """A namespace that takes pods at once."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(space))
    make_default_account(cluster, name)


def make_default_account(cluster, namespace):
    """The ServiceAccount without which a namespace takes no pods: the cluster makes it a moment after the namespace."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": namespace},
    }
    # once more where the cluster makes it at the same moment
    if cluster.kubectl_run("apply", "-f", "-", stdin=json.dumps(account)).returncode:
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(account))


@pytest.fixture
def place(cluster):
    """Makes namespaces, with labels; they are removed at the end."""
    made = []

    def make(labels=None):
        name = f"debug-{uuid.uuid4().hex[:8]}"
        made.append(name)
        make_namespace(cluster, name, labels)
        return Place(cluster, name)

    yield make
    for name in made:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


class Scan:
    """What came of one scan: the task's result, and the targets of its summary by container."""

    def __init__(self, result, warnings):
        self.result, self.warnings = result, warnings
        self.targets = {}
        if result.get("summary_file"):
            self.run_dir = pathlib.Path(result["run_dir"])
            summary = json.loads(pathlib.Path(result["summary_file"]).read_text(encoding="utf-8"))
            self.targets = {target["container"]: target for target in summary["targets"]}

    def hdf(self, container_name="app"):
        """The HDF document of a container; the test fails where it was not scanned."""
        target = self.targets[container_name]
        assert target["outcome"] == "scanned", target["error"]
        return json.loads((self.run_dir / target["hdf"]).read_text(encoding="utf-8"))

    def said(self, container_name="app"):
        """How it was scanned, as the HDF document has it."""
        return self.hdf(container_name)["passthrough"]["securescan_kubernetes"]["scan"]

    def verdicts(self, container_name="app"):
        """{control: [status, message] of each of its tests}."""
        return {
            control["id"]: [[result["status"], result.get("message", "")] for result in control["results"]]
            for profile in self.hdf(container_name)["profiles"]
            for control in profile["controls"]
        }

    def error(self, container_name="app"):
        target = self.targets[container_name]
        assert target["outcome"] == "not_scanned", "it was scanned"
        return target["error"]


@pytest.fixture
def scan(debug_operator_kubeconfig, tmp_path):
    """Runs the task scan_container by debug over a namespace, with the operator's credential."""

    def run(namespace, check_mode=False, cancel=None, **changes):
        params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
        params.update(
            {
                "kubeconfig": str(debug_operator_kubeconfig),
                "namespaces": [namespace],
                "approach": "debug",
                "scanner_image": BUSYBOX,
                "timeout": 60.0,
                "output_dir": str(tmp_path / uuid.uuid4().hex),
            },
            **changes,
        )
        params["compiled_profiles"] = [
            profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])
        ]
        context = TaskContext(
            check_mode=check_mode, environ=dict(os.environ), cancel=cancel or threading.Event()
        )
        return Scan(run_scan_container(params, context), context.warnings)

    return run
