# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run in a folder is the one that its scan wrote. What is not is a reason for the gate to stay closed.

Compared are each document's SHA-256 and run id with the summary, all that the summary says of a target with its
document, the totals with the documents, the names of the files with those that the summary knows, the run id with the
folder's name and, where it is known, the summary's SHA-256 with the one that the scan returned. Somebody who can write
all files of a run can make them fit each other: only the SHA-256 that the scan returned tells that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..safe_text import kept_values, one_line
from ..text_layout import number_of
from ..times import parse_rfc3339
from .checked_json import bad_results
from .deadlines import DEADLINES_JSON
from .decision import DOCUMENTS_KEY, MAX_AGE_KEY, SUMMARY_KEY, Reason
from .hdf import document_scan, document_target
from .run import SUMMARY_JSON, ProfileReference, Run
from .run_folder import summary_sha256
from .run_summary_builder import RunSummaryBuilder
from .target_record import DRIFT_FOLDER, HDF_FOLDER, TargetRecord
from .whole_file import read_own_file

_NAMED = 20
_MAX_DRIFT_BYTES = 512 * 1024 * 1024
_CLOCK_SKEW = 300  # seconds that another machine's clock can be ahead
_SECONDS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class RunCheck:
    """The documents of a run as far as they are those that its scan wrote; `reasons` is whole once they were read."""

    def __init__(self, run: Run, now: datetime, *, sha256: str = "", max_age: int | None = None) -> None:
        """
        :param run: opened from its folder
        :param now: the time by which its age is judged
        :param sha256: what the scan, or an earlier decision on the run, returned as the summary's; empty where that is
            not known
        :param max_age: seconds; None where the run can be of any age
        """
        self._run = run
        self._sha256 = sha256
        self._results: dict[str, str] = {}  # target id -> result by its document
        self.reasons: list[Reason] = []
        self._check_summary()
        self._check_age(now, max_age)
        self._check_names()
        self._check_drift()
        self._check_deadlines()

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(path, HDF document) of every target whose document is as the summary says. One is held at a time."""
        run = self._run
        again = RunSummaryBuilder(
            run_id=run.run_id,
            started=run.started,
            cluster=run.cluster,
            selection=run.selection,
            profiles=run.profiles,
        )
        is_whole = True
        for target in run.targets:
            if not target.hdf:
                continue
            try:
                source, document = run.document_of(target)
                self._compare(target, document, source, again)
            except ScanError as error:
                self._refuse(DOCUMENTS_KEY, error.message, target.target_id)
                is_whole = False
                continue
            yield source, document
        if is_whole:
            self._compare_totals(again.finish(run.finished, run.duration))
        self._compare_digest(is_whole)

    def _refuse(self, key: str, text: str, target_id: str = "", limit: Any = None, found: Any = None) -> None:
        self.reasons.append(Reason(target_id, "", key, limit, found, text))

    def _check_summary(self) -> None:
        run = self._run
        name = Path(run.folder).resolve().name
        if name != run.run_id:
            self._refuse(
                SUMMARY_KEY,
                f"the folder {one_line(name, 100)} holds the run {run.run_id}: is it another one?",
            )
        without = sum(bool(target.hdf) and not target.hdf_sha256 for target in run.targets)
        if without:
            self._refuse(
                SUMMARY_KEY,
                f"{SUMMARY_JSON} knows no SHA-256 of {number_of(without, 'document')}: it was written by a version "
                "that kept none, or changed since. Scan again, or judge its kept facts again",
            )

    def _check_age(self, now: datetime, max_age: int | None) -> None:
        seen = oldest_seen(self._run)
        age = seconds_since(self._run, now, seen) if seen else None
        if age is None or age < -_CLOCK_SKEW:
            self._refuse(
                SUMMARY_KEY, f"the run says that it began at {one_line(evidence_time(self._run), 60)}"
            )
        elif max_age is not None and age > max_age:
            found, most = age_text(age), age_text(max_age)
            if found == most:
                found, most = number_of(int(age), "second"), number_of(max_age, "second")
            self._refuse(
                MAX_AGE_KEY,
                f"{MAX_AGE_KEY}: {_what_is_old(self._run)} {found} old, must be at most {most}",
                limit=max_age,
                found=int(age),
            )

    def _check_names(self) -> None:
        """Every entry of the folder of documents must be a file that the summary names."""
        folder = Path(self._run.folder) / HDF_FOLDER
        known = {Path(target.hdf).name for target in self._run.targets if target.hdf}
        try:
            if folder.is_symlink():
                self._refuse(DOCUMENTS_KEY, f"{folder} is a link")
            with os.scandir(folder) as entries:
                foreign = sorted(entry.name for entry in entries if entry.name not in known)
        except OSError as reason:
            self._refuse(DOCUMENTS_KEY, f"{folder}: cannot be listed: {reason.strerror or reason}")
            return
        for name in foreign[:_NAMED]:
            self._refuse(DOCUMENTS_KEY, f"{folder / one_line(name, 300)} is not a document of the run")
        if len(foreign) > _NAMED:
            self._refuse(DOCUMENTS_KEY, f"{folder} has {len(foreign) - _NAMED} more that are none of the run")

    def _check_drift(self) -> None:
        for target in self._run.targets:
            drift = target.drift
            if drift is None or not drift.path or not drift.sha256:
                continue
            path = Path(self._run.folder) / DRIFT_FOLDER / Path(drift.path).name
            try:
                data = read_own_file(path, _MAX_DRIFT_BYTES)
            except OSError as reason:
                self._refuse(
                    DOCUMENTS_KEY, f"{path}: cannot be read: {reason.strerror or reason}", target.target_id
                )
                continue
            if hashlib.sha256(data).hexdigest() != drift.sha256:
                self._refuse(
                    DOCUMENTS_KEY,
                    f"{path}: is not the file that the run wrote (its SHA-256 differs)",
                    target.target_id,
                )

    def _check_deadlines(self) -> None:
        try:
            deadlines = self._run.deadlines
        except ScanError as error:
            self._refuse(DOCUMENTS_KEY, error.message)
            return
        if deadlines and (deadlines.run_id, deadlines.cluster) != (self._run.run_id, self._run.cluster):
            self._refuse(DOCUMENTS_KEY, f"{DEADLINES_JSON}: is of the run {one_line(deadlines.run_id, 100)}")

    def _compare(
        self, target: TargetRecord, document: Mapping[str, Any], source: str, again: RunSummaryBuilder
    ) -> None:
        """What the summary says of a target, with its document. :raises ScanError: bad_results, where that differs"""
        scan = document_scan(document)
        wanted = target.carried.run_id if target.carried else self._run.run_id
        if scan.get("run_id") != wanted:
            raise bad_results(source, f"is of the run {_shown(scan.get('run_id'))}, not of {wanted}")
        profiles = {_reference(profile) for profile in document["profiles"]}
        if profiles != set(self._run.profiles):
            raise bad_results(
                source, f"was judged by other profiles than {SUMMARY_JSON} says: {_names(profiles)}"
            )
        if scan.get("cluster_uid") != self._run.cluster_uid:
            raise bad_results(source, f"says otherwise than {SUMMARY_JSON} which API server was asked")
        said = (dict(document_target(document)), scan.get("approach"), scan.get("duration"))
        if said != (kept_values(target.identity()), target.approach, target.duration):
            raise bad_results(
                source, f"says otherwise than {SUMMARY_JSON} which container was scanned, and how"
            )
        record = again.add_scanned(
            target.identity(),
            target.approach,
            target.duration,
            document,
            target.hdf,
            hdf_sha256=target.hdf_sha256,
            facts=target.facts,
            drift=target.drift,
            # what was taken over stands for the containers of today
            replicas=target.replicas if target.carried else None,
            carried=target.carried,
        )
        self._results[target.target_id] = record.result
        differing = [
            each.name
            for each in fields(record)
            if each.name not in ("result", "seen")
            and getattr(record, each.name) != getattr(target, each.name)
        ]
        if differing:
            raise bad_results(source, f"does not fit what {SUMMARY_JSON} says of it: {', '.join(differing)}")
        if is_later(target.seen, record.seen):
            raise bad_results(
                source, f"is older than {SUMMARY_JSON} says: it was seen at {_shown(record.seen)}"
            )

    def _compare_totals(self, again: Run) -> None:
        run = self._run
        same = (
            run.controls == again.controls
            and set(run.failed_controls) == set(again.failed_controls)
            and set(run.not_reviewed) == set(again.not_reviewed)
        )
        if not same:
            self._refuse(SUMMARY_KEY, f"the totals of {SUMMARY_JSON} are not those of the documents")

    def _compare_digest(self, is_whole: bool) -> None:
        """The summary can be as it lies there, or as the scan wrote it, before a gate decided: its documents tell how."""
        run, given = self._run, self._sha256
        if not given or given == run.sha256:
            return
        if not is_whole or given != summary_sha256(run.without_gate(self._results)):
            self._refuse(SUMMARY_KEY, _summary_differs(run, given), limit=given, found=run.sha256)


def _summary_differs(run: Run, sha256: str) -> str:
    return (
        f"{SUMMARY_JSON} of run {run.run_id} is not the one that was named: its SHA-256 is {run.sha256}, "
        f"not {one_line(sha256, 64)}"
    )


def check_summary_sha256(run: Run, sha256: str) -> None:
    """:raises ScanError: bad_results, where a SHA-256 is given and it is not that of the summary's file"""
    if sha256 and sha256 != run.sha256:
        raise ScanError("bad_results", _summary_differs(run, sha256), tried="read results")


