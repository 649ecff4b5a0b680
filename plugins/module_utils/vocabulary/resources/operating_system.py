# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the container is made from: os, os_env."""

from __future__ import annotations

from typing import Any, Callable

from ...collector.facts import Query
from ...secret_names import names_a_secret
from ..evidence import Absent
from ..resource import Attribute, Parameter, Params, Resource, View, attributes_by_name, needs
from ..supports import families_of
from ..value_types import BOOLEAN, TEXT, VERSION, ValueType, list_of

OS = Query("os")
ENVIRONMENT = Query("environment")


def _part(name: str) -> Callable[[View], Any]:
    def read(view: View) -> Any:
        system = view.value(OS)
        return (
            system if isinstance(system, Absent) else system.get(name) or Absent("the container does not say")
        )

    return read


def _families(view: View) -> Any:
    system = view.value(OS)
    return system if isinstance(system, Absent) else families_of(system)


def _attribute(name: str, kind: ValueType, description: str) -> Attribute:
    return Attribute(name, kind, description, _part(name), needs(OS))


def _value_query(params: Params) -> Query:
    return Query("environment_value", params["name"])


def _value(view: View) -> Any:
    return view.value(_value_query(view.params))


def _split(view: View) -> Any:
    value = _value(view)
    return value if isinstance(value, Absent) else value.split(":")


def _value_attribute(name: str, kind: ValueType, description: str, read: Callable[[View], Any]) -> Attribute:
    return Attribute(
        name,
        kind,
        description,
        read,
        lambda params: (_value_query(params),),
        called=lambda params: str(params["name"]),
    )


def _names(view: View) -> Any:
    names = view.value(ENVIRONMENT)
    return [] if isinstance(names, Absent) else names


RESOURCES = (
    Resource(
        "os",
        "The operating system inside the container, named as InSpec names it.",
        lambda _params: "Operating system",
        lambda _params: "in /etc/os-release",
        attributes_by_name(
            _attribute("name", TEXT, "Such as debian, alpine, redhat."),
            _attribute("family", TEXT, "Such as debian, redhat, linux."),
            Attribute(
                "families",
                list_of(TEXT),
                "The whole line of families, the nearest first, such as debian, linux, unix, os.",
                _families,
                needs(OS),
            ),
            _attribute("release", VERSION, "Version number."),
            _attribute("arch", TEXT, "Architecture, such as x86_64."),
        ),
    ),
    Resource(
        "environment",
        "The names of the environment variables of the container. Values are not collected.",
        lambda _params: "Environment",
        lambda _params: "in the container's environment",
        attributes_by_name(
            Attribute(
                "names", list_of(TEXT), "Names of the variables.", _names, needs(ENVIRONMENT), names=True
            ),
            Attribute(
                "secret_names",
                list_of(TEXT),
                "Names of the variables that are called as secrets are (DB_PASSWORD, apiToken); not what is about one "
                "(PASSWORD_FILE, TOKEN_TTL).",
                lambda view: [name for name in _names(view) if names_a_secret(name)],
                needs(ENVIRONMENT),
                names=True,
            ),
        ),
    ),
    Resource(
        "os_env",
        "One environment variable of the container. Its value leaves the container only where content or "
        "split is asked for, and then stands in results where a test fails.",
        lambda params: "Environment variable {}".format(params["name"]),
        lambda params: "in the environment variable {}".format(params["name"]),
        attributes_by_name(
            Attribute(
                "exist",
                BOOLEAN,
                "Whether it is set.",
                lambda view: view.params["name"] in _names(view),
                needs(ENVIRONMENT),
                predicate="exist",
            ),
            _value_attribute("content", TEXT, "Its value.", _value),
            _value_attribute(
                "split", list_of(TEXT), "The parts of its value between colons, as in PATH.", _split
            ),
        ),
        subject=Parameter("name", TEXT, "Name of the variable.", required=True),
    ),
)
