# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run's results lie, and how they are written.

    <output folder>/<run id>/hdf/<target>.json   one HDF document per scanned target
    <output folder>/<run id>/drift/<target>.json what differs from the target's image, where that was asked for
    <output folder>/<run id>/facts/<target>.json the facts of a target, where the run keeps them
    <output folder>/<run id>/summary.json        the run summary
    <output folder>/<run id>/summary.md, gate.junit.xml, ...   reports made from it
    <output folder>/latest                       symlink to the run that was finished last

A file appears under its name only when it is whole. Files have mode 0640, folders 0750; kept facts 0600 and 0700.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ScanError
from .hdf import document_target_id, read_hdf_file
from .run_summary import read_run_summary

HDF_FOLDER = "hdf"
DRIFT_FOLDER = "drift"
FACTS_FOLDER = "facts"
SUMMARY_JSON = "summary.json"
SUMMARY_MARKDOWN = "summary.md"
GATE_JUNIT = "gate.junit.xml"
LATEST = "latest"
_FILE_MODE = 0o640
_FOLDER_MODE = 0o750
_PRIVATE_FILE_MODE = 0o600
_PRIVATE_FOLDER_MODE = 0o700
_MAX_FACTS_BYTES = 128 * 1024 * 1024
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_REPORT_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SAFE_PART = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_MAX_NAME = 180
_HASH_DIGITS = 16


def hdf_file_name(identity: Mapping[str, Any]) -> str:
    """The file name of a target's document: cluster_namespace_pod_container.json.

    Names as Kubernetes allows them stay as they are; `_` is not in them, so different targets differ. Anything else
    (and what would be too long) is replaced or cut, and a hash of the target id after `~` keeps it apart.
    """
    parts = [str(identity[name]) for name in ("cluster", "namespace", "pod", "container")]
    name = "_".join(parts)
    if not all(_SAFE_PART.fullmatch(part) for part in parts) or len(name) > _MAX_NAME:
        digest = hashlib.sha256(json.dumps([parts, identity["target_id"]]).encode("ascii")).hexdigest()[
            :_HASH_DIGITS
        ]
        readable = "_".join(_UNSAFE.sub("-", part.lower()).strip(".-") or "x" for part in parts)
        name = f"{readable[:_MAX_NAME]}~{digest}"
    return name + ".json"


