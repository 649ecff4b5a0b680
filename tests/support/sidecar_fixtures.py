# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of sidecars share: workloads of each kind, and the task scan_sidecar with the shipped rights."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.sidecar import scan_sidecar_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.containers import (
    SidecarOptions,
    needed_sidecars,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.sidecar.patch import pod_spec_change
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.sidecar import run_scan_sidecar
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX, pod
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    MANIFEST,
    make_operator,
)

SIDECAR_MANIFEST = MANIFEST.with_name("sidecar-clusterrole.yml")
VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
}


def workload(kind, name, *containers, spec=None, **of_pod):
    """One whose pods have these containers; `spec` is that of the workload besides."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name, *containers, **of_pod)["spec"]}
    if kind in ("CronJob", "Job"):
        template["spec"]["restartPolicy"] = "Never"
    body = {"template": template}
    if kind == "CronJob":
        body = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": body}}
    elif kind != "Job":
        body["selector"] = {"matchLabels": labels}
    if kind == "StatefulSet":
        body["serviceName"] = name
    return {
        "apiVersion": VERSIONS[kind],
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**body, **(spec or {})},
    }


def template(found):
    """The pod template of a workload's object."""
    return (found["spec"]["jobTemplate"] if found["kind"] == "CronJob" else found)["spec"]["template"]


def with_sidecars(made, image=BUSYBOX):
    """A pod as a workload's template would have it made, with sidecars of that scanner image."""
    needed = needed_sidecars(made, {}, SidecarOptions(image=image), "tests")
    made["spec"].update(pod_spec_change(made["spec"], needed.containers))
    return made


def make(cluster, namespace, *items):
    cluster.kubectl(
        "create",
        "-n",
        namespace,
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}),
    )


@pytest.fixture(scope="session")
def sidecar_operator_kubeconfig(cluster, tmp_path_factory):
    """A kubeconfig of a ServiceAccount that has the shipped ClusterRole for sidecars and nothing else."""
    return make_operator(
        cluster, tmp_path_factory.mktemp("sidecar-operator"), "operator-sidecar", SIDECAR_MANIFEST
    )


@pytest.fixture(scope="session")
def sidecar(sidecar_operator_kubeconfig):
    """Runs the task scan_sidecar; `warnings` are those of the last call."""

    def run(namespace, *workloads, check_mode=False, **changes):
        params = {name: rule.get("default") for name, rule in scan_sidecar_spec().items()}
        params.update(
            {
                "kubeconfig": str(sidecar_operator_kubeconfig),
                "namespace": namespace,
                "workloads": list(workloads),
                "scanner_image": BUSYBOX,
                "wait_timeout": 120,
            },
            **changes,
        )
        context = TaskContext(check_mode=check_mode, environ=dict(os.environ))
        result = run_scan_sidecar(params, context)
        run.warnings = context.warnings
        return result

    return run
