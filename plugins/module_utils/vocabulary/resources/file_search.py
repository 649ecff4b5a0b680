# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are found by walking directory trees: file_search, named_files."""

from __future__ import annotations

from typing import Any, Callable

from ...collector.facts import ABSENT, OK, Query
from ..evidence import NotKnownError, Partial
from ..resource import Field, Needs, Parameter, Params, Resource, View
from ..tables import table
from ..value_text import show_list
from ..value_types import BOOLEAN, FILE_NAME, PATH, TEXT, list_of, one_of_words

_MATCHES = one_of_words("setuid", "setgid", "world_writable", "unowned")


def _needs(params: Params) -> tuple[Query, ...]:
    return tuple(Query("walk", path, (("match", params["match"]),)) for path in params["path"])


def _needs_named(params: Params) -> tuple[Query, ...]:
    return tuple(
        Query("walk", path, (("match", "named"), ("name", name)))
        for path in params["path"]
        for name in params["names"]
    )


def _rows_of(needs: Needs) -> Callable[[View], Any]:
    """What all walks found. If a walk stopped early, or could not read everything, the result is partial."""

    def rows_of(view: View) -> Any:
        rows: list[dict[str, Any]] = []
        missing: Partial | None = None
        for query in needs(view.params):
            fact = view.evidence.facts.get_fact(query)
            if fact.status == ABSENT:
                continue
            if fact.value is None:
                raise NotKnownError(query.key, fact.cause or fact.status)
            closed = 0 if view.params.get("within_reach") else fact.value.get("closed", 0)
            if fact.status != OK or closed:
                missing = missing or Partial(None, query.key, fact.cause or _closed(closed))
            rows.extend(fact.value["entries"])
        return Partial(rows, missing.what, missing.cause) if missing else rows

    return rows_of


def _closed(places: int) -> str:
    return f"the container's user is not allowed to search {places} directories there"


def _title(params: Params) -> str:
    return "Files that are {} below {}".format(params["match"], _paths(params))


def _title_of_named(params: Params) -> str:
    return "Files called {} below {}".format(" or ".join(map(str, params["names"])), _paths(params))


def _paths(params: Params) -> str:
    return str(params["path"][0]) if len(params["path"]) == 1 else show_list(params["path"])


_PATH = Parameter("path", list_of(PATH), "Where the search starts.", required=True)
_WITHIN_REACH = Parameter(
    "within_reach",
    BOOLEAN,
    "true: what the container's user cannot reach does not count, because it is not allowed to search a directory "
    "above it. Without it, such a directory leaves open what is there, and the test is not known.",
)
_LEFT_OUT = "Other file systems (so volumes, too), /proc, /sys and /dev are left out."


def _search(
    name: str, description: str, title: Callable[[Params], str], needs: Needs, wanted: Parameter
) -> Resource:
    """What is found anywhere below directories, by what `wanted` says."""
    return table(
        name,
        f"{description} {_LEFT_OUT}",
        title=title,
        place=lambda params: f"below {_paths(params)}",
        rows=_rows_of(needs),
        needs=needs,
        fields=(Field("path", "paths", TEXT, "Where the file is."),),
        label=lambda row: str(row["path"]),
        parameters=(_PATH, wanted, _WITHIN_REACH),
    )


RESOURCES = (
    _search(
        "file_search",
        "Files with a property anywhere below directories; a directory that does not exist has none. "
        "setuid and setgid find regular files, world_writable also directories without the sticky bit, "
        "unowned what belongs to ids that /etc/passwd and /etc/group do not know.",
        _title,
        _needs,
        Parameter("match", _MATCHES, "The property.", required=True),
    ),
    _search(
        "named_files",
        "Files, links and everything else but directories with one of these names anywhere below directories; a "
        "directory that does not exist has none.",
        _title_of_named,
        _needs_named,
        Parameter(
            "names",
            list_of(FILE_NAME),
            "Names of files, in which * stands for any characters and ? for one.",
            required=True,
        ),
    ),
)
