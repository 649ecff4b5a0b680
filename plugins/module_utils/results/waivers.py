# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: accepted exceptions in InSpec's waiver file format, applied to judged profiles.

    control-id:
      justification: text, required
      run: false                   # the control counts as Not Applicable; true or absent: it is judged as ever
      expiration_date: 2027-01-31  # from the beginning of this day (UTC) the waiver counts for nothing; or a time
      owner: text, optional        # who accepted the risk; InSpec keeps it, too
      requested_by: ...            # ours, optional: see approval.py
      targets: [...]               # ours, optional: see scope.py

As in InSpec, a date means its beginning, so that day itself is expired, and a time means that moment. InSpec takes both
in the zone of its machine where none is named; here that is UTC.

Unlike InSpec, a waiver without justification and a key that is not known are errors: a typo in `expiration_date` would
make a waiver that never ends.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..editor_schema import SAID, Schema, closed_object, described
from ..errors import ScanError
from ..safe_text import one_line
from ..suggestions import unknown_name
from ..times import beginning_of, written_date, written_text
from .approval import (
    APPROVAL_KEYS,
    NO_APPROVAL,
    REQUEST_KEYS,
    Approval,
    approval_schema,
    date_schema,
    read_approval,
)
from .exception_policy import NO_POLICY, ExceptionPolicy
from .hdf import hdf_control
from .model import SEGMENT_SKIPPED, ProfileResult, Segment
from .notes import EXPIRED, NOT_COUNTED, UNKNOWN_CONTROL, WAIVER, Note
from .scope import EVERY_TARGET, Scope, read_scope, scope_schema
from .status import control_status
from .strict_yaml import load_yaml

_KEYS = ("justification", "run", "expiration_date", "owner", "targets", *REQUEST_KEYS, *APPROVAL_KEYS)


# What a control that is set aside would be: a waiver that hides a pass is not needed any more.
STATUS_WITHOUT_WAIVER = "status_without_waiver"


@dataclass(frozen=True)
class Waiver:
    """One entry. `run` is None where the file does not say. `expiration_date` is a date, or a datetime in UTC."""

    control_id: str
    justification: str
    run: bool | None = None
    expiration_date: datetime.date | None = None
    owner: str = ""
    scope: Scope = EVERY_TARGET
    approval: Approval = NO_APPROVAL

    def has_expired(self, now: datetime.datetime) -> bool:
        return self.expiration_date is not None and beginning_of(self.expiration_date) <= now

    def why_not(self, now: datetime.datetime, policy: ExceptionPolicy = NO_POLICY) -> str:
        """Why it counts for nothing now, as a sentence without its end; empty for one in force."""
        if self.has_expired(now):
            return f"Waiver expired on {self.expiry}"
        ends = None if self.expiration_date is None else beginning_of(self.expiration_date)
        objection = policy.objection_to_waiver(self.approval, ends, now)
        return f"Waiver counts for nothing: {objection}" if objection else ""

    @property
    def expiry(self) -> str:
        """Such as 2027-01-31 or 2027-01-31T12:00:00Z, empty for a waiver without end."""
        return "" if self.expiration_date is None else written_text(self.expiration_date)


@dataclass(frozen=True)
class Waivers:
    source: str
    by_control: Mapping[str, Waiver]


def waivers_schema() -> Schema:
    """Of a file of waivers."""
    approval, together = approval_schema(*REQUEST_KEYS, *APPROVAL_KEYS)
    keys: dict[str, Schema] = {
        "justification": described(SAID, "why the control is waived"),
        "run": {
            "type": ["boolean", "null"],
            "description": "false: the control is set aside; true, or no such key: it is judged, and its failure is waived",
        },
        "expiration_date": date_schema(
            "from when the waiver counts for nothing, such as 2027-01-31; no end without this key"
        ),
        "owner": {"type": "string", "description": "who answers for the waiver"},
        "targets": scope_schema(),
        **approval,
    }
    waiver = closed_object({name: keys[name] for name in _KEYS}, ["justification"])
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {**waiver, "dependencies": together},
        "description": "ids of controls with their waivers",
    }


def load_waivers(content: str | Mapping[str, Any], source: str) -> Waivers:
    """The waivers in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: `bad_waivers`, naming the entry, for any other shape; a file without entries is an error too
    """
    loaded = load_yaml(content, source, "bad_waivers") if isinstance(content, str) else content
    if not isinstance(loaded, Mapping) or not loaded:
        raise _bad(source, "must be control ids with their waivers" if loaded else "has no waivers")
    waivers = {}
    for control_id, entry in loaded.items():
        if not isinstance(control_id, str):
            raise _bad(source, f"control id {control_id!r} is not text; put it in quotes")
        waivers[control_id] = _waiver(control_id, entry, source)
    return Waivers(source, waivers)


