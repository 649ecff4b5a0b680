# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan with rules of teams and a policy of deadlines, twice, and the gate over it."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results import deadlines as deadlines_file
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    NamespaceOwner,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

TEAMS = {"team": {"labels": ["team"]}, "namespaces": [{"namespace": "*", "environment": "production"}]}
POLICY = {
    "default": {
        "scan_every_hours": 24,
        "fix_within_days": {"critical": 7, "high": 7, "medium": 7, "low": 7, "none": 7},
    }
}
LIMITS = {"coverage": {"min": 0}, "reviewed": {"min": 0}, "error": {"total": {"max": 99}}}


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    cluster.add_pod("web-1", run_locally)
    metadata = {"name": "shop", "labels": {"team": "shop-team"}}
    server.objects.put(
        "/api/v1/namespaces/shop", {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata}
    )
    return cluster


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


@pytest.fixture
def decide(server: FakeApiServer) -> TaskRunner:
    return TaskRunner(server, run_scan_threshold, scan_threshold_spec)


def grow_older(run: Run, days: int) -> None:
    """Makes all that a finished run says of deadlines older, as if it had run then."""
    made = json.loads((pathlib.Path(run.folder) / deadlines_file.DEADLINES_JSON).read_text(encoding="utf-8"))

    def older(text: str) -> str:
        return (datetime.fromisoformat(text) - timedelta(days=days)).isoformat() if text else ""

    for place in made["places"]:
        place.update({name: older(place[name]) for name in ("expected_since", "seen", "scan_due")})
        for group in place["open"]:
            group.update({name: older(group[name]) for name in ("since", "due")})
    data = json.dumps(made).encode()
    (pathlib.Path(run.folder) / deadlines_file.DEADLINES_JSON).write_bytes(data)
    summary = pathlib.Path(run.folder) / "summary.json"
    changed = {**json.loads(summary.read_text(encoding="utf-8"))}
    changed["deadlines_sha256"] = hashlib.sha256(data).hexdigest()
    summary.write_text(json.dumps(changed), encoding="utf-8")


def test_a_scan_knows_the_team_and_since_when_a_finding_is_open(scan: Scan, decide: TaskRunner) -> None:
    scan.file.unlink()
    first = open_run(scan(teams=TEAMS, deadlines=POLICY)["run_dir"])
    assert first.namespaces == (NamespaceOwner("shop", "shop-team", "production"),)
    assert first.deadlines is not None
    (place,) = first.deadlines.places
    assert (place.place_id, place.team, place.seen) == (
        first.targets[0].place_id,
        "shop-team",
        first.targets[0].seen,
    )
    assert "there" in [one.control for one in place.findings]
    grow_older(first, 8)
    result = scan(teams=TEAMS, deadlines=POLICY)
    late = decide(
        run_dir=result["run_dir"],
        summary_sha256=result["summary_sha256"],
        threshold={**LIMITS, "overdue": {"max": 0}},
        fail_on="never",
    )
    reasons = [one for one in late["gate"]["reasons"] if "overdue.max" in str(one)]
    assert reasons and late["gate"]["kind"] == "gate_failed"
    assert scan.warnings == []


def test_a_scan_without_rules_asks_nothing_and_knows_no_team(scan: Scan, cluster: Cluster) -> None:
    run = open_run(scan()["run_dir"])
    assert run.namespaces == (NamespaceOwner("shop", "", ""),)
    assert run.deadlines is None and run.deadlines_sha256 == ""
    assert not [one for one in cluster.server.requests if one.path == "/api/v1/namespaces/shop"]


def test_a_changed_file_of_deadlines_opens_no_gate(scan: Scan, decide: TaskRunner) -> None:
    scan.file.unlink()
    result = scan(teams=TEAMS, deadlines=POLICY)
    path = pathlib.Path(result["run_dir"]) / deadlines_file.DEADLINES_JSON
    path.write_text(path.read_text(encoding="utf-8").replace('"there"', '"here"'), encoding="utf-8")
    decision = decide(
        run_dir=result["run_dir"], threshold={**LIMITS, "overdue": {"max": 9}}, fail_on="never"
    )["gate"]
    assert not decision["passed"] and decision["kind"] == "bad_results"
    assert any("SHA-256 differs" in str(reason) for reason in decision["reasons"])


def test_the_next_scan_says_that_it_could_not_use_the_deadlines_before(scan: Scan) -> None:
    result = scan(deadlines=POLICY)
    (pathlib.Path(result["run_dir"]) / deadlines_file.DEADLINES_JSON).write_text("{}", encoding="utf-8")
    scan(deadlines=POLICY)
    assert any("deadlines were passed over" in warning for warning in scan.warnings)


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [("teams", {"team": {}}, "bad_teams"), ("deadlines", {"default": {}}, "bad_deadlines")],
)
def test_rules_that_are_wrong_are_refused_before_the_cluster_is_asked(
    scan: Scan, cluster: Cluster, option: str, value: Any, reason: str
) -> None:
    with pytest.raises(ScanError) as caught:
        scan(**{option: value})
    assert caught.value.reason == reason
    assert cluster.server.requests == []


def test_a_preflight_warns_of_namespaces_whose_labels_it_is_not_allowed_to_read(
    server: FakeApiServer, cluster: Cluster
) -> None:
    info = TaskRunner(server, run_scan_target_info, scan_target_info_spec)
    given: dict[str, Any] = {"namespaces": ["shop"], "explain": True, "approach": "exec"}

    def refuse(user: str, spec: Mapping[str, Any]) -> bool:
        return bool((spec.get("resourceAttributes") or {}).get("resource") != "namespaces")

    info(**given, teams=TEAMS)
    assert info.warnings == []
    server.objects.review = refuse
    info(**given, teams=TEAMS)
    assert [one for one in info.warnings if "would not know the team of 1 namespace (shop)" in one]
    info(**given, teams={"namespaces": [{"team": "all"}]})
    assert info.warnings == []
