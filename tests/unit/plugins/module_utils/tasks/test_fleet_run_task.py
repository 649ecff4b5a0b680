# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task scan_fleet_run: from the manifest over each cluster's turn to the decision, and merges in any order."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.fleet_run import (
    scan_fleet_run_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import ClusterEntry
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_folder import FleetFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import open_fleet_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.progress import (
    Progress,
    write_progress,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.fleet_run import run_scan_fleet_run
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_cluster_run

NOTHING: Mapping[str, Any] = {}


class Fleet:
    """Runs the task on an output folder."""

    def __init__(self, output: pathlib.Path) -> None:
        self.output = output
        self.warnings: list[str] = []

    def task(self, state: str, check_mode: bool = False, **params: Any) -> dict[str, Any]:
        spec = {name: rule.get("default") for name, rule in scan_fleet_run_spec().items()}
        context = TaskContext(check_mode=check_mode, environ={})
        result = run_scan_fleet_run(
            {**spec, "state": state, "output_dir": str(self.output), **params}, context
        )
        self.warnings = context.warnings
        return result

    def begin(self, *names: str, **params: Any) -> str:
        clusters = [{"host": name, "groups": {"region": "eu"}} for name in names]
        fleet_run_id: str = self.task("begun", clusters=clusters, **params)["fleet_run_id"]
        return fleet_run_id

    def scan(
        self,
        fleet_run_id: str,
        name: str,
        run_id: str = "run-1",
        missing: tuple[str, ...] = (),
        **statuses: str,
    ) -> dict[str, Any]:
        """A cluster's turn, with a run of these statuses by control."""
        assert self.task("cluster_begun", fleet_run_id=fleet_run_id, cluster_name=name)["wanted"]
        entry = write_cluster_run(
            self.output,
            name,
            {control.replace("_", "-"): status for control, status in statuses.items()},
            run_id=run_id,
            missing=missing,
            started="2026-11-23T10:00:00Z",
        )
        return self.left(fleet_run_id, name, scan={"run_dir": str(self.output / entry.run_dir)})

    def left(self, fleet_run_id: str, name: str, **params: Any) -> dict[str, Any]:
        entry: dict[str, Any] = self.task(
            "cluster_ended", fleet_run_id=fleet_run_id, cluster_name=name, **params
        )["entry"]
        return entry

    def work(self, fleet_run_id: str, name: str) -> None:
        """A cluster's turn, in which its scan has begun to work."""
        self.task("cluster_begun", fleet_run_id=fleet_run_id, cluster_name=name)
        (self.output / name).mkdir(exist_ok=True)
        now = datetime.now(timezone.utc).isoformat()
        write_progress(self.output / name, Progress("run-9", now, None, 9, 1, 0, 0, 0, "running", now))

    def end(self, fleet_run_id: str, **params: Any) -> dict[str, Any]:
        return self.task("ended", fleet_run_id=fleet_run_id, **params)


@pytest.fixture
def fleet(tmp_path: pathlib.Path) -> Fleet:
    return Fleet(tmp_path / "results")


def entries(result: Mapping[str, Any]) -> dict[str, ClusterEntry]:
    return {entry.cluster: entry for entry in open_fleet_run(result["fleet_dir"]).clusters}


def error_of(reason: str, message: str = "m") -> dict[str, Any]:
    return {"failed": True, "msg": message, "error": ScanError(reason, message, tried="scan").record()}


def test_the_manifest_stands_before_any_cluster_is_touched(fleet: Fleet) -> None:
    begun = fleet.task("begun", clusters=[{"host": "b"}, {"host": "a", "cluster": "A"}], deadline=60)
    run = open_fleet_run(begun["fleet_dir"])
    assert (run.expected, run.is_finished, run.gate) == (("A", "b"), False, None)
    assert {entry.state for entry in run.clusters} == {"not_reached"}
    assert run.entry("A").host == "a"
    soon = datetime.now(timezone.utc) + timedelta(seconds=50)
    assert datetime.fromisoformat(begun["deadline_at"].replace("Z", "+00:00")) > soon


def test_two_hosts_of_one_name_are_refused(fleet: Fleet) -> None:
    with pytest.raises(ScanError, match="the hosts a and b are both the cluster x"):
        fleet.task("begun", clusters=[{"host": "a", "cluster": "x"}, {"host": "b", "cluster": "x"}])
    assert not fleet.output.exists(), "nothing is touched"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"fail_on": ["gates"]}, "did you mean 'gate'"),
        ({"fail_on": ["never", "gate"]}, "or never alone"),
        ({"fail_on": []}, "or never alone"),
        ({"slice": {"offset": 3, "count": 3}}, "offset must be from 0 to 2"),
        ({"slice": {"offset": "x", "count": 3}}, "with whole numbers"),
        ({"slice": {"ofset": 0, "count": 3}}, "with whole numbers"),
        ({"fleet_run_id": "../x"}, "letters, digits"),
        ({"deadline": 0}, "from 1 to"),
    ],
)
def test_what_cannot_be_used_is_refused(fleet: Fleet, params: dict[str, Any], said: str) -> None:
    with pytest.raises(ScanError, match=said):
        fleet.task("begun", clusters=[{"host": "a"}], **params)


