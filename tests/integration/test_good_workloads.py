# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is configured well passes the default gate without waivers and attestations: a Debian that does not run as root,
and a distroless image."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks

IMAGE = {"scan_scanner_image": "securescan.local/busybox:1"}


@pytest.mark.parametrize(
    ("workload", "options"),
    [
        ("api", {"scan_approach": "exec"}),
        ("api", {"scan_approach": "debug", **IMAGE}),
        ("edge", {"scan_approach": "debug", **IMAGE}),
    ],
    ids=["Debian by exec", "Debian by debug", "distroless by debug"],
)
def test_a_good_workload_passes_the_default_gate(debug_operator_kubeconfig, tmp_path, workload, options):
    run = Playbooks(debug_operator_kubeconfig, tmp_path).scan(
        scan_workloads=[f"deployment/{workload}"], **options
    )
    assert run.status == 0, run.output[-3000:]
    gate = run.summary["gate"]
    assert gate["passed"] and gate["threshold"]["source"] == "the default threshold"
    assert [target["result"] for target in run.summary["targets"]] == ["pass", "pass"]
    assert not run.summary["waiver_notes"] and not run.summary["attestation_notes"]
