# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats of events, and the reports made of them: what each says of each status, read by programs that are not ours."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.asff import Account
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import (
    CLOSED,
    CREATED,
    UPDATED,
    Event,
    EventSource,
    EventTexts,
    finding_events,
    run_events,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event_registry import (
    EVENT_FORMATS,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.hdf_splunk import target_events
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.tests.support.format_readers import (
    asff as asff_reader,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import (
    cyclonedx as cyclonedx_reader,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import (
    ecs as ecs_reader,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import (
    ocsf as ocsf_reader,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import (
    openmetrics as openmetrics_reader,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE, write_sample_run

READERS = {
    module.READER.name: module.READER
    for module in (asff_reader, cyclonedx_reader, ecs_reader, ocsf_reader, openmetrics_reader)
}
WORDS: dict[str, dict[str, str]] = {
    "ocsf": {
        "c-passed": "Pass",
        "c-failed": "Fail",
        "c-unread": "Warning",
        "c-attested": "Pass, attested",
        "c-waived": "Other: Not Applicable, Suppressed",
        "c-no-impact": "Other: Not Applicable",
        "c-broken": "Other: Profile Error",
    },
    "ecs": {
        "c-passed": "success",
        "c-failed": "failure",
        "c-unread": "unknown: not_reviewed",
        "c-attested": "success, attested",
        "c-waived": "unknown: not_applicable, waived",
        "c-no-impact": "unknown: not_applicable",
        "c-broken": "unknown: profile_error",
    },
    "asff": {
        "c-passed": "PASSED (PASSED)",
        "c-failed": "FAILED (FAILED)",
        "c-unread": "WARNING (NOT_REVIEWED)",
        "c-attested": "PASSED (PASSED), attested",
        "c-waived": "NOT_AVAILABLE (NOT_APPLICABLE), SUPPRESSED",
        "c-no-impact": "NOT_AVAILABLE (NOT_APPLICABLE)",
        "c-broken": "WARNING (PROFILE_ERROR)",
    },
    "cyclonedx": {
        "c-passed": "score 1",
        "c-failed": "score 0",
        "c-unread": "no score: Not Reviewed",
        "c-attested": "score 1, attested",
        "c-waived": "no score: Not Applicable (waived)",
        "c-no-impact": "no score: Not Applicable",
        "c-broken": "no score: Profile Error",
    },
}
NOT_SCANNED = {
    "ocsf": "Other: Profile Error",
    "ecs": "unknown: profile_error",
    "asff": "WARNING (PROFILE_ERROR)",
    "cyclonedx": "no score: Profile Error",
    "openmetrics": "not_scanned",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_sample_run(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("name", WORDS)
def test_each_status_is_told_and_none_becomes_a_pass(run, name, tmp_path):
    path = write_report(REPORTS[name], run, tmp_path)

    words = READERS[name].read(path)

    (legacy,) = [target.target_id for target in run.targets if target.workload == "legacy"]
    assert {
        control: word
        for (target, profile, control), word in words.items()
        if target == legacy and profile == "baseline"
    }.items() >= WORDS[name].items()


@pytest.mark.parametrize("name", NOT_SCANNED)
def test_a_target_that_was_not_scanned_is_told(run, name, tmp_path):
    path = write_report(REPORTS[name], run, tmp_path)

    told = READERS[name].targets(path)

    missing = {target.place_id for target in run.targets if not target.is_scanned}
    assert set(told.values()) == {NOT_SCANNED[name]}
    assert len(told) == (len(missing) if name == "asff" else 3)


def test_openmetrics_counts_each_status(run, tmp_path):
    words = openmetrics_reader.READER.read(write_report(REPORTS["openmetrics"], run, tmp_path))

    (legacy,) = [target.target_id for target in run.targets if target.workload == "legacy"]
    counted = dict(entry.rsplit(" ", 1) for entry in words[legacy, "", ""].split(", "))
    assert {"passed", "failed", "not_reviewed", "not_applicable", "profile_error", "waiver"} <= counted.keys()


@pytest.mark.parametrize("name", EVENT_FORMATS)
@pytest.mark.parametrize("activity", [CREATED, UPDATED, CLOSED])
def test_what_is_made_of_parts_is_what_is_encoded_whole(run, name, activity):
    source = EventSource.of(run)
    texts = EventTexts(EVENT_FORMATS[name], source)

    for event in run_events(run):
        whole = EVENT_FORMATS[name].encode(source, event.target, event.verdict, activity)
        assert json.loads(texts.text(event, activity)) == whole


@pytest.mark.parametrize("name", EVENT_FORMATS)
def test_hostile_text_stays_text_on_one_line_of_ascii(run, name):
    texts = EventTexts(EVENT_FORMATS[name], EventSource.of(run))

    for event in run_events(run):
        text = texts.text(event)
        assert text.isascii() and text.isprintable()
        _assert_inert(json.loads(text))


def _assert_inert(value: Any) -> None:
    """No control character but line feeds and tabs, no byte that was not UTF-8."""
    if isinstance(value, str):
        assert not any(
            (ord(one) < 32 and one not in "\n\t\r") or 0xD800 <= ord(one) < 0xE000 for one in value
        )
    for inner in (
        value.items() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    ):
        _assert_inert(inner)


@pytest.mark.parametrize("name", ["ocsf", "ecs", "asff", "openmetrics", "cyclonedx"])
def test_a_text_of_a_megabyte_is_bounded_and_readable(name, tmp_path):
    long = (HOSTILE + "x") * 15_000
    target = make_target("api-1", image=long, node=long)
    document = make_document(
        target, make_control("c", "failed", title=long, desc=long), make_control("d", "passed")
    )
    run = open_run(str(write_run(tmp_path, "run-1", [(target, document)])))

    path = write_report(REPORTS[name], run, tmp_path)

    READERS[name].read(path)
    assert path.stat().st_size < 120_000


def test_a_closed_finding_is_resolved(run):
    event = next(event for event in finding_events(run) if event.told.status == "passed")
    source = EventSource.of(run)

    ocsf = EVENT_FORMATS["ocsf"].encode(source, event.target, event.verdict, CLOSED)
    asff = EVENT_FORMATS["asff"].encode(source, event.target, event.verdict, CLOSED)

    assert (ocsf["activity_id"], ocsf["type_uid"], ocsf["status"]) == (3, 200303, "Resolved")
    assert asff["RecordState"] == "ARCHIVED"
    assert ocsf["finding_info"]["uid"] == asff["Id"] == event.fingerprint


def test_what_belongs_together_in_splunk_has_one_guid(run):
    source = EventSource.of(run)
    events = [event for event in run_events(run) if event.target.record.workload == "legacy"]

    header, *profiles = target_events(source, events[0].target)
    controls = [
        EVENT_FORMATS["hdf_splunk"].encode(source, one.target, one.verdict, CREATED) for one in events
    ]

    assert {one["meta"]["guid"] for one in (header, *profiles, *controls)} == {header["meta"]["guid"]}
    assert {one["meta"]["profile_sha256"] for one in controls} <= {
        one["meta"]["profile_sha256"] for one in profiles
    }
    waived = next(one for one in controls if one["id"] == "c-waived")
    assert (waived["meta"]["status"], waived["meta"]["is_waived"]) == ("Not Applicable", True)
    assert all(one["results"] for one in controls)


def test_an_account_replaces_what_a_report_cannot_know():
    account = Account(
        "123456789012", "eu-west-1", "arn:aws:securityhub:eu-west-1:123456789012:product/x/default"
    )

    assert account.fields.keys() == {"AwsAccountId", "Region", "ProductArn"}


def test_events_of_the_same_finding_have_one_fingerprint_in_all_formats(run):
    event: Event = next(run_events(run))
    source = EventSource.of(run)
    encoded = {
        name: json.dumps(one.encode(source, event.target, event.verdict, CREATED))
        for name, one in EVENT_FORMATS.items()
        if name != "hdf_splunk"
    }

    assert all(event.fingerprint in text for text in encoded.values())


def test_reports_are_ascii_files_that_end_with_a_line(run, tmp_path: pathlib.Path):
    for name in READERS:
        data = write_report(REPORTS[name], run, tmp_path).read_bytes()
        assert data.endswith(b"\n") and b"\x1b" not in data and b"\x00" not in data
