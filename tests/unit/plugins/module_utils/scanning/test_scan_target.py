# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run: no target hides another."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import CollectionRequest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning import scan_target as run
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.pod import PodSnapshot
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import SelectedTarget


class Approach:
    name = "exec"

    def __init__(self, failure):
        self.failure = failure

    def collect(self, selected, request):
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ScanError("pod_gone", "gone"), "pod_gone"),
        (ValueError("a defect"), "internal"),
    ],
)
def test_what_goes_wrong_with_a_target_is_its_outcome(failure, reason):
    pod = {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {}, "status": {}}
    target = Target(
        cluster="c", namespace="n", workload_kind="Pod", workload="p", pod="p", pod_uid="u", container="x"
    )
    plan = run.ScanPlan(
        run_id="r", approach=Approach(failure), request=CollectionRequest((), 10.0), engines=()
    )
    outcome = run.scan_target(plan, SelectedTarget(target, PodSnapshot.from_object(pod)))
    assert outcome.judgement is None
    assert outcome.error.reason == reason
