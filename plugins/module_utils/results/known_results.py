# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of places from earlier runs, wherever it is kept: the order of a scan and what it carries over follow
from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .notes import Note
from .run import Run
from .target_record import TargetRecord


@dataclass(frozen=True)
class KnownResult:
    """One target of an earlier run, with what it depends on.

    `run_id` is the run that scanned it, also where a later one carried it over. `profiles` maps each profile's name to its
    SHA-256. `seen` is RFC 3339, empty for what was not scanned; `result` and `counts` are those of the record. `was_missed`:
    a later run did not scan it. `notes` are on its waivers and attestations, where they are known.
    """

    place_id: str
    target_id: str
    pod_uid: str
    container_id: str
    image_id: str
    image_digest: str
    spec_sha256: str
    profiles: Mapping[str, str]
    amendments_sha256: str
    inputs_sha256: str
    collection_version: str
    seen: str
    run_id: str
    result: str
    counts: Mapping[str, int] | None
    record: TargetRecord
    was_missed: bool = False
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, run: Run, record: TargetRecord) -> KnownResult:
        """A target of a run."""
        return cls.of_record(
            record,
            run_id=run.run_id,
            profiles={profile.name: profile.sha256 for profile in run.profiles},
            amendments_sha256=run.amendments_sha256,
            inputs_sha256=run.inputs_sha256,
            collection_version=run.collection.version,
        )

    @classmethod
    def of_record(
        cls,
        record: TargetRecord,
        *,
        run_id: str,
        profiles: Mapping[str, str],
        amendments_sha256: str,
        inputs_sha256: str,
        collection_version: str,
    ) -> KnownResult:
        """A target of a run of which only these are known. :param profiles: SHA-256 by name"""
        return cls(
            place_id=record.place_id,
            target_id=record.target_id,
            pod_uid=record.pod_uid,
            container_id=record.container_id,
            image_id=record.image_id,
            image_digest=record.image_digest,
            spec_sha256=record.spec_sha256,
            profiles=profiles,
            amendments_sha256=amendments_sha256,
            inputs_sha256=inputs_sha256,
            collection_version=collection_version,
            seen=record.seen,
            run_id=record.carried.run_id if record.carried else run_id,
            result=record.result,
            counts=record.counts,
            record=record,
        )


class KnownResults(Protocol):
    """Results of earlier runs of one cluster."""

    def of(self, place_id: str) -> Sequence[KnownResult]:
        """Those of the last run that knew the place, in no order; empty for a place that is not known. Of what that run did
        not scan, the last result before it, where there is one."""
        ...

    def document(self, known: KnownResult) -> bytes:
        """The HDF document of one that was scanned, to the byte as its run wrote it: its SHA-256 is the record's.

        :raises ScanError: bad_results, where it is not there or is another one
        """
        ...

    def folder(self, known: KnownResult) -> Path | None:
        """The folder of the run whose files are those of the record (its drift, its kept facts); None where only documents
        are kept."""
        ...
