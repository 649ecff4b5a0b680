# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate judges by: the limits of a SAF threshold file, and some of our own (see limits.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from .checked_json import JsonObject, JsonRecord
from .limits import COVERAGE_KEY, NEW_FAILURES_KEY, Limit, parse_limits
from .strict_yaml import load_yaml


@dataclass(frozen=True)
class Threshold(JsonRecord):
    """The limits of one threshold, those about a profile's counts and those about the run. `source` names its file."""

    source: str
    all_limits: tuple[Limit, ...]

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Those about a profile's counts."""
        return tuple(limit for limit in self.all_limits if not limit.is_of_run)

    @property
    def must_pass(self) -> tuple[Limit, ...]:
        return tuple(limit for limit in self.all_limits if limit.is_must_pass)

    @property
    def coverage_min(self) -> float | None:
        """A percentage, None where the threshold does not ask for it."""
        return self._value(COVERAGE_KEY)

    @property
    def new_failures_max(self) -> float | None:
        """A number, None where the threshold does not ask for it."""
        return self._value(NEW_FAILURES_KEY)

    def _value(self, key: str) -> float | None:
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
        return cls(given.text("source"), tuple(limits))

    def to_json(self) -> dict[str, Any]:
        """{source, limits: {dotted key: value}}"""
        return {"source": self.source, "limits": {limit.key: limit.value for limit in self.all_limits}}


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


DEFAULT_THRESHOLD = load_threshold(
    {
        "failed": {"critical": {"max": 0}, "high": {"max": 0}},
        "error": {"total": {"max": 0}},
        "coverage": {"min": 100},
    },
    "the default threshold",
)
