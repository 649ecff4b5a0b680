# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a fleet run is: what the lines of a terminal and of a log say, and the lines at the bottom of a terminal."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_progress import (
    ClusterProgress,
    FleetWatch,
    live_lines,
    plain_line,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import (
    BROKEN,
    NOT_REACHED,
    ClusterEntry,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_folder import FleetFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.progress import (
    Progress,
    write_progress,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import (
    HOSTILE_NAME,
    error_record,
    make_fleet,
    write_cluster_run,
)

BEGAN = "2026-11-23T10:00:00Z"


def progress_of(started: str, **numbers: int) -> Progress:
    counts = {"selected": 0, "done": 0, "failing": 0, "not_scanned": 0, "carried": 0, **numbers}
    return Progress("run-1", started, None, state="running", updated="2026-11-23T10:00:10Z", **counts)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> FleetFolder:
    """A fleet run with a cluster that is done, one that runs, one that has just begun, and one that waits."""
    made = FleetFolder(tmp_path, "fleet-1")
    made.create()
    names = ("done", "just-begun", "runs", "waits")
    waiting = [ClusterEntry(name, name, {}, NOT_REACHED) for name in names]
    made.write(make_fleet(waiting, finished="", gate=None))
    made.write_entry(write_cluster_run(tmp_path, "done", {"c-1": "passed"}))
    for name in ("just-begun", "runs"):
        (tmp_path / name).mkdir()
        begun = ClusterEntry(name, name, {}, BROKEN, started=BEGAN)
        made.write_entry(begun.with_error(BROKEN, error_record("scan_unfinished")))
    write_progress(tmp_path / "runs", progress_of(BEGAN, selected=40, done=20, failing=3, carried=10))
    write_progress(tmp_path / "just-begun", progress_of("2026-11-22T10:00:00Z", selected=9, done=9))
    return made


def test_it_is_read_from_the_files_of_the_clusters(folder: FleetFolder) -> None:
    found = {one.cluster: one for one in FleetWatch(folder.path).look()}
    assert found["done"].has_ended and found["done"].is_fine
    assert found["runs"] == ClusterProgress("runs", "running", 40, 20, 3, rate=1.0, left=20.0)
    assert found["just-begun"] == ClusterProgress("just-begun", "running"), (
        "an earlier scan's progress is none of it"
    )
    assert found["waits"].state == "waiting"
    assert plain_line(list(found.values())) == (
        "1 of 4 clusters done, 0 of them not fine, 2 running, 21 containers done, 1.0 per second"
    )


@pytest.mark.parametrize("odd", [{"updated": "2026-11-23T10:00:10"}, {"selected": 10**400}])
def test_odd_progress_is_that_of_a_cluster_that_runs(folder: FleetFolder, odd: dict[str, Any]) -> None:
    progress = replace(progress_of(BEGAN, selected=9, done=5), **odd)
    write_progress(folder.output_dir / "runs", progress)
    found = {one.cluster: one for one in FleetWatch(folder.path).look()}
    assert found["runs"] == ClusterProgress("runs", "running")


def test_a_table_of_what_runs(folder: FleetFolder) -> None:
    lines = live_lines(FleetWatch(folder.path).look(), 10, 100)
    assert lines[1:] == [
        "CLUSTER      DONE  FAILING   RATE  LEFT  STATE",
        "runs        20/40        3  1.0/s  20 s  running",
        "just-begun      -        -      -     -  running",
        "done          1/1        -      -     -  scanned",
    ]


def test_lines_are_bounded_and_names_are_escaped() -> None:
    many = [ClusterProgress(HOSTILE_NAME + str(number), "running") for number in range(50)]
    lines = live_lines(many, 5, 30)
    assert len(lines) == 5 and all(len(line) <= 30 for line in lines)
    assert all(line.isprintable() for line in lines)


def test_without_a_fleet_run_there_is_nothing_to_watch(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ScanError):
        FleetWatch(tmp_path / "_fleet" / "x")
