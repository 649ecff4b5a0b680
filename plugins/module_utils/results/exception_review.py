# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A review of waivers and attestations against the results that they are for: which of them need somebody, and why.

Where no file is given, those are reviewed that the results carry; of these it cannot be known which match nothing. What the
results do not show is not claimed: without a judged container no entry is called unused.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..safe_text import one_line
from ..text_layout import number_of
from ..times import api_time, beginning_of, parse_written
from .amendments import Amendments
from .attestations import Attestation
from .exception_record import ExceptionRecord, attestation_record, waiver_record
from .notes import ATTESTATION, WAIVER
from .place import Place
from .scope import EVERY_TARGET, Scope
from .status import FAILED, PASSED
from .verdicts import TargetVerdicts, Verdict
from .waivers import STATUS_WITHOUT_WAIVER, Waiver, waiver_data

EXPIRED = "expired"
NOT_COUNTED = "not_counted"
ORPHANED = "orphaned"
UNUSED = "unused"
HIDING = "hides_pass"
NOT_NEEDED = "not_needed"
EXPIRING = "expiring"
TOO_WIDE = "too_wide"
LONG_LIVED = "long_lived"
# The most urgent first.
FINDING_KINDS = (
    EXPIRED,
    NOT_COUNTED,
    ORPHANED,
    UNUSED,
    HIDING,
    NOT_NEEDED,
    EXPIRING,
    TOO_WIDE,
    LONG_LIVED,
)
_LONGEST_ID = 200
_LONGEST_SCOPE = 300
_MOST_PROFILES = 5


@dataclass(frozen=True)
class ReviewRules:
    """`expiring_days`: what ends within them is told. `wide_places`: an entry for more places is too wide. `long_days`: one that
    lasts longer is long-lived. `kinds`: those of FINDING_KINDS that are looked for."""

    expiring_days: int = 30
    wide_places: int = 50
    long_days: int = 366
    kinds: tuple[str, ...] = FINDING_KINDS


@dataclass(frozen=True)
class ReviewFinding:
    """`kind` is one of FINDING_KINDS, `text` says why, to go on after the entry's name."""

    kind: str
    text: str


@dataclass(frozen=True)
class ReviewedException:
    """One entry. `scope` is text, empty for every target (and where only the results know of the entry). `containers` and
    `places` are those of the results on which it names a control. `days_left` and `age` are None where they are not known."""

    control_id: str
    record: ExceptionRecord
    scope: str
    containers: int
    places: int
    days_left: int | None
    age: int | None
    findings: tuple[ReviewFinding, ...]

    def to_json(self) -> dict[str, Any]:
        record = self.record
        names = (
            "reason",
            "owner",
            "requested_by",
            "requested",
            "approved_by",
            "approved",
            "ticket",
            "expires",
        )
        return {
            "about": record.kind,
            "control_id": self.control_id,
            **{name: getattr(record, name) for name in names},
            "days_left": self.days_left,
            "age_days": self.age,
            "scope": self.scope,
            "in_force": not record.why_not,
            "why_not": record.why_not,
            "containers": self.containers,
            "places": self.places,
            "findings": [{"kind": one.kind, "text": one.text} for one in self.findings],
        }


@dataclass(frozen=True)
class Review:
    """`entries`: those that need somebody first, the most urgent of them first. `containers` were looked at, `judged` of them
    have results. `unread` says which results could not be taken."""

    entries: Sequence[ReviewedException]
    containers: int
    judged: int
    unread: Sequence[str]

    @property
    def counts(self) -> dict[str, int]:
        """How many entries have a finding of each kind."""
        return {
            kind: sum(any(found.kind == kind for found in one.findings) for one in self.entries)
            for kind in FINDING_KINDS
        }

    @property
    def needing(self) -> int:
        """How many entries need somebody."""
        return sum(bool(one.findings) for one in self.entries)


