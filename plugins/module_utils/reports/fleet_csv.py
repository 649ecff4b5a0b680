# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run as a table for spreadsheets: fleet.csv, one line for each cluster."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from ..results.cluster_entry import ClusterEntry
from ..results.fleet_run import FleetRun
from ..results.status import STATUSES
from .fleet_report import FleetReport
from .spreadsheet import safe_cell

_OF_ENTRY = ("cluster", "host", "state", "gate", "reason")
_NUMBERS = ("selected", "scanned", "judged", "carried")
_REST = (
    "compliance",
    "worst_failed",
    "evidence",
    "started",
    "finished",
    "duration",
    "oldest_seen",
    "run_id",
    "run_dir",
)


def _write(fleet_run: FleetRun, stream: TextIO) -> None:
    groups = sorted({name for entry in fleet_run.clusters for name in entry.groups})
    writer = csv.writer(stream, lineterminator="\n")
    heads = (
        *_OF_ENTRY,
        *_NUMBERS,
        *STATUSES,
        *_REST,
        "error_code",
        "error",
        *(f"group {name}" for name in groups),
    )
    writer.writerow([safe_cell(head) for head in heads])
    for entry in fleet_run.clusters:
        writer.writerow([safe_cell(value) for value in _cells(entry, groups)])


def _cells(entry: ClusterEntry, groups: list[str]) -> Iterator[object]:
    yield from (getattr(entry, name) for name in _OF_ENTRY)
    yield from (getattr(entry.targets, name) for name in _NUMBERS)
    yield from (entry.controls[status] for status in STATUSES)
    yield from (getattr(entry, name) for name in _REST)
    yield entry.error.code if entry.error else ""
    yield entry.error.message if entry.error else ""
    yield from (entry.groups.get(name, "") for name in groups)


REPORT = FleetReport("csv", "fleet.csv", _write)
