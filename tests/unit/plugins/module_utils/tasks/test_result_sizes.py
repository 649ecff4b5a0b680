# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job system stores of each task when a selection has 5,000 pods.

AWX and ansible-runner drop the result of an event that is longer than 700,000 characters (MAX_EVENT_RES_DATA), without a word.
Ours stay far below, in a namespace of all pods as in hundreds of namespaces: 200 kB for an access, which carries its pods, and
20 kB for anything else.
"""

from __future__ import annotations

import json
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.packed_pods import unpack_pods
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.access import scan_access_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.guard import scan_guard_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.profile import scan_profile_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.target_info import (
    scan_target_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import STATUSES
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.access import run_scan_access
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.guard import run_scan_guard
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import (
    chosen_profiles,
    run_scan_profile,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.target_info import (
    run_scan_target_info,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

PODS, NAMESPACES = 5000, 50
ACCESS_BYTES, OTHER_BYTES = 200_000, 20_000
# what Kubernetes makes the ends of names of
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeApiServer]:
    """5,000 pods of Deployments in 50 namespaces. None of them runs, so that a scan has an error to tell of each."""
    chance = random.Random(7)

    def ending(length: int) -> str:
        return "".join(chance.choice(LETTERS) for _letter in range(length))

    with FakeApiServer(Authority(tmp_path_factory.mktemp("authority"))) as running:
        for number in range(NAMESPACES):
            running.objects.put(
                f"/api/v1/namespaces/team-{number:03d}", {"kind": "Namespace", "apiVersion": "v1"}
            )
            for workload in range(PODS // NAMESPACES // 5):
                template = f"checkout-service-{workload:02d}-{ending(10)}"
                for _replica in range(5):
                    pod = running.add_pod(
                        f"team-{number:03d}", f"{template}-{ending(5)}", {"application": lambda *_any: 0}
                    )
                    path = "/api/v1/namespaces/{namespace}/pods/{name}".format(**pod["metadata"])
                    for status in pod["status"]["containerStatuses"]:
                        status["state"] = {
                            "waiting": {"reason": "CrashLoopBackOff", "message": "back-off " * 30}
                        }
                    running.objects.put(path, pod)
        yield running


@pytest.fixture(scope="module")
def run(server: FakeApiServer) -> Any:
    """Runs a task over all namespaces; its result as Ansible would store it, the diff apart."""

    def run_task(task: Any, spec: Any, **changes: Any) -> dict[str, Any]:
        params = {name: rule.get("default") for name, rule in spec().items()}
        params.update({"kubeconfig": server.kubeconfig(), "namespaces": ["team-*"]}, **changes)
        context = TaskContext(check_mode=False, environ={})
        result = task({name: value for name, value in params.items() if name in spec()}, context)
        result.pop("table", None)  # shown, and not in the result (plugin_utils/scan_action.py)
        return dict(result, warnings=context.warnings)

    return run_task


@pytest.fixture(scope="module")
def scanned(run: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    profiles = [each.as_dict() for each in chosen_profiles(["workload-baseline"])]
    return dict(
        run(
            run_scan_container,
            scan_container_spec,
            compiled_profiles=profiles,
            output_dir=str(tmp_path_factory.mktemp("results")),
        ),
        profiles=profiles,
    )


def size(result: Any) -> int:
    return len(json.dumps(result))


def test_an_access_carries_its_pods_in_a_fraction_of_what_an_event_may_hold(run: Any) -> None:
    result = run(run_scan_access, scan_access_spec, run_id="sizes")
    diff = result.pop("diff")
    assert sum(len(pods) for pods in unpack_pods(result["access"]["packed_pods"]).values()) == PODS
    assert [entry["pods"] for entry in result["access"]["namespaces"]] == [PODS // NAMESPACES] * NAMESPACES
    assert 100_000 < size(result) <= ACCESS_BYTES
    assert size(diff) <= ACCESS_BYTES, "with --diff"
    assert diff[-1]["after"].endswith(f"more namespaces, {NAMESPACES + 1 - len(diff)} of them with changes\n")


def test_namespaces_that_refuse_are_counted_and_some_are_told_of(run: Any, server: FakeApiServer) -> None:
    server.grants.deny = lambda user, method, path: (
        "no " * 100 if method == "POST" and "team-000" not in path else None
    )
    try:
        result = run(run_scan_access, scan_access_spec, run_id="refused")
    finally:
        server.grants.deny = lambda user, method, path: None
    assert result["failure_count"] == NAMESPACES - 1
    assert len(result["warnings"]) < 12 and "team-049" in result["warnings"][-1]
    assert size(result) <= ACCESS_BYTES


def test_a_scan_names_the_first_that_were_not_scanned(scanned: dict[str, Any]) -> None:
    result = {name: value for name, value in scanned.items() if name != "profiles"}
    assert result["counts"] == {
        "selected": PODS,
        "scanned": 0,
        "not_scanned": PODS,
        "not_judged": 0,
        "carried": 0,
    }
    assert 5000 < size(result) <= OTHER_BYTES


def test_a_gate_names_its_first_reasons(run: Any, scanned: dict[str, Any]) -> None:
    result = run(
        run_scan_threshold,
        scan_threshold_spec,
        run_dir=scanned["run_dir"],
        threshold={"coverage": {"min": 100}},
        threshold_source="here",
    )
    assert result["failed"] and size(result) <= OTHER_BYTES


def test_a_report_is_told_of_by_its_files(run: Any, scanned: dict[str, Any]) -> None:
    result = run(run_scan_report, scan_report_spec, run_dir=scanned["run_dir"])
    assert [pathlib.Path(path).name for path in result["files"]] == ["summary.md", "gate.junit.xml"]
    assert size(result) <= OTHER_BYTES


def test_a_judgement_names_the_first_that_were_not_scanned(
    run: Any, scanned: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    summary = json.loads(pathlib.Path(scanned["summary_file"]).read_text())
    summary["targets"][0].update(
        outcome="scanned",
        result="pass",
        error=None,
        hdf="hdf/none",
        facts={"path": "facts/none", "sha256": "0" * 64},
        counts=dict.fromkeys(STATUSES, 0),
        compliance=0,
    )
    summary["target_counts"].update(scanned=1, not_scanned=PODS - 1)
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    result = run(
        run_scan_judgement,
        scan_judgement_spec,
        run_dir=str(tmp_path),
        output_dir=str(tmp_path / "again"),
        compiled_profiles=scanned["profiles"],
    )
    assert result["counts"]["not_scanned"] == PODS
    assert size(result) <= OTHER_BYTES


def test_the_containers_stand_in_a_file(run: Any, tmp_path: pathlib.Path) -> None:
    result = run(run_scan_target_info, scan_target_info_spec, output_file=str(tmp_path / "all.json"))
    assert (
        result["counts"]["targets"] == PODS == len(json.loads((tmp_path / "all.json").read_text())["targets"])
    )
    assert "the first" in result["warnings"][-1]
    assert size(result) <= OTHER_BYTES


def test_profiles_and_guard_do_not_grow_with_the_cluster(run: Any) -> None:
    assert size(run(run_scan_profile, scan_profile_spec)) <= OTHER_BYTES
    guard = run(run_scan_guard, scan_guard_spec)
    del guard["diff"]
    assert size(guard) <= OTHER_BYTES
