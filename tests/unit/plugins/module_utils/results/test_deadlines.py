# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain of runs: since when something is open, when it is late, and what makes it young again."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    DeadlinePolicy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadlines import (
    DEADLINES_JSON,
    DeadlineBook,
    Deadlines,
    read_deadlines,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.decision import ExpectedTarget
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.earlier_deadlines import (
    earlier_deadlines,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.teams import Ownership
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_judgement,
    make_profile,
    make_run,
    make_target,
    write_run,
)

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
POLICY = DeadlinePolicy.of_mapping(
    {
        "default": {"scan_every_hours": 36, "fix_within_days": {"critical": 2, "high": 10}},
        "environments": {"sandbox": {"scan_every_hours": "never", "fix_within_days": {"critical": "never"}}},
    }
)
API, DB = "demo/shop/Deployment/api/app", "demo/shop/StatefulSet/db/app"
OWNERS = {"shop": Ownership("shop-team", "production")}
Failed = Mapping[str, str]


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def text(number: float) -> str:
    return day(number).isoformat()


def scan(
    number: float,
    failed: Mapping[str, Failed],
    before: Deadlines | None = None,
    *,
    unknown: tuple[str, ...] = (),
    not_scanned: tuple[str, ...] = (),
    skipped: tuple[str, ...] = (),
    owners: Mapping[str, Ownership] = OWNERS,
) -> Deadlines:
    """A run at that day over places with what failed on them, as {control id: severity}."""
    book = DeadlineBook()
    for place, controls in failed.items():
        keys = {("baseline", control): severity for control, severity in controls.items()}
        book.add_scanned(
            place, "shop", text(number), keys, {("baseline", one) for one in unknown}, skipped=skipped
        )
    for place in not_scanned:
        book.add_not_scanned(place, "shop")
    made = book.finish(
        run_id=f"run-{number}",
        cluster="demo",
        started=text(number),
        policy=POLICY,
        owners=owners,
        before=before,
    )
    return Deadlines.from_json(json.loads(json.dumps(made.to_json())), "deadlines.json")


def late(deadlines: Deadlines, number: float) -> tuple[list[str], list[str]]:
    overdue = deadlines.overdue(day(number))
    return [one.control for _place, one in overdue.findings], [place.place_id for place in overdue.places]


def test_a_finding_is_as_old_as_its_first_sight() -> None:
    first = scan(0, {API: {"c-1": "critical", "c-2": "high"}})
    second = scan(1, {API: {"c-1": "critical", "c-3": "low"}}, first)
    (place,) = second.places
    assert [(one.control, one.since, one.due) for one in place.findings] == [
        ("c-1", text(0), text(2)),
        ("c-3", text(1), ""),
    ]
    assert (place.team, place.environment, place.scan_due) == ("shop-team", "production", text(2.5))
    assert late(second, 2) == ([], [])
    assert late(second, 2.1) == (["c-1"], [])
    assert late(second, 2.6) == (["c-1"], [API])
    assert (
        second.overdue(day(3)).line
        == "Overdue: 1 finding was not fixed in time (1 critical) and 1 place was not scanned in time"
    )


def test_what_was_fixed_is_young_when_it_comes_back() -> None:
    before = scan(1, {API: {}}, scan(0, {API: {"c-1": "critical"}}))
    assert before.places[0].findings == ()
    assert scan(2, {API: {"c-1": "critical"}}, before).places[0].findings[0].since == text(2)


@pytest.mark.parametrize(
    "how", ["not scanned", "not reviewed", "no profile fits", "away", "one of two not scanned"]
)
def test_absence_makes_nothing_young(how: str) -> None:
    """Not scanned, not reviewed, or away for a night: the finding is as old as before."""
    first = scan(0, {API: {"c-1": "critical"}})
    if how == "not scanned":
        second = scan(1, {}, first, not_scanned=(API,))
    elif how == "not reviewed":
        second = scan(1, {API: {}}, first, unknown=("c-1",))
    elif how == "no profile fits":
        second = scan(1, {API: {}}, first, skipped=("baseline",))
    elif how == "one of two not scanned":
        second = scan(1, {API: {}}, first, not_scanned=(API,))
    else:
        second = scan(1, {DB: {}}, first)
    assert late(second, 2.1)[0] == ([] if how == "away" else ["c-1"])
    third = scan(2.2, {API: {"c-1": "critical"}}, second)
    assert late(third, 2.2)[0] == ["c-1"]
    assert third.places[0].findings[0].since == text(0)


