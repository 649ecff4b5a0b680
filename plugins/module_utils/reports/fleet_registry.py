# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats in which a fleet run is reported. It lists them, nothing else."""

from __future__ import annotations

from . import (
    fleet_csv,
    fleet_html,
    fleet_json,
    fleet_markdown,
)
from .fleet_report import FleetReport

FLEET_REPORTS: dict[str, FleetReport] = {
    report.name: report
    for report in (
        fleet_json.REPORT,
        fleet_csv.REPORT,
        fleet_markdown.REPORT,
        fleet_html.REPORT,
    )
}
