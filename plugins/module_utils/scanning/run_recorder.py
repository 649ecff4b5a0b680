# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The books of a run: what became of each target, in the run's folder, its summary and the task's result."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..approaches.approach import Footprint
from ..drift.report import drift_in_summary
from ..options.profile import JudgingOptions
from ..results.checked_json import bad_results, plain
from ..results.deadline_policy import DeadlinePolicy
from ..results.deadlines import DeadlineBook
from ..results.earlier_deadlines import earlier_deadlines
from ..results.hdf import document_scan, document_target_id, hdf_document, read_hdf
from ..results.journal import JournalWriter, remove_journal
from ..results.model import Judgement
from ..results.notes import Note, note_warnings
from ..results.run import JudgedFrom, NamespaceOwner, ProfileReference, Run
from ..results.run_folder import RunFolder, summary_sha256
from ..results.run_summary_builder import RunSummaryBuilder
from ..results.status import FAIL
from ..results.target_record import TargetRecord
from ..results.teams import Ownership
from ..results.unmatched import Unmatched
from ..secret_texts import values_without_secrets
from ..text_layout import number_of
from .agenda import TakenOver, Terms

_LISTED_IN_RESULT = 20


class RunRecorder:
    """Keeps what the summary and the result need of each target; the rest is in its document. Not safe for
    several threads."""

    def __init__(
        self,
        folder: RunFolder,
        *,
        cluster: str,
        selection: Mapping[str, Any],
        judging: JudgingOptions,
        collector_version: str,
        judged_from: JudgedFrom | None = None,
        left_out: Mapping[str, int] = MappingProxyType({}),
        cluster_uid: str | None = None,
        unmatched: Sequence[Unmatched] = (),
        allow_empty: bool = False,
        writes: bool = True,
        deadline: float | None = None,
        keeps_journal: bool = False,
        owners: Mapping[str, Ownership] = MappingProxyType({}),
        deadlines: DeadlinePolicy | None = None,
    ) -> None:
        """
        :param selection: the options of the selection, as the operator gave them
        :param judged_from: the run whose kept facts are judged
        :param left_out: number of containers that were left out, by the reason
        :param cluster_uid: the API server's own id, None where it is not known
        :param unmatched: what the selection names and that gave no target
        :param allow_empty: whether the selection is allowed to choose nothing
        :param owners: namespace -> who owns it, where the scan has rules for that
        :param deadlines: by which the run's deadlines are made, None without a policy
        :param writes: False in check mode: nothing is written, the folder is not there
        :param deadline: seconds that the scan has, None without an end
        :param keeps_journal: whether the run can be resumed when it is interrupted
        """
        self._folder = folder
        self._writes = writes
        self._cluster_uid = cluster_uid
        self._amendments = judging.amendments
        self._clock = time.monotonic()
        # on waivers and attestations; complete when the run is finished
        self.warnings: list[str] = []
        self.started = utc_now()
        self._owners = owners
        self._deadlines = deadlines
        self._book = DeadlineBook()
        self._summary = RunSummaryBuilder(
            run_id=self.run_id,
            started=self.started,
            cluster=cluster,
            selection=selection,
            profiles=[
                ProfileReference(profile.name, profile.version, profile.sha256)
                for profile in judging.profiles
            ],
            collector_version=collector_version,
            judged_from=judged_from,
            left_out=left_out,
            cluster_uid=cluster_uid,
            unmatched=unmatched,
            allow_empty=allow_empty,
            amendments_sha256=judging.amendments.sha256(datetime.now(timezone.utc)),
            inputs_sha256=judging.inputs_sha256,
            deadline=deadline,
            namespaces=[
                NamespaceOwner(name, owner.team, owner.environment) for name, owner in sorted(owners.items())
            ],
            book=self._book if deadlines else None,
        )
        self._journal = (
            JournalWriter(folder.path, self._summary.finish(self.started, 0.0)) if keeps_journal else None
        )
        self.scanned = self.failing = self.carried = 0
        self._recorded: set[str] = set()
        self._notes: list[Note] = []
        self._not_scanned: list[dict[str, Any]] = []

    @property
    def run_id(self) -> str:
        return self._folder.path.name

    @property
    def not_scanned(self) -> int:
        return len(self._not_scanned)

    def add_scanned(
        self,
        judgement: Judgement,
        notes: Sequence[Note],
        *,
        kept: Mapping[str, Any] | None = None,
        drift: Mapping[str, Any] | None = None,
    ) -> None:
        """A target that was judged; its documents are written at once, so that memory stays flat.

        :param notes: on its waivers and attestations
        :param kept: see kept/kept_target.py; None where facts are not kept
        :param drift: see drift/report.py; None where drift was not asked for
        """
        method = {**judgement.method, "cluster_uid": self._cluster_uid}
        identity, document = judgement.identity, hdf_document(replace(judgement, method=method))
        drift_file = self._folder.write_drift(drift, identity) if drift and self._writes else ("", "")
        hdf, sha256 = self._folder.write_hdf(document, identity) if self._writes else ("", "")
        record = self._summary.add_scanned(
            identity,
            str(judgement.method["approach"]),
            judgement.duration,
            document,
            hdf,
            hdf_sha256=sha256,
            facts=self._folder.write_facts(kept, identity) if kept and self._writes else None,
            drift=drift_in_summary(drift, *drift_file) if drift else None,
        )
        self._count(record, notes)

    def add_carried(self, taken: TakenOver, terms: Terms) -> None:
        """A target that an earlier run has scanned. Its files become this run's, too.

        :param terms: on which results are carried over
        :raises ScanError: bad_results, bad_facts, where the earlier run's files cannot be used; write_failed
        """
        known = taken.known
        data = taken.kept.document(known)
        if hashlib.sha256(data).hexdigest() != known.record.hdf_sha256:
            raise bad_results(
                known.record.hdf, "is not the document that the run wrote (its SHA-256 differs)"
            )
        document = read_hdf(data, known.record.hdf)
        scan = document_scan(document)
        if (document_target_id(document, ""), scan.get("run_id"), scan.get("cluster_uid")) != (
            known.target_id,
            known.run_id,
            self._cluster_uid,
        ):
            raise bad_results(known.record.hdf, f"is not what run {known.run_id} found on {known.target_id}")
        terms.check_files(known, taken.kept, document)
        record = self._folder.take_over(data, known.record, taken.kept.folder(known))
        added = self._summary.add_scanned(
            record.identity(),
            record.approach,
            record.duration,
            document,
            record.hdf,
            hdf_sha256=record.hdf_sha256,
            facts=record.facts,
            drift=record.drift,
            replicas=taken.replicas,
            carried=taken.carried,
        )
        self.carried += 1
        self._count(added, known.notes)

    def has(self, target_id: str) -> bool:
        """Whether it is known what became of a target."""
        return target_id in self._recorded

    def _count(self, record: TargetRecord, notes: Sequence[Note]) -> None:
        self._notes += notes
        self.scanned += 1
        self._recorded.add(record.target_id)
        self.failing += record.result == FAIL
        if self._journal is not None:
            self._journal.add(record, notes)

    def add_not_scanned(
        self,
        identity: Mapping[str, Any],
        approach: str,
        duration: float,
        error: Mapping[str, str],
        *,
        spec_sha256: str = "",
        replicas: int = 1,
    ) -> None:
        """A target without a judgement.

        :param identity: as `Target.identity()`
        :param duration: seconds
        :param error: as `ScanError.record()`
        :param spec_sha256: of its pod's spec, see TargetRecord
        :param replicas: number of containers that it stands for
        """
        error = values_without_secrets(error)
        self._recorded.add(str(identity["target_id"]))
        self._not_scanned.append({"target_id": identity["target_id"], "error": error})
        self._summary.add_not_scanned(
            identity, approach, duration, error, spec_sha256=spec_sha256, replicas=replicas
        )

    def finish(self, targets: Sequence[Mapping[str, Any]], resumed: Sequence[Path] = ()) -> dict[str, Any]:
        """Writes the summary. The task's result: run_id, counts, not_scanned, unmatched; where something is written also
        run_dir, summary_file and summary_sha256.

        :param targets: the identities of what was selected; successors of replaced pods are not among them
        :param resumed: folders of interrupted runs that this one has brought to their end
        """
        self._notes += self._amendments.read_elsewhere(self._notes)
        self._notes += self._amendments.without_target(targets)
        self.warnings += note_warnings(self._notes)
        run = self._summary.finish(utc_now(), time.monotonic() - self._clock, self._notes)
        if self._deadlines is not None and self._writes:
            run = self._with_deadlines(run, self._deadlines)
        counts = run.target_counts
        result: dict[str, Any] = {
            "run_id": self.run_id,
            "counts": plain(counts),
            "not_scanned": first_of(self._not_scanned),
            "unmatched": first_of(plain(run.unmatched)),
        }
        if self._writes:
            for folder in resumed:
                remove_journal(folder)
            result.update(
                run_dir=str(self._folder.path),
                summary_file=str(self._folder.write_summary(run)),
                summary_sha256=summary_sha256(run),
            )
            self._folder.mark_latest()
            if self._journal is not None:
                self._journal.remove()
        return result

    def close(self) -> None:
        """When the run ends without a summary: its journal stays, and no longer counts as one that is being written."""
        if self._journal is not None:
            self._journal.close()

    def _with_deadlines(self, run: Run, policy: DeadlinePolicy) -> Run:
        """The run, whose deadlines are written."""
        notes: list[str] = []
        before = earlier_deadlines(replace(run, folder=str(self._folder.path)), notes)
        self.warnings += notes
        made = self._book.finish(
            run_id=run.run_id,
            cluster=run.cluster,
            started=run.started,
            policy=policy,
            owners=self._owners,
            before=before,
        )
        return replace(run, deadlines_sha256=self._folder.write_deadlines(made))


