# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two approaches' answers about one container: which of them can be compared, and which of those differ.

Only what no program is expected to change is compared: files that no volume and no runtime brings, by type, mode,
owner, size, time, content and whether they can be read; accounts, packages, the operating system. Not processes,
sockets, mounts, environment, kernel parameters, and what is below /proc, /sys, /dev, /run, /tmp or a place for logs and
caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..collector.facts import ABSENT, OK, UNREADABLE, Fact, Facts, Query
from ..collector.mounts import is_below
from .image_and_volumes import PLACES

# What changes by itself, and what the runtime or the kubelet mounts into every container.
_LIVELY = (
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/tmp",  # noqa: S108 - a place that is left out
    "/var/cache",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",  # noqa: S108 - a place that is left out
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
)
# Files by which a runtime tells programs that they are in a container.
_MARKS = frozenset({"/.dockerenv", "/run/.containerenv"})
# Kinds that one file's rights alone keep from being read, where the status is UNREADABLE. The others need programs, too.
_OF_ONE_FILE = frozenset({"file", "content", "sha256", "passwd", "shadow", "group"})
# of the cause where a program is missing, not a right
_NO_PROGRAM = "has no readlink"
# The files of a package database, by its manager. The first manager in this order that has one is asked.
_DATABASES: Mapping[str, tuple[str, ...]] = {
    "dpkg": ("/var/lib/dpkg", "/var/lib/dpkg/status", "/var/lib/dpkg/status.d"),
    "apk": ("/lib/apk/db", "/lib/apk/db/installed", "/usr/lib/apk/db/installed"),
    "rpm": tuple(
        f"{folder}{name}"
        for folder in ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
        for name in ("", "/rpmdb.sqlite", "/Packages.db", "/Packages")
    ),
}


def comparable(queries: Iterable[Query], mounts: Sequence[str]) -> tuple[Query, ...]:
    """Those of the queries that two approaches must answer alike.

    :param mounts: the paths of the container at which its pod mounts volumes
    """
    lively = (*_LIVELY, *mounts)
    return tuple(query for query in queries if query.kind in _FORMS and not _touches(query, lively))


@dataclass
class Comparison:
    """Queries by what came of them. That something is not there is an answer; what could not be read is none."""

    alike: list[Query] = field(default_factory=list)
    different: list[Query] = field(default_factory=list)
    # answered by the first alone
    unchecked: list[Query] = field(default_factory=list)
    # answered by the second alone, although the first has at least its rights: it says that the file's rights forbid it
    refused: list[Query] = field(default_factory=list)
    # the same, with any other cause
    unanswered: list[Query] = field(default_factory=list)

    @property
    def compared(self) -> int:
        return len(self.alike) + len(self.different)


def compare(
    queries: Sequence[Query], first: Facts, second: Facts, mounts: Sequence[str], *, first_sees_more: bool
) -> Comparison:
    """Compares two answers to each of the queries.

    :param first_sees_more: whether the first has at least the rights of the second; else it has no more than these
    """
    lively = (*_LIVELY, *mounts)
    found = Comparison()
    for query in queries:
        one, other = first.get_fact(query), second.get_fact(query)
        if _is_lively_link(query, one, other, lively):
            continue
        has_one, has_other = _is_answer(one), _is_answer(other)
        if not has_one or not has_other:
            if has_one:
                found.unchecked.append(query)
            elif has_other and first_sees_more:
                (found.refused if _is_refused(query, one) else found.unanswered).append(query)
        elif _form(query, one, lively) == _form(query, other, lively):
            found.alike.append(query)
        elif not _is_readable(query, one if first_sees_more else other):
            found.different.append(query)
        elif first_sees_more:
            # who has more rights can read more
            found.unchecked.append(query)
    return found


def is_said_unreadable(query: Query, fact: Fact) -> bool:
    """Whether a fact is that a file cannot be read."""
    return query.kind == "readable" and fact.ok and not fact.value["readable"]


def _is_readable(query: Query, fact: Fact) -> bool:
    return query.kind == "readable" and fact.ok and bool(fact.value["readable"])


def places_of(query: Query, one: Fact, other: Fact, mounts: Sequence[str]) -> tuple[str, ...]:
    """The files that an answer rests on; empty where these do not tell it.

    For a search these are the paths that only one of both has found, for Python's packages the folders of those that
    only one of both has.
    """
    lively = (*_LIVELY, *mounts)
    if query.kind in ("file", "content", "sha256", "readable"):
        return (query.subject,)
    if query.kind == "walk":
        return tuple(sorted(_paths(one, lively) ^ _paths(other, lively)))
    if query.kind == "python_packages":
        return tuple(sorted({row[-1] for row in _packages(one) ^ _packages(other)})) or (query.subject,)
    if query.kind == "packages":
        # where one of both has the earlier manager, its database must have been changed
        managers = {fact.value["manager"] for fact in (one, other) if fact.ok}
        return next((files for name, files in _DATABASES.items() if name in managers), ())
    return PLACES.get(query.kind, ())


