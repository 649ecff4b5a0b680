# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of real systems that tests have run against: docs/evidence/real-systems.md.

`make real` writes it, a row for each test that passed; what did not run this time keeps its row.
"""

from __future__ import annotations

import datetime
import os
import pathlib

_TABLE = "SECURESCAN_REAL_TABLE"
_HEAD = """# Real systems

Which systems the sinks were tested against, besides servers of ours that enforce a published contract. `make real` writes this
page: a row for each test that has passed, with the day on which it last did. [sinks.md](../sinks.md) says which systems have no
real one here.

| system | version | what was shown | on |
| --- | --- | --- | --- |
"""


def shown(system: str, version: str, what: str) -> None:
    """To be called at the end of a test, when it has shown that. One sentence fragment without a bar."""
    path = os.environ.get(_TABLE)
    if not path:
        return
    table = pathlib.Path(path)
    rows = {}
    if table.exists():
        for line in table.read_text(encoding="utf-8").splitlines():
            cells = line.strip("|").split(" | ")
            if line.startswith("| ") and len(cells) == 4 and cells[0].strip() not in ("system", "---"):
                rows[cells[0].strip(), cells[2].strip()] = line
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    rows[system, what] = f"| {system} | {version} | {what} | {today} |"
    table.write_text(_HEAD + "".join(f"{rows[key]}\n" for key in sorted(rows)), encoding="utf-8")
