# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run, read for a store: its targets by place, each document verified and packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..results.checked_json import bad_results
from ..results.evidence import GRADES
from ..results.place import Place
from ..results.run import Run
from ..results.target_record import ErrorRecord, TargetRecord
from ..safe_text import one_line
from .database import clean
from .documents import PackedDocument, damaged, pack, unpack_json
from .state import DocumentReader, PlaceState, SeenProfile, SeenTarget, merged

# The year 9000: with ten years of a deadline, it still is a time in every database and language.
LAST_SECOND = 221_845_392_000


@dataclass(frozen=True)
class PackedTarget:
    """The document of one target of a place."""

    target_id: str
    document: PackedDocument


@dataclass(frozen=True)
class PlaceScan:
    """One place in one run. `state` is None where nothing of it was scanned; `seen` is when the oldest of its facts were
    collected. `error` is that of the first container which was not scanned, and `missing` the number of these. `known` is the
    records, compressed."""

    place: Place
    container_kind: str
    state: PlaceState | None
    profiles: Sequence[SeenProfile]
    seen: int
    carried: bool
    error: ErrorRecord | None
    missing: int
    documents: Sequence[PackedTarget]
    known: bytes

    @property
    def key(self) -> str:
        """The place's id as the store has it."""
        return str(clean(self.place.id))


def places_of(run: Run) -> dict[Place, list[TargetRecord]]:
    """The targets of a run by place, in the order of their ids; hostile words are in both."""
    places: dict[Place, list[TargetRecord]] = {}
    for record in sorted(run.targets, key=lambda record: record.target_id):
        places.setdefault(Place.of(record), []).append(record)
    return places


def started_at(text: str, source: str) -> int:
    """As `seconds`, of the start of a run. :raises ScanError: bad_results, for a time that no run has"""
    started = seconds(text)
    if not 0 < started < LAST_SECOND:
        raise bad_results(source, f"it started at {one_line(text, 40)}, which is no time of a run")
    return started


def finished_at(text: str, started: int) -> int:
    """As `seconds`, of the end of a run that started then; never before that, and never beyond every calendar."""
    return max(started, min(seconds(text, started), LAST_SECOND))


def seconds(text: str, default: int = 0) -> int:
    """A time of RFC 3339 as whole seconds since 1970; the default for what is none."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return default
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp())


class RunReader:
    """Reads places of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._documents = DocumentReader()

    def scans(self, places: Sequence[tuple[Place, Sequence[TargetRecord]]]) -> Iterator[PlaceScan]:
        """:raises ScanError: bad_results, for a document that is not the one that the run wrote"""
        for place, records in places:
            yield self.scan(place, records)

    def scan(self, place: Place, records: Sequence[TargetRecord]) -> PlaceScan:
        """One place, all of it. :raises ScanError: bad_results"""
        scanned = [record for record in records if record.is_scanned]
        missing = [record for record in records if not record.is_scanned]
        documents, targets = [], []
        for record in scanned:
            packed, target = self._target(record)
            documents.append(PackedTarget(record.target_id, packed))
            targets.append((target, record.replicas))
        state = None
        if scanned:
            images = [(record.image, record.image_digest) for record in scanned]
            state = merged(targets, images, _worst_grade(scanned), is_partial=bool(missing))
        return PlaceScan(
            place,
            records[0].container_kind,
            state,
            [profile for target, _containers in targets for profile in target.profiles],
            min(self._seen(record) for record in scanned) if scanned else 0,
            bool(scanned) and all(record.carried for record in scanned),
            missing[0].error if missing else None,
            sum(record.replicas for record in missing),
            documents,
            encode_records(records),
        )

    def _seen(self, record: TargetRecord) -> int:
        """Nothing is seen after the end of its run: it would never be due again."""
        started = seconds(self._run.started)
        return max(0, min(seconds(record.seen, started), finished_at(self._run.finished, started)))

    def _target(self, record: TargetRecord) -> tuple[PackedDocument, SeenTarget]:
        source, data = self._run.document_bytes(record)
        document = self._run.checked_document(record, source, data)
        return pack(data), self._documents.read(document, source)


def _worst_grade(records: Sequence[TargetRecord]) -> str:
    grades = [record.evidence.grade for record in records if record.evidence]
    return min(grades, key=GRADES.index) if grades else ""


def encode_records(records: Sequence[TargetRecord]) -> bytes:
    """Records as a store keeps them."""
    values = [record.to_json() for record in records]
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode("ascii"), 6)


def decode_records(body: bytes) -> list[Mapping[str, Any]]:
    """:raises ScanError: not_a_store, for damaged ones"""
    found = unpack_json(body, "a record")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise damaged("a record")
    return found
