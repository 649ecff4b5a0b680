# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the profile language: its resources, attributes, matchers and types, from the registries that it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.inputs import INPUT_TYPES
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.schema import (
    BASE_TYPES,
    TYPE_NAMES,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.matchers import (
    MATCHERS,
    NESTED,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.registry import RESOURCES
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.resource import (
    Parameter,
    Resource,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.value_types import (
    ValueType,
    list_of,
)

_INTRODUCTION = """\
What a test of a profile can look at, and what it can expect. [Writing profiles](writing-profiles.md) explains the rest.

```yaml
tests:
  - RESOURCE: what it is about, or {PARAMETER: value}
    expect:
      ATTRIBUTE: value
      OTHER_ATTRIBUTE: {MATCHER: value, MATCHER: value}
```

A plain value means the matcher `equals`. Several matchers on one attribute must all hold; `not` turns the one below it round.
Tables (users, packages, ports, ...) take `where: {FIELD: value or matchers}`, which selects rows, and have each field as an
attribute that lists it. `${input.NAME}` stands for an input's value; the types of inputs are %s."""


def language_page(generated: str) -> str:
    """The page as Markdown; `generated` is the note at its top."""
    lines = [
        generated,
        "# The profile language",
        "",
        _INTRODUCTION % ", ".join(f"`{name}`" for name in INPUT_TYPES),
        "",
        "On this page: [matchers](#matchers), [types](#types), [resources](#resources): "
        + ", ".join(f"[{name}](#{name})" for name in RESOURCES)
        + ".",
        "",
    ]
    lines += [
        "## Matchers",
        "",
        *_table(
            ("matcher", "holds for", "on"),
            (
                (
                    _code(matcher.name),
                    matcher.meaning + ("; its value is a matcher itself" if matcher.name in NESTED else ""),
                    _applies(matcher.applies),
                )
                for matcher in MATCHERS.values()
            ),
        ),
        "",
    ]
    lines += [
        "## Types",
        "",
        *_table(("type", "what a profile writes"), ((name, kind.name) for name, kind in BASE_TYPES.items())),
        "",
        "In place of a list of one entry, the entry may stand alone. What is absent meets only what is "
        "negated.",
        "",
    ]
    lines += [
        "## Resources",
        "",
        *_table(
            ("resource", "what it is"),
            (
                (f"[`{resource.name}`](#{resource.name})", resource.description)
                for resource in RESOURCES.values()
            ),
        ),
    ]
    for resource in RESOURCES.values():
        lines += ["", *_resource(resource)]
    return "\n".join([*lines, ""])


def _applies(applies: Any) -> str:
    singles = [name for name, kind in BASE_TYPES.items() if applies(kind) and name != "any"]
    lists = applies(list_of(BASE_TYPES["text"]))
    if len(singles) == len(BASE_TYPES) - 1:
        return "everything" if lists else "everything but lists"
    return ", ".join([*singles, *(["lists"] if lists else [])])


def _resource(resource: Resource) -> list[str]:
    lines = [f"### {resource.name}", "", resource.description]
    if resource.subject:
        lines += ["", f"Written `{resource.name}: {resource.subject.name.upper()}`."]
    if resource.all_parameters:
        lines += [
            "",
            *_table(
                ("parameter", "type", "meaning"),
                (
                    (_code(parameter.name), parameter.type.name, _meaning(parameter))
                    for parameter in resource.all_parameters
                ),
            ),
        ]
    if resource.fields:
        lines += [
            "",
            *_table(
                ("field for `where`", "type", "meaning"),
                (
                    (_code(name), _type(column.type), column.description)
                    for name, column in resource.fields.items()
                ),
            ),
        ]
    return [
        *lines,
        "",
        *_table(
            ("attribute", "type", "meaning"),
            (
                (
                    _code(name),
                    _type(attribute.type),
                    attribute.description + (" Never shown in results." if attribute.hidden else ""),
                )
                for name, attribute in resource.attributes.items()
            ),
        ),
    ]


def _meaning(parameter: Parameter) -> str:
    if parameter.required:
        return parameter.description + " Required."
    return parameter.description + (
        f" Default: {parameter.default}." if parameter.default is not None else ""
    )


def _type(kind: ValueType) -> str:
    return TYPE_NAMES[kind].replace("_", " ")


def _code(text: str) -> str:
    return f"`{text}`"


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    heads = list(heads)
    cells: dict[str, str] = {"|": "\\|"}
    lines = ["| {} |".format(" | ".join(heads)), "| {} |".format(" | ".join("---" for _head in heads))]
    for row in rows:
        lines.append(
            "| {} |".format(
                " | ".join(" ".join(str(cell).split()).translate(str.maketrans(cells)) for cell in row)
            )
        )
    return lines
