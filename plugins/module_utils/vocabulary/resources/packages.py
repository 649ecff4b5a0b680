# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed packages of dpkg, apk or rpm: packages, package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...collector.facts import Query
from ..evidence import Absent, NotKnownError, Partial
from ..resource import Attribute, Field, Parameter, View, needs
from ..tables import constant, first_row, record, table
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
        "One package.",
        title="System Package",
        subject=Parameter("name", TEXT, "Name of the package.", required=True),
        place=lambda params: "for package {}".format(params["name"]),
        find=lambda view: first_row(
            _installed(view),
            lambda row: bool(row["name"] == view.params["name"]),
            "the package is not installed",
        ),
        needs=needs(PACKAGES),
        fields=_FIELDS,
        predicate=("installed", "be installed"),
    ),
)
