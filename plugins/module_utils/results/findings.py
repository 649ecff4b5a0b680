# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a run say and its summary does not: what each failed control expected and found and how to mend it,
which waivers and attestations are in force, which files differ from the image.

All of it is read in one pass, one file at a time, and kept short: one line for each failed control of a target. A file
that is not the one that the run wrote is told, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..errors import ScanError
from ..safe_text import one_line
from ..strict_json import load_json
from .counted_controls import counted_profiles
from .exception_record import ExceptionRecord, attestation_record, waiver_record
from .hdf import MAX_DOCUMENT_BYTES
from .result_file import read_written
from .status import FAILED, PASSED, control_severity, control_status, is_waived
from .target_record import DRIFT_FOLDER, HDF_FOLDER, TargetRecord

DocumentOf = Callable[[TargetRecord], "tuple[str, dict[str, Any]]"]
# The most that is kept of a text, and of the texts of one target.
_MAX_TEXT = 500
_MAX_FIX = 800
_MAX_OF_TARGET = 12_000
_MOST_TESTS = 3
_MOST_FILES = 10
# A document without these keys has neither a waiver nor an attestation; where also nothing failed, it is not read further.
_AMENDED = (b'"justification"', b'"attestation_data"')
_CHANGES = ("added", "changed", "removed")
# What the shape of a file that somebody else has written can end in.
_OTHER_SHAPES = (KeyError, TypeError, AttributeError, ValueError, RecursionError)


@dataclass(frozen=True)
class Failure:
    """One target on which a control failed. `text` is what was expected and found, on one line."""

    target: TargetRecord
    text: str


@dataclass
class ControlFailures:
    """`fix` is the profile's advice, empty where it gives none."""

    fix: str = ""
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class WaiverInForce:
    """Where it does not decide, the control was judged as ever."""

    control_id: str
    record: ExceptionRecord


@dataclass(frozen=True)
class AttestationInForce:
    control_id: str
    status: str
    record: ExceptionRecord


@dataclass(frozen=True)
class WaivedControl:
    """A control that a waiver sets aside on one target."""

    profile: str
    control_id: str
    title: str
    severity: str
    waiver: WaiverInForce


@dataclass(frozen=True)
class TargetDrift:
    """Files of a target that differ from its image: `paths` are the first, each with its kind of change."""

    target: TargetRecord
    paths: Sequence[str]


@dataclass
class Findings:
    """`failures` by profile and control id, `waived` by target id. `unread` says which files could not be taken,
    `without_document` has the ids of the targets whose document is one of them."""

    failures: dict[tuple[str, str], ControlFailures] = field(default_factory=dict)
    waivers: dict[WaiverInForce, list[TargetRecord]] = field(default_factory=dict)
    attestations: dict[AttestationInForce, list[TargetRecord]] = field(default_factory=dict)
    waived: dict[str, list[WaivedControl]] = field(default_factory=dict)
    drifts: list[TargetDrift] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    without_document: set[str] = field(default_factory=set)
    _texts: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add_failure(self, target: TargetRecord, profile: str, control_id: str, text: str, fix: str) -> None:
        """One more target on which a control failed; the first advice that there is stays."""
        found = self.failures.setdefault((profile, control_id), ControlFailures())
        found.fix = found.fix or fix
        found.failures.append(Failure(target, text))
        if text:
            self._texts[target.target_id, profile, control_id] = text

    def text_of(self, target_id: str, profile: str, control_id: str) -> str:
        """What was expected and found where a control failed; empty where it is not known."""
        return self._texts.get((target_id, profile, control_id), "")


def collect_findings(folder: str, targets: Sequence[TargetRecord], document_of: DocumentOf) -> Findings:
    """Reads the files of a run once.

    :param folder: the run's; empty for one that was not opened from its folder, in which nothing is found
    :param document_of: gives (path, checked document) of a target whose document's digest is not known
    """
    collector = _Collector(folder, document_of)
    for target in targets if folder else ():
        collector.take(target)
    return collector.findings


