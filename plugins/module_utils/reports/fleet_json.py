# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run as it is kept, for programs: fleet.json."""

from __future__ import annotations

from typing import TextIO

from ..results.fleet_run import FLEET_JSON, FleetRun, fleet_run_bytes
from .fleet_report import FleetReport


def _write(fleet_run: FleetRun, stream: TextIO) -> None:
    stream.write(fleet_run_bytes(fleet_run).decode("utf-8"))


REPORT = FleetReport("json", FLEET_JSON, _write)
