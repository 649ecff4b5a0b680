# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers into which the runtime starts programs each second: what is found in them does not depend on the moment.

SECURESCAN_REPEATED_SCANS=20 scans eight replicas so often, each with two probes a second. Without it there are four replicas and
one probe a second: each probe is a start of the runtime, and the machine has other tests to run.
"""

from __future__ import annotations

import os

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import PASSED
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    ENFORCED,
    LISTENS,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, run_scan
from ansible_collections.securescan.kubernetes.tests.support.sidecar_fixtures import with_sidecars

ASKED_FOR = os.environ.get("SECURESCAN_REPEATED_SCANS", "")
REPLICAS = 8 if ASKED_FOR else 4
SCANS = int(ASKED_FOR or "4")
EACH_SECOND = {
    "exec": {"command": ["true"]},
    "periodSeconds": 1,
    "timeoutSeconds": 5,
    "failureThreshold": 100,
}
PROBES = {"readinessProbe": EACH_SECOND, **({"livenessProbe": EACH_SECOND} if ASKED_FOR else {})}
PROFILE = """\
name: nothing-of-the-runtime
title: Processes of the container alone
version: 1.0.0
controls:
  - id: no-root-process
    title: No process is root's
    impact: 0.7
    tests:
      - processes: {}
        expect:
          uids: {none: 0}
          names: {none: {matches: "^(runc|crun|youki|memfd|exe)"}}
"""


@pytest.fixture
def probed(place):
    there = place(ENFORCED)
    kinds = [("busybox", BUSYBOX), ("debian", DEBIAN)] * (REPLICAS // 2)
    pods = [
        pod(f"{name}-{number}", container(name, image, **PROBES))
        for number, (name, image) in enumerate(kinds)
    ]
    pods.append(with_sidecars(pod("beside", container("beside", **PROBES))))
    there.add(*pods, pod("static", container("static", **LISTENS, **PROBES)), wait=False)
    # the distroless image has no program `true`, and is never ready
    for name in ("static", *(one["metadata"]["name"] for one in pods)):
        condition = "--for=condition=Ready" if name != "static" else "--for=jsonpath={.status.phase}=Running"
        there.cluster.kubectl("wait", condition, "pod/" + name, "-n", there.name, "--timeout=90s")
    return there


def test_repeated_scans_of_containers_with_exec_probes_give_equal_results(
    probed, helper_operator_kubeconfig, tmp_path
):
    (tmp_path / "profile.yml").write_text(PROFILE)

    def verdicts(approach, number, *containers):
        run = Run(
            run_scan(
                helper_operator_kubeconfig,
                tmp_path / f"{approach}{number}",
                approach=approach,
                namespaces=[probed.name],
                containers=list(containers),
                profiles=[str(tmp_path / "profile.yml"), "container-baseline"],
            )
        )
        errors = [(target["pod"], target["error"]) for target in run.targets if target["error"]]
        assert run.result["counts"]["not_scanned"] == 0, (approach, number, errors)
        return {target["pod"]: run.verdicts(target) for target in run.targets}

    by_exec = [verdicts("exec", number, "busybox", "debian") for number in range(SCANS)]
    assert len(by_exec[0]) == REPLICAS
    assert by_exec == [by_exec[0]] * SCANS
    by_others = [verdicts("sidecar", number, "beside") for number in range(SCANS // 2)]
    by_others += [verdicts("debug", number, "static", "beside") for number in range(SCANS // 2)]
    for seen in (*by_exec, *by_others):
        for pod_name, found in seen.items():
            assert found["nothing-of-the-runtime", "no-root-process"] == PASSED, pod_name