@dataclass
class _Seen:
    """What the results say of one entry."""

    control_id: str
    record: ExceptionRecord
    scope: Scope = EVERY_TARGET
    is_of_file: bool = True
    is_here: bool = False  # it is for the target that is being taken
    in_scope: int = 0
    containers: int = 0
    places: set[str] = field(default_factory=set)
    without: Counter[str] = field(default_factory=Counter)  # status without the entry -> containers


class ExceptionReviewer:
    """Takes targets one at a time. `now` has its time zone."""

    def __init__(self, amendments: Amendments, rules: ReviewRules, now: datetime.datetime) -> None:
        self._rules = rules
        self._now = now
        self._waivers: dict[str, _Seen] = {}
        self._attestations: dict[str, list[_Seen]] = {}
        self._has_files = amendments.waivers is not None or amendments.attestations is not None
        self._of_results: dict[tuple[str, ExceptionRecord], _Seen] = {}
        self._profiles: dict[str, None] = {}
        self._controls: set[str] = set()
        self._containers = 0
        self._judged = 0
        self._unread: list[str] = []
        for waiver in amendments.waivers.by_control.values() if amendments.waivers else ():
            why_not = waiver.why_not(now, amendments.policy)
            seen = _Seen(waiver.control_id, _record_of(waiver, why_not), waiver.scope)
            self._waivers[waiver.control_id] = seen
        for entry in amendments.attestations.entries if amendments.attestations else ():
            seen = _Seen(entry.control_id, _record_of_attestation(entry, amendments, now), entry.scope)
            self._attestations.setdefault(entry.control_id.lower(), []).append(seen)

    def take(self, target: TargetVerdicts) -> None:
        """One target of the results."""
        self._containers += 1
        if target.unread:
            self._unread.append(target.unread)
        self._judged += bool(target.controls)
        identity = target.record.identity()
        place = Place.of(target.record).id
        for seen in self._of_files():
            seen.is_here = seen.scope.covers(identity)
            seen.in_scope += seen.is_here
        for verdict in target.controls:
            self._profiles[verdict.about.profile] = None
            self._controls.add(verdict.about.id)
            waiver = self._waivers.get(verdict.about.id)
            if waiver is not None and waiver.is_here:
                _count(waiver, place, _without_waiver(verdict))
            for seen in self._attestations.get(verdict.about.id.lower(), ()):
                if seen.is_here:
                    _count(seen, place, "" if verdict.attestation else verdict.status)
            if not self._has_files:
                self._take_of_results(place, verdict)

    def review(self) -> Review:
        """What was found in all that was taken."""
        entries = [self._reviewed(seen) for seen in (*self._of_files(), *self._of_results.values())]
        entries.sort(key=_urgency)
        return Review(tuple(entries), self._containers, self._judged, tuple(self._unread))

    def _of_files(self) -> Iterator[_Seen]:
        yield from self._waivers.values()
        for entries in self._attestations.values():
            yield from entries

    def _take_of_results(self, place: str, verdict: Verdict) -> None:
        for record in verdict.exceptions:
            seen = self._of_results.setdefault(
                (verdict.about.id, record), _Seen(verdict.about.id, record, is_of_file=False)
            )
            _count(seen, place, _without_waiver(verdict) if record.kind == WAIVER else "")

    def _reviewed(self, seen: _Seen) -> ReviewedException:
        now = api_time(self._now)
        record = seen.record
        findings = [found for found in self._findings(seen) if found.kind in self._rules.kinds]
        return ReviewedException(
            control_id=one_line(seen.control_id, _LONGEST_ID),
            record=record,
            scope=one_line(seen.scope.text(), _LONGEST_SCOPE),
            containers=seen.containers,
            places=len(seen.places),
            days_left=record.days_left(now),
            age=record.age(now),
            findings=tuple(sorted(findings, key=lambda found: FINDING_KINDS.index(found.kind))),
        )

    def _findings(self, seen: _Seen) -> Iterator[ReviewFinding]:
        record = seen.record
        yield from self._time(record)
        if seen.is_of_file and self._judged:
            yield from self._use(seen)
        if seen.is_of_file and seen.scope.is_everywhere:
            yield ReviewFinding(TOO_WIDE, "is for every container of every cluster: give it targets")
        elif len(seen.places) > self._rules.wide_places:
            yield ReviewFinding(
                TOO_WIDE,
                f"is for {len(seen.places)} places, more than {self._rules.wide_places}: narrow its targets",
            )
        passes, of_all = seen.without[PASSED], seen.containers
        if record.kind == WAIVER and passes:
            where = "on all its containers" if passes == of_all else f"on {passes} of {of_all} containers"
            yield ReviewFinding(HIDING, f"its control passes anyway {where}: remove or narrow it")
        judged = seen.without[PASSED] + seen.without[FAILED]
        if record.kind == ATTESTATION and seen.is_of_file and judged:
            yield ReviewFinding(
                NOT_NEEDED, f"its control was judged by a program on {judged} of {of_all} containers"
            )

    def _time(self, record: ExceptionRecord) -> Iterator[ReviewFinding]:
        now = api_time(self._now)
        left = record.days_left(now)
        if _is_over(record, self._now):
            yield ReviewFinding(EXPIRED, f"expired on {record.expires}")
        elif record.why_not:
            yield ReviewFinding(NOT_COUNTED, record.why_not)
        elif left is not None and left <= self._rules.expiring_days:
            yield ReviewFinding(EXPIRING, f"ends in {number_of(left, 'day')}, on {record.expires}")
        if not record.expires:
            yield ReviewFinding(LONG_LIVED, "has no end: give it an expiration_date")
            return
        age = record.age(now) or 0
        if left is not None and age + left > self._rules.long_days:
            yield ReviewFinding(LONG_LIVED, f"lasts {age + left} days, more than {self._rules.long_days}")

    def _use(self, seen: _Seen) -> Iterator[ReviewFinding]:
        known = self._controls
        is_known = (
            seen.control_id in known
            if seen.record.kind == WAIVER
            else seen.control_id.lower() in {name.lower() for name in known}
        )
        if not is_known:
            profiles = [one_line(name, 100) for name in list(self._profiles)[:_MOST_PROFILES]]
            yield ReviewFinding(ORPHANED, f"names no control of {', '.join(profiles)}")
        elif not seen.in_scope:
            yield ReviewFinding(
                UNUSED, f"is for none of the {number_of(self._containers, 'container')} of these results"
            )
        elif not seen.containers:
            yield ReviewFinding(
                UNUSED,
                f"names a control that none of its {number_of(seen.in_scope, 'container')} has results of",
            )


