# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are found by walking a directory tree: file_search."""

from __future__ import annotations

from typing import Any, Tuple

from ...collector.facts import Query
from ..evidence import Absent, Partial
from ..resource import Field, Parameter, Params, View
from ..tables import table
from ..value_types import INTEGER, MODE, PATH, TEXT, one_of_words

_MATCHES = one_of_words("setuid", "setgid", "world_writable", "unowned")


def _query(params: Params) -> Query:
    return Query("walk", params["path"], (("match", params["match"]),))


def _needs(params: Params) -> Tuple[Query, ...]:
    return (_query(params),)


def _rows(view: View) -> Any:
    query = _query(view.params)
    value = view.value(query)
    if isinstance(value, Absent):
        return value
    if not value["complete"]:
        return Partial(value["entries"], query.key, "the search did not see the whole tree")
    return value["entries"]


RESOURCES = (
    table("file_search", "Files with a property anywhere below a directory. Other file systems, /proc, /sys and /dev "
          "are not searched.",
          title=lambda params: "Files that are %s below %s" % (params["match"], params["path"]),
          place=lambda params: "below %s" % params["path"], rows=_rows, needs=_needs, fields=(
              Field("path", "paths", TEXT, "Where the file is."),
              Field("type", "types", TEXT, "file, directory, socket and so on."),
              Field("mode", "modes", MODE, "Its permission bits."),
              Field("uid", "uids", INTEGER, "User id of its owner."),
              Field("gid", "gids", INTEGER, "Its group id."),
          ), label=lambda row: str(row["path"]), parameters=(
              Parameter("path", PATH, "Where the search starts.", required=True),
              Parameter("match", _MATCHES, "The property.", required=True),
          )),
)
