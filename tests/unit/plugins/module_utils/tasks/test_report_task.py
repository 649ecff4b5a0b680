# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_report`: which files it writes, and where."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import re
import stat
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_registry import (
    FLEET_REPORTS,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_run import (
    write_sample_run,
)


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    return write_sample_run(tmp_path / "results")


def report(run: Run, check_mode: bool = False, **params: Any) -> tuple[dict[str, Any], list[str]]:
    """The task's result, and what it said."""
    return report_on(run.folder, check_mode, **params)


def report_on(
    run_dir: str | None, check_mode: bool = False, **params: Any
) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    given = {name: rule.get("default") for name, rule in scan_report_spec().items()}
    context = TaskContext(check_mode=check_mode, environ={}, say=said.append)
    return run_scan_report({**given, "run_dir": run_dir, **params}, context), said


def names(folder: pathlib.Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_markdown_and_junit_are_written_to_the_run(run: Run) -> None:
    folder = pathlib.Path(run.folder)
    before = (folder / "summary.json").read_bytes()
    result, _said = report(run)
    files = [str(folder / "summary.md"), str(folder / "gate.junit.xml")]
    sizes = [(folder / name).stat().st_size for name in ("summary.md", "gate.junit.xml")]
    reports = [{"path": path, "files": 1, "bytes": size} for path, size in zip(files, sizes)]
    shown = [f"Report: {path} ({size} bytes)" for path, size in zip(files, sizes)]
    assert result == {"changed": False, "files": files, "reports": reports, "table": shown}
    assert names(folder) == {"hdf", "summary.json", "summary.md", "gate.junit.xml"}
    assert {stat.S_IMODE(pathlib.Path(path).stat().st_mode) for path in result["files"]} == {0o640}
    assert (folder / "summary.json").read_bytes() == before, "it decides nothing"


def test_the_folder_for_reports_is_made(run: Run, tmp_path: pathlib.Path) -> None:
    wanted = tmp_path / "a" / "b"
    result, _said = report(run, formats=["junit", "junit"], output_dir=str(wanted))
    assert result["files"] == [str(wanted / "gate.junit.xml")]
    assert names(wanted) == {"gate.junit.xml"}
    assert names(pathlib.Path(run.folder)) == {"hdf", "summary.json"}


def test_every_format_of_a_run_is_written_where_the_task_says(run: Run, tmp_path: pathlib.Path) -> None:
    wanted = tmp_path / "out"
    result, _said = report(run, formats=list(REPORTS), output_dir=str(wanted))
    assert result["files"] == [str(wanted / one.file_name) for one in REPORTS.values()]
    assert names(wanted) == {one.file_name for one in REPORTS.values()}
    again, _said = report(run, formats=list(REPORTS), output_dir=str(wanted))
    assert again["reports"] == result["reports"]
    for written in result["reports"]:
        path = pathlib.Path(written["path"])
        files = list(path.iterdir()) if path.is_dir() else [path]
        assert (len(files), sum(file.stat().st_size for file in files)) == (
            written["files"],
            written["bytes"],
        )


def test_check_mode_says_what_would_be_written(run: Run, tmp_path: pathlib.Path) -> None:
    wanted = tmp_path / "reports"
    result, said = report(run, check_mode=True, output_dir=str(wanted))
    assert result["files"] == [str(wanted / "summary.md"), str(wanted / "gate.junit.xml")]
    assert said == [f"would write {path}" for path in result["files"]]
    assert not wanted.exists()


KNOWN = f"one of {', '.join(sorted({**REPORTS, **FLEET_REPORTS}))}"


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["markdwon"], f"unknown format 'markdwon', did you mean 'markdown'? Expected {KNOWN}"),
        (["markdown", "xyz"], f"unknown format 'xyz'; expected {KNOWN}"),
        ([], "no format is named"),
    ],
)
def test_a_format_that_there_is_not_is_refused_before_anything_is_written(
    run: Run, formats: list[str], message: str
) -> None:
    with pytest.raises(ScanError) as caught:
        report(run, formats=formats)
    assert (caught.value.reason, caught.value.message) == ("bad_option", message)
    assert names(pathlib.Path(run.folder)) == {"hdf", "summary.json"}


