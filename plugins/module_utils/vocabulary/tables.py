# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources over lists of things (users, packages, processes): rows selected by `where`, one attribute per
column.

A resource for one thing (a user, a package) has the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .evidence import Absent, NotKnownError, Partial
from .matchers import meets
from .resource import Attribute, Field, Needs, Parameter, Params, Resource, View, attributes_by_name
from .value_text import show_list
from .value_types import BOOLEAN, INTEGER, list_of

Row = Mapping[str, Any]
Rows = Callable[[View], Any]


def constant(text: str) -> Callable[[Params], str]:
    """For titles and places that do not depend on parameters."""
    return lambda _params: text


def table(
    name: str,
    description: str,
    *,
    title: Callable[[Params], str],
    place: Callable[[Params], str],
    rows: Rows,
    needs: Needs,
    fields: Sequence[Field],
    label: Callable[[Row], str],
    parameters: tuple[Parameter, ...] = (),
    more: Sequence[Attribute] = (),
    reads_pod: bool = False,
) -> Resource:
    """A table resource.

    :param rows: returns the rows as a list of mappings, Absent (there are no rows) or Partial; raises
        NotKnownError
    :param label: what a row is called in messages
    :param more: further attributes, besides the columns, `count` and `exist`
    :param reads_pod: as of Resource
    """
    by_name = {column.name: column for column in fields}

    def selected(view: View) -> Any:
        return view.once("rows", lambda: _select(rows(view), view.params.get("where") or (), by_name))

    def detail(view: View) -> str:
        labels = [label(row) for row in _plain(selected(view))]
        return show_list(labels) if labels else ""

    columns = [_column(column, selected, needs) for column in fields]
    count = Attribute(
        "count", INTEGER, "How many there are.", lambda view: _over(selected(view), len), needs, detail=detail
    )
    exist = Attribute(
        "exist",
        BOOLEAN,
        "Whether there is at least one.",
        lambda view: _any_row(selected(view)),
        needs,
        predicate="exist",
        detail=detail,
    )
    return Resource(
        name,
        description,
        title,
        place,
        attributes_by_name(count, exist, *columns, *more),
        parameters,
        fields=by_name,
        reads_pod=reads_pod,
    )


def _select(rows: Any, where: Sequence[dict[str, Any]], fields: Mapping[str, Field]) -> Any:
    if isinstance(rows, Absent):
        return []
    if isinstance(rows, Partial):
        asked = [fields[clause["field"]] for clause in where]
        known = [row for row in rows.value if all(column.is_known_of(row) for column in asked)]
        return Partial(_select(known, where, fields), rows.what, rows.cause)
    for clause in where:
        column = fields[clause["field"]]
        rows = [row for row in rows if meets(clause["conditions"], column.type, column.value_in(row))]
    return rows


def _plain(rows: Any) -> list[Row]:
    return rows.value if isinstance(rows, Partial) else rows  # type: ignore[no-any-return]


def _over(rows: Any, compute: Callable[[list[Row]], Any]) -> Any:
    """The result of `compute` for the rows; partial if the rows are."""
    if isinstance(rows, Partial):
        return Partial(compute(rows.value), rows.what, rows.cause)
    return compute(rows)


def _any_row(rows: Any) -> Any:
    # One row is enough to know; if a part has no row, the rest can still have one.
    return _over(rows, bool) if isinstance(rows, Partial) and not rows.value else bool(_plain(rows))


def _column(column: Field, selected: Callable[[View], Any], needs: Needs) -> Attribute:
    def values(rows: list[Row]) -> list[Any]:
        found: list[Any] = []
        for row in rows:
            value = column.value_in(row)
            if isinstance(value, list):
                found.extend(value)
            elif value is not None:
                found.append(value)
        return found

    element = column.type.element or column.type
    return Attribute(
        column.plural,
        list_of(element),
        column.description,
        lambda view: _over(selected(view), values),
        needs,
        hidden=column.hidden,
    )


def record(
    name: str,
    description: str,
    *,
    title: str,
    subject: Parameter,
    place: Callable[[Params], str],
    find: Callable[[View], Any],
    needs: Needs,
    fields: Sequence[Field],
    predicate: tuple[str, str],
    more: Sequence[Attribute] = (),
) -> Resource:
    """A resource for one thing.

    :param find: returns its row, or Absent; raises NotKnownError
    :param predicate: name and words of the attribute that says that it exists, such as ("installed", "be
        installed")
    """

    def found(view: View) -> Any:
        return view.once("row", lambda: find(view))

    def reader(column: Field) -> Callable[[View], Any]:
        def read(view: View) -> Any:
            row = found(view)
            if isinstance(row, Absent):
                return row
            if not column.is_known_of(row):
                raise NotKnownError(f"{column.name} of {row.get(subject.name)}", "it was not read")
            return column.value_in(row)

        return read

    there = Attribute(
        predicate[0],
        BOOLEAN,
        "Whether it is there.",
        lambda view: not isinstance(found(view), Absent),
        needs,
        predicate=predicate[1],
    )
    columns = [
        Attribute(column.name, column.type, column.description, reader(column), needs, hidden=column.hidden)
        for column in fields
        if column.name != subject.name
    ]
    return Resource(
        name,
        description,
        lambda params: f"{title} {params[subject.name]}",
        place,
        attributes_by_name(there, *columns, *more),
        subject=subject,
    )


def first_row(rows: Any, matches: Callable[[Row], bool], reason: str) -> Any:
    """The first row that matches, else Absent with `reason` (also if the whole table is absent).

    :raises NotKnownError: it is not among the rows of a part
    """
    if isinstance(rows, Absent):
        return rows
    found = next((row for row in _plain(rows) if matches(row)), None)
    if found is None and isinstance(rows, Partial):
        raise NotKnownError(rows.what, rows.cause)
    return Absent(reason) if found is None else found
