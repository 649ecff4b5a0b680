# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON schema of profile files, made from the registries, for editors that complete and check.

The loader is stricter: it also checks inputs, patterns, and the queries to the collector.
"""

from __future__ import annotations

from typing import Any

from ..editor_schema import Schema, closed_object, list_of
from ..vocabulary.matchers import MATCHERS, NESTED, element_type
from ..vocabulary.registry import RESOURCES
from ..vocabulary.resource import Parameter, Resource
from ..vocabulary.supports import SUPPORT_KEYS
from ..vocabulary.value_types import (
    ANY,
    BOOLEAN,
    INTEGER,
    MODE,
    QUANTITY,
    SCALAR,
    TEXT,
    VERSION,
    ValueType,
)
from ..vocabulary.value_types import list_of as list_of_type
from . import compile_controls as controls
from .control_fields import IMPACTS, REF_KEYS
from .dependencies import ALL, DEPENDS_KEYS, DEPENDS_REQUIRED
from .inputs import INPUT_TYPES

_INPUT = {"type": "string", "pattern": r"\$\{input\.[A-Za-z0-9_-]+\}"}
_TEXT: Schema = {"type": "string", "minLength": 1}
BASE_TYPES = {
    "text": TEXT,
    "integer": INTEGER,
    "boolean": BOOLEAN,
    "mode": MODE,
    "version": VERSION,
    "scalar": SCALAR,
    "quantity": QUANTITY,
    "any": ANY,
}
TYPE_NAMES: dict[ValueType, str] = {
    **{kind: name for name, kind in BASE_TYPES.items()},
    **{list_of_type(kind): f"list_of_{name}" for name, kind in BASE_TYPES.items()},
}


def profile_schema() -> Schema:
    """The schema of a profile file (JSON Schema draft 7, which editors understand)."""
    texts: Schema = {
        key: _TEXT
        for key in controls.PROFILE_KEYS
        if key not in ("supports", "inputs", "depends", "controls")
    }
    properties = {
        **texts,
        "name": {"type": "string", "pattern": controls.NAME_PATTERN},
        "version": {"type": "string", "pattern": controls.VERSION_PATTERN},
        "supports": list_of(closed_object(dict.fromkeys(SUPPORT_KEYS, _TEXT))),
        "inputs": list_of({"$ref": "#/definitions/input"}),
        "depends": list_of({"$ref": "#/definitions/dependency"}),
        "controls": list_of({"$ref": "#/definitions/control"}),
    }
    # A profile, or a file of controls beside one.
    top = dict(
        closed_object(properties),
        anyOf=[
            {"required": list(controls.PROFILE_REQUIRED)},
            {"required": list(controls.PART_KEYS), "maxProperties": 1},
        ],
    )
    definitions = {"input": _input(), "dependency": _dependency(), "control": _control(), "test": _test()}
    definitions.update({f"conditions_{name}": _conditions(kind) for kind, name in TYPE_NAMES.items()})
    return {"definitions": definitions, **top}


def _or_input(schema: Any) -> Schema:
    return {"anyOf": [dict(schema), _INPUT]}


def _input() -> Schema:
    return closed_object(
        {
            "name": _TEXT,
            "type": {"enum": list(INPUT_TYPES)},
            "value": {},
            "description": _TEXT,
            "required": {"type": "boolean"},
            "sensitive": {"type": "boolean"},
        },
        ("name", "type"),
    )


def _dependency() -> Schema:
    ids: Schema = list_of({"type": "string", "pattern": controls.ID_PATTERN})
    override = dict(closed_object({"impact": _impact(), "title": _TEXT, "tags": _tags()}), minProperties=1)
    properties: Schema = {
        "name": {"type": "string", "pattern": controls.NAME_PATTERN},
        "path": _TEXT,
        "controls": {"anyOf": [ids, {"enum": [ALL]}]},
        "skip": ids,
        "inputs": {"type": "object"},
        "override": {"type": "object", "additionalProperties": override},
    }
    return closed_object({key: properties[key] for key in DEPENDS_KEYS}, DEPENDS_REQUIRED)


def _impact() -> Schema:
    return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"enum": list(IMPACTS)}]}


def _tags() -> Schema:
    return {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "array", "null"]},
    }


def _control() -> Schema:
    tests = list_of({"$ref": "#/definitions/test"})
    texts: Schema = dict.fromkeys(("title", "desc", *controls.DESCRIPTION_KEYS), _TEXT)
    reference = {"anyOf": [_TEXT, closed_object(dict.fromkeys(REF_KEYS, _TEXT))]}
    return closed_object(
        {
            **texts,
            "id": {"type": "string", "pattern": controls.ID_PATTERN},
            "impact": _impact(),
            "tags": _tags(),
            "refs": list_of(reference),
            "manual": {"type": "boolean"},
            "tests": tests,
            "only_if": closed_object({"reason": _TEXT, "tests": tests, "any_of": tests}, ("reason", "tests")),
        },
        controls.CONTROL_REQUIRED,
    )


def _test() -> Schema:
    # One branch per resource: its own key decides which attributes `expect` completes.
    return {
        "type": "object",
        "required": ["expect"],
        "oneOf": [_resource(resource) for resource in RESOURCES.values()],
    }


def _resource(resource: Resource) -> Schema:
    attributes = {
        name: dict(_conditions_of(attribute.type), description=attribute.description)
        for name, attribute in resource.attributes.items()
    }
    expect = dict(closed_object(attributes), minProperties=1)
    return closed_object({resource.name: _parameters(resource), "expect": expect}, (resource.name, "expect"))


def _parameters(resource: Resource) -> Schema:
    properties = {parameter.name: _parameter(parameter) for parameter in resource.all_parameters}
    if resource.fields:
        where = {
            name: dict(_conditions_of(column.type), description=column.description)
            for name, column in resource.fields.items()
        }
        properties["where"] = closed_object(where)
    required = [parameter.name for parameter in resource.all_parameters if parameter.required]
    forms: list[Schema] = [closed_object(properties, required)]
    if resource.subject:
        forms.insert(0, _parameter(resource.subject))
    if not required:
        forms.append({"type": "null"})
    return {"description": resource.description, "anyOf": forms}


def _parameter(parameter: Parameter) -> Schema:
    return dict(_or_input(parameter.type.schema), description=parameter.description)


def _conditions_of(kind: ValueType) -> Schema:
    # Draft 7 ignores keys beside a reference, hence the list of one.
    return {"allOf": [{"$ref": f"#/definitions/conditions_{TYPE_NAMES[kind]}"}]}


def _conditions(kind: ValueType) -> Schema:
    """A plain value, or a mapping of matchers."""
    matchers: Schema = {}
    for matcher in MATCHERS.values():
        if matcher.applies(kind):
            matchers[matcher.name] = dict(_operand(matcher.name, kind), description=matcher.meaning)
    matchers["not"] = _conditions_of(kind)
    return {"anyOf": [dict(kind.schema), _INPUT, dict(closed_object(matchers), minProperties=1)]}


def _operand(name: str, kind: ValueType) -> Schema:
    if name in NESTED:
        return _conditions_of(element_type(kind))
    operand: ValueType = MATCHERS[name].operand(kind)
    return _or_input(operand.schema)
