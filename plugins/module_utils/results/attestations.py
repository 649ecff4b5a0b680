# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attestations: what a person has checked, in the file format of `saf attest`, applied to judged profiles.

    - control_id: cb-review
      explanation: text; how it was checked
      frequency: quarterly        # how long it holds: a word of SAF's, or a number with d, w, m or y (90d, 1.5y)
      status: passed              # or failed
      updated: 2026-11-02         # date, or date and time (without a zone: UTC), from which it holds
      updated_by: text
      targets: [...]              # ours, optional: see scope.py
      covers_unread: true         # ours, optional: also where a program should have reviewed the control
      approved_by: text           # ours, optional: with `approved` and `ticket`, see approval.py

SAF's rule: an attestation adds its status to a control that is Not Reviewed, and leaves every other control alone;
ids match whatever the case of their letters. One whose time is over counts for nothing, and is shown as skipped.

Ours is stricter: it speaks only where no program could have known, so for a manual control. A container decides what
can be read of it, and must not choose by that which controls are judged. An entry with `covers_unread` speaks there too.

Unlike SAF, which takes such a file without a word, these are errors: a key that is missing or not known, a status other
than passed and failed, a date that cannot be read (SAF: it never expires), a frequency in units that it does not know
(SAF: 6 minutes are 6 months). And one that is dated in the future counts for nothing yet.
"""

from __future__ import annotations

import calendar
import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..editor_schema import SAID, Schema, closed_object, described, list_of, whole_text
from ..errors import ScanError
from ..safe_text import one_line
from ..suggestions import unknown_name
from ..times import api_time, beginning_of, parse_written
from .approval import APPROVAL_KEYS, NO_APPROVAL, Approval, approval_schema, date_schema, read_approval
from .exception_policy import NO_POLICY, ExceptionPolicy
from .hdf import hdf_control
from .model import (
    SEGMENT_FAILED,
    SEGMENT_PASSED,
    SEGMENT_SKIPPED,
    ControlResult,
    ProfileResult,
    Segment,
)
from .notes import (
    ATTESTATION,
    COVERED_UNREAD,
    EXPIRED,
    NOT_COUNTED,
    NOT_COVERED,
    NOT_NEEDED,
    NOT_YET,
    UNKNOWN_CONTROL,
    Note,
)
from .scope import Scope, read_scope, scope_schema
from .status import NOT_REVIEWED, control_status
from .strict_yaml import load_yaml

_FIELDS = ("control_id", "explanation", "frequency", "status", "updated", "updated_by")
_COVERS_UNREAD = "covers_unread"
_KEYS = (*_FIELDS, "targets", _COVERS_UNREAD, *APPROVAL_KEYS)
# SAF's words -> (months, days)
_WORDS: dict[str, tuple[int, int]] = {
    "annually": (12, 0),
    "semiannually": (6, 0),
    "quarterly": (3, 0),
    "monthly": (1, 0),
    "every2weeks": (0, 14),
    "fortnightly": (0, 14),
    "weekly": (0, 7),
    "every3days": (0, 3),
    "daily": (0, 1),
}
_NUMBER = re.compile(
    r"([0-9]{1,4}(?:\.[0-9]{1,4})?) {0,3}(?:(d)(?:ays?)?|(w)(?:eeks?)?|(m)(?:onths?)?|(y)(?:ears?)?)"
)
# A controller's clock may be a little behind the one of whoever wrote the file.
_CLOCK_SKEW = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Attestation:
    """One entry. `starts` and `ends` are the times in UTC between which it holds.

    `covers_unread`: whether it also speaks where a program should have reviewed the control.
    """

    control_id: str
    explanation: str
    frequency: str
    status: str
    updated: str
    updated_by: str
    starts: datetime.datetime
    ends: datetime.datetime
    scope: Scope
    covers_unread: bool = False
    approval: Approval = NO_APPROVAL

    def names(self, control: ControlResult) -> bool:
        return self.control_id.lower() == control.id.lower()

    def speaks_of(self, control: ControlResult) -> bool:
        """Whether it is meant for the control, when that is Not Reviewed."""
        return control.manual or self.covers_unread

    def has_expired(self, now: datetime.datetime) -> bool:
        return self.ends < now

    def is_of_the_future(self, now: datetime.datetime) -> bool:
        return self.starts > now + _CLOCK_SKEW

    def why_not(self, now: datetime.datetime, policy: ExceptionPolicy = NO_POLICY) -> str:
        """Why it counts for nothing now, as a sentence without its end; empty for one in force."""
        if self.has_expired(now):
            return f"Attestation expired on {end_text(self.ends)}"
        if self.is_of_the_future(now):
            return f"Attestation counts for nothing: it is dated {self.updated}, which is to come"
        objection = self.objection(now, policy)
        return f"Attestation counts for nothing: {objection}" if objection else ""

    def objection(self, now: datetime.datetime, policy: ExceptionPolicy) -> str:
        """Why it counts for nothing though it has not expired; empty where nothing speaks against it."""
        return policy.objection_to_attestation(self.approval, self.updated_by, self.starts, self.ends, now)

    def note(self, kind: str, text: str, colon: str = "") -> Note:
        return Note(ATTESTATION, self.control_id, kind, f"{self.control_id}{colon} {text}")

    def as_dict(self) -> dict[str, str]:
        """As SAF keeps it in a document, and the approval."""
        return {**{name: getattr(self, name) for name in _FIELDS}, **self.approval.to_json()}


@dataclass(frozen=True)
class Attestations:
    source: str
    entries: tuple[Attestation, ...]


def attestations_schema() -> Schema:
    """Of a file of attestations."""
    approval, together = approval_schema(*APPROVAL_KEYS)
    numbers = whole_text(_NUMBER.pattern, blanks=True)
    keys: dict[str, Schema] = {
        "control_id": described(SAID, "the control, whatever the case of its letters"),
        "explanation": described(SAID, "how it was checked"),
        "frequency": {
            "anyOf": [{"enum": list(_WORDS)}, numbers],
            "description": "how long it holds: a word, or a number with d, w, m or y such as 90d",
        },
        "status": {"enum": [SEGMENT_PASSED, SEGMENT_FAILED], "description": "what was found"},
        "updated": date_schema("when it was checked, such as 2026-11-02"),
        "updated_by": described(SAID, "who has checked it"),
        "targets": scope_schema(),
        _COVERS_UNREAD: {
            "type": "boolean",
            "description": "also where a program should have reviewed the control and could not read it",
        },
        **approval,
    }
    entry = closed_object({name: keys[name] for name in _KEYS}, _FIELDS)
    return list_of({**entry, "dependencies": together})


def load_attestations(content: str | Sequence[Any], source: str) -> Attestations:
    """The attestations in a file's text (YAML or JSON) or in a list; `source` names it in errors.

    :raises ScanError: `bad_attestations`, naming the entry, for any other shape; a file without entries is an error too
    """
    loaded = load_yaml(content, source, "bad_attestations") if isinstance(content, str) else content
    if not isinstance(loaded, list) or not loaded:
        raise _bad(source, "must be a list of attestations" if loaded else "has no attestations")
    return Attestations(
        source, tuple(_attestation(number, entry, source) for number, entry in enumerate(loaded, 1))
    )


def _attestation(number: int, entry: Any, source: str) -> Attestation:
    def refuse(what: str) -> ScanError:
        name = entry.get("control_id") if isinstance(entry, Mapping) else None
        return _bad(
            source, "entry {}{}: {}".format(number, f" ({name})" if isinstance(name, str) else "", what)
        )

    if not isinstance(entry, Mapping):
        raise refuse("must hold {}".format(", ".join(_FIELDS)))
    for key in entry:
        if key not in _KEYS:
            raise refuse(unknown_name("key", key, _KEYS))
    fields: dict[str, str] = {}
    for name in _FIELDS:
        value = entry.get(name)
        if isinstance(value, (datetime.date, datetime.datetime)):  # YAML reads a date without quotes as one
            value = value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise refuse(f"{name} (text) is required")
        fields[name] = value
    if fields["status"] not in (SEGMENT_PASSED, SEGMENT_FAILED):
        raise refuse(
            "status must be passed or failed, found {!r}; to set a control aside, waive it".format(
                fields["status"]
            )
        )
    starts = _time(fields["updated"])
    if starts is None:
        raise refuse("updated must be a date such as 2026-11-02, found {!r}".format(fields["updated"]))
    length = _length(fields["frequency"])
    if length is None:
        raise refuse(
            "frequency must be one of {}, or a number with d, w, m or y such as 90d, found {!r}".format(
                ", ".join(_WORDS), fields["frequency"]
            )
        )
    covers_unread = entry.get(_COVERS_UNREAD, False)
    if not isinstance(covers_unread, bool):
        raise refuse(f"{_COVERS_UNREAD} must be true or false, found {covers_unread!r}")
    try:
        ends = _add(starts, *length)
    except (OverflowError, ValueError):
        raise refuse("frequency {} is too long".format(fields["frequency"])) from None
    approval = read_approval(entry, refuse)
    if approval.is_older_than(starts):
        raise refuse(
            f"it was approved on {approval.approved_text}, before it was attested on {fields['updated']}"
        )
    return Attestation(
        starts=starts,
        ends=ends,
        scope=read_scope(entry, refuse),
        covers_unread=covers_unread,
        approval=approval,
        **fields,
    )


def _time(text: str) -> datetime.datetime | None:
    try:
        return beginning_of(parse_written(text))
    except ValueError:
        return None


def end_text(ends: datetime.datetime) -> str:
    """Such as 2026-11-02, or 2026-11-02T10:30:00Z where the attestation has a time of the day."""
    return api_time(ends) if ends.time() != datetime.time() else ends.date().isoformat()


def attestation_end(updated: str, frequency: str) -> datetime.datetime | None:
    """When an attestation of that date and frequency stops to hold, in UTC; None where one of them cannot be read."""
    starts, length = _time(updated), _length(frequency)
    try:
        return _add(starts, *length) if starts and length else None
    except (OverflowError, ValueError):
        return None


def _length(frequency: str) -> tuple[int, int] | None:
    """(months, days); broken numbers are rounded to whole months and days, halves up, as SAF does."""
    if frequency in _WORDS:
        return _WORDS[frequency]
    match = _NUMBER.fullmatch(frequency.strip())
    if match is None:
        return None
    number = float(match.group(1))
    unit = next(group for group in match.groups()[1:] if group)
    months = {"y": 12 * number, "m": number}.get(unit, 0)
    days = {"w": 7 * number, "d": number}.get(unit, 0)
    return math.floor(months + 0.5), math.floor(days + 0.5)


def _add(time: datetime.datetime, months: int, days: int) -> datetime.datetime:
    """A day that a month lacks becomes the month's last."""
    month = time.month - 1 + months
    year, month = time.year + month // 12, month % 12 + 1
    day = min(time.day, calendar.monthrange(year, month)[1])
    return time.replace(year=year, month=month, day=day) + datetime.timedelta(days=days)


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_attestations", f"{source}: {what}", tried="read attestations")


