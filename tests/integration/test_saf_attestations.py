# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SAF's own `attest apply` as the oracle: what it makes of a document, we make of the judgement that the document is from.

Where we do not, the difference is named, and shown to be still there.
"""

from __future__ import annotations

import copy
import datetime
import json
import os
import pathlib
import re
import subprocess
import time
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    apply_attestations,
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import (
    ControlResult,
    Judgement,
    Platform,
    ProfileResult,
    Segment,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import (
    apply_waivers,
    load_waivers,
)
from ansible_collections.securescan.kubernetes.tests.saf import generated_attestations as generated

IDENTITY = {
    "target_id": "a/b/c",
    "cluster": "a",
    "namespace": "b",
    "workload_kind": "Pod",
    "workload": "c",
    "pod": "c",
    "container": "c",
    "image": "i",
}
NUMBER = 220


def document_of(profile: ProfileResult) -> dict[str, Any]:
    return hdf_document(
        Judgement(
            dict(IDENTITY),
            {"unread": []},
            Platform("debian", "debian", "12", "arm"),
            [profile],
            "2026-01-01T00:00:00+00:00",
            0.5,
        )
    )


def attest(
    program: str, documents: dict[str, dict[str, Any]], attestations: Any, folder: pathlib.Path
) -> tuple[dict[str, dict[str, Any]], str]:
    """What one call of SAF makes of the documents, and what it says."""
    inputs = []
    for name, content in (*documents.items(), ("attestations", attestations)):
        (folder / (name + ".json")).write_text(json.dumps(content))
        inputs.append(str(folder / (name + ".json")))
    done = subprocess.run(
        [program, "attest", "apply", "-i", *inputs, "-o", str(folder / "out")],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        timeout=600,
        env=dict(os.environ, TZ="UTC"),
    )
    made = {name: folder / "out" / (name + ".json") for name in documents}
    return (
        {name: json.loads(path.read_text()) for name, path in made.items() if path.exists()},
        done.stdout.decode("utf-8", "replace"),
    )


def statuses(document: dict[str, Any]) -> dict[str, str]:
    checked = read_hdf(json.dumps(document).encode(), "document")
    return {
        control.id: control.status for profile in summarize(checked).profiles for control in profile.controls
    }


def added(document: dict[str, Any]) -> dict[str, Any]:
    """What attestations added to the controls: their data, and the segments without the time when they were made."""
    return {
        control["id"]: (
            control["attestation_data"],
            [
                {key: value for key, value in result.items() if key in ("status", "message", "code_desc")}
                for result in control["results"]
                if "attestation" in result["code_desc"]
            ],
        )
        for control in document["profiles"][0]["controls"]
        if control.get("attestation_data")
    }


def wait_for_no_midnight() -> None:
    """Attestations with a date alone end at a midnight: none comes between the moment of SAF's decision and that of ours."""
    now = datetime.datetime.now(datetime.timezone.utc)
    left = 24 * 3600 - (now.hour * 3600 + now.minute * 60 + now.second)
    if left < 180:
        time.sleep(left + 1)


