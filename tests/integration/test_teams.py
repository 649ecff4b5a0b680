# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams and deadlines with the scan playbook on a real cluster: by a label, and where the namespace cannot be read."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import (
    make_operator,
    shipped_cluster_role,
)
from ansible_collections.securescan.kubernetes.tests.support.playbooks import Playbooks

LABEL = "example.com/team"
FIXED = {
    "scan_workloads": ["Deployment/api"],
    "scan_approach": "exec",
    "scan_teams": "teams.yml",
    "scan_deadlines": {"default": {"scan_every_hours": "24", "fix_within_days": {"high": 30}}},
}


@pytest.fixture
def labelled(cluster, tmp_path):
    (tmp_path / "teams.yml").write_text(f"team: {{labels: [{LABEL}]}}\n", encoding="utf-8")
    cluster.kubectl("label", "namespace", "shop", f"{LABEL}=shop-team", "--overwrite")
    yield
    cluster.kubectl("label", "namespace", "shop", f"{LABEL}-")


def test_the_label_of_the_namespace_is_the_team_of_its_findings(labelled, playbooks, tmp_path) -> None:
    metrics = tmp_path / "scan.prom"
    environ = {
        "ANSIBLE_CALLBACKS_ENABLED": "securescan.kubernetes.scan_metrics",
        "SECURESCAN_METRICS_PATH": str(metrics),
    }
    run = playbooks.scan(scan_fail_on="never", environ=environ, **FIXED)
    assert run.status == 0, run.output
    assert run.summary["namespaces"] == [{"name": "shop", "team": "shop-team", "environment": ""}]
    deadlines = json.loads((run.run_dir / "deadlines.json").read_text(encoding="utf-8"))
    assert {place["team"] for place in deadlines["places"]} == {"shop-team"}
    assert all(place["seen"] and place["scan_due"] for place in deadlines["places"])
    text = metrics.read_text(encoding="utf-8")
    assert (
        'securescan_overdue_findings{host="sample",cluster="sample",team="shop-team",severity="high"} 0.0'
        in text
    )
    assert 'securescan_run_requests{host="sample",cluster="sample",by="grantor"}' in text


def test_without_the_right_to_read_the_namespace_the_team_is_unknown_and_a_warning_says_so(
    labelled, cluster, tmp_path
) -> None:
    role = shipped_cluster_role()
    role["metadata"]["name"] = "securescan-without-namespaces"
    role["rules"] = [rule for rule in role["rules"] if "namespaces" not in rule["resources"]]
    manifest = tmp_path / "role.yml"
    manifest.write_text(json.dumps(role), encoding="utf-8")
    kubeconfig = make_operator(cluster, tmp_path, "operator-without-namespaces", manifest)
    run = Playbooks(kubeconfig, tmp_path).scan(scan_fail_on="never", **FIXED)
    assert run.status == 0, run.output
    assert run.summary["namespaces"] == [{"name": "shop", "team": "", "environment": ""}]
    assert "team and environment of namespace shop are known only as far" in " ".join(run.output.split())
