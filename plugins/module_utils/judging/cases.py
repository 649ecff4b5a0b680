# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: the verdicts that a profile must give for known facts. They are files in a profile's `tests`.

cases:
  - name: text
    kept_facts: a file that a scan kept (see kept/kept_target.py), relative to this file; has pod and container
    facts: {key: {value, or status and cause}}, in place of the kept ones; bytes: {text: ...} or {base64: ...}
    pod, container: the pod's API object and the container's name, if there are no kept_facts
    inputs: {name: value}
    expect: {passed: [id], failed: [id], not_applicable: [id], not_reviewed: [id]}
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..collector.facts import OK, Facts
from ..editor_schema import SAID, Schema, closed_object, described, list_of
from ..kept.kept_facts import BadFactsError, restore_facts
from ..profiles.compiled_profile import CompiledProfile
from ..profiles.loader import PROFILE_FILE, read_text
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED
from ..suggestions import unknown_name
from ..vocabulary.cursor import Cursor
from ..vocabulary.value_text import show
from ..vocabulary.value_types import MODE
from ..vocabulary.yaml_document import read_document, syntax_error
from .queries import required_queries

TESTS_FOLDER = "tests"
EXPECTED_STATUSES = (PASSED, FAILED, NOT_APPLICABLE, NOT_REVIEWED)
_CASE_KEYS = ("name", "kept_facts", "facts", "pod", "container", "inputs", "expect")
_FACT_KEYS = ("status", "value", "cause")
# Files of kept facts may lie beside the cases.
_FACTS_SUFFIX = ".json"


@dataclass(frozen=True)
class Expectation:
    """The expected status of one control; `cursor` is its place."""

    control: str
    status: str
    cursor: Cursor


@dataclass(frozen=True)
class Case:
    """One case; `cursor` is its place. Without a pod, `pod` is empty, and nothing about it is known."""

    cursor: Cursor
    name: str
    expected: list[Expectation]
    kept_facts: Path | None = None
    facts: Mapping[str, Cursor] = field(default_factory=dict)
    pod: Mapping[str, Any] = field(default_factory=dict)
    container: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def check(self, profile: CompiledProfile) -> None:
        """Check that the profile has all controls and inputs that the case names.

        :raises ScanError: bad_profile
        """
        inputs, controls = (
            [entry["name"] for entry in profile.inputs],
            [control["id"] for control in profile.controls],
        )
        for name in self.inputs:
            _check_known(self.cursor.child("inputs").child(name), "input", name, inputs)
        for expectation in self.expected:
            _check_known(expectation.cursor, "control", expectation.control, controls)
        asked = [query.key for query in required_queries([profile])]
        for key, place in self.facts.items():
            _check_known(place, "fact", key, asked)

    def given_facts(self) -> Facts:
        """The facts that stand in the case itself.

        :raises ScanError: bad_profile
        """
        facts: dict[str, Any] = {}
        for key, place in self.facts.items():
            entries = place.mapping(f"the fact {key}", _FACT_KEYS)
            said = {name: _as_kept(entry.value) for name, entry in entries.items()}
            try:
                facts.update(restore_facts({key: {"status": OK, "value": None, "cause": "", **said}}, {}))
            except BadFactsError as problem:
                place.fail(str(problem))
        return Facts(facts)


def read_cases(profile_file: Path) -> list[Case]:
    """The cases of a profile, in the order of their files' names.

    :raises ScanError: bad_profile, also if there is no case; missing_library without PyYAML
    """
    folder = profile_file.parent / TESTS_FOLDER
    files: list[Path] = []
    if profile_file.name == PROFILE_FILE and folder.is_dir():
        files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix != _FACTS_SUFFIX]
    cases: list[Case] = []
    for file in files:
        if file.suffix != ".yml":
            raise syntax_error(
                str(file),
                1,
                "found a file that is neither .yml nor .json; expected cases and kept facts only",
            )
        document = read_document(str(file), read_text(file)[1])
        top = Cursor(document, (), document.data).mapping("a file of cases", ("cases",), ("cases",))
        cases += [_read_case(entry, file.parent) for entry in top["cases"].items("cases")]
    if not cases:
        raise syntax_error(
            str(profile_file),
            1,
            f"the profile has no tests; expected files .yml with cases in a folder '{TESTS_FOLDER}' "
            f"beside {PROFILE_FILE}",
        )
    return cases


