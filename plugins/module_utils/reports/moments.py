# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times in formats that take nothing but a time: what a run or a person wrote, in UTC to the second."""

from __future__ import annotations

from datetime import datetime

from ..times import api_time, in_utc, parse_rfc3339, parse_written

# Where a time must stand and none is known.
NO_TIME = "1970-01-01T00:00:00Z"


def moment_of(text: str) -> str:
    """An RFC 3339 time, such as 2026-11-23T10:00:00Z; empty for anything else."""
    try:
        return api_time(in_utc(parse_rfc3339(text)))
    except ValueError:
        return ""


def written_moment(text: str) -> str:
    """The same of a date or time as people write it; a date is its first second."""
    try:
        found = parse_written(text)
        return api_time(
            found if isinstance(found, datetime) else in_utc(datetime(found.year, found.month, found.day))
        )
    except ValueError:
        return ""