class RunFolder:
    """The folder of one run. Making one touches nothing; `create` makes the folders.

    :raises ScanError: `bad_option` for a run id that is no safe file name
    """

    def __init__(self, output_dir: str, run_id: str) -> None:
        if not _RUN_ID.fullmatch(run_id) or run_id == LATEST:
            raise ScanError(
                "bad_option",
                f"the run id {run_id!r} must be 1 to 63 letters, digits, dots, dashes or underscores, "
                f"begin with a letter or digit, and not be {LATEST!r}",
            )
        self.path = Path(output_dir) / run_id

    def create(self) -> None:
        """Makes the run's folders. :raises ScanError: `write_failed`"""
        try:
            for folder in (self.path.parent, self.path, self.path / HDF_FOLDER):
                folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as reason:
            raise _write_failed(self.path, reason) from None

    def write_hdf(self, document: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
        """Writes a target's document, in place of an older one of this run. Returns its path within the run's folder.

        :raises ScanError: `write_failed`
        """
        name = f"{HDF_FOLDER}/{hdf_file_name(identity)}"
        _write_whole(self.path / name, _json_bytes(document, compact=True))
        return name

    def write_drift(self, document: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
        """Writes a target's drift. Returns its path within the run's folder. :raises ScanError: `write_failed`"""
        self._make_folder(DRIFT_FOLDER, _FOLDER_MODE)
        name = f"{DRIFT_FOLDER}/{hdf_file_name(identity)}"
        _write_whole(self.path / name, _json_bytes(document, compact=False))
        return name

    def write_facts(self, kept: Mapping[str, Any], identity: Mapping[str, Any]) -> dict[str, str]:
        """Writes what is kept of a target. Returns {path (within the run's folder), sha256}.

        :raises ScanError: `write_failed`
        """
        self._make_folder(FACTS_FOLDER, _PRIVATE_FOLDER_MODE)
        name = f"{FACTS_FOLDER}/{hdf_file_name(identity)}"
        # in ASCII: file names that are not UTF-8 come back as they were
        data = json.dumps(kept, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        _write_whole(self.path / name, data, _PRIVATE_FILE_MODE)
        return {"path": name, "sha256": hashlib.sha256(data).hexdigest()}

    def _make_folder(self, name: str, mode: int) -> None:
        folder = self.path / name
        try:
            folder.mkdir(mode=mode, exist_ok=True)
        except OSError as reason:
            raise _write_failed(folder, reason) from None

    def write_summary(self, summary: Mapping[str, Any]) -> Path:
        """Writes summary.json. :raises ScanError: `write_failed`"""
        return _write_whole(self.path / SUMMARY_JSON, _json_bytes(summary, compact=False))

    def write_report(self, name: str, text: str) -> Path:
        """Writes a report beside the summary (SUMMARY_MARKDOWN, GATE_JUNIT, ...). :raises ScanError: `write_failed`"""
        if not _REPORT_NAME.fullmatch(name) or name == SUMMARY_JSON:
            raise ScanError("bad_option", f"{name!r} is no name for a report")
        return _write_whole(self.path / name, text.encode("utf-8", "backslashreplace"))

    def mark_latest(self) -> None:
        """Points `latest` to this run, in one step. :raises ScanError: `write_failed`"""
        link = self.path.parent / LATEST
        try:
            with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".latest-") as folder:
                new = Path(folder) / LATEST
                new.symlink_to(self.path.name)
                new.replace(link)
        except OSError as reason:
            raise _write_failed(link, reason) from None


def read_summary_of(path: str) -> dict[str, Any]:
    """The summary of a finished run; `path` is the run's folder, or the summary's file.

    :raises ScanError: `bad_results` when it is missing or not whole
    """
    summary_path = Path(path) / SUMMARY_JSON if Path(path).is_dir() else Path(path)
    try:
        data = summary_path.read_bytes()
    except OSError as reason:
        raise ScanError(
            "bad_results",
            f"{summary_path}: cannot be read: {reason.strerror or reason}",
            tried="read results",
        ) from None
    return read_run_summary(data, str(summary_path))


def read_kept_facts(path: str, target: Mapping[str, Any]) -> tuple[bytes, str]:
    """What the run in the folder `path` kept of a target of its summary, and the file's path.

    :raises ScanError: `bad_facts` when it kept nothing, or the file is missing or not the one that was written
    """
    kept = target.get("facts")
    if not kept:
        raise ScanError("bad_facts", "the run kept no facts of this target", tried="read kept facts")
    source = Path(path) / FACTS_FOLDER / Path(str(kept["path"])).name
    try:
        with source.open("rb") as stream:
            data = stream.read(_MAX_FACTS_BYTES + 1)
    except OSError as reason:
        raise ScanError(
            "bad_facts", f"{source}: cannot be read: {reason.strerror or reason}", tried="read kept facts"
        ) from None
    if hashlib.sha256(data).hexdigest() != kept["sha256"]:
        raise ScanError(
            "bad_facts",
            f"{source}: is not the file that the run wrote (its SHA-256 differs)",
            tried="read kept facts",
        )
    return data, str(source)


def read_run(path: str) -> tuple[dict[str, Any], Iterator[tuple[str, dict[str, Any]]]]:
    """The summary and the documents (with their paths) of a finished run, for judging it again. A document is read when it
    is asked for, so that one is held at a time.

    :raises ScanError: `bad_results` when the summary or, while they are asked for, a document that it names is missing or
        not whole, or when a document is about another target or lacks a profile of the run
    """
    summary = read_summary_of(str(Path(path) / SUMMARY_JSON))
    return summary, _documents_of(path, summary)


def _documents_of(path: str, summary: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for target in summary["targets"]:
        if not target["hdf"]:
            continue
        source = str(Path(path) / HDF_FOLDER / Path(target["hdf"]).name)
        document = read_hdf_file(source)
        if document_target_id(document, source) != target["target_id"]:
            raise ScanError(
                "bad_results",
                "{}: is not about {}, as the summary says".format(source, target["target_id"]),
                tried="read results",
            )
        names = {profile["name"] for profile in document["profiles"]}
        for profile in summary["profiles"]:
            if profile["name"] not in names:
                raise ScanError(
                    "bad_results",
                    "{}: lacks the profile {}, by which the run judged".format(source, profile["name"]),
                    tried="read results",
                )
        yield source, document


def _json_bytes(value: Mapping[str, Any], compact: bool) -> bytes:
    text = json.dumps(
        value,
        ensure_ascii=False,
        allow_nan=False,
        indent=None if compact else 2,
        separators=(",", ":") if compact else None,
    )
    # A lone surrogate becomes \udXXX, which is how JSON writes it.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _write_whole(path: Path, data: bytes, mode: int = _FILE_MODE) -> Path:
    """Writes beside the name and renames, so that a reader sees the old file, the new one, or none."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                os.fchmod(stream.fileno(), mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as reason:
        raise _write_failed(path, reason) from None
    return path


def _write_failed(path: Path, reason: OSError) -> ScanError:
    return ScanError("write_failed", f"{path}: {reason.strerror or reason}", tried="write results")
