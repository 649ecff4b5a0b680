# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where the collector looks at its target: from inside, from beside it, or at its image alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CONTAINER_ID = re.compile(r"[0-9a-f]{12,64}")
_MOUNT_POINT = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+")


@dataclass(frozen=True)
class TargetView:
    """Where a target's files and processes are, for the shell that collects.

    `container_id` (hex, without the runtime's scheme): the shell runs beside the target, in a process namespace that it
    shares with it; this tells the target's processes from those of other containers. `mount_point`: the target's image is
    mounted there, and nothing of it runs. Neither: the shell runs in the target. ValueError for anything else.

    `memory_limit`: bytes that the target's pod may take, with what runs beside it; of these at least `headroom` must be left, or
    nothing is looked at. 0 where nothing limits it, or that is not to be asked.
    """

    container_id: str = ""
    mount_point: str = ""
    memory_limit: int = 0
    headroom: int = 0

    def __post_init__(self) -> None:
        if self.container_id and self.mount_point:
            raise ValueError("a target is seen by its processes or by its image, not by both")
        if self.container_id and not _CONTAINER_ID.fullmatch(self.container_id):
            raise ValueError("%r is not a container id" % self.container_id)
        if self.mount_point and not _MOUNT_POINT.fullmatch(self.mount_point):
            raise ValueError("%r is not a mount point" % self.mount_point)
        if self.memory_limit and not self.container_id:
            raise ValueError("only beside a target can its memory run short")


INSIDE = TargetView()
