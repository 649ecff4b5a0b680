# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image tells of a container whose pod mounts volumes over parts of it: nothing of what lies below
them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.facts import UNSUPPORTED, Fact, Facts
from ..collector.mounts import is_below
from ..collector.request import CollectionRequest
from ..results.evidence import Doubt
from ..safe_text import one_line
from ..targets.pod import containers_of

# Kinds without a subject, and where what they tell comes from.
PLACES: Mapping[str, tuple[str, ...]] = {
    "passwd": ("/etc/passwd",),
    "shadow": ("/etc/shadow",),
    "group": ("/etc/group",),
    "os": ("/etc/os-release", "/usr/lib/os-release"),
    "packages": ("/var/lib/dpkg", "/lib/apk/db", "/usr/lib/sysimage/rpm", "/var/lib/rpm"),
}
_NAMED_MOUNTS = 5
_OF_PATHS = frozenset({"file", "content", "sha256", "readable", "python_packages", "walk"})


def volume_mounts(pod: Mapping[str, Any], container: str) -> list[str]:
    """The paths of the container at which its pod mounts volumes."""
    for view in containers_of(pod):
        if view.name == container:
            return [
                _clean(str(mount.get("mountPath") or "")) for mount in view.spec.get("volumeMounts") or []
            ]
    return []


def volume_doubts(mounts: list[str]) -> tuple[Doubt, ...]:
    """What volumes at these paths take from the evidence of an image."""
    if not mounts:
        return ()
    more = len(mounts) - _NAMED_MOUNTS
    named = one_line(", ".join(mounts[:_NAMED_MOUNTS])) + (f" and {more} more" if more > 0 else "")
    return (Doubt(f"The image does not show the volumes that the pod mounts: {named}."),)


def without_volumes(facts: Facts, request: CollectionRequest, mounts: list[str]) -> Facts:
    """The facts of an image as they hold for a container with volumes mounted at these paths."""
    if not mounts:
        return facts
    changed: dict[str, Fact] = dict(facts.by_key)
    for query in request.queries:
        places = (query.subject,) if query.kind in _OF_PATHS else PLACES.get(query.kind, ())
        hidden = _first_hidden(places, mounts)
        if hidden:
            changed[query.key] = Fact(
                UNSUPPORTED, cause=f"the pod mounts a volume at {hidden}, which is not in the image"
            )
        elif query.kind == "walk":
            changed[query.key] = _walk_without(facts.get_fact(query), mounts)
    return Facts(changed, facts.collector)


def _first_hidden(places: tuple[str, ...], mounts: list[str]) -> str | None:
    return next((mount for mount in mounts for place in places if is_below(_clean(place), mount)), None)


def _walk_without(fact: Fact, mounts: list[str]) -> Fact:
    """A search stays on one file system: in the container it does not see what volumes hide."""
    if not isinstance(fact.value, dict):
        return fact
    entries = [
        entry
        for entry in fact.value["entries"]
        if not any(is_below(entry["path"], mount) for mount in mounts)
    ]
    return Fact(fact.status, dict(fact.value, entries=entries), fact.cause)


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part and part != ".")
