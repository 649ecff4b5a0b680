# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the folder of a run or of a fleet run is the one that was signed by a trusted key, and where it is not, in what.

Every file is read once and compared with the manifest. Only where one differs are documents taken apart: they are compared with
what was signed of their targets, so that a changed verdict is told as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..results.fleet_run import FleetRun, open_fleet_run
from ..results.hdf import MAX_DOCUMENT_BYTES, document_scan, document_target, read_hdf
from ..results.run import Run, open_run
from ..results.target_record import HDF_FOLDER, IDENTITY, TargetRecord
from ..results.verdicts import TargetVerdicts, VerdictReader
from ..results.whole_file import own_file, read_own_file
from ..safe_text import one_line
from .envelope import parse_envelope
from .keys import TrustedKey, signer_of
from .later import is_made_later
from .listing import Listing, list_folder, sha256_of
from .manifest import LISTED, SIGNED, facts_of_fleet_run, facts_of_run
from .signed_folder import RUN_ENVELOPE, TARGETS_ENVELOPES, Fault, SignedFolder, open_signed
from .statement import Statement, parse_statement
from .target_statement import (
    TEST_RESULT_TYPE,
    Difference,
    document_differences,
    run_id_of,
    summary_differences,
    target_id_of,
    target_statement,
)

_MOST_FAULTS = 200
_MOST_OF_TARGET = 10
_MOST_LINE = 64 * 1024 * 1024
_NAMED = 5
_TRIED = "verify the signature"
# What a difference in a summary's facts is called.
_KINDS = {
    "threshold": "threshold",
    "decision": "decision",
    "started": "time",
    "finished": "time",
    "profiles": "profile",
    "amendments_sha256": "waiver",
    "inputs_sha256": "inputs",
    "run_id": "replayed",
}


@dataclass(frozen=True)
class Verification:
    """What was found. It holds of the bytes whose digests stand here and of nothing else: whoever goes on with the run compares
    the digests of the bytes that are used.

    `sha256` is that of summary.json (or fleet.json) as it was signed; `manifest_sha256` that of the file of the manifest, which
    the chain names; `keyid` names the trusted key. These are empty where no trusted key has signed. `files` has the SHA-256 of
    each file that is covered, by its path within the folder. `uncovered` has the files that were made after the signature: they
    are no fault, and nobody vouches for them. `signed` says who signed, when and with what. `faults` are the first of them,
    `fault_count` is the number of all.
    """

    folder: str
    run_id: str = ""
    sha256: str = ""
    manifest_sha256: str = ""
    keyid: str = ""
    sequence: int = 0
    faults: tuple[Fault, ...] = ()
    fault_count: int = 0
    files: Mapping[str, str] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    signed: Mapping[str, Any] = field(default_factory=dict)
    targets: int = 0

    @property
    def is_verified(self) -> bool:
        return bool(self.keyid) and not self.fault_count


def verify(folder: str | Path, keys: Sequence[TrustedKey]) -> Verification:
    """Compares the folder of a run or a fleet run with what was signed. What does not fit is a fault, never an exception.

    :param keys: those that are trusted, at least one
    """
    place = Path(folder).resolve()
    opened = open_signed(place, keys)
    if isinstance(opened, Fault):
        return Verification(str(place), faults=(opened,), fault_count=1)
    return _Check(opened, keys).done()


def check_signed(folder: str | Path, sha256: str, keys: Sequence[TrustedKey]) -> Verification:
    """For whoever goes on with a run: the verification of its folder, which succeeded.

    :param sha256: of the summary.json or fleet.json that was read (`run.sha256`), and by which every other file is checked
    :raises ScanError: `not_signed`, without a signature by one of the keys; `bad_evidence`, where something was changed since
    """
    found = verify(folder, keys)
    check_found(found, sha256)
    return found


def check_found(found: Verification, sha256: str = "") -> None:
    """:param sha256: as for `check_signed`, empty where nothing was read. :raises ScanError: as `check_signed`"""
    if not found.is_verified:
        raise ScanError("bad_evidence" if found.keyid else "not_signed", _text(found), tried=_TRIED)
    if sha256 not in ("", found.sha256):
        text = f"{found.folder}: its summary was changed while it was read"
        raise ScanError("bad_evidence", text, tried=_TRIED)


