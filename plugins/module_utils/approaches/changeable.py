# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a container can have changed a file that its image brought, since it started.

Two things rule that out. The root file system is read-only; or the container's processes have an ordinary user that can
get no further rights, and that is neither allowed to write the file nor any directory above it. What is not known counts
as possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..collector.facts import ABSENT, Fact
from ..targets.pod import containers_of

# With these a process can make a read-only file system writable.
_REMOUNTING = frozenset({"ALL", "SYS_ADMIN"})


@dataclass(frozen=True)
class Changer:
    """What the processes of a container can write. `user` and `groups`: of an ordinary user that can get no further
    rights; None where they are not known to have one."""

    is_read_only: bool
    user: int | None = None
    groups: frozenset[int] = frozenset()

    def can_change(self, path: str, in_image: Mapping[str, Fact], *, by_writing: bool) -> bool:
        """
        :param in_image: the facts `file` that the image gives of `ways_to(path)`, by path
        :param by_writing: whether it is enough to write the file. To set its mode or owner, to make or to remove it,
            one must own it or write the directory
        """
        if self.is_read_only:
            return False
        if self.user is None:
            return True
        *above, own = ways_to(path)
        return any(self._can_write(in_image.get(way)) for way in above) or (
            self._can_write(in_image.get(own)) if by_writing else self._owns(in_image.get(own))
        )

    def _owns(self, fact: Fact | None) -> bool:
        """Whether it is the owner, who can set mode and owner; also where that is not known."""
        if fact is not None and fact.status == ABSENT:
            return False
        return fact is None or not fact.ok or fact.value["uid"] == self.user

    def _can_write(self, fact: Fact | None) -> bool:
        if fact is not None and fact.status == ABSENT:
            return False  # to make it is to write the directory above
        if self._owns(fact) or fact is None or fact.value["link_target"] is not None:
            return True
        mode: int = fact.value["mode"]
        return bool(mode & 0o020) if fact.value["gid"] in self.groups else bool(mode & 0o002)


def changer_of(pod: Mapping[str, Any], container: str) -> Changer:
    """What a container of a v1 Pod can change. A user counts only as its node reports it."""
    view = next((view for view in containers_of(pod) if view.name == container), None)
    if view is None:
        return Changer(is_read_only=False)
    context: Mapping[str, Any] = view.spec.get("securityContext") or {}
    added = {
        str(name).upper().removeprefix("CAP_")
        for name in (context.get("capabilities") or {}).get("add") or []
    }
    if context.get("privileged"):
        return Changer(is_read_only=False)
    is_read_only = context.get("readOnlyRootFilesystem") is True and not added & _REMOUNTING
    reported = (view.status.get("user") or {}).get("linux") or {}
    uid, gid = reported.get("uid"), reported.get("gid")
    can_rise = added or context.get("allowPrivilegeEscalation") is not False
    if can_rise or not isinstance(uid, int) or uid <= 0 or not isinstance(gid, int):
        return Changer(is_read_only)
    return Changer(is_read_only, uid, frozenset({gid, *(reported.get("supplementalGroups") or [])}))


def ways_to(path: str) -> list[str]:
    """A path and all directories above it, from the root on."""
    parts = [part for part in path.split("/") if part]
    return ["/" + "/".join(parts[:count]) for count in range(len(parts) + 1)]
