# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `fleet` on a real cluster and one that does not answer: the fleet's metrics, and an overdue place's."""

from __future__ import annotations

import json

from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks


class TwoClusters(Playbooks):
    def inventory(self, **variables):
        path = super().inventory(**variables)
        hosts = json.loads(path.read_text())["all"]["hosts"]
        hosts["away"] = dict(
            hosts["sample"], scan_kubeconfig="", scan_host="https://127.0.0.1:1", scan_api_key="none"
        )
        path.write_text(json.dumps({"all": {"hosts": hosts}}))
        return path


def test_the_fleet_run_and_each_cluster_have_metrics(operator_kubeconfig, tmp_path) -> None:
    metrics = tmp_path / "fleet.prom"
    run = TwoClusters(operator_kubeconfig, tmp_path).run(
        "securescan.kubernetes.fleet",
        scan_namespaces=["shop"],
        scan_workloads=["Deployment/api"],
        scan_approach="exec",
        scan_fail_on="never",
        scan_teams={"namespaces": [{"namespace": "shop", "team": "shop-team"}]},
        fleet_output_dir=str(tmp_path / "results"),
        environ={
            "ANSIBLE_CALLBACKS_ENABLED": "securescan.kubernetes.scan_metrics",
            "SECURESCAN_METRICS_PATH": str(metrics),
        },
    )
    assert run.status != 0, run.output
    text = metrics.read_text(encoding="utf-8")
    for line in (
        'securescan_fleet_clusters{fleet="all",state="scanned"} 1.0',
        'securescan_fleet_clusters{fleet="all",state="unreachable"} 1.0',
        'securescan_fleet_gate_passed{fleet="all"} 0.0',
        'securescan_run_succeeded{host="away",cluster=""} 0.0',
        'securescan_open_findings{host="sample",cluster="sample",team="shop-team",severity="critical"}',
    ):
        assert line in text, run.output
