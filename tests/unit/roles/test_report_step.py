# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's last step, over a run that is there already: the gate decides, and the reports are written whatever it says."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("ansible", reason="a role belongs to Ansible")

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run

REPORTS = {"summary.md", "gate.junit.xml"}


@pytest.fixture
def run_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    """A run as a scan leaves it: no gate has decided."""
    run = write_sample_run(tmp_path / "results")
    folder = pathlib.Path(run.folder)
    RunFolder(str(folder.parent), folder.name).write_summary(replace(run, gate=None))
    return folder


def play(run_dir: pathlib.Path, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """The playbook `report` over a run."""
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    command = [str(program), "securescan.kubernetes.report", "-i", "demo,", "-c", "local", *arguments]
    return subprocess.run(
        [*command, "-e", json.dumps({"scan_run_dir": str(run_dir), **variables})],
        cwd=run_dir.parent,
        check=False,
        text=True,
        capture_output=True,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1"),
    )


def failed_tasks(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The names of the tasks that failed, without the role's."""
    names, task = [], ""
    for line in done.stdout.splitlines():
        found = re.match(r"TASK \[(?:securescan\.kubernetes\.scan : )?(.*?)\]", line)
        task = found.group(1) if found else task
        if line.startswith("fatal: "):
            names.append(task)
    return names


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", done.stdout.splitlines()[-2])}


def reports(run_dir: pathlib.Path) -> set[str]:
    return {path.name for path in run_dir.iterdir()} - {"hdf", "summary.json"}


# It names each word whose limits would be added else.
LENIENT = {"coverage": {"min": 1}, "error": {"total": {"max": 9}}, "reviewed": {"min": 0}}


def test_a_gate_that_passes_is_reported(run_dir: pathlib.Path) -> None:
    done = play(run_dir, scan_threshold=LENIENT)
    assert done.returncode == 0, done.stdout
    assert (recap(done)["failed"], recap(done)["changed"]) == (0, 0)
    assert reports(run_dir) == REPORTS
    assert "**PASSED**" in (run_dir / "summary.md").read_text(encoding="utf-8")


def test_a_gate_that_fails_fails_the_play_and_is_reported(run_dir: pathlib.Path) -> None:
    done = play(run_dir, scan_threshold={"coverage": {"min": 100}})
    assert done.returncode == 2
    assert failed_tasks(done) == ["Decide the gate"]
    assert (recap(done)["failed"], recap(done)["rescued"]) == (1, 0)
    assert "SCAN-808" in done.stdout and "containers were scanned; the cause of" in done.stdout
    assert reports(run_dir) == REPORTS
    assert "**FAILED**" in (run_dir / "summary.md").read_text(encoding="utf-8")
    gate = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))["gate"]
    named = set(gate["threshold"]["limits"]) - set(gate["threshold"]["added"])
    assert named == {"coverage.min"}, "the decision that is reported"


def test_another_threshold_puts_its_decision_beside_the_first_one(run_dir: pathlib.Path) -> None:
    """The playbook `report` shows an earlier run again, and rewrites nothing of it."""
    play(run_dir, scan_threshold={"coverage": {"min": 100}})
    before = {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()}
    done = play(run_dir, scan_threshold=LENIENT)
    assert done.returncode == 0, done.stdout
    assert {path: path.read_bytes() for path in before} == before
    (folder,) = (run_dir / "decisions").iterdir()
    assert {path.name for path in folder.iterdir()} == REPORTS | {"decision.json"}
    assert "**PASSED**" in (folder / "summary.md").read_text(encoding="utf-8")
    assert f"one of 2 decisions on the run: {folder / 'decision.json'}" in done.stdout
    again = play(run_dir, scan_threshold=LENIENT)
    assert again.returncode == 0 and len(list((run_dir / "decisions").iterdir())) == 1


@pytest.mark.parametrize("threshold", [{"coverage": {"mim": 100}}, None])
def test_where_nothing_could_be_decided_nothing_is_reported(run_dir: pathlib.Path, threshold: Any) -> None:
    summary = run_dir / "summary.json"
    if threshold is None:
        summary.write_bytes(summary.read_bytes()[:-40])
    before = (run_dir / "summary.json").read_bytes()
    done = play(run_dir, **({"scan_threshold": threshold} if threshold else {}))
    assert done.returncode == 2
    checked = "Check the variables, and the files that they name, before any cluster is touched"
    assert failed_tasks(done) == [checked if threshold else "Decide the gate"], done.stdout
    assert ("unknown key 'coverage.mim" if threshold else "is cut off") in done.stdout
    assert reports(run_dir) == set()
    assert (run_dir / "summary.json").read_bytes() == before


def test_a_document_that_is_missing_fails_the_gate_and_is_reported(run_dir: pathlib.Path) -> None:
    next((run_dir / "hdf").iterdir()).unlink()
    done = play(run_dir, scan_threshold=LENIENT)
    assert done.returncode == 2
    assert failed_tasks(done) == ["Decide the gate"], done.stdout
    assert "cannot be read" in done.stdout and reports(run_dir) == REPORTS


def test_check_mode_writes_nothing_and_says_what_would_be_written(run_dir: pathlib.Path) -> None:
    before = (run_dir / "summary.json").read_bytes()
    done = play(run_dir, "--check", scan_fail_on="never")
    assert done.returncode == 0, done.stdout
    for name in REPORTS:
        assert f"would write {run_dir / name}" in done.stdout
    assert reports(run_dir) == set()
    assert (run_dir / "summary.json").read_bytes() == before
