# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run, as one system is told of it: compared with what the system was told before, and filtered as the options ask.

What a system was told of a place is a mapping:

    identity   the fields of a target's identity
    controls   {fingerprint: [profile, id, severity, status, digest, open]}; `open` is true from a failure until it is closed
    unseen     the error of a target that was not scanned, with its fingerprint among `controls`; only then

A failure is closed when the control passes or no longer applies on a place whose targets were all scanned, when a profile
that judged the place no longer has the control, and when the place is gone: then only by a run that would have found it
(results/coverage.py). What was not seen never closes anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Protocol

from ..reports.event import CLOSED, CREATED, UPDATED, Event, finding_events, unscanned_target
from ..results.coverage import Coverage
from ..results.run import Run
from ..results.status import (
    FAILED,
    NOT_APPLICABLE,
    NOT_SCANNED,
    PASSED,
    PROFILE_ERROR,
    SEVERITIES,
    STATUSES,
)
from ..results.target_record import IDENTITY, ErrorRecord, TargetRecord
from ..results.verdicts import ControlText, TargetVerdicts, Verdict
from .item import Item, item_key
from .pushed import Finding

ASKED_STATUSES: tuple[str, ...] = (*STATUSES, NOT_SCANNED)
_OPENS = (FAILED, PROFILE_ERROR, NOT_SCANNED)
_CLOSES = (PASSED, NOT_APPLICABLE)
_DIGEST_DIGITS = 16
_GONE = ErrorRecord("SCAN-402", "pod_gone", "the place is gone", "", "Nothing of this place was found.", "")


@dataclass(frozen=True)
class Asked:
    """Which findings are told. `statuses` are of ASKED_STATUSES; `min_severity` is one of SEVERITIES. A failure that was told
    is also closed where its new status or its severity is not asked for."""

    statuses: tuple[str, ...] = ASKED_STATUSES
    min_severity: str = SEVERITIES[-1]
    only_changed: bool = False

    def has(self, status: str, severity: str) -> bool:
        return status in self.statuses and self.has_severity(severity)

    def has_severity(self, severity: str) -> bool:
        return not severity or SEVERITIES.index(severity) <= SEVERITIES.index(self.min_severity)


class Told(Protocol):
    """What a system was told: the outbox."""

    def told_of(self, place_id: str) -> dict[str, Any]: ...
    def tell(self, place_id: str, told: Mapping[str, Any]) -> None: ...
    def drop_refused(self, fingerprint: str) -> None: ...
    def places(self) -> Sequence[str]: ...
    def control(self, name: str) -> dict[str, Any] | None: ...
    def keep_control(self, name: str, text: Mapping[str, Any]) -> None: ...


