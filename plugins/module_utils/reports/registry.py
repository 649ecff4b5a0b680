# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats in which a run is reported. It lists them, nothing else."""

from __future__ import annotations

from . import (
    asff,
    ckl,
    cklb,
    csv_table,
    cyclonedx,
    ecs,
    hdf,
    html,
    jsonl,
    junit,
    markdown,
    ocsf,
    openmetrics,
    oscal,
    oscal_component,
    sarif,
    servicenow,
    xccdf,
)
from .report import AnyReport

REPORTS: dict[str, AnyReport] = {
    report.name: report
    for report in (
        markdown.REPORT,
        junit.REPORT,
        html.REPORT,
        hdf.REPORT,
        jsonl.REPORT,
        csv_table.REPORT,
        sarif.REPORT,
        sarif.REPORT_OF_PROBLEMS,
        ckl.REPORT,
        cklb.REPORT,
        xccdf.REPORT,
        oscal.REPORT,
        oscal_component.REPORT,
        ocsf.REPORT,
        ecs.REPORT,
        asff.REPORT,
        openmetrics.REPORT,
        cyclonedx.REPORT,
        servicenow.REPORT,
    )
}
