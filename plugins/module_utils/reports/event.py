# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a run as events: one control of one target each, or that a target was not scanned.

A format of events is one file of this room, which event_registry.py lists; reports of lines and systems that take events use the
same ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Optional

from ..results.producer import COLLECTION
from ..results.run import Run
from ..results.status import NOT_REVIEWED, PROFILE_ERROR, SEVERITIES, STATUS_WORDS, WORST_FIRST
from ..results.target_record import IDENTITY, ErrorRecord, TargetRecord
from ..results.unmatched import Unmatched
from ..results.verdicts import ControlText, TargetVerdicts, Verdict, run_verdicts
from ..times import parse_rfc3339

# What an event says of a finding: it is told for the first time, again, or for the last time, because it no longer fails or its
# place is gone.
CREATED = "created"
UPDATED = "updated"
CLOSED = "closed"
ACTIVITIES: tuple[str, ...] = (CREATED, UPDATED, CLOSED)
# The control of ours that stands for a target of which there are no results.
NOT_SEEN = ControlText(
    COLLECTION,
    "target-scanned",
    "The container was scanned, and its results could be read",
    "high",
    "A container of which nothing is known does not count as one that passed.",
    "",
    "Look at the run's error for this container, remove its cause and scan again.",
    {},
    0.7,
)


@dataclass(frozen=True)
class EventSource:
    """The run that an event is from. `started` and `finished` are RFC 3339; `collection` and `version` are what wrote the run;
    `cluster_uid` is empty where it is not known. `profiles` maps the name of each profile to its SHA-256."""

    run_id: str
    started: str
    finished: str
    cluster: str
    cluster_uid: str
    collection: str
    version: str
    profiles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> EventSource:
        maker = run.collection
        return cls(
            run.run_id,
            run.started,
            run.finished,
            run.cluster,
            run.cluster_uid or "",
            maker.name,
            maker.version,
            {profile.name: profile.sha256 for profile in run.profiles},
        )


@dataclass(frozen=True)
class Event:
    """One control of a target, or the target itself: `verdict` is None where it was not scanned, where its document could not
    be taken, and where it has no control, because every profile was skipped. What formats say then: see `not_seen`."""

    target: TargetVerdicts
    verdict: Verdict | None = None

    @property
    def told(self) -> Verdict:
        return self.verdict or not_seen(self.target)

    @property
    def fingerprint(self) -> str:
        """The same for this control on that place, in every run, report and system."""
        return self.told.fingerprint(self.target.record.place_id)


_encoded = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
# So many controls, each with its status, are kept as they are written.
_MOST_KEPT = 20_000

# source, target, verdict (None for the target itself), one of ACTIVITIES -> plain JSON values, escaped as the format needs
Encode = Callable[[EventSource, TargetVerdicts, Optional[Verdict], str], "dict[str, Any]"]


@dataclass(frozen=True)
class EventParts:
    """How a format makes an event of parts, each with top-level keys of its own, so that what many events have in common is made
    once.

    `of_target` says what all events of a target have, `of_control` what all events of a control with that status have, and
    `of_verdict` the rest. For a verdict without text, waiver and attestation the rest differs from target to target only in the
    fingerprint, where it has one.
    """

    of_target: Callable[[EventSource, TargetVerdicts], Mapping[str, Any]]
    of_control: Callable[[ControlText, ControlStatus], Mapping[str, Any]]
    of_verdict: Callable[[EventSource, TargetVerdicts, Verdict, ControlStatus], Mapping[str, Any]]

    def encode(
        self, source: EventSource, target: TargetVerdicts, verdict: Verdict | None, activity: str
    ) -> dict[str, Any]:
        told = verdict or not_seen(target)
        status = ControlStatus.of(told, activity)
        return {
            **self.of_target(source, target),
            **self.of_control(told.about, status),
            **self.of_verdict(source, target, told, status),
        }


@dataclass(frozen=True)
class ControlStatus:
    """What became of a control, as far as many targets can have it in common."""

    status: str
    waived: bool
    attested: bool
    activity: str

    @classmethod
    def of(cls, verdict: Verdict, activity: str) -> ControlStatus:
        return cls(verdict.status, verdict.waived, verdict.attested, activity)

    @cached_property
    def words(self) -> str:
        """As people read it: Not Applicable (waived)."""
        marks = [mark for mark, is_so in (("waived", self.waived), ("attested", self.attested)) if is_so]
        word = STATUS_WORDS[self.status]
        return f"{word} ({', '.join(marks)})" if marks else word


@dataclass(frozen=True)
class EventFormat:
    """One format. `name` is what the option `format` calls it, `content_type` that of one event as JSON; `parts` where it is made
    of them."""

    name: str
    content_type: str
    encode: Encode
    parts: EventParts | None = None


# A control's text by its id, status, waived, attested, activity.
_Key = tuple[int, str, bool, bool, str]


