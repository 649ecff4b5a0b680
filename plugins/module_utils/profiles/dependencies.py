# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dependencies: controls that a profile takes from other profiles, with or without changes.

It is InSpec's include_controls (all controls) and require_controls (a list of them). Controls that are taken
become part of the profile, so readers of the results count them without knowing about dependencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..suggestions import unknown_name
from ..vocabulary.cursor import Cursor
from ..vocabulary.value_text import show
from .compiled_profile import CompiledProfile
from .control_fields import compile_impact, compile_tags
from .inputs import Input, Preset, substitute

DEPENDS_KEYS = ("name", "path", "controls", "skip", "override", "inputs")
DEPENDS_REQUIRED = ("name",)
OVERRIDE_KEYS = ("impact", "title", "tags")
ALL = "all"


@dataclass(frozen=True)
class Dependency:
    """One entry of `depends`: the profile and its inputs; `cursor` is the entry's place.

    Without `path` a shipped profile.
    """

    cursor: Cursor
    name: str
    path: str
    inputs: Mapping[str, Preset]


LoadDependency = Callable[[Dependency], CompiledProfile]


@dataclass(frozen=True)
class Taken:
    """The result of one dependency: the profile, and the controls that are taken from it."""

    dependency: Dependency
    profile: CompiledProfile
    controls: list[dict[str, Any]]


def take_over(cursor: Cursor, file: str, inputs: Mapping[str, Input], load: LoadDependency) -> list[Taken]:
    """The result of each entry of `depends`.

    :param file: the name in results of the file in which `cursor` stands
    :param inputs: of the profile that depends; the values that it passes on can refer to them
    :param load: loads and compiles a dependency
    """
    taken: list[Taken] = []
    for entry in cursor.items("depends"):
        keys = entry.mapping("an entry of depends", DEPENDS_KEYS, DEPENDS_REQUIRED)
        name = keys["name"].text("the name of a dependency")
        what = f"depends on '{show(name)}'"
        if any(name == other.dependency.name for other in taken):
            entry.fail(f"{what}: it stands here for the second time; expected each profile once")
        path = keys["path"].text(f"{what}: path") if "path" in keys else ""
        handed = _handed_on(keys["inputs"], inputs, what) if "inputs" in keys else {}
        dependency = Dependency(entry, name, path, handed)
        profile = load(dependency)
        if profile.name != name:
            keys["name"].fail(f"{what}: the profile at {path} is called '{profile.name}'; expected its name")
        taken.append(Taken(dependency, profile, _Choice(keys, profile, file, what).controls()))
    return taken


def _handed_on(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> dict[str, Preset]:
    return {
        name: Preset(*substitute(entry, inputs)) for name, entry in cursor.mapping(f"{what}: inputs").items()
    }


class _Choice:
    """Which controls of a dependency are taken, and how they are changed."""

    def __init__(self, keys: Mapping[str, Cursor], profile: CompiledProfile, file: str, what: str) -> None:
        self._keys = keys
        self._file = file
        self._what = what
        self._name = profile.name
        self._by_id: dict[str, dict[str, Any]] = {control["id"]: control for control in profile.controls}
        self._supports = [profile.supports] if profile.supports else []

    def controls(self) -> list[dict[str, Any]]:
        chosen = self._chosen()
        changes = (
            self._keys["override"].mapping(f"{self._what}: override") if "override" in self._keys else {}
        )
        for control_id, place in changes.items():
            self._check_id(place, control_id)
            if control_id not in chosen:
                place.fail(f"{self._what}: override of control '{control_id}', which is not taken over")
        return [self._changed(self._by_id[control_id], changes.get(control_id)) for control_id in chosen]

    def _chosen(self) -> list[str]:
        if "controls" in self._keys and self._keys["controls"].value != ALL:
            if "skip" in self._keys:
                self._keys["skip"].fail(
                    f"{self._what}: found 'skip' beside a list of controls; expected one of them, as a list "
                    "takes what it names and nothing else"
                )
            wanted = self._ids("controls", f", or the word '{ALL}'")
            return [control_id for control_id in self._by_id if control_id in wanted]
        skipped = self._ids("skip") if "skip" in self._keys else []
        chosen = [control_id for control_id in self._by_id if control_id not in skipped]
        if not chosen:
            self._keys["skip"].fail(
                f"{self._what}: found all its controls; expected that one at least is taken over"
            )
        return chosen

    def _ids(self, key: str, otherwise: str = "") -> list[str]:
        ids: list[str] = []
        cursor = self._keys[key]
        if not isinstance(cursor.value, list):
            cursor.fail(f"{self._what}: {key}: found no list; expected a list of ids of controls{otherwise}")
        for entry in cursor.items(f"{self._what}: {key}"):
            control_id = entry.text(f"{self._what}: {key}")
            self._check_id(entry, control_id)
            if control_id in ids:
                entry.fail(f"{self._what}: {key}: found control '{control_id}' twice; expected it once")
            ids.append(control_id)
        return ids

    def _check_id(self, place: Cursor, control_id: str) -> None:
        if control_id not in self._by_id:
            expected = f"the id of one of its {len(self._by_id)} controls"
            place.fail(f"{self._what}: {unknown_name('control', show(control_id), self._by_id, expected)}")

    def _changed(self, control: Mapping[str, Any], place: Any) -> dict[str, Any]:
        """The control with what applies to its whole profile, and with the change to it, if there is one."""
        changed = dict(control, supports=[*control["supports"], *self._supports])
        if place is None:
            return changed
        what = "{}: override of '{}'".format(self._what, control["id"])
        entries = place.mapping(what, OVERRIDE_KEYS)
        if not entries:
            place.fail(
                "{}: found an empty mapping; expected one of {}".format(what, ", ".join(OVERRIDE_KEYS))
            )
        if "impact" in entries:
            changed["impact"] = compile_impact(entries["impact"], what)
        if "title" in entries:
            changed["title"] = entries["title"].text(f"{what}: title")
        if "tags" in entries:
            changed["tags"] = {**control["tags"], **compile_tags(entries["tags"], what)}
        changed["code"] += (
            f"# overridden in {self._file}, line {place.line}:\n{place.document.code_of(place.path)}"
        )
        return changed
