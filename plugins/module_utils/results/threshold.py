# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate judges by: the limits of a SAF threshold file, and some of our own (see limits.py).

What could not be scanned, judged or reviewed does not pass because a threshold does not speak of it: some limits hold
whatever threshold is given, unless it names their keys itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ScanError
from .checked_json import JsonObject, JsonRecord
from .limits import (
    COVERAGE_KEY,
    EVIDENCE_KEY,
    NEW_FAILURES_KEY,
    OVERDUE_KEY,
    OVERDUE_SCANS_KEY,
    SKIPPED_PROFILES_KEY,
    Limit,
    parse_limits,
)
from .status import MUST_BE_REVIEWED
from .strict_yaml import load_yaml


@dataclass(frozen=True)
class Threshold(JsonRecord):
    """The limits of one threshold: about a profile's counts, about a target, and about the run. `source` names its file.

    `added` are the keys of limits that it did not name itself.
    """

    source: str
    all_limits: tuple[Limit, ...]
    added: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those about a profile's counts."""
        return tuple(limit for limit in self.all_limits if limit.is_of_profile)

    @property
    def added_limits(self) -> tuple[Limit, ...]:
        return tuple(limit for limit in self.all_limits if limit.key in self.added)

    def with_limits(self, limits: Iterable[Limit]) -> Threshold:
        """The threshold with each of these limits whose key's first word it does not name itself."""
        named = {limit.family for limit in self.all_limits}
        added = tuple(limit for limit in limits if limit.family not in named)
        keys = tuple(limit.key for limit in added)
        return Threshold(self.source, (*self.all_limits, *added), (*self.added, *keys))

    def without(self, key: str) -> Threshold:
        """The threshold without the limit of that key."""
        return replace(
            self,
            all_limits=tuple(limit for limit in self.all_limits if limit.key != key),
            added=tuple(added for added in self.added if added != key),
        )

    @property
    def must_pass(self) -> tuple[Limit, ...]:
        return tuple(limit for limit in self.all_limits if limit.is_must_pass)

    @property
    def coverage_min(self) -> float | None:
        """A percentage, None where the threshold does not ask for it."""
        value: float | None = self._value(COVERAGE_KEY)
        return value

    @property
    def evidence_min(self) -> str | None:
        """A grade, None where the threshold does not ask for it."""
        value: str | None = self._value(EVIDENCE_KEY)
        return value

    @property
    def skipped_profiles_max(self) -> float | None:
        """A number, None where the threshold does not ask for it."""
        value: float | None = self._value(SKIPPED_PROFILES_KEY)
        return value

    @property
    def new_failures_max(self) -> float | None:
        """A number, None where the threshold does not ask for it."""
        value: float | None = self._value(NEW_FAILURES_KEY)
        return value

    @property
    def overdue_max(self) -> float | None:
        """A number of findings, None where the threshold does not ask for it."""
        value: float | None = self._value(OVERDUE_KEY)
        return value

    @property
    def overdue_scans_max(self) -> float | None:
        """A number of places, None where the threshold does not ask for it."""
        value: float | None = self._value(OVERDUE_SCANS_KEY)
        return value

    @property
    def asks_for_deadlines(self) -> bool:
        return self.overdue_max is not None or self.overdue_scans_max is not None

    def _value(self, key: str) -> Any:
        return next((limit.value for limit in self.all_limits if limit.key == key), None)

    @classmethod
    def from_json(cls, given: JsonObject) -> Threshold:
        try:
            limits = [
                Limit.parse(key, value, given.where("limits"))
                for key, value in given.mapping("limits").items()
            ]
        except ScanError as error:
            raise given.bad(error.message) from None
        return cls(given.text("source"), tuple(limits), given.texts("added"))

    def to_json(self) -> dict[str, Any]:
        """{source, limits: {dotted key: value}, added: [dotted key]}"""
        limits = {limit.key: limit.value for limit in self.all_limits}
        return {"source": self.source, "limits": limits, "added": list(self.added)}


def load_threshold(content: str | Mapping[str, Any], source: str) -> Threshold:
    """The threshold in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: `bad_threshold`, naming the key, when anything in it is not understood or it has no limit
    """
    loaded = load_yaml(content, source, "bad_threshold") if isinstance(content, str) else content
    if not isinstance(loaded, Mapping) or not loaded:
        raise ScanError(
            "bad_threshold",
            "{}: {}".format(source, "must be keys with limits" if loaded else "has no limits"),
            tried="read threshold",
        )
    return Threshold(source, tuple(parse_limits(loaded, source)))


_OURS = "the default threshold"
# What holds whatever threshold is given, unless it names the first word of the key itself.
LASTING_LIMITS = tuple(
    parse_limits(
        {
            "error": {"total": {"max": 0}},
            "coverage": {"min": 100},
            "reviewed": {severity: {"min": 100} for severity in MUST_BE_REVIEWED},
        },
        _OURS,
    )
)
DEFAULT_THRESHOLD = Threshold(
    _OURS,
    (*parse_limits({"failed": {"critical": {"max": 0}, "high": {"max": 0}}}, _OURS), *LASTING_LIMITS),
)
