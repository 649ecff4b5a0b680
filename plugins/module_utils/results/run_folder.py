# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run's results lie, and how they are written.

    <output folder>/<cluster>/<run id>/hdf/<target>.json   one HDF document per scanned target
    <output folder>/<cluster>/<run id>/drift/<target>.json what differs from the target's image, where that was asked for
    <output folder>/<cluster>/<run id>/facts/<target>.json the facts of a target, where the run keeps them
    <output folder>/<cluster>/<run id>/summary.json        the run summary
    <output folder>/<cluster>/<run id>/journal.jsonl       what it has finished so far, until the summary is there
    <output folder>/<cluster>/<run id>/deadlines.json      when what was found is to be fixed, where the scan had a policy
    <output folder>/<cluster>/<run id>/decisions/<time>/   later decisions of gates (see decisions.py)
    <output folder>/<cluster>/<run id>/summary.md, gate.junit.xml, ...   reports made from it
    <output folder>/<cluster>/latest                       symlink to the cluster's run that was finished last
    <output folder>/<cluster>/progress.json                how far the last scan is

A file appears under its name only when it is whole. Files have mode 0640, folders 0750; kept facts 0600 and 0700.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..strict_json import dump_json, load_json
from .checked_json import JsonObject, bad_results
from .deadlines import DEADLINES_JSON, Deadlines
from .result_file import read_written
from .run import SUMMARY_JSON, Run
from .target_record import DRIFT_FOLDER, HDF_FOLDER, DriftReference, KeptFacts, TargetRecord
from .whole_file import FILE_MODE, FOLDER_MODE, read_own_file, write_failed, write_whole

FACTS_FOLDER = "facts"
LATEST = "latest"
_PRIVATE_FILE_MODE = 0o600
_PRIVATE_FOLDER_MODE = 0o700
_MAX_FACTS_BYTES = 128 * 1024 * 1024
_MAX_DRIFT_BYTES = 512 * 1024 * 1024
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SAFE_PART = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_SAFE_FOLDER = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_MAX_NAME = 180
_MAX_FOLDER = 100
_MOST_RUNS = 10_000
_HASH_DIGITS = 16


def hdf_file_name(identity: Mapping[str, Any]) -> str:
    """The file name of a target's document: cluster_namespace_pod_container.json.

    Names as Kubernetes allows them stay as they are; `_` is not in them, so different targets differ. Anything else
    (and what would be too long) is replaced or cut, and a hash of the target id after `~` keeps it apart.
    """
    parts = [str(identity[name]) for name in ("cluster", "namespace", "pod", "container")]
    name = "_".join(parts)
    if not all(_SAFE_PART.fullmatch(part) for part in parts) or len(name) > _MAX_NAME:
        readable = "_".join(_readable(part) for part in parts)
        name = f"{readable[:_MAX_NAME]}~{_digest([parts, identity['target_id']])}"
    return name + ".json"


def cluster_folder(output_dir: str, cluster: str) -> Path:
    """The folder of a cluster's runs. Different clusters have different ones, also where letters' case does not count.

    A name of lower-case letters, digits, dots, dashes and underscores stays as it is. Of any other a readable part is
    taken, and a hash of the whole name after `~` keeps it apart.
    """
    if _SAFE_FOLDER.fullmatch(cluster) and len(cluster) <= _MAX_FOLDER and cluster != LATEST:
        return Path(output_dir) / cluster
    return Path(output_dir) / f"{_readable(cluster)[:_MAX_FOLDER]}~{_digest(cluster)}"


def _readable(name: str) -> str:
    return _UNSAFE.sub("-", name.lower()).strip(".-") or "x"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:_HASH_DIGITS]


