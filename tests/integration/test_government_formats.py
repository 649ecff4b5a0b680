# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The government formats before programs that are not ours: SAF's converters and its CLI, oscap, compliance-trestle."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.plugins.module_utils.safe_text import one_line

from ..support import trestle
from ..support.format_readers import all_readers
from ..support.format_readers.xccdf import validate
from ..support.sample_results import make_control, make_document, make_target, write_run
from ..support.sample_run import HOSTILE, write_sample_run
from ..support.stig_manager import imported

WORDS = {
    "ckl": {
        PASSED: "NotAFinding",
        FAILED: "Open",
        NOT_REVIEWED: "Not_Reviewed",
        NOT_APPLICABLE: "Not_Applicable",
        PROFILE_ERROR: "Not_Reviewed, Profile Error in its comments (SAF reads Profile Error)",
    },
    "cklb": {
        PASSED: "not_a_finding",
        FAILED: "open",
        NOT_REVIEWED: "not_reviewed",
        NOT_APPLICABLE: "not_applicable",
        PROFILE_ERROR: "not_reviewed, Profile Error in its comments",
    },
    "xccdf": {
        PASSED: "pass",
        FAILED: "fail",
        NOT_REVIEWED: "notchecked",
        NOT_APPLICABLE: "notapplicable",
        PROFILE_ERROR: "error",
    },
    "oscal": {
        PASSED: "satisfied (pass), property passed",
        FAILED: "not-satisfied (fail), property failed",
        NOT_REVIEWED: "not-satisfied (other), property not_reviewed",
        NOT_APPLICABLE: "no finding, property not_applicable",
        PROFILE_ERROR: "not-satisfied (other), property profile_error",
    },
}
ENDLESS = "<![CDATA[ \x00\x1b]]>&#0; {{ 7 }} \ud800\uffff\r\n" + "x" * 1_000_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("results"))


@pytest.mark.parametrize("name", WORDS)
def test_a_reader_sees_the_status_of_every_control(name: str, sample: Run, tmp_path: pathlib.Path) -> None:
    reader = all_readers()[name]
    path = write_report(REPORTS[name], sample, tmp_path)
    found = reader.read(path)
    expected = {
        (one_line(target.record.target_id), one.about.profile, one_line(one.about.id)): WORDS[name][
            one.status
        ]
        for target in run_verdicts(sample)
        for one in target.controls
    }
    assert found.keys() == expected.keys()
    for key, word in expected.items():
        assert found[key].startswith(word), key
    not_seen = WORDS[name][NOT_REVIEWED].split(", ")[0]
    unseen = {one_line(target.target_id): not_seen for target in sample.targets if target.error}
    assert {target_id: word.split(", ")[0] for target_id, word in reader.targets(path).items()} == unseen


def test_every_reader_takes_endless_and_illegal_texts(tmp_path: pathlib.Path) -> None:
    target = make_target(container=HOSTILE, image=ENDLESS, node=ENDLESS)
    control = make_control(
        "c",
        "failed",
        title=ENDLESS,
        desc=ENDLESS,
        descriptions={"fix": ENDLESS, "check": ENDLESS, "rationale": ENDLESS},
        tags={
            "nist": [ENDLESS, "AC-6"],
            "cci": [ENDLESS],
            "gtitle": ENDLESS,
            "legacy": [ENDLESS, *"x" * 300],
        },
        waiver_data={
            "justification": ENDLESS,
            "owner": ENDLESS,
            "skipped_due_to_waiver": True,
            "message": ENDLESS,
        },
    )
    run = open_run(str(write_run(tmp_path / "run", "run-1", [(target, make_document(target, control))])))
    for name in (*WORDS, "oscal_component"):
        path = write_report(REPORTS[name], run, tmp_path)
        words = all_readers()[name].read(path)
        assert [key[1:] for key in words] == ([("baseline", "c")] if name in WORDS else [])
        files = [*path.iterdir()] if path.is_dir() else [path]
        assert sum(file.stat().st_size for file in files) < 200_000, name


def test_the_component_definition_is_one(sample: Run, tmp_path: pathlib.Path) -> None:
    assert not all_readers()["oscal_component"].read(
        write_report(REPORTS["oscal_component"], sample, tmp_path)
    )


def test_the_readers_refuse_what_is_wrong(sample: Run, tmp_path: pathlib.Path) -> None:
    folder = write_report(REPORTS["xccdf"], sample, tmp_path)
    broken = tmp_path / "broken.xml"
    text = next(path for path in folder.iterdir() if "legacy" in path.name).read_text(encoding="utf-8")
    broken.write_text(text.replace("<result>fail</result>", "<result>failed</result>"), encoding="utf-8")
    with pytest.raises(AssertionError, match="failed"):
        validate(broken)
    path = write_report(REPORTS["oscal"], sample, tmp_path)
    wrong = tmp_path / "wrong.json"
    text = path.read_text(encoding="utf-8")
    wrong.write_text(text.replace('"state":"satisfied"', '"state":"perhaps"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="trestle"):
        trestle.validate(wrong, "assessment-results")
    folder = write_report(REPORTS["cklb"], sample, tmp_path)
    for path in folder.iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace('"open"', '"failed"'), encoding="utf-8")
    with pytest.raises(AssertionError, match="failed"):
        all_readers()["cklb"].read(folder)


def test_the_saf_cli_takes_a_checklist_and_results_of_xccdf(
    sample: Run, saf_program: str, tmp_path: pathlib.Path
) -> None:
    for name, command in (("ckl", "ckl2hdf"), ("xccdf", "xccdf_results2hdf")):
        folder = write_report(REPORTS[name], sample, tmp_path)
        path = next(path for path in sorted(folder.iterdir()) if "legacy" in path.name)
        hdf = tmp_path / f"{name}.json"
        subprocess.run([saf_program, "convert", command, "-i", path, "-o", hdf], cwd=tmp_path, check=True)
        document = json.loads(hdf.read_text(encoding="utf-8"))
        assert len(document["profiles"][0]["controls"]) == 9
    back = tmp_path / "back.ckl"
    subprocess.run(
        [saf_program, "convert", "hdf2ckl", "-i", tmp_path / "ckl.json", "-o", back], cwd=tmp_path, check=True
    )
    assert back.read_text(encoding="utf-8").count("<STATUS>") == 9


def test_stig_manager_takes_a_profile_that_has_the_ids_of_a_stig(tmp_path: pathlib.Path) -> None:
    tags = {"benchmark_id": "RHEL_9_STIG", "gid": "V-257777", "rid": "SV-257777r925318_rule"}
    target = make_target()
    document = make_document(target, make_control("c-1", "failed", tags=tags))
    run = open_run(str(write_run(tmp_path / "run", "run-1", [(target, document)])))
    for name in ("ckl", "cklb", "xccdf"):
        (one,) = imported(name, [*write_report(REPORTS[name], run, tmp_path).iterdir()])
        assert one["asset"] == "demo/shop/Deployment/api/app"
        assert one["benchmark"] == "RHEL_9_STIG"
        ((rule, result, detail, _comment),) = one["reviews"]
        assert (rule, result) == ("SV-257777r925318_rule", "fail")
        assert detail == "failed :: TEST File /etc/passwd mode :: MESSAGE expected 0644, found 0777"
