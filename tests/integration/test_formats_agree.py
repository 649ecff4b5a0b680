# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same result says the same thing in every format: what each reader shows of each control is the word that docs/formats.md
has for the one status.

The words are learnt from the run of that page, which has one control for each case. They are then looked for in a run of many
controls with mixed results, whose ids stand twice, in two profiles.
"""

from __future__ import annotations

import itertools
import pathlib
import random
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import read_amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASSED,
    PROFILE_ERROR,
    WORST_FIRST,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import (
    Verdict,
    run_verdicts,
)

from ..support import cases_run
from ..support.cases_run import NOW, PROFILE, control_of, target_id_of, write_cases_run
from ..support.format_readers import all_readers
from ..support.sample_results import START, make_control, make_judgement, make_profile, make_target

READERS = all_readers()
CASES = tuple(cases_run._JUDGED)
BY_STATUS = {
    PASSED: "passed",
    FAILED: "failed",
    NOT_REVIEWED: "not reviewed",
    NOT_APPLICABLE: "not applicable",
    PROFILE_ERROR: "profile error",
}
OTHER_PROFILE = "extra"


def case_of(verdict: Verdict) -> str:
    """The row of docs/formats.md that a verdict belongs to, told from the one status alone."""
    if verdict.waived:
        return "waived"
    if verdict.attested:
        return "attested as passed" if verdict.status == PASSED else "attested as failed"
    if verdict.status == FAILED and verdict.waiver:
        return "failed, waiver expired"
    if verdict.status == NOT_REVIEWED and verdict.attestation:
        return "not reviewed, attestation expired"
    return BY_STATUS[verdict.status]


def profile_of(name: str, cases: Mapping[str, str], pod: str) -> Any:
    """A profile whose controls are of these cases; amended as its own files say, because a file has one waiver for a control."""
    controls, waivers, attestations = [], {}, []
    for control_id, case in cases.items():
        status, impact, manual = cases_run._JUDGED[case]
        controls.append(
            make_control(control_id, status, impact=impact, manual=manual, tags={"nist": ["AC-6"]})
        )
        of_case = control_of(case)
        if of_case in cases_run._WAIVERS:
            waivers[control_id] = {**cases_run._WAIVERS[of_case], "targets": [{"pod": pod}]}
        attestations += [
            {**one, "control_id": control_id}
            for one in cases_run._ATTESTATIONS
            if one["control_id"] == of_case
        ]
    profile = make_profile(name, *controls)
    read_amendments(waivers or None, attestations or None).apply([profile], make_target(pod).identity(), NOW)
    return profile


def write_mixed_run(folder: pathlib.Path) -> Run:
    """Six targets, two profiles, 24 controls in each; every case on some of them."""
    dice = random.Random(16)
    run_folder = RunFolder(str(folder), "mixed")
    run_folder.create()
    profiles = [ProfileReference(name, "1.2.0", "ab" * 32) for name in (PROFILE, OTHER_PROFILE)]
    builder = RunSummaryBuilder(
        run_id="mixed", started=START, cluster="demo", selection={"namespaces": ["shop"]}, profiles=profiles
    )
    named = []
    for number in range(6):
        target = make_target(f"mixed-{number}", workload=f"mixed-{number % 4}")
        judged = [
            profile_of(name, {f"c-{index:02}": dice.choice(CASES) for index in range(24)}, f"mixed-{number}")
            for name in (PROFILE, OTHER_PROFILE)
        ]
        judgement = make_judgement(target, *judged)
        judgement.method["run_id"] = "mixed"
        document = hdf_document(judgement)
        hdf, sha256 = run_folder.write_hdf(document, target.identity())
        builder.add_scanned(target.identity(), "exec", 0.25, document, hdf, hdf_sha256=sha256)
        named.append((hdf, document))
    run = builder.finish("2026-11-23T10:00:02Z", 2.0)
    decision = decide(DEFAULT_THRESHOLD, named, run.expected_targets())
    run_folder.write_summary(run.with_gate(decision))
    return open_run(str(run_folder.path))


def replica_is_worse(verdict: Verdict, target_id: str, run: Run, found: Mapping[Any, str]) -> bool:
    """Whether the format has the control of another pod of the same workload, with a status that is as bad or worse: it then has
    one finding for a place and a control."""
    places = {one.target_id: one.place_id for one in run.targets}
    return any(
        WORST_FIRST.index(other.status) <= WORST_FIRST.index(verdict.status)
        for one in run_verdicts(run)
        if one.record.target_id != target_id and places[one.record.target_id] == places[target_id]
        for other in one.controls
        if (other.about.profile, other.about.id) == (verdict.about.profile, verdict.about.id)
        and (one.record.target_id, other.about.profile, other.about.id) in found
    )


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_cases_run(tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_mixed_run(tmp_path_factory.mktemp("mixed"))


def test_every_case_is_among_the_mixed_results(mixed: Run) -> None:
    found = {case_of(verdict) for target in run_verdicts(mixed) for verdict in target.controls}
    assert found == set(CASES)


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_format_says_of_every_control_what_its_table_says(
    name: str, learnt: Run, mixed: Run, tmp_path: pathlib.Path
) -> None:
    reader, report = READERS[name], REPORTS[name]
    folders = tmp_path / "learnt", tmp_path / "mixed"
    for folder in folders:
        folder.mkdir()
    said = reader.read(write_report(report, learnt, folders[0]))
    words = {case: said.get((target_id_of(case), PROFILE, control_of(case))) for case in CASES}
    if not any(words.values()):
        pytest.skip("the format only counts, or says nothing of results")
    found = reader.read(write_report(report, mixed, folders[1]))
    wrong = []
    for target in run_verdicts(mixed):
        for verdict in target.controls:
            key = (target.record.target_id, verdict.about.profile, verdict.about.id)
            expected = words[case_of(verdict)]
            if key not in found and replica_is_worse(verdict, target.record.target_id, mixed, found):
                continue
            if found.get(key) != expected:
                wrong.append((key, case_of(verdict), found.get(key), expected))
    assert not wrong, f"{len(wrong)} differ, for example {list(itertools.islice(wrong, 3))}"
    known = {
        (target.record.target_id, verdict.about.profile, verdict.about.id)
        for target in run_verdicts(mixed)
        for verdict in target.controls
    }
    assert set(found) <= known, "it speaks of controls that the run does not have"