class RunFolder:
    """The folder of one run, in the folder of its cluster's runs.

    Making one touches nothing; `create` makes the folders, and `new_run_folder` finds a name.

    :raises ScanError: `bad_option` for a run id that is no safe file name
    """

    def __init__(self, runs: str | Path, run_id: str) -> None:
        if not _RUN_ID.fullmatch(run_id) or run_id == LATEST:
            raise ScanError(
                "bad_option",
                f"the run id {run_id!r} must be 1 to 63 letters, digits, dots, dashes or underscores, "
                f"begin with a letter or digit, and not be {LATEST!r}",
            )
        self.path = Path(runs) / run_id

    def create(self) -> None:
        """Makes the run's folders. Two runs never share one.

        :raises ScanError: `write_failed`, also where the folder is there already
        """
        if not self._is_created():
            raise write_failed(self.path, FileExistsError(errno.EEXIST, "it is there already"))

    def _is_created(self) -> bool:
        """False where a folder, or anything else, has the name already."""
        try:
            for folder in reversed(self.path.parents):
                if not folder.is_dir():
                    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            try:
                self.path.mkdir(mode=FOLDER_MODE)
            except FileExistsError:
                return False
            (self.path / HDF_FOLDER).mkdir(mode=FOLDER_MODE)
        except OSError as reason:
            raise write_failed(self.path, reason) from None
        return True

    def write_hdf(self, document: Mapping[str, Any], identity: Mapping[str, Any]) -> tuple[str, str]:
        """Writes a target's document, in place of an older one of this run.

        Returns its path within the run's folder, and its SHA-256. :raises ScanError: `write_failed`
        """
        name = f"{HDF_FOLDER}/{hdf_file_name(identity)}"
        data = dump_json(document) + b"\n"
        write_whole(self.path / name, data)
        return name, hashlib.sha256(data).hexdigest()

    def write_drift(self, document: Mapping[str, Any], identity: Mapping[str, Any]) -> tuple[str, str]:
        """Writes a target's drift. Returns its path within the run's folder, and its SHA-256.

        :raises ScanError: `write_failed`
        """
        self._make_folder(DRIFT_FOLDER, FOLDER_MODE)
        name = f"{DRIFT_FOLDER}/{hdf_file_name(identity)}"
        data = json_bytes(document)
        write_whole(self.path / name, data)
        return name, hashlib.sha256(data).hexdigest()

    def write_facts(self, kept: Mapping[str, Any], identity: Mapping[str, Any]) -> KeptFacts:
        """Writes what is kept of a target. Returns where (within the run's folder), and its SHA-256.

        :raises ScanError: `write_failed`
        """
        self._make_folder(FACTS_FOLDER, _PRIVATE_FOLDER_MODE)
        name = f"{FACTS_FOLDER}/{hdf_file_name(identity)}"
        # in ASCII: file names that are not UTF-8 come back as they were
        data = json.dumps(kept, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        write_whole(self.path / name, data, _PRIVATE_FILE_MODE)
        return KeptFacts(name, hashlib.sha256(data).hexdigest())

    def take_over(self, document: bytes, record: TargetRecord, folder: Path | None) -> TargetRecord:
        """Writes what an earlier run has of a target, as this run's own, so that each folder is whole by itself. The record
        with the paths within this run's folder.

        :param document: its HDF document, which is the one that the record names
        :param folder: of the earlier run; None where its other files are not kept: the record is then without them
        :raises ScanError: `write_failed`; `bad_results` and `bad_facts`, where a file is not the one that was written
        """
        own = hdf_file_name(record.identity())
        name, drift, facts = f"{HDF_FOLDER}/{own}", record.drift, record.facts
        # all is read before anything is written: what cannot be used leaves nothing behind
        files: list[tuple[str, int, bytes, int]] = []
        if drift is not None and drift.path:
            if folder is not None:
                data = read_drift(folder, drift)
                files.append((DRIFT_FOLDER, FOLDER_MODE, data, FILE_MODE))
            drift = None if folder is None else replace(drift, path=f"{DRIFT_FOLDER}/{own}")
        if facts is not None:
            if folder is not None:
                data, _source = read_kept_facts(str(folder), facts)
                files.append((FACTS_FOLDER, _PRIVATE_FOLDER_MODE, data, _PRIVATE_FILE_MODE))
            facts = None if folder is None else replace(facts, path=f"{FACTS_FOLDER}/{own}")
        write_whole(self.path / name, document)
        for place, folder_mode, data, mode in files:
            self._make_folder(place, folder_mode)
            write_whole(self.path / place / own, data, mode)
        return replace(record, hdf=name, drift=drift, facts=facts)

    def _make_folder(self, name: str, mode: int) -> None:
        folder = self.path / name
        try:
            folder.mkdir(mode=mode, exist_ok=True)
        except OSError as reason:
            raise write_failed(folder, reason) from None

    def write_deadlines(self, deadlines: Deadlines) -> str:
        """Writes when what was found is to be fixed. Returns the file's SHA-256. :raises ScanError: `write_failed`"""
        data = json_bytes(deadlines.to_json())
        write_whole(self.path / DEADLINES_JSON, data)
        return hashlib.sha256(data).hexdigest()

    def write_summary(self, run: Run) -> Path:
        """Writes summary.json, whose SHA-256 is then `summary_sha256(run)`. :raises ScanError: `write_failed`"""
        return write_whole(self.path / SUMMARY_JSON, _summary_bytes(run))

    def mark_latest(self) -> None:
        """Points `latest` to this run, in one step. :raises ScanError: `write_failed`"""
        point_latest(self.path)


def point_latest(folder: Path) -> None:
    """Points `latest`, beside a folder, to that folder, in one step. :raises ScanError: `write_failed`"""
    link = folder.parent / LATEST
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".latest-") as beside:
            new = Path(beside) / LATEST
            new.symlink_to(folder.name)
            new.replace(link)
    except OSError as reason:
        raise write_failed(link, reason) from None


