# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of Python and Node: pip, npm.

They are looked for in the usual places; a profile names any other place by `path`. If a package is installed
in several versions, `version` is not known, and `versions` has them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from ...collector.facts import ABSENT, Query
from ...collector.frames import decode_text
from ..evidence import Absent, NotKnownError, Partial
from ..resource import Attribute, Needs, Parameter, Params, Resource, View, attributes_by_name
from ..value_text import bound_text
from ..value_types import BOOLEAN, PATH, TEXT, VERSION, ValueType, list_of

_PYTHON_PREFIXES = (
    "/usr",
    "/usr/local",
    "/opt/venv",
    "/opt/conda",
    "/opt/app-root",
    "/venv",
    "/app/.venv",
    "/app/venv",
)
# the last is where Debian's packages have them
_NODE_FOLDERS = (
    *(
        f"{folder}/node_modules"
        for folder in ("/usr/lib", "/usr/local/lib", "", "/app", "/usr/src/app", "/opt/app-root/src")
    ),
    "/usr/share/nodejs",
)


class _Install(NamedTuple):
    version: str | None
    path: str


class _Found(NamedTuple):
    """Where the package is installed, and the first place that could not be searched."""

    installs: list[_Install]
    missing: NotKnownError | None


def _search(view: View, queries: tuple[Query, ...], read: Callable[[Query], Iterator[_Install]]) -> _Found:
    installs: list[_Install] = []
    missing: NotKnownError | None = None
    for query in queries:
        if view.evidence.facts.get_fact(query).status == ABSENT:
            continue
        try:
            installs.extend(read(query))
        except NotKnownError as error:
            missing = missing or error
    return _Found(installs, missing)


def _installed(found: _Found) -> Any:
    if not found.installs and found.missing:
        raise found.missing
    return bool(found.installs)


def _version(found: _Found) -> Any:
    if found.missing:
        raise found.missing
    if not found.installs:
        return Absent("the package is not installed")
    versions = {install.version for install in found.installs}
    if len(versions) > 1:
        places = ", ".join("{} in {}".format(*install) for install in found.installs)
        raise NotKnownError("the version", f"there are several: {places}; versions has them all")
    return _told(found.installs[0])


def _told(install: _Install) -> str:
    if install.version is None:
        raise NotKnownError("the version", f"the package in {install.path} does not tell it")
    return install.version


def _all(tell: Callable[[_Install], str]) -> Callable[[_Found], Any]:
    def values(found: _Found) -> Any:
        told = [tell(install) for install in found.installs]
        missing = found.missing
        return Partial(told, missing.what, missing.cause) if missing else told

    return values


def _language_package(
    name: str,
    description: str,
    *,
    title: str,
    name_type: ValueType,
    queries: Needs,
    find: Callable[[View], _Found],
    path: str,
) -> Resource:
    def attribute(
        name: str, kind: ValueType, text: str, compute: Callable[[_Found], Any], predicate: str = ""
    ) -> Attribute:
        return Attribute(
            name, kind, text, lambda view: compute(view.once("found", lambda: find(view))), queries, predicate
        )

    return Resource(
        name,
        description,
        lambda params: "{} {}".format(title, params["name"]),
        lambda params: "for {}".format(params["name"]),
        attributes_by_name(
            attribute(
                "installed", BOOLEAN, "Whether it is in one of the places.", _installed, "be installed"
            ),
            attribute("version", VERSION, "Its version, where there is only one.", _version),
            attribute("versions", list_of(VERSION), "The versions of all that were found.", _all(_told)),
            attribute("paths", list_of(TEXT), "Where it was found.", _all(lambda install: install.path)),
        ),
        (Parameter("path", PATH, path),),
        Parameter("name", name_type, "Name of the package.", required=True),
    )


def _python_name(name: str) -> str:
    """Case and the kind of separator make no difference (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _python_queries(params: Params) -> tuple[Query, ...]:
    prefixes = (params["path"],) if "path" in params else _PYTHON_PREFIXES
    return tuple(Query("python_packages", prefix) for prefix in prefixes)


def _find_python(view: View) -> _Found:
    wanted = _python_name(view.params["name"])

    def read(query: Query) -> Iterator[_Install]:
        rows = view.value(query)
        return (_Install(row["version"], row["path"]) for row in rows if _python_name(row["name"]) == wanted)

    return _search(view, _python_queries(view.params), read)


def _accept_node_name(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"(@[\w~-][\w.~-]*/)?[\w~-][\w.~-]*", value, re.ASCII):
        raise ValueError("found something else")
    return value


def _node_queries(params: Params) -> tuple[Query, ...]:
    folders = (params["path"].rstrip("/") + "/node_modules",) if "path" in params else _NODE_FOLDERS
    return tuple(Query("content", "{}/{}/package.json".format(folder, params["name"])) for folder in folders)


def _find_node(view: View) -> _Found:
    def read(query: Query) -> Iterator[_Install]:
        version = view.part(query, "npm version", lambda content: _node_version(query, content))
        yield _Install(None if isinstance(version, Absent) else version, query.subject.rpartition("/")[0])

    return _search(view, _node_queries(view.params), read)


def _node_version(query: Query, content: bytes) -> Any:
    try:
        told = json.loads(decode_text(content).lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise NotKnownError(query.key, f"the content cannot be parsed: {bound_text(str(error))}") from error
    version = told.get("version") if isinstance(told, dict) else None
    return version if isinstance(version, str) else Absent("it tells no version")


_NODE_NAME = ValueType(
    "the name of a package of npm", _accept_node_name, {"type": "string", "minLength": 1}, textual=True
)

RESOURCES = (
    _language_package(
        "pip",
        "One package of Python. Looked for below {}.".format(", ".join(_PYTHON_PREFIXES)),
        title="Pip Package",
        name_type=TEXT,
        queries=_python_queries,
        find=_find_python,
        path="Prefix of the Python or virtual environment instead: what holds lib/python3.",
    ),
    _language_package(
        "npm",
        "One package of Node, directly in one of {}.".format(", ".join(_NODE_FOLDERS)),
        title="Npm Package",
        name_type=_NODE_NAME,
        queries=_node_queries,
        find=_find_node,
        path="Folder that holds node_modules instead.",
    ),
)
