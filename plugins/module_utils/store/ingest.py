# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a finished run into a store.

A run is half ingested until all of its places are there; what is there already is not written twice, so that the same call again
goes on where it stopped. Two of these calls at once give what one gives.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ScanError
from ..results.coverage import Coverage
from ..results.place import Place
from ..results.run import Run
from ..results.target_record import TargetRecord
from ..safe_text import one_line
from .database import Database, Work, clean
from .numbers import cause_numbers, numbers_of
from .place_writer import PlaceWriter, RunPlace
from .run_reader import PlaceScan, RunReader, encode_records, finished_at, places_of, started_at

WHOLE, HALF = "whole", "half"
# So many places are written at once; whoever waits for the store waits for them.
_BATCH = 100
_MOST_REFUSED = 50
_MAX_TEXT = 500


@dataclass(frozen=True)
class IngestedRun:
    """What became of a run. `state` is whole or half; `places` is the number of its places that this call wrote, `known` that of
    those which were there. `refused` says why places could not be taken, one sentence for each of the first."""

    cluster: str
    run_id: str
    state: str
    places: int
    known: int
    refused: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        return self.places > 0


class RunIngest:
    """Takes one run."""

    def __init__(
        self, database: Database, run: Run, writer: PlaceWriter, scans: RunReader | None = None
    ) -> None:
        """:param scans: what reads the run's places; by default from its documents"""
        self._database = database
        self._run = run
        self._writer = writer
        self._reader = scans or RunReader(run)
        self._started = started_at(run.started, run.folder or run.run_id)
        self._targets_sha256 = _targets_sha256(run)

    def take(self) -> IngestedRun:
        """:raises ScanError: run_refused, for another run of the same id; what keeps the store from being written"""
        places = places_of(self._run)
        with self._database.write("register a run") as work:
            number, state = self._register(work, len(places))
            there = _places_there(work, number, places)
        if state == WHOLE:
            return self._answer(WHOLE, 0, len(places), ())
        wanted = [(place, records) for place, records in places.items() if clean(place.id) not in there]
        refused: list[str] = []
        written = 0
        for start in range(0, len(wanted), _BATCH):
            scans = self._read(wanted[start : start + _BATCH], refused)
            written += self._write(number, scans)
        state = self._finish(number, refused)
        return self._answer(state, written, len(places) - len(wanted), refused[:_MOST_REFUSED])

    def _answer(self, state: str, places: int, known: int, refused: Sequence[str]) -> IngestedRun:
        return IngestedRun(self._run.cluster, self._run.run_id, state, places, known, tuple(refused))

    def _register(self, work: Work, places: int) -> tuple[int, str]:
        """The run's number and state; its row is made where there is none."""
        cluster_id = self._cluster_id(work)
        gate = _gate_word(self._run)
        row = next(
            iter(
                work.rows(
                    "SELECT id, state, started, targets_sha256, gate FROM runs"
                    " WHERE cluster_id = :cluster AND run_id = :run",
                    cluster=cluster_id,
                    run=self._run.run_id,
                )
            ),
            None,
        )
        if row is None:
            _refuse_pruned(work, self._run, self._started)
            work.add("runs", [self._run_row(cluster_id, places, gate)], keep=False)
            number = work.value(
                "SELECT id FROM runs WHERE cluster_id = :cluster AND run_id = :run",
                cluster=cluster_id,
                run=self._run.run_id,
            )
            return int(number), HALF
        if (row["started"], row["targets_sha256"]) != (self._started, self._targets_sha256):
            raise ScanError(
                "run_refused",
                f"{self._run.folder or self._run.run_id}: the store has another run {one_line(self._run.run_id, 80)} of "
                f"{one_line(self._run.cluster, 80)}, with other times or documents",
                tried="ingest a run",
            )
        if row["state"] != WHOLE:
            _refuse_pruned(work, self._run, self._started)
        if gate and not row["gate"]:
            self._take_gate(work, row["id"], gate)
        return int(row["id"]), str(row["state"])

    def _cluster_id(self, work: Work) -> int:
        run = self._run
        name = clean(run.cluster)
        number = cluster_number(work, run.cluster)
        work.run(
            "UPDATE clusters SET uid = :uid, told_at = :at WHERE name = :name AND told_at < :at AND :uid <> ''",
            uid=run.cluster_uid or "",
            at=self._started,
            name=name,
        )
        return number

    def _run_row(self, cluster_id: int, places: int, gate: str) -> dict[str, object]:
        run = self._run
        coverage = Coverage.of(run)
        counts = run.target_counts
        return {
            "cluster_id": cluster_id,
            "run_id": run.run_id,
            "started": self._started,
            "finished": finished_at(run.finished, self._started),
            "duration": run.duration,
            "targets_sha256": self._targets_sha256,
            "collection": one_line(run.collection.version, _MAX_TEXT),
            "collector": one_line(run.collector_version, _MAX_TEXT),
            "amendments_sha256": run.amendments_sha256,
            "inputs_sha256": run.inputs_sha256,
            "selection": json.dumps(run.selection, sort_keys=True),
            "covers": coverage.text if coverage else "",
            "profiles": json.dumps([[one.name, one.version, one.sha256] for one in run.profiles]),
            "judged_from": run.judged_from.run_id if run.judged_from else "",
            "gate": gate,
            "state": HALF,
            "refused": "",
            "expected": counts.selected,
            "scanned": counts.scanned,
            "not_scanned": counts.not_scanned,
            "not_judged": counts.not_judged,
            "carried": sum(record.carried is not None for record in run.targets),
            "places": places,
        }

    def _take_gate(self, work: Work, number: int, gate: str) -> None:
        """The gate decided after the run was ingested: its word, and the results of the targets that follow from it."""
        counts = self._run.target_counts
        work.run(
            "UPDATE runs SET gate = :gate, not_judged = :not_judged WHERE id = :id",
            gate=gate,
            not_judged=counts.not_judged,
            id=number,
        )
        known = {
            row["place"]: row["id"]
            for row in work.rows(
                "SELECT p.place, p.id FROM known_results k JOIN places p ON p.id = k.place_id WHERE k.run_id = :id",
                id=number,
            )
        }
        work.run_many(
            "UPDATE known_results SET body = :body WHERE place_id = :place",
            [
                {"place": known[clean(place.id)], "body": encode_records(records)}
                for place, records in places_of(self._run).items()
                if clean(place.id) in known
            ],
        )

    def _read(
        self, places: Sequence[tuple[Place, Sequence[TargetRecord]]], refused: list[str]
    ) -> list[PlaceScan]:
        """What can be read of them; why the others cannot goes to `refused`."""
        scans = []
        for place, records in places:
            try:
                scans.append(self._reader.scan(place, records))
            except ScanError as error:
                refused.append(one_line(f"{place.id}: {error.message}", _MAX_TEXT))
        return scans

    def _write(self, number: int, scans: Sequence[PlaceScan]) -> int:
        try:
            with self._database.write("ingest a run") as work:
                # somebody else may ingest the same run
                there = _places_there(work, number, (scan.place for scan in scans))
                new = [scan for scan in scans if scan.key not in there]
                if new:
                    self._writer.write(work, self._run_place(work, number), new)
                return len(new)
        except BaseException:
            self._writer.forget()
            raise

    def _run_place(self, work: Work, number: int) -> RunPlace:
        cluster_id = cluster_number(work, self._run.cluster)
        return RunPlace(
            number,
            self._run.run_id,
            self._started,
            self._namespaces(work),
            covering_runs(work, cluster_id, self._started),
        )

    def _namespaces(self, work: Work) -> Mapping[tuple[str, str], int]:
        """The numbers of the run's namespaces by (cluster, name); whose they are is as the newest run says."""
        own = self._run.cluster
        owners = {(own, one.name): one for one in self._run.namespaces}
        names = sorted({(record.cluster, record.namespace) for record in self._run.targets})
        clusters = {cluster: cluster_number(work, cluster) for cluster, _name in names}
        rows = [
            {"cluster_id": clusters[cluster], "name": name, "team": "", "environment": "", "told_at": -1}
            for cluster, name in names
        ]
        numbers = numbers_of(work, "namespaces", ("cluster_id", "name"), rows)
        found = {(cluster, name): numbers[clusters[cluster], name] for cluster, name in names}
        work.run_many(
            "UPDATE namespaces SET team = :team, environment = :environment, told_at = :at"
            " WHERE id = :id AND told_at < :at",
            [
                {
                    "id": found[key],
                    "team": owners[key].team,
                    "environment": owners[key].environment,
                    "at": self._started,
                }
                for key in names
                if key in owners
            ],
        )
        return found

    def _finish(self, number: int, refused: Sequence[str]) -> str:
        with self._database.write("finish a run") as work:
            gaps = self._run.unmatched
            causes = cause_numbers(work, (gap.error.to_json() for gap in gaps))
            work.add(
                "gaps",
                [
                    {
                        "run_id": number,
                        "kind": gap.kind,
                        "namespace": gap.namespace,
                        "name": gap.name,
                        "cause_id": causes[gap.error.code, gap.error.reason, gap.error.message],
                    }
                    for gap in gaps
                ],
            )
            state = HALF if refused else WHOLE
            told = "\n".join(refused[:_MOST_REFUSED])
            work.run(
                "UPDATE runs SET state = :state, refused = :refused WHERE id = :id AND state <> :whole",
                state=state, refused=told, id=number, whole=WHOLE,
            )  # fmt: skip
            if state == WHOLE:
                self._mark_gone(work)
        return state

    def _mark_gone(self, work: Work) -> None:
        coverage = Coverage.of(self._run)
        if coverage is None:
            return
        rows = work.rows(
            "SELECT p.id, n.name, p.container_kind FROM places p JOIN namespaces n ON n.id = p.namespace_id"
            " WHERE n.cluster_id = :cluster AND p.last_present < :at AND (p.gone_at IS NULL OR p.gone_at > :at)",
            cluster=cluster_number(work, self._run.cluster),
            at=self._started,
        )
        gone = [row["id"] for row in rows if coverage.has(row["name"], row["container_kind"])]
        work.run("UPDATE places SET gone_at = :at WHERE id IN :gone", at=self._started, gone=gone)


