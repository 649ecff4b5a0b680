# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import (
    Amendments,
    read_amendments,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    apply_attestations,
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.notes import Note, note_warnings
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
TARGET = make_target()
ENTRY = {
    "control_id": "c-1",
    "explanation": "seen it",
    "frequency": "quarterly",
    "status": "passed",
    "updated": "2026-11-02",
    "updated_by": "someone",
}


def entry(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in dict(ENTRY, **fields).items() if value is not None}


def judge(entries: list[dict[str, Any]], *statuses: str, **fields: Any) -> Any:
    """The manual control c-1 with such segments, attested: (status, its part of the document, kinds of notes)."""
    profile = make_profile(
        "baseline",
        make_control("c-1", *statuses, **{"manual": True, **fields}),
        make_control("c-2", "skipped", manual=True),
    )
    notes = apply_attestations([profile], load_attestations(entries, "a.yml"), NOW, TARGET.identity())
    document = read_hdf(json.dumps(hdf_document(make_judgement(TARGET, profile))).encode(), "x.json")
    controls = summarize(document).profiles[0].controls
    assert controls[1].status == "not_reviewed", "another control stays as it is"
    return controls[0].status, document["profiles"][0]["controls"][0], [note.kind for note in notes]


@pytest.mark.parametrize("status", ["passed", "failed"])
def test_a_control_that_is_not_reviewed_gets_the_status(status: str) -> None:
    judged, control, notes = judge([entry(status=status)], "skipped", "skipped")
    assert judged == status
    assert control["attestation_data"] == entry(status=status)
    assert [result["status"] for result in control["results"]] == ["skipped", "skipped", status]
    assert "Explanation: seen it" in control["results"][-1]["message"]
    assert notes == []


@pytest.mark.parametrize(
    ("statuses", "fields", "expected"),
    [
        (("passed",), {}, "passed"),
        (("failed",), {}, "failed"),
        (("error",), {}, "profile_error"),
        ((), {}, "profile_error"),
        (("skipped", "failed"), {}, "failed"),
        (("skipped", "passed"), {}, "passed"),
        (("skipped", "error"), {}, "profile_error"),
        (("skipped",), {"impact": 0.0}, "not_applicable"),
        (("skipped",), {"waiver_data": {"skipped_due_to_waiver": True}}, "not_applicable"),
    ],
)
@pytest.mark.parametrize("attested", ["passed", "failed"])
def test_every_other_control_stays_as_it_is(
    statuses: Any, fields: dict[str, Any], expected: str, attested: str
) -> None:
    judged, control, notes = judge([entry(status=attested)], *statuses, **fields)
    assert judged == expected
    assert "attestation_data" not in control
    assert len(control["results"]) == len(statuses)
    assert notes == ["not_needed"]


@pytest.mark.parametrize(
    ("updated", "frequency", "holds"),
    [
        ("2026-11-22", "1d", False),
        ("2026-11-22T12:00:00Z", "1d", True),
        ("2026-11-22T11:59:59Z", "daily", False),
        ("2026-11-22T14:00:00+02:00", "1d", True),
        ("2026-11-22T13:59:59+02:00", "1d", False),
        ("2026-08-23T12:00:00Z", "quarterly", True),
        ("2026-08-23T11:59:00Z", "quarterly", False),
        ("2025-11-24", "annually", True),
        ("2025-11-23", "annually", False),
        ("2025-05-23", "1.5y", False),
        ("2025-05-24", "1.5y", True),
        ("2026-11-09", "2 weeks", False),
        ("2026-11-10", "fortnightly", True),
        ("2026-11-20T13:00:00Z", "every3days", True),
    ],
)
def test_an_attestation_holds_until_its_frequency_is_over(updated: str, frequency: str, holds: bool) -> None:
    judged, control, notes = judge([entry(updated=updated, frequency=frequency)], "skipped")
    assert (judged, notes) == (("passed", []) if holds else ("not_reviewed", ["expired"]))
    assert control["results"][-1]["status"] == ("passed" if holds else "skipped")


@pytest.mark.parametrize(
    ("updated", "end"),
    [
        ("2026-11-21", "2026-11-22"),
        ("2026-11-21T12:30:00+02:00", "2026-11-22T10:30:00Z"),
        ("2026-11-21 09:15", "2026-11-22T09:15:00Z"),
    ],
)
def test_a_note_says_the_moment_at_which_an_attestation_expired(updated: str, end: str) -> None:
    profile = make_profile("baseline", make_control("c-1", "skipped", manual=True))
    attestations = load_attestations([entry(updated=updated, frequency="daily")], "a.yml")
    (note,) = apply_attestations([profile], attestations, NOW, make_target().identity())
    assert f"expired on {end} and counts" in note.text