def new_run_folder(runs: str | Path, run_id: str) -> RunFolder:
    """Makes a folder for a run among those of its cluster.

    It is called `run_id`, or `run_id`-2, -3, ... where runs with the same access stand already.

    :raises ScanError: `write_failed`
    """
    for number in range(1, _MOST_RUNS + 1):
        folder = RunFolder(runs, run_id if number == 1 else f"{run_id}-{number}")
        if folder._is_created():
            return folder
    raise write_failed(
        folder.path, FileExistsError(errno.EEXIST, "it is there already, and so are all before it")
    )


def summary_sha256(run: Run) -> str:
    """The SHA-256 of the summary's file, once it is written."""
    return hashlib.sha256(_summary_bytes(run)).hexdigest()


def _summary_bytes(run: Run) -> bytes:
    return json_bytes(run.to_json())


def read_drift(folder: Path, drift: DriftReference) -> bytes:
    """The file of a target's drift of the run in that folder.

    :raises ScanError: `bad_results`, when it is missing or not the one that the run wrote
    """
    return read_written(folder / DRIFT_FOLDER / Path(drift.path).name, _MAX_DRIFT_BYTES, drift.sha256)


def drift_paths_in(folder: Path, drift: DriftReference) -> list[str]:
    """The paths whose drift it is. :raises ScanError: `bad_results`, as `read_drift`, and where it does not say them"""
    try:
        value = load_json(read_drift(folder, drift))
    except (ValueError, RecursionError):
        raise bad_results(drift.path, "is not JSON") from None
    if not isinstance(value, dict):
        raise bad_results(drift.path, "is no drift")
    return [place.text("path") for place in JsonObject(value, drift.path).objects("places")]


def read_kept_facts(path: str, kept: KeptFacts) -> tuple[bytes, str]:
    """What the run in the folder `path` kept of a target, and the file's path.

    :raises ScanError: `bad_facts` when the file is missing or not the one that was written
    """
    source = Path(path) / FACTS_FOLDER / Path(kept.path).name
    try:
        data = read_own_file(source, _MAX_FACTS_BYTES)
    except OSError as reason:
        raise ScanError(
            "bad_facts", f"{source}: cannot be read: {reason.strerror or reason}", tried="read kept facts"
        ) from None
    if hashlib.sha256(data).hexdigest() != kept.sha256:
        raise ScanError(
            "bad_facts",
            f"{source}: is not the file that the run wrote (its SHA-256 differs)",
            tried="read kept facts",
        )
    return data, str(source)


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """A file of JSON for people to read, in UTF-8, with a line feed at its end. The same value gives the same bytes: digests
    are made of them again."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    # A lone surrogate becomes \udXXX, which is how JSON writes it.
    return text.encode("utf-8", "backslashreplace") + b"\n"
