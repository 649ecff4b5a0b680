# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed packages of dpkg, apk or rpm: packages, package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...collector.facts import Query
from ..evidence import Absent, NotKnownError, Partial
from ..resource import Attribute, Field, Parameter, View, needs
from ..tables import constant, first_row, record, table
from ..value_text import show_list
from ..value_types import BOOLEAN, TEXT, VERSION

PACKAGES = Query("packages")


def _installed(view: View) -> Any:
    """The installed packages; a part of them where records of the database are not understood.

    :raises NotKnownError: there is no package database; software can still have been copied into the image
    """
    value = _database(view)
    if isinstance(value, Absent):
        raise NotKnownError(PACKAGES.key, "the container has no package database")
    installed = [package for package in value["packages"] if package["installed"]]
    fact = view.evidence.facts.get_fact(PACKAGES)
    return installed if fact.ok else Partial(installed, PACKAGES.key, fact.cause)


def _database(view: View) -> Any:
    """The value of the fact, also where it is a part of the database."""
    value = view.evidence.facts.get_fact(PACKAGES).value
    return value if isinstance(value, Mapping) else view.value(PACKAGES)


def _package(view: View) -> Any:
    """The package's name and all that is installed by it: rpm has several versions of one, and dpkg several architectures."""
    name, installed = view.params["name"], _installed(view)
    row = first_row(installed, lambda row: bool(row["name"] == name), "the package is not installed")
    if isinstance(row, Absent):
        return row
    rows = installed.value if isinstance(installed, Partial) else installed
    return {"name": name, "rows": [other for other in rows if other["name"] == name]}


def _same(field: Field) -> Field:
    """Of one package: the field's value, where all that is installed by the name has the same.

    `value_in` raises NotKnownError where there are several, or none
    """

    def get(package: Mapping[str, Any]) -> Any:
        values = list(dict.fromkeys(row[field.name] for row in package["rows"]))
        if values == [""]:
            raise NotKnownError(f"{field.name} of {package['name']}", "the package database has none")
        if len(values) > 1:
            raise NotKnownError(
                f"{field.name} of {package['name']}",
                f"{show_list(values)} are installed; the resource packages looks at each",
            )
        return values[0]

    return replace(field, get=get)


def _manager(view: View) -> Any:
    value = _database(view)
    return value if isinstance(value, Absent) else value["manager"]


_FIELDS = (
    Field("name", "names", TEXT, "Name of the package."),
    Field("version", "versions", VERSION, "Its version as the package manager writes it."),
    Field("arch", "archs", TEXT, "Its architecture."),
)

RESOURCES = (
    table(
        "packages",
        "The installed packages of the container's package database (dpkg, apk or rpm).",
        title=constant("Packages"),
        place=constant("among the installed packages"),
        rows=_installed,
        needs=needs(PACKAGES),
        fields=_FIELDS,
        label=lambda row: "{} {}".format(row["name"], row["version"]),
        more=(
            Attribute(
                "database",
                BOOLEAN,
                "Whether the container has a package database.",
                lambda view: not isinstance(_database(view), Absent),
                needs(PACKAGES),
            ),
            Attribute("manager", TEXT, "dpkg, apk or rpm.", _manager, needs(PACKAGES)),
        ),
    ),
    record(
        "package",
        "One package. What differs between several that are installed by its name is not known.",
        title="System Package",
        subject=Parameter("name", TEXT, "Name of the package.", required=True),
        place=lambda params: "for package {}".format(params["name"]),
        find=_package,
        needs=needs(PACKAGES),
        fields=tuple(map(_same, _FIELDS)),
        predicate=("installed", "be installed"),
    ),
)
