# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors that we apply ourselves, to pods that we have already read.

A rule that forbids something must be checked on the very pod that was selected, and must be understood before
a cluster is asked. The grammar is that of Kubernetes (labels and selectors), without its comparison of
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ScanError

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?" + _NAME
_VALUE = rf"(?:{_NAME})?"
_ONE = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<not_there>{_KEY})|(?P<key>{_KEY})(?:\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE})"
    r"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*"
)
_LONGEST = 1000


@dataclass(frozen=True)
class Requirement:
    """A label that must (`wanted`) or must not be set to one of `values`; to any value if `values` is None."""

    key: str
    values: frozenset[str] | None
    wanted: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        found = self.key in labels and (self.values is None or labels[self.key] in self.values)
        return found == self.wanted


def read_label_selectors(option: str, selectors: tuple[str, ...]) -> tuple[Requirement, ...]:
    """The requirements of all selectors.

    :raises ScanError: bad_option for a selector that is empty or not understood
    """
    return tuple(requirement for text in selectors for requirement in _read(option, text))


def all_hold(requirements: tuple[Requirement, ...], labels: Mapping[str, str]) -> bool:
    return all(requirement.holds(labels) for requirement in requirements)


def _read(option: str, text: str) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    place = 0
    while True:
        match = _ONE.match(text, place) if len(text) <= _LONGEST else None
        values = _values(match) if match else None
        if (
            match is None
            or (match["set"] and not values)
            or text[match.end() : match.end() + 1] not in ("", ",")
        ):
            raise ScanError(
                "bad_option",
                f"{text[:300]!r} is not a label selector",
                tried=f"reading the option {option}",
                advice="Write it as KEY=VALUE, KEY!=VALUE, KEY in (A, B), KEY notin (A, B), KEY or !KEY; put "
                "commas between several.",
            )
        negative = bool(match["absent"]) or match["sign"] == "!=" or match["set"] == "notin"
        found.append(Requirement(match["not_there"] or match["key"], values, not negative))
        place = match.end() + 1
        if place > len(text):
            return tuple(found)


def _values(match: re.Match[str]) -> frozenset[str] | None:
    """The values that the label is compared with; None if only its presence counts; empty if one is not a
    valid value."""
    if match["sign"]:
        return frozenset((match["value"],))
    if not match["set"]:
        return None
    values = frozenset(value.strip() for value in match["values"].split(","))
    return values if all(re.fullmatch(_VALUE, value) for value in values) else frozenset()
