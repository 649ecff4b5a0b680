# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page report.html of a store alone: the newest results of each cluster, and what became of its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, cast

from ..reports.page_source import STORE, PageCluster, PageSource
from ..results.known_results import KnownResult
from ..results.run import NamespaceOwner
from ..results.target_record import ErrorRecord
from ..results.verdicts import TargetVerdicts, VerdictReader
from ..store.history import StoreHistory
from ..store.known_results import StoreKnownResults
from ..store.questions.age import PlaceAge
from ..store.questions.coverage import ClusterCoverage
from ..store.questions.question import Asked
from ..store.store import Store
from ..strict_json import load_own_json

_MOST = 1_000_000


def source_of_store(store: Store) -> PageSource:
    """:raises ScanError: what keeps the store from being read"""
    rows = cast("list[ClusterCoverage]", list(store.ask("coverage", Asked(limit=_MOST)).rows))
    return PageSource(
        title=f"{len(rows)} clusters" if len(rows) != 1 else rows[0].cluster,
        kind=STORE,
        made=max((row.at for row in rows), default=""),
        clusters=lambda: (_cluster(store, row) for row in rows),
        history=StoreHistory(store),
    )


def _cluster(store: Store, row: ClusterCoverage) -> PageCluster:
    """One cluster as its newest run, or its newest entry of a fleet run, has it."""
    places = cast("list[PlaceAge]", list(store.ask("age", Asked(cluster=row.cluster, limit=_MOST)).rows))
    half = ("The store does not have all of this run.",) if row.stored == "half" else ()
    return PageCluster(
        name=row.cluster,
        state=row.state,
        gate=row.gate,
        error=ErrorRecord("", row.state, row.why, "", "", "") if row.why else None,
        run_id=row.run_id,
        started=row.at,
        owners={one.namespace: NamespaceOwner(one.namespace, one.team, one.environment) for one in places},
        notes=half,
        targets=lambda: _targets(StoreKnownResults(store, row.cluster), sorted(one.place for one in places)),
    )


def _targets(known: StoreKnownResults, places: list[str]) -> Iterator[TargetVerdicts]:
    """One document is held at a time. What the store has not kept is told."""
    seen = VerdictReader()
    for place in places:
        for one in known.of(place):
            yield (
                seen.take(one.record, partial(_document, known, one))
                if one.record.hdf
                else TargetVerdicts(one.record)
            )


def _document(known: StoreKnownResults, one: KnownResult) -> Mapping[str, Any]:
    document: Mapping[str, Any] = load_own_json(known.document(one))
    return document
