# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift from facts: which queries it needs, the comparison, and why a path cannot be compared.

The image's listings stand among a target's facts under their own kind, so that kept facts hold both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..collector.facts import ABSENT, OK, Facts, Query
from ..collector.listings import IMAGE_LISTING
from ..targets.pod import containers_of
from ..times import parse_api_time
from .comparison import Drift, Surroundings, Value, compare, mount_over

MOUNTS = Query("mounts")
_LISTING = "listing"


class NotComparableError(Exception):
    """Some paths cannot be compared; `what` is the missing fact, `cause` why it is missing."""

    def __init__(self, what: str, cause: str) -> None:
        super().__init__(f"{what}: {cause}")
        self.what, self.cause = what, cause


def drift_queries(paths: Iterable[str]) -> tuple[Query, ...]:
    """The queries for the drift of these paths: both listings, and the mounts."""
    both = [Query(kind, path) for path in paths for kind in (_LISTING, IMAGE_LISTING)]
    return (MOUNTS, *both)


def image_queries(queries: Iterable[Query]) -> list[Query]:
    """Those of the queries that are for the image."""
    return [query for query in queries if query.kind == IMAGE_LISTING]


def to_image_query(query: Query) -> Query:
    """The query that is sent to the image for one of `image_queries`."""
    return Query(_LISTING, query.subject, query.options)


def listed_paths(facts: Facts) -> list[str]:
    """The paths whose drift the facts were collected for."""
    return sorted(key.partition(":")[2] for key in facts if key.startswith(IMAGE_LISTING + ":"))


def drift_of(
    facts: Facts, paths: Sequence[str], pod: Mapping[str, Any], container: str, ignore: Sequence[str] = ()
) -> Drift:
    """The drift of these paths in a container.

    :raises NotComparableError: a listing is missing, or a path is not part of the image
    """
    return compare(*_read(facts, paths, pod, container), ignore)


def why_not_comparable(facts: Facts, path: str, pod: Mapping[str, Any], container: str) -> str:
    """What `drift_of` would raise for this path alone, in words; empty if it can be compared."""
    try:
        _read(facts, [path], pod, container)
    except NotComparableError as missing:
        return str(missing)
    return ""


def _read(
    facts: Facts, paths: Sequence[str], pod: Mapping[str, Any], container: str
) -> tuple[dict[str, tuple[Value | None, Value | None]], Surroundings]:
    # the image first: without it there is no comparison at all
    for path in paths:
        _known_side(facts, Query(IMAGE_LISTING, path))
    around = _surroundings(facts, pod, container)
    return {path: _sides(facts, path, around) for path in paths}, around


def _sides(facts: Facts, path: str, around: Surroundings) -> tuple[Value | None, Value | None]:
    sides = tuple(_known_side(facts, Query(kind, path)) for kind in (IMAGE_LISTING, _LISTING))
    for value in sides:
        mount = mount_over((value["place"] if value else "") or path, around.mounts)
        if mount:
            raise NotComparableError(
                f"the drift of {path}", f"it is not part of the image: something is mounted at {mount}"
            )
    return sides[0], sides[1]


def _known_side(facts: Facts, query: Query) -> Value | None:
    """The value of a listing; None if the path does not exist."""
    fact = facts.get_fact(query)
    if fact.status not in (OK, ABSENT):
        raise NotComparableError(query.key, fact.cause or fact.status)
    return fact.value if fact.status == OK else None


def _surroundings(facts: Facts, pod: Mapping[str, Any], container: str) -> Surroundings:
    mounts = facts.get_fact(MOUNTS)
    if mounts.status != OK:
        raise NotComparableError(MOUNTS.key, mounts.cause or mounts.status)
    view = next((view for view in containers_of(pod) if view.name == container), None)
    started = ((view.status.get("state") or {}).get("running") or {}).get("startedAt") if view else None
    try:
        began = int(parse_api_time(started).timestamp())
    except ValueError:
        raise NotComparableError("the container's start", "the pod's status does not contain it") from None
    directory = str((view.spec.get("workingDir") if view else None) or "")
    return Surroundings(
        tuple(mount["mount_point"] for mount in mounts.value if mount["mount_point"] != "/"),
        began,
        (directory.rstrip("/"),) if directory.rstrip("/") else (),
    )
