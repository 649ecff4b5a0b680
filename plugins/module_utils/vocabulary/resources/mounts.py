# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounted file systems: mounts, mount."""

from __future__ import annotations

from typing import Any

from ...collector.facts import Query
from ..evidence import Absent, kept_whole
from ..resource import Field, Parameter, View, needs
from ..tables import constant, first_row, record, table
from ..value_types import PATH, TEXT, list_of

MOUNTS = Query("mounts")


def _find(view: View) -> Any:
    mounts = view.value(MOUNTS)
    if not isinstance(mounts, Absent):
        mounts = mounts[::-1]  # the last mount at a path is the one that is seen: it covers those before
    return first_row(
        mounts, lambda row: bool(row["mount_point"] == view.params["path"]), "nothing is mounted there"
    )


_MOUNT_POINT = Field("mount_point", "mount_points", TEXT, "Where it is mounted.")
_FIELDS = (
    Field("type", "types", TEXT, "Kind of the file system.", key="fstype"),
    Field("source", "sources", TEXT, "What is mounted: a device, or what the file system calls its source."),
    Field(
        "options",
        "options",
        list_of(TEXT),
        "Mount options, such as ro and nosuid.",
        get=lambda row: kept_whole(MOUNTS, row, "options"),
    ),
    Field("root", "roots", TEXT, "The folder within the source that is mounted; / is all of it."),
)

RESOURCES = (
    table(
        "mounts",
        "The file systems that are mounted in the container.",
        title=constant("Mounts"),
        place=constant("among the mounts"),
        rows=lambda view: view.value(MOUNTS),
        needs=needs(MOUNTS),
        fields=(_MOUNT_POINT, *_FIELDS),
        label=lambda row: str(row["mount_point"]),
    ),
    record(
        "mount",
        "The file system that is mounted at a path.",
        title="Mount",
        subject=Parameter("path", PATH, "The mount point.", required=True),
        place=lambda params: "at {}".format(params["path"]),
        find=_find,
        needs=needs(MOUNTS),
        fields=_FIELDS,
        predicate=("mounted", "be mounted"),
    ),
)