def _waiver(control_id: str, entry: Any, source: str) -> Waiver:
    if not isinstance(entry, Mapping):
        raise _bad(source, f"{control_id} must hold justification, run and expiration_date")
    for key in entry:
        if key not in _KEYS:
            raise _bad(source, f"{control_id}: {unknown_name('key', key, _KEYS)}")
    justification = entry.get("justification")
    if not isinstance(justification, str) or not justification.strip():
        raise _bad(source, f"{control_id}: a justification (text) is required")
    run = entry.get("run")
    if run is not None and not isinstance(run, bool):
        raise _bad(source, f"{control_id}: run must be true or false, found {run!r}")
    owner = entry.get("owner", "")
    if not isinstance(owner, str):
        raise _bad(source, f"{control_id}: owner must be text, found {owner!r}")
    if "expiration_date" in entry and entry["expiration_date"] is None:
        raise _bad(
            source, f"{control_id}: expiration_date is empty; leave the key out for a waiver without end"
        )

    def refuse(what: str) -> ScanError:
        return _bad(source, f"{control_id}: {what}")

    return Waiver(
        control_id,
        justification,
        run,
        _expiration_date(control_id, entry.get("expiration_date"), source),
        owner,
        read_scope(entry, refuse),
        read_approval(entry, refuse),
    )


def _expiration_date(control_id: str, value: Any, source: str) -> datetime.date | None:
    """A day, or a moment in UTC."""
    if value is None:
        return None
    try:
        return written_date(value)
    except ValueError:
        raise _bad(
            source,
            f"{control_id}: expiration_date must be a date such as 2027-01-31, found {value!r}; a time, such as "
            "2027-01-31T18:00:00+01:00, is possible, too",
        ) from None


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_waivers", f"{source}: {what}", tried="read waivers")


def apply_waivers(
    profiles: Sequence[ProfileResult],
    waivers: Waivers,
    now: datetime.datetime,
    identity: Mapping[str, Any],
    policy: ExceptionPolicy = NO_POLICY,
) -> list[Note]:
    """Sets `waiver_data` of every control that a waiver of this target names, and skips it where the waiver says so.

    A control that is skipped loses its segments for one that gives the justification, as if it had not run: an error
    or a failure in it counts for nothing. Its status without the waiver is kept in the data.

    :param now: with its time zone. :param identity: `Target.identity()`.
    :returns: waivers that have expired or are not approved as the policy wants it, and those that name a control of none of
        these profiles
    """
    notes = []
    named = set()
    entries = {
        control_id: waiver
        for control_id, waiver in waivers.by_control.items()
        if waiver.scope.covers(identity)
    }
    for profile in profiles:
        for control in profile.controls:
            waiver = entries.get(control.id)
            if waiver is None:
                continue
            named.add(control.id)
            why_not = waiver.why_not(now, policy)
            skips = waiver.run is False and not why_not
            without = control_status(hdf_control(control))
            control.waiver_data = waiver_data(waiver, why_not, skips)
            if skips:
                control.waiver_data[STATUS_WITHOUT_WAIVER] = without
                start_time = control.results[0].start_time if control.results else ""
                control.results = [
                    Segment(
                        SEGMENT_SKIPPED,
                        "Waived",
                        start_time,
                        skip_message=f"Skipped because of a waiver: {waiver.justification}",
                    )
                ]
    for waiver in entries.values():
        if waiver.control_id not in named:
            notes.append(
                Note(
                    WAIVER,
                    waiver.control_id,
                    UNKNOWN_CONTROL,
                    f"{waiver.control_id} names no control of the chosen profiles",
                )
            )
        elif waiver.has_expired(now):
            notes.append(
                Note(
                    WAIVER,
                    waiver.control_id,
                    EXPIRED,
                    f"{waiver.control_id}: the waiver expired on {waiver.expiry} and counts for nothing",
                )
            )
        elif why_not := waiver.why_not(now, policy):
            text = f"{waiver.control_id}: the {why_not[0].lower()}{one_line(why_not[1:])}"
            notes.append(Note(WAIVER, waiver.control_id, NOT_COUNTED, text))
    return notes


def waiver_data(waiver: Waiver, why_not: str, skips: bool) -> dict[str, Any]:
    """As InSpec writes it; a key that the file does not have is left out."""
    data: dict[str, Any] = {"justification": waiver.justification}
    if waiver.run is not None:
        data["run"] = waiver.run
    if waiver.expiration_date is not None:
        data["expiration_date"] = waiver.expiry
    if waiver.owner:
        data["owner"] = waiver.owner
    data.update(waiver.approval.to_json())
    return dict(
        data, skipped_due_to_waiver=skips, message=f"{why_not}, the control was judged" if why_not else ""
    )
