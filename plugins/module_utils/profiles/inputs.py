# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs: values of a profile that a scan can set, with types and defaults.

Tests refer to them by ${input.NAME}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..errors import ScanError
from ..suggestions import unknown_name
from ..vocabulary.cursor import Cursor
from ..vocabulary.patterns import check_pattern
from ..vocabulary.value_text import MASK
from ..vocabulary.value_types import kind_of

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_REFERENCE = re.compile(r"\$\{input\.([^}]*)\}")
_KEYS = ("name", "type", "value", "description", "required", "sensitive")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_array(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, (str, int, float)) for entry in value)


def _is_pattern(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        check_pattern(value)
    except ValueError:
        return False
    return True


# InSpec's type names; its Hash and Any are left out, as no matcher takes a mapping.
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", lambda value: isinstance(value, str)),
    "numeric": ("a number", _is_number),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("a list of texts and numbers", _is_array),
    "regexp": ("a regular expression", _is_pattern),
}
INPUT_TYPES = tuple(_TYPES)


@dataclass(frozen=True)
class Input:
    """One input with its value for this scan. The value of a sensitive input must not leave the process."""

    name: str
    type: str
    value: Any
    description: str = ""
    required: bool = False
    sensitive: bool = False

    def attribute(self) -> dict[str, Any]:
        """The input in the form of InSpec's results; the value is masked if it is sensitive."""
        options: dict[str, Any] = {
            "type": self.type.capitalize(),
            "value": MASK if self.sensitive else self.value,
            "required": self.required,
            "sensitive": self.sensitive,
        }
        if self.description:
            options["description"] = self.description
        return {"name": self.name, "options": options}


@dataclass(frozen=True)
class Preset:
    """A value that a profile passes on to an input of its dependency, and its place; `sensitive` as the value
    is."""

    cursor: Cursor
    sensitive: bool


def read_inputs(
    cursor: Cursor, given: Mapping[str, Any], preset: Mapping[str, Preset], profile: str
) -> dict[str, Input]:
    """The declared inputs by name, each with the given value, else the preset one, else its default.

    :raises ScanError: bad_profile for a faulty declaration or preset; bad_option for a given value of another
        type
    """
    inputs: dict[str, Input] = {}
    for entry in cursor.items("inputs"):
        declared = _read_input(entry, given, preset, profile)
        if declared.name in inputs:
            entry.fail(f"input '{declared.name}' is declared twice; expected each name once")
        inputs[declared.name] = declared
    return inputs


def _read_input(
    cursor: Cursor, given: Mapping[str, Any], preset: Mapping[str, Preset], profile: str
) -> Input:
    entries = cursor.mapping("an input", _KEYS, ("name", "type"))
    name = entries["name"].text("the name of an input")
    what = f"input '{name}'"
    if not _NAME.match(name):
        entries["name"].fail(f"{what}: found other characters in the name; expected letters, digits, _ and -")
    kind = entries["type"].text(f"{what}: type").lower()
    if kind not in _TYPES:
        entries["type"].fail(f"{what}: {unknown_name('type', kind, _TYPES)}")
    required = entries["required"].boolean(f"{what}: required") if "required" in entries else False
    sensitive = entries["sensitive"].boolean(f"{what}: sensitive") if "sensitive" in entries else False
    description = entries["description"].text(f"{what}: description") if "description" in entries else ""
    expected, fits = _TYPES[kind]
    if "value" in entries and not fits(entries["value"].value):
        entries["value"].fail(
            "{}: found {} as its value; expected {}".format(
                what, _found(entries["value"].value, sensitive), expected
            )
        )
    if "value" not in entries and not required:
        cursor.fail(f"{what}: it has neither a value nor 'required: true'; expected one of them")
    if name in preset:
        _check_preset(preset[name], f"{what} of '{profile}'", sensitive, _TYPES[kind])
    if name not in given:
        if name in preset:
            return Input(name, kind, preset[name].cursor.value, description, required, sensitive)
        if required and "value" not in entries:
            raise ScanError(
                "bad_option",
                f"The profile '{profile}' requires the input '{name}', which was not given; expected "
                f"{expected}",
            )
        value = entries["value"].value
    else:
        value = given[name]
        if not fits(value):
            raise ScanError(
                "bad_option",
                f"The input '{name}' of the profile '{profile}' was given as {_found(value, sensitive)}; "
                f"expected {expected}",
            )
    return Input(name, kind, value, description, required, sensitive)


