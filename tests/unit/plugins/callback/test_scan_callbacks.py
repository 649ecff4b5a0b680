# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callbacks over results as ansible-core hands them over: which runs they see, what they show, what they write.

Hosts, tasks, results and options are Ansible's own; the summaries are files of real runs.
"""

from __future__ import annotations

import json
import pathlib
import threading
import time
from typing import Any, Callable

import pytest
import yaml

pytest.importorskip("ansible", reason="callbacks belong to Ansible")

from ansible import constants
from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible_collections.securescan.kubernetes.plugins.callback import scan_fleet, scan_metrics
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import fleet_file
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
)

try:
    from ansible.executor.task_result import CallbackTaskResult as TaskResult
except ImportError:  # before ansible-core 2.19
    from ansible.executor.task_result import TaskResult

SCAN = "securescan.kubernetes.scan_container"
GATE = "securescan.kubernetes.scan_threshold"
FLEET = "securescan.kubernetes.scan_fleet_run"
HEALTH = "securescan.kubernetes.scan_health"


class Play:
    """Hands the results of a play's tasks to a callback, and ends the play."""

    def __init__(self, callback: CallbackBase) -> None:
        self._callback = callback

    def ok(self, host: str, action: str, **result: Any) -> None:
        self._callback.v2_runner_on_ok(self._result(host, action, result))

    def failed(self, host: str, action: str, **result: Any) -> None:
        # as ansible-core 2.19 hands it over: without `failed`
        self._callback.v2_runner_on_failed(self._result(host, action, result))

    def unreachable(self, host: str, action: str, **result: Any) -> None:
        self._callback.v2_runner_on_unreachable(self._result(host, action, {"unreachable": True, **result}))

    def end(self) -> None:
        self._callback.v2_playbook_on_stats(None)

    def _result(self, host: str, action: str, result: dict[str, Any]) -> Any:
        task = Task()
        task.action = action
        return TaskResult(Host(host), task, result, {"action": action, "name": action})


class Display:
    """What a callback shows: Ansible's own display would write to the terminal."""

    verbosity = 0

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def banner(self, text: str, *_arguments: Any, **_options: Any) -> None:
        self.lines.append(f"== {text}")

    def display(self, text: str, *_arguments: Any, **_options: Any) -> None:
        self.lines += text.splitlines()

    def warning(self, text: str, *_arguments: Any, **_options: Any) -> None:
        self.warnings.append(text)


@pytest.fixture
def display() -> Display:
    return Display()


@pytest.fixture
def summary(tmp_path: pathlib.Path) -> Callable[..., str]:
    """summary("failed", "passed", gone=1) is the path of a run's summary: a target with such controls, and one not scanned."""

    def write(*statuses: str, gone: int = 0) -> str:
        target = make_target("api-1")
        controls = [make_control(f"c-{number}", status) for number, status in enumerate(statuses)]
        lost = [(make_target(f"gone-{number}"), ScanError("pod_gone", "gone")) for number in range(gone)]
        run = make_run([(target, make_document(target, *controls))], lost, None)
        path = tmp_path / f"summary-{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(run.to_json()), encoding="utf-8")
        return str(path)

    return write


def loaded(module: Any, display: Display) -> Play:
    """The callback with its options, from its documentation, as Ansible's loader sets them."""
    name = module.CallbackModule.CALLBACK_NAME
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("callback", name, documented)
    callback = module.CallbackModule(display=display)
    callback._load_name = name
    callback.set_options()
    return Play(callback)


@pytest.fixture
def fleet(display: Display) -> Play:
    return loaded(scan_fleet, display)


# scan_fleet


def test_a_module_of_another_collection_is_no_scan_however_it_ends(fleet: Play, display: Display) -> None:
    fleet.unreachable("edge", "other.tools.scan_container", msg="no route")
    fleet.failed("edge", "other.tools.scan_container", msg="no route")
    fleet.end()
    assert display.lines == []


