# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the page report.html: what it says of each target, how hostile text gets in, how large it becomes."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import pathlib
import re
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports import page_data
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.fleet_html import (
    write_fleet_html,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.html import (
    DATA_PLACE,
    packed,
    write_html,
    write_page,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_data import PageData
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_file import page_template
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import PageSource
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import RESULTS, STATUSES
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import one_line
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import write_sample_fleet
from ansible_collections.securescan.kubernetes.tests.support.sample_metrics import run_with_deadlines
from ansible_collections.securescan.kubernetes.tests.support.sample_page import sample_source
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_run,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE, write_sample_run

GOLDEN = pathlib.Path(__file__).parent / "golden" / "report.data.json"
_DATA = re.compile(r'<script type="application/octet-stream" id="page-data">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("results"))


def written(run: Run) -> str:
    stream = io.StringIO()
    write_html(run, stream)
    return stream.getvalue()


def data_of(html: str) -> dict[str, Any]:
    found = _DATA.findall(html)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[0])))
    return data


def data(source: PageSource) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(PageData(source).pieces()))
    return found


def column(found: dict[str, Any], table: str, name: str) -> list[str]:
    return [found["strings"][number] for number in found[table][name]]


def statuses(found: dict[str, Any], pod: str) -> dict[str, str]:
    """The letter of each control on a target."""
    target = column(found, "targets", "pod").index(pod)
    vector = found["vectors"][found["targets"]["vector"][target]]
    ids = column(found, "controls", "id")
    return {control: letter for control, letter in zip(ids, vector) if letter != "-"}


def remarks(found: dict[str, Any], pod: str) -> dict[str, str]:
    target = column(found, "targets", "pod").index(pod)
    flat = found["remarks"][found["targets"]["remark"][target]]
    ids = column(found, "controls", "id")
    return {ids[control]: found["strings"][text] for control, text in zip(flat[::2], flat[1::2])}