def _check_preset(
    preset: Preset, what: str, sensitive: bool, rule: tuple[str, Callable[[Any], bool]]
) -> None:
    expected, fits = rule
    if preset.sensitive and not sensitive:
        preset.cursor.fail(
            f"{what}: found a sensitive input; results show this one, so expected another value"
        )
    if not fits(preset.cursor.value):
        preset.cursor.fail(f"{what}: found {_found(preset.cursor.value, sensitive)}; expected {expected}")


def _found(value: Any, sensitive: bool) -> str:
    return "another type" if sensitive else kind_of(value)


def substitute(cursor: Cursor, inputs: Mapping[str, Input]) -> tuple[Cursor, bool]:
    """The place with all references to inputs replaced, and whether one of them is sensitive.

    A reference that stands alone becomes the input's value with its type; a list within a list is spread out.
    Within a longer text it becomes the value as text.
    """
    used: list[Input] = []
    value = _substituted(cursor, inputs, used)
    return cursor.with_value(value), any(entry.sensitive for entry in used)


def _substituted(cursor: Cursor, inputs: Mapping[str, Input], used: list[Input]) -> Any:
    value = cursor.value
    if isinstance(value, dict):
        return {key: _substituted(cursor.child(key), inputs, used) for key in value}
    if isinstance(value, list):
        result: list[Any] = []
        for position, entry in enumerate(value):
            replaced = _substituted(cursor.child(position), inputs, used)
            if isinstance(replaced, list) and isinstance(entry, str):
                result.extend(replaced)
            else:
                result.append(replaced)
        return result
    return _in_text(cursor, value, inputs, used) if isinstance(value, str) else value


def _in_text(cursor: Cursor, text: str, inputs: Mapping[str, Input], used: list[Input]) -> Any:
    if "${" not in text:
        return text
    parts: list[str] = []
    position = 0
    for reference in _REFERENCE.finditer(text):
        declared = _look_up(cursor, reference.group(1), inputs)
        used.append(declared)
        if reference.group(0) == text:
            return declared.value
        if isinstance(declared.value, (list, bool)):
            cursor.fail(
                "input '{}' is {}; expected it to stand alone, not within a text".format(
                    declared.name, "a list" if isinstance(declared.value, list) else "a boolean"
                )
            )
        parts += [_literal(cursor, text[position : reference.start()]), str(declared.value)]
        position = reference.end()
    return "".join([*parts, _literal(cursor, text[position:])])


def _literal(cursor: Cursor, text: str) -> str:
    if "${" in text:
        cursor.fail("found '${' without a name of an input; expected ${input.NAME} (in a pattern write [$]{)")
    return text


def _look_up(cursor: Cursor, name: str, inputs: Mapping[str, Input]) -> Input:
    if name not in inputs:
        if not inputs:
            cursor.fail(f"unknown input '{name}'; this profile declares no inputs")
        cursor.fail(f"a reference: {unknown_name('input', name, inputs)}")
    return inputs[name]


def check_given(given: Mapping[str, Any], declared: Mapping[str, Any]) -> None:
    """Check that each given value is for an input that a profile of the scan declares.

    :raises ScanError: bad_option
    """
    for name in given:
        if name not in declared:
            raise ScanError(
                "bad_option",
                f"The scan's inputs: {unknown_name('input', name, declared)}"
                if declared
                else f"The input '{name}' was given, but no profile of the scan declares any",
            )