def check_cluster(run: Run, cluster: str) -> None:
    """:raises ScanError: other_cluster, where a cluster is given and the run is of another"""
    if cluster and run.cluster != cluster:
        name, place = one_line(run.cluster, 100), run.folder or f"run {run.run_id}"
        raise ScanError(
            "other_cluster",
            f"{place} is a run of the cluster {name}, and this task is about {one_line(cluster, 100)}",
            tried="read results",
            advice=f"Name a run of {one_line(cluster, 100)}. Where this run is meant, set cluster_name "
            f"(scan_cluster_name of the role) to {name}.",
        )


def evidence_time(run: Run) -> str:
    """When the targets were seen: evidence does not grow younger by being judged again."""
    return run.judged_from.started if run.judged_from else run.started


def is_later(one: str, other: str) -> bool:
    """Whether a time is later than another, or one of them is no time. A summary of an older version knows of its targets
    only when the run began, which was before."""
    if one == other:
        return False
    try:
        return parse_rfc3339(one) > parse_rfc3339(other)
    except (ValueError, OverflowError):
        return True


def oldest_seen(run: Run) -> str:
    """When the first of its targets was seen: what was carried over is older than the run."""
    times = [target.seen for target in run.targets if target.carried]
    try:
        return min([evidence_time(run), *times], key=parse_rfc3339)
    except (ValueError, OverflowError):
        return ""


def _what_is_old(run: Run) -> str:
    return "the run is" if oldest_seen(run) == evidence_time(run) else "a result that was carried over is"


def seconds_since(run: Run, now: datetime, seen: str = "") -> float | None:
    """Seconds since the targets were seen; None where the run does not say when, as a time.

    :param seen: the time, where it is not that of the run
    """
    try:
        return (now - parse_rfc3339(seen or evidence_time(run))).total_seconds()
    except (ValueError, OverflowError):
        return None


def age_text(seconds: float) -> str:
    """For example 3 days, 1 hour: whole numbers of the largest unit that fits."""
    for size, unit in _SECONDS:
        if seconds >= size:
            return number_of(int(seconds // size), unit)
    return number_of(0, "second")


def _reference(profile: Mapping[str, Any]) -> ProfileReference:
    return ProfileReference(profile["name"], profile.get("version") or "", profile["sha256"])


def _names(profiles: Iterable[ProfileReference]) -> str:
    return one_line(", ".join(sorted(f"{profile.name} {profile.version}" for profile in profiles)), 200)


def _shown(value: Any) -> str:
    return one_line(value, 60) if isinstance(value, str) else "(none)"
