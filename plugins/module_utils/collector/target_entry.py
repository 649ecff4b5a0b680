# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the collector could not see its target from beside it or at its image, as an error that says what to do.

The kernel compares the scanner with the target's process (ptrace(2), "Ptrace access mode checking"): real, effective and
saved UID and GID must all be the scanner's, every permitted capability must be the scanner's too, and the process must be
dumpable. It is not where it changed its identity after its start, or where its program's file may not be read.
"""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from ..errors import ScanError
from .facts import ABSENT, OK, TOO_LARGE, UNREADABLE
from .frames import Frame, decode_text
from .view import TargetView

_IDENTITY = rb"Uid:\t([0-9\t]{7,60})\nGid:\t([0-9\t]{7,60})\nCapPrm:\t([0-9a-f]{1,16})\n"
_REFUSAL = re.compile(rb"([0-9]{1,10})\n" + _IDENTITY + _IDENTITY)


def check_entered(frame: Optional[Frame], view: TargetView) -> None:
    """Raises ScanError target_missing, target_unreadable or memory_short where the collector's own frame says that it saw no
    target, or did not look."""
    if frame is None or frame.status == OK:
        return
    said = decode_text(frame.payload[:400])
    if view.mount_point:
        raise ScanError("target_missing", "there is no image at %s: %s" % (view.mount_point, said),
                        cause="The image was not mounted, or its root may not be entered by the scanner's user.",
                        advice="Look at the events of the pod that mounts it.")
    if frame.status == ABSENT:
        raise ScanError("target_missing", "%s (%s)" % (said, view.container_id[:12]),
                        cause="The container has ended since it was chosen, or the scanner does not share its processes.")
    if frame.status == TOO_LARGE and view.memory_limit and re.fullmatch(rb"[0-9]{1,9}", frame.payload):
        used, asked = int(frame.payload) * 1000, view.headroom
        raise ScanError("memory_short", "the target takes %s of the %s that its pod may take; %s are to be left for the scan"
                        % tuple(map(_mebibytes, (used, view.memory_limit, asked))))
    refusal = _REFUSAL.fullmatch(frame.payload)
    if frame.status != UNREADABLE or refusal is None:
        raise ScanError("target_unreadable", said, cause="The collector cannot look at this container in this way.",
                        advice="Scan the target by exec or by its image.")
    message = "permission denied for the root of process %s of the target" % decode_text(refusal.group(1))
    cause, advice = _explain(refusal)
    raise ScanError("target_unreadable", message, cause=cause, advice=advice)


def _explain(refusal: re.Match[bytes]) -> Tuple[str, str]:
    """Cause and advice; empty advice means the catalogue's."""
    uids, gids, capabilities, own_uids, own_gids, own_capabilities = refusal.groups()[1:]
    for name, theirs, ours in (("UID", _numbers(uids), _numbers(own_uids)), ("GID", _numbers(gids), _numbers(own_gids))):
        # the scanner's file system identity (the fourth) counts, and the target's first three
        if set(theirs[:3]) != {ours[-1]}:
            return ("The target's process has the %s %s, the scanner has %d: the kernel asks for the same." % (
                name, ", ".join(map(str, sorted(set(theirs[:3])))), ours[-1]), "")
    more = int(capabilities, 16) & ~int(own_capabilities, 16)
    if more:
        return ("The target's process has capabilities that the scanner lacks (%#x)." % more,
                "Drop them from the target (most programs need none), or scan it by exec or by its image.")
    return ("UID, GID and capabilities are the same, so the target's process is not dumpable (it changed its identity "
            "after its start, or its program's file may not be read), or a security module keeps it apart.",
            "Scan the target by exec or by its image.")


def _mebibytes(size: int) -> str:
    return "%.1f MiB" % (size / 2**20)


def _numbers(identities: bytes) -> List[int]:
    return [int(number) for number in identities.split()] or [-1]
