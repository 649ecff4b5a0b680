# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges again what an earlier run has kept of its targets. No cluster is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ..drift.report import drift_report
from ..engines.engine import Engine, Subject
from ..errors import ScanError
from ..kept.kept_target import KeptTarget, read_kept_target
from ..results.amendments import Amendments
from ..results.model import Judgement
from ..results.notes import Note
from ..results.run import Run
from ..results.run_folder import read_kept_facts
from ..results.target_record import KeptFacts, TargetRecord
from .run_recorder import RunRecorder, utc_now
from .scan_target import judge, platform_of, unread_facts


class JudgeKept:
    """One run over what another one has kept."""

    def __init__(
        self,
        run_dir: str,
        then: Run,
        engines: Sequence[Engine],
        amendments: Amendments,
        recorder: RunRecorder,
    ) -> None:
        """
        :param run_dir: the folder of the run that kept facts
        :param then: that run
        :param recorder: of the new run
        """
        self._run_dir = run_dir
        self._then = then
        self._engines = engines
        self._amendments = amendments
        self._recorder = recorder

    def judge(self, target: TargetRecord) -> None:
        """Records what comes of one target of the earlier run. One that was not scanned then keeps its error;
        one whose kept facts cannot be used gets an error of its own."""
        clock = time.monotonic()
        if target.error is not None:
            self._skip(target, target.error.to_json())
            return
        try:
            kept, facts = self._read(target)
        except ScanError as error:
            self._skip(target, error.record())
            return
        judgement, notes = self._judgement(kept, facts.sha256, clock)
        drift = drift_report(kept.selected, kept.facts, str(kept.method["approach"]), kept.collected)
        self._recorder.add_scanned(judgement, notes, drift=drift)

    def _read(self, target: TargetRecord) -> tuple[KeptTarget, KeptFacts]:
        """What was kept of a target, and the reference to its file."""
        facts = target.facts
        if facts is None:
            raise ScanError("bad_facts", "the run kept no facts of this target", tried="read kept facts")
        kept = read_kept_target(*read_kept_facts(self._run_dir, facts))
        if kept.selected.target.target_id != target.target_id:
            raise ScanError(
                "bad_facts",
                f"{facts.path} is about {kept.selected.target.target_id}",
                tried="read kept facts",
            )
        return kept, facts

    def _judgement(self, kept: KeptTarget, sha256: str, clock: float) -> tuple[Judgement, Sequence[Note]]:
        """Dated when the facts were collected: evidence does not grow younger by being judged again."""
        verdicts, notes = judge(self._engines, self._amendments, Subject(kept.selected, kept.facts))
        method = dict(
            kept.method,
            run_id=self._recorder.run_id,
            unread=[*unread_facts(kept.facts), *verdicts.unread],
            judged_from={"run_id": self._then.run_id, "facts_sha256": sha256, "judged": utc_now()},
        )
        return Judgement(
            identity=kept.selected.target.identity(),
            method=method,
            platform=platform_of(kept.facts),
            profiles=verdicts.results,
            started=kept.collected,
            duration=time.monotonic() - clock,
        ), notes

    def _skip(self, target: TargetRecord, error: Mapping[str, str]) -> None:
        self._recorder.add_not_scanned(target.identity(), target.approach, target.duration, error)