def test_the_data_of_the_sample_run_is_as_its_golden_file(run: Run) -> None:
    found = data_of(written(run))
    found["writer"] = "this collection"
    text = json.dumps(found, indent=1, ensure_ascii=True) + "\n"
    if os.environ.get("SECURESCAN_WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="ascii")
    assert text == GOLDEN.read_text(encoding="ascii"), (
        "look at the difference, then SECURESCAN_WRITE_GOLDEN=1"
    )


def test_every_status_has_its_letter_and_a_waived_control_one_of_its_own(run: Run) -> None:
    found = data(PageSource.of_run(run))
    api = statuses(found, "api-1")
    wanted = {"c-passed": "P", "c-unread": "R", "c-no-impact": "A", "c-waived": "W", "c-attested": "P"}
    assert {control: api[control] for control in wanted} == wanted
    legacy = statuses(found, "legacy-1")
    assert {control: legacy[control] for control in ("c-failed", "c-broken", "e-1")} == {
        "c-failed": "F",
        "c-broken": "E",
        "e-1": "F",
    }


def test_the_counts_are_those_of_the_summary(run: Run) -> None:
    found = data(PageSource.of_run(run))
    letters = "".join(found["vectors"][vector] for vector in found["targets"]["vector"] if vector >= 0)
    counts = {status: letters.count(letter) for status, letter in page_data.LETTERS.items()}
    counts["not_applicable"] += letters.count("W")
    assert counts == {status: run.controls.of(status) for status in STATUSES}
    results = [RESULTS[number] for number in found["targets"]["result"]]
    assert results == [target.result for target in run.targets]


def test_what_was_not_scanned_has_no_controls_and_its_cause(run: Run) -> None:
    found = data(PageSource.of_run(run))
    for target, record in enumerate(run.targets):
        error = found["targets"]["error"][target]
        assert (error >= 0) == (not record.is_scanned)
        if record.error:
            assert found["targets"]["vector"][target] == -1
            assert column(found, "errors", "reason")[error] == record.error.reason
    assert len(set(column(found, "errors", "reason"))) == 2, "equal errors stand there once"


def test_why_a_control_has_its_status_stands_beside_it(run: Run) -> None:
    said = remarks(data(PageSource.of_run(run)), "legacy-1")
    assert (
        said["c-failed"] == "expected 0644, found 0777. Waiver expired on 2026-06-30, the control was judged"
    )
    assert said["c-waived"].startswith("Waived by team | <shop> without end: ")
    assert "c-passed" not in said


def test_what_the_gate_found_new_is_named_by_place_and_control(run: Run) -> None:
    found = data(PageSource.of_run(run))
    ids = column(found, "controls", "id")
    workloads = column(found, "places", "workload")
    fresh = {
        (workloads[place], ids[control])
        for place, control in zip(found["fresh"]["place"], found["fresh"]["control"])
    }
    assert run.gate is not None
    assert len(fresh) == len(run.gate.new_failures) > 0


def test_hostile_text_is_visible_escapes_and_ends_no_element(run: Run) -> None:
    html = written(run)
    outside = _DATA.sub("", html)
    assert outside == page_template().replace(
        f'<script type="application/octet-stream" id="page-data">{DATA_PLACE}</script>', ""
    ), "what differs from page to page is in base64 only"
    assert re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", _DATA.findall(html)[0])
    for text in data_of(html)["strings"]:
        assert text.replace("\n", "").isprintable()
        text.encode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "\u2028\u2029",
        "\ud800 \udcff",
        "\x00\x1b[31m",
        HOSTILE,
    ],
)
def test_no_text_of_a_container_leaves_its_place(text: str, tmp_path: pathlib.Path) -> None:
    target = make_target("evil-1", node=text, image=text)
    control = make_control("c", "failed", impact=0.9, title=text, desc=text, descriptions={"fix": text})
    html = written(open_run(str(write_run(tmp_path, "run-1", [(target, make_document(target, control))]))))
    assert html.count("</script>") == page_template().count("</script>")
    assert html.count("<!--") == page_template().count("<!--")
    assert all(one.replace("\n", "").isprintable() for one in data_of(html)["strings"])


@pytest.mark.parametrize("start", ["//example.com/hdf/", "../../../", "javascript:alert(1)/"])
def test_a_link_to_a_document_stays_in_the_runs_folder(start: str, tmp_path: pathlib.Path) -> None:
    document = make_document(make_target(), make_control("c", "passed"))
    run = open_run(str(write_run(tmp_path, "run-1", [(make_target(), document)])))
    name = pathlib.Path(run.targets[0].hdf).name
    (pathlib.Path(run.folder) / "hdf" / name).rename(pathlib.Path(run.folder) / "hdf" / "other.json")
    moved = replace(run, targets=(replace(run.targets[0], hdf=f"{start}other.json"),))
    assert column(data(PageSource.of_run(moved)), "targets", "hdf") == ["hdf/other.json"]


def test_long_texts_are_cut_and_lines_of_a_fix_stay_lines() -> None:
    builder = PageData(PageSource("t", "run", "", lambda: iter(())))
    strings = builder._strings.texts
    assert strings[builder._lines("one\n  two\tthree\x1b\n")] == "one\n  two    three\\x1b"
    assert len(strings[builder._lines("x" * 9000)]) == 1201
    assert len(strings[builder._text("y" * 9000)]) == 400


def test_all_that_targets_say_is_bounded_and_the_page_tells_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_data, "_MAX_REMARKS", 2000)
    found = data(sample_source(2, 200, lives=False))
    assert 0 < len(found["remarks"]) < 60
    assert any("targets' texts" in note for note in found["notes_on_data"])


def test_replicas_that_are_alike_share_their_results() -> None:
    found = data(sample_source(1, 40, replicas=4, lives=False))
    assert len(found["targets"]["place"]) == 40
    assert len(found["places"]["cluster"]) == 10
    assert len(found["vectors"]) <= 10