def test_a_place_that_was_never_scanned_is_late_too() -> None:
    first = scan(0, {}, not_scanned=(API,))
    second = scan(1, {}, first, not_scanned=(API,))
    assert second.places[0].seen == "" and second.places[0].expected_since == text(0)
    assert late(second, 1.6) == ([], [API])


def test_a_place_is_forgotten_after_90_days_away() -> None:
    first = scan(0, {API: {"c-1": "critical"}})
    away = scan(91, {}, first)
    assert [place.away_since for place in away.places] == [text(91)], "counted from the first run without it"
    assert [place.away_since for place in scan(180, {}, away).places] == [text(91)]
    assert scan(182, {}, away).places == ()
    assert [place.away_since for place in scan(180, {API: {}}, away).places] == [""]


def test_a_replica_that_cannot_be_scanned_helps_nobody_to_forget() -> None:
    """It was never seen as a whole for longer than places are kept, and is then away for a night."""
    found = scan(0, {API: {"c-1": "critical"}}, not_scanned=(API,))
    found = scan(100, {API: {"c-1": "critical"}}, found, not_scanned=(API,))
    found = scan(102, {}, scan(101, {}, found))
    back = scan(103, {API: {"c-1": "critical"}}, found)
    assert back.places[0].findings[0].since == text(0)


@pytest.mark.parametrize(("fits", "open_controls"), [(False, ["c-1"]), (True, [])])
def test_a_container_for_which_no_profile_fits_any_more_keeps_its_findings(
    fits: bool, open_controls: list[str]
) -> None:
    """A container says itself which profiles fit it. Where another one judged it, it is another container."""
    skipped = make_profile("fam-debian", status="skipped", status_message="not for it")
    other = [make_profile("fam-alpine", make_control("a-1", "passed"))] if fits else []
    before = None
    for profiles in ([make_profile("fam-debian", make_control("c-1", "failed"))], [skipped, *other]):
        book = DeadlineBook()
        document = json.loads(json.dumps(hdf_document(make_judgement(make_target(), *profiles))))
        make_run([(make_target(), document)], threshold=None, book=book)
        before = book.finish(
            run_id="r", cluster="demo", started=text(30), policy=POLICY, owners={}, before=before
        )
    assert before is not None
    assert [one.control for one in before.places[0].findings] == open_controls


def test_an_environment_without_a_deadline_is_never_late() -> None:
    sandbox = scan(0, {API: {"c-1": "critical", "c-2": "high"}}, owners={"shop": Ownership("", "sandbox")})
    assert late(sandbox, 9) == ([], [])
    assert late(sandbox, 11) == (["c-2"], [])


def test_replicas_are_one_place_with_the_worst_of_each() -> None:
    book = DeadlineBook()
    book.add_scanned(API, "shop", text(1), {("baseline", "c-1"): "low"}, ())
    book.add_scanned(API, "shop", text(0), {("baseline", "c-1"): "high"}, ())
    (place,) = book.finish(
        run_id="r", cluster="demo", started=text(0), policy=POLICY, owners={}, before=None
    ).places
    assert (place.seen, place.team) == (text(0), "")
    assert [(one.severity, one.since) for one in place.findings] == [("high", text(0))]


def test_a_file_that_is_not_whole_is_refused(tmp_path: pathlib.Path) -> None:
    whole = scan(0, {API: {"c-1": "critical"}}).to_json()
    path = tmp_path / DEADLINES_JSON

    def read(text: str) -> Deadlines:
        path.write_text(text, encoding="utf-8")
        return read_deadlines(tmp_path, hashlib.sha256(text.encode()).hexdigest())

    def refused(value: Any) -> str:
        with pytest.raises(ScanError) as caught:
            read(json.dumps(value))
        assert caught.value.reason == "bad_results"
        return caught.value.message

    place: dict[str, Any] = whole["places"][0]
    assert "does not" not in refused([]) and "schema version 1" in refused({**whole, "schema_version": 2})
    assert "'soon' is no time" in refused({**whole, "places": [{**place, "scan_due": "soon"}]})
    assert "severity must be critical or high" in refused(
        {**whole, "places": [{**place, "open": [{**place["open"][0], "severity": "urgent"}]}]}
    )
    with pytest.raises(ScanError, match="cut off"):
        read(json.dumps(whole)[:-5])
    assert read(json.dumps(whole)).to_json() == whole
    with pytest.raises(ScanError, match="SHA-256 differs"):
        read_deadlines(tmp_path, "0" * 64)
    path.unlink()
    with pytest.raises(ScanError, match="cannot be read"):
        read_deadlines(tmp_path, "")