def cases_schema() -> Schema:
    """Of a file of cases."""
    fact = closed_object({"status": SAID, "value": {}, "cause": {"type": "string"}})
    expected = {status: list_of(described(SAID, "the id of a control")) for status in EXPECTED_STATUSES}
    keys: dict[str, Schema] = {
        "name": described(SAID, "what the case shows"),
        "kept_facts": described(SAID, "a file that a scan with keep_facts wrote, relative to this one"),
        "facts": {
            "type": "object",
            "additionalProperties": fact,
            "description": "by key, such as file:/etc/passwd; they stand in place of the kept ones",
        },
        "pod": {"type": "object", "description": "the pod's API object, where there are no kept_facts"},
        "container": described(SAID, "the container's name in the pod"),
        "inputs": {"type": "object", "description": "values of the profile's inputs"},
        "expect": described(
            closed_object(expected, least=1), "ids of controls by the status that they must have"
        ),
    }
    case: Schema = {
        **closed_object({key: keys[key] for key in _CASE_KEYS}, ("name", "expect")),
        "anyOf": [{"required": [key]} for key in ("kept_facts", "facts", "pod")],
        "not": {"required": ["kept_facts", "pod"]},
        "dependencies": {"pod": ["container"], "container": ["pod"]},
    }
    return closed_object({"cases": list_of(case)}, ("cases",))


def _read_case(cursor: Cursor, folder: Path) -> Case:
    entries = cursor.mapping("a case", _CASE_KEYS, ("name", "expect"))
    name = entries["name"].text("the name of a case")
    what = f"case '{show(name)}'"
    if "kept_facts" not in entries and "facts" not in entries and "pod" not in entries:
        cursor.fail(f"{what}: it has nothing to judge; expected kept_facts, facts or pod")
    if "kept_facts" in entries and "pod" in entries:
        entries["pod"].fail(f"{what}: found a pod beside kept_facts, which have one; expected one of them")
    if ("pod" in entries) != ("container" in entries):
        cursor.fail(f"{what}: found one of pod and container; expected both or none")
    kept = folder / entries["kept_facts"].text(f"{what}: kept_facts") if "kept_facts" in entries else None
    inputs = entries["inputs"].mapping(f"{what}: inputs") if "inputs" in entries else {}
    if "pod" in entries:
        entries["pod"].mapping(f"{what}: pod")
    return Case(
        cursor,
        name,
        _read_expected(entries["expect"], what),
        kept,
        facts=entries["facts"].mapping(f"{what}: facts") if "facts" in entries else {},
        pod=entries["pod"].value if "pod" in entries else {},
        container=entries["container"].text(f"{what}: container") if "container" in entries else "",
        inputs={key: place.value for key, place in inputs.items()},
    )


def _read_expected(cursor: Cursor, what: str) -> list[Expectation]:
    expected: list[Expectation] = []
    for status, ids in cursor.mapping(f"{what}: expect", EXPECTED_STATUSES).items():
        for place in ids.items(f"{what}: expect {status}"):
            control = place.text(f"{what}: expect {status}")
            if any(control == other.control for other in expected):
                place.fail(f"{what}: control '{control}' stands here for the second time; expected it once")
            expected.append(Expectation(control, status, place))
    if not expected:
        cursor.fail(
            "{}: it expects nothing; expected ids of controls below one of {}".format(
                what, ", ".join(EXPECTED_STATUSES)
            )
        )
    return expected


def _check_known(place: Cursor, word: str, name: str, known: list[str]) -> None:
    if name not in known:
        place.fail(unknown_name(word, show(name), known, f"one of the profile's {show(known)}"))


def _as_kept(value: Any) -> Any:
    """A value in the form of kept facts: bytes from texts, permission bits from octal digits."""
    if isinstance(value, list):
        return [_as_kept(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["text"] and isinstance(value["text"], str):
        return {"base64": base64.b64encode(value["text"].encode()).decode()}
    return {key: _mode(entry) if key == "mode" else _as_kept(entry) for key, entry in value.items()}


def _mode(value: Any) -> Any:
    accept: Callable[[Any], Any] = MODE.accept
    try:
        return accept(value)
    except ValueError:
        return value
