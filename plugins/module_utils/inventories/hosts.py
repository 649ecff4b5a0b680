# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of an inventory: its sources read, each cluster named, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..options.values import read_values, shown
from ..safe_text import server_text
from ..suggestions import unknown_name
from ..targets.patterns import matches
from .found_cluster import FoundCluster
from .name_format import check_format, filled, host_name
from .registry import SOURCES
from .source import SourceKind, Surroundings, spec_of_all

_CLUSTERS = 20_000
# Characters of labels, claims and conditions of all clusters: each of the most clusters has room for 6,000.
_TEXTS = 120_000_000
# 127.0.0.1 would be what a play means by localhost
_ANSIBLES_OWN = ("all", "ungrouped", "localhost", "127.0.0.1")
# A hub decides how long the names are that an error repeats.
_MESSAGE = 2000


@dataclass(frozen=True)
class Source:
    """An entry of the option `sources`, checked. `place`: of it, for messages."""

    kind: SourceKind
    options: Mapping[str, Any]
    place: str


@dataclass(frozen=True)
class Hosts:
    """
    :ivar variables: of each host, by its name, in the order of names
    :ivar is_complete: whether every source could be read
    """

    variables: Mapping[str, Mapping[str, Any]]
    is_complete: bool


def read_sources(value: object) -> Sequence[Source]:
    """The option `sources`, before any of them is touched.

    :raises ScanError: bad_option
    """
    if not isinstance(value, (list, tuple)) or not value:
        raise ScanError("bad_option", "sources must be a list of sources, with one at least")
    return [_read_source(entry, f"sources[{number}]") for number, entry in enumerate(value)]


def _read_source(entry: object, place: str) -> Source:
    kinds = {kind.name: kind for kind in SOURCES}
    word = str(entry.get("type") or "") if isinstance(entry, Mapping) else ""
    if not word:
        raise ScanError(
            "bad_option", f"{place} must be a dictionary with a type; it is one of {', '.join(kinds)}"
        )
    if word not in kinds:
        raise ScanError("bad_option", f"{place}: {unknown_name('type', word[:100], kinds)}")
    kind = kinds[word]
    spec = spec_of_all(kind)
    read = read_values({place: {"type": "dict", "options": spec}}, {place: entry})
    if read.problems:
        raise ScanError("bad_option", "; ".join(problem.text for problem in read.problems))
    options = {name: read.values[place].get(name, rule.get("default")) for name, rule in spec.items()}
    _fill_defaults(options, spec)
    check_format(options["name_format"], kind.names, f"{place}.name_format")
    return Source(kind, options, f"{place} ({kind.name})")


def _fill_defaults(options: Mapping[str, Any], spec: Mapping[str, Mapping[str, Any]]) -> None:
    """The defaults of what stands within an option."""
    for name, rule in spec.items():
        value = options[name]
        inner = rule.get("options") or {}
        for each in value if isinstance(value, list) else [value]:
            if inner and isinstance(each, dict):
                for key, of_key in inner.items():
                    if of_key.get("default") is not None:
                        each.setdefault(key, of_key["default"])


def find_hosts(
    sources: Sequence[Source], include: Sequence[str], exclude: Sequence[str], around: Surroundings
) -> Hosts:
    """
    :param include: names and shell patterns of hosts; none for all
    :param exclude: of hosts that are left out
    :raises ScanError: of a source that cannot be read; same_name; bad_option
    """
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    is_complete, texts = True, 0
    for source in sources:
        own: dict[str, tuple[str, dict[str, Any]]] = {}
        try:
            for name, cluster in _named(source, around):
                if (include and not matches(name, include)) or matches(name, exclude):
                    continue
                where = f"{cluster.origin} ({source.place})"
                other = found.get(name) or own.get(name)
                if other is not None:
                    raise ScanError(
                        "same_name",
                        f"the host {name} would be both {other[0]} and {where}",
                        tried=source.place,
                    )
                texts += cluster.size
                if texts > _TEXTS:
                    raise ScanError(
                        "bad_reply",
                        f"labels, claims and conditions of all clusters have more than {_TEXTS} characters",
                    )
                own[name] = where, _variables(source, cluster)
                if len(found) + len(own) > _CLUSTERS:
                    raise ScanError("bad_option", f"the sources have more than {_CLUSTERS} clusters")
        except ScanError as error:
            if error.reason == "same_name" or source.options["required"]:
                raise _at(source, error) from None
            is_complete = False
            around.warnings.append(f"no cluster of it is in the inventory: {_at(source, error)}")
        else:
            found.update(own)
            if not own:
                around.warnings.append(f"{source.place} has no cluster that is chosen")
    return Hosts({name: found[name][1] for name in sorted(found)}, is_complete)


def _named(source: Source, around: Surroundings) -> Iterator[tuple[str, FoundCluster]]:
    for cluster in source.kind.find(source.options, around):
        said = filled(source.options["name_format"], cluster.names)
        name = host_name(said)
        if not name:
            raise ScanError(
                "bad_option",
                f"{cluster.origin}: {shown(said)} has no letter or digit, so no host can be called so",
            )
        if name in _ANSIBLES_OWN:
            raise ScanError(
                "bad_option",
                f"{cluster.origin} would be the host {name}, a name that Ansible keeps for itself",
                advice="Give the source a name_format, such as cluster-{name}.",
            )
        yield name, cluster


def _variables(source: Source, cluster: FoundCluster) -> dict[str, Any]:
    variables = cluster.variables(source.kind.name)
    given = {str(key): str(value) for key, value in source.options["labels"].items()}
    variables["cluster_labels"] = {**variables["cluster_labels"], **given}
    return variables


def _at(source: Source, error: ScanError) -> ScanError:
    """The error, which says in which source it came. A hub's objects have names that others chose."""
    tried = f"{source.place}: {error.tried}" if error.tried not in ("", source.place) else source.place
    message = server_text(error.message, limit=_MESSAGE)
    return ScanError(error.reason, message, tried=tried, cause=error.cause, advice=error.advice)
