# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline `previous`: the last run of the same cluster before the one that is judged, and no other."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import (
    scan_threshold_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.threshold import run_scan_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

TARGET, OTHER = make_target("api-1"), make_target("db-0", workload="db")
STRICT = {"new_failures": {"max": 0}}


def night(runs: pathlib.Path, day: int, *failed: str, run_id: str = "", **fields: Any) -> pathlib.Path:
    """A run of that day of November, with these failed controls out of a to d."""
    statuses = {one: "failed" if one in failed else "passed" for one in "abcd"}
    controls = [make_control(one, status) for one, status in statuses.items()]
    return write_run(
        runs,
        run_id or f"night-{day}",
        [(TARGET, make_document(TARGET, *controls))],
        **{"started": f"2026-11-{day:02}T01:00:00.250+00:00", **fields},
    )


def decide(run_dir: pathlib.Path, **params: Any) -> tuple[dict[str, Any], list[str]]:
    """The task's result and its warnings."""
    options = {"threshold": STRICT, "baseline": "previous", **params}
    defaults = {name: rule.get("default") for name, rule in scan_threshold_spec().items()}
    given = {**defaults, "run_dir": str(run_dir), **options}
    context = TaskContext(check_mode=False, environ={})
    return run_scan_threshold(given, context), context.warnings


def compared_with(run_dir: pathlib.Path, **params: Any) -> str:
    return decide(run_dir, **params)[0]["gate"]["baseline"]


def test_the_last_run_before_this_one_is_taken_and_said(tmp_path: pathlib.Path) -> None:
    for day, failed in ((7, "ab"), (9, "abc"), (8, "ab"), (12, "abcd")):
        night(tmp_path, day, *failed)
    run_dir = night(tmp_path, 10, "b", "c", "d")
    result, warnings = decide(run_dir)
    assert (result["failed"], result["gate"]["baseline"], result["gate"]["new_failures"]) == (
        True,
        "run night-9",
        1,
    )
    assert "Baseline: run night-9, scanned at 2026-11-09T01:00:00.250+00:00" in result["table"]
    assert warnings == []
    gate = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))["gate"]
    assert [one["control"] for one in gate["new_failures"]] == ["d"]
    assert [one["control"] for one in gate["no_longer_failed"]] == ["a"]


def test_runs_of_one_second_are_told_apart(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 9, run_id="first", started="2026-11-09T01:00:00.100+00:00")
    night(tmp_path, 9, run_id="second", started="2026-11-09T01:00:00.200+00:00")
    night(tmp_path, 9, run_id="fourth", started="2026-11-09T01:00:00.400+00:00")
    third = night(tmp_path, 9, run_id="third", started="2026-11-09T01:00:00.300+00:00")
    assert compared_with(third) == "run second"


def test_a_first_night_passes_and_says_that_nothing_was_compared(tmp_path: pathlib.Path) -> None:
    result, (warning,) = decide(night(tmp_path, 10, "a", "b"))
    assert "failed" not in result and result["gate"]["baseline"] == ""
    assert "there is no earlier run of demo beside" in warning and warning in result["table"]
    # what it does not ask of a first night is new failures alone
    result, _warnings = decide(night(tmp_path, 9, "a"), threshold={**STRICT, "failed": {"total": {"max": 0}}})
    assert result["failed"] is True and "failed.total.max" in result["msg"]


def test_neither_a_link_nor_another_clusters_run_nor_a_moved_one_is_a_previous_run(
    tmp_path: pathlib.Path,
) -> None:
    runs, elsewhere = tmp_path / "demo", tmp_path / "elsewhere"
    night(runs, 7, "a", run_id="real")
    night(elsewhere, 8, "a", "b", "c", "d", run_id="linked")
    night(runs, 9, "a", "b", "c", "d", run_id="of-another", cluster="edge")
    night(elsewhere, 9, "a", "b", "c", "d", run_id="as-it-was").rename(runs / "renamed")
    run_dir = night(runs, 10, "b")
    (runs / "linked").symlink_to(elsewhere / "linked")
    (runs / "file").write_text("no folder")
    (runs / "empty").mkdir()
    (runs / "without").mkdir()
    (runs / "without" / "summary.json").symlink_to(elsewhere / "linked" / "summary.json")
    result, warnings = decide(run_dir)
    assert (result["gate"]["baseline"], warnings) == ("run real", [])
    assert result["failed"] is True, "b did not fail then"


def test_a_broken_run_is_passed_over_with_a_warning(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 8)
    broken = night(tmp_path, 9) / "summary.json"
    broken.write_bytes(broken.read_bytes()[:-40])
    result, (warning,) = decide(night(tmp_path, 10))
    assert result["gate"]["baseline"] == "run night-8"
    assert str(broken) in warning and "passed over" in warning


