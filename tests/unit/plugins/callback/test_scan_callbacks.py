# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callbacks over results as ansible-core hands them over: which runs they see, what they show, what they write.

Hosts, tasks, results and options are Ansible's own; the summaries are files of real runs.
"""

from __future__ import annotations

import json
import pathlib
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


class Play:
    """Hands the results of a play's tasks to a callback, and ends the play."""

    def __init__(self, callback: CallbackBase) -> None:
        self._callback = callback

    def ok(self, host: str, action: str, **result: Any) -> None:
        self._callback.v2_runner_on_ok(self._result(host, action, result))

    def failed(self, host: str, action: str, **result: Any) -> None:
        self._callback.v2_runner_on_failed(self._result(host, action, {"failed": True, **result}))

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


@pytest.fixture
def fleet(display: Display) -> Play:
    return Play(scan_fleet.CallbackModule(display=display))


# scan_fleet


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


# scan_metrics


@pytest.fixture
def metrics_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    path = tmp_path / "metrics" / "securescan.prom"
    path.parent.mkdir()
    monkeypatch.setenv("SECURESCAN_METRICS_PATH", str(path))
    return path


@pytest.fixture
def metrics(display: Display, metrics_file: pathlib.Path) -> Play:
    """The callback with its options, from its documentation, as Ansible's loader sets them."""
    name = scan_metrics.CallbackModule.CALLBACK_NAME
    documented = yaml.safe_load(scan_metrics.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("callback", name, documented)
    callback = scan_metrics.CallbackModule(display=display)
    callback._load_name = name
    callback.set_options()
    return Play(callback)


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
