# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles a profile's file: its own keys, its inputs, its controls."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Dict, List, Mapping, Set

from .compile_tests import compile_test
from .compiled import CompiledProfile
from .cursor import Cursor, unknown
from .inputs import Input, read_inputs
from .shown import show
from .source import Document
from .supports import SUPPORT_KEYS
from .value_types import kind_of

_TEXT_KEYS = ("maintainer", "license", "summary", "copyright")
PROFILE_KEYS = ("name", "title", "version", *_TEXT_KEYS, "supports", "inputs", "controls")
PROFILE_REQUIRED = ("name", "title", "version")
PART_KEYS = ("controls",)
DESCRIPTION_KEYS = ("rationale", "check", "fix")
CONTROL_KEYS = ("id", "title", "desc", *DESCRIPTION_KEYS, "impact", "tags", "refs", "only_if", "tests", "manual")
CONTROL_REQUIRED = ("id", "title", "impact")
REF_KEYS = ("ref", "url")

# A dot in the name makes the summaries of SAF count wrongly.
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
VERSION_PATTERN = r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$"
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

# The words and numbers of InSpec. Severity of HDF is computed back from the number.
IMPACTS: Dict[str, float] = {"none": 0.0, "low": 0.1, "medium": 0.4, "high": 0.7, "critical": 0.9}


def compile_profile(documents: Mapping[str, Document], sha256: str, given: Mapping[str, Any]) -> CompiledProfile:
    """Compile a profile. Raises ScanError bad_profile with file and line, and bad_option for a given input's value.

    :param documents: by the files' names in results: profile.yml first, then those with more controls
    :param given: values for inputs; those that the profile does not declare are ignored
    """
    shown_file, *more = documents
    top = Cursor(documents[shown_file], (), documents[shown_file].data)
    if isinstance(top.value, dict) and "depends" in top.value:
        top.child("depends").fail("found 'depends'; expected the controls to stand in this file, as profiles cannot "
                                  "depend on others yet")
    entries = top.mapping("the profile", PROFILE_KEYS, PROFILE_REQUIRED if more else (*PROFILE_REQUIRED, *PART_KEYS))
    name = _matching(entries["name"], NAME_PATTERN, "the profile's name", "small letters, digits, _ and -")
    version = _matching(entries["version"], VERSION_PATTERN, "the profile's version", "a version such as 1.0.0")
    inputs = read_inputs(entries["inputs"], given, name) if "inputs" in entries else {}
    texts = {key: entries[key].text("the profile's %s" % key) for key in ("title", *_TEXT_KEYS) if key in entries}
    parts = {shown_file: entries["controls"]} if "controls" in entries else {}
    for file in more:
        part = Cursor(documents[file], (), documents[file].data)
        parts[file] = part.mapping("a file of controls", PART_KEYS, PART_KEYS)["controls"]
    return CompiledProfile(
        name=name, version=version, sha256=sha256, file=shown_file, **texts,
        supports=_compile_supports(entries["supports"]) if "supports" in entries else [],
        inputs=[asdict(entry) for entry in inputs.values()],
        controls=_compile_controls(parts, inputs))


def _matching(cursor: Cursor, pattern: str, what: str, expected: str) -> str:
    text = cursor.text(what)
    if not re.match(pattern, text):
        cursor.fail("%s: found '%s'; expected %s" % (what, show(text), expected))
    return text


def _compile_supports(cursor: Cursor) -> List[Dict[str, str]]:
    supports = []
    for entry in cursor.items("supports"):
        keys = entry.mapping("an entry of supports", SUPPORT_KEYS)
        if not keys:
            entry.fail("an entry of supports: found an empty mapping; expected one of %s" % ", ".join(SUPPORT_KEYS))
        supports.append({key: value.text("supports %s" % key) for key, value in keys.items()})
    return supports


def _compile_controls(parts: Mapping[str, Cursor], inputs: Mapping[str, Input]) -> List[Dict[str, Any]]:
    controls: List[Dict[str, Any]] = []
    ids: Set[str] = set()
    for file, cursor in parts.items():
        for entry in cursor.items("controls"):
            control = dict(_compile_control(entry, inputs), file=file)
            if control["id"] in ids:
                entry.fail("control '%s' stands here for the second time; expected each id once" % control["id"])
            ids.add(control["id"])
            controls.append(control)
    return controls


