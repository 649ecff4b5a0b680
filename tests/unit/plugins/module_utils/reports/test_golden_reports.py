# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each format makes of the sample run, compared with a file that a person has read.

SECURESCAN_WRITE_GOLDEN=1 writes the files anew; read what has changed before it is committed.
"""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import STATUSES
from ansible_collections.securescan.kubernetes.tests.support.sample_run import (
    write_sample_run,
)

GOLDEN = pathlib.Path(__file__).parent / "golden"
# Of the page its data is compared (test_page_data.py): the page itself is built, and a test builds it again. The government
# formats are large: a small run of theirs is compared (test_government_golden.py). What test_event_formats.py reads has a reader.
ELSEWHERE = frozenset(
    {
        *("html", "ckl", "cklb", "xccdf", "oscal", "oscal_component"),
        *("ocsf", "ecs", "asff", "openmetrics", "cyclonedx"),
    }
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("results"))


def compare(name: str, data: bytes) -> None:
    path = GOLDEN / name
    # kept with LF, as files of a repository are; that CSV has CRLF is a test of its own (test_lines_and_tables.py)
    data = data.replace(b"\r\n", b"\n") if path.suffix == ".csv" else data
    if os.environ.get("SECURESCAN_WRITE_GOLDEN"):
        path.write_bytes(data)
    assert data == path.read_bytes(), f"{name}: look at the difference, then SECURESCAN_WRITE_GOLDEN=1"


@pytest.mark.parametrize("name", [name for name in REPORTS if name not in ELSEWHERE])
def test_each_format_is_as_its_golden_file(name: str, run: Run, tmp_path: pathlib.Path) -> None:
    path = write_report(REPORTS[name], run, tmp_path)
    if path.is_dir():
        compare_folder(path)
    else:
        compare(path.name, path.read_bytes())


def compare_folder(path: pathlib.Path) -> None:
    kept = GOLDEN / path.name
    if os.environ.get("SECURESCAN_WRITE_GOLDEN"):
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
    for part in path.iterdir():
        compare(f"{path.name}/{part.name}", part.read_bytes())
    assert {part.name for part in kept.iterdir()} == {part.name for part in path.iterdir()}


def test_the_summary_is_as_its_golden_file(run: Run) -> None:
    compare("summary.json", (pathlib.Path(run.folder) / "summary.json").read_bytes())


def test_the_table_is_as_its_golden_file(run: Run) -> None:
    compare("table.txt", render_table(run).encode("utf-8"))


def test_every_golden_file_is_of_a_format_or_of_what_is_not_one() -> None:
    formats = {report.file_name for report in REPORTS.values() if report.name not in ELSEWHERE}
    others = {"summary.json", "table.txt", "report.data.json"}
    assert {path.name for path in GOLDEN.iterdir()} == formats | others


def test_every_format_has_its_row_in_the_guide() -> None:
    guide = (pathlib.Path(__file__).resolve().parents[5] / "docs" / "reports.md").read_text(encoding="utf-8")
    for report in REPORTS.values():
        assert f"| `{report.name}` | `{report.file_name}` | " in guide


def test_the_sample_run_has_each_status_outcome_and_kind_of_note(run: Run) -> None:
    assert all(run.controls.of(status) for status in STATUSES)
    assert {target.result for target in run.targets} == {"pass", "fail", "not_judged", "not_scanned"}
    assert len({target.cluster for target in run.targets}) == 2
    assert {note.kind for note in run.waiver_notes} == {"expired", "unknown_control"}
    assert {note.kind for note in run.attestation_notes} == {"expired", "unknown_control", "not_covered"}
    assert run.gate is not None and {reason.key for reason in run.gate.reasons} >= {
        "coverage.min",
        "new_failures.max",
        "must_pass.baseline",
    }
    assert len(list(run.documents())) == run.target_counts.scanned
