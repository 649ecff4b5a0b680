# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a format of reports is: one file of this room, which registry.py lists."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..results.run import SUMMARY_JSON, Run
from ..results.whole_file import whole_file

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Report:
    """One format.

    `name` is what the option `formats` calls it, `file_name` where it is written. `write` writes it piece by piece, so
    that memory does not grow with the run; it reads `Run.findings`, or `Run.documents()`, where the summary does
    not hold what it needs, and brings everything that comes out of a cluster through `safe_text`.
    """

    name: str
    file_name: str
    write: Callable[[Run, TextIO], None]

    def __post_init__(self) -> None:
        if not is_file_name(self.file_name):
            raise ValueError(f"{self.file_name!r} is not a file name for a report")


def write_report(report: Report, run: Run, folder: Path) -> Path:
    """Writes the report's file in `folder`, in UTF-8. Returns its path. :raises ScanError: `write_failed`"""
    return write_text(folder / report.file_name, lambda stream: report.write(run, stream))


def write_text(path: Path, write: Callable[[TextIO], None]) -> Path:
    """A file that appears when it is whole, in UTF-8. Returns its path. :raises ScanError: `write_failed`"""
    with whole_file(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="\n")
        write(text)
        text.detach()
    return path


def is_file_name(name: str) -> bool:
    """Whether a report can be called so."""
    return _FILE_NAME.fullmatch(name) is not None and name != SUMMARY_JSON