FAILURES: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("unreachable", {"scan": {**error_of("unreachable"), "unreachable": True}}, ("unreachable", "SCAN-202")),
    ("refused", {"failure": error_of("not_authenticated")}, ("refused", "SCAN-204")),
    ("broken", {"failure": error_of("bad_profile")}, ("broken", "SCAN-701")),
    ("a task of Ansible", {"failure": {"msg": "'x' is undefined"}}, ("broken", "SCAN-824")),
    (
        "Ansible's time-out",
        {"failure": {"msg": "late", "timedout": {"period": 1}}},
        ("out_of_time", "SCAN-825"),
    ),
    ("unreachable by Ansible", {"scan": {"unreachable": True, "msg": "m"}}, ("unreachable", "SCAN-202")),
    ("nobody said anything", {}, ("broken", "SCAN-823")),
    ("hostile results", {"scan": "x", "failure": ["y"]}, ("broken", "SCAN-823")),
    ("an error of another form", {"failure": {"msg": "m", "error": {"code": 1}}}, ("broken", "SCAN-824")),
    ("a run elsewhere", {"scan": {"run_dir": "/etc"}}, ("broken", "SCAN-802")),
    ("a run that is not there", {"scan": {"run_dir": "RUNS/x"}}, ("broken", "SCAN-802")),
]


@pytest.mark.parametrize(
    ("params", "found"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_a_failure_is_an_entry_with_its_cause(
    fleet: Fleet, params: dict[str, Any], found: tuple[str, str]
) -> None:
    name = fleet.begin("a")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="a")
    scan = params.get("scan")
    if isinstance(scan, dict) and str(scan.get("run_dir", "")).startswith("RUNS"):
        params = {"scan": {"run_dir": str(fleet.output / "a" / "x")}}
    fleet.left(name, "a", **params)
    result = fleet.end(name)
    entry = entries(result)["a"]
    assert entry.error is not None
    assert (entry.state, entry.error.code) == found and not entry.has_run
    assert result["failed"] and result["error"]["reason"] == "fleet_unreachable"
    assert result["gate"]["reasons"] == {"gate": 0, "coverage": 0, "unreachable": 1}


def test_a_gate_that_did_not_open_is_no_failure_of_the_scan(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="a")
    run = write_cluster_run(fleet.output, "a", {"c-1": "failed"})
    scan = {"run_dir": str(fleet.output / run.run_dir)}
    said = fleet.left(name, "a", scan=scan, failure=error_of("gate_failed"))
    assert said == {"state": "scanned", "gate": "failed", "reason": "gate_failed"}
    assert fleet.end(name)["error"]["reason"] == "fleet_gate_failed"


def test_a_process_that_is_killed_leaves_the_truth_behind(fleet: Fleet) -> None:
    name = fleet.begin("a", "b", "c", "d")
    fleet.scan(name, "a", c_1="passed")
    fleet.work(name, "b")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="c")
    found = entries(fleet.end(name))
    assert {cluster: entry.state for cluster, entry in found.items()} == {
        "a": "scanned",
        "b": "broken",
        "c": "not_reached",  # its turn had come, and nothing more
        "d": "not_reached",
    }
    assert found["b"].error is not None and found["b"].error.reason == "scan_unfinished"


