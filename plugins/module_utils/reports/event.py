# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a run as events: one control of one target each, or that a target was not scanned.

A format of events is one file of this room, which event_registry.py lists; reports of lines and systems that take events use the
same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Optional

from ..results.place import fingerprint
from ..results.run import Run
from ..results.status import NOT_SCANNED, SEVERITIES, WORST_FIRST
from ..results.target_record import IDENTITY, ErrorRecord, TargetRecord
from ..results.unmatched import Unmatched
from ..results.verdicts import TargetVerdicts, Verdict, run_verdicts
from ..times import parse_rfc3339

# What an event says of a finding: it is told for the first time, again, or for the last time, because it no longer fails or its
# place is gone.
CREATED = "created"
UPDATED = "updated"
CLOSED = "closed"
ACTIVITIES: tuple[str, ...] = (CREATED, UPDATED, CLOSED)


@dataclass(frozen=True)
class EventSource:
    """The run that an event is from. `started` and `finished` are RFC 3339; `collection` and `version` are what wrote the run;
    `cluster_uid` is empty where it is not known."""

    run_id: str
    started: str
    finished: str
    cluster: str
    cluster_uid: str
    collection: str
    version: str

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
        )


@dataclass(frozen=True)
class Event:
    """One control of a target, or the target itself: `verdict` is None where it was not scanned, or where its document could not
    be taken (`target.unread`)."""

    target: TargetVerdicts
    verdict: Verdict | None = None

    @property
    def fingerprint(self) -> str:
        """The same for this control on that place, in every run, report and system; without a control that of the place."""
        place_id = self.target.record.place_id
        return self.verdict.fingerprint(place_id) if self.verdict else fingerprint(place_id, "", "")


# source, target, verdict (None for the target itself), one of ACTIVITIES -> plain JSON values, escaped as the format needs
Encode = Callable[[EventSource, TargetVerdicts, Optional[Verdict], str], "dict[str, Any]"]


@dataclass(frozen=True)
class EventFormat:
    """One format. `name` is what the option `format` calls it, `content_type` that of one event as JSON."""

    name: str
    content_type: str
    encode: Encode


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
    return TargetRecord(
        **{name: names.get(name, "") for name in IDENTITY},
        outcome=NOT_SCANNED,
        approach="",
        duration=0.0,
        error=error,
        hdf="",
        hdf_sha256="",
        facts=None,
        drift=None,
        evidence=None,
        counts=None,
        compliance=None,
        worst_failed="",
        failed={},
        profiles=(),
        skipped_profiles={},
        result=NOT_SCANNED,
        seen="",
        spec_sha256="",
        replicas=1,
        carried=None,
    )


def event_time(source: EventSource, target: TargetVerdicts) -> datetime:
    """When the target was seen; where it was not, when its run ended. In UTC."""
    for text in (target.record.seen, source.finished, source.started):
        try:
            return parse_rfc3339(text).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            continue
    return datetime.fromtimestamp(0, timezone.utc)


def _of_target(target: TargetVerdicts) -> Sequence[Event]:
    if target.record.error is not None or target.unread:
        return [Event(target)]
    return [Event(target, verdict) for verdict in target.controls]


def _control(event: Event) -> tuple[str, str]:
    return (event.verdict.about.profile, event.verdict.about.id) if event.verdict else ("", "")


def _rank(event: Event) -> tuple[int, int]:
    if event.verdict is None:
        return 0, 0
    return WORST_FIRST.index(event.verdict.status), SEVERITIES.index(event.verdict.about.severity)