def row(display: Display, host: str) -> str:
    (found,) = (line for line in display.lines if line.partition(":")[0].split()[:1] == [host])
    return found


def test_a_play_that_scans_nothing_shows_nothing(fleet: Play, display: Display) -> None:
    fleet.ok("edge", "ansible.builtin.debug", msg="hello", summary_file="/nowhere")
    fleet.ok("edge", GATE, gate={"passed": True})
    fleet.end()
    assert display.lines == []


@pytest.mark.parametrize("action", [SCAN, "scan_container", "securescan.kubernetes.scan_judgement"])
def test_a_host_that_was_scanned_has_a_row(
    fleet: Play, display: Display, summary: Callable[..., str], action: str
) -> None:
    fleet.ok("edge", action, summary_file=summary("passed", "failed", gone=1))
    fleet.end()
    assert display.lines[0] == "== SCANNED CLUSTERS"
    cells = row(display, "edge").split()
    assert "1/2" in cells and "-" in cells, "no gate has decided"
    assert "1 of 1" in display.lines[-1]


def test_the_gates_decision_belongs_to_the_run_before_it(
    fleet: Play, display: Display, summary: Callable[..., str]
) -> None:
    for host, passed in (("edge", True), ("core", False)):
        fleet.ok(host, SCAN, summary_file=summary("failed"))
        (fleet.ok if passed else fleet.failed)(host, GATE, gate={"passed": passed})
    fleet.ok("plain", SCAN, summary_file=summary("passed"))
    fleet.failed("plain", GATE, msg="the threshold cannot be read")
    fleet.end()
    assert "FAILED" in row(display, "core") and "passed" in row(display, "edge")
    assert not {"passed", "FAILED"} & set(row(display, "plain").split())
    assert display.lines.index(row(display, "core")) < display.lines.index(row(display, "edge"))