def test_the_same_command_goes_on_where_it_stopped(fleet: Fleet) -> None:
    name = fleet.begin("a", "b", "c")
    fleet.scan(name, "a", c_1="passed")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="b")
    (fleet.output / "_fleet" / name / "running.json").unlink()  # killed
    assert fleet.begin("c", "b", "a") == name
    turns = {
        cluster: fleet.task("cluster_begun", fleet_run_id=name, cluster_name=cluster)["wanted"]
        for cluster in ("a", "b", "c")
    }
    assert turns == {"a": False, "b": True, "c": True}


def test_a_format_that_there_is_not_is_told_before_the_scans(fleet: Fleet) -> None:
    with pytest.raises(ScanError, match="unknown format 'pdf'"):
        fleet.begin("a", formats=["pdf"])
    assert not fleet.output.exists()


def test_who_still_runs_it_is_left_alone(fleet: Fleet) -> None:
    name = fleet.begin("a")
    assert fleet.begin("a") != name, "this process's parent runs it"
    assert "still running" in fleet.warnings[0]
    running = fleet.output / "_fleet" / name / "running.json"
    running.write_text(running.read_text().replace(f'"pid": {os.getppid()}', '"pid": 1'))
    assert fleet.begin("a", resume=False) != name


@pytest.mark.parametrize(
    "params", [{"resume": False}, {"resume_within": 0}, {"slice": {"offset": 0, "count": 1}}]
)
def test_a_new_one_begins_where_nothing_is_to_be_gone_on_with(fleet: Fleet, params: dict[str, Any]) -> None:
    name = fleet.begin("a", "b")
    (fleet.output / "_fleet" / name / "running.json").unlink()
    assert fleet.begin("a", "b", **params) != name


def test_one_that_has_ended_is_gone_on_with_by_its_id(fleet: Fleet) -> None:
    name = fleet.begin("a", "b")
    fleet.scan(name, "a", c_1="passed")
    assert fleet.end(name)["failed"]
    assert fleet.begin("a", "b") != name
    assert fleet.begin("b", fleet_run_id=name) == name, "some of its clusters are enough"
    assert not open_fleet_run(str(fleet.output / "_fleet" / name)).is_finished
    fleet.scan(name, "b", c_1="passed")
    assert "failed" not in fleet.end(name)
    with pytest.raises(ScanError, match="does not expect z"):
        fleet.begin("z", fleet_run_id=name)
    with pytest.raises(ScanError, match="there is a fleet run"):
        fleet.begin("a", fleet_run_id=name, resume=False)


def test_no_turn_comes_after_the_deadline(fleet: Fleet) -> None:
    name = fleet.begin("a")
    past = (datetime.now(timezone.utc) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    turn = fleet.task("cluster_begun", fleet_run_id=name, cluster_name="a", deadline_at=past)
    assert (turn["wanted"], turn["why"]) == (False, "the time of the fleet run has ended")
    found = fleet.end(name)
    assert entries(found)["a"].state == "not_reached"
    assert any("first in the next fleet run: a" in line for line in found["table"])


def test_what_was_not_reached_comes_first_next_time(fleet: Fleet) -> None:
    name = fleet.begin("a", "b", "c")
    fleet.scan(name, "a", c_1="passed")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="b")
    fleet.left(name, "b", failure={"msg": "late", "timedout": {"period": 1}})
    fleet.end(name)
    begun = fleet.task("begun", clusters=[{"host": one} for one in ("a", "b", "c", "d")])
    assert begun["first"] == ["c", "b", "d"], "not reached, too little time, never seen"