def judged(limits: dict[str, Any], deadlines: Deadlines | None, number: float) -> Any:
    targets = [make_target("api-1"), make_target("api-2")]
    documents = [
        (f"{one.pod}.json", make_document(one, make_control("c-1", "failed"), profile="baseline"))
        for one in targets
    ]
    expected = [ExpectedTarget(one.target_id, "scanned") for one in targets]
    overdue = deadlines.overdue(day(number)) if deadlines else None
    return decide(
        load_threshold({"coverage": {"min": 0}, **limits}, "t.yml"), documents, expected, overdue=overdue
    )


def test_the_gate_counts_a_finding_once_and_holds_it_against_each_replica() -> None:
    found = scan(0, {API: {"c-1": "critical"}, DB: {"c-9": "critical"}})
    assert judged({"overdue": {"max": 0}}, found, 1).passed
    assert judged({"overdue": {"max": 2}}, found, 3).passed
    decision = judged({"overdue.max": 1}, found, 3)
    assert decision.kind == "gate_failed"
    assert [(one.found, one.profile) for one in decision.reasons] == [(["c-1"], "baseline")] * 2 + [(2, "")]
    assert (
        decision.reasons[0].text == "overdue.max: found 2 in all, must be at most 1; not fixed in time: c-1"
    )
    assert DB in decision.reasons[2].text
    assert [target.result for target in decision.targets] == ["fail", "fail"]


def test_the_gate_says_that_places_were_not_scanned_in_time() -> None:
    found = scan(0, {API: {}, DB: {}})
    assert judged({"overdue_scans": {"max": 0}}, found, 1).passed
    decision = judged({"overdue_scans": {"max": 1}}, found, 2)
    assert decision.kind == "not_scanned"
    (reason,) = decision.reasons
    assert reason.text == f"overdue_scans.max: found 2 ({API}, {DB}), must be at most 1"


@pytest.mark.parametrize("key", ["overdue.max", "overdue_scans.max"])
def test_a_run_without_deadlines_does_not_pass_a_limit_of_them(key: str) -> None:
    decision = judged({key: 0}, None, 0)
    assert not decision.passed and decision.kind == "not_judged"
    assert "scan with `deadlines`" in decision.reasons[0].text


def test_what_two_files_know_is_joined_and_nothing_becomes_younger() -> None:
    older = scan(0, {API: {"c-1": "critical", "c-2": "high"}, DB: {"c-1": "low"}})
    latest = scan(5, {API: {"c-2": "high", "c-3": "low"}})
    api, db = latest.joined_with(older).places
    assert {one.control: one.since for one in api.findings} == {
        "c-1": text(0),
        "c-2": text(0),
        "c-3": text(5),
    }
    assert (api.seen, api.expected_since) == (text(5), text(0))
    assert db == older.places[1]


def test_a_run_takes_the_times_of_the_last_run_and_of_the_last_with_its_selection(
    tmp_path: pathlib.Path,
) -> None:
    """A narrow look between two wide ones: neither what it has found nor what it did not look for is young afterwards."""
    made: dict[str, Deadlines] = {}
    for number, (names, found) in enumerate(
        (
            (["*"], scan(0, {API: {"c-1": "critical"}})),
            (["shop"], scan(1, {DB: {"c-2": "critical"}})),
            (["*"], None),
        )
    ):
        run_id = f"run-{number}"
        started = text(number)
        folder = write_run(tmp_path, run_id, [], selection={"namespaces": names}, started=started)
        if found is not None:
            made[run_id] = found
            data = json.dumps(found.to_json()).encode()
            (folder / DEADLINES_JSON).write_bytes(data)
            summary = json.loads((folder / "summary.json").read_text())
            summary["deadlines_sha256"] = hashlib.sha256(data).hexdigest()
            (folder / "summary.json").write_text(json.dumps(summary))
    notes: list[str] = []
    before = earlier_deadlines(open_run(str(folder)), notes)
    assert before == made["run-1"].joined_with(made["run-0"]) and not notes
    assert [place.place_id for place in before.places] == [API, DB]


def test_a_clock_that_was_wrong_makes_nothing_younger() -> None:
    ahead = scan(5, {API: {"c-1": "critical"}})
    assert scan(1, {API: {"c-1": "critical"}}, ahead).places[0].findings[0].since == text(1)


def test_a_document_that_does_not_say_when_is_as_old_as_its_run() -> None:
    book = DeadlineBook()
    book.add_scanned(API, "shop", "", {("baseline", "c-1"): "high"}, ())
    (place,) = book.finish(
        run_id="r", cluster="demo", started=text(3), policy=POLICY, owners={}, before=None
    ).places
    assert (place.seen, place.findings[0].since) == (text(3), text(3))
