# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a run saw of places: in one transaction for some of them, all of a place or nothing.

The state that comes of it does not depend on the order in which runs come. What is derived (place_states, findings) follows from
the scans of a place in the order of their times: a scan that comes late takes back what came after it, and that is played again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..results.coverage import Coverage, gone_at
from .database import Work
from .documents import PackedDocument, pack_numbers, pack_piece
from .numbers import ControlNumbers, cause_numbers, numbers_of
from .run_reader import PlaceScan
from .state import OPEN_STATUSES, PlaceState, StoredState, decode_state, encode_state, stored_state
from .timeline import FindingRow, StateRow, Timeline

# Which documents of a run a store keeps.
ALL, FAILED_ONLY, LATEST, NONE = "all", "failed", "latest", "none"
EVIDENCE_POLICIES = (ALL, FAILED_ONLY, LATEST, NONE)

_FINDING = "control_id, since, until, status, severity, waived, opened, began, became, containers, said"


_Seen = tuple[PlaceScan, PlaceState]


@dataclass(frozen=True)
class RunPlace:
    """The run whose places are written. `namespaces`: their numbers by (cluster, name). `covering`: the whole runs of its cluster
    that started later."""

    number: int
    run_id: str
    started: int
    namespaces: Mapping[tuple[str, str], int]
    covering: Sequence[tuple[int, Coverage]]

    @property
    def order(self) -> tuple[int, str]:
        """By this, runs of one cluster are in order."""
        return self.started, self.run_id


@dataclass
class _Place:
    """A row of `places`."""

    number: int
    first_present: int
    last_present: int
    last_at: int | None
    last_seen: int | None


@dataclass
class _Batch:
    """What one transaction writes."""

    scans: Sequence[PlaceScan]
    places: dict[str, _Place] = field(default_factory=dict)
    states: dict[bytes, int] = field(default_factory=dict)