def first_of(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the targets without a judgement, or of the names without a target, that a task's result holds."""
    return list(entries[:_LISTED_IN_RESULT])


def footprint_of_run(added: Sequence[Footprint], not_ended: Sequence[Footprint] = ()) -> dict[str, Any]:
    """What was added to pods, and what of it was not seen to end, as a task's result holds it."""
    return {"added": len(added), "ephemeral_containers": _named(added), "not_ended": _named(not_ended)}


def not_ended_warning(not_ended: Sequence[Footprint]) -> list[str]:
    """A warning about debug containers that were not seen to end, where there are any."""
    if not not_ended:
        return []
    shown = ", ".join(f"{entry.namespace}/{entry.pod}/{entry.ephemeral_container}" for entry in not_ended[:3])
    return [
        "{} did not end when told to ({}{}): its target may have stopped it. It goes with its pod".format(
            number_of(len(not_ended), "debug container"), shown, ", ..." if len(not_ended) > 3 else ""
        )
    ]


def _named(entries: Sequence[Footprint]) -> list[dict[str, str]]:
    return [
        {"namespace": entry.namespace, "pod": entry.pod, "name": entry.ephemeral_container}
        for entry in entries[:_LISTED_IN_RESULT]
    ]


def utc_now() -> str:
    """RFC 3339, in milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
