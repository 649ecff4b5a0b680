# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ScanError
from ..reports.registry import REPORTS
from ..reports.report import Report
from ..suggestions import unknown_name
from .run import (
    cluster_name_option,
    cluster_name_spec,
    sha256_option,
    summary_sha256_option,
    summary_sha256_spec,
)
from .spec import Params, Spec


@dataclass(frozen=True)
class ReportOptions:
    """`output_dir` is where the reports are written, None for the folder of the decision that they show. `decision` is that
    decision's file or folder, empty for the run's first one. A SHA-256 and `cluster_name` are empty where they are not
    known."""

    run_dir: Path
    summary_sha256: str
    decision: str
    decision_sha256: str
    reports: tuple[Report, ...]
    output_dir: Path | None
    cluster_name: str

    @classmethod
    def from_params(cls, params: Params) -> ReportOptions:
        """:raises ScanError: `bad_option` for a format that there is not, or none at all, and for what is no SHA-256"""
        return cls(
            run_dir=Path(params["run_dir"]),
            summary_sha256=summary_sha256_option(params),
            decision=params["decision"] or "",
            decision_sha256=sha256_option(params, "decision_sha256"),
            reports=_reports(params["formats"]),
            output_dir=Path(params["output_dir"]) if params["output_dir"] else None,
            cluster_name=cluster_name_option(params),
        )


def _reports(formats: Sequence[str]) -> tuple[Report, ...]:
    """The reports of these formats, each once."""
    for name in formats:
        if name not in REPORTS:
            message = unknown_name("format", name[:100], REPORTS)
            raise ScanError("bad_option", message, tried="reading the option formats")
    if not formats:
        raise ScanError("bad_option", "no format is named", tried="reading the option formats")
    return tuple(REPORTS[name] for name in dict.fromkeys(formats))


def scan_report_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        **summary_sha256_spec(),
        "decision": {"type": "path"},
        "decision_sha256": {"type": "str"},
        **cluster_name_spec(),
        "formats": {"type": "list", "elements": "str", "default": ["markdown", "junit"]},
        "output_dir": {"type": "path"},
    }