def apply_attestations(
    profiles: Sequence[ProfileResult],
    attestations: Attestations,
    now: datetime.datetime,
    identity: Mapping[str, Any],
    policy: ExceptionPolicy = NO_POLICY,
) -> list[Note]:
    """Adds a segment and `attestation_data` to every Not Reviewed control that an attestation of this target speaks of.

    :param now: with its time zone
    :param identity: `Target.identity()`
    :returns: what the operator should know: expired ones, those of the future or not approved, those that name a
        control of none of these profiles, one that was judged, or one that was not read
    """
    entries = [entry for entry in attestations.entries if entry.scope.covers(identity)]
    found = [
        (control, control_status(hdf_control(control)) == NOT_REVIEWED)
        for profile in profiles
        for control in profile.controls
        if any(entry.names(control) for entry in entries)
    ]
    for control, is_open in found:
        if is_open:
            own = [entry for entry in entries if entry.names(control) and entry.speaks_of(control)]
            _attest(control, own, now, policy)
    notes: list[Note] = []
    for entry in entries:
        named = [(control, is_open) for control, is_open in found if entry.names(control)]
        notes += _notes(entry, bool(named), [control for control, is_open in named if is_open], now, policy)
    return notes


def _attest(
    control: ControlResult, entries: Sequence[Attestation], now: datetime.datetime, policy: ExceptionPolicy
) -> None:
    """As SAF has it, the last entry stands in the control's data. One that is objected to, only where no other does."""
    for entry in entries:
        if entry.is_of_the_future(now):
            continue
        objection = "" if entry.has_expired(now) else entry.objection(now, policy)
        if objection:
            control.results = [*control.results, _objected(objection, now)]
            if not control.attestation_data:
                message = f"Attestation counts for nothing: {objection}"
                control.attestation_data = dict(entry.as_dict(), message=message)
            continue
        control.results = [*control.results, _segment(entry, now)]
        control.attestation_data = entry.as_dict()


