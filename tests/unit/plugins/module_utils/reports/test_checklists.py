# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as checklists: which there are, what they are about, and what they say of what was not seen."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.checklist import (
    Checklist,
    checklists,
    comments,
    details,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import (
    Unmatched,
    UnmatchedError,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import (
    ControlText,
    Verdict,
    run_verdicts,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import NO_SHELL, write_sample_run

XCCDF = {"x": "http://checklists.nist.gov/xccdf/1.2"}
GAP = Unmatched("pod", "away", "shop", UnmatchedError("SCAN-401", "no_targets", "no pod is called away"))
TWO_PROFILES = [
    ProfileReference("baseline", "1.2.0", "ab" * 32),
    ProfileReference("extra", "2.0.0", "cd" * 32),
]
ONE, TWO = make_target("api-1"), make_target("api-2")
ABOUT = ControlText("p", "c", "Title", "medium", "", "", "", {}, 0.5)
# What each format says of each status. Only XCCDF has a word for an error.
WORDS = {
    "ckl": ("NotAFinding", "Open", "Not_Reviewed", "Not_Applicable", "Not_Reviewed"),
    "cklb": ("not_a_finding", "open", "not_reviewed", "not_applicable", "not_reviewed"),
    "xccdf": ("pass", "fail", "notchecked", "notapplicable", "error"),
}
STATUSES = (PASSED, FAILED, NOT_REVIEWED, NOT_APPLICABLE, PROFILE_ERROR)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("results"))


def opened(folder: pathlib.Path, *documents: Any, **fields: Any) -> Run:
    return open_run(str(write_run(folder, "run-1", documents, **fields)))


def by_about(run: Run) -> dict[tuple[str, str], Checklist]:
    return {one.about: one for one in checklists(run)}


def statuses(name: str, folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """(id of the control, word) of every rule in every file."""
    for path in sorted(folder.iterdir()):
        if name == "cklb":
            for rule in json.loads(path.read_text(encoding="utf-8"))["stigs"][0]["rules"]:
                yield rule["group_id"], rule["status"]
        elif name == "ckl":
            for vuln in ElementTree.parse(path).iterfind(".//VULN"):
                yield vuln.findtext("STIG_DATA/ATTRIBUTE_DATA", ""), vuln.findtext("STATUS", "")
        else:
            root = ElementTree.parse(path).getroot()
            ids = {
                one.attrib["id"]: one.findtext("x:version", "", XCCDF)
                for one in root.iterfind(".//x:Rule", XCCDF)
            }
            for result in root.iterfind(".//x:rule-result", XCCDF):
                yield ids[result.attrib["idref"]], result.findtext("x:result", "", XCCDF)


@pytest.mark.parametrize("name", WORDS)
def test_each_status_has_its_word(name: str, tmp_path: pathlib.Path) -> None:
    controls = [
        make_control("c-0", "passed"),
        make_control("c-1", "passed", "failed"),
        make_control("c-2", "skipped"),
        make_control("c-3", "failed", impact=0.0),
        make_control("c-4", "error", "passed"),
    ]
    run = opened(tmp_path, (ONE, make_document(ONE, *controls)))
    assert [one.status for one in next(run_verdicts(run)).controls] == [*STATUSES]
    found = dict(statuses(name, write_report(REPORTS[name], run, tmp_path)))
    assert tuple(found[f"c-{number}"] for number in range(5)) == WORDS[name]


@pytest.mark.parametrize("name", WORDS)
def test_what_counts_is_the_status_of_the_verdicts(name: str, sample: Run, tmp_path: pathlib.Path) -> None:
    words = dict(zip(STATUSES, WORDS[name]))
    expected = [words[one.status] for target in run_verdicts(sample) for one in target.controls]
    unseen = sum(len(one.controls) for one in checklists(sample) if one.why_not)
    found = [word for _control, word in statuses(name, write_report(REPORTS[name], sample, tmp_path))]
    assert sorted(found) == sorted(expected + [words[NOT_REVIEWED]] * unseen)


@pytest.mark.parametrize("name", [*WORDS, "oscal", "oscal_component"])
def test_a_report_is_the_same_each_time(name: str, sample: Run, tmp_path: pathlib.Path) -> None:
    def content(path: pathlib.Path) -> list[bytes]:
        return [one.read_bytes() for one in (sorted(path.iterdir()) if path.is_dir() else [path])]

    first = content(write_report(REPORTS[name], sample, tmp_path))
    assert first == content(write_report(REPORTS[name], open_run(sample.folder), tmp_path))


def test_there_is_one_for_each_target_and_profile(sample: Run) -> None:
    found = [one.about for one in checklists(sample)]
    assert sorted(found) == sorted(
        (target.target_id, profile) for target in sample.targets for profile in ("baseline", "extra")
    )


def test_a_target_that_was_not_scanned_has_every_rule_of_the_others(tmp_path: pathlib.Path) -> None:
    document = make_document(ONE, make_control("c-1", "passed"), make_control("c-2", "failed"))
    run = opened(tmp_path, (ONE, document), not_scanned=[(TWO, NO_SHELL)])
    found = by_about(run)[TWO.target_id, "baseline"]
    assert [(one.about.id, one.status) for one in found.controls] == [
        ("c-1", NOT_REVIEWED),
        ("c-2", NOT_REVIEWED),
    ]
    assert "not found" in found.why_not and NO_SHELL.record()["code"] in found.why_not
    assert "skipped :: TEST the control :: SKIP_MESSAGE Not scanned: " in details(found.controls[0])


def test_where_no_target_was_scanned_one_rule_says_so(tmp_path: pathlib.Path) -> None:
    run = opened(tmp_path, not_scanned=[(ONE, NO_SHELL), (TWO, NO_SHELL)])
    for one in checklists(run):
        assert [(rule.about.id, rule.status) for rule in one.controls] == [("not-scanned", NOT_REVIEWED)]
    for name in WORDS:
        found = list(statuses(name, write_report(REPORTS[name], run, tmp_path)))
        assert found == [("not-scanned", WORDS[name][2])] * 2


def test_a_name_without_targets_and_a_skipped_profile_are_not_reviewed(tmp_path: pathlib.Path) -> None:
    skipped = make_profile("extra", status="skipped", status_message="it is for Alpine")
    judged = [
        (ONE, [make_profile("baseline", make_control("c-1", "passed")), skipped]),
        (
            TWO,
            [
                make_profile("baseline", make_control("c-1", "passed")),
                make_profile("extra", make_control("e-1", "passed")),
            ],
        ),
    ]
    documents = [(target, hdf_document(make_judgement(target, *profiles))) for target, profiles in judged]
    found = by_about(opened(tmp_path, *documents, profiles=TWO_PROFILES, unmatched=[GAP]))
    assert found[ONE.target_id, "extra"].why_not == "The profile was skipped on the target: it is for Alpine"
    assert [one.status for one in found[ONE.target_id, "extra"].controls] == [NOT_REVIEWED]
    gap = found["pod/shop/away", "extra"]
    assert gap.why_not == "Not scanned: no pod is called away"
    assert [(one.about.id, one.status) for one in gap.controls] == [("e-1", NOT_REVIEWED)]
    assert [one.status for one in found[TWO.target_id, "extra"].controls] == [PASSED]


def test_a_document_that_is_not_the_runs_is_not_reviewed(tmp_path: pathlib.Path) -> None:
    documents = [(one, make_document(one, make_control("c-1", "passed"))) for one in (ONE, TWO)]
    run = opened(tmp_path, *documents)
    path = pathlib.Path(run.folder) / run.targets[0].hdf
    path.write_text(path.read_text(encoding="utf-8").replace("passed", "failed"), encoding="utf-8")
    found = by_about(run)[ONE.target_id, "baseline"]
    assert found.why_not.startswith("Its results are not those of the run: ")
    assert [one.status for one in found.controls] == [NOT_REVIEWED]


def test_an_asset_is_a_place_and_no_replica_writes_over_another(tmp_path: pathlib.Path) -> None:
    long = make_target("long-1", workload="w" * 250)
    documents = [(one, make_document(one, make_control("c-1", "passed"))) for one in (ONE, TWO, long)]
    names = [one.asset.name for one in checklists(opened(tmp_path, *documents))]
    assert names[:2] == ["demo/shop/Deployment/api/app", "demo/shop/Deployment/api/app #2"]
    assert len(names[2]) == 255 and re.search("~[0-9a-f]{16}$", names[2])


def verdict(status: str, *tests: dict[str, Any], text: str = "") -> Verdict:
    return Verdict(ABOUT, status, text=text, tests=tests)


def test_a_text_of_a_container_makes_no_test_of_its_own() -> None:
    forged = "x\n--------------------------------\npassed :: TEST y :: MESSAGE z"
    for key in ("message", "skip_message", "code_desc"):
        test = {"status": "skipped", "code_desc": "what", key: forged}
        found = details(verdict(NOT_REVIEWED, test))
        assert found.startswith("skipped :: TEST ") and "\n" not in found
        assert found.count(" :: TEST ") == 1
    assert "\n" not in comments(verdict(PROFILE_ERROR, text="a\nWAIVER :: Waiver in force: b"))


def test_of_many_tests_those_that_decide_come_first() -> None:
    passed = {"status": "passed", "code_desc": "fine"}
    failed = {"status": "failed", "code_desc": "not fine", "message": "found 0777"}
    found = details(verdict(FAILED, *[passed] * 90, failed))
    assert found.startswith("failed :: TEST not fine :: MESSAGE found 0777\n---")
    assert found.endswith(" (and 41 more tests)")
    long = {"status": "failed", "code_desc": "x" * 5_000, "message": "y" * 1_000_000}
    assert len(details(verdict(FAILED, *[long] * 60))) < 32_767
    assert details(verdict(PROFILE_ERROR)) == "error :: TEST the control :: MESSAGE it has no tests"


def test_ids_of_disa_are_used_where_the_profile_has_them(tmp_path: pathlib.Path) -> None:
    tags = {
        "benchmark_id": "RHEL_9_STIG",
        "gid": "V-257777",
        "rid": "SV-257777r925318_rule",
        "stig_id": "RHEL-09-211010",
        "gtitle": "SRG-OS-000480-GPOS-00227",
        "cci": ["CCI-000366", "no cci"],
        "legacy": ["V-1"],
    }
    run = opened(tmp_path, (ONE, make_document(ONE, make_control("c-1", "passed", tags=tags))))
    (path,) = write_report(REPORTS["ckl"], run, tmp_path).iterdir()
    said = [
        (one.findtext("VULN_ATTRIBUTE"), one.findtext("ATTRIBUTE_DATA"))
        for one in ElementTree.parse(path).iterfind(".//STIG_DATA")
    ]
    expected = {
        ("Vuln_Num", "V-257777"),
        ("Rule_ID", "SV-257777r925318_rule"),
        ("Rule_Ver", "RHEL-09-211010"),
        ("Group_Title", "SRG-OS-000480-GPOS-00227"),
        ("CCI_REF", "CCI-000366"),
        ("LEGACY_ID", "V-1"),
    }
    assert expected <= {*said} and ("CCI_REF", "no cci") not in said
    (path,) = write_report(REPORTS["cklb"], run, tmp_path).iterdir()
    stig = json.loads(path.read_text(encoding="utf-8"))["stigs"][0]
    rule = stig["rules"][0]
    assert (stig["stig_id"], stig["stig_name"]) == ("RHEL_9_STIG", "baseline")
    assert (rule["rule_id_src"], rule["rule_id"]) == ("SV-257777r925318_rule", "SV-257777r925318")
    (path,) = write_report(REPORTS["xccdf"], run, tmp_path).iterdir()
    text = path.read_text(encoding="utf-8")
    assert 'idref="xccdf_mil.disa.stig_rule_SV-257777r925318_rule"' in text
    assert 'id="xccdf_mil.disa.stig_benchmark_RHEL_9_STIG" resolved="1"' in text
