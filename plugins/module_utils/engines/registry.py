# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that this version has, and which one judges by which profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..errors import ScanError
from . import builtin
from .engine import Engine, Profile

# By name, how an engine is made of its profiles.
ENGINES: Mapping[str, Callable[[Sequence[Any]], Engine]] = {builtin.NAME: builtin.BuiltinEngine}
# How a reference to a profile of another engine begins, before a colon. None of these engines exists in this
# version.
_FOREIGN = frozenset({"inspec", "cinc", "openscap"})


def engines_for(profiles: Sequence[Profile]) -> tuple[Engine, ...]:
    """One engine for all profiles that are written for it, in the order of the first profile of each."""
    groups: dict[str, list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(profile.engine, []).append(profile)
    return tuple(ENGINES[name](group) for name, group in groups.items())


def check_references(references: Sequence[str]) -> None:
    """Refuses references such as `inspec:PATH`.

    :raises ScanError: bad_option, for the first profile of an engine that does not exist
    """
    for reference in references:
        engine, colon, _rest = reference.partition(":")
        if colon and engine.lower() in _FOREIGN:
            raise ScanError(
                "bad_option",
                f"{reference[:200]!r} is a profile for the engine {engine}, which does not exist in this "
                f"version; the only engine is {', '.join(ENGINES)}, which judges by profiles in YAML",
                tried="reading the option profiles",
                advice="Name a shipped profile, or the path of a folder with a profile.yml.",
            )
