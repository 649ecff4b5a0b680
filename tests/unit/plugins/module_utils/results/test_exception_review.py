# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import io
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.exception_markdown import (
    write_review,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.exception_table import (
    review_lines,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import read_amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_review import (
    FINDING_KINDS,
    ExceptionReviewer,
    Review,
    ReviewedException,
    ReviewRules,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.verdicts import run_verdicts
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
API, BATCH = make_target("api-1"), make_target("batch-1", workload="batch")
APPROVED = {
    "requested_by": "ann",
    "requested": "2026-11-02",
    "approved_by": "security",
    "approved": "2026-11-04",
}
SHOP: dict[str, Any] = {
    "justification": "known",
    "run": False,
    "expiration_date": "2027-03-01",
    "targets": [{"namespace": "shop"}],
    **APPROVED,
}
ATTESTATION: dict[str, Any] = {
    "control_id": "c-manual",
    "explanation": "seen",
    "frequency": "180d",
    "status": "passed",
    "updated": "2026-11-02",
    "updated_by": "ann",
    "targets": [{"namespace": "shop"}],
}


def scanned(folder: pathlib.Path, waivers: Any = None, attestations: Any = None) -> Run:
    """Two workloads; c-good passes, c-mixed passes on one, c-bad fails, c-manual is not reviewed."""
    amendments = read_amendments(waivers, attestations)
    documents = []
    for target, mixed in ((API, "passed"), (BATCH, "failed")):
        profile = make_profile(
            "baseline",
            make_control("c-good", "passed"),
            make_control("c-mixed", mixed),
            make_control("c-bad", "failed"),
            make_control("c-manual", "skipped", manual=True),
        )
        amendments.apply([profile], target.identity(), NOW)
        documents.append((target, hdf_document(make_judgement(target, profile))))
    return open_run(str(write_run(folder, "run-1", documents)))


def reviewed(
    run: Run, waivers: Any = None, attestations: Any = None, policy: Any = None, now: Any = NOW, **rules: Any
) -> Review:
    reviewer = ExceptionReviewer(read_amendments(waivers, attestations, policy), ReviewRules(**rules), now)
    for target in run_verdicts(run):
        reviewer.take(target)
    return reviewer.review()


def only(review: Review) -> ReviewedException:
    (entry,) = review.entries
    return entry


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Scanned before there were any waivers."""
    return scanned(tmp_path_factory.mktemp("runs"))


def test_an_entry_in_order_has_no_finding(run: Run) -> None:
    entry = only(reviewed(run, {"c-bad": SHOP}))
    assert entry.findings == ()
    assert (entry.days_left, entry.age, entry.scope, entry.containers, entry.places) == (
        98,
        19,
        "namespace=shop",
        2,
        2,
    )
    assert entry.to_json()["in_force"] is True


@pytest.mark.parametrize(
    ("control_id", "change", "found"),
    [
        ("c-bad", {"expiration_date": "2026-11-20"}, {"expired": "expired on 2026-11-20"}),
        ("c-bad", {"expiration_date": "2026-11-23"}, {"expired": "expired on 2026-11-23"}),
        ("c-bad", {"expiration_date": "2026-12-05"}, {"expiring": "ends in 12 days, on 2026-12-05"}),
        ("c-bad", {"expiration_date": "2026-12-23"}, {"expiring": "ends in 30 days, on 2026-12-23"}),
        ("c-bad", {"expiration_date": "2026-12-24"}, {}),
        ("c-gone", {}, {"orphaned": "names no control of baseline"}),
        (
            "c-bad",
            {"targets": [{"namespace": "shpo"}]},
            {"unused": "is for none of the 2 containers of these results"},
        ),
        (
            "c-good",
            {},
            {"hides_pass": "its control passes anyway on all its containers: remove or narrow it"},
        ),
        (
            "c-mixed",
            {},
            {"hides_pass": "its control passes anyway on 1 of 2 containers: remove or narrow it"},
        ),
        ("c-mixed", {"targets": [{"workload": "*/batch"}]}, {}),
        (
            "c-bad",
            {"targets": [{"namespace": "*", "workload": "*/*"}]},
            {"too_wide": "is for every container of every cluster: give it targets"},
        ),
        ("c-bad", {"expiration_date": "2028-11-04"}, {"long_lived": "lasts 731 days, more than 366"}),
    ],
)
def test_each_finding_and_its_reason(
    run: Run, control_id: str, change: dict[str, Any], found: dict[str, str]
) -> None:
    entry = only(reviewed(run, {control_id: dict(SHOP, **change)}))
    assert {one.kind: one.text for one in entry.findings} == found


def test_a_bare_waiver_of_inspec_is_too_wide_and_has_no_end(run: Run) -> None:
    entry = only(reviewed(run, {"c-bad": {"justification": "known", "run": False}}))
    assert [one.kind for one in entry.findings] == ["too_wide", "long_lived"]
    assert (entry.days_left, entry.age) == (None, None)


def test_what_is_not_approved_is_told_with_the_rule(run: Run) -> None:
    entry = only(reviewed(run, {"c-bad": SHOP}, policy={"approvers": ["bob"]}))
    assert [(one.kind, one.text) for one in entry.findings] == [
        (
            "not_counted",
            "Waiver counts for nothing: security approved it, who is not among the approvers",
        )
    ]
    assert entry.to_json()["in_force"] is False


def test_places_are_counted_and_not_replicas(run: Run) -> None:
    assert only(reviewed(run, {"c-bad": SHOP}, wide_places=1)).findings[0].text == (
        "is for 2 places, more than 1: narrow its targets"
    )
    assert only(reviewed(run, {"c-bad": SHOP}, wide_places=2)).findings == ()


def test_only_the_chosen_kinds_are_looked_for(run: Run) -> None:
    entries = {"c-bad": {"justification": "known", "run": False}}
    assert only(reviewed(run, entries, kinds=("long_lived",))).findings[0].kind == "long_lived"
    assert reviewed(run, entries, kinds=("expired",)).needing == 0


def test_a_waiver_hides_a_pass_also_in_results_where_it_was_in_force(tmp_path: pathlib.Path) -> None:
    waivers = dict.fromkeys(("c-good", "c-mixed", "c-bad"), SHOP)
    run = scanned(tmp_path, waivers)
    found = {one.control_id: [two.text for two in one.findings] for one in reviewed(run, waivers).entries}
    assert found["c-bad"] == []
    assert found["c-good"] == ["its control passes anyway on all its containers: remove or narrow it"]
    assert found["c-mixed"] == ["its control passes anyway on 1 of 2 containers: remove or narrow it"]


def test_without_files_those_of_the_results_are_reviewed_as_of_now(tmp_path: pathlib.Path) -> None:
    run = scanned(tmp_path, {"c-good": SHOP, "c-bad": SHOP}, [ATTESTATION])
    later = NOW + datetime.timedelta(days=90)
    found = {one.control_id: [two.kind for two in one.findings] for one in reviewed(run, now=later).entries}
    assert found == {"c-good": ["hides_pass", "expiring"], "c-bad": ["expiring"], "c-manual": []}
    over = reviewed(run, now=NOW + datetime.timedelta(days=99))
    assert {one.control_id: one.findings[0].kind for one in over.entries if one.findings} == {
        "c-good": "expired",
        "c-bad": "expired",
    }


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"control_id": "C-MANUAL"}, []),
        ({"control_id": "c-gone"}, ["orphaned"]),
        ({"control_id": "c-bad"}, ["not_needed"]),
        ({"updated": "2026-01-01"}, ["expired"]),
        ({"updated": "2027-01-01"}, ["not_counted"]),
        ({"updated": "2026-06-10"}, ["expiring"]),
        ({"frequency": "3y"}, ["long_lived"]),
        ({"targets": [{"pod": "nothing"}]}, ["unused"]),
    ],
)
def test_attestations_are_reviewed_too(run: Run, change: dict[str, Any], kinds: list[str]) -> None:
    entry = only(reviewed(run, None, [dict(ATTESTATION, **change)]))
    assert [one.kind for one in entry.findings] == kinds


def test_without_a_judged_container_nothing_is_called_unused_or_orphaned() -> None:
    reviewer = ExceptionReviewer(read_amendments({"c-gone": SHOP}, None), ReviewRules(), NOW)
    review = reviewer.review()
    assert (only(review).findings, review.judged) == ((), 0)


def test_the_most_urgent_comes_first(run: Run) -> None:
    review = reviewed(
        run,
        {
            "c-mixed": dict(SHOP, targets=[{"workload": "*/batch"}]),
            "c-good": SHOP,
            "c-gone": SHOP,
            "c-bad": dict(SHOP, expiration_date="2026-11-20"),
        },
    )
    assert [one.control_id for one in review.entries] == ["c-bad", "c-gone", "c-good", "c-mixed"]
    assert (review.needing, review.counts["expired"], set(review.counts)) == (3, 1, set(FINDING_KINDS))


def test_hostile_texts_stay_inert_in_table_and_markdown(run: Run) -> None:
    safe = HOSTILE.encode("utf-8", "replace").decode()
    entry = dict(SHOP, justification=safe, owner=safe, ticket="x" * 400, approved_by=safe[:200])
    review = reviewed(run, {"c-bad": entry, f"<script>{safe}": entry})
    text = "\n".join(review_lines(review, 100))
    assert "\x1b" not in text and "\u202e" not in text
    assert "need action: 1 orphaned" in text
    stream = io.StringIO()
    write_review(review, "2026-11-23", stream)
    made = stream.getvalue()
    assert "<script" not in made and "<b>" not in made and "\x1b" not in made
    rows = [line for line in made.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) == 4


def test_the_table_says_who_until_when_and_what_is_to_be_done(run: Run) -> None:
    review = reviewed(run, {"c-bad": dict(SHOP, expiration_date="2026-12-05", ticket="RISK-17")})
    assert review_lines(review, 100) == [
        "EXCEPTIONS  1 waiver or attestation, which needs action: 1 expiring",
        "",
        "CONTROL  KIND    APPROVED BY  TICKET   AGE   UNTIL              PLACES",
        "c-bad    waiver  security     RISK-17  19 d  2026-12-05 (12 d)  2",
        "    expiring: ends in 12 days, on 2026-12-05",
        "",
        "Reviewed against the results of 2 of 2 containers.",
    ]
