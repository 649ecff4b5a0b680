# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource declares: its parameters, its attributes with their types, and the facts that each of them
needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..collector.facts import Query
from .evidence import Absent, Evidence
from .value_types import ValueType

Params = Mapping[str, Any]
Needs = Callable[[Params], tuple[Query, ...]]


def nothing_needed(_params: Params) -> tuple[Query, ...]:
    """The needs of what is read from the pod's API object: none."""
    return ()


def needs(*queries: Query) -> Needs:
    """Needs that do not depend on parameters."""
    return lambda _params: queries


@dataclass(frozen=True)
class View:
    """What the attributes of one test read: the checked parameters of the test and the evidence of the
    target."""

    params: Params
    evidence: Evidence
    memo: dict[str, Any] = field(default_factory=dict)

    def value(self, query: Query) -> Any:
        """The value of the fact, or Absent.

        :raises NotKnownError: the fact has any other status
        """
        return self.evidence.value_of(query)

    def rows(self, query: Query) -> Any:
        """See `Evidence.rows_of`."""
        return self.evidence.rows_of(query)

    def part(self, query: Query, name: str, extract: Callable[[Any], Any], called: str = "") -> Any:
        """See `Evidence.part_of`."""
        return self.evidence.part_of(query, name, extract, called)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The result of `make()`, which is called once for all attributes of this test."""
        if name not in self.memo:
            self.memo[name] = make()
        return self.memo[name]


@dataclass(frozen=True)
class Parameter:
    """A parameter that selects a resource. `default` is JSON; None: it is optional and has no default."""

    name: str
    type: ValueType
    description: str
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Attribute:
    """What can be expected of a resource.

    :ivar read: returns a value of `type`, Absent, or Partial; raises NotKnownError
    :ivar predicate: for a boolean attribute its words in descriptions, such as "exist" or "be installed"
    :ivar hidden: values can contain secrets, so messages do not show them
    :ivar names: its entries are names: beside each other they can look like a name and its secret, and are none
    :ivar called: what its value is called in its own place, where that tells that it is a secret
    :ivar detail: tells which things were found, for the message of a failure
    """

    name: str
    type: ValueType
    description: str
    read: Callable[[View], Any]
    needs: Needs = nothing_needed
    predicate: str = ""
    hidden: bool = False
    names: bool = False
    called: Callable[[Params], str] = lambda _params: ""
    detail: Callable[[View], str] | None = None


@dataclass(frozen=True)
class Field:
    """A field of a table's rows: `name` is used in `where`, `plural` is the attribute that lists it.

    `key` is the key in the row, if it is not `name`; `get` computes a value that the row does not contain.
    """

    name: str
    plural: str
    type: ValueType
    description: str
    key: str = ""
    get: Callable[[Mapping[str, Any]], Any] | None = None
    hidden: bool = False

    def is_known_of(self, row: Mapping[str, Any]) -> bool:
        """Whether the row has a value, be it None. A row of a list that is known in part can lack some."""
        return self.get is not None or (self.key or self.name) in row

    def value_in(self, row: Mapping[str, Any]) -> Any:
        return self.get(row) if self.get else row.get(self.key or self.name)


@dataclass(frozen=True)
class Resource:
    """One resource of the language.

    `subject` is the parameter whose value can follow the resource's name directly. `title` starts
    descriptions ("File /etc/shadow"), `place` ends messages ("at /etc/shadow"). `fields` are those of a
    table, by which `where` selects rows. `reads_pod`: what is read depends on the target's pod besides its facts.
    """

    name: str
    description: str
    title: Callable[[Params], str]
    place: Callable[[Params], str]
    attributes: Mapping[str, Attribute]
    parameters: tuple[Parameter, ...] = ()
    subject: Parameter | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    reads_pod: bool = False

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        return ((self.subject,) if self.subject else ()) + self.parameters


def attributes_by_name(*attributes: Attribute) -> dict[str, Attribute]:
    return {attribute.name: attribute for attribute in attributes}


def present(value: Any) -> Any:
    """False for Absent, True for everything else: the `exist` of most resources."""
    return not isinstance(value, Absent)
