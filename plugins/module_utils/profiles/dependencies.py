# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dependencies: controls that a profile takes over from other profiles, as they are or with changes of its own.

InSpec writes this in Ruby: all controls are its include_controls, a list of them is its require_controls. What is taken
over becomes a part of the profile that takes it, so readers of the results count it without knowing of dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping

from .compiled import CompiledProfile
from .control_fields import compile_impact, compile_tags
from .cursor import Cursor, nearest
from .inputs import Input, Preset, substitute
from .shown import show

DEPENDS_KEYS = ("name", "path", "controls", "skip", "override", "inputs")
DEPENDS_REQUIRED = ("name",)
OVERRIDE_KEYS = ("impact", "title", "tags")
ALL = "all"


@dataclass(frozen=True)
class Dependency:
    """One entry of `depends`: which profile, with which inputs; `cursor` is its place. No path: a shipped profile."""

    cursor: Cursor
    name: str
    path: str
    inputs: Mapping[str, Preset]


LoadDependency = Callable[[Dependency], CompiledProfile]


@dataclass(frozen=True)
class Taken:
    """What one dependency gave: the profile, and its controls as they are taken over."""

    dependency: Dependency
    profile: CompiledProfile
    controls: List[Dict[str, Any]]


def take_over(cursor: Cursor, file: str, inputs: Mapping[str, Input], load: LoadDependency) -> List[Taken]:
    """What each entry of `depends` gives. Raises ScanError bad_profile, and what `load` raises.

    :param file: the name in results of the file in which `cursor` stands
    :param inputs: of the profile that depends; what it hands on may refer to them
    :param load: loads and compiles a dependency
    """
    taken: List[Taken] = []
    for entry in cursor.items("depends"):
        keys = entry.mapping("an entry of depends", DEPENDS_KEYS, DEPENDS_REQUIRED)
        name = keys["name"].text("the name of a dependency")
        what = "depends on '%s'" % show(name)
        if any(name == other.dependency.name for other in taken):
            entry.fail("%s: it stands here for the second time; expected each profile once" % what)
        path = keys["path"].text("%s: path" % what) if "path" in keys else ""
        handed = _handed_on(keys["inputs"], inputs, what) if "inputs" in keys else {}
        dependency = Dependency(entry, name, path, handed)
        profile = load(dependency)
        if profile.name != name:
            keys["name"].fail("%s: the profile at %s is called '%s'; expected its name" % (what, path, profile.name))
        taken.append(Taken(dependency, profile, _Choice(keys, profile, file, what).controls()))
    return taken


def _handed_on(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> Dict[str, Preset]:
    return {name: Preset(*substitute(entry, inputs)) for name, entry in cursor.mapping("%s: inputs" % what).items()}


class _Choice:
    """Which controls of a dependency are taken, and what is changed in them."""

    def __init__(self, keys: Mapping[str, Cursor], profile: CompiledProfile, file: str, what: str) -> None:
        self._keys = keys
        self._file = file
        self._what = what
        self._name = profile.name
        self._by_id: Dict[str, Dict[str, Any]] = {control["id"]: control for control in profile.controls}
        self._supports = [profile.supports] if profile.supports else []

    def controls(self) -> List[Dict[str, Any]]:
        chosen = self._chosen()
        changes = self._keys["override"].mapping("%s: override" % self._what) if "override" in self._keys else {}
        for control_id, place in changes.items():
            self._check_id(place, control_id)
            if control_id not in chosen:
                place.fail("%s: override of control '%s', which is not taken over" % (self._what, control_id))
        return [self._changed(self._by_id[control_id], changes.get(control_id)) for control_id in chosen]

    def _chosen(self) -> List[str]:
        if "controls" in self._keys and self._keys["controls"].value != ALL:
            if "skip" in self._keys:
                self._keys["skip"].fail("%s: found 'skip' beside a list of controls; expected one of them, as a list takes "
                                        "what it names and nothing else" % self._what)
            wanted = self._ids("controls", ", or the word '%s'" % ALL)
            return [control_id for control_id in self._by_id if control_id in wanted]
        skipped = self._ids("skip") if "skip" in self._keys else []
        chosen = [control_id for control_id in self._by_id if control_id not in skipped]
        if not chosen:
            self._keys["skip"].fail("%s: found all its controls; expected that one at least is taken over" % self._what)
        return chosen

    def _ids(self, key: str, otherwise: str = "") -> List[str]:
        ids: List[str] = []
        cursor = self._keys[key]
        if not isinstance(cursor.value, list):
            cursor.fail("%s: %s: found no list; expected a list of ids of controls%s" % (self._what, key, otherwise))
        for entry in cursor.items("%s: %s" % (self._what, key)):
            control_id = entry.text("%s: %s" % (self._what, key))
            self._check_id(entry, control_id)
            if control_id in ids:
                entry.fail("%s: %s: found control '%s' twice; expected it once" % (self._what, key, control_id))
            ids.append(control_id)
        return ids

    def _check_id(self, place: Cursor, control_id: str) -> None:
        if control_id not in self._by_id:
            place.fail("%s: unknown control '%s'%s the id of one of its %d controls" % (
                self._what, show(control_id), nearest(control_id, self._by_id), len(self._by_id)))

    def _changed(self, control: Mapping[str, Any], place: Any) -> Dict[str, Any]:
        """The control with what applies to all of its profile, and with its own change where it has one."""
        changed = dict(control, supports=[*control["supports"], *self._supports])
        if place is None:
            return changed
        what = "%s: override of '%s'" % (self._what, control["id"])
        entries = place.mapping(what, OVERRIDE_KEYS)
        if not entries:
            place.fail("%s: found an empty mapping; expected one of %s" % (what, ", ".join(OVERRIDE_KEYS)))
        if "impact" in entries:
            changed["impact"] = compile_impact(entries["impact"], what)
        if "title" in entries:
            changed["title"] = entries["title"].text("%s: title" % what)
        if "tags" in entries:
            changed["tags"] = {**control["tags"], **compile_tags(entries["tags"], what)}
        changed["code"] += "# overridden in %s, line %d:\n%s" % (self._file, place.line, place.document.code_of(place.path))
        return changed