def _text(found: Verification) -> str:
    said = "; ".join(one_line(f"{fault.subject}: {fault.text}", 300) for fault in found.faults[:_NAMED])
    more = found.fault_count - _NAMED
    return f"{found.folder}: {said}" + (f"; and {more} more" if more > 0 else "")


class _Check:
    """One folder whose manifest is that of a trusted key."""

    def __init__(self, opened: SignedFolder, keys: Sequence[TrustedKey]) -> None:
        self._opened = opened
        self._folder = opened.folder
        self._manifest = opened.manifest
        self._keys = keys
        self._faults: dict[Fault, None] = {}
        self._count = 0
        self._uncovered: list[str] = []
        self._targets = 0

    def done(self) -> Verification:
        manifest = self._manifest
        if manifest.run_id != self._folder.name:
            self._tell(
                "replayed",
                self._folder.name,
                f"the folder holds the signed run {manifest.run_id}: another run was put in its place, or it was renamed",
            )
        try:
            listing = list_folder(self._folder)
        except OSError as reason:
            self._tell("file", str(self._folder), f"cannot be listed: {reason.strerror or reason}")
            listing = Listing()
        self._check_names(listing)
        changed = self._changed(listing)
        if manifest.is_fleet:
            self._name_changes_of_fleet(changed)
            self._check_runs()
        else:
            self._name_changes(changed, listing)
        return Verification(
            str(self._folder),
            manifest.run_id,
            manifest.sha256,
            self._opened.manifest_sha256,
            self._opened.key.keyid,
            manifest.chain.sequence,
            tuple(self._faults),
            self._count,
            {path: file.sha256 for path, file in manifest.files.items()},
            tuple(self._uncovered),
            manifest.signed,
            self._targets,
        )

    def _tell(self, kind: str, subject: str, text: str) -> None:
        fault = Fault(kind, one_line(subject, 300), one_line(text, 400))
        if fault in self._faults:
            return
        self._count += 1
        if len(self._faults) < _MOST_FAULTS:
            self._faults[fault] = None

    def _check_names(self, listing: Listing) -> None:
        covered = self._manifest.files
        for path, what in sorted(listing.others.items()):
            self._tell("link" if "link" in what else "file", path, what)
        for path in sorted(set(listing.files) - set(covered) - {RUN_ENVELOPE}):
            if is_made_later(path):
                self._uncovered.append(path)
            else:
                self._tell("added", path, "was added after the signature")
        if not listing.is_whole:
            self._tell("added", str(self._folder), "has more entries than are looked at")

    def _changed(self, listing: Listing) -> set[str]:
        """The covered files that are not as they were signed, and are there."""
        changed = set()
        for path, file in self._manifest.files.items():
            size = listing.files.get(path)
            if size is None:
                if path not in listing.others:
                    self._tell("missing", path, "is missing")
                continue
            try:
                same = size == file.size and sha256_of(self._folder / path, file.size) == (
                    file.sha256,
                    file.size,
                )
            except OSError as reason:
                self._tell("file", path, f"cannot be read: {reason.strerror or reason}")
                continue
            if not same:
                changed.add(path)
        return changed

    def _name_changes(self, changed: set[str], listing: Listing) -> None:
        """Says of what was changed in which points. `changed` are files."""
        main = self._manifest.main_file
        run = self._read_run(main, changed) if changed else None
        records = {target.target_id: target for target in run.targets} if run else {}
        ids: list[str] = []
        told: set[str] = set()
        for statement in self._statements(changed, listing):
            if not changed:
                continue
            target_id = target_id_of(statement)
            ids.append(target_id)
            if run_id_of(statement) != self._manifest.run_id:
                self._tell("replayed", target_id, f"its statement is of the run {run_id_of(statement)}")
            elif run is not None and target_id in records:
                told |= self._compare(run, records[target_id], statement, changed)
        if run is not None:
            told |= self._compare_run(run, ids, changed)
        for path in sorted(changed - told):
            self._tell("file", path, "was changed after the signature")

    def _compare_run(self, run: Run, signed_ids: Sequence[str], changed: set[str]) -> set[str]:
        """Says in what the run as a whole differs. The files of which something was said."""
        main, told = self._manifest.main_file, set()
        # statements that are only listed are nobody's where their file was changed
        is_known = TARGETS_ENVELOPES not in changed or self._manifest.statements == SIGNED
        if main in changed:
            of_facts = self._compare_facts(facts_of_run(run), main)
            of_targets = is_known and self._compare_targets(run, signed_ids)
            told |= {main} if of_facts or of_targets else set()
        elif TARGETS_ENVELOPES in changed and is_known:
            wanted = [target.target_id for target in run.targets]
            told |= {TARGETS_ENVELOPES} if self._compare_order(signed_ids, wanted) else set()
        return told

    def _read_run(self, main: str, changed: set[str]) -> Run | None:
        try:
            return open_run(str(self._folder))
        except ScanError as error:
            if main in changed:
                self._tell(
                    "file", main, f"was changed after the signature, and cannot be read: {error.message}"
                )
            return None

    def _statements(self, changed: set[str], listing: Listing) -> Iterator[Statement]:
        """Those that a trusted key vouches for, in the order of the file."""
        manifest, path = self._manifest, TARGETS_ENVELOPES
        if path not in listing.files or (manifest.statements != SIGNED and path in changed):
            return
        trusted = manifest.statements == LISTED
        try:
            with own_file(self._folder / path) as stream:
                # what is much longer than it was is none of ours
                left = 2 * manifest.files[path].size if path in manifest.files else 0
                for number in count(1):
                    line = stream.readline(min(_MOST_LINE, left))
                    left -= len(line)
                    if not line:
                        break
                    self._targets = number
                    statement = self._statement(line, f"{path}:{number}", trusted, bool(changed))
                    if statement is not None:
                        yield statement
        except OSError as reason:
            self._tell("file", path, f"cannot be read: {reason.strerror or reason}")

    def _statement(self, line: bytes, source: str, trusted: bool, wanted: bool) -> Statement | None:
        """:param wanted: whether it is looked into; where nothing was changed, that it was signed is enough"""
        try:
            envelope = parse_envelope(line, source)
            if not trusted and signer_of(envelope, self._keys) is None:
                self._tell("envelope", source, "was not signed by a trusted key, or was changed since")
                return None
            return parse_statement(envelope.payload, source, (TEST_RESULT_TYPE,)) if wanted else None
        except ScanError as error:
            self._tell("envelope", source, error.message.partition(": ")[2] or error.message)
            return None

    def _compare(self, run: Run, record: TargetRecord, signed: Statement, changed: set[str]) -> set[str]:
        """Says in what a target differs. The files of which something was said."""
        target_id, told = record.target_id, set()
        if self._manifest.main_file in changed:
            now = target_statement(run, TargetVerdicts(record), "")
            if self._tell_differences(target_id, summary_differences(signed, now)):
                told.add(self._manifest.main_file)
        documents = [subject.name for subject in signed.subjects if subject.name.startswith(f"{HDF_FOLDER}/")]
        for path in documents:
            if path not in changed:
                continue
            try:
                now = self._document_now(run, record, path)
            except ScanError as error:
                self._tell(
                    "file", path, f"was changed after the signature, and cannot be read: {error.message}"
                )
                told.add(path)
                continue
            if self._tell_differences(target_id, document_differences(signed, now)):
                told.add(path)
        return told

    def _document_now(self, run: Run, record: TargetRecord, path: str) -> Statement:
        """What would be signed of a document as it is now. :raises ScanError: `bad_results`"""
        try:
            data = read_own_file(self._folder / path, MAX_DOCUMENT_BYTES)
        except OSError as reason:
            raise ScanError("bad_results", str(reason.strerror or reason)) from None
        document = read_hdf(data, path)
        said = document_target(document)
        identity: dict[str, Any] = {name: str(said[name] or "") for name in IDENTITY if name in said}
        now = replace(record, **identity)
        found = VerdictReader().take(now, partial(_same, document))
        if found.unread:
            raise ScanError("bad_results", found.unread)
        return target_statement(run, found, str(document_scan(document).get("started") or ""))

    def _tell_differences(self, target_id: str, found: Iterator[Difference]) -> bool:
        number = 0
        for number, difference in enumerate(found, 1):
            if number > _MOST_OF_TARGET:
                self._count += 1
                continue
            self._tell(difference.kind, target_id, difference.text)
        return number > 0

    def _compare_facts(self, now: Mapping[str, Any], path: str) -> bool:
        number = 0
        for where, was, found in _leaf_differences(self._manifest.run, now, ""):
            number += 1
            if number <= _MOST_OF_TARGET:
                kind = _KINDS.get(where.split(".")[0].split("[")[0], "summary")
                self._tell(kind, path, f"{where}: {found!r}, and was signed as {was!r}")
        return number > 0

    def _compare_targets(self, run: Run, signed: Sequence[str]) -> bool:
        if not signed and not run.targets:
            return False
        now = [target.target_id for target in run.targets]
        for target_id in sorted(set(signed) - set(now)):
            self._tell("missing_target", target_id, "was signed, and is no longer a target of the run")
        for target_id in sorted(set(now) - set(signed)):
            self._tell("added_target", target_id, "was not signed, and is now a target of the run")
        if set(now) == set(signed) and now != list(signed):
            self._tell("order", self._manifest.main_file, "its targets stand in another order")
        return now != list(signed)

    def _compare_order(self, signed: Sequence[str], wanted: Sequence[str]) -> bool:
        path = TARGETS_ENVELOPES
        for target_id in sorted(set(wanted) - set(signed)):
            self._tell("missing_target", target_id, f"its statement is missing from {path}")
        for target_id in sorted(one for one, number in Counter(signed).items() if number > 1):
            self._tell("envelope", target_id, f"its statement stands in {path} more than once")
        if len(signed) == len(wanted) and set(signed) == set(wanted) and list(signed) != list(wanted):
            self._tell("order", path, "its statements stand in another order")
        return list(signed) != list(wanted)

    def _name_changes_of_fleet(self, changed: set[str]) -> None:
        main = self._manifest.main_file
        if main in changed:
            try:
                fleet_run: FleetRun = open_fleet_run(str(self._folder))
                if self._compare_facts(facts_of_fleet_run(fleet_run), main):
                    changed.discard(main)
            except ScanError as error:
                self._tell(
                    "file", main, f"was changed after the signature, and cannot be read: {error.message}"
                )
                changed.discard(main)
        for path in sorted(changed):
            self._tell("file", path, "was changed after the signature")

    def _check_runs(self) -> None:
        """The clusters' runs of a fleet run, each as a whole."""
        above = self._folder.parent.parent
        for run in self._manifest.runs:
            place = above / run.run_dir
            if place.is_symlink() or place.parent.is_symlink():
                self._tell("link", run.run_dir, "is a link")
                continue
            if not place.is_dir():
                self._tell("removed_run", run.run_dir, f"the run of {run.cluster} is missing")
                continue
            if not run.manifest_sha256:
                self._check_unsigned_run(place, run.run_dir, run.summary_sha256)
                continue
            found = verify(place, self._keys)
            for fault in found.faults:
                self._tell(fault.kind, f"{run.run_dir}: {fault.subject}", fault.text)
            self._uncovered += [f"{run.run_dir}/{path}" for path in found.uncovered]
            self._targets += found.targets
            if found.is_verified and found.sha256 != run.summary_sha256:
                self._tell("replayed", run.run_dir, "is another signed run than the one of the fleet run")

    def _check_unsigned_run(self, place: Path, run_dir: str, sha256: str) -> None:
        """A run that was not signed itself: the fleet run's signature holds for its summary, and that for its documents."""
        self._uncovered.append(f"{run_dir}/ (not signed itself)")
        try:
            run = open_run(str(place))
            if run.sha256 != sha256:
                self._tell("file", run_dir, "its summary was changed after the signature")
                return
            for target in run.targets:
                if target.hdf:
                    run.document_bytes(target)
        except ScanError as error:
            self._tell("file", run_dir, error.message)


def _same(document: dict[str, Any]) -> dict[str, Any]:
    return document


def _leaf_differences(then: Any, now: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """(place, what was, what is) of each value in which two JSON values differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in {**then, **now}:
            yield from _leaf_differences(then.get(key), now.get(key), f"{where}.{key}" if where else str(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (one, other) in enumerate(zip(then, now)):
            yield from _leaf_differences(one, other, f"{where}[{index}]")
    elif then != now:
        yield where, then, now
