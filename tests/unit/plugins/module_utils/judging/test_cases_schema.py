# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schema of cases for editors: of one mind with the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.cases import (
    cases_schema,
    read_cases,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.yaml_document import (
    read_document,
)

jsonschema = pytest.importorskip("jsonschema")

PROFILES = Path(__file__).resolve().parents[5] / "profiles"
ACCEPTED = [
    "cases: [{name: a, kept_facts: x.json, expect: {passed: [x]}}]",
    "cases: [{name: a, facts: {'file:/x': {value: {text: y}}}, expect: {failed: [x], passed: [y]}}]",
    "cases: [{name: a, pod: {}, container: app, inputs: {z: 1}, expect: {not_reviewed: [x]}}]",
    "cases: [{name: a, facts: {'file:/x': {status: error, cause: gone}}, expect: {not_applicable: [x]}}]",
]
REFUSED = [
    "cases: []",
    "case: []",
    "cases: [{name: a, expect: {passed: [x]}}]",
    "cases: [{kept_facts: x.json, expect: {passed: [x]}}]",
    "cases: [{name: a, kept_facts: x.json}]",
    "cases: [{name: a, kept_facts: x.json, expect: {}}]",
    "cases: [{name: a, kept_facts: x.json, expect: {passed: []}}]",
    "cases: [{name: a, kept_facts: x.json, expect: {pass: [x]}}]",
    "cases: [{name: a, kept_facts: x.json, expekt: {passed: [x]}}]",
    "cases: [{name: a, kept_facts: x.json, pod: {}, container: app, expect: {passed: [x]}}]",
    "cases: [{name: a, pod: {}, expect: {passed: [x]}}]",
    "cases: [{name: a, facts: [], expect: {passed: [x]}}]",
]


def both(tmp_path: Path, text: str) -> tuple[bool, bool]:
    """Whether the schema, and whether the reader accepts it."""
    profile = tmp_path / "profile.yml"
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.yml").write_text(text, encoding="utf-8")
    validator = jsonschema.Draft7Validator(cases_schema())
    try:
        read_cases(profile)
    except ScanError:
        return validator.is_valid(read_document("a.yml", text).data), False
    return validator.is_valid(read_document("a.yml", text).data), True


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(cases_schema())


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_both_accept(tmp_path: Path, text: str) -> None:
    assert both(tmp_path, text) == (True, True)


@pytest.mark.parametrize("text", REFUSED)
def test_what_both_refuse(tmp_path: Path, text: str) -> None:
    assert both(tmp_path, text) == (False, False)


@pytest.mark.parametrize(
    "file", sorted(PROFILES.glob("*/tests/*.yml")), ids=lambda file: str(file.relative_to(PROFILES))
)
def test_shipped_cases_are_valid(file: Path) -> None:
    errors = jsonschema.Draft7Validator(cases_schema()).iter_errors(
        read_document(str(file), file.read_text(encoding="utf-8")).data
    )
    assert list(errors) == []