def test_attestations_do_what_saf_does(saf_program: str, tmp_path: pathlib.Path) -> None:
    wait_for_no_midnight()
    now = datetime.datetime.now(datetime.timezone.utc)
    profiles = {f"attested-{seed}": generated.make_profile(seed) for seed in range(NUMBER)}
    entries: list[dict[str, str]] = []
    for seed, profile in enumerate(profiles.values()):
        entries += generated.make_attestations(seed, profile, now)
    before = {name: document_of(profile) for name, profile in profiles.items()}
    theirs, said = attest(saf_program, before, entries, tmp_path)
    loaded = load_attestations(entries, "generated")
    assert len(theirs) == NUMBER
    changed = excepted = expired = 0
    for name, profile in profiles.items():
        judged = copy.deepcopy(profile)
        apply_attestations([judged], loaded, now, IDENTITY)
        ours = document_of(judged)
        was, is_ours, is_theirs = statuses(before[name]), statuses(ours), statuses(theirs[name])
        for control_id, status in is_ours.items():
            if status != is_theirs[control_id]:
                known = ("passed", "passed", "failed")
                assert (was[control_id], status, is_theirs[control_id]) == known, generated.FIRST_TEST_ONLY
                excepted += 1
            changed += status != was[control_id]
        ours_added = added(ours)
        assert ours_added == {
            control_id: what
            for control_id, what in added(theirs[name]).items()
            if was[control_id] == "not_reviewed"
        }
        expired += sum(
            "has expired" in result["code_desc"]
            for _data, results in ours_added.values()
            for result in results
        )
    assert changed > 150 and expired > 100
    assert excepted >= 1, f"SAF has mended: {generated.FIRST_TEST_ONLY}"
    ends = dict(
        zip(
            ((entry.control_id, entry.updated, entry.frequency) for entry in loaded.entries),
            (entry.ends for entry in loaded.entries),
        )
    )
    their_ends = re.findall(r"Attestation Expired: (\S+) \(Expired at (.*?)\)\n", said)
    assert len(their_ends) >= expired
    by_control: dict[str, set] = {}
    for (control_id, _updated, _frequency), end in ends.items():
        by_control.setdefault(control_id, set()).add(end.strftime("%a %b %d %Y %H:%M:%S GMT+0000"))
    for control_id, end in their_ends:
        assert end in by_control[control_id], control_id


def test_saf_reads_entries_with_our_keys_and_attests_what_a_container_withheld(
    saf_program: str, tmp_path: pathlib.Path
) -> None:
    """`targets` and `covers_unread` are ours. Without the latter we leave a control alone that could have been read."""
    profile = ProfileResult(
        "withheld",
        "Withheld",
        "1.0.0",
        "0" * 64,
        [ControlResult(f"c-{n}", "t", "d", 0.5, [Segment("skipped", "it", "2026-01-01")]) for n in (1, 2)],
    )
    entries = [entry("c-1", covers_unread=True, targets=[{"namespace": "b"}]), entry("c-2")]
    document = document_of(profile)
    theirs, _said = attest(saf_program, {"withheld": document, "other": document}, entries, tmp_path)
    assert statuses(theirs["withheld"]) == {"c-1": "passed", "c-2": "passed"}
    now = datetime.datetime.now(datetime.timezone.utc)
    notes = apply_attestations([profile], load_attestations(entries, "a.yml"), now, IDENTITY)
    assert statuses(document_of(profile)) == {"c-1": "passed", "c-2": "not_reviewed"}
    assert [note.kind for note in notes] == ["covered_unread", "not_covered"]


def entry(control_id: str, **fields: Any) -> dict[str, Any]:
    values = {
        "control_id": control_id,
        "explanation": "seen it",
        "frequency": "annually",
        "status": "passed",
        "updated": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "updated_by": "someone",
    }
    changed = {name: values["updated"] if value == "@now" else value for name, value in fields.items()}
    return {name: value for name, value in dict(values, **changed).items() if value is not None}


def test_what_saf_takes_and_we_refuse(saf_program: str, tmp_path: pathlib.Path) -> None:
    names = [*generated.TAKEN_BY_SAF, generated.OF_THE_FUTURE]
    future = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=900)
    entries = [
        entry(f"c-{index}", **generated.TAKEN_BY_SAF.get(name, {"updated": future.isoformat()}))
        for index, name in enumerate(names)
    ]
    profile = ProfileResult(
        "taken",
        "Taken",
        "1.0.0",
        "0" * 64,
        [
            ControlResult(
                f"c-{index}", name, "desc", 0.5, [Segment("skipped", "it", "2026-01-01")], manual=True
            )
            for index, name in enumerate(names)
        ],
    )
    document = document_of(profile)
    theirs, said = attest(saf_program, {"taken": document, "other": document}, entries, tmp_path)
    found = {control["title"]: control for control in theirs["taken"]["profiles"][0]["controls"]}
    for name, one in zip(names, entries):
        results = [result["status"] for result in found[name]["results"]]
        if "unknown status" in name:
            assert results == ["skipped"] and "Invalid attestation status" in said
        elif "unknown unit" in name:
            assert results == ["skipped", "skipped"]
        else:
            assert results == ["skipped", "passed"], f"SAF has mended: {name}"
        if name != generated.OF_THE_FUTURE:
            with pytest.raises(ScanError) as caught:
                load_attestations([one], "taken.yml")
            assert caught.value.reason == "bad_attestations"
            assert "taken.yml: entry 1 ({}): ".format(one["control_id"]) in caught.value.message
    notes = apply_attestations(
        [profile],
        load_attestations([entries[-1]], "taken.yml"),
        datetime.datetime.now(datetime.timezone.utc),
        IDENTITY,
    )
    assert [note.kind for note in notes] == ["not_yet"]
    assert [segment.status for segment in profile.controls[-1].results] == ["skipped"]


