# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.strict_yaml import load_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import (
    apply_waivers,
    load_waivers,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
IDENTITY = make_target().identity()


def judge(entry: dict[str, Any], *statuses: str) -> Any:
    """The control c-1 with such segments after a waiver: (status, waiver_data, notes)."""
    profile = make_profile("baseline", make_control("c-1", *statuses), make_control("c-2", "passed"))
    notes = apply_waivers([profile], load_waivers({"c-1": entry}, "w.yml"), NOW, IDENTITY)
    document = read_hdf(json.dumps(hdf_document(make_judgement(make_target(), profile))).encode(), "x.json")
    statuses_after = {control.id: control.status for control in summarize(document).profiles[0].controls}
    assert statuses_after["c-2"] == "passed"
    return (
        statuses_after["c-1"],
        document["profiles"][0]["controls"][0]["waiver_data"],
        [(note.control_id, note.kind) for note in notes],
    )


@pytest.mark.parametrize("statuses", [("failed",), ("error",), ("passed",), ("skipped",), ()])
def test_a_waiver_that_says_run_false_sets_the_control_aside(statuses: Any) -> None:
    status, data, notes = judge({"run": False, "justification": "accepted"}, *statuses)
    assert status == "not_applicable"
    without = {"failed": "failed", "error": "profile_error", "passed": "passed", "skipped": "not_reviewed"}
    assert data == {
        "run": False,
        "justification": "accepted",
        "skipped_due_to_waiver": True,
        "message": "",
        "status_without_waiver": without[statuses[0]] if statuses else "profile_error",
    }
    assert notes == []


def test_what_was_set_aside_shows_its_justification_and_no_result() -> None:
    profile = make_profile("baseline", make_control("c-1", "failed", "error"))
    apply_waivers(
        [profile], load_waivers("c-1: {run: false, justification: by design}", "w.yml"), NOW, IDENTITY
    )
    results = hdf_document(make_judgement(make_target(), profile))["profiles"][0]["controls"][0]["results"]
    assert [(result["status"], result["skip_message"]) for result in results] == [
        ("skipped", "Skipped because of a waiver: by design")
    ]


@pytest.mark.parametrize("entry", [{"justification": "known"}, {"justification": "known", "run": True}])
def test_a_waiver_that_does_not_say_run_false_changes_no_status(entry: dict[str, Any]) -> None:
    status, data, notes = judge(entry, "failed")
    assert status == "failed"
    assert data["skipped_due_to_waiver"] is False
    assert data["justification"] == "known"
    assert notes == []


@pytest.mark.parametrize(
    ("expiration_date", "in_force", "shown"),
    [
        (datetime.date(2026, 11, 24), True, "2026-11-24"),
        (datetime.date(2026, 11, 23), False, "2026-11-23"),  # InSpec: that day has begun
        (datetime.date(2026, 11, 22), False, "2026-11-22"),
        ("2026-11-24", True, "2026-11-24"),
        ("2026-11-23", False, "2026-11-23"),
        ("2026-11-24T23:00:00Z", True, "2026-11-24T23:00:00Z"),
        ("2026-11-24T01:00:00+02:00", True, "2026-11-23T23:00:00Z"),
        ("2026-11-23T13:59:59+02:00", False, "2026-11-23T11:59:59Z"),
        ("2026-11-23T14:00:00+02:00", False, "2026-11-23T12:00:00Z"),
        ("2026-11-23T14:00:00.5+0200", True, "2026-11-23T12:00:00Z"),
        ("2026-11-23T14:00:01+02:00", True, "2026-11-23T12:00:01Z"),
        ("2026-11-23T05:00:00-08:00", True, "2026-11-23T13:00:00Z"),
        ("2026-11-23 12:01", True, "2026-11-23T12:01:00Z"),
        ("2026-11-23T23:59:59", True, "2026-11-23T23:59:59Z"),
        (datetime.datetime(2026, 11, 24, 12, 0), True, "2026-11-24T12:00:00Z"),
        (datetime.datetime(2026, 11, 23, 11, 59), False, "2026-11-23T11:59:00Z"),
        (datetime.datetime(2026, 11, 23, 23, 59), True, "2026-11-23T23:59:00Z"),
    ],
)
def test_a_waiver_is_in_force_until_the_day_or_the_moment_of_its_expiration(
    expiration_date: Any, in_force: bool, shown: str
) -> None:
    entry = {"run": False, "justification": "x", "expiration_date": expiration_date}
    status, data, notes = judge(entry, "failed")
    assert status == ("not_applicable" if in_force else "failed")
    assert data["skipped_due_to_waiver"] is in_force
    assert data["expiration_date"] == shown
    assert data["message"] == ("" if in_force else f"Waiver expired on {shown}, the control was judged")
    assert notes == ([] if in_force else [("c-1", "expired")])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T00:30:00+02:00", (11, 30, 22, 30)),
        ("2026-11-30T23:59:00Z", (11, 30, 23, 59)),
        ("2026-12-01 00:30:00 +02:00", (11, 30, 22, 30)),
        ("2026-11-30T23:59", (11, 30, 23, 59)),
        ("2026-12-01", (12, 1, 0, 0)),
    ],
)
@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize("by_file", [True, False])
def test_a_time_in_a_file_keeps_its_moment_on_every_way_to_the_judging(
    text: str, moment: tuple[int, ...], quoted: bool, by_file: bool
) -> None:
    """The action plugin reads the file, and hands its dates over as text."""
    content = "c-1: {{justification: x, run: false, expiration_date: {}}}".format(
        f'"{text}"' if quoted else text
    )
    loaded: Any = content
    if by_file:
        loaded = json.loads(json.dumps(load_yaml(content, "w.yml", "bad_waivers"), default=str))
    waiver = load_waivers(loaded, "w.yml").by_control["c-1"]
    end = datetime.datetime(2026, *moment, tzinfo=datetime.timezone.utc)
    assert not waiver.has_expired(end - datetime.timedelta(seconds=1))
    assert waiver.has_expired(end)


