# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a profile supports a target: InSpec's `supports`, over the operating system inside the container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.facts import Query
from .evidence import Absent, Evidence

OS_QUERY = Query("os")
SUPPORT_KEYS = ("platform", "platform-name", "platform-family", "release")

# Platforms that every target has; no fact is needed for them.
_ALWAYS = ("linux", "unix", "os", "container", "k8s-container")


def supports_queries(supports: list[dict[str, str]]) -> tuple[Query, ...]:
    """The facts that `supports` needs."""
    return (OS_QUERY,) if supports and not any(_always(entry) for entry in supports) else ()


def _always(entry: Mapping[str, str]) -> bool:
    return list(entry) == ["platform"] and entry["platform"] in _ALWAYS


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
    platform = entry.get("platform")
    if platform and platform not in _ALWAYS and platform not in (system.get("name"), system.get("family")):
        return False
    pairs = (("platform-name", "name"), ("platform-family", "family"))
    if any(key in entry and entry[key] != system.get(name) for key, name in pairs):
        return False
    release = str(system.get("release") or "")
    wanted = entry.get("release")
    # InSpec lets a release end in a wildcard: 12.*
    return wanted is None or release == wanted or (wanted.endswith("*") and release.startswith(wanted[:-1]))
