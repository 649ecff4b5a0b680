# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page report.html of a fleet run: see html.py."""

from __future__ import annotations

from typing import TextIO

from ..results.fleet_run import FleetRun
from .fleet_report import FleetReport
from .html import FILE_NAME, write_page
from .page_source import PageSource


def write_fleet_html(fleet_run: FleetRun, stream: TextIO) -> None:
    """:raises ScanError: never for a run that cannot be opened: the page tells it"""
    write_page(PageSource.of_fleet_run(fleet_run), stream)


REPORT = FleetReport("html", FILE_NAME, write_fleet_html)
