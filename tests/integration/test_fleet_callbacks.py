# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callbacks at the end of a real playbook: one cluster that is scanned, and one that cannot be reached."""

from __future__ import annotations

import json
import re

import pytest

NAMES = "securescan.kubernetes.scan_fleet,securescan.kubernetes.scan_metrics"


@pytest.fixture(scope="module")
def fleet(cluster, operator_kubeconfig, tmp_path_factory):
    """(the playbook's run, its metrics file)."""
    from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks

    folder = tmp_path_factory.mktemp("fleet")

    class TwoClusters(Playbooks):
        def inventory(self, **variables):
            path = super().inventory(**variables)
            hosts = json.loads(path.read_text())["all"]["hosts"]
            hosts["away"] = dict(
                hosts["sample"], scan_kubeconfig="", scan_host="https://127.0.0.1:1", scan_api_key="none"
            )
            path.write_text(json.dumps({"all": {"hosts": hosts}}))
            return path

    metrics = folder / "securescan.prom"
    run = TwoClusters(operator_kubeconfig, folder).run(
        "securescan.kubernetes.scan",
        scan_namespaces="shop",
        scan_workloads=["Deployment/api", "Deployment/legacy"],
        scan_output_dir=str(folder / "results"),
        environ={"ANSIBLE_CALLBACKS_ENABLED": NAMES, "SECURESCAN_METRICS_PATH": str(metrics)},
    )
    return run, metrics


def test_the_table_lists_every_cluster_and_the_worst_first(fleet) -> None:
    run, _metrics = fleet
    table = run.output[run.output.index("SCANNED CLUSTERS") :]
    (row,) = re.findall(r"^sample .*$", table, re.MULTILINE)
    assert "FAILED" in row and " 4/4 " in row
    assert re.search(r"^away: not scanned: .*127\.0\.0\.1:1", table, re.MULTILINE)
    assert re.search(r"^1 of 2 +clusters scanned", table, re.MULTILINE)


def test_the_metrics_say_the_same(fleet) -> None:
    _run, metrics = fleet
    text = metrics.read_text(encoding="utf-8")
    assert 'securescan_run_succeeded{host="away",cluster=""} 0.0' in text
    assert re.search(r'securescan_targets\{host="sample",cluster="[^"]+",outcome="scanned"\} 4\.0', text)
    assert re.search(r'securescan_gate_passed\{host="sample",cluster="[^"]+"\} 0\.0', text)
    assert metrics.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in metrics.parent.glob(".securescan-*")] == []
