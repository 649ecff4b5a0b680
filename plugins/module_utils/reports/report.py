# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a format of reports is: one file of this room, which registry.py lists. It writes one file, or a folder of them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, Union

from ..results.run import SUMMARY_JSON, Run
from ..results.whole_file import FOLDER_MODE, whole_file, write_failed

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_MOST_READABLE = 150
_HASH_DIGITS = 16


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


@dataclass(frozen=True)
class ReportPart:
    """One file of a format that writes several. `about` is what it is about: the id of a target, or of a target and a profile.
    No two parts of a run are about the same."""

    about: tuple[str, ...]
    write: Callable[[TextIO], None]


@dataclass(frozen=True)
class ReportFolder:
    """A format that a reader wants in several files, such as one for each target and profile.

    `file_name` is the folder in which they are, `suffix` how their names end. `parts` gives them one at a time. How they are
    called is no matter of the format (see `part_file_name`); all else is as for a Report.
    """

    name: str
    file_name: str
    suffix: str
    parts: Callable[[Run], Iterator[ReportPart]]

    def __post_init__(self) -> None:
        if not is_file_name(self.file_name) or not is_file_name(f"x{self.suffix}"):
            raise ValueError(f"{self.file_name!r} and {self.suffix!r} are no names for a folder of reports")


AnyReport = Union[Report, ReportFolder]


def write_report(report: AnyReport, run: Run, folder: Path) -> Path:
    """Writes the report's file, or its folder of files, in `folder`, in UTF-8. Returns its path.

    :raises ScanError: `write_failed`
    """
    if isinstance(report, ReportFolder):
        return _write_parts(report, run, folder / report.file_name)
    return write_text(folder / report.file_name, lambda stream: report.write(run, stream))


def _write_parts(report: ReportFolder, run: Run, folder: Path) -> Path:
    """Each file appears when it is whole. What an earlier report left there, and this one does not have, is removed; nothing
    else is."""
    due = set()
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise OSError("it is a link")
        for part in report.parts(run):
            name = part_file_name(part.about, report.suffix)
            write_text(folder / name, part.write)
            due.add(name)
        ours = re.compile(
            f"[a-z0-9.-]{{1,{_MOST_READABLE}}}~[0-9a-f]{{{_HASH_DIGITS}}}{re.escape(report.suffix)}"
        )
        for path in folder.iterdir():
            if path.name not in due and ours.fullmatch(path.name):
                path.unlink()
    except OSError as reason:
        raise write_failed(folder, reason) from None
    return folder


def part_file_name(about: tuple[str, ...], suffix: str) -> str:
    """Small letters, digits, dots and dashes of what it is about, then a hash of all of it after `~`: names that differ in
    anything differ, and none of them leads anywhere else."""
    readable = _UNSAFE.sub("-", "-".join(about).lower())[:_MOST_READABLE].strip(".-") or "x"
    digest = hashlib.sha256(json.dumps(about).encode("ascii")).hexdigest()[:_HASH_DIGITS]
    return f"{readable}~{digest}{suffix}"


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
