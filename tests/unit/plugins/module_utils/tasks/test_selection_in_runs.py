# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was named to the gate: names that give nothing, an empty selection, ended pods, the default approach."""

from __future__ import annotations

import pathlib
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import (
    no_shell,
    run_locally,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    IMAGE,
    PODS,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import (
    beside_target,
    with_image,
)

ROOT = pathlib.Path("/")
# What the API server says to a grantor that hands out what it does not hold.
ESCALATION = (
    'roles "x" is forbidden: user "op" (groups=["a"]) is attempting to grant RBAC permissions not currently held:\n'
    '{APIGroups:[""], Resources:["pods/ephemeralcontainers"], ResourceNames:["web-1"], Verbs:["patch"]}'
)


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    return Cluster(server, beside_target(ROOT))


@pytest.fixture
def scan(cluster: Cluster, tmp_path: pathlib.Path) -> Scan:
    return Scan(cluster, tmp_path)


def run_of(result: dict[str, Any]) -> Run:
    return open_run(result["run_dir"])


def gate(scan: Scan, result: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The gate's decision on a run, and its reports after it."""
    given = {"run_dir": result["run_dir"], "summary_sha256": result["summary_sha256"], **options}
    decided = TaskRunner(scan.server, run_scan_threshold, scan_threshold_spec)
    decision = decided(**{name: value for name, value in given.items() if name in scan_threshold_spec()})
    report = TaskRunner(scan.server, run_scan_report, scan_report_spec)
    report(run_dir=result["run_dir"])
    return decision


# Names that give nothing


def test_a_name_that_gives_nothing_counts_as_not_scanned_and_the_gate_says_so(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    result = scan(namespaces=["shop", "billingg"], workloads=["Pod/web-1", "Deployment/nonexist"])
    assert scan.outcomes() == {"web-1": "exec"}
    assert result["counts"] == {"selected": 3, "scanned": 1, "not_scanned": 2, "not_judged": 0, "carried": 0}
    assert [entry["name"] for entry in result["unmatched"]] == ["billingg", "Deployment/nonexist"]
    run = run_of(result)
    assert [gap.target_id for gap in run.gaps] == ["namespace//billingg", "workload//Deployment/nonexist"]
    assert run.target_counts.to_json() == result["counts"]
    decision = gate(scan, result)
    assert decision["failed"] and decision["gate"]["coverage"] == 33.33
    assert (
        decision["error"]["reason"] == "not_scanned"
        and "namespace billingg does not exist" in decision["msg"]
    )
    text = "\n".join(decision["table"])
    assert "namespace billingg does not exist" in text and "1 of 3 targets scanned" in text
    summary = (pathlib.Path(result["run_dir"]) / "summary.md").read_text()
    assert "## Named, and gave no target" in summary and "Deployment/nonexist" in summary
    junit = ElementTree.parse(pathlib.Path(result["run_dir"]) / "gate.junit.xml").getroot()
    errors = {
        suite.get("name"): suite.find(".//error").get("message")
        for suite in junit
        if suite.get("errors") == "1"
    }
    assert "namespace billingg does not exist" in errors["namespace//billingg"]
    assert any("billingg" in warning for warning in scan.warnings)


def test_judged_again_a_run_keeps_what_it_did_not_see(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    first = scan(namespaces=["shop", "billingg"], keep_facts=True)
    judge = TaskRunner(scan.server, run_scan_judgement, scan_judgement_spec)
    again = judge(
        run_dir=first["run_dir"], compiled_profiles=scan.profiles, output_dir=str(scan.folder / "again")
    )
    assert again["counts"] == first["counts"] and run_of(again).gaps == run_of(first).gaps
    assert gate(scan, again)["gate"]["coverage"] == 50


def test_where_it_is_allowed_a_name_that_gives_nothing_is_kept_and_does_not_count(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    result = scan(namespaces=["shop", "billingg"], allow_empty=True)
    run = run_of(result)
    assert [gap.name for gap in run.unmatched] == ["billingg"] and run.gaps == ()
    decision = gate(scan, result)
    assert not decision.get("failed") and decision["gate"]["coverage"] == 100
    assert "allow_empty accepts that" in "\n".join(decision["table"])


@pytest.mark.parametrize("allow_empty", [False, True])
def test_a_namespace_that_must_not_be_listed_counts_though_nothing_has_to_be_there(
    scan: Scan, cluster: Cluster, allow_empty: bool
) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(Fault("status", on="GET /api/v1/namespaces/secret/pods", status=403))
    result = scan(namespaces=["secret", "shop"], allow_empty=allow_empty)
    assert scan.outcomes() == {"web-1": "exec"}
    assert [(gap.name, gap.error.reason) for gap in run_of(result).gaps] == [("secret", "not_permitted")]
    assert gate(scan, result)["failed"]


# Nothing to scan


def test_an_empty_selection_that_is_allowed_passes_from_the_scan_to_the_report(scan: Scan) -> None:
    with pytest.raises(ScanError, match="SCAN-401"):
        scan(namespaces=["shop"])
    result = scan(namespaces=["nope"], allow_empty=True)
    assert result["counts"] == {"selected": 0, "scanned": 0, "not_scanned": 0, "not_judged": 0, "carried": 0}
    assert scan.said[0].startswith("nothing is to be scanned")
    for threshold in (None, {"coverage": {"min": 100}, "compliance": {"min": 80}}):
        decision = gate(scan, result, threshold=threshold)
        assert not decision.get("failed") and decision["gate"]["passed"]
    folder = pathlib.Path(result["run_dir"])
    text = (folder / "summary.md").read_text()
    assert "**PASSED**: nothing was to be scanned, which allow_empty accepts" in text
    assert "Gate: PASSED" in "\n".join(decision["table"]) and (folder / "gate.junit.xml").exists()
    assert run_of(result).gate.passed
    judge = TaskRunner(scan.server, run_scan_judgement, scan_judgement_spec)
    again = judge(
        run_dir=result["run_dir"], compiled_profiles=scan.profiles, output_dir=str(scan.folder / "again")
    )
    assert run_of(again).is_empty and gate(scan, again)["gate"]["passed"]


def test_an_empty_run_that_was_changed_does_not_pass(scan: Scan) -> None:
    result = scan(namespaces=["nope"], allow_empty=True)
    folder = pathlib.Path(result["run_dir"]) / "hdf"
    folder.mkdir(exist_ok=True)
    (folder / "foreign.json").write_text("{}")
    assert gate(scan, result)["failed"]


def test_nothing_found_beside_a_namespace_that_must_not_be_listed_does_not_pass(scan: Scan) -> None:
    scan.server.faults.append(Fault("status", on="GET /api/v1/namespaces/secret/pods", status=403))
    result = scan(namespaces=["secret", "nope"], allow_empty=True)
    assert result["counts"]["not_scanned"] == 1
    decision = gate(scan, result)
    assert decision["failed"] and not decision["gate"]["passed"]


# Pods that have ended


def add_ended(cluster: Cluster, name: str) -> None:
    pod = cluster.add_pod(name, no_shell)
    pod["status"].update(phase="Succeeded")
    pod["status"]["containerStatuses"][0]["state"] = {"terminated": {"reason": "Completed"}}
    cluster.server.objects.put(PODS + name, pod)


def test_pods_that_have_ended_are_counted_as_left_out_and_the_run_is_whole(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    add_ended(cluster, "nightly-1")
    result = scan()
    assert scan.outcomes() == {"web-1": "exec"} and result["left_out"] == {"finished": 1}
    assert run_of(result).left_out == {"finished": 1}
    decision = gate(scan, result)
    assert decision["gate"]["coverage"] == 100
    assert "Left out: 1 of pods that have ended." in "\n".join(decision["table"])
    assert scan(finished_pods=True)["counts"]["not_scanned"] == 1
    assert scan.outcomes() == {"web-1": "exec", "nightly-1": "container_not_running"}


def test_jobs_are_not_listed_for_pods_that_have_ended_and_their_images_can_be_looked_at(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    add_ended(cluster, "nightly-1")
    pod = cluster.server.objects.find(PODS + "nightly-1")
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "nightly", "uid": "u", "controller": True}
    pod["metadata"]["ownerReferences"] = [owner]
    cluster.server.objects.put(PODS + "nightly-1", pod)
    scan()
    assert not [request for request in cluster.server.requests if request.path.endswith("/jobs")]
    cluster.server.objects.meanwhile[:] = []
    with_helpers = Scan(Cluster(cluster.server, with_image(ROOT)), scan.folder)
    with_helpers(finished_pods=True, scanner_image=IMAGE, helper_namespace="scans")
    assert with_helpers.outcomes() == {"web-1": "exec", "nightly-1": "image"}


# An access beforehand


def test_a_namespace_that_must_not_be_listed_gets_no_access_and_another_does(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(Fault("status", on="GET /api/v1/namespaces/secret/pods", status=403))
    access = TaskRunner(cluster.server, run_scan_access, scan_access_spec)
    made = access(namespaces=["secret", "shop"])
    assert [entry["namespace"] for entry in made["access"]["namespaces"]] == ["shop"]
    assert any("namespace secret could not be looked into" in said for said in access.warnings)


def test_a_namespace_that_cannot_be_listed_any_more_costs_no_result_of_what_was_scanned(
    scan: Scan, cluster: Cluster
) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    cluster.add_pod("db-0", run_locally, ownerReferences=[owner])
    cluster.add_pod("web-1", run_locally)

    def replace() -> None:
        cluster.add_pod("db-0", run_locally, ownerReferences=[owner], uid="another")
        cluster.server.faults.append(Fault("status", on="GET /api/v1/namespaces/shop/pods[?]", status=403))

    cluster.server.faults.append(
        Fault("meanwhile", on="POST .*/serviceaccounts/.*/token", times=1, action=replace)
    )
    scan(renew_access=True)
    assert scan.outcomes() == {"db-0": "pod_replaced", "web-1": "exec"}


# The default approach


def test_by_default_exec_alone_is_tried_and_the_record_names_the_variable_that_would_reach_it(
    scan: Scan, cluster: Cluster
) -> None:
    for number in range(2):
        cluster.add_pod(f"closed-{number}", no_shell)
    cluster.add_pod("web-1", run_locally, image="2")
    scan(concurrency=1)
    assert scan.outcomes() == {"closed-0": "no_such_program", "closed-1": "no_such_program", "web-1": "exec"}
    for number in range(2):
        error = scan.targets[f"closed-{number}"]["error"]
        assert "Set scanner_image" in error["advice"] and "helper_namespace" not in str(error)
        assert f"closed-{number}" in error["tried"], "what was learnt of another container names that one"
    scan(scanner_image=IMAGE)
    assert scan.outcomes() == {"closed-0": "debug", "closed-1": "debug", "web-1": "exec"}


def test_rights_that_the_grantor_lacks_for_a_later_approach_end_no_earlier_one(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally, image="1")
    cluster.add_pod("closed-1", no_shell, image="2")
    refused = Fault("status", on="POST .*/roles[?]", times=1, status=403, reason="Forbidden", text=ESCALATION)
    cluster.server.faults.append(refused)
    scan(scanner_image=IMAGE)
    assert refused.times == 0
    assert scan.outcomes() == {"web-1": "exec", "closed-1": "no_approach"}
    message = scan.targets["closed-1"]["error"]["message"]
    assert "exec: " in message and "pods/ephemeralcontainers" in message
    assert any("the grantor lacks patch on pods/ephemeralcontainers" in said for said in scan.warnings)
    assert not [
        request for request in cluster.server.requests if request.path.endswith("/ephemeralcontainers")
    ]
    assert cluster.accesses() == []


@pytest.mark.parametrize("prefer", ["footprint", "trust"])
def test_an_access_for_helper_pods_that_is_refused_ends_no_other_approach(
    scan: Scan, cluster: Cluster, prefer: str
) -> None:
    cluster.add_pod("root-1", run_locally, user=0, image="1")
    cluster.server.faults.append(
        Fault("status", on="POST .*/namespaces/scans/", status=403, reason="Forbidden")
    )
    scan(scanner_image=IMAGE, helper_namespace="scans", prefer=prefer)
    assert scan.outcomes() == {"root-1": "exec"}


def test_where_the_grantor_has_no_rights_at_all_the_error_is_said_once(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.server.faults.append(Fault("status", on="POST .*/roles[?]", status=403, text=ESCALATION))
    scan(scanner_image=IMAGE)
    assert scan.outcomes() == {"web-1": "access_incomplete"} and cluster.accesses() == []


def test_with_an_access_that_was_made_beforehand_auto_tries_what_it_covers(
    scan: Scan, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally, image="1")
    cluster.add_pod("closed-1", no_shell, image="2")
    access = TaskRunner(cluster.server, run_scan_access, scan_access_spec)
    for approach, closed in (("exec", "no_approach"), ("debug", "debug")):
        made = access(namespaces=["shop"], approach=approach)["access"]
        scan(access=made, scanner_image=IMAGE, helper_namespace="scans")
        assert scan.outcomes() == {"web-1": "exec", "closed-1": closed}
        access(state="absent", run_id=made["run_id"])
    with pytest.raises(ScanError, match="SCAN-102"):
        scan(access=dict(made, approach="exec"), approaches=["debug"], scanner_image=IMAGE)


# Check mode


def test_check_mode_lists_which_containers_it_would_look_at_and_by_what(scan: Scan, cluster: Cluster) -> None:
    for number in range(23):
        cluster.add_pod(f"web-{number:02}", run_locally)
    result = scan(check_mode=True, scanner_image=IMAGE, namespaces=["shop", "billingg"])
    lines = [line.strip() for line in scan.said]
    assert "shop/web-00/app by exec, else debug" in lines and "shop/web-19/app by exec, else debug" in lines
    assert any(line.startswith("and 3 more; ") and "output_file" in line for line in lines)
    assert len(result["would_scan"]) == 20 and result["would_scan"][0]["approaches"] == ["exec", "debug"]
    assert result["counts"]["not_scanned"] == 1 and result["unmatched"][0]["name"] == "billingg"
    made = next(line for line in lines if line.startswith("would make there"))
    assert "ServiceAccount shop/securescan-" in made and "1 RoleBinding securescan-" in made
    assert "(create and get on pods/exec, get on pods, patch on pods/ephemeralcontainers)" in made
    (diff,) = result["diff"]
    assert '"kind": "Role"' in diff["after"] and "pods/exec" in diff["after"] and "web-22" in diff["after"]
    assert cluster.execs() == [] and cluster.accesses() == []


def test_check_mode_says_which_containers_cannot_be_scanned_and_why(scan: Scan, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    add_ended(cluster, "nightly-1")
    scan(check_mode=True, finished_pods=True)
    assert any(
        "shop/nightly-1/app cannot be scanned: the container is terminated" in line for line in scan.said
    )
