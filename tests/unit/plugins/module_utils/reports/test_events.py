# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events a run gives: every control, every target without results, every gap; and one for each finding of a place."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import (
    EventSource,
    event_time,
    finding_events,
    run_events,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import TargetRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.unmatched import Unmatched
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

ONE, TWO, OTHER, DOWN = (
    make_target("api-1"),
    make_target("api-2"),
    make_target("web-1", workload="web"),
    make_target("api-3"),
)


def _run(folder: pathlib.Path):
    documents = [
        (ONE, make_document(ONE, make_control("c", "passed"), make_control("d", "skipped"))),
        (OTHER, make_document(OTHER, make_control("c", "passed"))),
        (TWO, make_document(TWO, make_control("c", "failed"), make_control("d", "passed"))),
    ]
    error = ScanError("no_such_program", "no shell", tried="exec")
    return open_run(str(write_run(folder, "run-1", documents, [(DOWN, error)])))


def _shown(events):
    return [
        (
            event.target.record.pod,
            event.told.about.id,
            event.told.status,
        )
        for event in events
    ]


def test_reports_have_each_control_of_each_target(tmp_path):
    assert _shown(run_events(_run(tmp_path))) == [
        ("api-1", "c", "passed"),
        ("api-1", "d", "not_reviewed"),
        ("api-2", "c", "failed"),
        ("api-2", "d", "passed"),
        ("api-3", "target-scanned", "profile_error"),
        ("web-1", "c", "passed"),
    ]


def test_a_finding_is_told_once_for_its_place_by_the_worst_replica(tmp_path):
    events = list(finding_events(_run(tmp_path)))

    assert _shown(events) == [
        ("api-2", "c", "failed"),
        ("api-1", "d", "not_reviewed"),
        ("api-3", "target-scanned", "profile_error"),
        ("web-1", "c", "passed"),
    ]
    assert len({event.fingerprint for event in events}) == 4


def test_a_document_that_is_not_the_runs_is_told_and_no_control_of_it(tmp_path):
    run = _run(tmp_path)
    record: TargetRecord = run.targets[1]
    (pathlib.Path(run.folder) / record.hdf).write_text("{}", encoding="utf-8")

    (event,) = [event for event in run_events(run) if event.target.record.target_id == record.target_id]

    assert event.told.status == "profile_error" and "SHA-256" in event.told.text


def test_a_name_without_a_target_is_an_event_of_its_own(tmp_path):
    error = ScanError("no_targets", "no pods", tried="list").record()
    gaps = tuple(
        Unmatched.of(kind, name, "shop", error)
        for kind, name in (("namespace", "shop"), ("workload", "api"), ("pod", "api"), ("container", "api"))
    )
    run = replace(_run(tmp_path), unmatched=gaps)

    events = [event for event in finding_events(run) if event.verdict is None][1:]

    assert [event.target.record.target_id for event in events] == [gap.target_id for gap in gaps]
    assert all(event.target.record.error.reason == "no_targets" for event in events)
    assert len({event.fingerprint for event in events}) == 4


def test_the_time_is_when_the_target_was_seen(tmp_path):
    run = _run(tmp_path)
    scanned, *_others, down, _web = run_events(run)

    assert event_time(EventSource.of(run), scanned.target).isoformat().startswith("2026-11-23T10:00:0")
    assert event_time(EventSource.of(run), down.target).isoformat() == "2026-11-23T10:00:02+00:00"
