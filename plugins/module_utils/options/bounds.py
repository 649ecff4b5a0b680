# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest and largest value of each option that is a number. A number beyond them is refused at a task's start.

An option means the same in all modules that have it, so its bounds are said once. A test holds them against the
specifications and the documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..access.token import MAXIMUM_LIFETIME, MINIMUM_LIFETIME
from ..targets.own_containers import MOST_SECONDS
from .spec import Params, bad_option


@dataclass(frozen=True)
class Bounds:
    """`unit` is a word in the plural, empty for a plain number."""

    least: int
    most: int
    unit: str = ""

    @property
    def text(self) -> str:
        """For example: from 1 to 3600 seconds"""
        return f"from {self.least} to {self.most} {self.unit}".strip()

    def refusal(self, value: float) -> str:
        """Why the number cannot be used; empty where it can. What is not a number (nan) is beyond all bounds."""
        return "" if self.least <= value <= self.most else f"is {value:g}; it must be {self.text}"


_DAY = 86400
_MAXIMUM_ID = 2**31 - 1
BOUNDS: Mapping[str, Bounds] = {
    "batch_bytes": Bounds(1024, 256 * 1024 * 1024, "bytes"),
    "batch_items": Bounds(1, 100_000),
    "canary_timeout": Bounds(1, 600, "seconds"),
    "concurrency": Bounds(1, 1000),
    "deadline": Bounds(1, 7 * _DAY, "seconds"),
    "debug_keep_alive": Bounds(0, MOST_SECONDS, "seconds"),
    "due_after": Bounds(0, 3650 * _DAY, "seconds"),
    "expiring_days": Bounds(0, 3660, "days"),
    "keep_days": Bounds(1, 36_500, "days"),
    "keep_documents_days": Bounds(1, 36_500, "days"),
    "lifetime": Bounds(MINIMUM_LIFETIME, MAXIMUM_LIFETIME, "seconds"),
    "limit": Bounds(1, 1_000_000),
    "listed": Bounds(0, 1_000_000),
    "max_new": Bounds(0, 10_000),
    "long_days": Bounds(1, 3660, "days"),
    "max_age": Bounds(0, 3650 * _DAY, "seconds"),
    "max_message": Bounds(2048, 1_048_576, "bytes"),
    # as much as the collector sends at least and at most
    "output_limit": Bounds(1024, 64 * 1024 * 1024, "bytes"),
    "resume_max_age": Bounds(0, 30 * _DAY, "seconds"),
    "resume_within": Bounds(0, 365 * _DAY, "seconds"),
    "retain_days": Bounds(1, 36_500, "days"),
    "retries": Bounds(0, 100),
    "seconds": Bounds(60, 7 * _DAY, "seconds"),
    "sign_timeout": Bounds(1, 3600, "seconds"),
    "run_as_group": Bounds(0, _MAXIMUM_ID),
    "run_as_user": Bounds(0, _MAXIMUM_ID),
    # as long as the collector works at least and at most
    "system_id": Bounds(1, _MAXIMUM_ID),
    "timeout": Bounds(1, 3600, "seconds"),
    "wait_timeout": Bounds(1, _DAY, "seconds"),
    "wide_places": Bounds(1, 1_000_000, "places"),
}
# An access that was made before has its lifetime; GrantOptions.check knows when the option counts.
_CHECKED_BY_ITS_OWN_CLASS = frozenset({"lifetime"})


def check_numbers(params: Params) -> None:
    """:raises ScanError: bad_option, for the first number that is beyond its bounds"""
    for name, value in params.items():
        if name in BOUNDS and name not in _CHECKED_BY_ITS_OWN_CLASS and value is not None:
            check_number(name, value)


def check_number(option: str, value: float) -> None:
    """:raises ScanError: bad_option"""
    why = BOUNDS[option].refusal(value)
    if why:
        raise bad_option(option, f"{option} {why}")