def _record_of(waiver: Waiver, why_not: str) -> ExceptionRecord:
    data = waiver_data(waiver, why_not, waiver.run is False and not why_not)
    return waiver_record(dict(data, message=why_not), bool(data["skipped_due_to_waiver"]))


def _record_of_attestation(
    entry: Attestation, amendments: Amendments, now: datetime.datetime
) -> ExceptionRecord:
    why_not = entry.why_not(now, amendments.policy)
    return attestation_record(dict(entry.as_dict(), message=why_not), not why_not)


def _without_waiver(verdict: Verdict) -> str:
    """The status that the control would have; empty where the results do not say."""
    if not verdict.waived:
        return verdict.status
    return str((verdict.waiver or {}).get(STATUS_WITHOUT_WAIVER) or "")


def _is_over(record: ExceptionRecord, now: datetime.datetime) -> bool:
    try:
        ends = beginning_of(parse_written(record.expires))
    except ValueError:
        return False
    return ends <= now if record.kind == WAIVER else ends < now


def _count(seen: _Seen, place: str, without: str) -> None:
    seen.containers += 1
    seen.places.add(place)
    if without:
        seen.without[without] += 1


def _urgency(one: ReviewedException) -> tuple[int, int, str, str]:
    first = FINDING_KINDS.index(one.findings[0].kind) if one.findings else len(FINDING_KINDS)
    return first, 10**6 if one.days_left is None else one.days_left, one.control_id, one.record.kind
