# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters: their rules are the engine's, their documentation is complete, and its examples run."""

from __future__ import annotations

import inspect
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
import yaml

pytest.importorskip("ansible", reason="filters belong to Ansible")

from ansible.errors import AnsibleFilterError
from ansible_collections.securescan.kubernetes.plugins.filter.scan_results import FilterModule
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import (
    RunFolder,
    hdf_file_name,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_run,
    make_target,
)

ROOT = pathlib.Path(__file__).resolve().parents[4]
FILTERS = FilterModule().filters()
SIDECARS = sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.yml"))
ONE, TWO, GONE = make_target("api-1"), make_target("db-1", workload="db"), make_target("gone")
FIRST = hdf_document(
    make_judgement(
        ONE,
        make_profile(
            "container-baseline",
            make_control("c-1", "passed", tags={"nist": ["AC-6", "CM-7"]}),
            make_control("c-2", "failed", impact=0.9, tags={"nist": ["AC-6"], "cis": "5.1"}),
            make_control("c-3", "skipped", tags={"severity": "High", "nist": ["SI-2"]}),
        ),
        make_profile(
            "extra",
            make_control("e-1", "failed", impact=0.3, tags={"nist": []}),
            make_control("e-2", "passed", impact=0.0),
        ),
    )
)
SECOND = make_document(
    TWO, make_control("c-1", "failed", impact=0.5), make_control("c-2", "error"), profile="container-baseline"
)
BOTH = [FIRST, SECOND]
RUN = make_run([(ONE, FIRST), (TWO, SECOND)], [(GONE, ScanError("pod_gone", "gone"))], None).to_json()


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_summary_of_documents_and_of_a_run() -> None:
    of_documents, of_run = FILTERS["scan_summary"](BOTH), FILTERS["scan_summary"](RUN)
    assert of_documents["controls"] == of_run["controls"]
    assert of_documents["profiles"] == of_run["profiles"]
    assert of_documents["controls"]["failed"] == {
        "total": 3,
        "critical": 1,
        "high": 0,
        "medium": 1,
        "low": 1,
        "none": 0,
    }
    assert of_documents["profiles"]["container-baseline"] == {
        "passed": 1,
        "failed": 2,
        "not_reviewed": 1,
        "not_applicable": 0,
        "profile_error": 1,
    }
    assert of_documents["targets"] == {
        "selected": 2,
        "scanned": 2,
        "not_scanned": 0,
        "not_judged": 0,
        "carried": 0,
    }
    assert of_run["targets"] == {"selected": 3, "scanned": 2, "not_scanned": 1, "not_judged": 0, "carried": 0}
    assert FILTERS["scan_summary"](FIRST)["controls"]["controls"] == 5


def test_compliance_is_that_of_all_profiles_or_of_one() -> None:
    assert FILTERS["scan_compliance"](BOTH) == FILTERS["scan_compliance"](RUN) == 16.66
    assert FILTERS["scan_compliance"](BOTH, profile="container-baseline") == 20
    assert FILTERS["scan_compliance"](FIRST, "extra") == 0


def test_failed_controls() -> None:
    rows = FILTERS["scan_failed_controls"](BOTH)
    assert ids(rows) == ["c-2", "c-1", "e-1"], "worst first"
    assert rows[0] == {
        "target_id": ONE.target_id,
        "profile": "container-baseline",
        "id": "c-2",
        "title": "Title of c-2",
        "status": "failed",
        "severity": "critical",
        "impact": 0.9,
        "tags": {"nist": ["AC-6"], "cis": "5.1"},
        "messages": ["expected 0644, found 0777"],
    }
    assert ids(FILTERS["scan_failed_controls"](BOTH, severity="medium")) == ["c-2", "c-1"]
    assert ids(FILTERS["scan_failed_controls"](BOTH, profile="extra")) == ["e-1"]


