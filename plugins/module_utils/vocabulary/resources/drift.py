# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the running container and its image: drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...collector.facts import Query
from ...drift.comparison import ADDED, CHANGED, REMOVED, TOUCHED
from ...drift.listings import NotComparableError, drift_of, drift_queries
from ..evidence import NotKnownError, Partial
from ..resource import Field, Parameter, Params, View
from ..tables import table
from ..value_text import show_list
from ..value_types import BOOLEAN, PATH, TEXT, list_of


def _needs(params: Params) -> tuple[Query, ...]:
    return drift_queries(params["paths"])


def _rows(view: View) -> Any:
    """What differs. If a directory could not be read on one side, the result is partial."""
    paths, ignore = view.params["paths"], view.params["ignore"]

    def compute() -> Any:
        context = view.evidence.context
        drift = drift_of(view.evidence.facts, paths, context.pod, context.container_name, ignore)
        rows = [difference.row() for difference in drift.differences]
        if drift.unread:
            return Partial(
                rows,
                "the whole drift",
                f"what is below {show_list(drift.unread[:5])} could not be listed on both sides",
            )
        return rows

    try:
        return view.evidence.parsed(("drift", tuple(paths), tuple(ignore)), compute)
    except NotComparableError as missing:
        raise NotKnownError(missing.what, missing.cause) from missing


def _path_where(change: str) -> Callable[[Mapping[str, Any]], str | None]:
    return lambda row: str(row["path"]) if row["change"] == change else None


def _label(row: Mapping[str, Any]) -> str:
    return "{} {}{}".format(
        row["path"], row["change"], " ({})".format(", ".join(row["differs"])) if row["differs"] else ""
    )


def _title(params: Params) -> str:
    return f"Drift below {_below(params)}"


def _below(params: Params) -> str:
    return str(params["paths"][0]) if len(params["paths"]) == 1 else show_list(params["paths"])


def _list_of_paths(name: str, change: str, description: str) -> Field:
    return Field(name, name, TEXT, description, get=_path_where(change))


_TYPES = "file, directory, symlink, pipe, socket, character_device or block_device."

RESOURCES = (
    table(
        "drift",
        "Files that were added, changed or removed since the container started: the running container "
        "against its image. Compared are type, mode, owner and group, of files size and mtime, of links "
        "their text. What is mounted, and what the runtime makes, is left out. It needs the image beside "
        "the running container, see drift.md.",
        title=_title,
        place=lambda params: f"below {_below(params)}",
        rows=_rows,
        needs=_needs,
        label=_label,
        reads_pod=True,
        fields=(
            Field("path", "paths", TEXT, "The file's real path."),
            Field(
                "change",
                "changes",
                TEXT,
                "added, changed, removed, or touched: nothing that is compared differs, but its "
                "ctime lies behind the container's start.",
            ),
            Field("type", "types", TEXT, _TYPES),
            Field(
                "differs",
                "differences",
                list_of(TEXT),
                "What differs: type, mode, owner, group, size, mtime, link_target, ctime.",
            ),
            Field("executable", "executables", BOOLEAN, "It is a file that somebody may execute."),
            Field(
                "gained_setuid",
                "gained_setuids",
                BOOLEAN,
                "It has setuid or setgid, and did not in the image.",
            ),
            _list_of_paths("added", ADDED, "Its path, where it was added."),
            _list_of_paths("changed", CHANGED, "Its path, where it was changed."),
            _list_of_paths("removed", REMOVED, "Its path, where it was removed."),
            _list_of_paths("touched", TOUCHED, "Its path, where it was touched."),
        ),
        parameters=(
            Parameter(
                "paths",
                list_of(PATH),
                "What is compared: directories with all that is below them, or files.",
                required=True,
            ),
            Parameter(
                "ignore",
                list_of(PATH),
                "Real paths that are left out, with all that is below them.",
                default=[],
            ),
        ),
    ),
)
