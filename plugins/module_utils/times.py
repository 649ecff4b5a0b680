# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as texts: the form of the Kubernetes API (whole seconds of UTC), and RFC 3339 as others write it."""

from __future__ import annotations

from datetime import datetime, timezone

_API_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def api_time(moment: datetime) -> str:
    """A time as the API writes it, such as 2026-11-23T10:00:00Z. `moment` has a time zone."""
    return moment.astimezone(timezone.utc).strftime(_API_FORMAT)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a time zone is taken for UTC.

    :raises ValueError: in UTC it lies before the first or behind the last day of the calendar
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} is beyond the calendar") from None


def parse_api_time(text: object) -> datetime:
    """A time that the API wrote, in UTC.

    :raises ValueError: for anything else, None included
    """
    return datetime.strptime(str(text), _API_FORMAT).replace(tzinfo=timezone.utc)


def parse_rfc3339(text: str) -> datetime:
    """A time in RFC 3339, to the second; in UTC where it names no time zone.

    :raises ValueError: for anything else. Python 3.9's fromisoformat knows neither Z nor nanoseconds.
    """
    head, zone = (text[:-1], "+00:00") if text[-1:] in ("Z", "z") else (text[:-6], text[-6:])
    moment = datetime.fromisoformat(head.split(".")[0] + zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