def test_saf_drops_a_whole_file_in_silence_for_one_unknown_frequency(
    saf_program: str, tmp_path: pathlib.Path
) -> None:
    profile = ProfileResult(
        "p",
        "P",
        "1.0.0",
        "0" * 64,
        [ControlResult("c-1", "t", "d", 0.5, [Segment("skipped", "it", "2026-01-01")])],
    )
    entries = [entry("c-1", frequency="biannually")]
    theirs, _said = attest(
        saf_program, {"a": document_of(profile), "b": document_of(profile)}, entries, tmp_path
    )
    assert theirs == {}, "SAF has mended this"
    with pytest.raises(ScanError, match="frequency must be one of annually"):
        load_attestations(entries, "f.yml")


def test_saf_keeps_what_an_entry_says_of_its_approval_and_counts_our_waivers(
    saf_program: str, tmp_path: pathlib.Path
) -> None:
    """Our keys in both files of theirs: SAF applies and keeps them, and counts what a waiver sets aside as we do."""
    approval = {"approved_by": "security", "approved": "2026-01-03", "ticket": "RISK-17"}
    entry = {
        "control_id": "c-manual",
        "explanation": "seen",
        "frequency": "50y",
        "status": "passed",
        "updated": "2026-01-02",
        "updated_by": "ann",
        **approval,
    }
    waiver = {
        "justification": "known",
        "run": False,
        "requested_by": "ann",
        "requested": "2026-01-02",
        **approval,
    }
    requested = {name: waiver[name] for name in ("justification", "run", "requested_by", "requested")}
    controls = [
        ControlResult(
            name, name, "", 0.7, [Segment(status, "it", "2026-01-01T00:00:00+00:00")], manual=manual
        )
        for name, status, manual in (
            ("c-manual", "skipped", True),
            ("c-approved", "failed", False),
            ("c-requested", "failed", False),
        )
    ]
    profile = ProfileResult("p", "P", "1.0.0", "ab" * 32, controls)
    now = datetime.datetime(2026, 2, 1, tzinfo=datetime.timezone.utc)
    waivers = load_waivers({"c-approved": waiver, "c-requested": requested}, "w.yml")
    apply_waivers([profile], waivers, now, IDENTITY)
    before = document_of(copy.deepcopy(profile))
    theirs, _said = attest(saf_program, {"one": before, "other": before}, [entry], tmp_path)
    attested = {control["id"]: control for control in theirs["one"]["profiles"][0]["controls"]}
    assert attested["c-manual"]["attestation_data"] == entry
    assert attested["c-approved"]["waiver_data"] == {
        **waiver,
        "skipped_due_to_waiver": True,
        "message": "",
        "status_without_waiver": "failed",
    }
    assert "nobody has approved it" in attested["c-requested"]["waiver_data"]["message"]
    done = subprocess.run(
        [saf_program, "view", "summary", "-f", "json", "-i", str(tmp_path / "out" / "one.json")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    (counts,) = json.loads(done.stdout)
    said = {name: counts[name]["total"] for name in ("passed", "failed", "no_impact", "skipped", "error")}
    assert said == {"passed": 1, "failed": 1, "no_impact": 1, "skipped": 0, "error": 0}
    apply_attestations([profile], load_attestations([entry], "a.yml"), now, IDENTITY)
    assert statuses(document_of(profile)) == statuses(theirs["one"])