class PlaceWriter:
    """Writes places of runs. Not for several threads."""

    def __init__(self, evidence: str) -> None:
        self._evidence = evidence
        self._controls = ControlNumbers()
        self._bodies: dict[int, StoredState] = {}

    def forget(self) -> None:
        """To be called when a transaction failed."""
        self._controls.forget()
        self._bodies.clear()

    def write(self, work: Work, run: RunPlace, scans: Sequence[PlaceScan]) -> None:
        """Writes places that the store does not have of this run yet."""
        batch = _Batch(scans)
        if not self._controls.ids:
            self._controls.load(work)
        self._learn_places(work, run, batch)
        self._learn_states(work, batch)
        seen = [(scan, scan.state) for scan in scans if scan.state is not None]
        work.add("scans", [self._scan_row(run, batch, scan, state) for scan, state in seen])
        self._write_missing(work, run, batch)
        self._write_timelines(work, run, batch, seen)
        self._write_known(work, run, batch)
        self._write_documents(work, run, batch, seen)
        self._write_presence(work, run, batch)

    def _learn_places(self, work: Work, run: RunPlace, batch: _Batch) -> None:
        self._find_places(work, batch)
        missing = [scan for scan in batch.scans if scan.key not in batch.places]
        if not missing:
            return
        work.add(
            "places",
            [
                {
                    "namespace_id": run.namespaces[scan.place.cluster, scan.place.namespace],
                    "workload_kind": scan.place.workload_kind,
                    "workload": scan.place.workload,
                    "container": scan.place.container,
                    "container_kind": scan.container_kind,
                    "place": scan.key,
                    "first_present": run.started,
                    "last_present": run.started,
                }
                for scan in missing
            ],
        )
        self._find_places(work, batch)

    def _find_places(self, work: Work, batch: _Batch) -> None:
        names = [scan.key for scan in batch.scans if scan.key not in batch.places]
        columns = "id, place, first_present, last_present, last_at, last_seen"
        for row in work.rows(f"SELECT {columns} FROM places WHERE place IN :names", names=names):
            batch.places[row["place"]] = _Place(
                row["id"], row["first_present"], row["last_present"], row["last_at"], row["last_seen"]
            )

    def _learn_states(self, work: Work, batch: _Batch) -> None:
        states = {scan.state.sha256: scan.state for scan in batch.scans if scan.state is not None}
        self._find_states(work, batch, states)
        new = {sha256: state for sha256, state in sorted(states.items()) if sha256 not in batch.states}
        if not new:
            return
        profiles = [profile for scan in batch.scans for profile in scan.profiles]
        numbers = self._controls.learn_profiles(work, profiles)
        self._controls.learn(work, (key for state in new.values() for key in state.controls))
        work.add("states", [self._state_row(sha256, state) for sha256, state in new.items()])
        self._find_states(work, batch, new)
        self._write_state_parts(work, batch, new, numbers)

    def _find_states(self, work: Work, batch: _Batch, states: Iterable[bytes]) -> None:
        for row in work.rows("SELECT id, sha256 FROM states WHERE sha256 IN :hashes", hashes=list(states)):
            batch.states[bytes(row["sha256"])] = row["id"]

    def _state_row(self, sha256: bytes, state: PlaceState) -> dict[str, Any]:
        return {
            "sha256": sha256,
            "body": encode_state(stored_state(state, self._controls.ids)),
            **state.counts(),
            "worst_failed": state.worst_failed,
            "evidence": state.evidence,
            "containers": state.containers,
        }

    def _write_state_parts(
        self,
        work: Work,
        batch: _Batch,
        states: Mapping[bytes, PlaceState],
        profiles: Mapping[tuple[str, str], int],
    ) -> None:
        images = [
            {"image": image, "digest": digest} for state in states.values() for image, digest in state.images
        ]
        numbers = numbers_of(work, "images", ("image", "digest"), images)
        work.add(
            "state_images",
            [
                {"state_id": batch.states[sha256], "image_id": number}
                for sha256, state in states.items()
                for number in sorted({numbers[image] for image in state.images})
            ],
        )
        work.add(
            "state_profiles",
            [
                {
                    "state_id": batch.states[sha256],
                    "profile_id": profiles[name, digest],
                    **state.counts(name),
                }
                for sha256, state in states.items()
                for name, digest in state.profiles.items()
            ],
        )

    def _scan_row(self, run: RunPlace, batch: _Batch, scan: PlaceScan, state: PlaceState) -> dict[str, Any]:
        return {
            "place_id": batch.places[scan.key].number,
            "run_id": run.number,
            "state_id": batch.states[state.sha256],
            "seen": scan.seen,
            "carried": int(scan.carried),
        }

    def _write_missing(self, work: Work, run: RunPlace, batch: _Batch) -> None:
        missing = [(scan, scan.error) for scan in batch.scans if scan.error is not None]
        causes = cause_numbers(work, (error.to_json() for _scan, error in missing))
        work.add(
            "not_scanned",
            [
                {
                    "run_id": run.number,
                    "place_id": batch.places[scan.key].number,
                    "cause_id": causes[error.code, error.reason, error.message],
                    "containers": scan.missing,
                }
                for scan, error in missing
            ],
        )

    # what is derived

    def _write_timelines(self, work: Work, run: RunPlace, batch: _Batch, seen: Sequence[_Seen]) -> None:
        current = _lasting_states(work, [batch.places[scan.key].number for scan, _state in seen])
        scenes: dict[int, list[tuple[int, int]]] = {}
        for scan, state in seen:
            place = batch.places[scan.key]
            state_id = batch.states[state.sha256]
            if place.last_at is not None and place.last_at >= run.started:
                scenes[place.number] = _taken_back(work, place.number, run.started)
            elif place.number not in current or current[place.number].state_id != state_id:
                scenes[place.number] = [(run.started, state_id)]
        if not scenes:
            return
        timelines = _load_timelines(work, list(scenes))
        bodies = self._state_bodies(work, {state_id for scene in scenes.values() for _at, state_id in scene})
        for number, scene in scenes.items():
            for at, state_id in scene:
                timelines[number].see(at, state_id, bodies[state_id], self._controls.profiles)
        _write_timelines(work, timelines)

    def _state_bodies(self, work: Work, numbers: Iterable[int]) -> Mapping[int, StoredState]:
        missing = [number for number in numbers if number not in self._bodies]
        for row in work.rows("SELECT id, body FROM states WHERE id IN :numbers", numbers=missing):
            self._bodies[row["id"]] = decode_state(row["body"])
        return self._bodies

    def _write_known(self, work: Work, run: RunPlace, batch: _Batch) -> None:
        """The records of the newest run that knew the place."""
        newer = {
            row["place_id"]
            for row in work.rows(
                "SELECT k.place_id, r.started, r.run_id FROM known_results k JOIN runs r ON r.id = k.run_id"
                " WHERE k.place_id IN :numbers",
                numbers=[place.number for place in batch.places.values()],
            )
            if (row["started"], row["run_id"]) > run.order
        }
        rows = [
            {"place_id": batch.places[scan.key].number, "run_id": run.number, "body": scan.known}
            for scan in batch.scans
        ]
        work.run_many(
            "INSERT INTO known_results (place_id, run_id, body) VALUES (:place_id, :run_id, :body)"
            " ON CONFLICT (place_id) DO UPDATE SET run_id = excluded.run_id, body = excluded.body",
            [row for row in rows if row["place_id"] not in newer],
        )

    def _write_presence(self, work: Work, run: RunPlace, batch: _Batch) -> None:
        rows = []
        for scan in batch.scans:
            place = batch.places[scan.key]
            last_present = max(place.last_present, run.started)
            scanned = scan.state is not None
            rows.append(
                {
                    "id": place.number,
                    "first_present": min(place.first_present, run.started),
                    "last_present": last_present,
                    "last_at": _latest(place.last_at, run.started if scanned else None),
                    "last_seen": _latest(place.last_seen, scan.seen if scanned else None),
                    "gone_at": gone_at(run.covering, scan.place.namespace, scan.container_kind, last_present),
                }
            )
        work.run_many(
            "UPDATE places SET first_present = :first_present, last_present = :last_present, last_at = :last_at,"
            " last_seen = :last_seen, gone_at = :gone_at WHERE id = :id",
            rows,
        )

    # evidence

    def _write_documents(self, work: Work, run: RunPlace, batch: _Batch, seen: Sequence[_Seen]) -> None:
        kept = [scan for scan, state in seen if self._keeps(run, batch, scan, state)]
        if not kept:
            return
        if self._evidence == LATEST:
            _forget_documents(work, [batch.places[scan.key].number for scan in kept])
        packed = [(scan, one) for scan in kept for one in scan.documents]
        targets = numbers_of(
            work,
            "targets",
            ("target_id",),
            [{"place_id": batch.places[scan.key].number, "target_id": one.target_id} for scan, one in packed],
        )
        templates = _template_numbers(work, [one.document for _scan, one in packed])
        work.add(
            "documents",
            [
                {
                    "target_id": targets[one.target_id,],
                    "run_id": run.number,
                    "sha256": one.document.sha256,
                    "template_id": templates[one.document.template_sha256],
                    "holes": one.document.holes,
                }
                for _scan, one in packed
            ],
        )

    def _keeps(self, run: RunPlace, batch: _Batch, scan: PlaceScan, state: PlaceState) -> bool:
        if self._evidence == FAILED_ONLY:
            counts = state.counts()
            return any(counts[status] for status in OPEN_STATUSES)
        if self._evidence == LATEST:
            last_at = batch.places[scan.key].last_at
            return last_at is None or last_at <= run.started
        return self._evidence == ALL