def test_a_fleet_has_an_entry_for_every_cluster_that_was_expected(tmp_path: pathlib.Path) -> None:
    fleet_run = write_sample_fleet(tmp_path)
    found = data(PageSource.of_fleet_run(fleet_run))
    assert column(found, "clusters", "name") == [one_line(entry.cluster) for entry in fleet_run.clusters]
    assert column(found, "clusters", "state") == [entry.state for entry in fleet_run.clusters]
    for number, entry in enumerate(fleet_run.clusters):
        assert (found["clusters"]["error"][number] >= 0) == (entry.error is not None)
        assert (found["clusters"]["folder"][number] >= 0) == entry.has_run
    stream = io.StringIO()
    write_fleet_html(fleet_run, stream)
    assert data_of(stream.getvalue())["kind"] == "fleet run"


def test_a_run_of_a_fleet_that_was_altered_is_the_clusters_error_and_not_shown(
    tmp_path: pathlib.Path,
) -> None:
    fleet_run = write_sample_fleet(tmp_path)
    entry = next(entry for entry in fleet_run.clusters if entry.has_run)
    summary = fleet_run.output_dir / entry.run_dir / "summary.json"
    summary.write_text(summary.read_text().replace("exec", "debug"))
    found = data(PageSource.of_fleet_run(fleet_run))
    number = column(found, "clusters", "name").index(entry.cluster)
    assert column(found, "clusters", "state")[number] == "broken"
    assert column(found, "errors", "reason")[found["clusters"]["error"][number]] == "bad_results"
    assert number not in [found["places"]["cluster"][place] for place in found["targets"]["place"]]


def test_a_history_gives_trends_and_the_lives_of_findings() -> None:
    found = data(sample_source(3, 30))
    assert found["since"] == "2026-11-29T02:00:00Z"
    assert set(found["trend"]["cluster"]) == {-1, 0, 1, 2}
    lives = len(found["lives"]["place"])
    assert lives > 0
    assert max(found["lives"]["place"]) < len(found["places"]["cluster"])
    assert len(found["lives"]["changes"]) == lives


def test_deadlines_of_a_run_say_what_is_overdue_and_whose_it_is(tmp_path: pathlib.Path) -> None:
    run = run_with_deadlines(tmp_path)
    found = data(PageSource.of_run(run))
    assert found["lives"]["overdue"] == [1, 1]
    assert set(column(found, "lives", "opened")) == {"2026-11-01T00:00:00+00:00"}
    assert set(column(found, "places", "team")) == {"shop-team"}
    assert set(column(found, "places", "environment")) == {"production"}
    (pathlib.Path(run.folder) / "deadlines.json").write_text("{}")
    altered = data(PageSource.of_run(replace(run)))  # reads anew
    assert altered["lives"]["place"] == []
    assert any("deadlines.json" in note for note in altered["notes_on_data"])


def test_the_packed_pieces_are_one_gzip() -> None:
    text = "".join(f"{number} " for number in range(200_000))
    pieces = list(packed(text[start : start + 1000] for start in range(0, len(text), 1000)))
    assert len(pieces) > 3
    assert gzip.decompress(base64.b64decode("".join(pieces))).decode() == text


def test_memory_and_size_stay_small() -> None:
    """2,000 targets x 116 controls: some kilobytes each would be too much."""
    stream = io.StringIO()
    tracemalloc.start()
    write_page(sample_source(4, 2000, lives=False), stream)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 25 * 1024 * 1024
    assert len(stream.getvalue()) < len(page_template()) + 2000 * 80


def test_without_a_gate_the_page_says_so() -> None:
    run = make_run(
        [(make_target(), make_document(make_target(), make_control("c", "passed")))], threshold=None
    )
    found = data(PageSource.of_run(run))
    assert found["gate"] == "" and column(found, "clusters", "gate") == [""]