def test_a_folder_that_cannot_be_made_fails_the_task(run: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScanError) as caught:
        report(run, output_dir=str(tmp_path / "file" / "x"))
    assert caught.value.reason == "write_failed"


def test_a_fleet_run_has_reports_of_its_own(tmp_path: pathlib.Path) -> None:
    fleet_run = write_sample_fleet(tmp_path / "results")
    result, _said = report_on(fleet_run.folder, cluster_name="localhost")
    folder = pathlib.Path(fleet_run.folder)
    assert result["files"] == [str(folder / "summary.md"), str(folder / "report.html")]
    before = (folder / "fleet.json").read_bytes()
    result, _said = report_on(fleet_run.folder, formats=["json", "csv"], output_dir=str(tmp_path / "out"))
    assert (tmp_path / "out" / "fleet.json").read_bytes() == before
    result, _said = report_on(fleet_run.folder, formats=["json", "html"])
    assert result["files"] == [str(folder / "report.html")], "fleet.json is there already"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"formats": ["junit"]},
            "junit is no format of a fleet run; it has: json, csv, markdown, html",
        ),
        ({"decision": "x"}, "only a run has decision, and this is a fleet run"),
        ({"summary_sha256": "0" * 64}, "is not the file that was named"),
    ],
)
def test_what_a_fleet_run_does_not_have_is_refused(
    params: dict[str, Any], message: str, tmp_path: pathlib.Path
) -> None:
    fleet_run = write_sample_fleet(tmp_path / "results")
    before = names(pathlib.Path(fleet_run.folder))
    with pytest.raises(ScanError) as caught:
        report_on(fleet_run.folder, **params)
    assert message in caught.value.message
    assert names(pathlib.Path(fleet_run.folder)) == before


def test_a_run_is_not_a_fleet_run(run: Run) -> None:
    with pytest.raises(ScanError) as caught:
        report(run, formats=["json"])
    assert caught.value.message == f"json is no format of a run; it has: {', '.join(REPORTS)}"


def stored(folder: pathlib.Path, *runs: Run) -> str:
    """The address of a store with these runs."""
    address = str(folder / "store.sqlite")
    store = make_store(address)
    for one in runs:
        store.ingest_run(one)
    store.close()
    return address


def page_data(path: str) -> dict[str, Any]:
    """The data of a page."""
    found = re.search(r'id="page-data">([A-Za-z0-9+/=]+)<', pathlib.Path(path).read_text(encoding="utf-8"))
    assert found
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def test_a_page_of_a_run_with_a_store_knows_the_past(run: Run, tmp_path: pathlib.Path) -> None:
    result, _said = report(run, formats=["html"])
    assert page_data(result["files"][0])["trend"]["at"] == []
    result, _said = report(run, formats=["html", "markdown"], store=stored(tmp_path, run))
    found = page_data(result["files"][0])
    assert found["kind"] == "run"
    assert found["trend"]["at"] and found["lives"]["place"] and found["since"]


def test_a_page_of_a_store_alone_has_the_newest_results(run: Run, tmp_path: pathlib.Path) -> None:
    # the action plugin gives each task the name of its host
    given = {"store": stored(tmp_path, run), "cluster_name": "localhost"}
    result, _said = report_on(None, output_dir=str(tmp_path / "out"), **given)
    assert result["files"] == [str(tmp_path / "out" / "report.html")]
    found = page_data(result["files"][0])
    assert found["kind"] == "store"
    strings = found["strings"]
    assert [strings[name] for name in found["clusters"]["name"]] == [run.cluster]
    kept = {strings[pod] for pod in found["targets"]["pod"]}
    assert {
        target.pod for target in run.targets if target.cluster == run.cluster and target.is_scanned
    } <= kept
    assert max(found["targets"]["vector"]) > 0, "its documents come from the store"
    assert found["lives"]["place"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "run_dir is needed, or store"),
        ({"store": "s.sqlite"}, "output_dir is needed for the page of a store alone"),
        ({"store": "s.sqlite", "formats": ["junit"]}, "junit is no format of a store; it has: html"),
        ({"store": "s.sqlite", "decision": "x"}, "only a run has decision, and this is a store"),
    ],
)
def test_a_store_alone_has_its_page_and_nothing_else(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ScanError) as caught:
        report_on(None, **params)
    assert message in caught.value.message
