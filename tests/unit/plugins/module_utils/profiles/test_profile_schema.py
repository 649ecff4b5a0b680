# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schema of profiles for editors: of one mind with the loader."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles import schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.yaml_document import (
    read_document,
)

jsonschema = pytest.importorskip("jsonschema")

PROFILES = Path(__file__).resolve().parents[5] / "profiles"


@pytest.fixture(scope="module")
def validator():
    document = schema.profile_schema()
    jsonschema.Draft7Validator.check_schema(document)
    return jsonschema.Draft7Validator(document)


def profile(**changes):
    control = {"id": "a", "title": "t", "impact": 0.5, "tests": [{"file": "/x", "expect": {"exist": True}}]}
    test = changes.pop("test", None)
    if test:
        control["tests"] = [test]
    control.update(changes.pop("control", {}))
    return dict({"name": "n", "title": "t", "version": "1.0.0", "controls": [control]}, **changes)


@pytest.mark.parametrize(
    "file",
    sorted([*PROFILES.glob("*/profile.yml"), *PROFILES.glob("*/controls/*.yml")]),
    ids=lambda file: str(file.relative_to(PROFILES)),
)
def test_shipped_profiles_are_valid(validator, file):
    assert list(validator.iter_errors(read_document(str(file), file.read_text()).data)) == []


@pytest.mark.parametrize(
    "given",
    [
        profile(),
        profile(
            control={
                "impact": "high",
                "tags": {"nist": ["AC-6"], "x": None},
                "refs": ["a", {"ref": "b", "url": "c"}],
            }
        ),
        profile(test={"users": None, "expect": {"names": ["root"]}}),
        profile(test={"users": {"where": {"uid": 0}}, "expect": {"names": {"not": {"include": "a"}}}}),
        profile(
            test={
                "file": {"path": "/x"},
                "expect": {"mode": {"no_wider_than": "${input.mode}"}, "uid": "${input.uid}"},
            }
        ),
        profile(
            test={
                "container": {},
                "expect": {"memory_limit": {"at_most": "1Gi"}, "capabilities_added": {"none_outside": []}},
            }
        ),
        profile(
            test={"json": {"path": "/x", "key": ["a", 0]}, "expect": {"value": {"each": {"matches": "x"}}}}
        ),
        profile(
            depends=[
                {"name": "b"},
                {
                    "name": "c",
                    "path": "../c",
                    "controls": ["x"],
                    "inputs": {"a": [1]},
                    "override": {"x": {"impact": "low", "tags": {"a": 1}}},
                },
            ]
        ),
        {
            "name": "n",
            "title": "t",
            "version": "1.0.0",
            "depends": [{"name": "b", "controls": "all", "skip": ["x"]}],
        },
        profile(inputs=[{"name": "a", "type": "array", "value": [1]}], supports=[{"platform": "linux"}]),
    ],
)
def test_what_the_schema_accepts(validator, given):
    assert list(validator.iter_errors(given)) == []


@pytest.mark.parametrize(
    "given",
    [
        profile(titel="x"),
        profile(name="a.b"),
        profile(version="1"),
        profile(controls=[]),
        profile(control={"impact": 2}),
        profile(control={"severity": "x"}),
        profile(test={"file": "/x"}),
        profile(test={"file": "/x", "expect": {}}),
        profile(test={"file": "/x", "expect": {"mod": "0640"}}),
        profile(test={"file": "/x", "user": "a", "expect": {"exist": True}}),
        profile(test={"fiel": "/x", "expect": {"exist": True}}),
        profile(test={"file": "/x", "expect": {"mode": "0999"}}),
        profile(test={"file": "/x", "expect": {"mode": {"at_most": "0640"}}}),
        profile(test={"users": {"where": {"id": 0}}, "expect": {"count": 0}}),
        profile(test={"pod": {"name": "x"}, "expect": {"host_pid": False}}),
        profile(test={"file": None, "expect": {"exist": True}}),
        profile(inputs=[{"name": "a"}]),
        profile(control={"only_if": {"tests": []}}),
        profile(depends=[]),
        profile(depends=["b"]),
        profile(depends=[{"path": "x"}]),
        profile(depends=[{"name": "b", "controls": "some"}]),
        profile(depends=[{"name": "b", "override": {"x": {"desc": "y"}}}]),
    ],
)
def test_what_the_schema_refuses(validator, given):
    assert list(validator.iter_errors(given))
