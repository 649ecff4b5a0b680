# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults in docs/evidence/faults.md: made from what the tests saw, and compared with what they declare.

With SECURESCAN_WRITE_DOCS=1 the tests write their section of the page. Without it, the first three columns of the page
(what was done, the record, its reach) must be what the tests declare, so that the page cannot rot.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS

_TREE = pathlib.Path(__file__).resolve().parents[3]
# The tests run in a copy of the checkout, which is kept in its folder build/.
_IN_COPY = ("build", "collections", "ansible_collections", "securescan", "kubernetes")
CHECKOUT = _TREE.parents[4] if _TREE.parts[-5:] == _IN_COPY else _TREE
_PAGE = pathlib.Path("docs", "evidence", "faults.md")
SCANNED = "scanned"
_HEAD = """<!-- Made by the tests in tests/integration/faults (SECURESCAN_WRITE_DOCS=1); changes here are lost. -->

# Faults

What a scan makes of each fault, shown by tests that go the whole way: selection, access, exec, results, removal.
For every row they also check that

- the other containers of the same run are scanned and judged,
- the container with the fault has no result document, so nothing is concluded from incomplete data,
- nothing of the scan's access is left in the cluster; where it cannot be removed, the run ends as `access_remains`.

The reach says what the record is about: one container (`target`), those of a namespace, or the whole run. `scanned`
means that the fault does no harm.
"""
_COLUMNS = (
    "| what was done | record | reach | what came back (an example) | advice |",
    "| --- | --- | --- | --- | --- |",
)
SECTIONS = ("Real cluster", "Simulated API server")


@dataclass(frozen=True)
class Row:
    """One fault. `reasons` are the records it may end as; none: it is scanned all the same."""

    name: str
    fault: str
    reasons: tuple[str, ...] = ()
    reach: str = "target"

    @property
    def record(self) -> str:
        return " or ".join(f"`{KINDS[reason].code}` `{reason}`" for reason in self.reasons) or SCANNED


class FaultTable:
    """One section's rows, and the records that the tests saw."""

    def __init__(self, section: str, rows: Sequence[Row]) -> None:
        assert len({row.name for row in rows}) == len({row.fault for row in rows}) == len(rows)
        self._section = section
        self._rows = rows
        self._seen: dict[str, Mapping[str, str]] = {}

    def note(self, row: Row, record: Mapping[str, str]) -> None:
        self._seen[row.name] = record

    def check(self) -> None:
        """Compares the page with the rows, after having written it where that is wanted."""
        if os.environ.get("SECURESCAN_WRITE_DOCS") == "1":
            missing = [row.name for row in self._rows if row.reasons and row.name not in self._seen]
            assert not missing, f"only a whole run can write the page; not seen: {missing}"
            self._write()
        else:
            shown = _sections((_TREE / _PAGE).read_text(encoding="utf-8")).get(self._section, [])
            declared = [[row.fault, row.record, row.reach] for row in self._rows]
            assert [_cells(line)[:3] for line in shown[2:]] == declared, (
                "run the tests of tests/integration/faults with SECURESCAN_WRITE_DOCS=1"
            )

    def _write(self) -> None:
        page = CHECKOUT / _PAGE
        sections = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
        sections[self._section] = [*_COLUMNS, *map(self._line, self._rows)]
        text = _HEAD
        for section in SECTIONS:
            text += "\n## {}\n\n{}\n".format(section, "\n".join(sections.get(section, [])))
        page.write_text(text, encoding="utf-8")

    def _line(self, row: Row) -> str:
        record = self._seen.get(row.name, {})
        said, advice = _constant(record.get("message", "")), record.get("advice", "")
        return "| {} |".format(
            " | ".join(_cell(text) for text in (row.fault, row.record, row.reach, said, advice))
        )


def _sections(page: str) -> dict[str, list[str]]:
    """The lines of each section's table by its heading."""
    found: dict[str, list[str]] = {}
    for part in page.split("\n## ")[1:]:
        heading, _newline, rest = part.partition("\n")
        found[heading] = [line for line in rest.splitlines() if line.startswith("|")]
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _constant(text: str) -> str:
    """The text without what is another one each time."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"securescan-[0-9]{8}t[0-9]{6}-[0-9a-f]{6}", "securescan-RUN", text)
    text = text.replace("because the test wants it", "(the server's message)")
    text = re.sub(r"[0-9a-f]{24,}", "ID", text)
    text = re.sub(r"\b(?:10|127|172|192)\.[0-9]+\.[0-9]+\.[0-9]+(?::[0-9]+)?", "ADDRESS", text)
    return text if len(text) < 240 else text[:240] + "..."