def cluster_number(work: Work, name: str) -> int:
    """The number of a cluster, made where it is not known."""
    return numbers_of(work, "clusters", ("name",), [{"name": name, "uid": "", "told_at": -1}])[name,]


def covering_runs(work: Work, cluster_id: int, since: int) -> list[tuple[int, Coverage]]:
    """The whole runs of a cluster that looked at everything somewhere, and started after that time."""
    rows = work.rows(
        "SELECT started, covers FROM runs WHERE cluster_id = :cluster AND started > :since AND state = :whole"
        " AND covers <> '' ORDER BY started",
        cluster=cluster_id,
        since=since,
        whole=WHOLE,
    )
    found = ((row["started"], Coverage.of_text(row["covers"])) for row in rows)
    return [(at, coverage) for at, coverage in found if coverage is not None]


def _places_there(work: Work, number: int, places: Iterable[Place]) -> set[str]:
    """The ids of those of the places that the store has of the run."""
    ids = [place.id for place in places]
    found: set[str] = set()
    for table in ("scans", "not_scanned"):
        rows = work.rows(
            f"SELECT p.place FROM places p JOIN {table} s ON s.place_id = p.id AND s.run_id = :id"
            " WHERE p.place IN :ids",
            id=number,
            ids=ids,
        )
        found.update(row["place"] for row in rows)
    return found


def _refuse_pruned(work: Work, run: Run, started: int) -> None:
    before = work.value("SELECT value FROM store WHERE name = 'pruned_before'")
    if before is not None and started < int(before):
        raise ScanError(
            "run_refused",
            f"{run.folder or run.run_id}: the run started on {run.started[:10]}, and what is older than the store keeps was "
            "removed",
            tried="ingest a run",
            cause="Its place in the history is gone.",
            advice="Ingest runs before the store is pruned, or keep more days.",
        )


def _gate_word(run: Run) -> str:
    return "" if run.gate is None else "passed" if run.gate.passed else "failed"


def _targets_sha256(run: Run) -> str:
    """The same for the same documents, whatever a gate made of them since."""
    value = sorted([record.target_id, record.outcome, record.hdf_sha256] for record in run.targets)
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()
