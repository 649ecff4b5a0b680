# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose results they are: two clusters that call themselves alike stay apart from the scan to the last report."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.comparison import failures_of_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
UID = "0b1d947a-fe70-4f49-b122-34cf71c01076"


def put_kube_system(server: FakeApiServer, uid: str) -> None:
    server.objects.put(
        KUBE_SYSTEM,
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "kube-system", "uid": uid},
        },
    )


@pytest.fixture
def scan(server: FakeApiServer, tmp_path: pathlib.Path) -> Scan:
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    cluster.add_pod("web-1", run_locally)
    put_kube_system(server, UID)
    return Scan(cluster, tmp_path)


@pytest.fixture
def tasks(server: FakeApiServer) -> Mapping[str, TaskRunner]:
    return {
        "report": TaskRunner(server, run_scan_report, scan_report_spec),
        "judge": TaskRunner(server, run_scan_judgement, scan_judgement_spec),
        "gate": TaskRunner(server, run_scan_threshold, scan_threshold_spec),
    }


def documents(run_dir: pathlib.Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in (run_dir / "hdf").iterdir()]


def test_two_hosts_of_one_output_folder_have_each_their_own_run_and_latest(scan: Scan) -> None:
    runs = {name: scan(cluster_name=name) for name in ("prod-eu", "prod-us")}
    for name, result in runs.items():
        folder = scan.folder / "results" / name
        run = open_run(str(folder / "latest"))
        assert pathlib.Path(result["run_dir"]).parent == folder
        assert (run.cluster, run.cluster_uid, run.run_id) == (name, UID, result["run_id"])
        (target,) = run.targets
        assert target.cluster == name and target.target_id == f"{name}/shop/Pod/web-1/web-1/app"
        assert target.hdf == f"hdf/{name}_shop_web-1_app.json"
        (document,) = documents(pathlib.Path(result["run_dir"]))
        own = document["passthrough"]["securescan_kubernetes"]
        assert document["platform"]["target_id"] == own["target"]["target_id"] == target.target_id
        assert (own["target"]["cluster"], own["scan"]["cluster_uid"]) == (name, UID)
    assert sorted(path.name for path in (scan.folder / "results").iterdir()) == ["prod-eu", "prod-us"]


def test_waivers_and_comparisons_go_by_the_name(scan: Scan) -> None:
    """Of two clusters that call themselves alike, one has the waiver, and the other's failures are not those of the first."""
    scan.file.chmod(0o777)
    targets = [{"cluster": "prod-e*"}]
    waivers = {"closed": {"run": False, "justification": "x", "targets": targets}}
    runs = {
        name: open_run(scan(cluster_name=name, waivers=waivers)["run_dir"]) for name in ("prod-eu", "prod-us")
    }
    assert {name: dict(run.targets[0].failed) for name, run in runs.items()} == {
        "prod-eu": {},
        "prod-us": {"small": ("closed",)},
    }
    eu, us = (failures_of_run(runs[name]) for name in ("prod-eu", "prod-us"))
    assert [one.place for one in us.not_in(eu)] == ["prod-us/shop/Pod/web-1/app"]
    again = failures_of_run(open_run(scan(cluster_name="prod-eu")["run_dir"]))
    assert [one.place for one in again.not_in(us)] == ["prod-eu/shop/Pod/web-1/app"], "nothing of it is old"
    assert eu.mended_since(us) == []