def test_a_day_that_a_month_lacks_is_its_last() -> None:
    loaded = load_attestations(
        [entry(updated="2026-08-31", frequency=frequency) for frequency in ("6m", "1m", "18m")], "a.yml"
    )
    assert [one.ends.date().isoformat() for one in loaded.entries] == [
        "2027-02-28",
        "2026-09-30",
        "2028-02-29",
    ]


def test_one_of_the_future_counts_for_nothing_yet() -> None:
    judged, control, notes = judge([entry(updated="2026-11-25")], "skipped")
    assert (judged, notes, len(control["results"])) == ("not_reviewed", ["not_yet"], 1)
    assert judge([entry(updated="2026-11-24")], "skipped")[0] == "passed", "clocks differ a little"


def test_a_newer_one_replaces_one_that_expired_and_a_failure_beats_a_pass() -> None:
    old = entry(updated="2024-01-01")
    judged, control, notes = judge([old, entry()], "skipped")
    assert (judged, notes) == ("passed", ["expired"])
    assert [result["status"] for result in control["results"]] == ["skipped", "skipped", "passed"]
    assert judge([entry(), entry(status="failed")], "skipped")[0] == "failed"


def test_ids_match_in_any_case_and_one_that_names_no_control_is_reported() -> None:
    assert judge([entry(control_id="C-1")], "skipped")[0] == "passed"
    assert judge([entry(control_id="c-9")], "skipped")[2] == ["unknown_control"]


@pytest.mark.parametrize(
    ("targets", "covered"),
    [
        ([{"namespace": "shop"}], True),
        ([{"namespace": "sho"}], False),
        ([{"namespace": "s*"}], True),
        ([{"workload": "Deployment/api"}], True),
        ([{"workload": "deployment/a*"}], True),
        ([{"workload": "*/api"}], True),
        ([{"workload": "StatefulSet/api"}], False),
        ([{"namespace": "shop", "container": "other"}], False),
        ([{"container": "other"}, {"pod": "api-1"}], True),
        ([{"cluster": "demo", "image": "registry/api:*"}], True),
        ([{"namespace": "SHOP"}], False),
    ],
)
def test_scope_by_target_for_attestations_and_waivers(targets: list[dict[str, str]], covered: bool) -> None:
    judged, _control, notes = judge([entry(targets=targets)], "skipped")
    assert (judged, notes) == (("passed", []) if covered else ("not_reviewed", []))
    amendments = Amendments(
        load_waivers({"c-1": {"justification": "j", "run": False, "targets": targets}}, "w.yml")
    )
    profile = make_profile("baseline", make_control("c-1", "failed"))
    assert amendments.apply([profile], TARGET.identity(), NOW) == []
    assert bool(profile.controls[0].waiver_data) is covered
    assert [note.kind for note in amendments.without_target([TARGET.identity()])] == (
        [] if covered else ["no_target"]
    )


def test_waivers_come_first() -> None:
    amendments = read_amendments(
        waivers={"c-1": {"justification": "by design", "run": False}},
        attestations=[entry(status="failed")],
    )
    profile = make_profile("baseline", make_control("c-1", "skipped"))
    assert [note.kind for note in amendments.apply([profile], TARGET.identity(), NOW)] == ["not_needed"]
    assert profile.controls[0].waiver_data["skipped_due_to_waiver"] is True
    assert read_amendments(waivers=None, attestations=None) == Amendments()


@pytest.mark.parametrize("empty", ["", [], {}])
def test_an_option_without_content_is_a_mistake(empty: Any) -> None:
    with pytest.raises(ScanError, match="has no attestations"):
        read_amendments(waivers=None, attestations=empty)
    with pytest.raises(ScanError, match="has no waivers"):
        read_amendments(waivers=empty, attestations=None)


def test_an_attestation_speaks_where_no_program_could_have_known_unless_it_says_that_it_covers_more() -> None:
    judged, control, notes = judge([entry()], "skipped", manual=False)
    assert (judged, notes) == ("not_reviewed", ["not_covered"])
    assert "attestation_data" not in control and len(control["results"]) == 1
    judged, control, notes = judge([entry(covers_unread=True)], "skipped", manual=False)
    assert (judged, notes) == ("passed", ["covered_unread"])
    assert control["attestation_data"] == entry(), "as SAF keeps it"
    assert judge([entry(covers_unread=True)], "skipped", manual=True)[2] == [], "it was not needed"
    old = entry(updated="2024-01-01")
    assert len(judge([old], "skipped", manual=False)[1]["results"]) == 1, "not even as an expired one"


