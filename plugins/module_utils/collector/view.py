# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where the collector looks at a target, and whether it got there.

The kernel compares the scanner with the target's process (ptrace(2), "Ptrace access mode checking"): real,
effective and saved UID and GID must all be the scanner's, every permitted capability must be the scanner's
too, and the process must be dumpable. A process is not dumpable where it changed its identity after its
start, or where its user is not allowed to read the program's file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ScanError
from .facts import ABSENT, OK, TOO_LARGE, UNREADABLE
from .frames import Frame, decode_text

_CONTAINER_ID = re.compile(r"[0-9a-f]{12,64}")
_MOUNT_POINT = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+")


@dataclass(frozen=True)
class TargetView:
    """Where a target's files and processes are, for the shell that collects.

    `container_id` (hex, without the runtime's scheme): the shell runs beside the target, in a process
    namespace that it shares with it; this tells the target's processes from those of other containers.
    `mount_point`: the target's image is mounted there, and nothing of it runs. Neither: the shell runs in the
    target. ValueError for anything else.

    `mount_paths`: where the pod mounts something into the target; None where that is not known, and mounts are not
    compared with it.

    `memory_limit`: bytes that the target's pod is allowed to take, with what runs beside it; of these at
    least `headroom` must be left, or nothing is looked at. 0 where nothing limits it, or that is not to be
    asked.
    """

    container_id: str = ""
    mount_point: str = ""
    mount_paths: tuple[str, ...] | None = None
    memory_limit: int = 0
    headroom: int = 0

    def __post_init__(self) -> None:
        if self.container_id and self.mount_point:
            raise ValueError("a target is seen by its processes or by its image, not by both")
        if self.container_id and not _CONTAINER_ID.fullmatch(self.container_id):
            raise ValueError(f"{self.container_id!r} is not a container id")
        if self.mount_point and not _MOUNT_POINT.fullmatch(self.mount_point):
            raise ValueError(f"{self.mount_point!r} is not a mount point")
        if self.memory_limit and not self.container_id:
            raise ValueError("only beside a target can its memory run short")

    @property
    def is_inside(self) -> bool:
        return not (self.container_id or self.mount_point)


INSIDE = TargetView()


_IDENTITY = rb"Uid:\t([0-9\t]{7,60})\nGid:\t([0-9\t]{7,60})\nCapPrm:\t([0-9a-f]{1,16})\n"
_REFUSAL = re.compile(rb"([0-9]{1,10})\n" + _IDENTITY + _IDENTITY)


def check_entered(frame: Frame | None, view: TargetView) -> None:
    """Check the collector's own frame.

    :raises ScanError: `target_missing`, `target_unreadable` or `memory_short` where the frame says that the collector
        saw no target, or did not look
    """
    if frame is None or frame.status == OK:
        return
    said = decode_text(frame.payload[:400])
    if view.mount_point:
        raise ScanError(
            "target_missing",
            f"there is no image at {view.mount_point}: {said}",
            cause="The image was not mounted, or the scanner's user is not allowed to enter its root.",
            advice="Look at the events of the pod that mounts it.",
        )
    if frame.status == ABSENT:
        raise ScanError(
            "target_missing",
            f"{said} ({view.container_id[:12]})",
            cause="The container has ended since it was chosen, or the scanner does not share its processes.",
        )
    if frame.status == TOO_LARGE and view.memory_limit and re.fullmatch(rb"[0-9]{1,9}", frame.payload):
        used, asked = int(frame.payload) * 1000, view.headroom
        raise ScanError(
            "memory_short",
            "the target takes {} of the {} that its pod may take; {} are to be left for the scan".format(
                *tuple(map(_mebibytes, (used, view.memory_limit, asked)))
            ),
        )
    refusal = _REFUSAL.fullmatch(frame.payload)
    if frame.status != UNREADABLE or refusal is None:
        raise ScanError(
            "target_unreadable",
            said,
            cause="The collector cannot look at this container in this way.",
            advice="Scan the target by exec or by its image.",
        )
    message = f"permission denied for the root of process {decode_text(refusal.group(1))} of the target"
    cause, advice = _explain(refusal)
    raise ScanError("target_unreadable", message, cause=cause, advice=advice)


def _explain(refusal: re.Match[bytes]) -> tuple[str, str]:
    """Cause and advice; empty advice means the catalogue's."""
    uids, gids, capabilities, own_uids, own_gids, own_capabilities = refusal.groups()[1:]
    for name, theirs, ours in (
        ("UID", _numbers(uids), _numbers(own_uids)),
        ("GID", _numbers(gids), _numbers(own_gids)),
    ):
        # the scanner's file system identity (the fourth) counts, and the target's first three
        if set(theirs[:3]) != {ours[-1]}:
            return (
                "The target's process has the {} {}, the scanner has {}: the kernel asks for the same.".format(
                    name, ", ".join(map(str, sorted(set(theirs[:3])))), ours[-1]
                ),
                "",
            )
    more = int(capabilities, 16) & ~int(own_capabilities, 16)
    if more:
        return (
            f"The target's process has capabilities that the scanner lacks ({more:#x}).",
            "Drop them from the target (most programs need none), or scan it by exec or by its image.",
        )
    return (
        "UID, GID and capabilities are the same, so the target's process is not dumpable (it changed its "
        "identity after its start, or its program's file is not readable), or a security module keeps it apart.",
        "Scan the target by exec or by its image.",
    )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def _numbers(identities: bytes) -> list[int]:
    return [int(number) for number in identities.split()] or [-1]
