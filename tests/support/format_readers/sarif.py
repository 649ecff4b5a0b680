# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""results.sarif by the published schema and the validator of its makers."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema

from .format_reader import FormatReader, Words
from .programs import sarif_complaints, sarif_modules

_SCHEMA = "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


@lru_cache(maxsize=1)
def _validator() -> Any:
    schema = json.loads((sarif_modules() / _SCHEMA).read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def runs(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    """The runs of a valid file."""
    document = json.loads(path.read_bytes())
    errors = [error.message for error in _validator().iter_errors(document)]
    assert not errors, errors[:5]
    complaints = sarif_complaints(path)
    assert not complaints, complaints[:5]
    yield from document["runs"]


def _place(entry: dict[str, Any]) -> str:
    name: str = entry["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    return name


def _word(result: dict[str, Any]) -> str:
    said = [result["kind"], f"level {result['level']}"]
    said += [f"suppression {one['status']}" for one in result.get("suppressions", ())]
    properties = result.get("properties", {})
    said += ["attested"] if properties.get("attested") else []
    said += [
        f"{one['kind']} counts for nothing" for one in properties.get("exceptions", ()) if one.get("why_not")
    ]
    return ", ".join(said)


def read(path: pathlib.Path) -> Words:
    words: Words = {}
    for run in runs(path):
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            rule = rules[result["ruleIndex"]]
            assert rule["id"] == result["ruleId"]
            profile = rule["properties"]["profile"]
            words[_place(result), profile, rule["id"][len(profile) + 1 :]] = _word(result)
    return words


def targets(path: pathlib.Path) -> dict[str, str]:
    words: dict[str, str] = {}
    for run in runs(path):
        (invocation,) = run["invocations"]
        for note in invocation["toolExecutionNotifications"]:
            assert not invocation["executionSuccessful"]
            if note["descriptor"]["id"] != "profile_error":
                words[_place(note)] = f"notification {note['descriptor']['id']}, level {note['level']}"
    return words


READER = FormatReader(
    "sarif", "the schema of SARIF 2.1.0, and Microsoft's SARIF Multitool 5.7.0", read, targets
)
