# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scan_target_info from its options to its result: targets listed, a scan explained beforehand, what scans have left."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import no_shell, run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import (
    HELPERS,
    IMAGE,
    PODS,
    Cluster,
    Scan,
)
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target


class InfoTask(TaskRunner):
    def __call__(self, *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
        return super().__call__(check_mode=check_mode, **{"namespaces": ["shop"], **changes})


@pytest.fixture
def cluster(server: FakeApiServer) -> Cluster:
    return Cluster(server, beside_target(pathlib.Path("/")))


@pytest.fixture
def info(cluster: Cluster) -> InfoTask:
    return InfoTask(cluster.server, run_scan_target_info, scan_target_info_spec)


def refusal(work: Callable[[], Any]) -> ScanError:
    with pytest.raises(ScanError) as caught:
        work()
    return caught.value


def refuse_pods(server: FakeApiServer, method: str, part: str, text: str) -> None:
    server.grants.deny = lambda user, done, path: text if done == method and part in path else None


def by_pod(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {target["pod"]: target for target in result["targets"]}


def test_the_targets_are_listed_and_nothing_is_touched(info: InfoTask, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    waiting = cluster.add_pod("web-2", run_locally)
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "ErrImagePull"}}
    cluster.server.objects.put(PODS + "web-2", waiting)
    result = info()
    assert not result["changed"] and result["table"] == [] and "explained" not in result
    assert result["counts"]["targets"] == 2 and result["counts"]["by_state"] == {"running": 1, "waiting": 1}
    assert by_pod(result)["web-1"]["image_id"].endswith("1" * 64)
    assert {request.method for request in cluster.server.requests} == {"GET"} and cluster.execs() == []


def test_the_result_holds_the_first_and_a_file_holds_all(
    info: InfoTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    for number in range(3):
        cluster.add_pod(f"web-{number}", run_locally)
    file = tmp_path / "below" / "all.json"
    result = info(listed=2, output_file=str(file))
    assert len(result["targets"]) == 2 and "the first 2 of 3" in info.warnings[0]
    assert len(json.loads(file.read_text(encoding="utf-8"))["targets"]) == 3
    assert file.stat().st_mode & 0o777 == 0o600 and result["output_file"] == str(file)
    file.unlink()
    assert info(listed=0, check_mode=True, output_file=str(file))["targets"] == []
    assert info.warnings == [] and not file.exists()


def test_a_file_that_cannot_be_written_is_told(
    info: InfoTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    cluster.add_pod("web-1", run_locally)
    (tmp_path / "file").write_text("", encoding="utf-8")
    error = refusal(lambda: info(output_file=str(tmp_path / "file" / "all.json")))
    assert error.reason == "write_failed" and "output_file" in error.tried


@pytest.mark.parametrize(
    "changes", [{"listed": -1}, {"debug_memory_headroom": "much"}, {"namespaces": ["Not-A-Name"]}]
)
def test_an_option_that_cannot_be_meant_is_refused(
    info: InfoTask, cluster: Cluster, changes: dict[str, Any]
) -> None:
    cluster.add_pod("web-1", run_locally)
    assert refusal(lambda: info(**changes)).reason == "bad_option" and cluster.server.requests == []


# What scans have left


def test_what_scans_have_left_is_counted_and_shown(
    info: InfoTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    for name in ("web-1", "web-2"):
        cluster.add_pod(name, no_shell)
    scan = Scan(cluster, tmp_path)
    run_id = scan(approach="debug")["run_id"]
    found = info(footprint=True)
    left = found["footprint"]
    assert (left["count"], left["running"], left["pods"], left["by_namespace"]) == (2, 0, 2, {"shop": 2})
    assert {(entry["state"], entry["run_id"], entry["image"]) for entry in left["entries"]} == {
        ("terminated", run_id, IMAGE)
    }
    table = "\n".join(found["table"])
    assert "2 entries" in table and "ansible-playbook securescan.kubernetes.recycle" in table
    assert "footprint" not in info()


# What a scan would do


def test_an_explanation_tells_of_each_target_how_it_would_be_reached(
    info: InfoTask, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    cluster.add_pod("root-1", no_shell, user=0)
    result = info(explain=True, approach="debug", scanner_image=IMAGE)
    explained = result["explained"]
    assert explained["approach"] == "debug" and explained["order"] == ["debug"] and explained["missing"] == []
    pods = by_pod(result)
    assert pods["web-1"]["approaches"]["debug"]["status"] == "works" and pods["web-1"]["tried"] == ["debug"]
    assert pods["root-1"]["approaches"]["debug"]["status"] == "refused"
    assert pods["root-1"]["approaches"]["debug"]["reason"] == "target_privileged"
    assert explained["conclusion"] and result["table"]
    assert (
        explained["requests"] == len([each for each in cluster.server.requests if each.method != "GET"]) + 1
    )


def test_an_explanation_is_asked_by_reviews_and_dry_runs_and_leaves_nothing(
    info: InfoTask, cluster: Cluster
) -> None:
    cluster.add_pod("web-1", run_locally)
    before = cluster.server.objects.paths()
    pod = cluster.server.objects.find(PODS + "web-1")
    info(explain=True, approach="auto", scanner_image=IMAGE, helper_namespace=HELPERS)
    real = [
        request
        for request in cluster.server.requests
        if request.method != "GET"
        and ("dryRun", "All") not in request.query
        and "reviews" not in request.path
    ]
    assert real == [] and cluster.server.objects.paths() == before and cluster.execs() == []
    assert cluster.server.objects.find(PODS + "web-1") == pod


def test_rights_that_are_missing_are_shown_as_rules(info: InfoTask, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)

    def review(user: str, spec: Any) -> bool:
        wanted = spec.get("resourceAttributes") or {}
        return not (wanted.get("resource") == "roles" and wanted.get("verb") == "create")

    cluster.server.objects.review = review
    explained = info(explain=True)["explained"]
    (missing,) = explained["missing"]
    assert missing["namespaces"] == ["shop"] and "exec" in missing["approaches"]
    assert missing["rules"] == [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"]}
    ]


def test_what_admission_would_refuse_is_told_beforehand(info: InfoTask, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    refuse_pods(
        cluster.server,
        "PATCH",
        "/ephemeralcontainers",
        'admission webhook "policy.test" denied the request: no',
    )
    result = info(explain=True, approach="debug", scanner_image=IMAGE)
    verdict = by_pod(result)["web-1"]["approaches"]["debug"]
    assert (verdict["status"], verdict["reason"]) == ("refused", "debug_refused")
    assert "policy.test" in verdict["cause"]


def test_a_scan_that_would_refuse_its_options_is_not_explained(info: InfoTask, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    assert refusal(lambda: info(explain=True, approach="debug")).reason == "bad_option"
    error = refusal(
        lambda: info(explain=True, approach="image", scanner_image=IMAGE, helper_namespace="shop")
    )
    assert error.reason == "bad_option" and "helper_namespace" in error.tried


def test_an_earlier_run_that_cannot_be_read_is_warned_of(
    info: InfoTask, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    cluster.add_pod("web-1", run_locally)
    scan = Scan(cluster, tmp_path)
    run = scan()["run_dir"]
    assert info(explain=True, earlier_run=run)["explained"]["estimate"] and info.warnings == []
    assert info(explain=True, earlier_run=str(tmp_path / "nothing"))["explained"]["estimate"]
    assert "estimate" in info.warnings[0]


def test_a_version_that_cannot_be_read_stops_nothing(info: InfoTask, cluster: Cluster) -> None:
    cluster.add_pod("web-1", run_locally)
    refuse_pods(cluster.server, "GET", "/version", "no")
    assert "version" in info(explain=True)["explained"]["server_version"]
