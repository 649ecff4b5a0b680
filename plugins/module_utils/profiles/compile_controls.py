# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles a profile's file: its own keys, its inputs, its controls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..suggestions import unknown_name
from ..vocabulary.cursor import Cursor
from ..vocabulary.supports import SUPPORT_KEYS
from ..vocabulary.value_text import show
from ..vocabulary.yaml_document import Document
from .compile_tests import compile_test
from .compiled_profile import CompiledProfile
from .control_fields import compile_impact, compile_refs, compile_tags, matching
from .dependencies import LoadDependency, Taken, take_over
from .inputs import Input, Preset, read_inputs

_TEXT_KEYS = ("maintainer", "license", "summary", "copyright")
PROFILE_KEYS = ("name", "title", "version", *_TEXT_KEYS, "supports", "inputs", "depends", "controls")
PROFILE_REQUIRED = ("name", "title", "version")
PART_KEYS = ("controls",)
DESCRIPTION_KEYS = ("rationale", "check", "fix")
CONTROL_KEYS = (
    "id",
    "title",
    "desc",
    *DESCRIPTION_KEYS,
    "impact",
    "tags",
    "refs",
    "only_if",
    "tests",
    "manual",
)
CONTROL_REQUIRED = ("id", "title", "impact")

# A dot in the name makes the summaries of SAF count wrongly.
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
VERSION_PATTERN = r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$"
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


def compile_profile(
    documents: Mapping[str, Document],
    sha256: str,
    given: Mapping[str, Any],
    preset: Mapping[str, Preset],
    load: LoadDependency,
) -> CompiledProfile:
    """Compile a profile.

    :param documents: name of a file in results -> its document: profile.yml first, then those with more
        controls
    :param sha256: of the bytes of the documents
    :param given: values for inputs; those that the profile does not declare are ignored
    :param preset: values for inputs from a profile that depends on this one; all must be declared
    :param load: loads and compiles a dependency
    :raises ScanError: bad_profile, with file and line; bad_option for the given value of an input
    """
    shown_file, *more = documents
    top = Cursor(documents[shown_file], (), documents[shown_file].data)
    elsewhere = more or (isinstance(top.value, dict) and "depends" in top.value)
    entries = top.mapping(
        "the profile", PROFILE_KEYS, PROFILE_REQUIRED if elsewhere else (*PROFILE_REQUIRED, *PART_KEYS)
    )
    name = matching(entries["name"], NAME_PATTERN, "the profile's name", "small letters, digits, _ and -")
    version = matching(
        entries["version"], VERSION_PATTERN, "the profile's version", "a version such as 1.0.0"
    )
    inputs = read_inputs(entries["inputs"], given, preset, name) if "inputs" in entries else {}
    for handed_on, value in preset.items():
        if handed_on not in inputs:
            value.cursor.fail(f"depends on '{name}': inputs: {unknown_name('input', handed_on, inputs)}")
    texts = {
        key: entries[key].text(f"the profile's {key}") for key in ("title", *_TEXT_KEYS) if key in entries
    }
    parts = {shown_file: entries["controls"]} if "controls" in entries else {}
    for file in more:
        part = Cursor(documents[file], (), documents[file].data)
        parts[file] = part.mapping("a file of controls", PART_KEYS, PART_KEYS)["controls"]
    taken = take_over(entries["depends"], shown_file, inputs, load) if "depends" in entries else []
    return CompiledProfile(
        name=name,
        version=version,
        sha256=_with_dependencies(sha256, taken),
        file=shown_file,
        **texts,
        supports=_compile_supports(entries["supports"]) if "supports" in entries else [],
        inputs=_all_inputs(inputs, taken),
        controls=_with_taken(_compile_controls(parts, inputs), taken),
    )


def _with_dependencies(sha256: str, taken: Sequence[Taken]) -> str:
    """A hash over the profile and all that it depends on."""
    if not taken:
        return sha256
    return hashlib.sha256("\n".join([sha256, *(one.profile.sha256 for one in taken)]).encode()).hexdigest()


def _all_inputs(own: Mapping[str, Input], taken: Sequence[Taken]) -> list[dict[str, Any]]:
    """The profile's own inputs, then those of its dependencies. A name can occur several times."""
    inputs = [asdict(entry) for entry in own.values()]
    for one in taken:
        inputs += [entry for entry in one.profile.inputs if entry not in inputs]
    return inputs


