# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imports of the code are those that the table of layers allows, and the table holds nothing else."""

from __future__ import annotations

import pathlib

import pytest

from .imports import file_imports, room_of
from .layers import FOUNDATION, ROOMS, Room, above


def differences(imports: dict[str, set[str]], rooms: tuple[Room, ...]) -> list[str]:
    """What the sources and the table do not agree on, a sentence each."""
    by_path = {room.path: room for room in rooms}
    there = {
        room_of(name) for name in imports if "/" in name and not name.endswith("module_utils/__init__.py")
    }
    used = {
        (room_of(name), room_of(other))
        for name, others in imports.items()
        for other in others
        if room_of(name) != room_of(other)
    }
    allowed = {(room.path, other.path) for room in rooms for other in rooms if other.name in room.imports}
    free = {
        (room.path, other.path)
        for number, room in enumerate(rooms)
        for other in rooms[number + 1 :]
        if other.name in FOUNDATION
    }
    place = {room.path: number for number, room in enumerate(rooms)}
    return [
        *(f"{path} is no room of the table" for path in sorted(there - by_path.keys())),
        *(f"{path} is in the table and not in plugins/" for path in sorted(by_path.keys() - there)),
        *(
            f"{name} imports {other}, which the table does not allow"
            for name, others in imports.items()
            for other in sorted(others)
            if room_of(name) != room_of(other) and (room_of(name), room_of(other)) not in allowed | free
        ),
        *(
            f"the table allows {one} to import {other}, and nothing does"
            for one, other in sorted(allowed - used)
        ),
        *(
            f"{room.path} is allowed to import {name}, which does not stand below it"
            for room in rooms
            for name in room.imports
            if name not in {other.name for other in rooms[place[room.path] + 1 :]}
        ),
    ]


def test_the_code_imports_what_the_table_allows_and_nothing_else() -> None:
    assert differences(file_imports(), ROOMS) == []


def test_no_file_imports_itself_by_way_of_others() -> None:
    imports = file_imports()
    below: dict[str, set[str]] = {}

    def reach(name: str, on_the_way: tuple[str, ...]) -> set[str]:
        assert name not in on_the_way, " -> ".join([*on_the_way, name])
        if name not in below:
            below[name] = set().union(
                *(reach(other, (*on_the_way, name)) | {other} for other in imports[name])
            )
        return below[name]

    for name in imports:
        reach(name, ())


@pytest.mark.parametrize(
    ("text", "rooms", "said"),
    [
        ("from ..low import thing", (("high", ""), ("low", "")), "which the table does not allow"),
        ("from .. import low", (("high", ""), ("low.py", "")), "which the table does not allow"),
        ("", (("high", "low"), ("low", "")), "and nothing does"),
        ("", (("high", ""),), "is no room of the table"),
        ("", (("high", ""), ("low", ""), ("none", "")), "and not in plugins/"),
        ("from ..low import thing", (("low", ""), ("high", "low")), "does not stand below it"),
    ],
)
def test_each_difference_is_told(
    tmp_path: pathlib.Path, text: str, rooms: tuple[tuple[str, str], ...], said: str
) -> None:
    low = "low.py" if rooms[-1][0] == "low.py" else "low/thing.py"
    for name, content in (("high/top.py", text), (low, "")):
        (tmp_path / "module_utils" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "module_utils" / name).write_text(content)
    if low == "low/thing.py":
        (tmp_path / "module_utils" / "high" / "top.py").write_text(
            text.replace("low import", "low.thing import")
        )
    table = tuple(Room(f"module_utils/{name}", "", tuple(imports.split())) for name, imports in rooms)
    found = differences(file_imports(tmp_path), table)
    assert len(found) == 1 and said in found[0], found


def test_what_stands_above_a_room_is_all_that_imports_it() -> None:
    assert above({"safe_text"}) >= {"safe_text", "results", "reports", "tasks", "modules"}
    assert above({"modules"}) == {"modules"}