def test_reports_have_the_name_and_beside_it_the_api_servers_id(
    scan: Scan, tasks: Mapping[str, TaskRunner]
) -> None:
    run_dir = pathlib.Path(scan(cluster_name="prod-eu")["run_dir"])
    tasks["gate"](run_dir=str(run_dir), cluster_name="prod-eu", fail_on="never")
    tasks["report"](run_dir=str(run_dir), cluster_name="prod-eu")
    text = (run_dir / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("# Container scan of prod-eu\n") and f"The cluster's own id: {UID}" in text
    suites = ElementTree.parse(run_dir / "gate.junit.xml").getroot()
    assert {suite.get("hostname") for suite in suites} == {"prod-eu"}
    assert [one.get("value") for one in suites.iter("property") if one.get("name") == "cluster_uid"] == [UID]


def test_without_a_name_the_connections_is_taken_as_a_module_alone_does(scan: Scan) -> None:
    assert pathlib.Path(scan()["run_dir"]).parent == scan.folder / "results" / "fake"


@pytest.mark.parametrize("kind", ["forbidden", "missing", "broken", "odd"])
def test_an_id_that_cannot_be_read_is_no_error_and_no_warning(
    scan: Scan, server: FakeApiServer, kind: str
) -> None:
    if kind == "forbidden":
        server.faults.append(Fault("status", f"GET {KUBE_SYSTEM}", status=403, reason="Forbidden"))
    elif kind == "broken":
        server.faults.append(Fault("html", f"GET {KUBE_SYSTEM}"))
    elif kind == "missing":
        server.objects.remove(KUBE_SYSTEM)
    else:
        put_kube_system(server, "x\n<script>" + "y" * 999)
    result = scan(cluster_name="prod")
    assert result["counts"]["scanned"] == 1 and scan.warnings == []
    assert open_run(result["run_dir"]).cluster_uid is None


@pytest.mark.parametrize("name", [" prod", "prod ", "pr\nod", "pr\x1bod", "\u202eprod"])
def test_a_name_that_would_be_misread_is_refused(scan: Scan, name: str) -> None:
    with pytest.raises(ScanError, match="cluster_name") as caught:
        scan(cluster_name=name)
    assert caught.value.reason == "bad_option" and not (scan.folder / "results").exists()


def test_a_list_of_targets_and_a_scan_name_them_alike(scan: Scan, server: FakeApiServer) -> None:
    listed = TaskRunner(server, run_scan_target_info, scan_target_info_spec)(
        namespaces=["shop"], cluster_name="prod-eu"
    )
    scan(cluster_name="prod-eu")
    assert listed["cluster"] == "prod-eu"
    assert [target["target_id"] for target in listed["targets"]] == [scan.targets["web-1"]["target_id"]]


@pytest.mark.parametrize("task", ["report", "judge", "gate"])
def test_a_run_of_another_cluster_is_refused_with_both_names_and_the_way_out(
    scan: Scan, tasks: Mapping[str, TaskRunner], task: str
) -> None:
    run_dir = scan(cluster_name="prod-eu", keep_facts=True)["run_dir"]
    again = {"output_dir": str(scan.folder / "again"), "compiled_profiles": scan.profiles}
    more: dict[str, Any] = again if task == "judge" else {}
    before = {path: path.read_bytes() for path in scan.folder.rglob("*") if path.is_file()}
    with pytest.raises(ScanError) as caught:
        tasks[task](run_dir=run_dir, cluster_name="down", **more)
    assert caught.value.reason == "other_cluster"
    text = str(caught.value)
    assert "is a run of the cluster prod-eu, and this task is about down" in text
    assert "set cluster_name (scan_cluster_name of the role) to prod-eu" in text
    assert {path: path.read_bytes() for path in scan.folder.rglob("*") if path.is_file()} == before
    tasks[task](run_dir=run_dir, cluster_name="prod-eu", **more)


def test_facts_are_judged_again_into_the_folder_of_their_cluster(
    scan: Scan, tasks: Mapping[str, TaskRunner]
) -> None:
    run_dir = scan(cluster_name="Prod EU", keep_facts=True)["run_dir"]
    again = tasks["judge"](
        run_dir=run_dir,
        cluster_name="Prod EU",
        compiled_profiles=scan.profiles,
        output_dir=str(scan.folder / "results"),
    )
    assert pathlib.Path(again["run_dir"]).parent == pathlib.Path(run_dir).parent
    run = open_run(again["run_dir"])
    assert (run.cluster, run.cluster_uid) == ("Prod EU", UID)
    assert [
        one["passthrough"]["securescan_kubernetes"]["scan"]["cluster_uid"]
        for one in documents(pathlib.Path(again["run_dir"]))
    ] == [UID]


def test_a_document_that_names_another_api_server_fails_the_gate(
    scan: Scan, tasks: Mapping[str, TaskRunner]
) -> None:
    run_dir = pathlib.Path(scan(cluster_name="prod")["run_dir"])
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    (run_dir / "summary.json").write_text(json.dumps(dict(summary, cluster_uid="another")), encoding="utf-8")
    result = tasks["gate"](run_dir=str(run_dir), fail_on="never")
    assert any("which API server was asked" in reason for reason in result["gate"]["reasons"])


def test_a_named_baseline_of_another_api_server_is_compared_with_a_warning_and_is_no_previous_run(
    scan: Scan, server: FakeApiServer, tasks: Mapping[str, TaskRunner]
) -> None:
    """A cluster that was set up anew is the same cluster to its operator; two clusters with one name are not."""
    first = scan(cluster_name="prod")["run_dir"]
    put_kube_system(server, "11111111-fe70-4f49-b122-34cf71c01076")
    second = scan(cluster_name="prod")["run_dir"]
    gate = tasks["gate"]
    result = gate(run_dir=second, baseline=first, fail_on="never")
    assert result["gate"]["baseline"] == f"run {pathlib.Path(first).name}"
    (warning,) = gate.warnings
    assert UID in warning and "two API servers" in warning and "both of prod" in warning
    result = gate(run_dir=second, baseline="previous", fail_on="never")
    assert result["gate"]["baseline"] == ""
    passed_over, nothing = gate.warnings
    assert "passed over 1 earlier run of another API server" in passed_over and "set up anew" in passed_over
    assert "there is no earlier run of prod" in nothing
