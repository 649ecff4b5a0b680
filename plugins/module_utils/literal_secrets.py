# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets stand in the environment variables of a pod's spec, with references to other variables followed.

Kubernetes puts the value of another variable in the place of $(NAME) ("dependent environment variables"), and reads
$$(NAME) as the text $(NAME). A reference to a variable that comes from a Secret puts nothing into the spec. Kubernetes
follows references to variables that stand before only; here those behind are followed too, because what they hold stands
in the spec as well.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .secret_variables import is_secret, is_secret_by_form

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
# What stands in the place of a reference that leads out of the spec, and of one to a source that is no secret: what
# stands around that is all that can be one. They are no characters of any form of secret.
_ELSEWHERE, _OPEN = "\ufffc", "\ufffb"
_OPEN_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef")
_SOME_TEXT = re.compile(r"\w{3}")


def literal_secrets(env: Iterable[Mapping[str, Any]]) -> list[str] | None:
    """Names of the variables whose values are secrets that stand in the spec, each once, in the order of the spec; None
    where that is not known: they were kept without a word on it, or refer to each other too often.

    A variable that has its value from another one names both.

    :param env: the field `env` of a container, also of a kept pod
    """
    spec = _Variables([entry for entry in env if isinstance(entry.get("name"), str)])
    found: set[str] = set()
    for number, entry in enumerate(spec.entries):
        if entry.get("value") == NOT_KEPT:
            return None
        if entry.get("value") == KEPT_SECRET:
            found.add(entry["name"])
        elif entry.get("value") and entry["value"] != KEPT_NO_SECRET:
            used: set[str] = set()
            text = spec.expand(number, (), used)
            if _holds_secret(entry["name"], text):
                found |= {entry["name"], *used}
    if spec.is_cut and not found:
        return None
    return list(dict.fromkeys(entry["name"] for entry in spec.entries if entry["name"] in found))


def _holds_secret(name: str, text: str) -> bool:
    if _ELSEWHERE in text:
        # what the name speaks of comes from elsewhere; the text around it can be a secret by its form
        return is_secret_by_form(text)
    if _OPEN in text:
        text = text.replace(_OPEN, "")
        return _SOME_TEXT.search(text) is not None and is_secret(name, text)
    return is_secret(name, text)


class _Variables:
    """The variables of a container, by which references are followed. A name can stand there twice."""

    def __init__(self, entries: list[Mapping[str, Any]]) -> None:
        self.entries = entries
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
        text = str(self.entries[number]["value"])[:_LONGEST].replace(_ELSEWHERE, "").replace(_OPEN, "")
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
            return _ELSEWHERE
        if len(within) > _DEEPEST or self._followed > _MOST_REFERENCES or self._brought > _MOST_TEXT:
            self.is_cut = True
            return _ELSEWHERE
        entry = self.entries[other]
        if entry.get("value"):
            used.add(name)
            value = self.expand(other, within, used)
            self._brought += len(value)
            return value
        source = entry.get("valueFrom")
        return _OPEN if not source or any(source.get(kind) for kind in _OPEN_SOURCES) else _ELSEWHERE

    def _place_of(self, name: str, number: int) -> int | None:
        """Where a variable stands: the nearest before the entry `number`, else the first behind it."""
        places = self._places.get(name, [])
        before = bisect.bisect_left(places, number)
        if before:
            return places[before - 1]
        return next((place for place in places if place != number), None)
