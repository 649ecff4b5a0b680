# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scans by the task scan_container with an operator's credential, and what came of them."""

from __future__ import annotations

import json
import os
import pathlib
import threading
import time

from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    NOT_REVIEWED,
    control_status,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS

LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
PROFILES = ["container-baseline", "workload-baseline"]


class Run:
    """One scan of the sample namespace: the task's result, and its targets by workload."""

    def __init__(self, result: dict) -> None:
        self.result = result
        self.folder = pathlib.Path(result["run_dir"])
        self.targets = json.loads((self.folder / "summary.json").read_text())["targets"]

    def of(self, container: str) -> list:
        return [target for target in self.targets if target["container"] == container]

    def hdf(self, target: dict) -> dict:
        assert target["outcome"] == "scanned", target["error"]
        return json.loads((self.folder / target["hdf"]).read_text())

    def said(self, target: dict) -> dict:
        return self.hdf(target)["passthrough"]["securescan_kubernetes"]["scan"]

    def controls(self, target: dict) -> dict:
        """{(profile, control): the control as the HDF document has it}."""
        return {
            (profile["name"], control["id"]): control
            for profile in self.hdf(target)["profiles"]
            for control in profile["controls"]
        }

    def verdicts(self, target: dict) -> dict:
        return {key: control_status(control) for key, control in self.controls(target).items()}


def run_scan(
    kubeconfig: pathlib.Path, folder: pathlib.Path, *, check_mode: bool = False, cancel=None, **changes
) -> dict:
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update(
        {
            "kubeconfig": str(kubeconfig),
            "namespaces": ["shop"],
            "approach": "exec",
            "scanner_image": "securescan.local/busybox:1",
            "helper_namespace": HELPERS,
            "timeout": 60.0,
            "output_dir": str(folder),
            "profiles": PROFILES,
        },
        **changes,
    )
    params["compiled_profiles"] = [
        profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])
    ]
    context = TaskContext(check_mode=check_mode, environ=dict(os.environ), cancel=cancel or threading.Event())
    return run_scan_container(params, context)


def left(cluster) -> str:
    """What belongs to a scan, ephemeral entries aside."""
    return cluster.kubectl("get", "serviceaccounts,roles,rolebindings,pods", "-A", "-l", LABEL, "-o", "name")


def gone(cluster) -> bool:
    deadline = time.monotonic() + 60
    while left(cluster) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left(cluster) == ""


def contradictions(one: Run, other: Run, least: int = 6) -> list:
    """Controls with different verdicts, of the containers (at least so many) that both have scanned, where neither is Not
    Reviewed with a cause."""
    found = []
    theirs = {target["target_id"]: target for target in other.targets if target["outcome"] == "scanned"}
    compared = 0
    for target in one.targets:
        if target["outcome"] != "scanned" or target["target_id"] not in theirs:
            continue
        compared += 1
        here, there = one.controls(target), other.controls(theirs[target["target_id"]])
        assert here.keys() == there.keys()
        for key in here:
            pair = (control_status(here[key]), control_status(there[key]))
            if pair[0] != pair[1] and not (cannot_tell(here[key]) or cannot_tell(there[key])):
                found.append((target["container"], key, *pair))
    assert compared >= least
    return found


def cannot_tell(control: dict) -> bool:
    return control_status(control) == NOT_REVIEWED and any(
        result.get("skip_message") for result in control["results"]
    )
