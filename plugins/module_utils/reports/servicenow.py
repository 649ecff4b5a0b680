# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run for an import set of ServiceNow: servicenow.csv, one row for each control of each place (docs/cmdb.md).

`correlation_id` is the finding's fingerprint, the same in each run: what a transform map coalesces on. `configuration_item` is
what the operator's file calls the place, for a field that refers to cmdb_ci; it is empty where no rule fits. What gave no
results has a row, too, with the status not_scanned or unread. No cell is a formula (see spreadsheet.py).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TextIO

from ..results.configuration_items import ConfigurationItems
from ..results.place import Place
from ..results.run import Run
from .csv_table import OF_EXCEPTION, exception_texts
from .event import Event, finding_events
from .plain_event import outcome_object
from .report import Report, write_text
from .spreadsheet import cells

FILE_NAME = "servicenow.csv"
# A column of an import set that holds a text takes 4,000 characters.
_MOST = 4000
_END = "\r\n"
_OF_PLACE = ("cluster", "namespace", "workload_kind", "workload", "container")
_OF_TARGET = ("image", "image_digest", "target_id", "seen")
HEADS = (
    "correlation_id",
    "configuration_item",
    *_OF_PLACE,
    "profile",
    "control",
    "title",
    "severity",
    "status",
    "waived",
    "attested",
    "text",
    *OF_EXCEPTION,
    "fix",
    *_OF_TARGET,
    "run_id",
    "started",
)


def write_servicenow(run: Run, stream: TextIO, items: ConfigurationItems | None = None) -> None:
    known = items or ConfigurationItems()
    stream.write(cells(HEADS) + _END)
    for event in finding_events(run):
        stream.write(cells(_row(run, event, known), _MOST) + _END)


def write_servicenow_file(run: Run, items: ConfigurationItems, folder: Path) -> Path:
    """The report with the names of configuration items. :raises ScanError: `write_failed`"""
    return write_text(folder / FILE_NAME, partial(write_servicenow, run, items=items))


def _row(run: Run, event: Event, items: ConfigurationItems) -> list[str]:
    record, verdict = event.target.record, event.verdict
    if verdict is None:
        said = outcome_object(event.target)
        about: tuple[str, ...] = (
            "",
            "",
            "",
            "",
            said["status"],
            "no",
            "no",
            said["text"],
            *[""] * len(OF_EXCEPTION),
            "",
        )
    else:
        of = verdict.about
        marks = ["yes" if one else "no" for one in (verdict.waived, verdict.attested)]
        about = (
            of.profile,
            of.id,
            of.title,
            of.severity,
            verdict.status,
            *marks,
            verdict.text,
            *exception_texts(verdict),
            of.fix,
        )
    return [
        event.fingerprint,
        items.of(Place.of(record)),
        *(getattr(record, name) for name in _OF_PLACE),
        *about,
        *(getattr(record, name) for name in _OF_TARGET),
        run.run_id,
        run.started,
    ]


REPORT = Report("servicenow", FILE_NAME, write_servicenow)