def test_failed_controls_are_grouped_by_severity() -> None:
    groups = FILTERS["scan_by_severity"](BOTH)
    assert {severity: ids(rows) for severity, rows in groups.items()} == {
        "critical": ["c-2"],
        "high": [],
        "medium": ["c-1"],
        "low": ["e-1"],
        "none": [],
    }
    assert list(groups) == ["critical", "high", "medium", "low", "none"]
    assert ids(FILTERS["scan_by_severity"](BOTH, status="not_reviewed")["high"]) == ["c-3"]


def test_controls_are_grouped_by_the_values_of_a_tag() -> None:
    groups = FILTERS["scan_by_tag"](BOTH, "nist")
    assert {value: ids(rows) for value, rows in groups.items()} == {
        "AC-6": ["c-2", "c-1"],
        "CM-7": ["c-1"],
        "SI-2": ["c-3"],
    }
    failed = FILTERS["scan_by_tag"](BOTH, "nist", status="failed")
    assert {value: ids(rows) for value, rows in failed.items()} == {"AC-6": ["c-2"]}
    assert ids(FILTERS["scan_by_tag"](BOTH, "cis")["5.1"]) == ["c-2"]
    assert FILTERS["scan_by_tag"](BOTH, "no-such-tag") == {}


def test_diff_of_runs_and_of_documents() -> None:
    pod = make_target("api-2")
    now = make_document(
        pod, make_control("c-2", "failed"), make_control("c-9", "failed"), profile="container-baseline"
    )
    for results, baseline in (
        (now, FIRST),
        ([now], BOTH[:1]),
        (make_run([(pod, now)], (), None).to_json(), FIRST),
    ):
        diff = FILTERS["scan_diff"](results, baseline)
        assert {
            name: [(entry["profile"], entry["control"]) for entry in entries]
            for name, entries in diff.items()
        } == {
            "new_failures": [("container-baseline", "c-9")],
            "still_failed": [("container-baseline", "c-2")],
            "no_longer_failed": [("extra", "e-1")],
        }
        assert {entry["place"] for entries in diff.values() for entry in entries} == {
            "demo/shop/Deployment/api/app"
        }


def foreign(target_id: Any, *failed: str, container: str = "a") -> dict[str, Any]:
    """A document as InSpec writes it, with the controls c-1 and c-2."""
    made = make_document(
        make_target(container),
        *(make_control(one, "failed" if one in failed else "passed") for one in ("c-1", "c-2")),
    )
    platform = dict(made["platform"])
    del platform["target_id"]
    platform.update({} if target_id is None else {"target_id": target_id})
    return {name: value for name, value in dict(made, platform=platform).items() if name != "passthrough"}


@pytest.mark.parametrize(
    "target_id",
    [
        None,
        "",
        "   ",
        "da39a3ee-5e6b-5b0d-b255-bfef95601890",
        "DA39A3EE-5E6B-5B0D-B255-BFEF95601890",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "d41d8cd98f00b204e9800998ecf8427e",
        "b7ade003-b9a9-582a-823d-9e021ce846bd",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0",
        "n/a",
        "None",
        "unknown",
    ],
)
def test_documents_with_an_id_that_identifies_nothing_are_told_apart_by_their_position(
    target_id: Any,
) -> None:
    documents = [foreign(target_id, "c-1"), foreign(target_id, "c-2", container="b")]
    assert FILTERS["scan_summary"](documents)["targets"]["selected"] == 2
    assert FILTERS["scan_compliance"](documents) == 50
    rows = FILTERS["scan_failed_controls"](documents)
    assert sorted((row["target_id"], row["id"]) for row in rows) == [
        ("document 1", "c-1"),
        ("document 2", "c-2"),
    ]
    then = [foreign(target_id), foreign(target_id, "c-2", container="b")]
    found = FILTERS["scan_diff"](documents, then)
    assert [(one["place"], one["control"]) for one in found["new_failures"]] == [("document 1", "c-1")]
    assert [(one["place"], one["control"]) for one in found["still_failed"]] == [("document 2", "c-2")]
    assert found["no_longer_failed"] == []