@pytest.mark.parametrize("threshold", [STRICT, {"compliance": {"min": 0}}])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda whole: whole[:-40], "summary.json"),
        (lambda whole: b"", "does not say when its run began"),
        (lambda whole: b"{}", "does not say when its run began"),
        (lambda whole: whole.replace(b"2026-11-09T01", b"no time at all"), "does not say when its run began"),
    ],
)
def test_a_night_after_runs_that_cannot_be_read_is_no_first_night(
    tmp_path: pathlib.Path, content: Any, said: str, threshold: dict[str, Any]
) -> None:
    broken = night(tmp_path, 9) / "summary.json"
    broken.write_bytes(content(broken.read_bytes()))
    result, (warning,) = decide(night(tmp_path, 10, "a"), threshold=threshold)
    assert result["failed"] is True and result["error"]["reason"] == "not_judged"
    why = f"no earlier run of demo beside {tmp_path / 'night-10'} could be read"
    assert f"new_failures.max: {why}" in result["gate"]["reasons"][0]
    assert f"Baseline: {why}" in result["table"]
    assert str(broken) in warning and said in warning and "passed over" in warning


def test_a_summary_that_must_not_be_read_is_broken_and_a_folder_without_one_is_no_run(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "ended-early" / "hdf").mkdir(parents=True)
    run_dir = night(tmp_path, 10, "a")
    assert "failed" not in decide(run_dir)[0]
    (tmp_path / "odd" / "summary.json").mkdir(parents=True)
    result, (warning,) = decide(run_dir)
    assert result["failed"] is True and "it is not a file" in warning


def test_many_broken_runs_and_many_of_other_clusters(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 1)
    for number in range(40):
        night(tmp_path, 8, run_id=f"of-another-{number}", cluster="edge")
    run_dir = night(tmp_path, 10, "a")
    assert compared_with(run_dir) == "run night-1"
    for number in range(31):
        broken = night(tmp_path, 9, run_id=f"broken-{number}") / "summary.json"
        broken.write_bytes(broken.read_bytes()[:-40])
    result, warnings = decide(run_dir)
    assert result["failed"] is True and len(warnings) == 30
    for number in range(31):
        (tmp_path / f"broken-{number}" / "summary.json").write_bytes(b"")
    result, warnings = decide(run_dir)
    assert result["gate"]["baseline"] == "run night-1", "what has no head takes no turn"
    assert len(warnings) == 21 and warnings[-1].startswith("11 more")


def test_the_last_run_over_the_same_selection_comes_first(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 8)
    night(tmp_path, 9, selection={"namespaces": ["billing"]})
    assert compared_with(night(tmp_path, 10)) == "run night-8"
    result, (warning,) = decide(night(tmp_path, 11, selection={"namespaces": ["shop", "billing"]}))
    assert result["gate"]["baseline"] == "run night-10", "any run is better than none"
    assert "was over another selection" in warning


def test_of_two_clusters_with_one_name_each_is_compared_with_its_own_runs(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 7, "a", cluster_uid="one")
    night(tmp_path, 8, "a", "b", cluster_uid="two")
    result, (warning,) = decide(night(tmp_path, 9, "a", "b", cluster_uid="one"))
    assert result["gate"]["baseline"] == "run night-7"
    assert "passed over 1 earlier run of another API server" in warning
    assert compared_with(night(tmp_path, 10, cluster_uid=None)) == "run night-9", (
        "one that is not known is no other"
    )


def test_a_previous_run_that_others_can_change_is_refused(tmp_path: pathlib.Path) -> None:
    night(tmp_path, 9).chmod(0o777)
    run_dir = night(tmp_path, 10)
    with pytest.raises(ScanError, match="night-9") as caught:
        decide(run_dir)
    assert caught.value.reason == "shared_folder"
    assert compared_with(run_dir, allow_shared_folder=True) == "run night-9"


def test_what_was_not_seen_is_not_called_mended(tmp_path: pathlib.Path) -> None:
    """Not reviewed now, waived now, not scanned now: none of them passes."""
    controls = {one: make_control(one, "failed") for one in "abcd"}
    both = [(TARGET, make_document(TARGET, *controls.values())), (OTHER, make_document(OTHER, controls["a"]))]
    write_run(tmp_path, "before", both, started="2026-11-09T01:00:00Z")
    now = make_document(
        TARGET,
        make_control("a", "passed"),
        make_control("b", "skipped"),
        make_control("c", "error"),
        make_control("d", "passed", waiver_data={"justification": "x", "skipped_due_to_waiver": True}),
    )
    run_dir = write_run(tmp_path, "now", [(TARGET, now)], started="2026-11-10T01:00:00Z")
    decide(run_dir, fail_on="never")
    gate = open_run(str(run_dir)).gate
    assert gate is not None
    assert [one.control for one in gate.no_longer_failed] == ["a"]
    assert [one.place for one in gate.no_longer_failed] == ["demo/shop/Deployment/api/app"]
