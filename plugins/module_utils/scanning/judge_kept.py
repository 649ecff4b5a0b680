# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges again what an earlier run has kept of its targets. No cluster is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..drift.report import drift_report
from ..engines.engine import Engine, Subject
from ..errors import ScanError
from ..kept.kept_target import KeptTarget, read_kept_target
from ..results.amendments import Amendments
from ..results.model import Judgement
from ..results.notes import Note
from ..results.run_folder import read_kept_facts
from ..results.threshold import SCANNED
from ..targets.identity import Target
from .run_recorder import RunRecorder, utc_now
from .scan_target import judge, platform_of, unread_facts

_IDENTITY = (*(field.name for field in fields(Target)), "target_id")


class JudgeKept:
    """One run over what another one has kept."""

    def __init__(
        self,
        run_dir: str,
        then: Mapping[str, Any],
        engines: Sequence[Engine],
        amendments: Amendments,
        recorder: RunRecorder,
    ) -> None:
        """
        :param run_dir: the folder of the run that kept facts
        :param then: the summary of that run
        :param recorder: of the new run
        """
        self._run_dir = run_dir
        self._then = then
        self._engines = engines
        self._amendments = amendments
        self._recorder = recorder

    def judge(self, target: Mapping[str, Any]) -> None:
        """Records what comes of one target of the earlier run. One that was not scanned then keeps its error;
        one whose kept facts cannot be used gets an error of its own."""
        clock = time.monotonic()
        if target["outcome"] != SCANNED:
            self._skip(target, target["error"])
            return
        try:
            kept = self._read(target)
        except ScanError as error:
            self._skip(target, error.record())
            return
        judgement, notes = self._judgement(kept, str(target["facts"]["sha256"]), clock)
        drift = drift_report(kept.selected, kept.facts, str(kept.method["approach"]), kept.collected)
        self._recorder.add_scanned(judgement, notes, drift=drift)

    def _read(self, target: Mapping[str, Any]) -> KeptTarget:
        kept = read_kept_target(*read_kept_facts(self._run_dir, target))
        if kept.selected.target.target_id != target["target_id"]:
            raise ScanError(
                "bad_facts",
                "{} is about {}".format(target["facts"]["path"], kept.selected.target.target_id),
                tried="read kept facts",
            )
        return kept

    def _judgement(self, kept: KeptTarget, sha256: str, clock: float) -> tuple[Judgement, Sequence[Note]]:
        """Dated when the facts were collected: evidence does not grow younger by being judged again."""
        verdicts, notes = judge(self._engines, self._amendments, Subject(kept.selected, kept.facts))
        method = dict(
            kept.method,
            run_id=self._recorder.run_id,
            unread=[*unread_facts(kept.facts), *verdicts.unread],
            judged_from={"run_id": self._then["run_id"], "facts_sha256": sha256, "judged": utc_now()},
        )
        return Judgement(
            identity=kept.selected.target.identity(),
            method=method,
            platform=platform_of(kept.facts),
            profiles=verdicts.results,
            started=kept.collected,
            duration=time.monotonic() - clock,
        ), notes

    def _skip(self, target: Mapping[str, Any], error: Mapping[str, str]) -> None:
        identity = {name: target.get(name, "") for name in _IDENTITY}
        self._recorder.add_not_scanned(identity, target["approach"], target["duration"], error)