def _compile_control(cursor: Cursor, inputs: Mapping[str, Input]) -> Dict[str, Any]:
    name = cursor.value.get("id") if isinstance(cursor.value, dict) else None
    what = "control '%s'" % show(name) if name else "a control"
    entries = cursor.mapping(what, CONTROL_KEYS, CONTROL_REQUIRED)
    control_id = _matching(entries["id"], ID_PATTERN, "the id of a control", "letters, digits, dot, _ and -")
    manual = entries["manual"].boolean("%s: manual" % what) if "manual" in entries else False
    if manual and "tests" in entries:
        entries["tests"].fail("%s: found tests in a manual control; expected tests or 'manual: true', not both" % what)
    if manual and "check" not in entries:
        cursor.fail("%s: it is manual and has no 'check'; expected the text that tells a human what to look at" % what)
    if not manual and "tests" not in entries:
        cursor.fail("%s: it has no tests; expected 'tests', or 'manual: true' where only a human can check it" % what)
    return {
        "id": control_id, "title": entries["title"].text("%s: title" % what), "line": cursor.line,
        "desc": entries["desc"].text("%s: desc" % what) if "desc" in entries else "",
        "impact": _compile_impact(entries["impact"], what),
        "descriptions": {key: entries[key].text("%s: %s" % (what, key)) for key in DESCRIPTION_KEYS if key in entries},
        "tags": _compile_tags(entries["tags"], what) if "tags" in entries else {},
        "refs": _compile_refs(entries["refs"], what) if "refs" in entries else [],
        "code": cursor.document.code_of(cursor.path), "manual": manual,
        "only_if": _compile_only_if(entries["only_if"], inputs, what) if "only_if" in entries else None,
        "tests": _compile_tests(entries["tests"], inputs, what) if "tests" in entries else [],
    }


def _compile_tests(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> List[Dict[str, Any]]:
    return [compile_test(entry, inputs, what) for entry in cursor.items("%s: tests" % what)]


def _compile_only_if(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> Dict[str, Any]:
    entries = cursor.mapping("%s: only_if" % what, ("reason", "tests"), ("reason", "tests"))
    return {"reason": entries["reason"].text("%s: only_if reason" % what),
            "tests": _compile_tests(entries["tests"], inputs, "%s: only_if" % what)}


def _compile_impact(cursor: Cursor, what: str) -> float:
    value = cursor.value
    if isinstance(value, str):
        if value.lower() not in IMPACTS:
            cursor.fail(unknown("impact", value, IMPACTS, what))
        return IMPACTS[value.lower()]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        cursor.fail("%s: found %s as impact; expected a number from 0.0 to 1.0 or one of %s"
                    % (what, kind_of(value), ", ".join(IMPACTS)))
    if 0 < value < IMPACTS["low"]:
        cursor.fail("%s: found %s as impact; expected 0.0, or 0.1 and more, as summaries leave out what lies between"
                    % (what, kind_of(value)))
    return float(value)


def _compile_tags(cursor: Cursor, what: str) -> Dict[str, Any]:
    tags: Dict[str, Any] = {}
    for key, entry in cursor.mapping("%s: tags" % what).items():
        value = entry.value
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, (dict, list)) for part in parts):
            entry.fail("%s: the tag '%s' holds a mapping or lists in a list; expected a text, a number, true, false or "
                       "a list of these" % (what, key))
        if key in ("severity", "severityoverride") and value not in IMPACTS:
            # SAF compares these without regard to case and then counts them with regard to it.
            entry.fail("%s: the tag '%s' is %s; expected one of %s in small letters"
                       % (what, key, kind_of(value), ", ".join(IMPACTS)))
        tags[key] = value
    return tags


def _compile_refs(cursor: Cursor, what: str) -> List[Dict[str, str]]:
    refs = []
    for entry in cursor.items("%s: refs" % what):
        if isinstance(entry.value, dict):
            keys = entry.mapping("%s: refs" % what, REF_KEYS)
            refs.append({key: value.text("%s: refs %s" % (what, key)) for key, value in keys.items()})
        else:
            refs.append({"ref": entry.text("%s: refs" % what)})
    return refs