def test_a_file_as_inspec_has_it() -> None:
    waivers = load_waivers(
        """
c-1:
  expiration_date: 2027-01-31
  run: no
  justification: "not in use here"
  owner: platform team
'1.1':
  justification: known
""",
        "w.yml",
    )
    first = waivers.by_control["c-1"]
    assert first.expiration_date == datetime.date(2027, 1, 31)
    assert first.run is False
    assert first.owner == "platform team"
    assert waivers.by_control["1.1"].run is None


def test_an_owner_stands_in_the_document() -> None:
    assert judge({"justification": "x", "owner": "us"}, "passed")[1]["owner"] == "us"


def test_a_control_that_no_profile_has_is_reported_once() -> None:
    profiles = [
        make_profile("one", make_control("a", "passed")),
        make_profile("two", make_control("b", "passed")),
    ]
    waivers = load_waivers(
        {"b": {"justification": "x"}, "c": {"justification": "x", "expiration_date": "2020-01-01"}}, "w.yml"
    )
    notes = apply_waivers(profiles, waivers, NOW, IDENTITY)
    assert [(note.control_id, note.kind) for note in notes] == [("c", "unknown_control")]
    assert notes[0].to_json()["text"] == "c names no control of the chosen profiles"


def test_a_waiver_counts_in_every_profile_that_has_the_control() -> None:
    profiles = [make_profile(name, make_control("a", "failed")) for name in ("one", "two")]
    assert (
        apply_waivers(
            profiles, load_waivers({"a": {"run": False, "justification": "x"}}, "w.yml"), NOW, IDENTITY
        )
        == []
    )
    assert all(profile.controls[0].waiver_data["skipped_due_to_waiver"] for profile in profiles)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "w.yml: has no waivers"),
        ("{}", "has no waivers"),
        ("[a]", "must be control ids with their waivers"),
        ("a", "must be control ids with their waivers"),
        ("a:", "a must hold justification, run and expiration_date"),
        ("a: [x]", "a must hold justification"),
        ("1.1: {justification: x}", "control id 1.1 is not text; put it in quotes"),
        ("a: {}", "a: a justification (text) is required"),
        ("a: {run: false}", "a: a justification (text) is required"),
        ("a: {justification: ' '}", "a: a justification (text) is required"),
        ("a: {justification: 5}", "a: a justification (text) is required"),
        ("a: {justification: x, run: 'false'}", "a: run must be true or false, found 'false'"),
        ("a: {justification: x, run: 0}", "a: run must be true or false, found 0"),
        (
            "a: {justification: x, expiration_dat: 2027-01-01}",
            "unknown key 'expiration_dat', did you mean 'expiration_date'?",
        ),
        (
            "a: {justification: x, skipped_due_to_waiver: true}",
            "unknown key 'skipped_due_to_waiver'; expected",
        ),
        (
            "a: {justification: x, expiration_date: soon}",
            "expiration_date must be a date such as 2027-01-31, found 'soon'",
        ),
        ("a: {justification: x, expiration_date: 31.01.2027}", "must be a date"),
        ("a: {justification: x, expiration_date: 2027}", "must be a date such as 2027-01-31, found 2027"),
        ("a: {justification: x, expiration_date: 2027-02-30}", "not valid YAML"),
        ("a: {justification: x, expiration_date: }", "expiration_date is empty"),
        ("a: {justification: x, owner: [us]}", "a: owner must be text"),
        ("a: {justification: x}\na: {justification: y}", "line 2: the key a stands twice"),
        ("a: {justification: x, run: true, run: false}", "the key run stands twice"),
    ],
)
def test_a_file_of_waivers_that_is_wrong_is_refused_with_what_is_wrong(content: str, message: str) -> None:
    with pytest.raises(ScanError) as caught:
        load_waivers(content, "w.yml")
    assert caught.value.reason == "bad_waivers"
    assert message in caught.value.message
    assert "w.yml" in caught.value.message
    attack_ends_as("H-08-waivers", outcome="bad_waivers")
