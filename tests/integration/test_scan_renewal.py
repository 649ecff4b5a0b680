# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that come after the access was made: a record that says so, or, when asked, scanned with a renewed access."""

from __future__ import annotations

import json
import pathlib
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import pods_of

LABELS = ["app.kubernetes.io/name=api"]


def params(spec, kubeconfig, **given):
    return {
        **{name: rule.get("default") for name, rule in spec.items()},
        "kubeconfig": str(kubeconfig),
        "namespaces": ["shop"],
        "label_selectors": LABELS,
        **given,
    }


def wait_until_two_are_ready(cluster):
    """The status of a rollout can still be that of before the deletion."""
    deadline = time.monotonic() + 120
    while True:
        pods = cluster.get("pods", "-n", "shop", "-l", LABELS[0])["items"]
        ready = [
            pod
            for pod in pods
            if all(status["ready"] for status in pod["status"].get("containerStatuses") or [{"ready": False}])
        ]
        if len(ready) == len(pods) == 2 and not any("deletionTimestamp" in pod["metadata"] for pod in pods):
            return
        assert time.monotonic() < deadline, "there are no two pods that are ready"
        time.sleep(0.2)


@pytest.mark.parametrize("renew", [False, True])
def test_a_pod_that_was_replaced(cluster, operator_kubeconfig, tmp_path, renew):
    context = TaskContext(check_mode=False, environ={})
    access = run_scan_access(params(scan_access_spec(), operator_kubeconfig), context)["access"]
    try:
        old = pods_of(access)[0].name
        cluster.kubectl("delete", "pod", old, "-n", "shop", "--wait=true")
        wait_until_two_are_ready(cluster)
        profiles = [each.as_dict() for each in chosen_profiles(["container-baseline"])]
        result = run_scan_container(
            params(
                scan_container_spec(),
                operator_kubeconfig,
                access=access,
                renew_access=renew,
                output_dir=str(tmp_path),
                compiled_profiles=profiles,
            ),
            context,
        )
    finally:
        run_scan_access(
            params(scan_access_spec(), operator_kubeconfig, state="absent", run_id=access["run_id"]), context
        )
    summary = json.loads(pathlib.Path(result["summary_file"]).read_text())
    ends = {
        target["pod"]: (target["outcome"], (target["error"] or {}).get("reason"))
        for target in summary["targets"]
    }
    assert len(ends) == 2
    assert old not in ends
    known = {pod.name for pod in pods_of(access)}
    for pod, end in ends.items():
        assert end == (("scanned", None) if renew or pod in known else ("not_scanned", "pod_replaced")), (
            pod,
            end,
        )