class _Collector:
    """Equal texts of many targets are kept once."""

    def __init__(self, folder: str, document_of: DocumentOf) -> None:
        self.findings = Findings()
        self._folder = folder
        self._document_of = document_of
        self._known: dict[str, str] = {}
        self._records: dict[ExceptionRecord, ExceptionRecord] = {}

    def take(self, target: TargetRecord) -> None:
        """One target's document and drift."""
        for what, take in ((target.hdf, self._take_document), (target.drift, self._take_drift)):
            if not what:
                continue
            try:
                take(target)
                continue
            except ScanError as error:
                self.findings.unread.append(error.message)
            except _OTHER_SHAPES:
                self.findings.unread.append(f"the results of {target.target_id} have another shape")
            if what is target.hdf:
                self.findings.without_document.add(target.target_id)

    def _take_document(self, target: TargetRecord) -> None:
        document = self._document(target)
        room = _MAX_OF_TARGET
        for counted in () if document is None else counted_profiles(document, target.hdf):
            profile = str(counted.profile["name"])
            failed = frozenset(target.failed.get(profile, ()))
            for control in counted.controls:
                if control["id"] in failed:
                    room = self._add_failure(target, profile, control, room)
                if control.get("waiver_data"):
                    self._add_waiver(target, profile, control)
                if control.get("attestation_data"):
                    self._add_attestation(target, control)

    def _document(self, target: TargetRecord) -> Mapping[str, Any] | None:
        """None where neither a failure nor an amendment can stand in it. The digest vouches for its shape, so that it need
        not be checked a second time."""
        if not target.hdf_sha256:
            return self._document_of(target)[1]
        data = self._bytes(HDF_FOLDER, target.hdf, target.hdf_sha256)
        if not target.failed and not any(key in data for key in _AMENDED):
            return None
        document: Mapping[str, Any] = load_json(data)
        return document

    def _bytes(self, folder: str, path: str, sha256: str) -> bytes:
        return read_written(Path(self._folder) / folder / Path(path).name, MAX_DOCUMENT_BYTES, sha256)

    def _once(self, text: str) -> str:
        return self._known.setdefault(text, text)

    def _add_failure(self, target: TargetRecord, profile: str, control: Mapping[str, Any], room: int) -> int:
        """:returns: the characters that are left for this target"""
        text = expected_and_found(control)
        text = self._once(text) if len(text) <= room else ""
        self.findings.add_failure(target, profile, control["id"], text, fix_of(control))
        return room - len(text)

    def _add_waiver(self, target: TargetRecord, profile: str, control: Mapping[str, Any]) -> None:
        data = control["waiver_data"]
        if data.get("message"):  # it has expired; the notes of the run say so
            return
        record = waiver_record(data, is_waived(control))
        waiver = WaiverInForce(self._once(str(control["id"])), self._records.setdefault(record, record))
        targets = self.findings.waivers.setdefault(waiver, [])
        if not targets or targets[-1] is not target:
            targets.append(target)
        if waiver.record.decides:
            title = self._once(one_line(str(control.get("title") or ""), _MAX_TEXT))
            self.findings.waived.setdefault(target.target_id, []).append(
                WaivedControl(profile, waiver.control_id, title, control_severity(control), waiver)
            )

    def _add_attestation(self, target: TargetRecord, control: Mapping[str, Any]) -> None:
        if control_status(control) not in (PASSED, FAILED):  # it has expired
            return
        data = control["attestation_data"]
        record = attestation_record(data, decides=True)
        attestation = AttestationInForce(
            self._once(str(control["id"])), str(data["status"]), self._records.setdefault(record, record)
        )
        targets = self.findings.attestations.setdefault(attestation, [])
        if not targets or targets[-1] is not target:
            targets.append(target)

    def _take_drift(self, target: TargetRecord) -> None:
        drift = target.drift
        if drift is None or not drift.path or not sum((drift.counts or {}).get(kind, 0) for kind in _CHANGES):
            return
        document = load_json(self._bytes(DRIFT_FOLDER, drift.path, drift.sha256))
        paths = [
            one_line("{} ({})".format(row["path"], _change(row)), _MAX_TEXT)
            for row in _worst_first(document["differences"])
        ]
        self.findings.drifts.append(TargetDrift(target, paths[:_MOST_FILES]))


def _worst_first(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """New rights first, then what can be run, then the others; what only has another time is left out."""
    changed = [row for row in rows if row["change"] in _CHANGES]
    return iter(sorted(changed, key=lambda row: (not row["gained_setuid"], not row["executable"])))


def _change(row: Mapping[str, Any]) -> str:
    return "{}{}".format(row["change"], ", now setuid or setgid" if row["gained_setuid"] else "")


def expected_and_found(control: Mapping[str, Any]) -> str:
    """The messages of the tests that failed, the first of them."""
    failed = [result for result in control["results"] if result["status"] == FAILED]
    said = [str(result.get("message") or result.get("code_desc") or "") for result in failed]
    texts = list(dict.fromkeys(one_line(text, _MAX_TEXT) for text in said))
    more = len(texts) - _MOST_TESTS
    return one_line("; ".join(texts[:_MOST_TESTS]), _MAX_TEXT) + (f" (and {more} more)" if more > 0 else "")


def fix_of(control: Mapping[str, Any]) -> str:
    for description in control.get("descriptions") or ():
        if description["label"] == "fix":
            return one_line(str(description["data"]), _MAX_FIX)
    return ""
