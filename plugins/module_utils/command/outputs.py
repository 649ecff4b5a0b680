# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command writes to stdout: a table for people, lines for editors, JSON, or a report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from ..reports.registry import REPORTS
from ..reports.report import Report
from ..results.run import Run
from ..results.run_folder import json_bytes
from .problem_lines import write_problem_lines

TABLE, JSON, LINES = "table", "json", "lines"
# The reports that are one file.
_REPORTS = {name: report for name, report in REPORTS.items() if isinstance(report, Report)}
OUTPUTS: tuple[str, ...] = (TABLE, JSON, LINES, *_REPORTS)


def write_output(output: str, run: Run, table: Iterable[str], stream: TextIO) -> None:
    """:param run: with the decision of its gate
    :param table: the lines of the gate's table
    """
    if output == TABLE:
        stream.writelines(f"{line}\n" for line in table)
    elif output == JSON:
        stream.write(json_bytes(run.to_json()).decode("utf-8"))
    elif output == LINES:
        write_problem_lines(run, stream)
    else:
        _REPORTS[output].write(run, stream)
