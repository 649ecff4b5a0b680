# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/evidence/attacks.md: what was tried against scans and their results, and how it ends, made of tests/attacks."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.tests.support.attack_table import Attack, Row, attacks

_HEAD = """\
# Attacks

What was tried against a scan, its access or its results, and how it ends. Each row was seen by the test that it names; most run
on a real cluster with images that are made for the attack. `grade` is the grade of evidence of a result that there still is
([approaches.md](../approaches.md)): `target`, `beside`, `image`, or nothing where there is no result to be believed.

The numbers stay the same, so that reports can name them.
"""


def attacks_page(generated: str) -> str:
    """The page; `generated` is its first line."""
    return "\n".join([generated, _HEAD, *(_section(attack) for attack in attacks())])


def _section(attack: Attack) -> str:
    promise = [f"What is promised now: {_flat(attack.promise)}", ""] if attack.promise else []
    rows = [_line(row) for row in attack.rows]
    head = [
        "| what was tried | approach | how it ends | grade | shown by |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([f"## {attack.number}. {_flat(attack.attack)}", "", *promise, *head, *rows, ""])


def _line(row: Row) -> str:
    cells = (row.tried, row.approach, row.outcome, row.grade, f"`{row.test.rpartition('::')[2]}`")
    return "| {} |".format(" | ".join(_flat(cell).replace("|", "\\|") for cell in cells))


def _flat(text: str) -> str:
    return " ".join(text.split())
