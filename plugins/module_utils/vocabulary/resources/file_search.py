# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are found by walking directory trees: file_search."""

from __future__ import annotations

from typing import Any

from ...collector.facts import ABSENT, OK, Query
from ..evidence import NotKnownError, Partial
from ..resource import Field, Parameter, Params, View
from ..tables import table
from ..value_text import show_list
from ..value_types import PATH, TEXT, list_of, one_of_words

_MATCHES = one_of_words("setuid", "setgid", "world_writable", "unowned")


def _needs(params: Params) -> tuple[Query, ...]:
    return tuple(Query("walk", path, (("match", params["match"]),)) for path in params["path"])


def _rows(view: View) -> Any:
    """What all walks found. If a walk stopped early, or could not read everything, the result is partial."""
    rows: list[dict[str, Any]] = []
    missing: Partial | None = None
    for query in _needs(view.params):
        fact = view.evidence.facts.get_fact(query)
        if fact.status == ABSENT:
            continue
        if fact.value is None:
            raise NotKnownError(query.key, fact.cause or fact.status)
        if fact.status != OK:
            missing = missing or Partial(None, query.key, fact.cause)
        rows.extend(fact.value["entries"])
    return Partial(rows, missing.what, missing.cause) if missing else rows


def _title(params: Params) -> str:
    return "Files that are {} below {}".format(params["match"], _paths(params))


def _paths(params: Params) -> str:
    return str(params["path"][0]) if len(params["path"]) == 1 else show_list(params["path"])


RESOURCES = (
    table(
        "file_search",
        "Files with a property anywhere below directories; a directory that does not exist has none. "
        "setuid and setgid find regular files, world_writable also directories without the sticky bit, "
        "unowned what belongs to ids that /etc/passwd and /etc/group do not know. Other file systems, "
        "/proc, /sys and /dev are left out.",
        title=_title,
        place=lambda params: f"below {_paths(params)}",
        rows=_rows,
        needs=_needs,
        fields=(Field("path", "paths", TEXT, "Where the file is."),),
        label=lambda row: str(row["path"]),
        parameters=(
            Parameter("path", list_of(PATH), "Where the search starts.", required=True),
            Parameter("match", _MATCHES, "The property.", required=True),
        ),
    ),
)