def _objected(objection: str, now: datetime.datetime) -> Segment:
    text = f"Manually verified status counts for nothing: {objection}"
    return Segment(SEGMENT_SKIPPED, text, now.isoformat(timespec="milliseconds"), skip_message=text)


def _segment(entry: Attestation, now: datetime.datetime) -> Segment:
    """In SAF's words."""
    expired = entry.has_expired(now)
    message = "{}:\n{}: {}\n{}: {}\n\nUpdated: {}\nUpdated By: {}\nFrequency: {}".format(
        "Expired Attestation" if expired else "Attestation",
        "Expired Status" if expired else "Status",
        entry.status,
        "Expired Explanation" if expired else "Explanation",
        entry.explanation,
        entry.updated,
        entry.updated_by,
        entry.frequency,
    )
    code_desc = (
        "Manual verification status provided through attestation has expired"
        if expired
        else "Manually verified status provided through attestation"
    )
    return Segment(
        SEGMENT_SKIPPED if expired else entry.status,
        code_desc,
        now.isoformat(timespec="milliseconds"),
        message=message,
    )


def _notes(
    entry: Attestation,
    is_named: bool,
    were_open: Sequence[ControlResult],
    now: datetime.datetime,
    policy: ExceptionPolicy,
) -> list[Note]:
    """:param is_named: whether a control has its id. :param were_open: those that were Not Reviewed"""
    who = f"attestation by {entry.updated_by}"
    if not is_named:
        return [entry.note(UNKNOWN_CONTROL, "names no control of the chosen profiles")]
    if entry.has_expired(now):
        text = f"the attestation of {entry.updated} by {entry.updated_by} expired on {end_text(entry.ends)}"
        return [entry.note(EXPIRED, f"{text} and counts for nothing", ":")]
    if entry.is_of_the_future(now):
        text = f"the {who} is dated {entry.updated}, which is to come, and counts for nothing yet"
        return [entry.note(NOT_YET, text, ":")]
    if objection := entry.objection(now, policy):
        return [entry.note(NOT_COUNTED, f"the {who} counts for nothing: {one_line(objection)}", ":")]
    if not were_open:
        return [entry.note(NOT_NEEDED, f"was judged on some targets; its {who} counts for nothing there")]
    if not all(map(entry.speaks_of, were_open)):
        text = f"could not be read on some targets; its {who} counts for nothing there"
        return [entry.note(NOT_COVERED, f"{text}, because it does not say {_COVERS_UNREAD}")]
    if not all(control.manual for control in were_open):
        return [entry.note(COVERED_UNREAD, f"could not be read on some targets; its {who} decides there")]
    return []