@pytest.mark.parametrize(
    ("targets", "elsewhere", "warned"),
    [
        (None, "passed", True),
        (None, "failed", True),
        (None, "skipped", False),
        ([{"namespace": "shop"}], "passed", False),
    ],
)
def test_an_attestation_for_every_target_is_warned_of_where_some_could_be_judged(
    targets: Any, elsewhere: str, warned: bool
) -> None:
    amendments = read_amendments(
        waivers=None, attestations=[entry(control_id="C-1", covers_unread=True, targets=targets)]
    )
    notes = []
    for status in ("skipped", elsewhere):
        profile = make_profile("baseline", make_control("c-1", status))
        notes += amendments.apply([profile], TARGET.identity(), NOW)
    found = amendments.read_elsewhere(notes)
    assert [note.kind for note in found] == (["read_elsewhere"] if warned else [])
    assert note_warnings([*notes, *found]) == [note.text for note in found]
    if warned:
        attack_ends_as("22-attested-everywhere", outcome=found[0].kind)


def test_a_file_as_saf_writes_it_in_json_and_yaml() -> None:
    as_json = load_attestations(json.dumps([entry(updated="2026-11-02T10:11:12.345Z")]), "a.json").entries[0]
    assert as_json.updated == "2026-11-02T10:11:12.345Z"
    assert as_json.starts == datetime.datetime(2026, 11, 2, 10, 11, 12, 345000, tzinfo=datetime.timezone.utc)
    text = (
        "- control_id: c-1\n  explanation: e\n  frequency: 1d\n  status: passed\n  updated: %s\n  "
        "updated_by: me\n"
    )
    assert (
        load_attestations(text % "2026-11-02", "a.yml").entries[0].starts.isoformat()
        == "2026-11-02T00:00:00+00:00"
    )
    assert load_attestations(text % "2026-11-02T10:00:00Z", "a.yml").entries[0].starts.hour == 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.yml: has no attestations"),
        ([], "has no attestations"),
        ("a: b", "must be a list of attestations"),
        ("text", "must be a list"),
        (["x"], "entry 1: must hold control_id, explanation"),
        ([entry(), entry(explanation=None)], "entry 2 (c-1): explanation (text) is required"),
        ([entry(updated_by="")], "updated_by (text) is required"),
        ([entry(control_id=7)], "entry 1: control_id (text) is required"),
        (
            [entry(status="waived")],
            "status must be passed or failed, found 'waived'; to set a control aside, waive it",
        ),
        ([entry(status="Passed")], "status must be passed or failed"),
        ([entry(updated="last week")], "updated must be a date such as 2026-11-02, found 'last week'"),
        ([entry(frequency="biannually")], "frequency must be one of annually"),
        ([entry(frequency="6 minutes")], "frequency must be one of"),
        ([entry(frequency="-1d")], "frequency must be one of"),
        ([entry(frequency="9999y")], "frequency 9999y is too long"),
        ([entry(updatd_by="x")], "unknown key 'updatd_by', did you mean 'updated_by'?"),
        ([entry(covers_unread="yes")], "covers_unread must be true or false, found 'yes'"),
        ([entry(cover_unread=True)], "unknown key 'cover_unread', did you mean 'covers_unread'?"),
        ([entry(targets=[])], "targets must be a list of rules"),
        ([entry(targets={"namespace": "x"})], "targets must be a list"),
        ([entry(targets=[{}])], "targets must be a list of rules"),
        ([entry(targets=["shop"])], "found 'shop'"),
        ([entry(targets=[{"namespce": "x"}])], "targets: unknown key 'namespce', did you mean 'namespace'?"),
        ([entry(targets=[{"namespace": ""}])], "targets: namespace must be a name or a pattern, found ''"),
        ([entry(targets=[{"workload": "api"}])], "targets: workload must be KIND/NAME"),
        ("- a: 1\n  a: 2\n", "line 2: the key a stands twice"),
    ],
)
def test_a_file_of_attestations_that_is_wrong_is_refused_with_what_is_wrong(
    content: Any, message: str
) -> None:
    with pytest.raises(ScanError) as caught:
        load_attestations(content, "a.yml")
    assert caught.value.reason == "bad_attestations"
    assert caught.value.message.startswith("a.yml")
    assert message in caught.value.message
    attack_ends_as("H-08-attestations", outcome="bad_attestations")


def test_warnings_are_few_and_leave_out_what_is_no_mistake() -> None:
    notes = [Note("attestation", "c", "expired", f"text {number}") for number in range(12)]
    warnings = note_warnings([Note("attestation", "c", "not_needed", "fine"), *notes, *notes])
    assert warnings[:10] == [f"text {number}" for number in range(10)]
    assert warnings[10:] == ["... and 2 more notes on waivers and attestations, in the summary"]