def test_two_documents_of_one_target_are_refused_in_words_that_fit() -> None:
    given = [foreign("4c4c4544-0043-4a10-8056-b4c04f4e3132"), foreign("4c4c4544-0043-4a10-8056-b4c04f4e3132")]
    with pytest.raises(AnsibleFilterError, match="two documents are about 4c4c4544") as caught:
        FILTERS["scan_compliance"](given)
    for wrong in ("missing", "empty", "cut off", "Scan again"):
        assert wrong not in str(caught.value)


def test_what_was_not_scanned_or_reviewed_is_not_called_mended() -> None:
    then = [foreign("a", "c-1"), foreign("b", "c-1", "c-2", container="b")]
    unread = make_document(make_target("a"), make_control("c-1", "skipped"), make_control("c-2", "passed"))
    unread["platform"]["target_id"] = "a"
    del unread["passthrough"]
    assert FILTERS["scan_diff"]([unread], then)["no_longer_failed"] == []
    gone = make_run([(ONE, FIRST)], [(TWO, ScanError("pod_gone", "gone"))], None).to_json()
    assert FILTERS["scan_diff"](gone, RUN)["no_longer_failed"] == []


@pytest.mark.parametrize(
    ("name", "value", "arguments", "message"),
    [
        ("scan_summary", [], {}, "there are no documents"),
        ("scan_summary", None, {}, "document 1: the document must be an object"),
        ("scan_summary", "path/x.json", {}, "the document must be an object"),
        ("scan_summary", {}, {}, "lacks platform"),
        ("scan_summary", [FIRST, {"a": 1}], {}, "document 2: the document lacks platform"),
        ("scan_summary", dict(FIRST, profiles=[]), {}, "profiles is empty"),
        ("scan_summary", dict(RUN, targets=[]), {}, "its targets are not those that it counts"),
        ("scan_summary", dict(RUN, schema_version=9), {}, "is not a run summary of schema version 4"),
        ("scan_summary", [FIRST, FIRST], {}, "two documents are about demo/shop/Deployment/api/api-1/app"),
        ("scan_summary", [RUN], {}, "lacks platform"),
        ("scan_failed_controls", RUN, {}, "is a run's summary, which holds no results of tests"),
        ("scan_compliance", RUN, {"profile": "extra"}, "is a run's summary"),
        ("scan_compliance", BOTH, {"profile": "else"}, "none of the documents has the profile else"),
        (
            "scan_failed_controls",
            BOTH,
            {"severity": "High"},
            "must be one of critical, high, medium, low, none, found 'High'",
        ),
        (
            "scan_by_severity",
            BOTH,
            {"status": "skipped"},
            "status must be one of passed, failed, not_reviewed",
        ),
        ("scan_by_tag", BOTH, {"tag": "nist", "status": "x"}, "status must be one of"),
        ("scan_diff", BOTH, {"baseline": {}}, "lacks platform"),
        ("scan_diff", BOTH, {"baseline": None}, "must be an object"),
    ],
)
def test_bad_input_is_an_error_with_a_sentence(
    name: str, value: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](value, **arguments)
    assert str(caught.value).startswith(name + ": ")
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def documentation() -> dict[str, Any]:
    program = pathlib.Path(sys.executable).parent / "ansible-doc"
    done = subprocess.run(
        [str(program), "-t", "filter", "-j", *[f"securescan.kubernetes.{name}" for name in SIDECARS]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr and "WARNING" not in done.stderr, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_every_filter_is_documented_with_its_options(documentation: dict[str, Any]) -> None:
    assert sorted(FILTERS) == SIDECARS
    for name, function in FILTERS.items():
        entry = documentation[f"securescan.kubernetes.{name}"]
        _input, *parameters = inspect.signature(function).parameters.values()
        options = entry["doc"]["options"]
        assert set(options) == {"_input", *(parameter.name for parameter in parameters)}, name
        assert entry["doc"].get("positional", "") == ", ".join(parameter.name for parameter in parameters)
        for parameter in parameters:
            required = parameter.default is inspect.Parameter.empty
            assert bool(options[parameter.name].get("required")) == required
            assert options[parameter.name].get("default") == (None if required else parameter.default)
        assert entry["doc"]["short_description"] and entry["return"]["_value"]["type"]
        assert yaml.safe_load(entry["examples"])


def write_run(folder: pathlib.Path, run_id: str, *documents: Any) -> dict[str, str]:
    run_folder = RunFolder(str(folder), run_id)
    run_folder.create()
    summary = make_run(list(documents), (), None, run_id=run_id)
    for target, document in documents:
        run_folder.write_hdf(document, target.identity())
    return {"run_dir": str(run_folder.path), "summary_file": str(run_folder.write_summary(summary))}


def test_every_example_runs(documentation: dict[str, Any], tmp_path: pathlib.Path) -> None:
    again = make_document(ONE, make_control("c-1", "failed"), profile="container-baseline")
    variables = {
        "scan": write_run(tmp_path, "run-1", (ONE, FIRST), (TWO, SECOND)),
        "again": write_run(tmp_path, "run-2", (ONE, again)),
    }
    tasks = [
        task
        for name in SIDECARS
        for task in yaml.safe_load(documentation[f"securescan.kubernetes.{name}"]["examples"])
    ]
    assert len(tasks) == len(FILTERS)
    play = tmp_path / "examples.yml"
    play.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}])
    )
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), "-i", "localhost,", "-c", "local", str(play)],
        cwd=tmp_path,
        check=False,
        text=True,
        capture_output=True,
        env=dict(os.environ, ANSIBLE_NOCOLOR="1"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in (
        "3 controls failed on 2 containers",
        "16.66 %, of it 20 % by the baseline",
        "critical: 1",
        "AC-6",
        "demo/shop/Deployment/api/app: c-1 failed, and did not fail before",
        f"{ONE.target_id}: Title of c-2 (expected 0644, found 0777)",
    ):
        assert text in done.stdout, (text, done.stdout)
    assert "WARNING" not in done.stderr


def test_what_a_document_says_is_never_a_template(tmp_path: pathlib.Path) -> None:
    """Through a scan's documents, the filters, set_fact, a loop and copy, in the Ansible that is installed."""
    hostile = "{{ lookup('pipe', 'touch %s') }}" % (tmp_path / "run")
    document = make_document(ONE, make_control("c-1", "failed", title=hostile))
    scan = write_run(tmp_path, "run-1", (ONE, document))
    tasks = [
        {"ansible.builtin.set_fact": {"found": "{{ [lookup('file', file) | from_json] | CONTROLS }}"}},
        {"ansible.builtin.set_fact": {"again": "{{ found }}"}},
        {"ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": "{{ again }}"},
        {
            "ansible.builtin.copy": {
                "content": "{{ again | to_json }}",
                "dest": str(tmp_path / "copy"),
                "mode": "0600",
            }
        },
    ]
    text = json.dumps(tasks).replace("CONTROLS", "securescan.kubernetes.scan_failed_controls")
    variables = {
        "ansible_python_interpreter": sys.executable,
        "file": scan["run_dir"] + "/hdf/" + hdf_file_name(ONE.identity()),
    }
    play = tmp_path / "hostile.yml"
    play.write_text(
        yaml.safe_dump(
            [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": json.loads(text)}]
        )
    )
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [str(program), "-i", "localhost,", "-c", "local", str(play)],
        cwd=tmp_path,
        check=False,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert hostile.split("'")[1] in (tmp_path / "copy").read_text(encoding="utf-8"), "the text went through"
    assert not (tmp_path / "run").exists()
    attack_ends_as("H-02-templates", outcome="no template is run")
