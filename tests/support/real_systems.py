# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of real parts that tests have run with: docs/evidence/tested-with.md.

`make real` writes it, a row for each test that passed; what did not run this time keeps its row.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import pathlib

_TABLE = "SECURESCAN_REAL_TABLE"
SINKS = "Sinks, tickets and stores"
# In the order of the page.
SECTIONS = (
    "AWX and execution environments",
    "Events",
    "In the cluster",
    "Pipelines and editors",
    "The command",
    SINKS,
)
_HEAD = """# Tested with

Which programs that are not ours were run together with the collection, and what was shown. Where a test needs a cluster, it is a
real Kubernetes. `make real` writes this page: a row for each test that has passed, with the day on which it last did. What could
not be had, and what stands in its place, is said on the pages of the parts, such as [awx.md](../awx.md), [sinks.md](../sinks.md).
"""
_COLUMNS = "| part | version | what was shown | on |\n| --- | --- | --- | --- |\n"

_Rows = dict[tuple[str, str, str], str]


def shown(part: str, version: str, what: str, section: str = SINKS) -> None:
    """To be called at the end of a test, when it has shown that.

    :param what: one sentence fragment without a bar
    :param section: one of SECTIONS
    """
    assert section in SECTIONS, f"no section of the table: {section}"
    assert not any("|" in text or "\n" in text for text in (part, version, what)), what
    path = os.environ.get(_TABLE)
    if not path:
        return
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    # several processes of tests can have shown something at once
    with pathlib.Path(path).open("a+", encoding="utf-8") as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        table.seek(0)
        rows = read(table.read())
        rows[section, part, what] = f"| {part} | {version} | {what} | {today} |"
        table.truncate(0)
        table.write(written(rows))


def read(page: str) -> _Rows:
    """The rows of a page, by section, part and what was shown."""
    rows: _Rows = {}
    section = ""
    for line in page.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        cells = line.strip("|").split(" | ")
        if line.startswith("| ") and len(cells) == 4 and cells[0].strip() not in ("part", "---"):
            rows[section, cells[0].strip(), cells[2].strip()] = line
    return rows


def written(rows: _Rows) -> str:
    """The page with these rows."""
    page = _HEAD
    for section in SECTIONS:
        lines = [rows[key] for key in sorted(rows) if key[0] == section]
        if lines:
            page += f"\n## {section}\n\n{_COLUMNS}" + "".join(f"{line}\n" for line in lines)
    return page
