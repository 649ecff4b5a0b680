# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import (
    Amendments,
    read_amendments,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_policy import (
    load_exception_policy,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document, read_hdf
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.summary import summarize
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import (
    Verdict,
    VerdictReader,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
WAIVER = {
    "justification": "known",
    "run": False,
    "expiration_date": "2027-01-31",
    "requested_by": "ann",
    "requested": "2026-11-02",
    "approved_by": "security",
    "approved": "2026-11-04",
    "ticket": "RISK-17",
}
ATTESTATION = {
    "control_id": "c-1",
    "explanation": "seen",
    "frequency": "90d",
    "status": "passed",
    "updated": "2026-11-02",
    "updated_by": "ann",
    "approved_by": "security",
    "approved": "2026-11-04",
}
STRICT = {"approval": True, "approvers": ["security"], "max_days": 180, "attestation_max_days": 100}


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


def judged(amendments: Amendments, manual: bool = False) -> tuple[str, Verdict, list[tuple[str, str, str]]]:
    """(status of c-1, its verdict, notes as (about, kind, text)). It fails by itself, a manual one is not reviewed."""
    target = make_target()
    profile = make_profile("baseline", make_control("c-1", "skipped" if manual else "failed", manual=manual))
    notes = amendments.apply([profile], target.identity(), NOW)
    document = read_hdf(json.dumps(hdf_document(make_judgement(target, profile))).encode(), "x.json")
    record: Any = SimpleNamespace(hdf="x.json", target_id=target.target_id)
    read = VerdictReader().take(record, lambda: document)
    assert not read.unread
    (verdict,) = read.controls
    status = summarize(document).profiles[0].controls[0].status
    assert status == verdict.status
    return status, verdict, [(note.about, note.kind, note.text) for note in notes]


def waived(entry: dict[str, Any], policy: Any = None) -> tuple[str, Verdict, list[tuple[str, str, str]]]:
    return judged(read_amendments({"c-1": entry}, None, policy))


def attested(*entries: dict[str, Any], policy: Any = None) -> tuple[str, Verdict, list[tuple[str, str, str]]]:
    return judged(read_amendments(None, list(entries), policy), manual=True)


def test_without_a_policy_a_bare_waiver_counts_as_ever() -> None:
    status, verdict, notes = waived({"justification": "known", "run": False})
    assert (status, verdict.waived, notes) == ("not_applicable", True, [])
    assert verdict.text == "Waived without end: known"


def test_an_approved_waiver_counts_and_its_text_says_who() -> None:
    status, verdict, notes = waived(WAIVER, dict(STRICT, ticket=True))
    assert (status, notes) == ("not_applicable", [])
    assert verdict.text == (
        "Waived until 2027-01-31, requested by ann on 2026-11-02, approved by security on 2026-11-04, ticket RISK-17: known"
    )
    (record,) = verdict.exceptions
    assert (record.decides, record.why_not, record.approved_by, record.ticket) == (
        True,
        "",
        "security",
        "RISK-17",
    )


def test_characters_that_nobody_sees_make_no_other_person() -> None:
    status, _verdict, notes = waived(dict(WAIVER, approved_by="an\u200bn\u2060"), {"approval": True})
    assert status == "failed"
    assert "has approved a request of their own" in repr(notes[0])


REQUESTED = without(WAIVER, "approved_by", "approved")
LONG = dict(WAIVER, expiration_date="2027-11-05")


@pytest.mark.parametrize(
    ("row", "entry", "policy", "why"),
    [
        ("", REQUESTED, None, "ann requested it, and nobody has approved it"),
        (
            "29-future",
            dict(WAIVER, approved="2026-12-24"),
            None,
            "its approval is dated 2026-12-24, which is to come",
        ),
        (
            "29-bare",
            without(WAIVER, "requested_by", "requested", "approved_by", "approved"),
            {"approval": True},
            "nobody has approved it",
        ),
        (
            "29-self",
            dict(WAIVER, approved_by="ann"),
            {"approval": True},
            "ann has approved a request of their own",
        ),
        (
            "29-self-spelled",
            dict(WAIVER, approved_by=" \uff21NN "),
            {"approval": True},
            "\uff21NN has approved a request of their own",
        ),
        (
            "29-nobody-asked",
            without(WAIVER, "requested_by", "requested"),
            {"approval": True},
            "it does not say who requested it, so security perhaps approved a request of their own",
        ),
        (
            "29-foreign",
            dict(WAIVER, approved_by="bob"),
            {"approvers": ["security"]},
            "bob approved it, who is not among the approvers",
        ),
        (
            "29-look-alike",
            dict(WAIVER, approved_by="securit\u0443"),
            {"approvers": ["security"]},
            "securit\u0443 approved it, who is not among the approvers",
        ),
        ("29-long", LONG, {"max_days": 180}, "it lasts 366 days, and at most 180 are allowed"),
        (
            "",
            without(WAIVER, "expiration_date"),
            {"max_days": 180},
            "it has no end, and at most 180 days are allowed",
        ),
        (
            "29-no-start",
            without(WAIVER, "requested_by", "requested", "approved_by", "approved"),
            {"max_days": 180},
            "it says neither when it was requested nor when it was approved, and at most 180 days are allowed",
        ),
        ("", without(WAIVER, "ticket"), {"ticket": True}, "it names no ticket"),
    ],
)
def test_a_waiver_that_breaks_a_rule_counts_for_nothing_and_says_why(
    row: str, entry: dict[str, Any], policy: Any, why: str
) -> None:
    status, verdict, notes = waived(entry, policy)
    assert (status, verdict.waived) == ("failed", False)
    assert verdict.waiver is not None
    assert verdict.waiver["message"] == f"Waiver counts for nothing: {why}, the control was judged"
    assert verdict.exceptions[0].why_not.startswith("Waiver counts for nothing: ")
    ((about, kind, text),) = notes
    assert (about, kind) == ("waiver", "not_counted")
    assert text.startswith("c-1: the waiver counts for nothing: ")
    if row:
        attack_ends_as(row, outcome=kind)


def test_an_approval_of_today_counts_before_utc_has_come_there() -> None:
    assert waived(dict(WAIVER, approved="2026-11-24"), STRICT)[0] == "not_applicable"


def test_a_waiver_that_lasts_as_long_as_it_is_allowed_to_counts() -> None:
    assert waived(dict(WAIVER, expiration_date="2027-05-03"), STRICT)[0] == "not_applicable"
    assert waived(dict(WAIVER, expiration_date="2027-05-03T00:00:01Z"), STRICT)[0] == "failed"


def test_an_expired_waiver_says_that_first() -> None:
    status, _unused, notes = waived(dict(REQUESTED, expiration_date="2026-11-20"), STRICT)
    assert (status, [kind for _about, kind, _text in notes]) == ("failed", ["expired"])


def test_an_approved_attestation_counts_and_its_text_says_who() -> None:
    status, verdict, notes = attested(ATTESTATION, policy=STRICT)
    assert (status, verdict.attested, notes) == ("passed", True, [])
    assert verdict.text == "Attested by ann on 2026-11-02, approved by security on 2026-11-04: seen"


@pytest.mark.parametrize(
    ("entry", "policy", "why"),
    [
        (without(ATTESTATION, "approved_by", "approved"), {"approval": True}, "nobody has approved it"),
        (dict(ATTESTATION, approved_by="Ann"), {"approval": True}, "Ann has approved a request of their own"),
        (ATTESTATION, {"approvers": ["bob"]}, "security approved it, who is not among the approvers"),
        (dict(ATTESTATION, frequency="1y"), STRICT, "it lasts 365 days, and at most 100 are allowed"),
        (
            dict(ATTESTATION, approved="2026-12-24"),
            None,
            "its approval is dated 2026-12-24, which is to come",
        ),
        (ATTESTATION, {"ticket": True}, "it names no ticket"),
    ],
)
def test_an_attestation_that_breaks_a_rule_leaves_the_control_not_reviewed(
    entry: dict[str, Any], policy: Any, why: str
) -> None:
    status, verdict, notes = attested(entry, policy=policy)
    assert (status, verdict.attested) == ("not_reviewed", False)
    assert verdict.exceptions[0].why_not == f"Attestation counts for nothing: {why}"
    assert why in verdict.text
    ((about, kind, text),) = notes
    assert (about, kind) == ("attestation", "not_counted")
    assert text == f"c-1: the attestation by ann counts for nothing: {why}"


@pytest.mark.parametrize("last", [0, 1])
def test_what_counts_is_named_and_not_the_one_beside_it(last: int) -> None:
    entries = [dict(ATTESTATION, approved_by="bob"), ATTESTATION]
    status, verdict, _notes = attested(*entries[:: 1 if last else -1], policy=STRICT)
    assert (status, verdict.exceptions[0].approved_by) == ("passed", "security")


def test_amendments_under_another_policy_are_others() -> None:
    entries = {"c-1": WAIVER}
    digests = {
        read_amendments(entries, [ATTESTATION], policy).sha256(NOW)
        for policy in (None, {"approvers": ["bob"]}, {"max_days": 10}, {"attestation_max_days": 10})
    }
    assert len(digests) == 4
    same = {read_amendments(entries, None, policy).sha256(NOW) for policy in (None, STRICT)}
    assert len(same) == 1


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ({}, "must hold some of"),
        ([], "must hold some of"),
        ("", "must hold some of"),
        ({"aproval": True}, "did you mean 'approval'"),
        ({"approval": "yes"}, "approval must be true or false"),
        ({"ticket": 1}, "ticket must be true or false"),
        ({"approvers": []}, "a list of 1 to 1000 names"),
        ({"approvers": "security"}, "a list of 1 to 1000 names"),
        ({"approvers": [1]}, "a name must be text"),
        ({"approvers": [" "]}, "a name must be text"),
        ({"approvers": ["x"], "approval": False}, "nobody would be asked"),
        ({"max_days": 0}, "from 1 to 3660"),
        ({"max_days": True}, "from 1 to 3660"),
        ({"max_days": 1.5}, "from 1 to 3660"),
        ({"attestation_max_days": 100_000}, "from 1 to 3660"),
    ],
)
def test_a_policy_of_another_shape_is_refused(policy: Any, complaint: str) -> None:
    with pytest.raises(ScanError, match=complaint) as refused:
        load_exception_policy(policy, "policy.yml")
    assert refused.value.reason == "bad_exception_policy"
    assert "policy.yml" in str(refused.value)


def test_a_policy_is_read_from_a_file() -> None:
    policy = load_exception_policy("approvers: [security, risk]\nmax_days: 180\nticket: true\n", "policy.yml")
    assert (policy.approvers, policy.max_days, policy.ticket) == (("security", "risk"), 180, True)
