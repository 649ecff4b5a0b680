# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When what a run found is to be fixed, and when its places are to be scanned again: the file `deadlines.json` of a run.

A finding is a control that fails at a place. It is open since the containers of the place were first seen with it, and as long
as nobody has seen that it is gone: a place that was not scanned, and a control that was not reviewed, keep theirs. So a file is
made of the run and of the file of the run before it. A place that a run does not have is kept for 90 days, so that
a workload that was away for a night is not young again; it is not overdue as long as it is away. Where no profile fits what the
containers say that they are, nobody has seen that a finding is gone either.

`DeadlinePolicy` says how long each takes; `is_overdue` is the one rule for what is late.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from ..safe_text import one_line
from ..strict_json import load_json
from ..text_layout import were
from ..times import parse_rfc3339
from .checked_json import JsonObject, JsonRecord, bad_results
from .deadline_policy import DeadlinePolicy, is_overdue
from .result_file import read_bounded
from .status import SEVERITIES
from .teams import Ownership

DEADLINES_JSON = "deadlines.json"
SCHEMA = "securescan.kubernetes/deadlines"
SCHEMA_VERSION = 1
_MAX_BYTES = 512 * 1024 * 1024
_KEPT = timedelta(days=90)
_NOBODY = Ownership()

# profile, control id
Control = tuple[str, str]


@dataclass(frozen=True)
class OpenFinding:
    """A control that fails at a place. `since` is RFC 3339, as is `due`, which is empty without a deadline."""

    profile: str
    control: str
    severity: str
    since: str
    due: str

    @property
    def key(self) -> Control:
        return self.profile, self.control

    def is_overdue(self, now: datetime) -> bool:
        return is_overdue(_moment(self.due), now)


@dataclass(frozen=True)
class OpenGroup(JsonRecord):
    """The findings of a place with the same severity, begin and end: how they stand in the file. `controls` maps a profile's
    name to ids."""

    severity: str
    since: str
    due: str
    controls: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_json(cls, given: JsonObject) -> OpenGroup:
        controls = given.object("controls")
        return cls(
            given.one_of("severity", SEVERITIES),
            given.text("since"),
            given.text("due"),
            {name: controls.texts(name) for name in controls.values},
        )

    def findings(self) -> Iterator[OpenFinding]:
        for profile, ids in self.controls.items():
            for control in ids:
                yield OpenFinding(profile, control, self.severity, self.since, self.due)

    def is_overdue(self, now: datetime) -> bool:
        return is_overdue(_moment(self.due), now)


@dataclass(frozen=True)
class PlaceDeadlines(JsonRecord):
    """`seen` is when all of its containers were last seen (RFC 3339; empty: never), `expected_since` when a run was first to
    scan it. `scan_due` is empty without a deadline. `away_since`: when the first run began that does not have it, though an
    earlier one had it; empty where it is there."""

    place_id: str
    namespace: str
    team: str
    environment: str
    expected_since: str
    seen: str
    scan_due: str
    away_since: str
    open: tuple[OpenGroup, ...]

    @classmethod
    def from_json(cls, given: JsonObject) -> PlaceDeadlines:
        names = (
            "place_id",
            "namespace",
            "team",
            "environment",
            "expected_since",
            "seen",
            "scan_due",
            "away_since",
        )
        groups = tuple(OpenGroup.from_json(one) for one in given.objects("open"))
        return cls(**{name: given.text(name) for name in names}, open=groups)

    @property
    def away(self) -> bool:
        return bool(self.away_since)

    @property
    def findings(self) -> tuple[OpenFinding, ...]:
        return tuple(finding for group in self.open for finding in group.findings())

    def is_overdue(self, now: datetime) -> bool:
        """Whether it was to be scanned again before now."""
        return not self.away and is_overdue(_moment(self.scan_due), now)

    def overdue_findings(self, now: datetime) -> list[OpenFinding]:
        late = [group for group in self.open if not self.away and group.is_overdue(now)]
        return [finding for group in late for finding in group.findings()]