def test_a_slice_expects_its_clusters_only(fleet: Fleet) -> None:
    name = fleet.begin("a", "b", "c", slice={"offset": "1", "count": 2})
    assert open_fleet_run(str(fleet.output / "_fleet" / name)).expected == ("b",)
    turn = fleet.task("cluster_begun", fleet_run_id=name, cluster_name="a")
    assert not turn["wanted"] and "another slice" in turn["why"]


def test_what_changed_is_told_by_place_and_control(fleet: Fleet) -> None:
    for number, (first, second) in enumerate(
        [("failed", "passed"), ("passed", "failed"), ("failed", "failed")], start=1
    ):
        name = fleet.begin("a", "b", fleet_run_id=f"night-{number}")
        fleet.scan(name, "a", run_id=f"run-{number}", c_1=first, c_2=second)
        if number != 2:
            fleet.scan(name, "b", run_id=f"run-{number}", c_1="failed")
        manifest = fleet.output / "_fleet" / name / "fleet.json"
        document = json.loads(manifest.read_text())
        document["started"] = f"2026-11-2{number}T10:00:00Z"
        manifest.write_text(json.dumps(document, indent=2))
        result = fleet.end(name)
        if number == 2:
            assert result["changes"] == {"new": 1, "fixed": 1, "reopened": 0}
    assert result["changes"] == {"new": 0, "fixed": 0, "reopened": 1}, (
        "b failed two nights ago, and does still"
    )
    comparison = open_fleet_run(result["fleet_dir"]).comparison
    assert comparison is not None and comparison.previous == "night-2"
    (reopened,) = comparison.reopened
    assert (reopened.place, reopened.control) == ("a/shop/Deployment/api/app", "c-1")


def begin_night(fleet: Fleet, number: int) -> str:
    """A fleet run over the cluster a that began in the night of this number."""
    name = fleet.begin("a", fleet_run_id=f"night-{number}")
    manifest = fleet.output / "_fleet" / name / "fleet.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**document, "started": f"2026-11-2{number}T10:00:00Z"}, indent=2))
    return name


def test_a_night_that_scanned_nothing_makes_nothing_new(fleet: Fleet) -> None:
    """Nor does it hide what was fixed."""
    nights: list[dict[str, str]] = [
        {"c_1": "failed", "c_2": "failed"},
        {},
        {"c_1": "failed", "c_2": "passed", "c_3": "failed"},
    ]
    for number, statuses in enumerate(nights, start=1):
        name = begin_night(fleet, number)
        fleet.scan(name, "a", f"run-{number}", missing=() if statuses else ("api-1",), **statuses)
        changes = fleet.end(name)["changes"]
    assert changes == {"new": 1, "fixed": 1, "reopened": 0}


