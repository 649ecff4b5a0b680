# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished run: its summary as typed values, and its documents. Everything after a scan reads this.

The summary says what was selected, scanned and found, small enough to be held whole (no test results in it). It is
`summary.json` of the run's folder:

    schema            securescan.kubernetes/run-summary
    schema_version    number; 4
    run_id, started, finished (RFC 3339), duration (seconds), cluster, collection {name, version}, collector_version
    cluster_uid       the API server's own id: uid of the namespace kube-system; null where it could not be read
    selection         mapping, as the operator gave it
    profiles          list of {name, version, sha256}
    target_counts     {selected, scanned, not_scanned, not_judged, carried}; what was not judged, and what was carried over
                      from an earlier run, is counted as scanned, too; what was named and gave nothing is counted as selected
                      and not scanned (see `gaps`)
    left_out          {reason: number} of containers that were chosen by no option but left out all the same
    unmatched         list of {kind, name, namespace, error {code, reason, message}} of what the selection names and that gave
                      no target; `kind` is namespace, workload, pod or container, `namespace` is empty where none is named
    allow_empty       whether the selection is allowed to choose nothing
    controls          {status: {total, critical, high, medium, low, none}, ..., controls, compliance} over all targets
    failed_controls   list of {profile, id, title, severity, targets}: worst severity first, then most targets
    not_reviewed      list of {profile, id, title, severity, targets, cause}: the same for controls that are Not Reviewed,
                      one entry for each cause
    targets           list of: all identity fields, outcome (scanned, not_scanned),
                      result (pass, fail, not_judged, not_scanned), approach, duration, error (record or null),
                      hdf (path within the run's folder, or empty),
                      hdf_sha256 (of that file, or empty),
                      facts ({path, sha256} where they were kept, or null),
                      drift ({path, sha256, complete, counts {added, changed, removed, touched} or null, cause}, or null where
                      it was not asked for),
                      evidence ({grade, reasons} as in evidence.py, or null where the document names none),
                      counts {status: number} or null, compliance or null, worst_failed (severity or empty),
                      profiles (list of {name, counts, compliance}), failed {profile: [control id]},
                      skipped_profiles {profile: why it was skipped on the target},
                      seen (RFC 3339 when its facts were collected, or empty; in a summary that was of an older version, when
                      the run began),
                      spec_sha256 (of its pod's spec without what differs between replicas, or empty),
                      replicas (number of containers that it stands for, itself included),
                      carried ({run_id, why, age_seconds} of what was taken over from an earlier run, whose document it then
                      is: why is resumed or fresh; null for what the run itself did)
    amendments_sha256 of the waivers and attestations as they applied when the run began; empty without any
    inputs_sha256     of the inputs by which the profiles judged; empty where that is not known
    deadline          seconds that the scan had, or null
    namespaces        list of {name, team, environment} of the namespaces with targets; the last two can be empty
    deadlines_sha256  of deadlines.json in the run's folder (see deadlines.py); empty for a run without deadlines
    judged_from       {run_id, started} of the run whose kept facts were judged, or null where the targets were entered
    gate              the first decision (see decision.py; later ones in decisions.py), or null where none was taken
    waiver_notes      list of {control_id, kind, text}
    attestation_notes the same

`result` follows the gate's decision on the target (see decision.py). Without a gate, a target with a failed control or a
profile error fails. Else it is not judged, when a control of severity critical or high was not reviewed though a program
could have done it, or when a profile judged no control at all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..safe_text import one_line
from ..strict_json import load_json
from .checked_json import JsonObject, JsonRecord, TextRecord, bad_results
from .deadlines import Deadlines, read_deadlines
from .decision import Decision, ExpectedTarget
from .findings import Findings, collect_findings
from .hdf import document_target_id, read_document, read_hdf
from .notes import ATTESTATION, WAIVER, Note
from .status import FAIL, NOT_JUDGED, NOT_SCANNED, PASS, SCANNED, SEVERITIES
from .summary import Counts
from .target_record import HDF_FOLDER, TargetRecord
from .unmatched import Unmatched, gaps_of
from .whole_file import read_own_file

SCHEMA = "securescan.kubernetes/run-summary"
SCHEMA_VERSION = 4
SUMMARY_JSON = "summary.json"
_MAX_SUMMARY_BYTES = 512 * 1024 * 1024


def _lift_1(old: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew neither the documents' SHA-256, nor evidence, nor targets that were not judged."""
    summary = {**old, "left_out": {}}
    if isinstance(old.get("target_counts"), dict):
        summary["target_counts"] = {**old["target_counts"], "not_judged": 0}
    if isinstance(old.get("targets"), list):
        summary["targets"] = [
            _lift_target_1(target) if isinstance(target, dict) else target for target in old["targets"]
        ]
    if isinstance(old.get("gate"), dict):
        summary["gate"] = _lift_gate_1(old["gate"])
    return summary


def _lift_target_1(old: dict[str, Any]) -> dict[str, Any]:
    target = {**old, "hdf_sha256": "", "evidence": None}
    if isinstance(old.get("drift"), dict):
        target["drift"] = {**old["drift"], "sha256": ""}
    return target


def _lift_gate_1(old: dict[str, Any]) -> dict[str, Any]:
    """A decision knew whether a target passed, and nothing of targets that were not judged or of limits of ours."""
    gate = dict(old)
    if isinstance(old.get("threshold"), dict):
        gate["threshold"] = {**old["threshold"], "added": []}
    numbers = old["counts"].get("targets") if isinstance(old.get("counts"), dict) else None
    if isinstance(numbers, dict):
        gate["counts"] = {**old["counts"], "targets": {**numbers, "judged": numbers.get("scanned")}}
    if isinstance(old.get("targets"), list):
        gate["targets"] = [
            {**target, "result": _lift_result_1(target)} if isinstance(target, dict) else target
            for target in old["targets"]
        ]
    return gate


def _lift_result_1(target: dict[str, Any]) -> str:
    if target.get("passed"):
        return PASS
    return NOT_SCANNED if target.get("outcome") == NOT_SCANNED and not target.get("reasons") else FAIL


def _lift_2(old: dict[str, Any]) -> dict[str, Any]:
    """Version 2 knew no id of the API server, nothing of names that gave no target, of profiles that were skipped, and not
    what no longer fails."""
    summary = {**old, "cluster_uid": None, "unmatched": [], "allow_empty": False}
    if isinstance(old.get("targets"), list):
        summary["targets"] = [
            {**target, "skipped_profiles": {}} if isinstance(target, dict) else target
            for target in old["targets"]
        ]
    if isinstance(old.get("gate"), dict):
        summary["gate"] = {**old["gate"], "no_longer_failed": []}
    return summary


def _lift_3(old: dict[str, Any]) -> dict[str, Any]:
    """Version 3 knew neither when each target was seen, nor what its result depends on, nor anything that was taken over."""
    summary = {**old, "amendments_sha256": "", "inputs_sha256": "", "deadline": None, "namespaces": []}
    summary["deadlines_sha256"] = ""
    if isinstance(old.get("target_counts"), dict):
        summary["target_counts"] = {**old["target_counts"], "carried": 0}
    if isinstance(old.get("targets"), list):
        seen = _evidence_time_3(old)
        summary["targets"] = [
            {
                **target,
                "seen": seen if target.get("outcome") == SCANNED else "",
                "spec_sha256": "",
                "replicas": 1,
                "carried": None,
            }
            if isinstance(target, dict)
            else target
            for target in old["targets"]
        ]
    return summary


def _evidence_time_3(old: dict[str, Any]) -> Any:
    """The earliest time at which a target can have been seen: it is never said to be younger than it is."""
    judged_from = old.get("judged_from")
    return (judged_from if isinstance(judged_from, dict) else old).get("started", "")


# Version of an older summary -> what makes of it one of the next version. A new version adds its predecessor here.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _lift_1, 2: _lift_2, 3: _lift_3}


@dataclass(frozen=True)
class Producer(TextRecord):
    """The collection that wrote a run."""

    name: str
    version: str


@dataclass(frozen=True)
class ProfileReference(TextRecord):
    """A profile by which a run judged."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class NamespaceOwner(TextRecord):
    """Whose a namespace is; the last two are empty where that is not known."""

    name: str
    team: str
    environment: str


@dataclass(frozen=True)
class JudgedFrom(TextRecord):
    """The run whose kept facts were judged; `started` is RFC 3339."""

    run_id: str
    started: str


@dataclass(frozen=True)
class TargetCounts(JsonRecord):
    selected: int
    scanned: int
    not_scanned: int
    not_judged: int  # among those that were scanned
    carried: int  # among those that were scanned: by an earlier run

    @classmethod
    def of(cls, targets: Sequence[TargetRecord], gaps: Sequence[Unmatched] = ()) -> TargetCounts:
        """:param gaps: what counts as a target that was not scanned"""
        scanned = sum(target.is_scanned for target in targets)
        not_judged = sum(target.result == NOT_JUDGED for target in targets)
        selected = len(targets) + len(gaps)
        carried = sum(target.carried is not None for target in targets)
        return cls(selected, scanned, selected - scanned, not_judged, carried)


@dataclass(frozen=True)
class ControlCount(JsonRecord):
    """On how many targets a control has a status, at the worst severity that it has on any of them.

    `cause` says why it is Not Reviewed; None for a control that failed.
    """

    profile: str
    id: str
    title: str
    severity: str
    targets: int
    cause: str | None = None

    @classmethod
    def from_json(cls, given: JsonObject, with_cause: bool) -> ControlCount:
        if given.values.get("severity") not in SEVERITIES:
            raise given.bad(f"{given.where('severity')} must be one of {', '.join(SEVERITIES)}")
        texts = {name: given.text(name) for name in ("profile", "id", "title", "severity")}
        return cls(
            **texts,
            targets=given.whole_number("targets"),
            cause=given.text("cause") if with_cause else None,
        )

    def to_json(self) -> dict[str, Any]:
        values = super().to_json()
        if self.cause is None:
            del values["cause"]
        return values


@dataclass(frozen=True)
class Run(JsonRecord):
    """A run as the module's text describes it. `folder` is where it was opened, empty for one that was not; `sha256` is
    that of the summary's file which was read, empty without one."""

    run_id: str
    started: str
    cluster: str
    cluster_uid: str | None
    collection: Producer
    collector_version: str
    selection: Mapping[str, Any]
    profiles: tuple[ProfileReference, ...]
    judged_from: JudgedFrom | None
    finished: str
    duration: float
    target_counts: TargetCounts
    left_out: Mapping[str, int]
    unmatched: tuple[Unmatched, ...]
    allow_empty: bool
    controls: Counts
    failed_controls: tuple[ControlCount, ...]
    not_reviewed: tuple[ControlCount, ...]
    targets: tuple[TargetRecord, ...]
    gate: Decision | None
    waiver_notes: tuple[Note, ...]
    attestation_notes: tuple[Note, ...]
    amendments_sha256: str
    inputs_sha256: str
    deadline: float | None
    namespaces: tuple[NamespaceOwner, ...]
    deadlines_sha256: str
    folder: str = ""
    sha256: str = field(default="", compare=False)

    @classmethod
    def from_json(cls, value: Any, source: str, folder: str = "") -> Run:
        """The run whose summary is `value`; `source` names it in errors.

        :raises ScanError: `bad_results`, naming the place, when it is not a whole summary of a known schema version
        """
        given = JsonObject(_of_this_version(value, source), source)
        run = _read(given, folder)
        if run.target_counts.to_json() != given.mapping("target_counts"):
            raise given.bad("its targets are not those that it counts")
        return run

    def to_json(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        values = super().to_json()
        del values["folder"], values["sha256"]
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **values}

    def with_gate(self, gate: Decision) -> Run:
        """The run with the gate's decision, in place of an earlier one."""
        results = {target.target_id: target.result for target in gate.targets}
        targets = tuple(
            replace(target, result=results.get(target.target_id, target.result))
            if target.is_scanned
            else target
            for target in self.targets
        )
        return replace(self, targets=targets, target_counts=TargetCounts.of(targets, self.gaps), gate=gate)

    def without_gate(self, results: Mapping[str, str]) -> Run:
        """The run as its scan wrote it, before any gate decided.

        :param results: target id -> result by its document, of every target that was scanned
        """
        targets = tuple(
            replace(target, result=results.get(target.target_id, target.result)) for target in self.targets
        )
        return replace(self, targets=targets, target_counts=TargetCounts.of(targets, self.gaps), gate=None)

    @property
    def gaps(self) -> tuple[Unmatched, ...]:
        """What was named, and of which nothing was seen: it counts as targets that were not scanned."""
        return gaps_of(self.unmatched, self.allow_empty)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was to be scanned, and that is allowed."""
        return self.allow_empty and not self.targets and not self.gaps

    def seen_from(self, folder: Path) -> Run:
        """The run with paths of its documents that hold for a reader in a folder below its own."""
        up = os.path.relpath(Path(self.folder).resolve(), folder)
        targets = tuple(
            replace(target, hdf=f"{up}/{target.hdf}") if target.hdf else target for target in self.targets
        )
        return replace(self, targets=targets)

    def expected_targets(self) -> list[ExpectedTarget]:
        """What the gate is to expect of the run."""
        return [
            *(
                ExpectedTarget(target.target_id, target.outcome, target.carried is not None)
                for target in self.targets
            ),
            *(ExpectedTarget(gap.target_id, NOT_SCANNED) for gap in self.gaps),
        ]

    @cached_property
    def findings(self) -> Findings:
        """What its files say and this summary does not, read at the first use."""
        return collect_findings(self.folder, self.targets, self.document_of)

    @cached_property
    def deadlines(self) -> Deadlines | None:
        """When what it found is to be fixed; None for a run without deadlines.

        :raises ScanError: `bad_results`, when their file is missing, not whole or not the one that the run wrote
        """
        if not self.deadlines_sha256:
            return None
        if not self.folder:
            raise bad_results(
                f"run {self.run_id}", "has no deadlines here, because it was not opened from its folder"
            )
        return read_deadlines(self.folder, self.deadlines_sha256)

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(path, HDF document) of every target that has one, as often as it is called. One is held at a time.

        :raises ScanError: `bad_results`, while they are asked for, as `document_of`
        """
        for target in self.targets:
            if target.hdf:
                yield self.document_of(target)

    def document_bytes(self, target: TargetRecord) -> tuple[str, bytes]:
        """(path, content) of a target's document, which nobody has taken apart yet.

        :raises ScanError: `bad_results`, when it is missing or is not the one that the run wrote
        """
        if not self.folder:
            raise bad_results(
                f"run {self.run_id}", "has no documents here, because it was not opened from its folder"
            )
        source = str(Path(self.folder) / HDF_FOLDER / Path(target.hdf).name)
        return source, read_document(source, target.hdf_sha256)

    def document_of(self, target: TargetRecord) -> tuple[str, dict[str, Any]]:
        """(path, HDF document) of a target that has one.

        :raises ScanError: `bad_results`, when the document is missing or not whole, is not the one that the run wrote,
            is about another target, or lacks a profile of the run
        """
        source, data = self.document_bytes(target)
        return source, self.checked_document(target, source, data)

    def checked_document(self, target: TargetRecord, source: str, data: bytes) -> dict[str, Any]:
        """The document in the content that `document_bytes` gave. :raises ScanError: as `document_of`"""
        document = read_hdf(data, source)
        if document_target_id(document, source) != target.target_id:
            raise bad_results(source, f"is not about {target.target_id}, as the summary says")
        names = {profile["name"] for profile in document["profiles"]}
        for profile in self.profiles:
            if profile.name not in names:
                raise bad_results(source, f"lacks the profile {profile.name}, by which the run judged")
        return document


def _of_this_version(value: Any, source: str) -> dict[str, Any]:
    """A summary of SCHEMA_VERSION, made of an older one where that is needed."""
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise bad_results(source, f"is not a run summary of schema version {SCHEMA_VERSION}")
    summary: dict[str, Any] = value
    version = summary.get("schema_version")
    while isinstance(version, int) and version in MIGRATIONS:
        summary = MIGRATIONS[version](summary)
        version += 1
    if version != SCHEMA_VERSION:
        raise bad_results(source, f"is not a run summary of schema version {SCHEMA_VERSION}")
    return summary


def _read(given: JsonObject, folder: str) -> Run:
    head = {name: given.text(name) for name in ("run_id", "started", "finished", "cluster")}
    judged_from, gate = given.object_or_none("judged_from"), given.object_or_none("gate")
    targets = tuple(TargetRecord.from_json(target) for target in given.objects("targets"))
    unmatched = tuple(Unmatched.from_json(one) for one in given.objects("unmatched"))
    allow_empty = given.truth("allow_empty")
    return Run(
        **head,
        duration=given.number("duration"),
        cluster_uid=given.text_or_none("cluster_uid"),
        collection=Producer.from_json(given.object("collection")),
        collector_version=given.text_or_empty("collector_version"),
        selection=given.mapping("selection"),
        profiles=tuple(ProfileReference.from_json(profile) for profile in given.objects("profiles")),
        judged_from=JudgedFrom.from_json(judged_from) if judged_from else None,
        target_counts=TargetCounts.of(targets, gaps_of(unmatched, allow_empty)),
        left_out=given.whole_numbers("left_out"),
        unmatched=unmatched,
        allow_empty=allow_empty,
        controls=Counts.from_json(given.object("controls")),
        failed_controls=tuple(
            ControlCount.from_json(control, with_cause=False) for control in given.objects("failed_controls")
        ),
        not_reviewed=tuple(
            ControlCount.from_json(control, with_cause=True) for control in given.objects("not_reviewed")
        ),
        targets=targets,
        gate=Decision.from_json(gate) if gate else None,
        waiver_notes=tuple(Note.from_json(note, WAIVER) for note in given.objects("waiver_notes")),
        attestation_notes=tuple(
            Note.from_json(note, ATTESTATION) for note in given.objects("attestation_notes")
        ),
        amendments_sha256=given.text("amendments_sha256"),
        inputs_sha256=given.text("inputs_sha256"),
        deadline=given.number_or_none("deadline"),
        namespaces=tuple(NamespaceOwner.from_json(one) for one in given.objects("namespaces")),
        deadlines_sha256=given.text("deadlines_sha256"),
        folder=folder,
    )


def open_run(folder: str) -> Run:
    """The finished run in a folder. :raises ScanError: `bad_results` when its summary is missing or not whole"""
    return _open(Path(folder) / SUMMARY_JSON)


def open_earlier_run(path: str) -> Run:
    """A finished run by its folder, or by its summary's file, also behind a link. :raises ScanError: as `open_run`"""
    return open_run(path) if Path(path).is_dir() else _open(Path(path).resolve())


def _open(summary: Path) -> Run:
    try:
        data = read_own_file(summary, _MAX_SUMMARY_BYTES)
    except FileNotFoundError:
        raise bad_results(
            str(summary), "cannot be read: it does not exist, so there is no finished run in this folder"
        ) from None
    except OSError as reason:
        raise bad_results(str(summary), f"cannot be read: {reason.strerror or reason}") from None
    if len(data) > _MAX_SUMMARY_BYTES:
        raise bad_results(str(summary), f"has more than {_MAX_SUMMARY_BYTES} bytes")
    return parse_run(data, str(summary), str(summary.parent))


def parse_run(data: bytes, source: str, folder: str = "") -> Run:
    """The run whose summary.json holds `data`. :raises ScanError: `bad_results`"""
    try:
        value = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise bad_results(source, f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    return replace(Run.from_json(value, source, folder), sha256=hashlib.sha256(data).hexdigest())