def test_results_are_those_that_the_gate_decided_of_this_run(
    fleet: Play, display: Display, summary: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    """Without a gate a critical control that was not read is not judged; a gate may ask for less, or more."""
    before = pathlib.Path(summary("passed"))
    assert json.loads(before.read_text())["targets"][0]["result"] == "pass"
    decided = json.loads(before.read_text())
    decided["targets"][0]["result"], decided["target_counts"]["not_judged"] = "not_judged", 1
    (tmp_path / "decided.json").write_text(json.dumps(decided))
    (tmp_path / "other.json").write_text(json.dumps(dict(decided, run_id="run-2")))
    for host, files in (
        ("edge", [str(tmp_path / "decided.json")]),
        ("core", [str(tmp_path / "other.json")]),
        ("check", []),
        ("lost", [str(tmp_path / "nowhere.json")]),
    ):
        fleet.ok(host, SCAN, summary_file=str(before))
        fleet.failed(host, GATE, gate={"passed": False}, files=files)
    fleet.end()
    judged = {host: row(display, host).split()[4] for host in ("edge", "core", "check", "lost")}
    assert judged == {"edge": "0/1", "core": "1/1", "check": "1/1", "lost": "1/1"}


def test_a_gate_without_a_run_decides_about_nothing(
    fleet: Play, display: Display, summary: Callable[..., str]
) -> None:
    fleet.ok("edge", GATE, gate={"passed": True})
    fleet.ok("edge", SCAN, summary_file=summary("passed"))
    fleet.end()
    assert "passed" not in row(display, "edge").split()


def test_a_host_that_cannot_be_reached_or_scanned_is_named_with_the_reason(
    fleet: Play, display: Display
) -> None:
    fleet.unreachable("away", SCAN, msg="connection refused")
    fleet.failed("empty", SCAN, msg="no container was selected")
    fleet.ok("planned", SCAN, changed=False)
    fleet.unreachable("other", "ansible.builtin.ping", msg="not of ours")
    fleet.end()
    assert row(display, "away") == "away: not scanned: connection refused"
    assert row(display, "empty") == "empty: not scanned: no container was selected"
    assert "check mode" in row(display, "planned") and "other" not in "".join(display.lines)


def test_a_scan_whose_access_could_not_be_removed_still_has_its_run(
    fleet: Play, display: Display, summary: Callable[..., str]
) -> None:
    fleet.failed("edge", SCAN, msg="the access remains", summary_file=summary("passed"))
    fleet.end()
    assert "1/1" in row(display, "edge")


@pytest.mark.parametrize("text", [None, "{", '{"schema": "other"}'])
def test_a_summary_that_cannot_be_read_is_told_and_costs_no_other_host(
    fleet: Play, display: Display, summary: Callable[..., str], tmp_path: pathlib.Path, text: str | None
) -> None:
    path = tmp_path / "broken"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    fleet.ok("elsewhere", SCAN, summary_file=str(path))
    fleet.ok("edge", SCAN, summary_file=summary("passed"))
    fleet.end()
    assert "cannot be read here" in row(display, "elsewhere") and "1/1" in row(display, "edge")


def test_the_last_scan_of_a_host_counts(fleet: Play, display: Display, summary: Callable[..., str]) -> None:
    fleet.failed("edge", SCAN, msg="the first attempt")
    fleet.ok("edge", SCAN, summary_file=summary("passed"))
    fleet.end()
    assert "the first attempt" not in "".join(display.lines) and "1/1" in row(display, "edge")


def test_what_a_host_says_cannot_break_the_table(fleet: Play, display: Display) -> None:
    fleet.unreachable("away", SCAN, msg="refused\n\x1b[31mall clusters passed")
    fleet.end()
    assert "\x1b" not in "".join(display.lines) and "all clusters passed" in row(display, "away")


@pytest.fixture
def nothing_scanned(tmp_path: pathlib.Path) -> str:
    """The summary of a run that reached neither of its two containers."""
    lost = [(make_target(f"gone-{number}"), ScanError("not_permitted", "no")) for number in range(2)]
    path = tmp_path / "nothing.json"
    path.write_text(json.dumps(make_run([], lost, None).to_json()), encoding="utf-8")
    return str(path)


def play_of_a_bad_night(play: Play, summary: Callable[..., str], nothing_scanned: str) -> None:
    """A cluster of each kind."""
    for host, reason in (("red", "gate_failed"), ("blind", "not_judged")):
        play.ok(host, SCAN, summary_file=summary("failed"))
        play.failed(host, GATE, gate={"passed": False}, error={"reason": reason})
    play.ok("green", SCAN, summary_file=summary("passed"))
    play.ok("green", GATE, gate={"passed": True})
    play.ok("locked", SCAN, summary_file=nothing_scanned)
    play.failed("locked", GATE, gate={"passed": False}, error={"reason": "not_scanned"})
    play.unreachable("away", SCAN, msg="connection refused")
    play.failed(
        "wrong", "securescan.kubernetes.scan_check", msg="no such profile", error={"reason": "bad_profile"}
    )
    play.failed("refused", SCAN, msg="no right to list pods", error={"reason": "not_permitted"})


def test_a_cluster_of_which_nothing_was_scanned_does_not_count_as_scanned(
    fleet: Play, display: Display, summary: Callable[..., str], nothing_scanned: str
) -> None:
    play_of_a_bad_night(fleet, summary, nothing_scanned)
    fleet.end()
    rows = {line.split()[0]: line for line in display.lines if line[:1].isalnum() and "/" in line}
    assert "FAILED" in rows["red"] and "passed" in rows["green"]
    assert "NOT JUDGED" in rows["blind"]
    assert "NOT SCANNED" in rows["locked"] and "0/2" in rows["locked"]
    assert display.lines[2].split()[0] == "locked"
    assert any(line.startswith("3 of 7  clusters scanned") for line in display.lines)
    told = [line for line in display.lines if ": not scanned: " in line]
    assert told == [
        "away: not scanned: connection refused",
        "refused: not scanned: no right to list pods",
        "wrong: not scanned: no such profile",
        "locked: not scanned: none of 2 containers could be scanned; the cause of 2: SCAN-205 not_permitted: no",
    ]


def test_a_gate_that_was_told_not_to_fail_still_says_why_it_did_not_open(
    fleet: Play, display: Display, summary: Callable[..., str]
) -> None:
    fleet.ok("blind", SCAN, summary_file=summary("skipped"))
    fleet.ok("blind", GATE, gate={"passed": False, "kind": "not_judged"})
    fleet.end()
    assert "NOT JUDGED" in row(display, "blind")


def test_a_failure_before_any_scan_shows_no_table(fleet: Play, display: Display) -> None:
    """As of a preflight, which scans nothing."""
    fleet.unreachable("away", "securescan.kubernetes.scan_target_info", msg="refused")
    fleet.end()
    assert display.lines == []


@pytest.fixture
def files(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, pathlib.Path]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    paths = {"TABLE": folder / "fleet.json", "RETRY": folder / "retry.txt"}
    for name, path in paths.items():
        monkeypatch.setenv(f"SECURESCAN_FLEET_{name}_PATH", str(path))
    return paths


def test_the_next_limit_has_what_could_not_be_scanned_and_never_what_failed_the_gate(
    display: Display, files: dict[str, pathlib.Path], summary: Callable[..., str], nothing_scanned: str
) -> None:
    play = loaded(scan_fleet, display)
    play_of_a_bad_night(play, summary, nothing_scanned)
    play.end()
    assert files["RETRY"].read_text(encoding="utf-8").split() == ["away", "locked", "refused", "wrong"]
    again = loaded(scan_fleet, display)
    for host in ("away", "locked", "refused", "wrong"):
        again.ok(host, SCAN, summary_file=summary("failed"))
        again.failed(host, GATE, gate={"passed": False}, error={"reason": "gate_failed"})
    again.end()
    assert not files["RETRY"].exists(), "an empty file would not limit anything"


def test_the_table_as_a_file_keeps_the_clusters_that_a_limited_play_did_not_have(
    display: Display, files: dict[str, pathlib.Path], summary: Callable[..., str], nothing_scanned: str
) -> None:
    night = loaded(scan_fleet, display)
    play_of_a_bad_night(night, summary, nothing_scanned)
    night.end()
    before = {row["host"]: row for row in json.loads(files["TABLE"].read_text())["clusters"]}
    assert before["locked"]["scanned"] is False and before["locked"]["reason"] == "not_scanned"
    assert before["away"]["error"] == "connection refused" and before["away"]["reason"] == "unreachable"
    # clusters that no play had for 30 days leave the table
    yesterday = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))
    for row in before.values():
        row["seen"] = yesterday
    text = json.dumps(dict(json.loads(files["TABLE"].read_text()), clusters=list(before.values())))
    files["TABLE"].write_text(text)
    retried = loaded(scan_fleet, display)
    retried.ok("away", SCAN, summary_file=summary("passed"))
    retried.end()
    found = json.loads(files["TABLE"].read_text(encoding="utf-8"))
    after = {row["host"]: row for row in found["clusters"]}
    assert after.keys() == before.keys()
    assert {host: row for host, row in after.items() if host != "away"} == {
        host: row for host, row in before.items() if host != "away"
    }
    assert after["away"]["scanned"] is True and after["away"]["seen"] > yesterday
    assert (found["totals"]["clusters"], found["totals"]["scanned_clusters"]) == (7, 4)
    assert files["TABLE"].stat().st_mode & 0o777 == 0o644
    assert display.warnings == []


