# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asked for an exception and who approved it: our optional keys of an entry in a file of waivers or attestations.

    requested_by: ann@shop.example   # a waiver's; who attests stands in updated_by
    requested: 2026-11-02            # a date or a time, as expiration_date
    approved_by: security@shop.example
    approved: 2026-11-04
    ticket: RISK-17

InSpec and the SAF CLI keep keys that they do not know. Each name belongs together with its date. A malformed entry is an error
of its file, so that half an approval never passes for one.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..editor_schema import Schema, described, whole_text
from ..errors import ScanError
from ..times import WRITTEN_PATTERN, beginning_of, written_date, written_text

REQUEST_KEYS = ("requested_by", "requested")
APPROVAL_KEYS = ("approved_by", "approved", "ticket")
_LONGEST = 500
# A controller's clock may be a little behind the one of whoever wrote the file.
CLOCK_SKEW = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Approval:
    """Empty and None where an entry does not say. `requested` and `approved` are dates, or datetimes in UTC."""

    requested_by: str = ""
    requested: datetime.date | None = None
    approved_by: str = ""
    approved: datetime.date | None = None
    ticket: str = ""

    @property
    def starts(self) -> datetime.datetime | None:
        """From when it is counted how long the exception lasts: the approval, else the request."""
        start = self.approved or self.requested
        return None if start is None else beginning_of(start)

    @property
    def approved_text(self) -> str:
        """When it was approved, empty where the entry does not say."""
        return "" if self.approved is None else written_text(self.approved)

    def is_older_than(self, moment: datetime.datetime) -> bool:
        """Whether the approval was given before that moment, so that it cannot mean what was written then."""
        return self.approved is not None and _last_moment(self.approved) < moment

    def is_by(self, requester: str) -> bool:
        """Whether the requester has approved it. The case of letters, their form, blanks and characters that nobody sees do not
        make another person."""
        return _person(self.approved_by) == _person(requester)

    def objection(self, now: datetime.datetime) -> str:
        """Why the exception counts for nothing, whatever the policy; empty where it counts. :param now: with its time zone"""
        if self.requested_by and not self.approved_by:
            return f"{self.requested_by} requested it, and nobody has approved it"
        if self.approved is not None and beginning_of(self.approved) > now + CLOCK_SKEW:
            return f"its approval is dated {written_text(self.approved)}, which is to come"
        return ""

    def to_json(self) -> dict[str, str]:
        """As HDF's waiver_data and attestation_data carry it; a key that the entry does not have is left out."""
        said = {
            "requested_by": self.requested_by,
            "requested": "" if self.requested is None else written_text(self.requested),
            "approved_by": self.approved_by,
            "approved": self.approved_text,
            "ticket": self.ticket,
        }
        return {name: text for name, text in said.items() if text}


NO_APPROVAL = Approval()


def date_schema(description: str) -> Schema:
    """Of a date or a time in a file of people, but for days that are in no calendar."""
    return described(whole_text(WRITTEN_PATTERN, blanks=True), description)


def approval_schema(*names: str) -> tuple[dict[str, Schema], Schema]:
    """(those of the keys that are named, what belongs together among them), for the schema of an entry."""
    text: Schema = {"type": "string", "pattern": r"\S", "maxLength": _LONGEST}
    keys = {
        "requested_by": {**text, "description": "who asked for the exception"},
        "requested": date_schema("when it was asked for, such as 2026-11-02"),
        "approved_by": {**text, "description": "who approved it; somebody else than who asked"},
        "approved": date_schema("when it was approved, such as 2026-11-04; not before it was asked for"),
        "ticket": {**text, "description": "where it was decided"},
    }
    pairs = {"requested_by": ["requested"], "requested": ["requested_by"]}
    pairs.update({"approved_by": ["approved"], "approved": ["approved_by"]})
    return {name: keys[name] for name in names}, {name: pairs[name] for name in names if name in pairs}


def read_approval(entry: Mapping[str, Any], refuse: Callable[[str], ScanError]) -> Approval:
    """The approval of one entry of a file.

    :param refuse: makes the error out of what is wrong with the entry
    :raises ScanError: what `refuse` made, for a name without its date or the reverse, for another type than text and date, and
        for an approval that is older than its request
    """
    approval = Approval(
        requested_by=_text(entry, "requested_by", refuse),
        requested=_date(entry, "requested", refuse),
        approved_by=_text(entry, "approved_by", refuse),
        approved=_date(entry, "approved", refuse),
        ticket=_text(entry, "ticket", refuse),
    )
    for name, text, date in (
        ("requested", approval.requested_by, approval.requested),
        ("approved", approval.approved_by, approval.approved),
    ):
        if bool(text) != (date is not None):
            raise refuse(f"{name}_by and {name} belong together: who, and on which date")
    if approval.requested is not None and approval.is_older_than(beginning_of(approval.requested)):
        raise refuse(
            f"it was approved on {approval.approved_text}, before it was requested on "
            f"{written_text(approval.requested)}"
        )
    return approval


def _last_moment(written: datetime.date) -> datetime.datetime:
    """Of a date the end of that day: what was requested in it at noon can be approved in it."""
    if isinstance(written, datetime.datetime):
        return written
    return datetime.datetime.combine(written, datetime.time.max, datetime.timezone.utc)


def _text(entry: Mapping[str, Any], name: str, refuse: Callable[[str], ScanError]) -> str:
    if name not in entry:
        return ""
    value = entry[name]
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        found = (
            f"{len(value)} characters" if isinstance(value, str) and len(value) > _LONGEST else repr(value)
        )
        raise refuse(f"{name} must be text of at most {_LONGEST} characters, found {found}")
    return value.strip()


def _date(entry: Mapping[str, Any], name: str, refuse: Callable[[str], ScanError]) -> datetime.date | None:
    if name not in entry:
        return None
    value = entry[name]
    try:
        return written_date(value)
    except ValueError:
        pass
    raise refuse(f"{name} must be a date such as 2026-11-02, or a time, found {value!r}")


def _person(name: str) -> str:
    shown = (char for char in unicodedata.normalize("NFKC", name) if char.isprintable() or char.isspace())
    return " ".join("".join(shown).split()).casefold()
