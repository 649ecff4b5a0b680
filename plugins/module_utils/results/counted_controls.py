# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which controls of a document count, and under which profile.

An overlay in InSpec is a profile of its own in the document, with copies of the controls that it takes over from
another profile; that one names the overlay as `parent_profile` and alone holds the results. Heimdall and SAF count
a control once, under the overlay, with the results of the profile that it comes from.

Unlike SAF, every profile is counted and not the first alone; controls of a base profile that no overlay took over
count under the base profile; and equal ids in profiles that have nothing to do with each other stay separate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError

_Place = tuple[int, str]


@dataclass(frozen=True)
class CountedProfile:
    """A profile of a document and its controls that count, each in the copy that holds the results."""

    profile: Mapping[str, Any]
    controls: list[Mapping[str, Any]]


def counted_profiles(document: Mapping[str, Any], source: str) -> list[CountedProfile]:
    """The profiles of a checked document that have controls of their own to count, in the document's order.

    :raises ScanError: `bad_results` when profiles are overlays of each other in a circle
    """
    profiles: list[Mapping[str, Any]] = document["profiles"]
    bases = _bases_by_overlay(profiles)
    controls: list[dict[str, Mapping[str, Any]]] = [
        {control["id"]: control for control in profile["controls"]} for profile in profiles
    ]
    origin: dict[_Place, _Place] = {}
    for overlay, base_indexes in bases.items():
        for control_id in controls[overlay]:
            for base in base_indexes:
                if control_id in controls[base]:
                    origin[overlay, control_id] = (base, control_id)
                    break
    taken_over = set(origin.values())
    if any(_in_circle(place, origin) for place in origin):
        raise ScanError(
            "bad_results",
            f"{source}: profiles name each other as parent_profile in a circle",
            tried="read results",
        )
    counted = []
    for index, profile in enumerate(profiles):
        own = [
            _follow((index, control_id), origin)
            for control_id in controls[index]
            if (index, control_id) not in taken_over
        ]
        if own:
            counted.append(CountedProfile(profile, [controls[base][control_id] for base, control_id in own]))
    return counted


def _bases_by_overlay(profiles: list[Mapping[str, Any]]) -> dict[int, list[int]]:
    """Index of an overlay -> indexes of the profiles that name it as their parent."""
    by_name: dict[str, int] = {}
    for index, profile in enumerate(profiles):
        by_name.setdefault(profile["name"], index)
    bases: dict[int, list[int]] = {}
    for index, profile in enumerate(profiles):
        overlay = by_name.get(profile.get("parent_profile") or "")
        if overlay is not None:
            bases.setdefault(overlay, []).append(index)
    return bases


def _follow(place: _Place, origin: Mapping[_Place, _Place]) -> _Place:
    while place in origin:
        place = origin[place]
    return place


def _in_circle(start: _Place, origin: Mapping[_Place, _Place]) -> bool:
    seen = set()
    place = start
    while place in origin:
        if place in seen:
            return True
        seen.add(place)
        place = origin[place]
    return False
