# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports jsonl, csv and hdf: rules that their golden files and readers do not show."""

from __future__ import annotations

import csv
import io
import json
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import csv_table, hdf, jsonl
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import gap_target
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.plain_event import plain_event
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.spreadsheet import safe_cell
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.tests.support.cases_run import write_cases_run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    rendered,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run


@pytest.fixture(params=[write_sample_run, write_cases_run])
def run(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Run:
    made: Run = request.param(tmp_path)
    return made


def test_each_line_is_the_event_of_one_control_or_target(run: Run) -> None:
    first, *lines = map(json.loads, rendered(jsonl.REPORT, run).splitlines())
    assert first["kind"] == "run" and first["gate"] == "FAILED"
    assert first["targets"]["selected"] == len(run.targets) + len(run.gaps)
    targets = [*run_verdicts(run), *(gap_target(run, gap) for gap in run.gaps)]
    expected = [
        plain_event(run, target, verdict) for target in targets for verdict in target.controls or (None,)
    ]
    assert lines == json.loads(json.dumps(expected))


def test_each_row_has_all_columns_and_says_what_the_lines_say(run: Run) -> None:
    text = rendered(csv_table.REPORT, run)
    assert text.count("\n") == text.count("\r\n"), "as RFC 4180 has it"
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    lines = [json.loads(line) for line in rendered(jsonl.REPORT, run).splitlines()[1:]]
    assert [(row["status"], row["fingerprint"]) for row in rows if row["control"]] == [
        (line["status"], line["fingerprint"]) for line in lines if line["kind"] == "control"
    ]
    assert [row["status"] for row in rows] == [line["status"] for line in lines]
    assert all(row["run_id"] == run.run_id and None not in row.values() for row in rows)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "'=1+1"),
        ("\t@SUM(A1)", "'@SUM(A1)"),
        ("x;=1+1", "x;'=1+1"),
        ('x; "=1+1', "x; \"'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a - b; c + d", "a - b; c + d"),
        ("two\r\n=lines", "two =lines"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


def test_a_large_run_is_cut_into_documents(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf, "_MOST_CONTROLS", 5)
    controls = [make_control("c-1", "passed"), make_control("c-2", "failed")]
    targets = [make_target(f"api-{index}") for index in range(5)]
    path = write_run(tmp_path, "run-1", [(one, make_document(one, *controls)) for one in targets])
    folder = write_report(hdf.REPORT, open_run(str(path)), tmp_path)
    sizes = {}
    for file in folder.iterdir():
        document = read_hdf(file.read_bytes(), file.name)
        sizes[file.name.partition("~")[0]] = len(document["profiles"][0]["controls"])
    assert sizes == {"run-1": 4, "run-2": 4, "run-3": 2, "place-demo-shop-deployment-api-app": 10}


def test_a_target_that_passes_hides_none_that_failed(tmp_path: pathlib.Path) -> None:
    good, bad = make_target("good"), make_target("bad")
    documents = [
        (good, make_document(good, make_control("c-1", "passed"))),
        (bad, make_document(bad, make_control("c-1", "skipped"))),
    ]
    folder = write_report(hdf.REPORT, open_run(str(write_run(tmp_path, "run-1", documents))), tmp_path)
    (file,) = folder.glob("place-*")
    (profile,) = json.loads(file.read_bytes())["profiles"]
    assert {one["id"]: one["results"][0]["status"] for one in profile["controls"]} == {
        "baseline/c-1 @ shop/Deployment/api/good/app": "passed",
        "baseline/c-1 @ shop/Deployment/api/bad/app": "skipped",
    }


def test_a_run_without_targets_has_no_document_that_would_pass(tmp_path: pathlib.Path) -> None:
    folder = write_report(hdf.REPORT, open_run(str(write_run(tmp_path, "run-1", []))), tmp_path)
    assert not list(folder.iterdir())
