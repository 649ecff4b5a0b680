# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets stand in the environment variables of a pod's spec, with references to other variables followed.

Kubernetes puts the value of another variable in the place of $(NAME) ("dependent environment variables"), and reads
$$(NAME) as the text $(NAME). A reference to a variable that comes from a Secret puts nothing into the spec. Kubernetes
follows references to variables that stand before only; here those behind are followed too, because what they hold stands
in the spec as well. A reference that leads nowhere stays as text, which is a part of the value.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .secret_names import LEADS_NOWHERE
from .secret_variables import is_secret

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
# What a kept pod has in the place of a value.
NOT_KEPT = "(not kept)"
KEPT_SECRET, KEPT_NO_SECRET = "(not kept: a secret)", "(not kept: no secret)"

# No program can be started with a longer variable (MAX_ARG_STRLEN of Linux).
_LONGEST = 128 * 1024
# Each reference can double the length, so what references bring to all values is counted.
_DEEPEST = 20
_MOST_REFERENCES = 20_000
_MOST_TEXT = 1024 * 1024
# What stands in the place of a reference that leads out of the spec: what stands around that is all that can be a secret.
# It is no character of any form of secret, and neither is the mark of a reference that leads nowhere.
_ELSEWHERE = "\ufffc"
_MARKS = re.compile(f"[{_ELSEWHERE}{LEADS_NOWHERE[0]}]")
_NOWHERE = re.compile(re.escape(LEADS_NOWHERE) + r"[^)]*\)")
_SOME_TEXT = re.compile(r"\w{3}")


def literal_secrets(
    env: Iterable[Mapping[str, Any]], *, has_sources: bool = False, is_kept: bool = False
) -> list[str] | None:
    """Names of the variables whose values are secrets that stand in the spec, each once, in the order of the spec; None
    where none was found and that is not known: they were kept without a word on it, or refer to each other too often.

    A variable that has its value from another one names both.

    :param env: the field `env` of a container
    :param has_sources: the container has more variables, by `envFrom`
    :param is_kept: the pod is a kept one, which says of its values what they were
    """
    spec = _Variables([entry for entry in env if isinstance(entry.get("name"), str)], has_sources)
    found, is_known = _kept_secrets(spec.entries) if is_kept else _secrets_of(spec)
    if not found and not is_known:
        return None
    return list(dict.fromkeys(entry["name"] for entry in spec.entries if entry["name"] in found))


def _kept_secrets(entries: Iterable[Mapping[str, Any]]) -> tuple[set[str], bool]:
    """The names of those that are secrets, and whether nothing is unknown."""
    entries = [entry for entry in entries if entry.get("value")]
    found = {entry["name"] for entry in entries if entry["value"] == KEPT_SECRET}
    return found, all(entry["value"] in (KEPT_SECRET, KEPT_NO_SECRET) for entry in entries)


def _secrets_of(spec: _Variables) -> tuple[set[str], bool]:
    found: set[str] = set()
    for number, entry in enumerate(spec.entries):
        if entry.get("value"):
            used: set[str] = set()
            if _holds_secret(entry["name"], spec.expand(number, (), used)):
                found |= {entry["name"], *used}
    return found, not spec.is_cut


def _holds_secret(name: str, text: str) -> bool:
    if _ELSEWHERE in text:
        text = text.replace(_ELSEWHERE, "")
        if not _SOME_TEXT.search(text):
            return False
    # signs between references that lead nowhere are no secret
    rest = _NOWHERE.sub("", text)
    return (rest == text or re.search(r"\w", rest) is not None) and is_secret(name, text)


class _Variables:
    """The variables of a container, by which references are followed. A name can stand there twice."""

    def __init__(self, entries: list[Mapping[str, Any]], has_sources: bool) -> None:
        self.entries = entries
        self._has_sources = has_sources
        self._places: dict[str, list[int]] = {}
        for number, entry in enumerate(entries):
            self._places.setdefault(entry["name"], []).append(number)
        self.is_cut = False
        self._followed = 0
        self._brought = 0

    def expand(self, number: int, within: tuple[int, ...], used: set[str]) -> str:
        """The value of a variable, with those that it refers to.

        :param within: the variables that have led to it
        :param used: gets the names of the variables with a value in the spec from which a part of it comes
        """
        parts, place, length = [], 0, 0
        text = _MARKS.sub("", str(self.entries[number]["value"])[:_LONGEST])
        for match in _REFERENCE.finditer(text):
            name = match.group(1)
            value = "$" if name is None else self._value(name, number, (*within, number), used)
            parts += [text[place : match.start()], value]
            place, length = match.end(), length + len(value)
            if length > _LONGEST:
                break
        return "".join([*parts, text[place:]])[:_LONGEST]

    def _value(self, name: str, number: int, within: tuple[int, ...], used: set[str]) -> str:
        other = self._place_of(name, number)
        self._followed += 1
        if other is None or other in within:
            return _ELSEWHERE if self._has_sources else f"{LEADS_NOWHERE}{name})"
        if len(within) > _DEEPEST or self._followed > _MOST_REFERENCES or self._brought > _MOST_TEXT:
            self.is_cut = True
            return _ELSEWHERE
        entry = self.entries[other]
        if entry.get("value"):
            used.add(name)
            value = self.expand(other, within, used)
            self._brought += len(value)
            return value
        return _ELSEWHERE

    def _place_of(self, name: str, number: int) -> int | None:
        """Where a variable stands: the nearest before the entry `number`, else the first behind it."""
        places = self._places.get(name, [])
        before = bisect.bisect_left(places, number)
        if before:
            return places[before - 1]
        return next((place for place in places if place != number), None)