def databases_of(query: Query) -> tuple[str, ...]:
    """Files by which a search decides, besides what it finds: a change of one of them can change all of its answer."""
    is_by_owner = query.kind == "walk" and dict(query.options).get("match") == "unowned"
    return (*PLACES["passwd"], *PLACES["group"]) if is_by_owner else ()


def needs_each_place(query: Query) -> bool:
    """Whether a difference needs a change at each of its places; else one of them is enough."""
    return query.kind in ("walk", "python_packages")


def could_be_written(query: Query, one: Fact, other: Fact) -> bool:
    """Whether a program that only writes to the files of an answer can make the difference between two."""
    if query.kind == "readable" or not one.ok or not other.ok:
        return False
    if query.kind == "walk":
        # a write takes setuid and setgid away
        return dict(query.options).get("match") in ("setuid", "setgid")
    return query.kind != "file" or _kept_by_writing(one) == _kept_by_writing(other)


def _kept_by_writing(fact: Fact) -> tuple[Any, ...]:
    value = fact.value
    return (*(value[name] for name in ("type", "uid", "gid", "link_target")), value["mode"] & 0o1777)


def _touches(query: Query, lively: Sequence[str]) -> bool:
    """Whether an answer comes from a lively place. One of a search does not: what it finds there is taken out."""
    if query.kind == "walk":
        return any(is_below(query.subject, place) for place in lively)
    places = PLACES.get(query.kind) or (query.subject,)
    return query.subject in _MARKS or any(is_below(path, place) for path in places for place in lively)


def _is_answer(fact: Fact) -> bool:
    return fact.status in (OK, ABSENT)


def _is_refused(query: Query, fact: Fact) -> bool:
    return fact.status == UNREADABLE and query.kind in _OF_ONE_FILE and _NO_PROGRAM not in fact.cause


def _is_lively_link(query: Query, one: Fact, other: Fact, lively: Sequence[str]) -> bool:
    """Whether both say that a file is the same link into a lively place, or one says so and the other has no file."""
    if query.kind != "file":
        return False
    targets = {fact.value["link_target"] for fact in (one, other) if fact.ok}
    if len(targets) != 1:
        return False
    (target,) = targets
    if target is None:
        return False
    folder = query.subject.rpartition("/")[0]
    reached = _normal(target if target.startswith("/") else f"{folder}/{target}")
    return any(is_below(reached, place) for place in lively)


def _form(query: Query, fact: Fact, lively: Sequence[str]) -> Any:
    """An answer in a form in which equal ones are equal."""
    return ABSENT if fact.status == ABSENT else _FORMS[query.kind](fact.value, query, lively)


def _of_file(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    names = ("type", "mode", "uid", "gid", "link_target")
    # the size and the time of a directory change with its entries
    more = ("size", "mtime") if value["type"] == "file" else ()
    return tuple(value[name] for name in (*names, *more))


def _of_readable(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    # what the kernel refused is said in words that depend on the shell
    return value["readable"]


def _of_walk(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    return frozenset(_stable(value, lively))


def _of_os(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    # the architecture needs a program that not every shell has
    return tuple(value[name] for name in ("name", "family", "release"))


def _of_rows(value: Sequence[Mapping[str, Any]], query: Query, lively: Sequence[str]) -> Any:
    return sorted(sorted((name, repr(item)) for name, item in row.items()) for row in value)


def _of_packages(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    return value["manager"], _of_rows(value["packages"], query, lively)


def _as_it_is(value: Any, query: Query, lively: Sequence[str]) -> Any:
    return value


# The kinds that are compared, and their forms.
_FORMS: Mapping[str, Callable[[Any, Query, Sequence[str]], Any]] = {
    "file": _of_file,
    "content": _as_it_is,
    "sha256": _as_it_is,
    "readable": _of_readable,
    "passwd": _of_rows,
    "shadow": _of_rows,
    "group": _of_rows,
    "os": _of_os,
    "packages": _of_packages,
    "python_packages": _of_rows,
    "walk": _of_walk,
}


def _paths(fact: Fact, lively: Sequence[str]) -> set[str]:
    return _stable(fact.value, lively) if fact.ok else set()


def _stable(value: Mapping[str, Any], lively: Sequence[str]) -> set[str]:
    """The paths that a search has found, without those in lively places."""
    paths = {entry["path"] for entry in value["entries"]}
    return {path for path in paths if not any(is_below(path, place) for place in lively)}


def _packages(fact: Fact) -> set[tuple[str, str, str]]:
    """(name, version, folder) of each of Python's packages."""
    return {(row["name"], row["version"] or "", row["path"]) for row in fact.value} if fact.ok else set()


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
