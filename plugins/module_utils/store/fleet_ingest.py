# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a fleet run into a store: its manifest, so that a cluster without a run is known by its cause."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ..results.cluster_entry import ClusterEntry
from ..results.fleet_run import FleetRun, fleet_run_bytes
from .database import Database, Work
from .ingest import cluster_number
from .numbers import cause_numbers
from .run_reader import finished_at, started_at


@dataclass(frozen=True)
class IngestedFleetRun:
    """`is_new`: the store did not have it, or had it from before it was finished."""

    fleet_run_id: str
    clusters: int
    is_new: bool


def ingest_fleet_run(database: Database, fleet_run: FleetRun) -> IngestedFleetRun:
    """The manifest alone; its runs are taken one by one. Of two versions of the same one, that which was finished later stays."""
    data = fleet_run_bytes(fleet_run)
    answer = IngestedFleetRun(fleet_run.fleet_run_id, len(fleet_run.clusters), is_new=True)
    started = started_at(fleet_run.started, fleet_run.fleet_run_id)
    values = {
        "fleet_run_id": fleet_run.fleet_run_id,
        "started": started,
        "finished": finished_at(fleet_run.finished, started) if fleet_run.finished else None,
        "expected": len(fleet_run.expected),
        "gate": "" if fleet_run.gate is None else "passed" if fleet_run.gate.passed else "failed",
        "sha256": fleet_run.sha256,
        "body": zlib.compress(data, 6),
    }
    with database.write("ingest a fleet run") as work:
        there = work.rows(
            "SELECT id, finished, sha256 FROM fleet_runs WHERE fleet_run_id = :id", id=fleet_run.fleet_run_id
        )
        if there:
            (row,) = there
            if (row["finished"] or 0, row["sha256"]) >= (values["finished"] or 0, fleet_run.sha256):
                return IngestedFleetRun(fleet_run.fleet_run_id, len(fleet_run.clusters), is_new=False)
            work.run("DELETE FROM fleet_run_clusters WHERE fleet_run_id = :id", id=row["id"])
            work.run("DELETE FROM fleet_runs WHERE id = :id", id=row["id"])
        work.add("fleet_runs", [values], keep=False)
        number = work.value("SELECT id FROM fleet_runs WHERE fleet_run_id = :id", id=fleet_run.fleet_run_id)
        _add_clusters(work, number, fleet_run.clusters)
    return answer


def _add_clusters(work: Work, number: int, entries: tuple[ClusterEntry, ...]) -> None:
    causes = cause_numbers(work, (entry.error.to_json() for entry in entries if entry.error))
    work.add(
        "fleet_run_clusters",
        [
            {
                "fleet_run_id": number,
                "cluster_id": cluster_number(work, entry.cluster),
                "state": entry.state,
                "gate": entry.gate,
                "run_id": entry.run_id,
                "cause_id": causes[entry.error.code, entry.error.reason, entry.error.message]
                if entry.error
                else None,
                "expected": entry.targets.selected,
                "scanned": entry.targets.scanned,
                "judged": entry.targets.judged,
                "carried": entry.targets.carried,
            }
            for entry in entries
        ],
    )
