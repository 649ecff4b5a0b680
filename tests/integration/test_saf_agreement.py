# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SAF itself as the oracle: statuses, counts, compliance and threshold decisions agree with the real program.

Where they do not, the difference is a named defect of SAF, shown to be still there.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decision import Reason
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import (
    ControlResult,
    Judgement,
    Platform,
    ProfileResult,
    Segment,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import (
    SEVERITIES,
    STATUS_WORDS,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import (
    ProfileSummary,
    summarize,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.tests.saf import generated_results as generated

SAF_FOLDER = Path(generated.__file__).parent
SAF_NAMES = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "not_reviewed",
    "no_impact": "not_applicable",
    "error": "profile_error",
}
NUMBER = 240
START = "2026-11-23T10:00:00+00:00"


class Saf(NamedTuple):
    program: Path
    installation: Path


@pytest.fixture(scope="module")
def saf() -> Saf:
    done = subprocess.run(
        [sys.executable, str(SAF_FOLDER / "install.py")], stdout=subprocess.PIPE, check=True
    )
    program = Path(done.stdout.decode().strip())
    return Saf(program, program.parents[2])


def run_node(saf: Saf, script: str, jobs: Any, folder: Path) -> Any:
    """Runs one of our scripts over `jobs` in one process."""
    jobs_file = folder / (script + ".jobs.json")
    jobs_file.write_text(json.dumps(jobs))
    done = subprocess.run(
        ["node", str(SAF_FOLDER / script), str(saf.installation), str(jobs_file)],
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    return json.loads(done.stdout)


def write_json(path: Path, value: Any) -> str:
    path.write_text(json.dumps(value))
    return str(path)


def first_profile(document: dict[str, Any]) -> ProfileSummary:
    """Ours, of the profile that SAF looks at."""
    return summarize(read_hdf(json.dumps(document).encode(), "generated")).profiles[0]


def saf_counts(
    profile: ProfileSummary, defect: str = "", document: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What `saf view summary` must say of a profile: its names, its buckets, its totals as sums of buckets.

    With a defect, what the program says because of it.
    """
    odd = set()
    if defect == generated.CAPITAL_SEVERITY and document:
        odd = {
            control["id"]
            for control in document["profiles"][0]["controls"]
            if (control["tags"].get("severity") or "") != (control["tags"].get("severity") or "").lower()
        }
    counts: dict[str, Any] = {}
    for name, status in SAF_NAMES.items():
        severities = [one for one in SEVERITIES if one != "none" or name == "no_impact" or not defect]
        counts[name] = {
            severity: sum(
                control.status == status and control.severity == severity and control.id not in odd
                for control in profile.controls
            )
            for severity in severities
        }
        counts[name]["total"] = sum(counts[name].values())
    return counts


def without_empty_none(counts: dict[str, Any]) -> dict[str, Any]:
    """SAF has no bucket `none` but for no_impact; an empty one of ours says the same."""
    return {
        name: {
            key: number
            for key, number in counts[name].items()
            if key != "none" or name == "no_impact" or number
        }
        for name in SAF_NAMES
    }


def test_counts_and_compliance_agree_with_the_program(saf: Saf, tmp_path: Path) -> None:
    documents = [(seed, "", generated.make_document(seed)) for seed in range(NUMBER)]
    documents += [
        (seed, defect, generated.make_document(seed, defect))
        for start, defect in ((501, generated.CAPITAL_SEVERITY), (601, generated.NONE_SEVERITY))
        for seed in range(start, start + 4)
    ]
    paths = [write_json(tmp_path / (f"{seed}.json"), document) for seed, _unused, document in documents]
    done = subprocess.run(
        [str(saf.program), "view", "summary", "-f", "json", "-i", *paths],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        timeout=600,
    )
    said = {entry["profileName"]: entry for entry in json.loads(done.stdout)}
    assert len(said) == len(documents)
    seen = without_defect = 0
    for seed, made_with, document in documents:
        ours = first_profile(document)
        # an error on a control of impact 0 meets this one by chance
        by_chance = any(
            control.severity == "none" and control.status != "not_applicable" for control in ours.controls
        )
        defect = made_with or (generated.NONE_SEVERITY if by_chance else "")
        without_defect += not defect
        theirs = said[f"generated-{seed}"]
        assert theirs["compliance"] == ours.counts.compliance, seed
        counts = {name: theirs[name] for name in SAF_NAMES}
        assert counts == without_empty_none(saf_counts(ours, defect, document)), seed
        if defect:
            assert counts != without_empty_none(saf_counts(ours)), f"SAF has mended: {defect}"
        seen += ours.counts.controls
    assert without_defect >= 200
    assert seen > 1200


def test_status_and_severity_of_every_control_agree(saf: Saf, tmp_path: Path) -> None:
    documents = [generated.make_document(seed) for seed in range(1000, 1400)]
    documents += [generated.make_document(seed, generated.NONE_SEVERITY) for seed in range(1401, 1440)]
    paths = [write_json(tmp_path / (f"{index}.json"), document) for index, document in enumerate(documents)]
    said = run_node(saf, "read_many.js", paths, tmp_path)
    statuses = set()
    for document, theirs in zip(documents, said):
        ours = [
            [control.id, STATUS_WORDS[control.status], control.severity]
            for control in first_profile(document).controls
        ]
        assert ours == theirs
        statuses.update((status, severity) for _unused, status, severity in ours)
    assert {(status, severity) for status in STATUS_WORDS.values() for severity in SEVERITIES} - statuses == {
        ("Not Reviewed", "none")
    }, "every other status occurs in every severity"


def test_nothing_is_accepted_that_saf_refuses(saf: Saf, tmp_path: Path) -> None:
    """Documents with one thing broken. What we refuse and SAF takes has one of a few known reasons."""
    broken = [break_one_thing(seed) for seed in range(600)]
    said = run_node(
        saf,
        "read_many.js",
        [write_json(tmp_path / (f"{index}.json"), document) for index, document in enumerate(broken)],
        tmp_path,
    )
    refused_by_both = stricter = 0
    for document, theirs in zip(broken, said):
        try:
            read_hdf(json.dumps(document).encode(), "broken")
        except ScanError as error:
            refused_by_both += theirs is None
            if theirs is not None:
                stricter += 1
                assert any(
                    word in error.message
                    for word in (
                        "stands twice",
                        "has no controls",
                        "was not loaded",
                        "impact must be from 0 to 1",
                        "profiles is empty",
                        "passthrough",
                        "ended with an error",
                        "tags.severity must be text",
                    )
                ), error.message
        else:
            assert theirs is not None, json.dumps(document)
    assert refused_by_both > 150
    assert stricter > 5


def break_one_thing(seed: int) -> Any:
    """A whole document in which one place, chosen at random, is removed or replaced."""
    dice = random.Random(f"break {seed}")
    document = copy.deepcopy(full_document())
    places: list[tuple[Any, Any]] = []

    def collect(value: Any) -> None:
        keys = (
            list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
        )
        for key in keys:
            places.append((value, key))
            collect(value[key])

    collect(document)
    container, key = dice.choice(places)
    if dice.random() < 0.3:
        del container[key]
    else:
        container[key] = dice.choice(
            (None, "", "text", 0, 7, -1, 1.5, True, [], {}, ["text"], [1], [None], [{}], {"a": 1})
        )
    return document


def full_document() -> dict[str, Any]:
    """Ours, with something in every field that the readers know."""
    control = ControlResult(
        "c-1",
        "title",
        "desc",
        0.7,
        [
            Segment("passed", "it", START, 0.1),
            Segment("failed", "it", START, 0.1, message="found 1"),
            Segment("skipped", "it", START, skip_message="why"),
            Segment("error", "it", START, message="oh"),
        ],
        {"fix": "text"},
        {"nist": ["AC-3"], "severity": "high", "severityoverride": "low"},
        [{"ref": "a", "url": "b"}, {"uri": "c"}],
        "code",
        "a.yml",
        3,
        {
            "run": True,
            "justification": "j",
            "expiration_date": "2027-01-01",
            "skipped_due_to_waiver": False,
            "message": "",
        },
    )
    second = ControlResult("c-2", "title", "desc", 0.2, [Segment("passed", "it", START)])
    profile = ProfileResult(
        "full",
        "Full",
        "1.0.0",
        "0" * 64,
        [control, second],
        "m",
        "s",
        "GPL",
        "c",
        [{"platform-family": "linux", "release": "1"}],
        [{"name": "input", "options": {"value": 1}}],
    )
    document = hdf_document(
        Judgement(
            {"target_id": "a/b/c"},
            {"unread": []},
            Platform("debian", "debian", "12", "arm"),
            [profile],
            START,
            0.5,
        )
    )
    document["profiles"][0].update(
        depends=[{"name": "base", "url": "u"}], parent_profile="other", inspec_version="5"
    )
    document["profiles"][0]["controls"][0]["attestation_data"] = {
        "control_id": "c-1",
        "explanation": "e",
        "frequency": "annually",
        "status": "passed",
        "updated": "u",
        "updated_by": "b",
    }
    return document


def threshold_for(seed: int, document: dict[str, Any], defect: str | None = None) -> dict[str, Any]:
    profile = first_profile(document)
    counts = saf_counts(profile)
    ids: dict[tuple[str, str], list[str]] = {}
    for control in profile.controls:
        name = next(name for name, status in SAF_NAMES.items() if status == control.status)
        ids.setdefault((name, control.severity), []).append(control.id)
    return generated.make_threshold(seed, counts, profile.counts.compliance, ids, defect)


def decide_one(document: dict[str, Any], threshold: dict[str, Any]) -> bool:
    """Our decision on the first profile, which is all that SAF judges."""
    first = document["profiles"][0]["name"]
    return not [reason for reason in decide_document(document, threshold) if reason.profile in ("", first)]


def decide_document(document: dict[str, Any], threshold: dict[str, Any]) -> Sequence[Reason]:
    """By SAF's keys alone: without the limits that the gate adds to every threshold."""
    return decide(load_threshold(threshold, "generated"), [("generated", document)], []).reasons


class Case(NamedTuple):
    document: dict[str, Any]
    threshold: dict[str, Any]
    defect: str


def threshold_cases() -> list[Case]:
    """Documents and thresholds near them, at random; then some for each known defect."""
    cases = []
    for seed in range(NUMBER):
        document = generated.make_document(seed)
        cases.append(Case(document, threshold_for(seed, document), ""))
    for defect in generated.THRESHOLD_DEFECTS:
        for seed in range(301, 325):
            document = generated.make_document(seed)
            profile = first_profile(document)
            if (defect == generated.COMPLIANCE_MAX_ZERO and profile.counts.compliance == 0) or (
                defect == generated.FLAT_OVERWRITE and not profile.ids("failed", "medium")
            ):
                continue
            cases.append(Case(document, threshold_for(seed, document, defect), defect))
    return cases


@pytest.fixture(scope="module")
def decided(saf: Saf, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, dict[str, Any]]]:
    """Each case with what SAF decided."""
    folder = tmp_path_factory.mktemp("thresholds")
    cases = threshold_cases()
    jobs = write_cases([(case.document, case.threshold) for case in cases], folder)
    return list(zip(cases, run_node(saf, "validate_many.js", jobs, folder)))


def test_threshold_decisions_agree(decided: list[tuple[Case, dict[str, Any]]]) -> None:
    """But where SAF compares the rounded compliance: we compare it exactly, so that no failure is rounded away."""
    passed = []
    rounded_away = 0
    for case, theirs in decided:
        if case.defect:
            continue
        assert (theirs["exit"] == 0) == ("All validation tests passed" in theirs["stdout"]), theirs
        passed.append(decide_one(case.document, case.threshold))
        if passed[-1] != (theirs["exit"] == 0):
            assert differs_by_rounding_alone(case), (case.threshold, theirs)
            rounded_away += 1
    assert len(passed) == NUMBER
    assert 60 < sum(passed) < 180, "passing and failing must both be common"
    assert 3 <= rounded_away < 30, f"SAF has mended this, or it hides another difference: {rounded_away}"


def differs_by_rounding_alone(case: Case) -> bool:
    """Whether compliance alone fails here, and its limits would be met by the number that SAF shows."""
    decision = decide_document(case.document, case.threshold)
    profile = first_profile(case.document)
    limits = {limit.key: limit for limit in load_threshold(case.threshold, "generated").limits}
    unmet = [reason.key for reason in decision if reason.profile in ("", profile.name)]
    return (
        bool(unmet)
        and {key.partition(".")[0] for key in unmet} == {"compliance"}
        and profile.counts.compliance != profile.counts.exact_compliance
        and all(limits[key].is_met(profile.counts.compliance) for key in unmet)
    )


@pytest.mark.parametrize("defect", generated.THRESHOLD_DEFECTS)
def test_defects_of_saf_in_thresholds_are_still_there(
    decided: list[tuple[Case, dict[str, Any]]], defect: str
) -> None:
    """Each is a difference of decisions that is known by name."""
    saf_passes = defect != generated.EMPTY_CONTROLS
    differing = [(case, theirs) for case, theirs in decided if case.defect == defect]
    assert len(differing) >= 5
    for case, theirs in differing:
        assert (theirs["exit"] == 0) == saf_passes, theirs
        assert decide_one(case.document, case.threshold) != saf_passes


def write_cases(cases: list[tuple[Any, Any]], folder: Path) -> list[dict[str, str]]:
    return [
        {
            "hdf": write_json(folder / (f"{index}.hdf.json"), document),
            "threshold": write_json(folder / (f"{index}.threshold.yml"), threshold),
        }
        for index, (document, threshold) in enumerate(cases)
    ]


FAILING = generated.make_document(1)
FAILING["profiles"][0]["controls"] = [
    dict(
        FAILING["profiles"][0]["controls"][0],
        impact=0.7,
        tags={},
        waiver_data={},
        results=[{"status": "failed", "code_desc": "it", "start_time": START}],
    )
]
PASSING = copy.deepcopy(FAILING)
PASSING["profiles"][0]["controls"][0]["results"][0]["status"] = "passed"
NO_FAILURES = "failed: {total: {max: 0}}"


def changed(document: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps(dict(document, profiles=[dict(document["profiles"][0], **fields)])).encode()


def capital() -> bytes:
    control = dict(FAILING["profiles"][0]["controls"][0], tags={"severity": "Critical"})
    return changed(FAILING, controls=[control])


def hidden_duplicate() -> bytes:
    return changed(
        FAILING, controls=[PASSING["profiles"][0]["controls"][0], FAILING["profiles"][0]["controls"][0]]
    )


def second_profile() -> bytes:
    other = copy.deepcopy(FAILING["profiles"][0])
    other["name"] = "second"
    other["controls"][0]["id"] = "of-second"
    return json.dumps(dict(PASSING, profiles=[PASSING["profiles"][0], other])).encode()


BAD = json.dumps(FAILING).encode()
# what is wrong -> (results, None for no file; threshold, None for no file)
FAIL_OPEN: dict[str, tuple[bytes | None, str | None]] = {
    "results missing": (None, NO_FAILURES),
    "results empty": (b"", NO_FAILURES),
    "results malformed": (b"{nothing", NO_FAILURES),
    "results truncated": (BAD[:-40], NO_FAILURES),
    "results an empty object": (b"{}", NO_FAILURES),
    "no profiles": (json.dumps(dict(FAILING, profiles=[])).encode(), NO_FAILURES),
    "no controls": (changed(FAILING, controls=[]), NO_FAILURES),
    "profile failed to load": (
        changed(FAILING, controls=[], status="failed", status_message="no"),
        NO_FAILURES,
    ),
    "profile was skipped": (changed(FAILING, controls=[], status="skipped"), NO_FAILURES),
    "threshold missing": (BAD, None),
    "threshold empty": (BAD, ""),
    "misspelled key": (BAD, "fail: {total: {max: 0}}"),
    "misspelled severity": (BAD, "failed: {hihg: {max: 0}}"),
    "limit is a word": (BAD, "failed: {total: {max: zero}}"),
    "compliance is a number": (BAD, "compliance: 80"),
    "nested and flat": (BAD, "passed: {total: {min: 0}}\ncompliance.min: 100"),
    "ids at the wrong level": (BAD, "failed: {total: {controls: [other]}}"),
    "number at severity level": (BAD, "failed: {high: 0}"),
    "capital severity": (capital(), "failed: {critical: {max: 0}}"),
    "failure in the second profile": (second_profile(), NO_FAILURES),
    "failure behind an equal id": (hidden_duplicate(), NO_FAILURES),
}


@pytest.fixture(scope="module")
def fail_open_decisions(saf: Saf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("fail-open")
    jobs = []
    for name, (results, threshold) in FAIL_OPEN.items():
        job = {"hdf": str(folder / (name + ".json")), "threshold": str(folder / (name + ".yml"))}
        if results is not None:
            Path(job["hdf"]).write_bytes(results)
        if threshold is not None:
            Path(job["threshold"]).write_text(threshold)
        jobs.append(job)
    return dict(zip(FAIL_OPEN, run_node(saf, "validate_many.js", jobs, folder)))


@pytest.mark.parametrize("name", FAIL_OPEN)
def test_what_saf_lets_pass_by_mistake_fails_here(
    fail_open_decisions: dict[str, dict[str, Any]], name: str
) -> None:
    assert fail_open_decisions[name]["exit"] == 0, f"SAF has mended this: {fail_open_decisions[name]}"
    results, threshold = FAIL_OPEN[name]
    try:
        limits = load_threshold(threshold or "", "threshold.yml")
        documents = [] if results is None else [("results.json", read_hdf(results, "results.json"))]
    except ScanError as error:
        assert error.reason in ("bad_threshold", "bad_results")
    else:
        assert not decide(limits, documents, []).passed


def test_the_program_decides_as_its_command_does_in_one_process(saf: Saf, tmp_path: Path) -> None:
    """The tests above call SAF's command object in one process; the program itself must say the same."""
    cases = [
        (json.loads(changed(PASSING)), {"failed": {"total": {"max": 0}}}),
        (json.loads(BAD), {"failed": {"total": {"max": 0}}}),
    ]
    jobs = write_cases(cases, tmp_path)
    batched = run_node(saf, "validate_many.js", jobs, tmp_path)
    assert [theirs["exit"] for theirs in batched] == [0, 1]
    for job, theirs in zip(jobs, batched):
        done = subprocess.run(
            [str(saf.program), "validate", "threshold", "-i", job["hdf"], "-T", job["threshold"]],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=600,
        )
        assert done.returncode == theirs["exit"]
        assert ("All validation tests passed" in done.stdout.decode()) == (theirs["exit"] == 0)


def test_saf_reads_what_we_write(saf: Saf, tmp_path: Path) -> None:
    path = write_json(tmp_path / "ours.json", full_document())
    assert run_node(saf, "read_many.js", [path], tmp_path) == [
        [["c-1", "Profile Error", "low"], ["c-2", "Passed", "low"]]
    ]
