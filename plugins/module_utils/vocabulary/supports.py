# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a profile supports a target: InSpec's `supports`, over the operating system inside the container.

The rules are those of InSpec's resource `platform` (lib/inspec/resources/platform.rb): a family is one of the whole line
of families (debian, linux, unix, os), a platform is a name or a family, and `*` stands for any characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.facts import Query
from .evidence import Absent, Evidence

OS_QUERY = Query("os")
# Each as results have it; os-family and os-name are what older profiles of InSpec say.
_KEYS = ("platform", "platform-name", "platform-family", "release", "os-family", "os-name")
# As profiles write them -> as results have them.
SUPPORT_KEYS = {
    **{key: key for key in _KEYS},
    "os": "platform",
    **{key.replace("-", "_"): key for key in _KEYS if "-" in key},
}

# Families of every target; no fact is needed for them.
_EVERYWHERE = ("linux", "unix", "os")
_CONTAINERS = ("container", "k8s-container")


def families_of(system: Mapping[str, Any]) -> list[str]:
    """The whole line of families of a system, the nearest first: debian, linux, unix, os."""
    family = system.get("family")
    return [*([] if family is None or family in _EVERYWHERE else [str(family)]), *_EVERYWHERE]


def supports_queries(supports: list[dict[str, str]]) -> tuple[Query, ...]:
    """The facts that `supports` needs."""
    return (OS_QUERY,) if supports and not any(_always(entry) for entry in supports) else ()


def _always(entry: Mapping[str, str]) -> bool:
    return all(_is_everywhere(key, wanted) for key, wanted in entry.items())


def _is_everywhere(key: str, wanted: str) -> bool:
    if key == "platform":
        return wanted in (*_EVERYWHERE, *_CONTAINERS)
    return key in ("platform-family", "os-family") and wanted in _EVERYWHERE


def unsupported_reason(supports: list[dict[str, str]], evidence: Evidence) -> str | None:
    """Why the profile does not support the target; None if it does.

    It does if `supports` has no entries, or one whose keys all match.

    :raises NotKnownError: the operating system is needed and not known
    """
    if not supports_queries(supports):
        return None
    system = evidence.value_of(OS_QUERY)
    if isinstance(system, Absent):
        system = {}
    if any(_matches(entry, system) for entry in supports):
        return None
    return "the platform {} {} is not supported".format(
        system.get("name") or "unknown", system.get("release") or ""
    )


def _matches(entry: Mapping[str, str], system: Mapping[str, Any]) -> bool:
    return all(_holds(key, wanted, system) for key, wanted in entry.items())


def _holds(key: str, wanted: str, system: Mapping[str, Any]) -> bool:
    if _is_everywhere(key, wanted):
        return True
    if key in ("platform-family", "os-family"):
        return wanted in families_of(system)
    if key == "platform":
        return wanted == system.get("name") or wanted in families_of(system)
    return _is_like(wanted, str(system.get("release" if key == "release" else "name") or ""))


def _is_like(wanted: str, found: str) -> bool:
    """As InSpec compares: a text with a wildcard is looked for anywhere in what was found."""
    if "*" not in wanted:
        return wanted == found
    place = 0
    for piece in wanted.split("*"):
        place = found.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return bool(found)
