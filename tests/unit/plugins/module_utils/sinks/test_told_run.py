# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system is told of a run after others: created, updated, closed, and nothing that it knows. Nothing closes unseen."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.target_record import ErrorRecord
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.outbox import Outbox
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.sink import Limits
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.told_run import Asked, ToldRun
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

API, WEB, WEB2 = target("api-1"), target("web-1"), target("web-2")
NO = ErrorRecord("SCAN-211", "invalid_request", "no", "", "", "")
CHANGED = Asked(only_changed=True)


class System:
    """A system that takes what it is told, but for what `refuses` names."""

    def __init__(self, folder: pathlib.Path, asked: Asked = CHANGED) -> None:
        self.folder = folder
        self.asked = asked
        self.refuses = ""

    def told(self, run: Run) -> list[str]:
        """What it is told of the run: activity, workload, control and status."""
        said = []

        def items(told: ToldRun) -> Any:
            for one in told.findings():
                what = f"{one.verdict.about.id} {one.verdict.status}" if one.verdict else "not scanned"
                said.append(f"{one.activity} {one.target.record.workload} {what}")
                yield one.item(run.run_id, b"{}")

        with Outbox(self.folder, "test", "there", "demo") as outbox:
            if not outbox.has_run(run):
                outbox.add_run(run, items(ToldRun(run, outbox, self.asked)))
            self._deliver(outbox)
        return sorted(said)

    def send(self) -> None:
        """Sends what waits."""
        with Outbox(self.folder, "test", "there", "demo") as outbox:
            self._deliver(outbox)

    def _deliver(self, outbox: Outbox) -> None:
        while batch := outbox.next_batch(Limits(2, 1000)):
            outbox.settle(
                [(one, NO if self.refuses and self.refuses in one.item.subject else None) for one in batch]
            )

    def flush(self) -> list[str]:
        """What it is sent of what it had refused."""
        sent = []
        with Outbox(self.folder, "test", "there", "demo") as outbox:
            outbox.ask_again()
            while batch := outbox.next_batch(Limits(2, 1000)):
                sent += [f"{one.item.activity} {one.item.subject}" for one in batch]
                outbox.settle([(one, None) for one in batch])
        return sent


@pytest.fixture
def nights(tmp_path: pathlib.Path) -> Nights:
    return Nights(tmp_path)


@pytest.fixture
def system(tmp_path: pathlib.Path) -> System:
    return System(tmp_path / "outboxes")


def test_only_what_has_changed_is_told_and_what_is_mended_is_closed(nights: Nights, system: System) -> None:
    first = system.told(nights.scan(0, {API: {"c-root": "failed", "c-shell": "failed"}}))
    assert first == [
        "created api c-label passed",
        "created api c-root failed",
        "created api c-shell failed",
    ]
    assert system.told(nights.scan(1, {API: {"c-root": "failed", "c-shell": "failed"}})) == []
    assert system.told(nights.scan(2, {API: {"c-shell": "skipped"}})) == [
        "closed api c-root passed",
        "updated api c-shell not_reviewed",
    ]
    assert system.told(nights.scan(3, {API: {"c-root": "failed"}})) == [
        "closed api c-shell passed",
        "created api c-root failed",
    ]


def test_without_only_changed_all_is_told_each_time(nights: Nights, system: System) -> None:
    system.asked = Asked()
    system.told(nights.scan(0, {API: {"c-root": "failed"}}))
    assert system.told(nights.scan(1, {API: {}})) == [
        "closed api c-root passed",
        "updated api c-label passed",
        "updated api c-shell passed",
    ]


def test_filters_leave_out_but_never_keep_a_failure_open(nights: Nights, system: System) -> None:
    system.asked = Asked(statuses=("failed",), min_severity="high", only_changed=True)
    run = nights.scan(0, {API: {"c-root": "failed", "c-label": "failed"}})
    assert system.told(run) == ["created api c-root failed"]
    assert system.told(nights.scan(1, {API: {}})) == ["closed api c-root passed"]


def test_what_was_not_scanned_closes_nothing_and_is_told(nights: Nights, system: System) -> None:
    system.told(nights.scan(0, {API: {"c-root": "failed"}}))
    assert system.told(nights.scan(1, {}, missing=[API])) == ["created api not scanned"]
    assert system.told(nights.scan(2, {}, missing=[API])) == []
    assert system.told(nights.scan(3, {API: {"c-root": "failed"}})) == ["closed api not scanned"]
    assert system.told(nights.scan(4, {API: {}})) == ["closed api c-root passed"]


def test_the_worst_replica_is_told_and_an_unseen_one_keeps_a_failure_open(
    nights: Nights, system: System
) -> None:
    first = system.told(nights.scan(0, {WEB: {"c-root": "failed"}, WEB2: {}}))
    assert "created web c-root failed" in first and len(first) == 3
    second = system.told(nights.scan(1, {WEB2: {}}, missing=[WEB]))
    assert second == ["created web not scanned", "updated web c-root passed"]
    assert system.told(nights.scan(2, {WEB: {}, WEB2: {}})) == [
        "closed web c-root passed",
        "closed web not scanned",
    ]