def _with_taken(controls: list[dict[str, Any]], taken: Sequence[Taken]) -> list[dict[str, Any]]:
    """The profile's own controls, then those of its dependencies. Each id occurs once."""
    files: dict[str, str] = {control["id"]: control["file"] for control in controls}
    for one in taken:
        for control in one.controls:
            if control["id"] in files:
                one.dependency.cursor.fail(
                    "depends on '{}': its control '{}' has the id of one in {}; expected each id once "
                    "(skip it here)".format(one.dependency.name, control["id"], files[control["id"]])
                )
            files[control["id"]] = control["file"]
            controls.append(control)
    return controls


def _compile_supports(cursor: Cursor) -> list[dict[str, str]]:
    return [_compile_support(entry) for entry in cursor.items("supports")]


def _compile_support(entry: Cursor) -> dict[str, str]:
    keys = entry.mapping("an entry of supports", SUPPORT_KEYS)
    if not keys:
        entry.fail(
            "an entry of supports: found an empty mapping; expected one of {}".format(", ".join(SUPPORT_KEYS))
        )
    support: dict[str, str] = {}
    for name, value in keys.items():
        key = SUPPORT_KEYS[name]
        if key in support:
            value.fail(
                f"an entry of supports: found '{name}' beside another name of '{key}'; expected one of them"
            )
        support[key] = value.text(f"supports {name}")
    return support


def _compile_controls(parts: Mapping[str, Cursor], inputs: Mapping[str, Input]) -> list[dict[str, Any]]:
    controls: list[dict[str, Any]] = []
    ids = set()
    for file, cursor in parts.items():
        for entry in cursor.items("controls"):
            control = dict(_compile_control(entry, inputs), file=file)
            if control["id"] in ids:
                entry.fail(
                    "control '{}' stands here for the second time; expected each id once".format(
                        control["id"]
                    )
                )
            ids.add(control["id"])
            controls.append(control)
    return controls


def _compile_control(cursor: Cursor, inputs: Mapping[str, Input]) -> dict[str, Any]:
    name = cursor.value.get("id") if isinstance(cursor.value, dict) else None
    what = f"control '{show(name)}'" if name else "a control"
    entries = cursor.mapping(what, CONTROL_KEYS, CONTROL_REQUIRED)
    control_id = matching(entries["id"], ID_PATTERN, "the id of a control", "letters, digits, dot, _ and -")
    manual = entries["manual"].boolean(f"{what}: manual") if "manual" in entries else False
    if manual and "tests" in entries:
        entries["tests"].fail(
            f"{what}: found tests in a manual control; expected tests or 'manual: true', not both"
        )
    if manual and "check" not in entries:
        cursor.fail(
            f"{what}: it is manual and has no 'check'; expected the text that tells a human what to look at"
        )
    if not manual and "tests" not in entries:
        cursor.fail(
            f"{what}: it has no tests; expected 'tests', or 'manual: true' where only a human can check it"
        )
    return {
        "id": control_id,
        "title": entries["title"].text(f"{what}: title"),
        "line": cursor.line,
        "desc": entries["desc"].text(f"{what}: desc") if "desc" in entries else "",
        "impact": compile_impact(entries["impact"], what),
        "descriptions": {
            key: entries[key].text(f"{what}: {key}") for key in DESCRIPTION_KEYS if key in entries
        },
        "tags": compile_tags(entries["tags"], what) if "tags" in entries else {},
        "refs": compile_refs(entries["refs"], what) if "refs" in entries else [],
        "code": cursor.document.code_of(cursor.path),
        "manual": manual,
        "supports": [],
        "only_if": _compile_only_if(entries["only_if"], inputs, what) if "only_if" in entries else None,
        "tests": _compile_tests(entries["tests"], inputs, what) if "tests" in entries else [],
    }


def _compile_tests(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> list[dict[str, Any]]:
    return [compile_test(entry, inputs, what) for entry in cursor.items(f"{what}: tests")]


def _compile_only_if(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> dict[str, Any]:
    entries = cursor.mapping(f"{what}: only_if", ("reason", "tests", "any_of"), ("reason", "tests"))
    return {
        "reason": entries["reason"].text(f"{what}: only_if reason"),
        "tests": _compile_tests(entries["tests"], inputs, f"{what}: only_if"),
        "any_of": _compile_tests(entries["any_of"], inputs, f"{what}: only_if any_of")
        if "any_of" in entries
        else [],
    }
