# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store: what it takes, and what it answers. Everybody outside this room uses this class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ScanError
from ..results.checked_json import JsonRecord
from ..results.deadline_policy import DeadlinePolicy
from ..results.fleet_run import FleetRun
from ..results.run import Run
from ..suggestions import unknown_name
from .database import Database
from .deadlines import set_deadlines
from .fleet_ingest import IngestedFleetRun, ingest_fleet_run
from .ingest import IngestedRun, RunIngest
from .place_writer import ALL, EVIDENCE_POLICIES, PlaceWriter
from .questions.question import Asked
from .questions.registry import QUESTIONS
from .retention import Pruned, prune
from .team_roles import set_team_roles


@dataclass(frozen=True)
class Answer:
    """Rows of a question. `truncated`: there are more than were asked for."""

    rows: Sequence[JsonRecord]
    truncated: bool


EVERYTHING = Asked()


class Store:
    """An open store. Not for several threads; each process opens its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._writers: dict[str, PlaceWriter] = {}

    @property
    def warnings(self) -> list[str]:
        """What is to be told of its place."""
        return self.database.warnings

    def ingest_run(self, run: Run, evidence: str = ALL) -> IngestedRun:
        """Takes a run; one that is there already changes nothing.

        :param evidence: which documents are kept: all, failed, latest, none
        :raises ScanError: bad_option; run_refused; what keeps the store from being written
        """
        if evidence not in EVIDENCE_POLICIES:
            raise ScanError(
                "bad_option",
                unknown_name("policy", evidence[:100], EVIDENCE_POLICIES),
                tried="reading the option evidence",
            )
        writer = self._writers.setdefault(evidence, PlaceWriter(evidence))
        return RunIngest(self.database, run, writer).take()

    def ask(self, name: str, asked: Asked = EVERYTHING) -> Answer:
        """The rows of a question of questions/registry.py.

        :raises ScanError: bad_option, for a question that there is not, and for a parameter that it does not have
        """
        if name not in QUESTIONS:
            raise ScanError(
                "bad_option", unknown_name("query", name[:100], QUESTIONS), tried="reading the option query"
            )
        question = QUESTIONS[name]
        question.check(asked)
        sql, values = question.statement(self.database, asked)
        with self.database.read(f"ask {name}") as work:
            rows = [question.row_of(row) for row in work.rows(sql, **values)]
        return Answer(rows[: asked.limit], len(rows) > asked.limit)

    def state_of(self, run: Run) -> str:
        """How far the store has a run: whole, half, or empty where it does not know it."""
        with self.database.read("look for a run") as work:
            state = work.value(
                "SELECT r.state FROM runs r JOIN clusters c ON c.id = r.cluster_id WHERE c.name = :cluster AND r.run_id = :run",
                cluster=run.cluster,
                run=run.run_id,
            )
        return str(state or "")

    def ingest_fleet_run(self, fleet_run: FleetRun) -> IngestedFleetRun:
        """Takes a fleet run's manifest; `ingest_run` takes its runs."""
        return ingest_fleet_run(self.database, fleet_run)

    def set_deadlines(self, policy: DeadlinePolicy | None, check_mode: bool = False) -> bool:
        """Makes this the policy by which things are overdue; None removes it. :returns: whether that changes something"""
        return set_deadlines(self.database, policy, check_mode)

    def set_team_roles(self, roles: Mapping[str, str], check_mode: bool = False) -> bool:
        """As `team_roles.set_team_roles`."""
        return set_team_roles(self.database, roles, check_mode)

    def prune(self, before: int, documents_before: int, check_mode: bool = False) -> Pruned:
        """As `retention.prune`."""
        return prune(self.database, before, documents_before, check_mode)

    def close(self) -> None:
        self.database.close()