@dataclass(frozen=True)
class Deadlines(JsonRecord):
    """`policy` is what it was made by, as plain values; `places` are sorted."""

    run_id: str
    cluster: str
    policy: Mapping[str, Any]
    places: tuple[PlaceDeadlines, ...]

    @classmethod
    def from_json(cls, value: Any, source: str) -> Deadlines:
        """:raises ScanError: bad_results, when it is no whole file of this schema version, or a time in it is none"""
        given = JsonObject(value if isinstance(value, dict) else {}, source)
        if given.values.get("schema") != SCHEMA or given.values.get("schema_version") != SCHEMA_VERSION:
            raise given.bad(f"is no file of deadlines of schema version {SCHEMA_VERSION}")
        places = tuple(PlaceDeadlines.from_json(one) for one in given.objects("places"))
        for place in places:
            times = (place.expected_since, place.seen, place.scan_due, place.away_since)
            for text in (*times, *(text for one in place.open for text in (one.since, one.due))):
                try:
                    _moment(text)
                except ValueError:
                    raise given.bad(f"{one_line(text, 60)!r} is no time") from None
        return cls(given.text("run_id"), given.text("cluster"), given.mapping("policy"), places)

    def to_json(self) -> dict[str, Any]:
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **super().to_json()}

    def joined_with(self, older: Deadlines) -> Deadlines:
        """This, and what an older file knows besides: its places and findings. Nothing becomes younger."""
        others = {place.place_id: place for place in older.places}
        places = [_joined(place, others.pop(place.place_id, None)) for place in self.places]
        both = sorted([*places, *others.values()], key=lambda place: place.place_id)
        return replace(self, places=tuple(both))

    @property
    def present(self) -> list[PlaceDeadlines]:
        """The places of the run."""
        return [place for place in self.places if not place.away]

    def overdue(self, now: datetime) -> Overdue:
        """What is late at that moment."""
        findings = [(place, one) for place in self.places for one in place.overdue_findings(now)]
        findings.sort(
            key=lambda pair: (SEVERITIES.index(pair[1].severity), pair[1].due, pair[0].place_id, pair[1].key)
        )
        return Overdue(tuple(findings), tuple(place for place in self.places if place.is_overdue(now)))


@dataclass(frozen=True)
class Overdue:
    """What is late at one moment: findings by place, the worst first, and the places that were not scanned in time."""

    findings: tuple[tuple[PlaceDeadlines, OpenFinding], ...]
    places: tuple[PlaceDeadlines, ...]

    def ids_at(self, place_id: str) -> dict[str, list[str]]:
        """{profile: sorted ids of controls} of the overdue findings of one place."""
        return self._by_place.get(place_id, {})

    @cached_property
    def _by_place(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for place, one in sorted(self.findings, key=lambda pair: pair[1].key):
            found.setdefault(place.place_id, {}).setdefault(one.profile, []).append(one.control)
        return found

    def by_team(self) -> Counter[tuple[str, str]]:
        """The number of findings by (team, severity)."""
        return Counter((place.team, one.severity) for place, one in self.findings)

    def places_by_team(self) -> Counter[str]:
        return Counter(place.team for place in self.places)

    @property
    def line(self) -> str:
        """For people: how much is late; empty where nothing is."""
        numbers = Counter(one.severity for _place_of_it, one in self.findings)
        parts = []
        if self.findings:
            by = ", ".join(f"{numbers[severity]} {severity}" for severity in SEVERITIES if numbers[severity])
            parts.append(f"{were(len(self.findings), 'finding')} not fixed in time ({by})")
        if self.places:
            parts.append(f"{were(len(self.places), 'place')} not scanned in time")
        return f"Overdue: {' and '.join(parts)}" if parts else ""


@dataclass
class _Observed:
    """What the targets of one place have shown."""

    namespace: str
    seen: list[str] = field(default_factory=list)
    is_whole: bool = True
    failed: dict[Control, str] = field(default_factory=dict)
    unknown: set[Control] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)


class DeadlineBook:
    """Takes the targets of a run one by one, and makes its deadlines. Not safe for several threads."""

    def __init__(self) -> None:
        self._places: dict[str, _Observed] = {}

    def add_scanned(
        self,
        place_id: str,
        namespace: str,
        seen: str,
        failed: Mapping[Control, str],
        unknown: Collection[Control],
        *,
        skipped: Collection[str] = (),
    ) -> None:
        """
        :param seen: when its facts were collected, RFC 3339
        :param failed: control -> severity
        :param unknown: controls that were not reviewed, or ended in an error
        :param skipped: profiles of which no control was asked, though no other was in their place
        """
        observed = self._places.setdefault(place_id, _Observed(namespace))
        observed.seen.append(seen)
        for control, severity in failed.items():
            known = observed.failed.get(control, severity)
            observed.failed[control] = min(known, severity, key=SEVERITIES.index)
        observed.unknown.update(unknown)
        observed.skipped.update(skipped)

    def add_not_scanned(self, place_id: str, namespace: str) -> None:
        self._places.setdefault(place_id, _Observed(namespace)).is_whole = False

    def finish(
        self,
        *,
        run_id: str,
        cluster: str,
        started: str,
        policy: DeadlinePolicy,
        owners: Mapping[str, Ownership],
        before: Deadlines | None,
    ) -> Deadlines:
        """
        :param started: of the run, RFC 3339
        :param owners: namespace -> who owns it
        :param before: of the run before this one, None without one
        """
        earlier = {place.place_id: place for place in before.places} if before else {}
        places = [
            _place(
                place_id,
                observed,
                earlier.get(place_id),
                started=started,
                policy=policy,
                owner=owners.get(observed.namespace, _NOBODY),
            )
            for place_id, observed in self._places.items()
        ]
        now = parse_rfc3339(started)
        gone = [
            replace(place, away_since=place.away_since or started)
            for place in earlier.values()
            if place.place_id not in self._places
        ]
        places += [place for place in gone if parse_rfc3339(place.away_since) > now - _KEPT]
        return Deadlines(
            run_id, cluster, dict(policy.as_given), tuple(sorted(places, key=lambda place: place.place_id))
        )