def test_a_place_that_is_gone_is_closed_only_by_a_run_that_would_have_found_it(
    nights: Nights, system: System
) -> None:
    system.told(nights.scan(0, {API: {"c-root": "failed"}, WEB: {}}))
    assert system.told(nights.scan(1, {WEB: {}}, selection={"namespaces": ["shop"], "pods": ["web-*"]})) == []
    assert system.told(nights.scan(2, {WEB: {}}, selection={"namespaces": ["other"]})) == []
    assert system.told(nights.scan(3, {WEB: {}})) == ["closed api c-root not_applicable"]
    assert system.told(nights.scan(4, {WEB: {}})) == []
    assert (
        system.told(nights.scan(5, {WEB: {}, API: {"c-root": "failed"}}))[0] == "created api c-label passed"
    )


def test_a_control_that_its_profile_no_longer_has_is_closed_but_not_by_another_profile(
    nights: Nights, system: System
) -> None:
    system.told(nights.scan(0, {API: {"c-root": "failed"}}))
    other = nights.scan(1, {API: {}}, profile="extra", controls=["c-x"])
    assert system.told(other) == ["created api c-x passed"]
    assert system.told(nights.scan(2, {API: {}}, controls=["c-label", "c-shell"])) == [
        "closed api c-root not_applicable"
    ]


def test_what_the_system_refused_counts_as_not_told(nights: Nights, system: System) -> None:
    system.refuses = "c-root"
    assert "created api c-root failed" in system.told(nights.scan(0, {API: {"c-root": "failed"}}))
    assert system.told(nights.scan(1, {API: {"c-root": "failed"}})) == ["created api c-root failed"]
    system.refuses = ""
    assert system.told(nights.scan(2, {API: {"c-root": "failed"}})) == ["created api c-root failed"]
    system.refuses = "c-root"
    assert system.told(nights.scan(3, {API: {}})) == ["closed api c-root passed"]
    system.refuses = ""
    assert system.told(nights.scan(4, {API: {}})) == ["closed api c-root passed"]
    assert system.told(nights.scan(5, {API: {}})) == []


def test_what_was_refused_and_came_later_counts_as_told(nights: Nights, system: System) -> None:
    system.asked = Asked(statuses=("failed",), only_changed=True)
    system.refuses = "c-root"
    assert system.told(nights.scan(0, {API: {"c-root": "failed"}})) == ["created api c-root failed"]
    system.refuses = ""
    system.flush()
    assert system.told(nights.scan(1, {API: {"c-root": "failed"}})) == []
    assert system.told(nights.scan(2, {API: {}})) == ["closed api c-root passed"]


def test_what_was_refused_of_a_finding_is_not_sent_after_the_finding_is_what_was_told(
    nights: Nights, system: System
) -> None:
    system.told(nights.scan(0, {API: {"c-root": "failed"}}))
    system.refuses = "c-root"
    assert system.told(nights.scan(1, {API: {}})) == ["closed api c-root passed"]
    system.refuses = ""
    assert system.told(nights.scan(2, {API: {"c-root": "failed"}})) == []
    assert system.flush() == []
    assert system.told(nights.scan(3, {API: {}})) == ["closed api c-root passed"]


def test_a_place_that_is_gone_is_closed_again_where_the_system_refused_it(
    nights: Nights, system: System
) -> None:
    system.told(nights.scan(0, {API: {"c-root": "failed"}, WEB: {}}))
    system.refuses = "c-root"
    assert system.told(nights.scan(1, {WEB: {}})) == ["closed api c-root not_applicable"]
    system.refuses = ""
    assert system.told(nights.scan(2, {WEB: {}})) == ["closed api c-root not_applicable"]


def test_one_that_is_refused_before_a_later_one_of_its_finding_was_never_told(
    nights: Nights, system: System
) -> None:
    with Outbox(system.folder, "test", "there", "demo") as outbox:
        for run in (nights.scan(0, {API: {"c-root": "failed"}}), nights.scan(1, {API: {}})):
            told = ToldRun(run, outbox, CHANGED)
            outbox.add_run(run, [one.item(run.run_id, b"{}") for one in told.findings()])
    system.refuses = "c-root"
    system.send()
    system.refuses = ""
    assert system.told(nights.scan(2, {API: {"c-root": "failed"}})) == ["created api c-root failed"]


def test_a_failure_is_closed_also_where_its_severity_is_no_longer_asked_for(
    nights: Nights, system: System
) -> None:
    system.told(nights.scan(0, {API: {"c-label": "failed"}}))
    system.asked = Asked(min_severity="critical", only_changed=True)
    assert system.told(nights.scan(1, {API: {}})) == ["closed api c-label passed"]