def test_a_table_in_markdown_is_kept_as_well_and_nothing_in_it_can_break_it(
    display: Display, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, summary: Callable[..., str]
) -> None:
    path = tmp_path / "fleet.md"
    monkeypatch.setenv("SECURESCAN_FLEET_TABLE_PATH", str(path))
    hostile = "x --> | <b>`*\n## all passed -- <!-- \x1b[31m"
    first = loaded(scan_fleet, display)
    first.unreachable("away", SCAN, msg=hostile)
    first.ok("edge|`<b>", SCAN, summary_file=summary("passed"))
    first.end()
    for _again in range(2):
        second = loaded(scan_fleet, display)
        second.ok("core", SCAN, summary_file=summary("failed"))
        second.end()
        text = path.read_text(encoding="utf-8")
        assert text.count("<!--") == text.count("-->") == 1 and "<b>" not in text.partition("<!--")[0]
        assert "\x1b" not in text and "\n## all passed" not in text
        assert "2 of 3 clusters scanned" in text
    kept = fleet_file.read_fleet(text, "fleet.md")
    assert sorted(row.host for row in kept) == ["away", "core", "edge|`<b>"]
    assert next(row.error for row in kept if row.host == "away") == hostile
    assert display.warnings == []


def test_a_cluster_that_no_play_had_for_long_leaves_the_table(
    display: Display,
    files: dict[str, pathlib.Path],
    summary: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hosts(**environ: str) -> list[str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        play = loaded(scan_fleet, display)
        play.ok("core", SCAN, summary_file=summary("passed"))
        play.end()
        return sorted(row["host"] for row in json.loads(files["TABLE"].read_text())["clusters"])

    first = loaded(scan_fleet, display)
    first.ok("edge", SCAN, summary_file=summary("passed"))
    first.end()
    assert hosts() == ["core", "edge"]
    old = json.loads(files["TABLE"].read_text())
    for row in old["clusters"]:
        row["seen"] = "2026-01-01T00:00:00Z"
    files["TABLE"].write_text(json.dumps(old))
    assert hosts(SECURESCAN_FLEET_KEEP_DAYS="36500") == ["core", "edge"]
    assert hosts(SECURESCAN_FLEET_KEEP_DAYS="30") == ["core"]


@pytest.mark.parametrize(
    "text", ["no table", "{}", "<!-- securescan.kubernetes/fleet {} -->", '{"schema": 1}']
)
def test_a_file_that_is_no_table_is_written_anew_with_a_warning(
    display: Display, files: dict[str, pathlib.Path], summary: Callable[..., str], text: str
) -> None:
    files["TABLE"].write_text(text)
    play = loaded(scan_fleet, display)
    play.ok("core", SCAN, summary_file=summary("passed"))
    play.end()
    (warning,) = display.warnings
    assert str(files["TABLE"]) in warning and "written anew" in warning
    assert [row["host"] for row in json.loads(files["TABLE"].read_text())["clusters"]] == ["core"]


@pytest.mark.parametrize("name", ["fleet.txt", "fleet", "nowhere/fleet.json"])
def test_a_path_that_cannot_be_written_is_a_warning_and_the_play_goes_on(
    display: Display,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    summary: Callable[..., str],
    name: str,
) -> None:
    monkeypatch.setenv("SECURESCAN_FLEET_TABLE_PATH", str(tmp_path / name))
    play = loaded(scan_fleet, display)
    play.ok("core", SCAN, summary_file=summary("passed"))
    play.end()
    (warning,) = display.warnings
    assert warning.startswith("table_path: ") and str(tmp_path / name) in warning
    assert "1/1" in row(display, "core") and not (tmp_path / name).exists()


def test_check_mode_writes_no_file(
    display: Display, files: dict[str, pathlib.Path], metrics: Play, metrics_file: pathlib.Path
) -> None:
    for play in (loaded(scan_fleet, display), metrics):
        play.ok("planned", SCAN, changed=False)
        play.end()
    assert not metrics_file.exists() and not any(path.exists() for path in files.values())


# scan_metrics


@pytest.fixture
def metrics_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    path = tmp_path / "metrics" / "securescan.prom"
    path.parent.mkdir()
    monkeypatch.setenv("SECURESCAN_METRICS_PATH", str(path))
    return path


@pytest.fixture
def metrics(display: Display, metrics_file: pathlib.Path) -> Play:
    return loaded(scan_metrics, display)


def test_metrics_are_written_where_the_option_says_for_everybody_to_read(
    metrics: Play, metrics_file: pathlib.Path, summary: Callable[..., str]
) -> None:
    metrics.ok("edge", SCAN, summary_file=summary("passed", "failed"))
    metrics.ok("edge", GATE, gate={"passed": False})
    metrics.unreachable("away", SCAN, msg="refused")
    metrics.end()
    text = metrics_file.read_text(encoding="utf-8")
    assert 'securescan_run_succeeded{host="away",cluster=""} 0.0' in text
    assert 'securescan_run_succeeded{host="edge"' in text and 'securescan_gate_passed{host="edge"' in text
    assert metrics_file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in metrics_file.parent.iterdir()] == [metrics_file.name]


def test_a_play_that_scans_nothing_leaves_the_file_of_the_play_before(
    metrics: Play, metrics_file: pathlib.Path
) -> None:
    metrics_file.write_text("before\n", encoding="utf-8")
    metrics.end()
    assert metrics_file.read_text(encoding="utf-8") == "before\n"


def test_the_file_is_replaced_and_never_written_into(
    metrics: Play, metrics_file: pathlib.Path, summary: Callable[..., str]
) -> None:
    metrics_file.write_text("before\n", encoding="utf-8")
    with metrics_file.open(encoding="utf-8") as being_read:
        metrics.ok("edge", SCAN, summary_file=summary("passed"))
        metrics.end()
        assert being_read.read() == "before\n"
    assert "securescan_run_succeeded" in metrics_file.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_a_warning_and_leaves_nothing(
    metrics: Play, metrics_file: pathlib.Path, display: Display, summary: Callable[..., str]
) -> None:
    metrics_file.mkdir()  # a folder stands in its place
    metrics.ok("edge", SCAN, summary_file=summary("passed"))
    metrics.end()
    (warning,) = display.warnings
    assert str(metrics_file) in warning
    assert [path.name for path in metrics_file.parent.iterdir()] == [metrics_file.name]


def test_the_folder_that_is_missing_is_a_warning(
    metrics: Play, metrics_file: pathlib.Path, display: Display, summary: Callable[..., str]
) -> None:
    metrics_file.parent.rmdir()
    metrics.ok("edge", SCAN, summary_file=summary("passed"))
    metrics.end()
    assert len(display.warnings) == 1 and not metrics_file.parent.exists()


def series(path: pathlib.Path, host: str) -> dict[str, str]:
    """{name and labels: value} of a host."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if f'{{host="{host}",' in line)


def test_series_of_clusters_that_a_limited_play_did_not_have_stay(
    metrics: Play,
    metrics_file: pathlib.Path,
    display: Display,
    summary: Callable[..., str],
    nothing_scanned: str,
) -> None:
    play_of_a_bad_night(metrics, summary, nothing_scanned)
    metrics.end()
    before = {host: series(metrics_file, host) for host in ("red", "green", "locked", "away")}
    retried = loaded(scan_metrics, display)
    retried.ok("away", SCAN, summary_file=summary("passed"))
    retried.end()
    for host in ("red", "green", "locked"):
        assert series(metrics_file, host) == before[host]
    assert series(metrics_file, "away")['securescan_run_succeeded{host="away",cluster="demo"}'] == "1.0"
    assert 'securescan_run_succeeded{host="away",cluster=""}' not in series(metrics_file, "away")
    text = metrics_file.read_text(encoding="utf-8").splitlines()
    assert len(text) == len(set(text)), "each metric has its help and type once, each series stands once"


def test_a_cluster_of_which_nothing_was_scanned_did_not_succeed_and_says_why(
    metrics: Play, metrics_file: pathlib.Path, summary: Callable[..., str], nothing_scanned: str
) -> None:
    play_of_a_bad_night(metrics, summary, nothing_scanned)
    metrics.end()
    text = metrics_file.read_text(encoding="utf-8")
    for host, cluster, succeeded, reason in (
        ("red", "demo", "1.0", "gate_failed"),
        ("blind", "demo", "1.0", "not_judged"),
        ("locked", "demo", "0.0", "not_scanned"),
        ("away", "", "0.0", "unreachable"),
        ("refused", "", "0.0", "not_permitted"),
        ("wrong", "", "0.0", "bad_profile"),
    ):
        labels = f'host="{host}",cluster="{cluster}"'
        assert f"securescan_run_succeeded{{{labels}}} {succeeded}" in text, host
        assert f'securescan_run_failure_info{{{labels},reason="{reason}"}} 1.0' in text, host
    assert 'securescan_run_failure_info{host="green"' not in text


def test_series_are_kept_for_some_days_and_what_is_not_ours_is_not_kept(
    metrics: Play, metrics_file: pathlib.Path, summary: Callable[..., str]
) -> None:
    seen = "securescan_run_observed_timestamp_seconds"
    long_ago, now = 1.6e9, time.time()
    metrics_file.write_text(
        f'{seen}{{host="old",cluster="x"}} {long_ago}\n'
        'securescan_gate_passed{host="old",cluster="x"} 1.0\n'
        f'{seen}{{host="new",cluster="x"}} {now}\n'
        'securescan_gate_passed{host="new",cluster="x"} 0.0\n'
        'securescan_gate_passed{host="new",cluster="x"} NaN\n'
        'securescan_gate_passed{host="new",cluster="x} 0.0\n'
        'securescan_gate_passed{host="without",cluster="x"} 1.0\n'
        'another_metric{host="new",cluster="x"} 1.0\n'
        "another_metric 1.0\n"
    )
    metrics.ok("edge", SCAN, summary_file=summary("passed"))
    metrics.end()
    assert series(metrics_file, "new") == {
        f'{seen}{{host="new",cluster="x"}}': str(now),
        'securescan_gate_passed{host="new",cluster="x"}': "0.0",
    }
    assert not series(metrics_file, "old") and not series(metrics_file, "without")
    assert "another_metric" not in metrics_file.read_text()


def test_plays_that_end_at_the_same_time_lose_nothing(
    metrics_file: pathlib.Path, display: Display, summary: Callable[..., str]
) -> None:
    plays = []
    for number in range(12):
        play = loaded(scan_metrics, display)
        play.ok(f"host-{number}", SCAN, summary_file=summary("passed"))
        plays.append(threading.Thread(target=play.end))
    for play in plays:
        play.start()
    for play in plays:
        play.join()
    assert all(series(metrics_file, f"host-{number}") for number in range(12)) and display.warnings == []


def test_a_link_stays_a_link(
    metrics: Play, metrics_file: pathlib.Path, tmp_path: pathlib.Path, summary: Callable[..., str]
) -> None:
    metrics_file.symlink_to(tmp_path / "elsewhere.prom")
    metrics.ok("edge", SCAN, summary_file=summary("passed"))
    metrics.end()
    assert metrics_file.is_symlink() and series(tmp_path / "elsewhere.prom", "edge")


def lines_of(path: pathlib.Path, metric: str) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(metric + "{")]


def test_the_fleet_run_and_the_requests_of_a_scan_are_metrics(
    metrics: Play, metrics_file: pathlib.Path, summary: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    fleet_run = write_sample_fleet(tmp_path / "fleet")
    footprint = {"added": 2, "ephemeral_containers": [{}, {}], "not_ended": [{}]}
    requests = {"grantor": 7, "scanner": 5, "exec": 1}
    metrics.ok("edge", SCAN, summary_file=summary("passed"), requests=requests, footprint=footprint)
    metrics.ok("edge", FLEET, fleet_dir=fleet_run.folder)  # as it begins
    metrics.failed("edge", FLEET, fleet_dir=fleet_run.folder, gate={"passed": False})
    metrics.end()
    assert 'securescan_run_requests{host="edge",cluster="demo",by="grantor"} 7.0' in lines_of(
        metrics_file, "securescan_run_requests"
    )
    assert lines_of(metrics_file, "securescan_run_left") == [
        f'securescan_run_left{{host="edge",cluster="demo",kind="{kind}"}} {number}'
        for kind, number in (("ephemeral_container", "2.0"), ("running_container", "1.0"), ("access", "0.0"))
    ]
    assert 'securescan_fleet_clusters{fleet="all",state="unreachable"} 1.0' in lines_of(
        metrics_file, "securescan_fleet_clusters"
    )
    assert lines_of(metrics_file, "securescan_fleet_gate_passed") == [
        'securescan_fleet_gate_passed{fleet="all"} 0.0'
    ]


def test_a_look_at_the_health_leaves_the_series_of_the_last_scan_and_is_left_by_the_next(
    metrics: Play, metrics_file: pathlib.Path, display: Display, summary: Callable[..., str]
) -> None:
    metrics.ok("edge", SCAN, summary_file=summary("passed"))
    metrics.end()
    looking = loaded(scan_metrics, display)
    checks = [{"check": "reach", "status": "passed"}, {"check": "canaries", "status": "failed"}]
    checks.append({"check": "image", "status": "skipped"})
    looking.failed("edge", HEALTH, cluster="demo", checks=checks, leftovers={"access": 2})
    looking.end()
    assert lines_of(metrics_file, "securescan_run_succeeded")
    assert lines_of(metrics_file, "securescan_health_passed") == [
        'securescan_health_passed{host="edge",cluster="demo",check="reach"} 1.0',
        'securescan_health_passed{host="edge",cluster="demo",check="canaries"} 0.0',
    ]
    scanning = loaded(scan_metrics, display)
    scanning.ok("edge", SCAN, summary_file=summary("passed"))
    scanning.end()
    assert lines_of(metrics_file, "securescan_leftovers") == [
        'securescan_leftovers{host="edge",cluster="demo",kind="access"} 2.0'
    ]


def test_without_a_file_and_a_gateway_the_metrics_go_nowhere_and_a_warning_says_so(
    display: Display, summary: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECURESCAN_METRICS_PATH", raising=False)
    play = loaded(scan_metrics, display)
    play.ok("edge", SCAN, summary_file=summary("passed"))
    play.end()
    assert display.warnings == ["the metrics were written nowhere: neither path nor push_url is set"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9091", "not of the form https://"),
        ("https://user:url-secret-1@127.0.0.1:9091", "holds a user"),
        ("https://127.0.0.1:1", "unreachable"),
    ],
)
def test_a_gateway_that_cannot_be_pushed_to_is_a_warning_without_a_secret(
    display: Display, summary: Callable[..., str], monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("SECURESCAN_METRICS_PUSH_URL", url)
    monkeypatch.setenv("SECURESCAN_METRICS_PUSH_USERNAME", "scans")
    monkeypatch.setenv("SECURESCAN_METRICS_PUSH_PASSWORD", "push-secret-1")
    play = loaded(scan_metrics, display)
    play.ok("edge", SCAN, summary_file=summary("passed"))
    play.ok("far", SCAN, summary_file=summary("passed"))
    play.end()
    (warning,) = display.warnings
    assert said in warning and "secret-1" not in warning