def test_a_gate_that_found_something_does_not_hide_that_containers_were_not_scanned(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.scan(name, "a", missing=("api-2",), c_1="failed")
    result = fleet.end(name, fail_on=["coverage"])
    assert result["failed"] and result["error"]["reason"] == "fleet_not_covered"
    assert result["gate"]["reasons"] == {"gate": 1, "coverage": 1, "unreachable": 0}


def test_clusters_that_came_and_went(fleet: Fleet) -> None:
    for number, names in enumerate((("a", "b", "c"), ("a", "b", "d")), start=1):
        name = fleet.begin(*names, fleet_run_id=f"night-{number}")
        manifest = fleet.output / "_fleet" / name / "fleet.json"
        document = json.loads(manifest.read_text())
        document["started"] = f"2026-11-2{number}T10:00:00Z"
        manifest.write_text(json.dumps(document, indent=2))
        result = fleet.end(name)
    comparison = open_fleet_run(result["fleet_dir"]).comparison
    assert comparison is not None and (comparison.came, comparison.went) == (("d",), ("c",))
    again = open_fleet_run(fleet.end(name, elsewhere=["c"])["fleet_dir"]).comparison
    assert again is not None and again.went == (), "what the inventory still has was only left out"


def test_a_run_that_was_changed_after_its_scan_counts_as_none(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.scan(name, "a", c_1="passed")
    (summary,) = fleet.output.glob("a/run-1/summary.json")
    summary.write_bytes(summary.read_bytes() + b" ")
    entry = entries(fleet.end(name))["a"]
    assert entry.state == "broken" and entry.error is not None and entry.error.reason == "bad_results"


def test_an_entry_that_was_changed_counts_as_none(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.scan(name, "a", c_1="passed")
    (note,) = (fleet.output / "_fleet" / name / "clusters").iterdir()
    note.write_text("{}")
    assert entries(fleet.end(name))["a"].state == "broken"


@pytest.mark.parametrize(
    "failure",
    [
        {"msg": "no answer of https://admin:hunter2-and-more@proxy.test:3128/", "failed": True},
        {"msg": "the password is hunter2", "failed": True, "_ansible_no_log": True},
        {"msg": "late: hunter2", "timedout": {"period": 1}, "_ansible_no_log": True},
        error_of("unreachable", "no proxy at https://admin:hunter2-and-more@proxy.test:3128/"),
    ],
)
def test_no_secret_of_a_failure_is_kept(fleet: Fleet, failure: dict[str, Any]) -> None:
    name = fleet.begin("a")
    fleet.task("cluster_begun", fleet_run_id=name, cluster_name="a")
    fleet.left(name, "a", failure=failure)
    fleet.end(name)
    kept = [path.read_text() for path in (fleet.output / "_fleet").rglob("*") if path.is_file()]
    assert len(kept) >= 4 and not any("hunter2" in text for text in kept)


@pytest.mark.parametrize("change", ["another's run", "a better gate", "fewer failures"])
def test_an_entry_says_no_more_than_its_run(fleet: Fleet, change: str) -> None:
    name = fleet.begin("a", "b")
    fleet.scan(name, "a", c_1="failed")
    fleet.scan(name, "b", c_1="passed")
    folder = FleetFolder(fleet.output, name)
    entry, better = folder.entry("a"), folder.entry("b")
    assert entry is not None and better is not None
    if change == "another's run":
        entry = replace(better, cluster="a", host="a")
    elif change == "a better gate":
        entry = replace(entry, gate="passed", reason="")
    else:
        entry = replace(entry, gate="passed", controls=better.controls, worst_failed="", compliance=100)
    folder.write_entry(entry)
    result = fleet.end(name)
    assert (
        result["failed"] and result["gate"]["reasons"]["gate" if change != "another's run" else "unreachable"]
    )
    if change != "another's run":
        assert (entries(result)["a"].gate, entries(result)["a"].controls["failed"]) == ("failed", 1)


def test_one_cluster_under_two_names_is_told(fleet: Fleet) -> None:
    name = fleet.begin("a", "b", "c")
    for cluster, uid in (("a", "u-1"), ("b", "u-1"), ("c", "u-2")):
        fleet.task("cluster_begun", fleet_run_id=name, cluster_name=cluster)
        entry = write_cluster_run(fleet.output, cluster, {"c-1": "passed"}, cluster_uid=uid)
        fleet.left(name, cluster, scan={"run_dir": str(fleet.output / entry.run_dir)})
    fleet.end(name)
    (warning,) = fleet.warnings
    assert warning.startswith("a, b are one cluster")


@pytest.mark.parametrize("place", ["_fleet", "_fleet/night", "_fleet/night/clusters"])
def test_a_fleet_run_that_others_could_have_written_is_refused(fleet: Fleet, place: str) -> None:
    """Whoever may write to a sticky folder can put a fleet run there, with clusters that have passed."""
    name = fleet.begin("a", fleet_run_id="night")
    fleet.scan(name, "a", c_1="passed")
    (fleet.output / "_fleet/night/running.json").unlink()
    (fleet.output / place).chmod(0o777)
    for again in (lambda: fleet.begin("a"), lambda: fleet.end(name)):
        with pytest.raises(ScanError) as caught:
            again()
        assert caught.value.reason == "shared_folder"
    assert not fleet.end(name, allow_shared_folder=True).get("failed")
    assert any("others can replace" in warning for warning in fleet.warnings)


def test_what_was_scanned_or_judged_in_another_way_is_scanned_again(fleet: Fleet) -> None:
    name = fleet.begin("a")
    turn = {"fleet_run_id": name, "cluster_name": "a"}
    assert fleet.task("cluster_begun", terms="lax", **turn)["wanted"]
    entry = write_cluster_run(fleet.output, "a", {"c-1": "passed"})
    fleet.left(name, "a", scan={"run_dir": str(fleet.output / entry.run_dir)})
    assert not fleet.task("cluster_begun", terms="lax", **turn)["wanted"]
    assert fleet.task("cluster_begun", terms="strict", **turn)["wanted"]


@pytest.mark.parametrize(
    ("fail_on", "failed"), [(["gate"], True), (["coverage", "unreachable"], False), (["never"], False)]
)
def test_fail_on_says_what_fails_the_task(fleet: Fleet, fail_on: list[str], failed: bool) -> None:
    name = fleet.begin("a")
    fleet.scan(name, "a", c_1="failed")
    assert bool(fleet.end(name, fail_on=fail_on).get("failed")) is failed


def test_reports_lie_beside_it_and_latest_points_to_it(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.scan(name, "a", c_1="passed")
    files = [pathlib.Path(path).name for path in fleet.end(name)["files"]]
    assert files == ["fleet.json", "fleet.csv", "summary.md", "report.html"]
    assert (fleet.output / "_fleet" / "latest").resolve().name == name
    assert not (fleet.output / "_fleet" / name / "running.json").exists()


def test_check_mode_writes_nothing(fleet: Fleet) -> None:
    begun = fleet.task("begun", check_mode=True, clusters=[{"host": "a"}])
    name = begun["fleet_run_id"]
    assert fleet.task("cluster_begun", check_mode=True, fleet_run_id=name, cluster_name="a")["wanted"]
    fleet.task("cluster_ended", check_mode=True, fleet_run_id=name, cluster_name="a")
    assert "failed" not in fleet.task("ended", check_mode=True, fleet_run_id=name)
    assert not fleet.output.exists()


def shards(tmp_path: pathlib.Path) -> list[str]:
    """Three fleet runs in folders of their own; `b` is in two of them, and one of them was killed."""
    folders = []
    for number, names in enumerate((("a", "b"), ("b", "c"), ("d", "e"))):
        part = Fleet(tmp_path / f"part-{number}")
        name = part.begin(*names, fleet_run_id=f"part-{number}")
        for cluster in names:
            if cluster != "e":
                part.scan(name, cluster, run_id=f"run-{number}", c_1="passed")
        if number < 2:
            part.end(name)
        else:
            part.work(name, "e")
        folders.append(str(part.output / "_fleet" / name))
    return folders


def test_merges_in_any_order_and_twice_are_the_same_to_the_byte(tmp_path: pathlib.Path) -> None:
    parts = shards(tmp_path)
    found = set()
    orders = [*itertools.permutations(parts), (*parts, parts[0]), (*reversed(parts), *parts)]
    for number, order in enumerate(orders):
        merged = Fleet(tmp_path / f"merged-{number}")
        result = merged.task("merged", fleet_dirs=list(order))
        found.add((pathlib.Path(result["fleet_dir"]) / "fleet.json").read_bytes())
        assert "is not finished" in " ".join(merged.warnings)
    assert len(found) == 1
    nested = Fleet(tmp_path / "nested")
    half = nested.task("merged", fleet_dirs=parts[:2])
    whole = nested.task("merged", fleet_dirs=[half["fleet_dir"], parts[2]])
    assert {(pathlib.Path(whole["fleet_dir"]) / "fleet.json").read_bytes()} == found


def test_a_merge_says_what_does_not_count_and_brings_the_runs(tmp_path: pathlib.Path) -> None:
    merged = Fleet(tmp_path / "merged")
    result = merged.task("merged", fleet_dirs=shards(tmp_path))
    run = open_fleet_run(result["fleet_dir"])
    assert run.merged_from == ("part-0", "part-1", "part-2") and run.expected == tuple("abcde")
    (lost,) = run.superseded
    assert (lost.cluster, lost.run_id) == ("b", "run-0")
    killed = run.entry("e")
    assert killed is not None and killed.error is not None and killed.error.reason == "scan_unfinished"
    assert [one.run_id if one else None for one in run.runs()] == ["run-0", "run-1", "run-1", "run-2", None]
    assert (merged.output / "a/run-0/hdf").is_dir(), "a merged folder is whole"


def test_a_cluster_that_no_shard_brings_is_an_entry_too(tmp_path: pathlib.Path) -> None:
    merged = Fleet(tmp_path / "merged")
    clusters = [{"host": name} for name in ("a", "z")]
    result = merged.task("merged", fleet_dirs=shards(tmp_path)[:1], clusters=clusters)
    found = entries(result)
    assert {name: entry.state for name, entry in found.items()} == {
        "a": "scanned",
        "b": "scanned",
        "z": "not_reached",
    }
    assert found["z"].error is not None and found["z"].error.code == "SCAN-826"
    assert result["failed"]


def test_a_whole_run_counts_before_a_newer_failure(tmp_path: pathlib.Path) -> None:
    first, second = Fleet(tmp_path / "x"), Fleet(tmp_path / "y")
    first.scan(first.begin("a", fleet_run_id="x"), "a", c_1="passed")
    first.end("x")
    second.task("cluster_begun", fleet_run_id=second.begin("a", fleet_run_id="y"), cluster_name="a")
    second.left("y", "a", failure=error_of("unreachable"))
    second.end("y")
    merged = Fleet(tmp_path / "all")
    dirs = [str(tmp_path / "y/_fleet/y"), str(tmp_path / "x/_fleet/x")]
    run = open_fleet_run(merged.task("merged", fleet_dirs=dirs)["fleet_dir"])
    assert [entry.state for entry in run.clusters] == ["scanned"]
    assert [(one.cluster, one.state) for one in run.superseded] == [("a", "unreachable")]


def test_a_merge_is_like_one_run_over_all(tmp_path: pathlib.Path) -> None:
    one = Fleet(tmp_path / "all")
    for name, part in (
        ("whole", None),
        ("even", {"offset": 0, "count": 2}),
        ("odd", {"offset": 1, "count": 2}),
    ):
        one.begin("a", "b", "c", fleet_run_id=name, slice=part, resume=False)
        for cluster in open_fleet_run(str(one.output / "_fleet" / name)).expected:
            entry = one.output / cluster / "run-1"
            if not entry.exists():
                one.scan(name, cluster, c_1="passed")
            else:
                one.left(name, cluster, scan={"run_dir": str(entry)})
        one.end(name)
    whole = open_fleet_run(str(one.output / "_fleet/whole"))
    dirs = [str(one.output / "_fleet" / name) for name in ("odd", "even")]
    merged = open_fleet_run(one.task("merged", fleet_dirs=dirs)["fleet_dir"])
    assert merged.clusters == whole.clusters and merged.gate == whole.gate
    assert merged.superseded == ()


def test_a_fleet_run_that_scanned_is_not_overwritten_by_a_merge(fleet: Fleet) -> None:
    name = fleet.begin("a")
    fleet.end(name)
    folder = FleetFolder(fleet.output, name)
    with pytest.raises(ScanError, match="is a fleet run that scanned"):
        fleet.task("merged", fleet_dirs=[str(folder.path)], fleet_run_id=name)
    with pytest.raises(ScanError, match="no fleet run is named"):
        fleet.task("merged")
