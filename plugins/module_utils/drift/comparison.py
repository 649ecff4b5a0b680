# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares two listings of the same paths, of the running container and of its image: what was added,
changed, removed.

Type, mode, owner and group are compared for everything; size and mtime for files; mtime and target for links.
The times and the size of a directory are not compared: they only change with its entries, which are compared
themselves. Files are not read. If somebody changes a file and then restores its size and mtime, it is
`touched`: its ctime cannot be restored, and is later than the container's start.

Mount points, what is below them, and the directories that the runtime makes for them are no drift.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..collector.listings import Listed

ADDED, CHANGED, REMOVED, TOUCHED = CHANGES = ("added", "changed", "removed", "touched")
_UNKNOWN = -1
# A link of which only the target is known.
_LINK = Listed("", "symlink", _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN, None)
# A listing's value.
Value = Mapping[str, Any]
# Links that container runtimes make -> their target.
_OF_RUNTIME = {"/etc/mtab": "/proc/mounts"}
# Files by which runtimes tell programs that they are in a container.
_MARKS = frozenset({"/.dockerenv", "/run/.containerenv"})


@dataclass(frozen=True)
class Difference:
    """One path that differs.

    :ivar image: its entry in the image, None if it is not there; `live` likewise in the container
    :ivar differs: which of type, mode, owner, group, size, mtime and link_target differ; ctime alone if it
        was touched
    """

    path: str
    change: str
    image: Listed | None = None
    live: Listed | None = None
    differs: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """As plain JSON."""
        shown = self.live or self.image
        return {
            "path": self.path,
            "change": self.change,
            "type": shown.type if shown else "",
            "differs": list(self.differs),
            "image": _side(self.image),
            "live": _side(self.live),
            "executable": _runs(self.live or self.image),
            "gained_setuid": bool(_privilege(self.live) & ~_privilege(self.image)),
        }


@dataclass(frozen=True)
class Surroundings:
    """Why a running container differs from its image even if nobody changed anything.

    :param mounts: mount points, except the root
    :param started: when the container started, in seconds since 1970
    :param made: directories that the runtime makes, such as the working directory
    """

    mounts: tuple[str, ...]
    started: int
    made: tuple[str, ...] = ()


@dataclass
class Drift:
    """The result of a comparison.

    :ivar differences: in the order of their paths
    :ivar compared: number of paths that are on either side
    :ivar unread: directories that could not be listed on one side; what is below them is not compared
    """

    differences: list[Difference] = field(default_factory=list)
    compared: int = 0
    unread: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            change: sum(difference.change == change for difference in self.differences) for change in CHANGES
        }


def compare(
    sides: Mapping[str, tuple[Value | None, Value | None]], around: Surroundings, ignore: Sequence[str] = ()
) -> Drift:
    """The drift of the listed paths.

    :param sides: listed path -> the values of its listings in the image and in the container; None: it is not
        there
    :param ignore: paths that are left out, with all that is below them
    """
    image, live = (_entries((path, pair[side]) for path, pair in sides.items()) for side in (0, 1))
    drift = Drift()
    left_out = _Below([*around.mounts, *ignore])
    unread = {path for pair in sides.values() for value in pair if value for path in value["unread"]}
    drift.unread = sorted(path for path in unread if not left_out.has(path))
    closed = _Below(drift.unread)
    above = {parent for path in (*around.mounts, *around.made) for parent in _parents(path)} | set(
        around.made
    )
    for path in sorted(image.keys() | live.keys()):
        if left_out.has(path) or closed.has_within(path):
            continue
        before, now = image.get(path), live.get(path)
        if before is None and now is not None and _is_of_runtime(now, above):
            continue
        drift.compared += 1
        difference = _difference(path, before, now, around.started)
        if difference:
            drift.differences.append(difference)
    return drift


def mount_over(place: str, mounts: Iterable[str]) -> str:
    """The mount point that a path is on; empty if it is on the container's root."""
    return next((mount for mount in mounts if _Below([mount]).has(place)), "")


class _Below:
    """Tells whether a path is one of some places, or below one."""

    def __init__(self, places: Iterable[str]) -> None:
        self._places = {place.rstrip("/") for place in places}
        self._folders: dict[str, bool] = {}  # folder -> answer: many files share a directory

    def has(self, path: str) -> bool:
        return path.rstrip("/") in self._places or self.has_within(path)

    def has_within(self, path: str) -> bool:
        if not self._places or path == "/":
            return False
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = folder in self._places or any(
                parent.rstrip("/") in self._places for parent in _parents(folder)
            )
        return self._folders[folder]


def _parents(path: str) -> list[str]:
    """The directories above a path, without the path itself."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:count]) for count in range(len(parts))] if path.strip("/") else []


def _entries(values: Iterable[tuple[str, Value | None]]) -> dict[str, Listed]:
    entries: dict[str, Listed] = {}
    links: dict[str, Listed] = {}
    for asked, value in values:
        if value is None:
            continue
        if value["link_target"] is not None:
            links[asked] = _LINK._replace(path=asked, link_target=value["link_target"])
        entries.update((row[0], Listed(*row)) for row in value["entries"])
    return {**links, **entries}


def _is_of_runtime(now: Listed, above: Iterable[str]) -> bool:
    if now.type == "directory":
        return now.path in above
    return now.path in _MARKS or (
        now.link_target is not None and _OF_RUNTIME.get(now.path) == now.link_target
    )


def _difference(path: str, before: Listed | None, now: Listed | None, started: int) -> Difference | None:
    if before is None or now is None:
        return Difference(path, ADDED if before is None else REMOVED, before, now)
    differs = _differing(before, now)
    if differs:
        return Difference(path, CHANGED, before, now, differs)
    if now.type != "directory" and now.ctime > started:
        return Difference(path, TOUCHED, before, now, ("ctime",))
    return None


def _differing(before: Listed, now: Listed) -> tuple[str, ...]:
    if before.type != now.type:
        return ("type",)
    pairs = [("mode", before.mode, now.mode), ("owner", before.uid, now.uid), ("group", before.gid, now.gid)]
    if now.type == "file":
        pairs.append(("size", before.size, now.size))
    if now.type in ("file", "symlink"):
        pairs.append(("mtime", before.mtime, now.mtime))
    differs = [name for name, was, is_now in pairs if was != is_now and _UNKNOWN not in (was, is_now)]
    return (*differs, *(["link_target"] if before.link_target != now.link_target else []))


def _side(listed: Listed | None) -> dict[str, Any] | None:
    return (
        None
        if listed is None
        else {name: value for name, value in listed._asdict().items() if name != "path"}
    )


def _runs(listed: Listed | None) -> bool:
    """Whether it is a file that somebody is allowed to execute."""
    return listed is not None and listed.type == "file" and listed.mode & 0o111 != 0


def _privilege(listed: Listed | None) -> int:
    return listed.mode & (stat.S_ISUID | stat.S_ISGID) if listed is not None and listed.type == "file" else 0
