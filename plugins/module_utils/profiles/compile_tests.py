# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles one test of a control: a resource with its parameters, and what is expected of its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.request import make_request
from ..errors import ScanError
from ..suggestions import unknown_name
from ..vocabulary.conditions import compile_conditions, describe, sign_of
from ..vocabulary.cursor import Cursor
from ..vocabulary.registry import RESOURCES
from ..vocabulary.resource import Parameter, Resource
from ..vocabulary.value_text import show
from ..vocabulary.value_types import kind_of
from .inputs import Input, substitute

_EXPECT = "expect"
_WHERE = "where"


def compile_test(cursor: Cursor, inputs: Mapping[str, Input], what: str) -> dict[str, Any]:
    """One entry of `tests`, in the form that CompiledProfile describes.

    `what` names the control in errors.
    """
    entries = cursor.mapping(f"{what}: a test")
    names = [key for key in entries if key != _EXPECT]
    for name in names:
        if name not in RESOURCES:
            entries[name].fail(f"{what}: {unknown_name('resource', name, RESOURCES)}")
    if len(names) != 1:
        cursor.fail(
            "{}: found {} in one test; expected exactly one resource beside 'expect'".format(
                what, "the resources {}".format(" and ".join(names)) if names else "no resource"
            )
        )
    resource = RESOURCES[names[0]]
    if _EXPECT not in entries:
        cursor.fail(f"{what}: the test of '{names[0]}' has no 'expect'; expected attributes and their values")
    what = f"{what}: {resource.name}"
    params = _compile_params(entries[resource.name], inputs, resource, what)
    title = resource.title(params) + _where_title(params, resource)
    expect = _compile_expect(entries[_EXPECT], inputs, resource, title, what)
    _check_queries(entries[resource.name], resource, params, expect, what)
    return {
        "resource": resource.name,
        "params": params,
        "title": title,
        "line": cursor.line,
        "expect": expect,
        "id": show(params[resource.subject.name]) if resource.subject else "",
    }


def _check_queries(
    cursor: Cursor, resource: Resource, params: Mapping[str, Any], expect: list[dict[str, Any]], what: str
) -> None:
    """Refuse queries that the collector would refuse: here the line in the profile is known."""
    try:
        make_request(
            query for entry in expect for query in resource.attributes[entry["attribute"]].needs(params)
        )
    except ScanError as error:
        cursor.fail(f"{what}: {error.message}")


def _compile_params(
    cursor: Cursor, inputs: Mapping[str, Input], resource: Resource, what: str
) -> dict[str, Any]:
    cursor, sensitive = substitute(cursor, inputs)
    if sensitive:
        cursor.fail(
            f"{what}: found a sensitive input as a parameter, which results show; expected it below 'expect'"
        )
    known = {parameter.name: parameter for parameter in resource.all_parameters}
    if cursor.value is None:
        cursor = cursor.with_value({})
    if not isinstance(cursor.value, dict):
        if resource.subject is None:
            cursor.fail(
                "{}: found {}; expected {{}}{}, as it has no name of its own".format(
                    what, kind_of(cursor.value), " or {where: ...}" if resource.fields else ""
                )
            )
        return {**_defaults(known), resource.subject.name: _parameter(cursor, resource.subject, what)}
    entries = cursor.mapping(what, [*known, _WHERE] if resource.fields else known)
    params = _defaults(known)
    for name, entry in entries.items():
        if name != _WHERE:
            params[name] = _parameter(entry, known[name], what)
    for parameter in known.values():
        if parameter.required and parameter.name not in entries:
            cursor.fail(
                f"{what}: the parameter '{parameter.name}' is missing; expected {parameter.type.name}"
            )
    if _WHERE in entries:
        params[_WHERE] = _compile_where(entries[_WHERE], resource, what)
    return params


def _defaults(known: Mapping[str, Parameter]) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in known.items() if parameter.default is not None}


def _parameter(cursor: Cursor, parameter: Parameter, what: str) -> Any:
    return cursor.accepted(f"{what} {parameter.name}", parameter.type.name, parameter.type.accept)


def _compile_where(cursor: Cursor, resource: Resource, what: str) -> list[dict[str, Any]]:
    clauses = []
    for name, entry in cursor.mapping(f"{what} where").items():
        if name not in resource.fields:
            entry.fail(f"{what} where: {unknown_name('field', name, resource.fields)}")
        conditions = compile_conditions(entry, resource.fields[name].type, f"{what} where {name}")
        clauses.append({"field": name, "conditions": conditions})
    return clauses


def _where_title(params: Mapping[str, Any], resource: Resource) -> str:
    signs = [
        "{} {}".format(clause["field"], sign_of(clause["conditions"], resource.fields[clause["field"]].type))
        for clause in params.get(_WHERE) or ()
    ]
    return " where {}".format(" and ".join(signs)) if signs else ""


def _compile_expect(
    cursor: Cursor, inputs: Mapping[str, Input], resource: Resource, title: str, what: str
) -> list[dict[str, Any]]:
    expectations = []
    entries = cursor.mapping(f"{what} expect")
    if not entries:
        cursor.fail(f"{what} expect: found an empty mapping; expected attributes and their values")
    for name, entry in entries.items():
        if name not in resource.attributes:
            entry.fail(f"{what}: {unknown_name('attribute', name, resource.attributes)}")
        attribute = resource.attributes[name]
        resolved, masked = substitute(entry, inputs)
        conditions = compile_conditions(resolved, attribute.type, f"{what} {name}")
        expectations.append(
            {
                "attribute": name,
                "conditions": conditions,
                "masked": masked,
                **describe(conditions, attribute, title, masked),
            }
        )
    return expectations
