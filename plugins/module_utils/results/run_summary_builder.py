# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the typed run of what a scan or a judgement found, target by target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ..safe_text import kept_values, one_line
from .deadlines import DeadlineBook
from .evidence import document_evidence
from .hdf import document_scan
from .notes import ATTESTATION, WAIVER, Note
from .producer import COLLECTION, VERSION
from .run import (
    ControlCount,
    JudgedFrom,
    NamespaceOwner,
    Producer,
    ProfileReference,
    Run,
    TargetCounts,
)
from .status import FAILED, NOT_REVIEWED, PROFILE_ERROR, SCANNED, SEVERITIES
from .summary import ControlSummary, Counts, DocumentSummary, merge_counts, summarize
from .target_record import Carried, DriftReference, ErrorRecord, KeptFacts, ProfileCounts, TargetRecord
from .unmatched import Unmatched, gaps_of

_MAX_ERROR_TEXT = 1000


class RunSummaryBuilder:
    """Collects the targets of a run one by one, keeping only what the summary needs. Not safe for several threads.

    :param started: RFC 3339
    :param selection: as the operator gave it
    :param profiles: those that were chosen
    :param judged_from: the run whose kept facts are judged
    :param left_out: number of containers that were left out, by the reason
    :param cluster_uid: the API server's own id, None where it is not known
    :param unmatched: what the selection names and that gave no target
    :param allow_empty: whether the selection is allowed to choose nothing
    :param amendments_sha256: of waivers and attestations as they apply, empty without any
    :param inputs_sha256: of the profiles' inputs, empty where they are not known
    :param deadline: seconds that the scan has, None without an end
    :param namespaces: whose the namespaces with targets are
    :param book: gets what is known of each target, for the run's deadlines
    """

    def __init__(
        self,
        *,
        run_id: str,
        started: str,
        cluster: str,
        selection: Mapping[str, Any],
        profiles: Sequence[ProfileReference],
        collector_version: str = "",
        judged_from: JudgedFrom | None = None,
        left_out: Mapping[str, int] = MappingProxyType({}),
        cluster_uid: str | None = None,
        unmatched: Sequence[Unmatched] = (),
        allow_empty: bool = False,
        amendments_sha256: str = "",
        inputs_sha256: str = "",
        deadline: float | None = None,
        namespaces: Sequence[NamespaceOwner] = (),
        book: DeadlineBook | None = None,
    ) -> None:
        self._run_id = run_id
        self._started = started
        self._cluster = cluster
        self._selection = selection
        self._profiles = tuple(profiles)
        self._collector_version = collector_version
        self._judged_from = judged_from
        self._left_out = dict(left_out)
        self._cluster_uid = cluster_uid
        self._unmatched = tuple(unmatched)
        self._allow_empty = allow_empty
        self._amendments_sha256 = amendments_sha256
        self._inputs_sha256 = inputs_sha256
        self._deadline = deadline
        self._namespaces = tuple(namespaces)
        self._book = book
        self._targets: list[TargetRecord] = []
        self._counts: list[Counts] = []
        self._failed = _ControlCounter()
        self._not_reviewed = _ControlCounter()

    def add_scanned(
        self,
        identity: Mapping[str, Any],
        approach: str,
        duration: float,
        document: Mapping[str, Any],
        hdf: str,
        *,
        hdf_sha256: str = "",
        facts: KeptFacts | None = None,
        drift: DriftReference | None = None,
        replicas: int | None = None,
        carried: Carried | None = None,
    ) -> TargetRecord:
        """A target with its HDF document, as the run will have it; `hdf` is the document's path within the run's folder.

        :param identity: `Target.identity()`
        :param duration: in seconds
        :param hdf_sha256: of the document's file
        :param facts: what was kept of it
        :param drift: what differs from its image
        :param replicas: the number of containers that it stands for; None for what the document says
        :param carried: where it was taken over from
        """
        summary, scan = summarize(document, hdf), document_scan(document)
        self._counts.append(summary.counts)
        for profile in summary.profiles:
            for control in profile.controls:
                if control.status == FAILED:
                    self._failed.add(profile.name, control)
                elif control.status == NOT_REVIEWED:
                    cause = one_line(control.skipped_because, _MAX_ERROR_TEXT)
                    self._not_reviewed.add(profile.name, control, cause)
        target = TargetRecord(
            **kept_values(dict(identity)),
            outcome=SCANNED,
            approach=approach,
            duration=duration,
            error=None,
            hdf=hdf,
            hdf_sha256=hdf_sha256,
            facts=facts,
            drift=drift,
            evidence=document_evidence(document),
            counts=summary.counts.by_status(),
            compliance=summary.counts.compliance,
            worst_failed=summary.counts.worst_failed,
            failed=_failed_ids(summary),
            profiles=tuple(
                ProfileCounts(profile.name, profile.counts.by_status(), profile.counts.compliance)
                for profile in summary.profiles
            ),
            skipped_profiles=dict(summary.skipped),
            result=summary.result,
            seen=_text_in(scan, "started"),
            spec_sha256=_text_in(scan, "spec_sha256"),
            replicas=_replicas_in(scan) if replicas is None else replicas,
            carried=carried,
        )
        self._targets.append(target)
        if self._book is not None:
            self._book.add_scanned(
                target.place_id,
                target.namespace,
                target.seen,
                failed={key: control.severity for key, control in _with_status(summary, FAILED)},
                unknown=[key for key, _control in _with_status(summary, NOT_REVIEWED, PROFILE_ERROR)],
                skipped=summary.skipped if summary.fits_none else (),
            )
        return target

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
        """A target that could not be scanned, with the record of its error (`ScanError.record()`)."""
        record = {name: one_line(text, _MAX_ERROR_TEXT) for name, text in error.items()}
        self._targets.append(
            TargetRecord.unscanned(
                kept_values(dict(identity)),
                ErrorRecord(**record),
                approach=approach,
                duration=duration,
                spec_sha256=spec_sha256,
                replicas=replicas,
            )
        )
        if self._book is not None:
            self._book.add_not_scanned(self._targets[-1].place_id, self._targets[-1].namespace)

    def finish(self, finished: str, duration: float, notes: Sequence[Note] = ()) -> Run:
        """The run, whose gate is not decided. Equal notes appear once.

        :param finished: RFC 3339
        :param duration: in seconds
        """
        targets = tuple(sorted(self._targets, key=lambda target: target.target_id))
        return Run(
            run_id=self._run_id,
            started=self._started,
            cluster=self._cluster,
            cluster_uid=self._cluster_uid,
            collection=Producer(COLLECTION, VERSION),
            collector_version=self._collector_version,
            selection=dict(self._selection),
            profiles=self._profiles,
            judged_from=self._judged_from,
            finished=finished,
            duration=duration,
            target_counts=TargetCounts.of(targets, gaps_of(self._unmatched, self._allow_empty)),
            left_out=self._left_out,
            unmatched=self._unmatched,
            allow_empty=self._allow_empty,
            controls=merge_counts(self._counts),
            failed_controls=self._failed.worst_first(),
            not_reviewed=self._not_reviewed.worst_first(),
            targets=targets,
            gate=None,
            waiver_notes=_notes_about(WAIVER, notes),
            attestation_notes=_notes_about(ATTESTATION, notes),
            amendments_sha256=self._amendments_sha256,
            inputs_sha256=self._inputs_sha256,
            deadline=self._deadline,
            namespaces=self._namespaces,
            deadlines_sha256="",
        )


