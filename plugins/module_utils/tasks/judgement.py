# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_judgement`: a run's folder with kept facts in, a folder of new results out. No cluster is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ..access.objects import new_run_id
from ..drift.report import drift_in_summary, drift_report
from ..errors import ScanError
from ..kept.kept_target import KeptTarget, read_kept_target
from ..profiles.compiled_profile import CompiledProfile
from ..results.amendments import Amendments, read_amendments
from ..results.hdf import hdf_document
from ..results.model import Judgement
from ..results.notes import Note, note_warnings
from ..results.run import JudgedFrom, ProfileReference, Run, open_earlier_run
from ..results.run_folder import RunFolder, read_kept_facts
from ..results.run_summary_builder import RunSummaryBuilder
from ..results.target_record import KeptFacts, TargetRecord
from ..scanning.scan_target import judge_facts, platform_of, unread_facts
from .context import TaskContext
from .profile import received_profiles

_LISTED_IN_RESULT = 20


def run_scan_judgement(params: Mapping[str, Any], context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false), run_id, run_dir, summary_file, counts, not_scanned; in check mode without
    run_dir and summary_file.
    """
    profiles = received_profiles(params)
    amendments = read_amendments(params)
    then = open_earlier_run(params["run_dir"])
    if not any(target.facts for target in then.targets):
        raise ScanError(
            "bad_facts",
            f"the run {then.run_id} kept no facts",
            tried="judging {}".format(params["run_dir"]),
        )
    folder = RunFolder(params["output_dir"], new_run_id(datetime.now(timezone.utc)))
    if not context.check_mode:
        folder.create()
    return _Judging(
        params["run_dir"], context, then=then, profiles=profiles, amendments=amendments, folder=folder
    ).run()


class _Judging:
    """One run over what another one has kept."""

    def __init__(
        self,
        run_dir: str,
        context: TaskContext,
        *,
        then: Run,
        profiles: Sequence[CompiledProfile],
        amendments: Amendments,
        folder: RunFolder,
    ) -> None:
        self._run_dir = run_dir
        self._context = context
        self._then = then
        self._profiles = profiles
        self._amendments = amendments
        self._folder = folder
        self._summary = RunSummaryBuilder(
            run_id=folder.path.name,
            started=_now(),
            cluster=then.cluster,
            selection=then.selection,
            profiles=[
                ProfileReference(profile.name, profile.version, profile.sha256) for profile in profiles
            ],
            collector_version=then.collector_version,
            judged_from=JudgedFrom(then.run_id, then.started),
        )
        self._notes: list[Note] = []
        self._not_scanned: list[dict[str, Any]] = []
        self._scanned = 0

    def run(self) -> dict[str, Any]:
        clock = time.monotonic()
        targets = self._then.targets
        for target in targets:
            self._judge(target)
        self._notes += self._amendments.without_target([target.identity() for target in targets])
        self._context.warnings += note_warnings(self._notes)
        result: dict[str, Any] = {
            "changed": False,
            "run_id": self._folder.path.name,
            "not_scanned": self._not_scanned[:_LISTED_IN_RESULT],
            "counts": {
                "selected": len(targets),
                "scanned": self._scanned,
                "not_scanned": len(self._not_scanned),
            },
        }
        if not self._context.check_mode:
            finished = self._summary.finish(_now(), time.monotonic() - clock, self._notes)
            result.update(
                run_dir=str(self._folder.path), summary_file=str(self._folder.write_summary(finished))
            )
            self._folder.mark_latest()
        return result

    def _judge(self, target: TargetRecord) -> None:
        """A target that was not scanned then stays so, with its error; so does one whose facts cannot be used."""
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
        document = hdf_document(judgement)
        approach = str(kept.method["approach"])
        hdf = "" if self._context.check_mode else self._folder.write_hdf(document, judgement.identity)
        drift = drift_report(kept.selected, kept.facts, approach, kept.collected)
        drift_file = (
            self._folder.write_drift(drift, judgement.identity)
            if drift and not self._context.check_mode
            else ""
        )
        self._summary.add_scanned(
            judgement.identity,
            approach,
            judgement.duration,
            document,
            hdf,
            drift=drift_in_summary(drift, drift_file) if drift else None,
        )
        self._notes += notes
        self._scanned += 1

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
        """Of the time when the facts were collected: evidence does not grow younger by being judged again."""
        results, notes = judge_facts(self._profiles, self._amendments, kept.selected, kept.facts)
        method = dict(
            kept.method,
            run_id=self._folder.path.name,
            unread=unread_facts(kept.facts),
            judged_from={"run_id": self._then.run_id, "facts_sha256": sha256, "judged": _now()},
        )
        return Judgement(
            identity=kept.selected.target.identity(),
            method=method,
            platform=platform_of(kept.facts),
            profiles=results,
            started=kept.collected,
            duration=time.monotonic() - clock,
        ), notes

    def _skip(self, target: TargetRecord, error: Mapping[str, str]) -> None:
        self._not_scanned.append({"target_id": target.target_id, "error": dict(error)})
        self._summary.add_not_scanned(target.identity(), target.approach, target.duration, error)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
