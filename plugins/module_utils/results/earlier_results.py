# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the folders of earlier runs of a cluster say of its places, and what interrupted runs have left.

Only folders are read that nobody else could have written, and only runs of the same cluster and API server count.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..path_owners import changer_by
from .checked_json import bad_results
from .hdf import MAX_DOCUMENT_BYTES
from .journal import JOURNAL, has_journal, read_journal
from .known_results import KnownResult
from .previous_run import started_of
from .run import SUMMARY_JSON, Run, open_run
from .target_record import HDF_FOLDER, TargetRecord
from .whole_file import read_own_file

# A place that is not known is looked for in so many runs, the last ones first.
_MOST_RUNS = 5
_MOST_JOURNALS = 20


class EarlierResults:
    """KnownResults over the folders of a cluster's runs. See known_results.py."""

    def __init__(self, runs: Path, cluster: str, cluster_uid: str | None, places: Collection[str]) -> None:
        """
        :param runs: the folder of the cluster's runs, which nobody else can write to
        :param places: ids of the places that are asked for: as few runs are read as say something of each
        """
        self._known: dict[str, dict[str, KnownResult]] = {}
        self._folders: dict[str, Path] = {}
        missing = set(places)
        for folder in _finished(runs):
            if not missing:
                break
            run = _run_in(folder, cluster, cluster_uid)
            if run is not None:
                missing -= self._add(run, places, missing)

    def _add(self, run: Run, places: Collection[str], missing: Collection[str]) -> set[str]:
        """Adds what the run says of places that no later run has scanned; those of which all is known with it."""
        by_place: dict[str, list[TargetRecord]] = {}
        for record in run.targets:
            if record.place_id in missing and record.place_id in places:
                by_place.setdefault(record.place_id, []).append(record)
        whole = set()
        for place_id, records in by_place.items():
            is_first = place_id not in self._known
            known = self._known.setdefault(place_id, {})
            for record in records:
                later = known.get(record.target_id)
                # of a place that a later run knew, only what that one did not scan is still looked for
                if is_first:
                    found = KnownResult.of(run, record)
                elif later is not None and not later.record.is_scanned and record.is_scanned:
                    found = replace(KnownResult.of(run, record), was_missed=True)
                else:
                    continue
                known[record.target_id] = found
                if record.is_scanned:
                    self._folders[_key(found)] = Path(run.folder)
            if all(one.record.is_scanned for one in known.values()):
                whole.add(place_id)
        return whole

    def of(self, place_id: str) -> Sequence[KnownResult]:
        return tuple(self._known.get(place_id, {}).values())

    def document(self, known: KnownResult) -> bytes:
        return read_document(self._folders[_key(known)], known.record)

    def folder(self, known: KnownResult) -> Path | None:
        return self._folders.get(_key(known))


class InterruptedResults:
    """What interrupted runs with the same selection have scanned, by target."""

    def __init__(
        self,
        runs: Path,
        cluster: str,
        cluster_uid: str | None,
        selection: Mapping[str, Any],
        max_age: float,
    ) -> None:
        """:param max_age: seconds; what lies longer is not looked at"""
        self.folders: list[Path] = []
        self._known: dict[str, tuple[KnownResult, Path]] = {}
        for folder in _interrupted(runs, max_age):
            try:
                journal = read_journal(folder)
            except ScanError:
                continue
            if journal is None or not _is_of(journal.run, folder, cluster, cluster_uid):
                continue
            if journal.run.selection != selection:
                continue
            self.folders.append(folder)
            for record, notes in journal.targets:
                if record.is_scanned:
                    known = replace(KnownResult.of(journal.run, record), notes=notes)
                    before = self._known.get(record.target_id)
                    if before is None or before[0].seen < known.seen:
                        self._known[record.target_id] = known, folder

    def of(self, target_id: str) -> KnownResult | None:
        found = self._known.get(target_id)
        return found[0] if found else None

    def document(self, known: KnownResult) -> bytes:
        return read_document(self._known[known.target_id][1], known.record)

    def folder(self, known: KnownResult) -> Path | None:
        return self._known[known.target_id][1]


def read_document(folder: Path, record: TargetRecord) -> bytes:
    """The document of a target that the run in the folder wrote. :raises ScanError: bad_results"""
    path = folder / HDF_FOLDER / Path(record.hdf).name
    try:
        data = read_own_file(path, MAX_DOCUMENT_BYTES)
    except OSError as reason:
        raise bad_results(str(path), f"cannot be read: {reason.strerror or reason}") from None
    if not record.hdf_sha256 or hashlib.sha256(data).hexdigest() != record.hdf_sha256:
        raise bad_results(str(path), "is not the document that the run wrote (its SHA-256 differs)")
    return data


def _key(known: KnownResult) -> str:
    return f"{known.target_id}\n{known.record.hdf_sha256}"


def _run_in(folder: Path, cluster: str, cluster_uid: str | None) -> Run | None:
    """None where it cannot be read, and for a run of another cluster: it says nothing of this one."""
    try:
        run = open_run(str(folder))
    except ScanError:
        return None
    return run if _is_of(run, folder, cluster, cluster_uid) else None


def _is_of(run: Run, folder: Path, cluster: str, cluster_uid: str | None) -> bool:
    return (run.run_id, run.cluster, run.cluster_uid) == (folder.name, cluster, cluster_uid)


def _finished(runs: Path) -> Iterator[Path]:
    """The folders of the last finished runs, the latest first."""
    found = []
    for folder in _own_folders(runs):
        if (folder / SUMMARY_JSON).is_file():
            try:
                started = started_of(folder)
            except ScanError:
                continue
            if started is not None:
                found.append((started, folder.name, folder))
    yield from (folder for _started, _name, folder in sorted(found, reverse=True)[:_MOST_RUNS])


def _interrupted(runs: Path, max_age: float) -> list[Path]:
    """The folders of runs that were begun and not finished, the latest first."""
    found = []
    for folder in _own_folders(runs):
        if has_journal(folder) and not (folder / SUMMARY_JSON).exists():
            try:
                written = (folder / JOURNAL).stat().st_mtime
            except OSError:  # it was finished just now
                continue
            if time.time() - written <= max_age:
                found.append((written, folder.name, folder))
    return [folder for _written, _name, folder in sorted(found, reverse=True)[:_MOST_JOURNALS]]


def _own_folders(runs: Path) -> list[Path]:
    """The folders of runs that only we could have written. No link is followed."""
    try:
        with os.scandir(runs) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and changer_by(entry.stat(follow_symlinks=False), Path(entry.path)) is None
            ]
    except OSError:
        return []
