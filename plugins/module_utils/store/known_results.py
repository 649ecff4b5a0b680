# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a cluster's places, from a store: what decides about a scan's order, and about what it carries over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ..results.checked_json import JsonObject, bad_results
from ..results.known_results import KnownResult
from ..results.target_record import TargetRecord
from .database import Row, clean
from .documents import unpack, unpack_numbers
from .run_reader import decode_records
from .store import Store


class StoreKnownResults:
    """`KnownResults` over a store. All of the cluster's records are read at the first use; about 1 kB each."""

    def __init__(self, store: Store, cluster: str) -> None:
        self._store = store
        self._cluster = cluster

    def of(self, place_id: str) -> Sequence[KnownResult]:
        """Those of the last run that knew the place; empty for a place that is not known.

        :raises ScanError: bad_results, where the store holds something else
        """
        row = self._rows.get(clean(place_id))
        if row is None:
            return ()
        records = (
            TargetRecord.from_json(JsonObject(value, f"the store's records of {place_id}"))
            for value in decode_records(row["body"])
        )
        return [self._known(row, record) for record in records]

    def document(self, known: KnownResult) -> bytes:
        """Its HDF document to the byte. :raises ScanError: bad_results, where the store has not kept it"""
        data = document_by_digest(self._store, known.target_id, known.record.hdf_sha256)
        if data is None:
            raise bad_results(
                self._store.database.address.shown,
                f"has no document of {known.target_id} (see its policy of evidence)",
            )
        return data

    def folder(self, known: KnownResult) -> Path | None:
        """None: of a run's files, only documents are kept."""
        return None

    @cached_property
    def _rows(self) -> Mapping[str, Row]:
        with self._store.database.read("look for earlier results") as work:
            rows = work.rows(
                "SELECT p.place, k.body, r.run_id, r.profiles, r.amendments_sha256, r.inputs_sha256, r.collection"
                " FROM known_results k JOIN places p ON p.id = k.place_id JOIN runs r ON r.id = k.run_id"
                " JOIN namespaces n ON n.id = p.namespace_id JOIN clusters c ON c.id = n.cluster_id WHERE c.name = :cluster",
                cluster=self._cluster,
            )
        return {row["place"]: row for row in rows}

    def _known(self, row: Row, record: TargetRecord) -> KnownResult:
        profiles: list[Any] = json.loads(row["profiles"])
        return KnownResult.of_record(
            record,
            run_id=row["run_id"],
            profiles={name: sha256 for name, _version, sha256 in profiles},
            amendments_sha256=row["amendments_sha256"],
            inputs_sha256=row["inputs_sha256"],
            collection_version=row["collection"],
        )


def document_by_digest(store: Store, target_id: str, sha256: str) -> bytes | None:
    """A document of a target by its SHA-256 (hexadecimal); None where the store does not have it."""
    return _document(
        store,
        "t.target_id = :target AND d.sha256 = :sha256",
        target=target_id,
        sha256=bytes.fromhex(sha256),
    )


def document_of_run(store: Store, cluster: str, run_id: str, target_id: str) -> bytes | None:
    """The document of a target in a run; None where the store does not have it."""
    return _document(
        store,
        "t.target_id = :target AND r.run_id = :run AND c.name = :cluster",
        target=target_id,
        run=run_id,
        cluster=cluster,
    )


def _document(store: Store, condition: str, **values: Any) -> bytes | None:
    with store.database.read("read a document") as work:
        rows = work.rows(
            "SELECT t.target_id, d.sha256, d.holes, m.body FROM documents d JOIN targets t ON t.id = d.target_id"
            " JOIN templates m ON m.id = d.template_id JOIN runs r ON r.id = d.run_id JOIN clusters c ON c.id = r.cluster_id"
            f" WHERE {condition} LIMIT 1",
            **values,
        )
        if not rows:
            return None
        (row,) = rows
        numbers = unpack_numbers(bytes(row["body"]))
        found = work.rows("SELECT id, body FROM pieces WHERE id IN :numbers", numbers=numbers)
    bodies = {piece["id"]: bytes(piece["body"]) for piece in found}
    pieces = [bodies.get(number, b"") for number in numbers]
    return unpack(pieces, bytes(row["holes"]), bytes(row["sha256"]), str(row["target_id"]))