class ToldRun:
    """The run for one system. Going through `findings` changes what the system counts as having been told."""

    def __init__(self, run: Run, told: Told, asked: Asked) -> None:
        self.run = run
        self._told = told
        self._asked = asked
        self._kept: set[str] = set()
        self.leaves_open = False

    def documents(self) -> Iterator[tuple[TargetRecord, Item]]:
        for target in self.run.targets:
            if target.hdf:
                key = item_key(self.run.run_id, target.target_id)
                yield (
                    target,
                    Item(key, target.target_id, self.run.run_id, path=target.hdf, sha256=target.hdf_sha256),
                )

    def findings(self) -> Iterator[Finding]:
        seen: set[str] = set()
        for place_id, events in groupby(finding_events(self.run), key=_place_of):
            seen.add(place_id)
            yield from self._of_place(place_id, list(events))
        yield from self._gone(seen)

    def _of_place(self, place_id: str, events: Sequence[Event]) -> Iterator[Finding]:
        told = self._told.told_of(place_id)
        before: dict[str, Any] = dict(told.get("controls", {}))
        after = dict(before)
        is_whole = all(event.verdict for event in events)
        there = {event.fingerprint for event in events}
        unseen = None
        for event in events:
            mark = event.fingerprint
            finding = self._told_anew(event, before.get(mark), is_whole, mark)
            if finding is not None:
                yield finding[0]
                after[mark] = finding[1]
                if event.verdict is None:
                    unseen = asdict(event.target.record.error or _unread_error(event.target))
                continue
            self._told.drop_refused(mark)
            if event.verdict is None and mark in before:
                unseen = told.get("unseen")
        if is_whole:
            record = events[0].target.record
            profiles = {profile.name for profile in record.profiles}
            for mark, entry in before.items():
                if mark in there or (entry[0] and entry[0] not in profiles):
                    continue
                del after[mark]
                if entry[5]:
                    yield self._closed(told, mark, entry, "is no longer found there")
        self.leaves_open |= any(entry[5] for mark, entry in after.items() if mark not in there)
        if after != before:
            identity = {name: getattr(events[0].target.record, name) for name in IDENTITY}
            self._told.tell(
                place_id, {"identity": identity, "controls": after, **({"unseen": unseen} if unseen else {})}
            )

    def _told_anew(
        self, event: Event, entry: Any, is_whole: bool, mark: str
    ) -> tuple[Finding, list[Any]] | None:
        """The finding that is to be told, and what is remembered of it; None where nothing is to be told."""
        verdict = event.verdict
        profile, control, severity, status = "", "", "", NOT_SCANNED
        if verdict is not None:
            about = verdict.about
            profile, control, severity, status = about.profile, about.id, about.severity, verdict.status
        was_open = bool(entry and entry[5])
        closes = was_open and is_whole and status in _CLOSES
        if not closes and not self._asked.has(status, severity):
            return None
        digest = _digest(event)
        is_open = status in _OPENS or (was_open and not closes)
        if self._asked.only_changed and entry and (entry[4], bool(entry[5])) == (digest, is_open):
            return None
        activity = CLOSED if closes else CREATED if not entry or (is_open and not was_open) else UPDATED
        if verdict is not None and is_open:
            self._keep(verdict.about)
        before = json.dumps(entry) if entry else ""
        remembered = [profile, control, severity, status, digest, is_open]
        return Finding(event.target, verdict, activity, mark, before), remembered

    def _gone(self, seen: set[str]) -> Iterator[Finding]:
        coverage = Coverage.of(self.run)
        if coverage is None:
            return
        for place_id in self._told.places():
            if place_id in seen:
                continue
            told = self._told.told_of(place_id)
            identity = told.get("identity", {})
            names = (identity.get("namespace", ""), identity.get("container_kind") or "container")
            if identity.get("cluster") != self.run.cluster or not coverage.has(*names):
                continue
            controls = told.get("controls", {})
            for mark, entry in controls.items():
                if entry[5]:
                    yield self._closed(told, mark, entry, "is gone with its place")
            # its names are kept until the next run: the system can refuse to close it
            self._told.tell(place_id, {**told, "controls": {}} if controls else {})

    def _closed(self, told: Mapping[str, Any], mark: str, entry: Sequence[Any], why: str) -> Finding:
        profile, control, severity = entry[:3]
        error = told.get("unseen") if not control else None
        record = unscanned_target(
            {name: str(told.get("identity", {}).get(name, "")) for name in IDENTITY},
            ErrorRecord(**error) if error else _GONE,
        )
        verdict = None
        if control:
            text = self._told.control(_name(profile, control, severity))
            about = (
                ControlText(**text) if text else ControlText(profile, control, "", severity, "", "", "", {})
            )
            verdict = Verdict(
                about, NOT_APPLICABLE, text=f"The failure {why}, as run {self.run.run_id} has seen."
            )
        return Finding(TargetVerdicts(record), verdict, CLOSED, mark, json.dumps(list(entry)))

    def _keep(self, about: ControlText) -> None:
        name = _name(about.profile, about.id, about.severity)
        if name not in self._kept:
            self._kept.add(name)
            self._told.keep_control(name, asdict(about))


def _place_of(event: Event) -> str:
    return event.target.record.place_id


def _name(profile: str, control: str, severity: str) -> str:
    return json.dumps([profile, control, severity])


def _unread_error(target: TargetVerdicts) -> ErrorRecord:
    return ErrorRecord("SCAN-802", "bad_results", target.unread, "", "", "")


def _digest(event: Event) -> str:
    """What makes a finding another one than before: not the time, nor the pod."""
    verdict = event.verdict
    if verdict is None:
        error = event.target.record.error
        said: list[Any] = [NOT_SCANNED, error.reason if error else "unread"]
    else:
        said = [verdict.status, verdict.about.severity, verdict.waived, verdict.attested, verdict.text]
    return hashlib.sha256(json.dumps(said).encode("ascii")).hexdigest()[:_DIGEST_DIGITS]
