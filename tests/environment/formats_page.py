# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/formats.md: what each format of reports says of each case, as its own readers read it.

    python formats_page.py DOCS_FOLDER

Every report is written anew, and every cell is read from it by the program or library that the page names.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.tests.support.cases_run import (
    CASES,
    PROFILE,
    control_of,
    target_id_of,
    write_cases_run,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers import all_readers
from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import FormatReader

_GENERATED = "<!-- Made by `make docs`; changes here are lost. -->\n"
NOTHING = "-"
# So many formats stand in a table beside each other.
_COLUMNS = 4
_HEAD = """\
# What each format says

A run with one container for each case was written in each format, and read by the reader that is named: each cell is what that
reader shows. The readers also judge what they are given, so only what is valid has a column. `-`: the format has nothing
of the kind: no word of it says that the control passed.

What the words of a format mean stands in its own standard; which format is for whom: [reports.md](reports.md).
"""


@dataclass(frozen=True)
class Column:
    """What one format says: case -> the word of its reader, NOTHING where it has none."""

    name: str
    validator: str
    words: Mapping[str, str] = field(default_factory=dict)


def columns() -> list[Column]:
    """All formats, in the order of the registry. :raises AssertionError: a reader refuses what was written for it"""
    readers = all_readers()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run = write_cases_run(folder / "run")
        (folder / "reports").mkdir()
        return [
            _column(readers[report.name], write_report(report, run, folder / "reports"))
            for report in REPORTS.values()
        ]


def _column(reader: FormatReader, path: pathlib.Path) -> Column:
    controls, targets = reader.read(path), reader.targets(path)
    words = {}
    for case in CASES:
        target_id = target_id_of(case)
        word = controls.get((target_id, PROFILE, control_of(case))) or controls.get((target_id, "", ""))
        words[case] = word or targets.get(target_id) or NOTHING
    return Column(reader.name, reader.validator, words)


def formats_page(found: list[Column]) -> str:
    lines = [_GENERATED, _HEAD]
    for first in range(0, len(found), _COLUMNS):
        group = found[first : first + _COLUMNS]
        lines += [
            "| case | " + " | ".join(f"`{column.name}`" for column in group) + " |",
            "| --- |" + " --- |" * len(group),
            *(
                f"| {case} | " + " | ".join(_cell(column.words[case]) for column in group) + " |"
                for case in CASES
            ),
            "",
        ]
    lines += ["## Who read it", "", "| format | reader |", "| --- | --- |"]
    lines += [f"| `{column.name}` | {_cell(column.validator)} |" for column in found]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    path = pathlib.Path(sys.argv[1]) / "formats.md"
    path.write_text(formats_page(columns()), encoding="utf-8")
    print(f"==> written: {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
