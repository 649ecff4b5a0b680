# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times in formats that take nothing but a time: what a run wrote, in UTC to the second."""

from __future__ import annotations

from ..times import api_time, in_utc, parse_rfc3339

# Where a time must stand and none is known.
NO_TIME = "1970-01-01T00:00:00Z"


def moment_of(text: str) -> str:
    """An RFC 3339 time, such as 2026-11-23T10:00:00Z; empty for anything else."""
    try:
        return api_time(in_utc(parse_rfc3339(text)))
    except ValueError:
        return ""