class EventTexts:
    """Events of one run in one format as JSON, each on one line in ASCII."""

    def __init__(self, form: EventFormat, source: EventSource) -> None:
        self._form = form
        self._source = source
        # By the control's text, which is kept so that its id stays its own, and what became of it.
        self._controls: dict[_Key, tuple[ControlText, ControlStatus, str]] = {}
        self._plain: dict[_Key, tuple[str, str]] = {}
        self._target: tuple[TargetVerdicts | None, str] = (None, "")

    def text(self, event: Event, activity: str = CREATED) -> str:
        parts = self._form.parts
        if parts is None:
            return _encoded(self._form.encode(self._source, event.target, event.verdict, activity))
        told, about = event.told, event.told.about
        if self._target[0] is not event.target:
            self._target = event.target, _encoded(parts.of_target(self._source, event.target))[1:-1]
        key = id(about), told.status, told.waived, told.attested, activity
        kept = self._controls.get(key)
        if kept is None:
            if len(self._controls) >= _MOST_KEPT:
                self._controls.clear()
                self._plain.clear()
            status = ControlStatus.of(told, activity)
            kept = about, status, _encoded(parts.of_control(about, status))[1:-1]
            self._controls[key] = kept
        if told.text or told.waiver or told.attestation:
            own = _encoded(parts.of_verdict(self._source, event.target, told, kept[1]))[1:-1]
        else:
            own = self._plain_text(key, event.target, told, kept[1])
        return f"{{{','.join(filter(None, (self._target[1], kept[2], own)))}}}"

    def _plain_text(self, key: _Key, target: TargetVerdicts, told: Verdict, status: ControlStatus) -> str:
        """What is said of a verdict without texts of its own: the same each time, but for the fingerprint."""
        mark = told.fingerprint(target.record.place_id)
        kept = self._plain.get(key)
        if kept is not None:
            return f"{kept[0]}{mark}{kept[1]}"
        parts = self._form.parts
        own = _encoded(parts.of_verdict(self._source, target, told, status))[1:-1] if parts else ""
        if own.count(mark) == 1:
            before, _mark, after = own.partition(mark)
            self._plain[key] = before, after
        return own


def run_events(run: Run) -> Iterator[Event]:
    """Everything that is to be told of a run, target by target: controls, targets that were not scanned or whose document could
    not be taken, names that gave no target. One document is held at a time."""
    for target in run_verdicts(run):
        yield from _of_target(target)
    for gap in run.gaps:
        yield Event(gap_target(run, gap))


def finding_events(run: Run) -> Iterator[Event]:
    """The same for systems that know a finding by its fingerprint: one event for a control of a place, however many replicas
    were scanned. The worst of them is told. What a replica was that gave no results is told once for its place."""
    replicas: dict[str, int] = {}
    for record in run.targets:
        replicas[record.place_id] = replicas.get(record.place_id, 0) + 1
    several: dict[str, dict[tuple[str, str], Event]] = {}
    for target in run_verdicts(run):
        place_id = target.record.place_id
        if replicas[place_id] == 1 and place_id not in several:
            yield from _of_target(target)
            continue
        found = several.setdefault(place_id, {})
        for event in _of_target(target):
            key = _control(event)
            found[key] = min(found[key], event, key=_rank) if key in found else event
        replicas[place_id] -= 1
        if not replicas[place_id]:
            yield from several.pop(place_id).values()
    for gap in run.gaps:
        yield Event(gap_target(run, gap))


def not_seen(target: TargetVerdicts) -> Verdict:
    """What is told of a target without controls: that nothing of it was judged, and why. Where every profile was skipped it is
    Not Reviewed, else a Profile Error."""
    error, skipped = target.record.error, target.record.skipped_profiles
    if error is None and not target.unread:
        why = "; ".join(f"{name} was skipped: {reason}" for name, reason in skipped.items())
        return Verdict(NOT_SEEN, NOT_REVIEWED, text=why or "no control was judged")
    return Verdict(NOT_SEEN, PROFILE_ERROR, text=error.message if error else target.unread)


def gap_target(run: Run, gap: Unmatched) -> TargetVerdicts:
    """A name of the selection that gave no target, as a target that was not scanned."""
    error = gap.error
    names = {
        "cluster": run.cluster,
        "namespace": gap.name if gap.kind == "namespace" else gap.namespace,
        "target_id": gap.target_id,
    }
    if gap.kind in ("workload", "pod"):
        names.update(workload_kind=gap.kind, workload=gap.name)
    if gap.kind == "pod":
        names["pod"] = gap.name
    if gap.kind == "container":
        names["container"] = gap.name
    record = ErrorRecord(error.code, error.reason, error.message, "", "", "")
    return TargetVerdicts(unscanned_target(names, record))


def unscanned_target(names: dict[str, str], error: ErrorRecord) -> TargetRecord:
    """The record of a target of which there are only names, by fields of its identity."""
    return TargetRecord.unscanned({name: names.get(name, "") for name in IDENTITY}, error)


def event_time(source: EventSource, target: TargetVerdicts) -> datetime:
    """When the target was seen; where it was not, when its run ended. In UTC."""
    return _first_time(target.record.seen, source.finished, source.started)


def run_time(source: EventSource) -> datetime:
    """When the run ended. In UTC."""
    return _first_time(source.finished, source.started)


def _first_time(*texts: str) -> datetime:
    for text in texts:
        try:
            return parse_rfc3339(text).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            continue
    return datetime.fromtimestamp(0, timezone.utc)


def _of_target(target: TargetVerdicts) -> Sequence[Event]:
    if not target.controls:
        return [Event(target)]
    return [Event(target, verdict) for verdict in target.controls]


def _control(event: Event) -> tuple[str, str]:
    return event.told.about.profile, event.told.about.id


def _rank(event: Event) -> tuple[int, int]:
    return WORST_FIRST.index(event.told.status), SEVERITIES.index(event.told.about.severity)
