# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No format shows a sensitive input of a profile, whoever wrote the document; and every format says who approved an exception.

Both go over the registries, so that a new format is among them.
"""

from __future__ import annotations

import datetime
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event import (
    CREATED,
    EventSource,
    run_events,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.event_registry import (
    EVENT_FORMATS,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.amendments import read_amendments
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
    write_run,
)

NOW = datetime.datetime(2026, 11, 23, 10, 0, tzinfo=datetime.timezone.utc)
SENSITIVE, PLAIN = "Planted-4711-input", "an-input-that-is-no-secret"
APPROVAL = {
    "requested_by": "ann-who-asked",
    "requested": "2026-11-02",
    "approved_by": "bob-who-approved",
    "approved": "2026-11-04",
    "ticket": "RISK-1717",
}
WAIVER = {"justification": "known", "run": False, "expiration_date": "2027-01-31", **APPROVAL}
# They only count, or say nothing of results.
WITHOUT_EXCEPTIONS = {"openmetrics", "oscal_component", "sarif_problems"}


def make_run(folder: pathlib.Path, waivers: Any = None) -> Run:
    target = make_target()
    inputs = [
        {"name": "password", "options": {"type": "String", "sensitive": True, "value": SENSITIVE}},
        {"name": "banner", "options": {"type": "String", "value": PLAIN}},
    ]
    profile = make_profile(
        "baseline", make_control("c-1", "failed"), make_control("c-2", "passed"), attributes=inputs
    )
    read_amendments(waivers, None).apply([profile], target.identity(), NOW)
    return open_run(
        str(write_run(folder, "run-1", [(target, hdf_document(make_judgement(target, profile)))]))
    )


def texts(path: pathlib.Path) -> str:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def reported(name: str, run: Run, folder: pathlib.Path) -> str:
    """All that a format writes; of the page its data, which it carries packed."""
    folder.mkdir(exist_ok=True)
    text = texts(write_report(REPORTS[name], run, folder))
    if name == "html":
        from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_data import PageData
        from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import (
            PageSource,
        )

        text += "".join(PageData(PageSource.of_run(run)).pieces())
    return text


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_a_sensitive_input_is_in_no_report(name: str, tmp_path: pathlib.Path) -> None:
    text = reported(name, make_run(tmp_path / "run"), tmp_path / "out")
    assert text and SENSITIVE not in text


@pytest.mark.parametrize("name", sorted(EVENT_FORMATS))
def test_a_sensitive_input_is_in_no_event(name: str, tmp_path: pathlib.Path) -> None:
    run = make_run(tmp_path)
    source = EventSource.of(run)
    events = [
        EVENT_FORMATS[name].encode(source, event.target, event.verdict, CREATED) for event in run_events(run)
    ]
    assert events and SENSITIVE not in json.dumps(events)


@pytest.mark.parametrize("name", sorted(set(REPORTS) - WITHOUT_EXCEPTIONS))
def test_a_report_says_who_approved_until_when_and_the_ticket(name: str, tmp_path: pathlib.Path) -> None:
    text = reported(name, make_run(tmp_path / "run", {"c-1": WAIVER}), tmp_path / "out")
    plain = text.replace("\\-", "-").replace("&#45;", "-")
    assert [one for one in ("bob-who-approved", "RISK-1717", "2027-01-31") if one not in plain] == []


@pytest.mark.parametrize("name", sorted(EVENT_FORMATS))
def test_an_event_says_who_approved_until_when_and_the_ticket(name: str, tmp_path: pathlib.Path) -> None:
    run = make_run(tmp_path, {"c-1": WAIVER})
    source = EventSource.of(run)
    text = json.dumps(
        [
            EVENT_FORMATS[name].encode(source, event.target, event.verdict, CREATED)
            for event in run_events(run)
        ]
    )
    assert [one for one in ("bob-who-approved", "RISK-1717", "2027-01-31") if one not in text] == []


@pytest.mark.parametrize("name", sorted(set(REPORTS) - WITHOUT_EXCEPTIONS - {"markdown"}))
def test_a_report_says_that_a_waiver_counts_for_nothing(name: str, tmp_path: pathlib.Path) -> None:
    """In summary.md it stands among the run's notes, which this run does not have."""
    waiver = {key: value for key, value in WAIVER.items() if not key.startswith("approved")}
    text = reported(name, make_run(tmp_path / "run", {"c-1": waiver}), tmp_path / "out")
    assert "nobody has approved it" in text
