# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a format of a fleet run's reports is: one file of this room, which fleet_registry.py lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..results.fleet_run import FleetRun
from .report import is_file_name, write_text


@dataclass(frozen=True)
class FleetReport:
    """One format.

    `name` is what the option `formats` calls it, `file_name` where it is written. `write` writes it piece by piece. It reads
    runs, where it needs them, by `FleetRun.runs()`, one at a time, and brings everything that comes out of a cluster or an
    inventory through `safe_text`.
    """

    name: str
    file_name: str
    write: Callable[[FleetRun, TextIO], None]

    def __post_init__(self) -> None:
        if not is_file_name(self.file_name):
            raise ValueError(f"{self.file_name!r} is not a file name for a report")


def write_fleet_report(report: FleetReport, fleet_run: FleetRun, folder: Path) -> Path:
    """Writes the report's file in `folder`, in UTF-8. Returns its path. :raises ScanError: `write_failed`"""
    return write_text(folder / report.file_name, lambda stream: report.write(fleet_run, stream))
