# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports of a fleet run: what they say, and that nothing in a name steers a reader, a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io
import pathlib
import re
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_csv import safe_cell
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_registry import (
    FLEET_REPORTS,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_report import (
    write_fleet_report,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_terminal import (
    render_fleet_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import (
    NOT_REACHED,
    UNREACHABLE,
    ClusterEntry,
    TargetNumbers,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import FleetRun
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import STATUSES
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import (
    error_record,
    make_fleet,
    sample_comparison,
    write_sample_fleet,
)
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> FleetRun:
    return write_sample_fleet(tmp_path_factory.mktemp("results"))


def rendered(name: str, fleet: FleetRun) -> str:
    stream = io.StringIO()
    FLEET_REPORTS[name].write(fleet, stream)
    return stream.getvalue()


def test_the_summary_for_a_terminal(fleet: FleetRun) -> None:
    lines = render_fleet_run(fleet)
    assert " ".join(" ".join(lines[:2]).split()) == (
        "FLEET fleet-1: FAILED by gate, coverage, unreachable: 1 cluster failed its gate; 3 clusters were not scanned or judged "
        "as far as asked; 4 clusters have no results"
    )
    names = [line.split()[0] for line in lines[3:8]]
    assert names == ["delta", "theta", "beta", "gamma", "alpha"], "the worst first, the one that is fine last"
    text = "\n".join(lines)
    # of theta no container could be scanned, and that is not scanned
    assert re.search(r"^4 of 9 +scanned +1 passed +4/8 +4/8 ", text, re.MULTILINE)
    assert "Since fleet-0: 1 new failure, 1 fixed, 1 reopened" in text
    assert "zeta: unreachable: said the server (SCAN-202 unreachable)" in text
    assert "Not reached, first in the next fleet run: epsilon" in text
    assert text.isascii() and "\x1b" not in text, "names are escaped"


def test_one_without_an_earlier_one_and_one_that_passed(tmp_path: pathlib.Path) -> None:
    empty = render_fleet_run(make_fleet([]))
    assert empty[0].startswith("FLEET fleet-1: FAILED by coverage")
    assert "No earlier fleet run to compare with." in empty


def test_thousands_of_clusters_stay_a_page() -> None:
    many = make_fleet([ClusterEntry(f"c-{number:05d}", "h", {}, NOT_REACHED) for number in range(5000)])
    assert len(render_fleet_run(many)) < 10
    assert len(rendered("markdown", many).splitlines()) < 1100


def test_markdown_makes_no_markup_of_names(fleet: FleetRun) -> None:
    text = rendered("markdown", fleet)
    assert "<b>" not in text and "\x1b" not in text and "\u202e" not in text
    (row,) = re.findall(r"^\| x.*\| broken \|.*$", text, re.MULTILINE)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5, "a name makes no cell"
    assert "[run-1](../../beta/run-1/summary.md)" in text
    assert "| beta/shop/Deployment/api/app | baseline | c-3 |" in text
    assert "New clusters: beta." in text and "Clusters that went: omega." in text


def test_csv_has_a_line_for_each_cluster_and_no_formula(fleet: FleetRun) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered("csv", fleet))))
    assert [row["state"] for row in rows] == [entry.state for entry in fleet.clusters]
    assert {row["group region"] for row in rows if row["cluster"] == "zeta"} == {"us"}
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


@pytest.mark.parametrize(
    "text", ["=cmd()", "+1", "-1", "@x", "\t=1", "\n=1", " =1", "|x", "%x", "\r@", "\uff1d1", "\uff20x"]
)
def test_a_cell_is_no_formula(text: str) -> None:
    assert str(safe_cell(text)).startswith("'")


def test_json_is_the_file_itself(fleet: FleetRun, tmp_path: pathlib.Path) -> None:
    path = write_fleet_report(FLEET_REPORTS["json"], fleet, tmp_path)
    assert path.read_bytes() == (pathlib.Path(fleet.folder) / "fleet.json").read_bytes()


def test_times_are_shown_to_the_second_and_a_file_steers_no_terminal(fleet: FleetRun) -> None:
    first, *_others = fleet.clusters
    for seen, shown_so in (
        ("2026-11-23T01:00:00.806+01:00", "2026-11-23T00:00:00Z"),
        ("1\x1b[31mred", "1"),
    ):
        lines = render_fleet_run(make_fleet([replace(first, oldest_seen=seen)]))
        assert lines[-1].startswith(f"The oldest result is of {shown_so}")
        assert "\x1b" not in lines[-1]


def test_the_readme_shows_such_a_summary() -> None:
    def cluster(name: str, gate: str, failed: int, worst: str, *numbers: int) -> ClusterEntry:
        selected, compliance, duration = numbers
        return ClusterEntry(
            name,
            name,
            {},
            "scanned",
            gate=gate,
            run_id="run-1",
            run_dir=f"{name}/run-1",
            summary_sha256="0" * 64,
            duration=float(duration),
            targets=TargetNumbers(selected, selected, selected, 0),
            controls={**dict.fromkeys(STATUSES, 0), "failed": failed},
            compliance=compliance,
            worst_failed=worst,
            oldest_seen="2026-11-23T13:00:04Z",
        )

    dead = ClusterEntry("lab", "lab", {}, UNREACHABLE).with_error(
        UNREACHABLE, error_record("unreachable", "no connection to lab.example.com:6443: Connection refused")
    )
    entries = [
        cluster("prod-us", "failed", 312, "critical", 84, 91, 42),
        cluster("prod-eu", "passed", 18, "medium", 120, 99, 58),
        dead,
        ClusterEntry("stage", "stage", {}, NOT_REACHED),
    ]
    then = replace(
        sample_comparison(),
        previous="night-0",
        counts={"new": 3, "fixed": 11, "reopened": 1},
        came=(),
        went=(),
    )
    lines = render_fleet_run(make_fleet(entries, "20261123t130000-1f9a2c", comparison=then))
    shown("../README.md", "fleet-summary", "\n".join(lines), {})
