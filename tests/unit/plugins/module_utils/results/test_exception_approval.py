# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_record import (
    attestation_record,
    waiver_record,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers

APPROVED = {
    "requested_by": "ann",
    "requested": "2026-11-02",
    "approved_by": "security",
    "approved": "2026-11-04",
    "ticket": "RISK-17",
}
ATTESTED = {
    "control_id": "c-1",
    "explanation": "seen",
    "frequency": "90d",
    "status": "passed",
    "updated": "2026-11-02",
    "updated_by": "ann",
}


def waiver(**entry: Any) -> Any:
    content = {"c-1": {"justification": "known", "run": False, **entry}}
    return load_waivers(content, "w.yml").by_control["c-1"]


def attestation(**entry: Any) -> Any:
    return load_attestations([{**ATTESTED, **entry}], "a.yml").entries[0]


def test_an_approval_is_read_and_written_as_it_was() -> None:
    approval = waiver(**APPROVED).approval
    assert (approval.requested, approval.approved) == (datetime.date(2026, 11, 2), datetime.date(2026, 11, 4))
    assert approval.to_json() == APPROVED
    approved = {name: APPROVED[name] for name in ("approved_by", "approved", "ticket")}
    assert attestation(**approved).as_dict() == {**ATTESTED, **approved}


def test_entries_without_our_keys_are_as_ever() -> None:
    assert waiver().approval.to_json() == {}
    assert attestation().as_dict() == ATTESTED


def test_dates_of_yaml_and_times_with_zones_are_moments() -> None:
    approval = waiver(
        approved_by="x",
        approved=datetime.datetime(2026, 11, 4, 10, 0),
        requested_by="y",
        requested="2026-11-04",
    ).approval
    assert approval.to_json()["approved"] == "2026-11-04T10:00:00Z"
    given = {"approved_by": "x", "approved": "2026-11-04T10:00:00+02:00"}
    assert waiver(**given).approval.to_json()["approved"] == "2026-11-04T08:00:00Z"


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"approved_by": "x"}, "approved_by and approved belong together"),
        ({"approved": "2026-11-04"}, "approved_by and approved belong together"),
        ({"requested_by": "x"}, "requested_by and requested belong together"),
        ({"approved_by": "", "approved": "2026-11-04"}, "approved_by must be text"),
        ({"approved_by": "  ", "approved": "2026-11-04"}, "approved_by must be text"),
        ({"approved_by": None, "approved": "2026-11-04"}, "approved_by must be text"),
        ({"approved_by": True, "approved": "2026-11-04"}, "approved_by must be text"),
        ({"approved_by": ["x"], "approved": "2026-11-04"}, "approved_by must be text"),
        ({"approved_by": "x" * 501, "approved": "2026-11-04"}, "found 501 characters"),
        ({"approved_by": "x", "approved": None}, "approved must be a date"),
        ({"approved_by": "x", "approved": True}, "approved must be a date"),
        ({"approved_by": "x", "approved": 20261104}, "approved must be a date"),
        ({"approved_by": "x", "approved": "yes"}, "approved must be a date"),
        ({"approved_by": "x", "approved": "2026-13-04"}, "approved must be a date"),
        ({"ticket": 17}, "ticket must be text"),
        (dict(APPROVED, approved="2026-11-01"), "before it was requested"),
        (dict(APPROVED, approved="2026-11-01T23:59:59Z"), "before it was requested"),
        ({"aproved_by": "x"}, "did you mean 'approved_by'"),
    ],
)
def test_a_malformed_approval_is_refused(entry: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ScanError, match=complaint) as refused:
        waiver(**entry)
    assert refused.value.reason == "bad_waivers"
    if "requested_by" not in entry:
        with pytest.raises(ScanError, match=complaint) as refused:
            attestation(**entry)
        assert refused.value.reason == "bad_attestations"


def test_an_approval_on_the_day_of_its_request_is_none_before_it() -> None:
    waiver(**dict(APPROVED, requested="2026-11-04T12:00:00Z"))


@pytest.mark.parametrize("approved", ["2026-11-01", "2026-11-01T23:59:59Z"])
def test_an_approval_of_an_earlier_attestation_is_none_of_a_renewed_one(approved: str) -> None:
    with pytest.raises(ScanError, match="before it was attested on 2026-11-02") as refused:
        attestation(approved_by="security", approved=approved)
    assert refused.value.reason == "bad_attestations"
    same_day = {"approved_by": "security", "approved": "2026-11-02"}
    assert attestation(**same_day, updated="2026-11-02T12:00:00Z").approval.approved_by == "security"


def test_a_record_says_who_and_until_when_on_one_line() -> None:
    record = waiver_record(
        {**waiver(**APPROVED).approval.to_json(), "justification": "a\nb", "expiration_date": "2027-01-31"},
        True,
    )
    assert record.reason == "a b"
    assert (
        record.people()
        == "requested by ann on 2026-11-02, approved by security on 2026-11-04, ticket RISK-17"
    )
    assert (record.age("2026-11-24T10:00:00Z"), record.days_left("2026-11-24T10:00:00Z")) == (20, 68)
    assert json.loads(json.dumps(record.to_json()))["expires"] == "2027-01-31"


def test_a_record_of_a_bare_waiver_knows_neither_age_nor_end() -> None:
    record = waiver_record({"justification": "known"}, True)
    assert (record.people(), record.age("2026-11-24"), record.days_left("2026-11-24")) == ("", None, None)
    assert record.to_json() == {"kind": "waiver", "decides": True, "reason": "known"}


def test_a_record_of_an_attestation_ends_when_its_frequency_does() -> None:
    record = attestation_record(ATTESTED, True)
    assert (record.expires, record.people()) == ("2027-01-31", "attested by ann on 2026-11-02")
    assert attestation_record(ATTESTED, False).why_not == "Attestation expired on 2027-01-31"


def test_texts_of_others_stay_bounded_whatever_they_are() -> None:
    record = waiver_record(
        {"justification": "x" * 10_000, "ticket": {"a": 1}, "approved": 7, "owner": None}, False
    )
    assert (len(record.reason), record.ticket, record.approved, record.owner) == (500, "{'a': 1}", "7", "")