def _template_numbers(work: Work, documents: Sequence[PackedDocument]) -> dict[bytes, int]:
    """The numbers of templates by their SHA-256. Those that are new are kept, and those of their pieces."""
    given = {document.template_sha256: document for document in documents}

    def look(hashes: Iterable[bytes]) -> dict[bytes, int]:
        rows = work.rows("SELECT id, sha256 FROM templates WHERE sha256 IN :hashes", hashes=list(hashes))
        return {bytes(row["sha256"]): row["id"] for row in rows}

    found = look(given)
    new = {sha256: document for sha256, document in sorted(given.items()) if sha256 not in found}
    if not new:
        return found
    digests = {piece: hashlib.sha256(piece).digest() for one in new.values() for piece in one.pieces}
    there = {
        bytes(row["sha256"])
        for row in work.rows(
            "SELECT sha256 FROM pieces WHERE sha256 IN :hashes", hashes=list(digests.values())
        )
    }
    rows = [
        {"sha256": digest, "body": pack_piece(piece)}
        for piece, digest in digests.items()
        if digest not in there
    ]
    work.add("pieces", sorted(rows, key=lambda row: row["sha256"]))
    numbers = {
        bytes(row["sha256"]): row["id"]
        for row in work.rows(
            "SELECT id, sha256 FROM pieces WHERE sha256 IN :hashes", hashes=list(digests.values())
        )
    }
    work.add(
        "templates",
        [
            {"sha256": sha256, "body": pack_numbers([numbers[digests[piece]] for piece in document.pieces])}
            for sha256, document in new.items()
        ],
    )
    return {**found, **look(new)}


