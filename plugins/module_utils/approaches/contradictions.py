# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two approaches' answers about one container: which of them can be compared, and which of those differ.

Only what no program is expected to change is compared: files that no volume and no runtime brings, by type, mode,
owner, size, time and content; accounts, packages, the operating system. Not processes, sockets, mounts, environment,
kernel parameters, and what is below /proc, /sys, /dev, /run, /tmp or a place for logs and caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..collector.facts import ABSENT, OK, Fact, Facts, Query
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

    @property
    def compared(self) -> int:
        return len(self.alike) + len(self.different)


def compare(queries: Sequence[Query], first: Facts, second: Facts, mounts: Sequence[str]) -> Comparison:
    """Compares two answers to each of the queries."""
    lively = (*_LIVELY, *mounts)
    found = Comparison()
    for query in queries:
        one, other = (_form(query, facts.get_fact(query), lively) for facts in (first, second))
        if one is not None and other is None:
            found.unchecked.append(query)
        elif one is not None:
            (found.alike if one == other else found.different).append(query)
    return found


def places_of(query: Query, one: Fact, other: Fact) -> tuple[str, ...]:
    """The files that an answer rests on, where these tell it alone; empty where it rests on more.

    For a search these are the paths that only one of both has found.
    """
    if query.kind in ("file", "content", "sha256"):
        return (query.subject,)
    if query.kind == "walk":
        return tuple(sorted(_paths(one) ^ _paths(other)))
    return PLACES[query.kind] if query.kind in ("passwd", "shadow", "group", "os") else ()


def could_be_written(query: Query, one: Fact, other: Fact) -> bool:
    """Whether a program that only writes to the files of an answer can make the difference between two."""
    if ABSENT in (one.status, other.status):
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


def _form(query: Query, fact: Fact, lively: Sequence[str]) -> Any:
    """A fact in a form in which equal ones are equal; None where it is no answer, or one about a lively place."""
    if fact.status == ABSENT:
        return ABSENT
    return _FORMS[query.kind](fact.value, query, lively) if fact.status == OK else None


def _of_file(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    target = value["link_target"]
    if target is not None:
        folder = query.subject.rpartition("/")[0]
        reached = _normal(target if target.startswith("/") else f"{folder}/{target}")
        if any(is_below(reached, place) for place in lively):
            return None
    names = ("type", "mode", "uid", "gid", "link_target")
    # the size and the time of a directory change with its entries
    more = ("size", "mtime") if value["type"] == "file" else ()
    return tuple(value[name] for name in (*names, *more))


def _of_walk(value: Mapping[str, Any], query: Query, lively: Sequence[str]) -> Any:
    paths = {entry["path"] for entry in value["entries"]}
    return frozenset(path for path in paths if not any(is_below(path, place) for place in lively))


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
    "passwd": _of_rows,
    "shadow": _of_rows,
    "group": _of_rows,
    "os": _of_os,
    "packages": _of_packages,
    "python_packages": _of_rows,
    "walk": _of_walk,
}


def _paths(fact: Fact) -> set[str]:
    return {entry["path"] for entry in fact.value["entries"]} if fact.status == OK else set()


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
