# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of attacks: what was tried against a scan or its results, and how it ends.

One file for each attack in tests/attacks; docs/evidence/attacks.md is made of them by `make docs`:

    number: "05"
    attack: A foreign sidecar is taken for the scanner's
    promise: ""                   # where a promise was changed, because it cannot be kept: the page, and what it says now
    rows:
      - id: 05-foreign-sidecar    # begins with the number
        tried: a pod brings a container with the name and the command of a scan's sidecar, and a shell that lies
        approach: sidecar         # exec, debug, sidecar, image, auto, or "any" where it does not matter
        outcome: no_sidecar       # a word of the results (a reason, a status, a gate's key) or a short sentence
        grade: ""                 # the grade of evidence of a result that there still is: target, beside, image
        test: tests/integration/test_foreign_sidecars.py::test_a_foreign_sidecar_is_not_entered

A row's test calls `attack_ends_as` with what it saw, so that no row says anything that no test has seen.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

import yaml

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "attacks"
GRADES = ("", "target", "beside", "image")
APPROACHES = ("exec", "debug", "sidecar", "image", "auto", "any")


@dataclass(frozen=True)
class Row:
    """One attempt. `test` is FILE::NAME within the collection."""

    id: str
    tried: str
    approach: str
    outcome: str
    grade: str
    test: str


@dataclass(frozen=True)
class Attack:
    """All attempts of one kind. `promise` is empty, or names a promise that was changed and where it stands."""

    number: str
    attack: str
    promise: str
    rows: tuple[Row, ...]


def attacks() -> list[Attack]:
    """Every attack, by number. Raises where a file has other keys than these."""
    return [_read(file) for file in sorted(FOLDER.glob("*.yml"))]


def attack_ends_as(row_id: str, *, outcome: str, grade: str = "") -> None:
    """Fails where the table says something else of the attempt than what was seen."""
    rows = [row for attack in attacks() for row in attack.rows if row.id == row_id]
    assert len(rows) == 1, f"tests/attacks has {len(rows)} rows {row_id}"
    assert (rows[0].outcome, rows[0].grade) == (outcome, grade)


def _read(file: pathlib.Path) -> Attack:
    given = yaml.safe_load(file.read_text(encoding="utf-8"))
    rows = tuple(Row(**row) for row in given.pop("rows"))
    return Attack(**given, rows=rows)
