# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OSCAL: what is a finding and what is not, ids, and what stands there where nothing was scanned."""

from __future__ import annotations

import json
import pathlib
import uuid
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.oscal import REPORT
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.oscal_component import (
    REPORT as COMPONENT,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.oscal_parts import (
    markup,
    nist_controls,
    token,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import (
    Unmatched,
    UnmatchedError,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import ControlText
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    rendered,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import NO_SHELL, write_sample_run

GAP = Unmatched("pod", "away", "shop", UnmatchedError("SCAN-401", "no_targets", "no pod is called away"))
TARGET = make_target()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("results"))


def results(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rendered(REPORT, run))["assessment-results"]["results"]
    return found


def props(value: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in value["props"]}


def opened(folder: pathlib.Path, *documents: Any, **fields: Any) -> Run:
    return open_run(str(write_run(folder, "run-1", documents, **fields)))


def states(result: dict[str, Any]) -> dict[str, str]:
    """{control: state and reason of its finding, and the status of its observation}"""
    findings = {
        one["related-observations"][0]["observation-uuid"]: one["target"]["status"]
        for one in result["findings"]
    }
    found = {}
    for one in result["observations"]:
        status = findings.get(one["uuid"], {"state": "no finding", "reason": ""})
        found[props(one)["control"]] = f"{status['state']} {status['reason']} {props(one)['status']}"
    return found


def test_what_does_not_apply_is_no_finding_and_nothing_else_than_a_pass_is_satisfied(
    tmp_path: pathlib.Path,
) -> None:
    controls = [
        make_control("c-passed", "passed"),
        make_control("c-failed", "failed"),
        make_control("c-unread", "skipped"),
        make_control("c-no-impact", "passed", impact=0.0),
        make_control("c-broken", "error"),
    ]
    (result,) = results(opened(tmp_path, (TARGET, make_document(TARGET, *controls))))
    assert states(result) == {
        "c-passed": "satisfied pass passed",
        "c-failed": "not-satisfied fail failed",
        "c-unread": "not-satisfied other not_reviewed",
        "c-no-impact": "no finding  not_applicable",
        "c-broken": "not-satisfied other profile_error",
    }


def test_waivers_and_attestations_are_properties(sample: Run) -> None:
    legacy = next(one for one in results(sample) if "legacy" in one["title"])
    observations = {props(one)["control"]: props(one) for one in legacy["observations"]}
    assert observations["c-waived"]["waived"] == "true"
    assert observations["c-waived"]["waiver"] == (
        "Waiver in force, without it Failed, by team | <shop>, without end: The vendor needs it."
    )
    assert observations["c-attested"]["attestation"] == (
        "Attestation in force, attested by security on 2026-11-01, until 2027-11-01: seen by a person"
    )
    assert observations["c-attested"]["attested"] == "true"
    assert (
        "counts for nothing" in observations["c-failed"]["waiver"]
        and "waived" not in observations["c-failed"]
    )


def test_what_was_not_seen_is_not_satisfied(tmp_path: pathlib.Path) -> None:
    documents = [(one, make_document(one, make_control("c", "passed"))) for one in (TARGET, make_target("x"))]
    run = opened(tmp_path, *documents, not_scanned=[(make_target("y"), NO_SHELL)], unmatched=[GAP])
    path = pathlib.Path(run.folder) / run.targets[0].hdf
    path.write_text("{}", encoding="utf-8")
    found = results(run)
    assert len(found) == 4
    for result, status in ((found[0], "unread"), (found[2], "not_scanned"), (found[3], "no_target")):
        (finding,) = result["findings"]
        assert finding["target"]["status"] == {"state": "not-satisfied", "reason": "other"}
        assert props(result["observations"][0])["status"] == status
    assert states(found[1]) == {"c": "satisfied pass passed"}


def test_a_run_without_targets_says_that_nothing_was_scanned(tmp_path: pathlib.Path) -> None:
    (result,) = results(opened(tmp_path, allow_empty=True))
    assert result["title"] == "Nothing was scanned" and "findings" not in result


def test_ids_are_of_version_5_and_each_stands_once(sample: Run) -> None:
    ids = []
    for result in results(sample):
        parts = [*result["observations"], *result.get("findings", ()), result]
        ids += [one["uuid"] for one in [*parts, *result["local-definitions"]["inventory-items"]]]
    assert len(ids) == len({*ids})
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in ids} == {(5, uuid.RFC_4122)}


def test_reviewed_controls_are_those_that_the_tags_name(sample: Run) -> None:
    by_profile, without = results(sample)[0]["reviewed-controls"]["control-selections"]
    assert [one["control-id"] for one in by_profile["include-controls"]] == ["ac-6", "cm-7"]
    assert "include-all" in without and "name none of NIST" in without["description"]


def test_controls_of_nist_are_named_as_its_catalogue_does() -> None:
    tags = {"nist": ["AC-6", "AC-6(10)", "SI-7 (1)", "Rev_5", "CM-6 b", 5, "unknown"]}
    about = ControlText("p", "c", "", "low", "", "", "", tags)
    assert nist_controls(about) == ["ac-6", "ac-6.10", "si-7.1"]


def test_texts_make_no_markup_and_ids_no_other_id() -> None:
    assert markup("<script>alert(1)</script> [x](javascript:y) *a*") == (
        r"&lt;script&gt;alert(1)&lt;/script&gt; \[x\](javascript:y) \*a\*"
    )
    assert markup("") == "(nothing)"
    assert token("cb-shells") == "cb-shells"
    texts = ["a b", "a_x20_b", "1a", "_1a", "", "x" * 500, "x" * 501, "\ud800", "\u00e9", "a/b", "a:b"]
    tokens = [token(one) for one in texts]
    assert len({*tokens}) == len(texts)
    assert all(one[0].isalpha() or one[0] == "_" for one in tokens)


def test_a_component_has_each_rule_once_and_says_which_part_of_which_control_it_checks(sample: Run) -> None:
    document = json.loads(rendered(COMPONENT, sample))["component-definition"]
    baseline, extra = document["components"]
    rules = [one["value"] for one in baseline["props"] if one["name"] == "Rule_Id"]
    assert len(rules) == len({*rules}) and {"c-passed", "c-waived", "c-broken", "c-withheld"} <= {*rules}
    (implemented,) = baseline["control-implementations"]
    named = {one["control-id"]: one["description"] for one in implemented["implemented-requirements"]}
    assert named.keys() == {"ac-6", "cm-7"} and named["ac-6"].startswith(
        "Checked in part by: Title of c-passed"
    )
    assert "control-implementations" not in extra
