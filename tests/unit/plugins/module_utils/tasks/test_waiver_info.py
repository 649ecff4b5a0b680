# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task scan_waiver_info over a run, a fleet run and a store: what it takes and refuses, and what it writes."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.store import scan_store_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.waiver_info import (
    scan_waiver_info_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.store import run_scan_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.waiver_info import (
    run_scan_waiver_info,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

WAIVERS = {
    "c-gone": {"justification": "known", "run": False, "targets": [{"namespace": "shop"}]},
    "c-1": {"justification": "known", "run": False, "targets": [{"namespace": "shop"}]},
}


def review(check_mode: bool = False, **params: Any) -> dict[str, Any]:
    given = {name: rule.get("default") for name, rule in scan_waiver_info_spec().items()}
    context = TaskContext(check_mode=check_mode, environ={})
    return {**run_scan_waiver_info({**given, **params}, context), "warnings": context.warnings}


def kinds(result: dict[str, Any]) -> dict[str, list[str]]:
    return {one["control_id"]: [found["kind"] for found in one["findings"]] for one in result["entries"]}


@pytest.fixture
def run_dir(tmp_path: pathlib.Path) -> str:
    one = make_target()
    document = make_document(one, make_control("c-1", "failed"))
    return str(write_run(tmp_path / "run", "run-1", [(one, document)]))


def test_a_run_is_reviewed_and_the_report_is_written_once(run_dir: str, tmp_path: pathlib.Path) -> None:
    output = tmp_path / "review.md"
    params = {"run_dir": run_dir, "waivers": WAIVERS, "output": str(output)}
    planned = review(check_mode=True, **params)
    assert planned["changed"] and not output.exists()
    first = review(**params)
    assert kinds(first) == {"c-gone": ["orphaned", "long_lived"], "c-1": ["long_lived"]}
    assert (first["changed"], first["needing"], first["containers"], first["judged"]) == (True, 2, 1, 1)
    assert "| c\\-gone |" in output.read_text() or "| c-gone |" in output.read_text()
    assert review(**params)["changed"] is False
    assert "failed" not in first


def test_only_a_task_that_is_to_fail_fails_and_it_returns_the_review(run_dir: str) -> None:
    result = review(run_dir=run_dir, waivers=WAIVERS, fail_on="action")
    assert result["failed"] and result["error"]["reason"] == "exceptions_need_action"
    assert result["needing"] == 2 and len(result["entries"]) == 2
    fine = review(run_dir=run_dir, waivers=WAIVERS, fail_on="action", kinds=["expired"])
    assert "failed" not in fine


def test_what_is_returned_is_bounded(run_dir: str) -> None:
    result = review(run_dir=run_dir, waivers=WAIVERS, limit=1)
    assert (len(result["entries"]), result["truncated"], result["needing"]) == (1, True, 2)


def test_a_fleet_run_is_reviewed_as_a_whole(tmp_path: pathlib.Path) -> None:
    fleet_run = write_sample_fleet(tmp_path)
    waivers = {"c-gone": dict(WAIVERS["c-gone"], targets=[{"cluster": "*"}])}
    result = review(run_dir=str(fleet_run.folder), waivers=waivers)
    assert "orphaned" in kinds(result)["c-gone"]
    assert result["judged"] > 1
    with pytest.raises(ScanError, match="is not the file that was named"):
        review(run_dir=str(fleet_run.folder), waivers=waivers, summary_sha256="0" * 64)


def test_a_store_is_reviewed_by_its_newest_results(tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {target("api-1"): {"c-root": "failed"}, target("web-1"): {}})
    store = str(tmp_path / "store.db")
    given = {name: rule.get("default") for name, rule in scan_store_spec().items()}
    run_scan_store({**given, "store": store, "run_dirs": [run.folder]}, TaskContext(False, {}))
    waivers = {
        "c-root": {"justification": "known", "run": False, "targets": [{"workload": "*/api"}]},
        "c-shell": {"justification": "known", "run": False, "targets": [{"workload": "*/api"}]},
    }
    result = review(store=store, waivers=waivers)
    assert result["judged"] == 2
    assert "hides_pass" not in kinds(result)["c-root"] and "hides_pass" in kinds(result)["c-shell"]


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({}, "one of run_dir and store is needed"),
        ({"run_dir": "x", "store": "y"}, "and not both"),
        ({"run_dir": "x", "kinds": []}, "no kind is named"),
        ({"run_dir": "x", "expiring_days": -1}, "from 0 to 3660"),
        ({"run_dir": "x", "waivers": {"c": {"run": False}}}, "a justification"),
        ({"run_dir": "x", "exception_policy": {"max_days": "many"}}, "from 1 to 3660"),
    ],
)
def test_bad_options_are_refused_before_anything_is_read(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ScanError, match=complaint):
        review(**params)


def test_another_cluster_and_another_summary_are_refused(run_dir: str) -> None:
    with pytest.raises(ScanError, match="demo"):
        review(run_dir=run_dir, cluster_name="prod", waivers=WAIVERS)
    with pytest.raises(ScanError) as refused:
        review(run_dir=run_dir, summary_sha256="0" * 64, waivers=WAIVERS)
    assert refused.value.reason == "bad_results"


def test_numbers_of_a_policy_can_be_written_as_texts(run_dir: str) -> None:
    result = review(run_dir=run_dir, waivers=WAIVERS, exception_policy={"max_days": "90"})
    assert kinds(result)["c-1"][0] == "not_counted"


def test_results_without_a_judged_container_say_so(tmp_path: pathlib.Path) -> None:
    error = ScanError("no_such_program", "no sh")
    run = write_run(tmp_path, "run-1", [], [(make_target(), error)])
    result = review(run_dir=str(run), waivers=WAIVERS)
    assert kinds(result) == {"c-gone": ["long_lived"], "c-1": ["long_lived"]}
    assert "no judged container" in result["warnings"][0]
    # without files nothing at all was reviewed, which is no good review
    nothing = review(run_dir=str(run), fail_on="action")
    assert nothing["failed"] and nothing["error"]["reason"] == "bad_results"
    assert "failed" not in review(run_dir=str(run))