def _latest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _lasting_states(work: Work, places: Sequence[int]) -> dict[int, StateRow]:
    return {
        row["place_id"]: StateRow(row["since"], row["state_id"], is_new=False)
        for row in work.rows(
            "SELECT place_id, since, state_id FROM place_states WHERE until IS NULL AND place_id IN :places",
            places=places,
        )
    }


def _load_timelines(work: Work, places: Sequence[int]) -> dict[int, Timeline]:
    states = _lasting_states(work, places)
    timelines = {number: Timeline(states.get(number)) for number in places}
    for row in work.rows(
        f"SELECT place_id, {_FINDING} FROM findings WHERE until IS NULL AND place_id IN :places",
        places=places,
    ):
        timelines[row["place_id"]].lasting[row["control_id"]] = FindingRow(
            row["control_id"],
            row["since"],
            row["status"],
            row["severity"],
            bool(row["waived"]),
            row["opened"],
            row["began"],
            row["containers"],
            row["said"],
            is_new=False,
        )
    for row in work.rows(
        "SELECT DISTINCT place_id, control_id FROM findings"
        " WHERE opened IS NOT NULL AND until IS NOT NULL AND place_id IN :places",
        places=places,
    ):
        timelines[row["place_id"]].opened_before.add(row["control_id"])
    return timelines


def _taken_back(work: Work, place: int, at: int) -> list[tuple[int, int]]:
    """Takes back what scans since that time have changed, and gives these scans: (time, number of the state), by time."""
    values = {"place": place, "at": at}
    work.run("DELETE FROM findings WHERE place_id = :place AND since >= :at", **values)
    work.run(
        "UPDATE findings SET until = NULL, became = NULL WHERE place_id = :place AND until >= :at", **values
    )
    work.run("DELETE FROM place_states WHERE place_id = :place AND since >= :at", **values)
    work.run("UPDATE place_states SET until = NULL WHERE place_id = :place AND until >= :at", **values)
    rows = work.rows(
        "SELECT r.started, s.state_id FROM scans s JOIN runs r ON r.id = s.run_id"
        " WHERE s.place_id = :place AND r.started >= :at ORDER BY r.started, r.run_id",
        **values,
    )
    # of runs that started in the same second, the last one counts
    return list({row["started"]: row["state_id"] for row in rows}.items())


def _write_timelines(work: Work, timelines: Mapping[int, Timeline]) -> None:
    ended = [
        (number, timeline.state_before) for number, timeline in timelines.items() if timeline.state_before
    ]
    work.run_many(
        "UPDATE place_states SET until = :until WHERE place_id = :place_id AND since = :since",
        [{"place_id": number, "since": row.since, "until": row.until} for number, row in ended],
    )
    work.add(
        "place_states",
        [
            {"place_id": number, "since": row.since, "until": row.until, "state_id": row.state_id}
            for number, timeline in timelines.items()
            for row in timeline.states
        ],
        keep=False,
    )
    findings = [(number, row) for number, timeline in timelines.items() for row in timeline.findings]
    work.run_many(
        "UPDATE findings SET until = :until, became = :became"
        " WHERE place_id = :place_id AND control_id = :control_id AND since = :since",
        [
            {
                "place_id": number,
                "control_id": row.control_id,
                "since": row.since,
                "until": row.until,
                "became": row.became,
            }
            for number, row in findings
            if not row.is_new
        ],
    )
    work.add(
        "findings",
        [
            {
                "place_id": number,
                "control_id": row.control_id,
                "since": row.since,
                "until": row.until,
                "opened": row.opened,
                "status": row.status,
                "severity": row.severity,
                "began": row.began,
                "became": row.became,
                "waived": int(row.waived),
                "containers": row.containers,
                "said": row.said,
            }
            for number, row in findings
            if row.is_new
        ],
        keep=False,
    )


def _forget_documents(work: Work, places: Sequence[int]) -> None:
    work.run(
        "DELETE FROM documents WHERE target_id IN (SELECT id FROM targets WHERE place_id IN :places)",
        places=places,
    )
