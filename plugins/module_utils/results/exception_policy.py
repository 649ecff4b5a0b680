# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which waivers and attestations count: rules of an organisation, off unless they are given.

    approval: true                     # somebody else than who requested it must have approved it
    approvers: [security@shop.example] # and be one of these; a name counts as it is written here
    max_days: 180                      # a waiver ends at most that long after its approval
    attestation_max_days: 366          # an attestation holds at most that long
    ticket: true                       # a ticket must be named

An entry that breaks a rule counts for nothing: its control is judged as ever, and the results say why.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..editor_schema import Schema, closed_object, described, list_of
from ..errors import ScanError
from ..safe_text import one_line
from ..suggestions import unknown_name
from .approval import Approval
from .strict_yaml import load_yaml

_SWITCHES = ("approval", "ticket")
_DAYS = ("max_days", "attestation_max_days")
_KEYS = (*_SWITCHES, "approvers", *_DAYS)
_MAX_DAYS = 3660
_MOST_APPROVERS = 1000
_LONGEST = 500


@dataclass(frozen=True)
class ExceptionPolicy:
    """`approvers` is None where anybody may approve; a list of them asks for an approval, too."""

    approval: bool = False
    approvers: tuple[str, ...] | None = None
    max_days: int | None = None
    attestation_max_days: int | None = None
    ticket: bool = False

    def objection_to_waiver(
        self, approval: Approval, ends: datetime.datetime | None, now: datetime.datetime
    ) -> str:
        """Why a waiver counts for nothing; empty where nothing speaks against it.

        :param ends: from when it counts for nothing, None for one without end. :param now: with its time zone
        """
        return (
            approval.objection(now)
            or self._objection(approval, approval.requested_by)
            or _too_long(self.max_days, approval.starts, ends)
        )

    def objection_to_attestation(
        self,
        approval: Approval,
        attested_by: str,
        starts: datetime.datetime,
        ends: datetime.datetime,
        now: datetime.datetime,
    ) -> str:
        """The same for an attestation. Who attests does not approve."""
        return (
            approval.objection(now)
            or self._objection(approval, attested_by)
            or _too_long(self.attestation_max_days, starts, ends)
        )

    def _objection(self, approval: Approval, requester: str) -> str:
        if self.approval or self.approvers is not None:
            if not approval.approved_by:
                return "nobody has approved it"
            if not requester:
                return f"it does not say who requested it, so {approval.approved_by} perhaps approved a request of their own"
            if approval.is_by(requester):
                return f"{approval.approved_by} has approved a request of their own"
        if self.approvers is not None and approval.approved_by not in self.approvers:
            return f"{approval.approved_by} approved it, who is not among the approvers"
        return "it names no ticket" if self.ticket and not approval.ticket else ""


NO_POLICY = ExceptionPolicy()


def _too_long(most: int | None, starts: datetime.datetime | None, ends: datetime.datetime | None) -> str:
    if most is None:
        return ""
    if ends is None:
        return f"it has no end, and at most {most} days are allowed"
    if starts is None:
        return f"it says neither when it was requested nor when it was approved, and at most {most} days are allowed"
    days = (ends - starts).total_seconds() / 86_400
    return f"it lasts {days:.0f} days, and at most {most} are allowed" if days > most else ""


def exception_policy_schema() -> Schema:
    """Of a policy's file."""
    days: Schema = {"type": "integer", "minimum": 1, "maximum": _MAX_DAYS}
    name: Schema = {"type": "string", "pattern": r"\S", "maxLength": _LONGEST}
    keys = {
        "approval": {"type": "boolean", "description": "somebody else than who asked must have approved"},
        "ticket": {"type": "boolean", "description": "a ticket must be named"},
        "approvers": described(list_of(name, most=_MOST_APPROVERS), "who may approve"),
        "max_days": described(days, "a waiver ends at most so many days after its approval"),
        "attestation_max_days": described(days, "an attestation holds at most so many days"),
    }
    nobody_asked = {"required": ["approval", "approvers"], "properties": {"approval": {"const": False}}}
    return {**closed_object({key: keys[key] for key in _KEYS}, least=1), "not": nobody_asked}


def load_exception_policy(content: str | Mapping[str, Any], source: str) -> ExceptionPolicy:
    """The policy in a file's text (YAML or JSON) or in a mapping; `source` names it in errors.

    :raises ScanError: bad_exception_policy, for any other shape, and for a policy that asks for nothing
    """
    loaded = load_yaml(content, source, "bad_exception_policy") if isinstance(content, str) else content
    if not isinstance(loaded, Mapping) or not loaded:
        raise _bad(source, f"must hold some of {', '.join(_KEYS)}")
    for key in loaded:
        if key not in _KEYS:
            raise _bad(source, unknown_name("key", key, _KEYS))
    for key in _SWITCHES:
        if not isinstance(loaded.get(key, False), bool):
            raise _bad(source, f"{key} must be true or false, found {loaded[key]!r}")
    days = {key: _days(key, loaded[key], source) for key in _DAYS if key in loaded}
    approvers = _approvers(loaded["approvers"], source) if "approvers" in loaded else None
    if approvers is not None and loaded.get("approval") is False:
        raise _bad(source, "approval is false, and approvers are named: nobody would be asked")
    return ExceptionPolicy(
        approval=loaded.get("approval", False),
        approvers=approvers,
        ticket=loaded.get("ticket", False),
        **days,
    )


def _days(key: str, value: Any, source: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_DAYS:
        raise _bad(source, f"{key} must be a whole number from 1 to {_MAX_DAYS}, found {value!r}")
    return value


def _approvers(value: Any, source: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_APPROVERS:
        raise _bad(source, f"approvers must be a list of 1 to {_MOST_APPROVERS} names")
    for name in value:
        if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST:
            raise _bad(
                source, f"approvers: a name must be text of at most {_LONGEST} characters, found {name!r}"
            )
    return tuple(name.strip() for name in value)


def _bad(source: str, what: str) -> ScanError:
    return ScanError(
        "bad_exception_policy", f"{source}: {one_line(what, 1000)}", tried="read the policy of exceptions"
    )