def _place(
    place_id: str,
    observed: _Observed,
    before: PlaceDeadlines | None,
    *,
    started: str,
    policy: DeadlinePolicy,
    owner: Ownership,
) -> PlaceDeadlines:
    is_whole = observed.is_whole and bool(observed.seen)
    here = _earliest([moment or started for moment in observed.seen] or [started])
    seen = here if is_whole else before.seen if before else ""
    expected_since = before.expected_since if before else started
    scan_due = policy.scan_due(owner.environment, parse_rfc3339(seen or expected_since))
    known = {one.key: one for one in before.findings} if before else {}
    # the earlier of both: a clock that was wrong makes nothing younger
    since = {
        control: _earliest([known[control].since, here]) if control in known else here
        for control in observed.failed
    }
    severities = dict(observed.failed)
    for control, one in known.items():
        is_unseen = not is_whole or control in observed.unknown or control[0] in observed.skipped
        if control not in severities and is_unseen:
            since[control], severities[control] = one.since, one.severity
    groups: dict[tuple[int, str], dict[str, list[str]]] = {}
    for key, severity in sorted(severities.items()):
        group = groups.setdefault((SEVERITIES.index(severity), since[key]), {})
        group.setdefault(key[0], []).append(key[1])
    return PlaceDeadlines(
        place_id,
        observed.namespace,
        owner.team,
        owner.environment,
        expected_since,
        seen,
        _text(scan_due),
        "",
        tuple(
            _group(SEVERITIES[rank], begin, policy, owner, controls)
            for (rank, begin), controls in sorted(groups.items())
        ),
    )


def _joined(place: PlaceDeadlines, older: PlaceDeadlines | None) -> PlaceDeadlines:
    if older is None:
        return place
    found = {one.key: one for one in older.findings}
    for one in place.findings:
        known = found.get(one.key)
        if known is None or _earliest([known.since, one.since]) == one.since:
            found[one.key] = one
    groups: dict[tuple[str, str, str], dict[str, tuple[str, ...]]] = {}
    for (profile, control), one in sorted(found.items()):
        controls = groups.setdefault((one.severity, one.since, one.due), {})
        controls[profile] = (*controls.get(profile, ()), control)
    return replace(
        place,
        expected_since=_earliest([place.expected_since, older.expected_since]),
        open=tuple(OpenGroup(*key, controls) for key, controls in groups.items()),
    )


def _group(
    severity: str, since: str, policy: DeadlinePolicy, owner: Ownership, controls: Mapping[str, Sequence[str]]
) -> OpenGroup:
    due = policy.fix_due(severity, owner.environment, parse_rfc3339(since))
    return OpenGroup(severity, since, _text(due), {name: tuple(ids) for name, ids in controls.items()})


def read_deadlines(folder: str | Path, sha256: str) -> Deadlines:
    """The deadlines of the run in a folder.

    :param sha256: what the file must hash to
    :raises ScanError: bad_results, where they are missing, not whole or not these
    """
    path = Path(folder) / DEADLINES_JSON
    data = read_bounded(path, _MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise bad_results(str(path), "is not the file that the run wrote (its SHA-256 differs)")
    try:
        value = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise bad_results(str(path), f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    return Deadlines.from_json(value, str(path))


def _earliest(moments: Sequence[str]) -> str:
    """:param moments: RFC 3339, in whatever form"""
    return min(moments, key=parse_rfc3339)


@lru_cache(maxsize=100_000)
def _moment(text: str) -> datetime | None:
    """None for an empty text. :raises ValueError: for what is no time"""
    return parse_rfc3339(text) if text else None


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(timezone.utc).isoformat(timespec="seconds")
