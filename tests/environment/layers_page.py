# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of docs/architecture.md that is made from the table of layers: the rooms, and the picture of their imports."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.tests.unit.architecture.layers import FOUNDATION, ROOMS

BEGIN = "<!-- Made by `make docs` from tests/unit/architecture/layers.py; changes here are lost. -->\n"
END = "<!-- The end of what `make docs` makes. -->\n"


def with_layers(text: str) -> str:
    """The page with its made part as the table has it now."""
    before, _, rest = text.partition(BEGIN)
    _old, found, after = rest.partition(END)
    if not found:
        raise ValueError("docs/architecture.md lacks the marks of the part that is made")
    return before + BEGIN + _layers() + END + after


def _layers() -> str:
    rows = [
        f"| `{room.path}` | {room.purpose} | {', '.join(room.imports) or 'nothing else'} |" for room in ROOMS
    ]
    return "\n".join(
        [
            "",
            "| room of `plugins/` | what it is for | imports |",
            "| --- | --- | --- |",
            *rows,
            "",
            "Downwards only; an arrow stands for each import that no longer way of arrows tells already. "
            f"Any room is allowed to import {', '.join(f'`{room.name}`' for room in ROOMS if room.name in FOUNDATION)}.",
            "",
            "```mermaid",
            "flowchart TD",
            *(f"    {name} --> {other}" for name, other in _arrows()),
            "```",
            "",
        ]
    )


def _arrows() -> list[tuple[str, str]]:
    """The imports between rooms without those that follow from two others."""
    direct = {room.name: list(room.imports) for room in ROOMS if room.name not in FOUNDATION}
    reach: dict[str, set[str]] = {}
    for room in reversed(ROOMS):
        below = direct.get(room.name, [])
        reach[room.name] = set(below).union(*(reach[name] for name in below))
    return [
        (name, other)
        for name, others in direct.items()
        for other in others
        if not any(other in reach[between] for between in others)
    ]