class _ControlCounter:
    """Counts targets by control, and by cause where there is one."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str | None], ControlCount] = {}

    def add(self, profile: str, control: ControlSummary, cause: str | None = None) -> None:
        """One more target of a control, at the worst severity that the control has anywhere."""
        key = (profile, control.id, cause)
        before = self._counts.get(key)
        if before is None:
            self._counts[key] = ControlCount(profile, control.id, control.title, control.severity, 1, cause)
        else:
            severity = min(before.severity, control.severity, key=SEVERITIES.index)
            self._counts[key] = replace(before, targets=before.targets + 1, severity=severity)

    def worst_first(self) -> tuple[ControlCount, ...]:
        """By severity, then by the number of targets."""
        return tuple(
            sorted(
                self._counts.values(),
                key=lambda count: (
                    SEVERITIES.index(count.severity),
                    -count.targets,
                    count.profile,
                    count.id,
                ),
            )
        )


def _notes_about(about: str, notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(note for note in dict.fromkeys(notes) if note.about == about)


def _text_in(scan: Mapping[str, Any], name: str) -> str:
    value = scan.get(name)
    return value if isinstance(value, str) else ""


def _replicas_in(scan: Mapping[str, Any]) -> int:
    """One for a document of others, and for an older one."""
    value = scan.get("replicas")
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 1 else 1


def _with_status(
    summary: DocumentSummary, *statuses: str
) -> Iterator[tuple[tuple[str, str], ControlSummary]]:
    """((profile, control id), control) of the controls with one of the statuses."""
    for profile in summary.profiles:
        for control in profile.controls:
            if control.status in statuses:
                yield (profile.name, control.id), control


def _failed_ids(summary: DocumentSummary) -> dict[str, tuple[str, ...]]:
    failed: dict[str, tuple[str, ...]] = {}
    for profile in summary.profiles:
        ids = profile.ids(FAILED)
        if ids:
            failed[profile.name] = (*failed.get(profile.name, ()), *ids)
    return failed
