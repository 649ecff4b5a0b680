# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A waiver or an attestation as a document of a run carries it, typed: what every report shows of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..safe_text import one_line
from .attestations import attestation_end, end_text
from .notes import ATTESTATION, WAIVER

_LONGEST = 500
_LONGEST_DATE = 40


@dataclass(frozen=True)
class ExceptionRecord:
    """All texts are on one line and bounded, and empty where the entry does not say.

    `kind` is WAIVER or ATTESTATION. `decides`: it is the reason of the control's status; else the control was judged, or is not
    reviewed. `why_not` says why it counts for nothing (expired, not approved ...), empty for one in force. `reason` is the
    waiver's justification or the attestation's explanation. `owner` is the waiver's owner, or who attested. `requested` and
    `approved` are dates or times as text, `expires` the date from which it counts for nothing (empty: without end).
    """

    kind: str
    decides: bool
    why_not: str
    reason: str
    owner: str
    requested_by: str
    requested: str
    approved_by: str
    approved: str
    ticket: str
    expires: str

    @property
    def since(self) -> str:
        """From when its age is counted: the approval, else the request (of an attestation: its date); empty where unknown."""
        return self.approved or self.requested

    def age(self, now: str) -> int | None:
        """Days from `since` to a date or time (RFC 3339), None where it is not known."""
        return days_between(self.since, now)

    def days_left(self, now: str) -> int | None:
        """Days from a date or time (RFC 3339) until it expires, None for one without end."""
        return days_between(now, self.expires)

    def people(self) -> str:
        """Who is behind it, such as: requested by ann on 2026-11-02, approved by security on 2026-11-04, ticket RISK-17.
        Empty where the entry does not say."""
        asked = "requested" if self.kind == WAIVER else "attested"
        return _joined([_by(asked, self.requested_by, self.requested), self.approval()])

    def approval(self) -> str:
        """The end of it, such as: approved by security on 2026-11-04, ticket RISK-17."""
        ticket = f"ticket {self.ticket}" if self.ticket else ""
        return _joined([_by("approved", self.approved_by, self.approved), ticket])

    def to_json(self) -> dict[str, Any]:
        """Without the texts that are empty."""
        said: dict[str, Any] = {"kind": self.kind, "decides": self.decides}
        names = ("why_not", "reason", "owner", "requested_by", "requested", "approved_by", "approved")
        said.update({name: getattr(self, name) for name in (*names, "ticket", "expires")})
        return {name: value for name, value in said.items() if value != ""}


def waiver_record(data: Mapping[str, Any], decides: bool) -> ExceptionRecord:
    """:param data: HDF's waiver_data. :param decides: whether it makes the control Not Applicable"""
    return ExceptionRecord(
        kind=WAIVER,
        decides=decides,
        why_not=_text(data, "message"),
        reason=_text(data, "justification"),
        owner=_text(data, "owner"),
        requested_by=_text(data, "requested_by"),
        requested=_text(data, "requested", _LONGEST_DATE),
        approved_by=_text(data, "approved_by"),
        approved=_text(data, "approved", _LONGEST_DATE),
        ticket=_text(data, "ticket"),
        expires=_text(data, "expiration_date", _LONGEST_DATE),
    )


def attestation_record(data: Mapping[str, Any], decides: bool) -> ExceptionRecord:
    """:param data: HDF's attestation_data; without a message, one that does not decide has expired, as the SAF CLI has it.
    :param decides: whether the control is Passed or Failed by it"""
    end = attestation_end(str(data.get("updated") or ""), str(data.get("frequency") or ""))
    expires = end_text(end) if end else ""
    why_not = _text(data, "message") or f"Attestation expired on {expires or 'an unknown date'}"
    return ExceptionRecord(
        kind=ATTESTATION,
        decides=decides,
        why_not="" if decides else why_not,
        reason=_text(data, "explanation"),
        owner=_text(data, "updated_by"),
        requested_by=_text(data, "updated_by"),
        requested=_text(data, "updated", _LONGEST_DATE),
        approved_by=_text(data, "approved_by"),
        approved=_text(data, "approved", _LONGEST_DATE),
        ticket=_text(data, "ticket"),
        expires=expires,
    )


def _by(verb: str, who: str, when: str) -> str:
    return (f"{verb} by {who}" + (f" on {when}" if when else "")) if who else ""


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(filter(None, parts))


def days_between(first: str, second: str) -> int | None:
    """The days from one date or time (RFC 3339) to another, None where one of them is none."""
    try:
        return (datetime.date.fromisoformat(second[:10]) - datetime.date.fromisoformat(first[:10])).days
    except ValueError:
        return None


def _text(data: Mapping[str, Any], name: str, limit: int = _LONGEST) -> str:
    value = data.get(name)
    return "" if value is None else one_line(str(value), limit)
