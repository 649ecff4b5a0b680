# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as texts: the form of the Kubernetes API (whole seconds of UTC), RFC 3339, and dates and times as people write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone

_API_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# A date, or a date with a time, as people write them in files.
WRITTEN_PATTERN = (
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ] ?(?P<time>\d\d:\d\d)(?P<seconds>:\d\d)?(?:\.(?P<fraction>\d{1,9}))? ?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?"
)
_WRITTEN = re.compile(WRITTEN_PATTERN, re.ASCII)


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


def written_date(value: object) -> date:
    """A date, or a time in UTC, of a file in YAML: a text as people write it, or what YAML has made of it.

    :raises ValueError: for anything else, and for what is in no calendar
    """
    if isinstance(value, str):
        return parse_written(value)
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, date):
        return value
    raise ValueError(f"{value!r} is no date")


def parse_written(text: str) -> date:
    """A date, or a date with a time (then a datetime, in UTC), as people write them in files.

    :raises ValueError: for anything else, and for what is in no calendar
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no date")
    if match["time"] is None:
        return date.fromisoformat(match["day"])
    zone = match["zone"] or "+00:00"
    zone = "+00:00" if zone in "Zz" else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    fraction = f"{match['fraction'] or ''}000000"[:6]
    return in_utc(
        datetime.fromisoformat(f"{match['day']}T{match['time']}{match['seconds'] or ':00'}.{fraction}{zone}")
    )


def beginning_of(written: date) -> datetime:
    """The moment that a date or a time means, in UTC: of a date its beginning, of a time without a zone that of UTC."""
    if isinstance(written, datetime):
        return in_utc(written)
    return datetime(written.year, written.month, written.day, tzinfo=timezone.utc)


def written_text(written: date) -> str:
    """A date as 2027-01-31, a moment as 2027-01-31T12:00:00Z."""
    return api_time(in_utc(written)) if isinstance(written, datetime) else written.isoformat()


def parse_rfc3339(text: str) -> datetime:
    """A time in RFC 3339, to the second; in UTC where it names no time zone.

    :raises ValueError: for anything else. Python 3.9's fromisoformat knows neither Z nor nanoseconds.
    """
    head, zone = (text[:-1], "+00:00") if text[-1:] in ("Z", "z") else (text[:-6], text[-6:])
    moment = datetime.fromisoformat(head.split(".")[0] + zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def shown_time(text: str) -> str:
    """A time of a file as people read it: in UTC, to the second. What is no time stays as it is."""
    try:
        return api_time(parse_rfc3339(text))
    except (ValueError, OverflowError):
        return text
