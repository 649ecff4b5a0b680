# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much time a scan has, and what of earlier runs it may carry over instead of scanning again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

from ..times import parse_rfc3339
from .spec import Params, Spec, bad_option


@dataclass(frozen=True)
class TimeAndResume:
    """`deadline` and the ages are in seconds. `deadline_at` is in UTC. The sooner of the two deadlines holds. `store`: where
    earlier results are looked for, empty for the folders of earlier runs."""

    deadline: float | None
    deadline_at: datetime | None
    resume: bool
    resume_max_age: float
    due_only: bool
    due_after: float
    store: str = ""
    store_password: str = field(default="", repr=False)

    @classmethod
    def from_params(cls, params: Params) -> TimeAndResume:
        """:raises ScanError: bad_option"""
        return cls(
            params["deadline"],
            _moment(params["deadline_at"]),
            params["resume"],
            params["resume_max_age"],
            params["due_only"],
            params["due_after"],
            params["store"] or "",
            params["store_password"] or "",
        )

    def seconds_left(self, now: datetime) -> float | None:
        """Seconds until the sooner deadline, never negative; None without one. :param now: with its time zone"""
        left = [] if self.deadline is None else [self.deadline]
        if self.deadline_at is not None:
            left.append(max(0.0, (self.deadline_at - now).total_seconds()))
        return min(left) if left else None


def _moment(given: str | None) -> datetime | None:
    """A time in RFC 3339 with its zone, or in seconds since 1970."""
    if not given:
        return None
    text = given.strip()
    try:
        if text.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(text), timezone.utc)
        if text[-1:] not in ("Z", "z") and text[-6:-5] not in ("+", "-"):
            raise ValueError("it has no zone")
        return parse_rfc3339(text)
    except (ValueError, OverflowError, OSError):
        raise bad_option(
            "deadline_at",
            f"{given[:60]!r} is no time; it must be one such as 2026-11-30T04:00:00Z, or seconds since 1970",
        ) from None


def time_and_resume_spec() -> Spec:
    return {
        "deadline": {"type": "float"},
        "deadline_at": {"type": "str"},
        "resume": {"type": "bool", "default": True},
        "resume_max_age": {"type": "float", "default": 21600.0},
        "due_only": {"type": "bool", "default": False},
        "due_after": {"type": "float", "default": 86400.0},
        "store": {"type": "str"},
        "store_password": {"type": "str", "no_log": True},
    }
