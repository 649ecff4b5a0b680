# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running processes: processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...collector.facts import Query
from ..evidence import kept_whole
from ..resource import Field, needs
from ..tables import constant, table
from ..value_types import INTEGER, TEXT

PROCESSES = Query("processes")


def _label(row: Mapping[str, Any]) -> str:
    return "{} {}".format(row["pid"], row["name"])


RESOURCES = (
    table(
        "processes",
        "The processes that run in the container (in the whole pod where its process namespace is "
        "shared), without those of the scan.",
        title=constant("Processes"),
        place=constant("among the processes"),
        rows=lambda view: view.value(PROCESSES),
        needs=needs(PROCESSES),
        label=_label,
        fields=(
            Field(
                "pid",
                "pids",
                INTEGER,
                "Process id as seen in the container; 1 is the container's own program.",
            ),
            Field("ppid", "ppids", INTEGER, "Id of the parent process."),
            Field("uid", "uids", INTEGER, "Effective user id."),
            Field("gid", "gids", INTEGER, "Effective group id."),
            Field("state", "states", TEXT, "State letter, such as S or Z."),
            Field(
                "name", "names", TEXT, "Name of the program as the kernel keeps it (15 characters at most)."
            ),
            Field(
                "command",
                "commands",
                TEXT,
                "The whole command line; may hold secrets, so it is not shown.",
                get=lambda row: " ".join(kept_whole(PROCESSES, row, "cmdline")),
                hidden=True,
            ),
        ),
    ),
)
